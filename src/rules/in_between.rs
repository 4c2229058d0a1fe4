//! Whether a firewall or a proxy answered AUTH in the server's place.

use super::prelude::*;
use crate::codes;
use crate::decode::Reply;

/// Adds what speaks for something in between; when it is the best explanation, the finding says so.
pub(super) fn suspect(case: &Case<'_>, event: &Event, reply: &Reply, feat_lies: bool, f: &mut Finding) {
    if let Some(mut cause) = not_its_own_words(case, reply, feat_lies).map(causes::middlebox_rewrote_auth) {
        // Other wordings are only strange.
        if is_overwritten(reply) {
            cause.confidence = Confidence::Likely;
            f.causes.insert(0, cause);
        } else {
            f.causes.push(cause);
        }
    }
    if let Some(because) = answered_from_nearer(case, event) {
        f.causes.insert(0, causes::local_firewall_inspects_ftp(because));
    }
    if !f.causes.first().is_some_and(|c| c.id.starts_with("middlebox") || c.id.starts_with("local-firewall")) {
        return;
    }
    f.party = Party::Between;
    f.headline = super::sink::fitting(&[
        format!("{}: AUTH was answered with {}, probably not by the server", case.endpoint(), reply.code),
        format!("AUTH was answered with {}, probably not by the server itself", reply.code),
    ]);
    let text = "network: switch FTP inspection off for this connection; no firewall there? Then server: TLS on";
    f.act = Some(Act { party: Party::Between, text: text.to_owned() });
    for cause in f.causes.iter_mut().filter(|c| c.id == "server-tls-disabled") {
        cause.confidence = Confidence::Possible;
    }
    let look = "firewalls on both sides that inspect FTP (ALG, fixup): exempt this connection";
    f.tell(Party::Between, AdviceKind::Check, look);
}

/// Firewalls that inspect FTP overwrite commands that they do not let through with X's, and the server quotes what is left.
fn is_overwritten(reply: &Reply) -> bool {
    reply.text.contains("XXX")
}

/// Commands that a server answers without asking anybody: no password, no name server, no disk.
const INSTANT: [&str; 6] = ["CLNT", "FEAT", "NOOP", "OPTS", "PBSZ", "QUIT"];

/// Microseconds; below, a busy server explains any difference.
const NOTICEABLE: u64 = 20_000;

/// Why the refusal may come from something that is nearer than the server: it came much faster than other replies that
/// cost nothing, or the greeting went through a firewall that masks it.
fn answered_from_nearer(case: &Case<'_>, refusal: &Event) -> Option<String> {
    if masked_greeting(case).is_some() {
        return Some("the greeting is masked: a firewall reads and rewrites this connection".to_owned());
    }
    let mut asked: Option<(&str, u64)> = None;
    let (mut mine, mut fastest) = (None, None::<u64>);
    for e in case.control().filter(|e| e.conn == refusal.conn) {
        match &e.kind {
            Kind::Command { verb, .. } => asked = e.at.map(|at| (verb.as_str(), at.0)),
            Kind::Reply(_) => {
                let Some((verb, since)) = asked.take() else { continue };
                let Some(took) = e.at.map(|at| at.0.saturating_sub(since)) else { continue };
                if core::ptr::eq(e, refusal) {
                    mine = Some(took);
                } else if INSTANT.contains(&verb) {
                    fastest = Some(fastest.map_or(took, |f| f.min(took)));
                }
            }
            _ => {}
        }
    }
    let (mine, fastest) = (mine?, fastest?);
    (fastest >= NOTICEABLE && mine.saturating_mul(4) <= fastest).then(|| {
        let ms = |t: u64| format!("{:.1} ms", t as f64 / 1e3);
        format!("AUTH was answered after {}, the server's other replies take {} and more", ms(mine), ms(fastest))
    })
}

/// A greeting of asterisks or X's.
pub(super) fn masked_greeting<'a>(case: &Case<'a>) -> Option<&'a Event> {
    let masked = |r: &Reply| r.code == 220 && r.text.len() > 3 && r.text.chars().all(|c| "*X ".contains(c));
    case.first(|e| matches!(&e.kind, Kind::Reply(r) if masked(r)))
}

/// Why the refusal may come from something in between.
fn not_its_own_words(case: &Case<'_>, reply: &Reply, feat_lies: bool) -> Option<String> {
    if is_overwritten(reply) {
        return Some("the server quotes a command of X's: something overwrote AUTH on the way".to_owned());
    }
    let worded = |kind: &str, r: &Reply| -> Vec<&'static str> {
        codes::fingerprints_of(kind).filter(|p| p.matches(kind, r.code, &r.text)).map(|p| p.product).collect()
    };
    let greeting = case.control().find_map(|e| match &e.kind {
        Kind::Reply(r) if r.code == 220 && r.whole => Some(worded("banner", r)),
        _ => None,
    })?;
    let refusal = worded("auth-refused", reply);
    if let (Some(first), Some(other)) = (greeting.first(), refusal.first())
        && !refusal.iter().any(|p| greeting.contains(p))
    {
        return Some(format!("the greeting is {first}'s, the refusal is worded like {other}'s"));
    }
    // The bare words of the RFC, where the server itself says in FEAT that it knows better.
    let bare = reply.code == 504 && reply.text.starts_with("Command not implemented for that parameter");
    (feat_lies && bare).then(|| "FEAT lists AUTH TLS, and the refusal has no product's own words".to_owned())
}

//! The server said no to AUTH.

use super::phase::is_auth;
use super::prelude::*;
use crate::codes;
use crate::decode::Reply;

pub(super) static RULE: Rule = Rule {
    id: "auth-refused",
    severity: Severity::Failure,
    outranks: &[
        "closed-during-handshake",
        "handshake-refused-by-client",
        "reset-during-handshake",
        "silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/auth-refused.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    // A client may try AUTH SSL after AUTH TLS: the last answer counts, or the first where the second does not come.
    let answer = |auth: &'_ _| {
        case.after(auth).take_while(|e| !is_auth(e)).find_map(|e| match &e.kind {
            Kind::Reply(r) if r.code >= 200 => Some((e, r)),
            _ => None,
        })
    };
    let answered = case.control().filter(|e| is_auth(e)).filter_map(|auth| Some((auth, answer(auth)?))).last();
    let Some((auth, (event, reply))) = answered.filter(|(_, (_, r))| r.code >= 400 && r.whole) else { return };
    let ended = case.is_closed();
    let confidence = if ended { Confidence::Certain } else { Confidence::Likely };
    let probably = if ended { "" } else { "probably " };
    let mut f = sink.finding(
        confidence,
        Party::Server,
        &[
            format!("{} {probably}refused AUTH: {} {}", case.endpoint(), reply.code, reply.text),
            format!("{} {probably}refused AUTH with {}", case.endpoint(), reply.code),
            format!("the server {probably}refused AUTH with {}", reply.code),
        ],
    );
    f.ended = ended
        || case.claims().any(|c| match c.code {
            Some(Code::Gsk(rc)) => *rc != 0,
            Some(Code::Message(id)) => matches!(id.as_str(), "EZA2897I" | "EZA2898I"),
            _ => false,
        });
    let listed = feat_lists_tls(case);
    f.set("code", reply.code).set("text", reply.text.as_str()).set("feat_lists_tls", listed.map(|(_, lists)| lists));
    if let Some(greeting) = masked_greeting(case) {
        f.evidence.extend(sink.evidence(greeting, "masked on the way"));
    }
    // The name of the standard was tried first.
    let first = case.control().find(|e| is_auth(e)).filter(|e| !core::ptr::eq(*e, auth));
    let no = first.and_then(|f| case.after(f).find(|e| matches!(&e.kind, Kind::Reply(r) if r.code >= 400)));
    f.evidence.extend(no.and_then(|e| sink.evidence(e, "to AUTH TLS")));
    f.evidence.extend(sink.evidence(auth, ""));
    f.evidence.extend(sink.evidence(event, ""));
    f.why.push("No TLS was spoken: versions and ciphers cannot be the fault.".to_owned());
    explain(case, event, reply, listed.is_some_and(|(_, lists)| lists), &mut f);
    sink.report(f);
}

/// The reply to FEAT, and whether it lists AUTH TLS. Our own probe asks behind the refusal.
fn feat_lists_tls<'a>(case: &Case<'a>) -> Option<(&'a Event, bool)> {
    case.control()
        .filter_map(|e| match &e.kind {
            Kind::Reply(r) if r.code == 211 && r.whole => {
                Some((e, r.text.to_ascii_uppercase().split(" / ").any(|l| l.contains("AUTH") && l.contains("TLS"))))
            }
            _ => None,
        })
        .last()
}

/// "Need some unavailable resource to process security" (RFC 2228).
const RESOURCE: u16 = 431;

/// "Request denied for policy reasons" (RFC 2228).
const POLICY: u16 = 534;

fn explain(case: &Case<'_>, event: &Event, reply: &Reply, feat_lies: bool, f: &mut Finding) {
    let (code, act) = (reply.code, |text: &str| Some(Act { party: Party::Server, text: text.to_owned() }));
    let product = causes::likely_server(case).map(|p| p.id.clone());
    // The refusal may name the reason: a certificate that is not there, a key that cannot be read.
    let named = super::words::cause(case, event, &reply.text).filter(|_| code != 421 && code != RESOURCE);
    let named = named.map(|mut cause| {
        // No handshake, no line in a TLS log: the next reply to AUTH tells.
        cause.ask.clear();
        cause.ask(Party::Server, None, &["AUTH TLS again, after the change".to_owned()], "it is answered with 234")
    });
    let by_words = named.is_some();
    f.causes.extend(named);
    let need = match code {
        421 => {
            f.causes.push(causes::connection_limit("421 says that the service is not available to this client now"));
            f.act = act("server: its connection limits; client: fewer connections, try again later");
            "connection-limit"
        }
        RESOURCE => {
            f.causes.push(causes::security_resource_missing(case, code));
            f.act = act("server: certificate and key for this address and port, then restart");
            "fix-certificate"
        }
        _ if by_words => {
            f.act = act("server: certificate and key for this address and port, then restart");
            "fix-certificate"
        }
        POLICY => {
            f.causes.push(causes::server_policy("534 says that the server's policy forbids it".to_owned()));
            f.causes.push(causes::security_resource_missing(case, code));
            f.act = act("server: allow TLS for this site, and see that it has a certificate");
            "enable-tls"
        }
        _ => {
            f.causes.push(causes::server_tls_disabled(format!("the server answers AUTH with {code}")));
            f.act = act("server: switch TLS on for this address and port");
            "enable-tls"
        }
    };
    if feat_lies {
        f.why.push("FEAT lists AUTH TLS all the same: what counts is the reply to AUTH.".to_owned());
    }
    if code == 530 {
        f.why.push("530 looks like a matter of passwords; it is not: no login was tried.".to_owned());
    }
    if let Some(mut cause) = not_its_own_words(case, reply, feat_lies).map(causes::middlebox_rewrote_auth) {
        // A command of X's is what a firewall leaves of one; other wordings are only strange.
        if reply.text.contains("XXX") {
            cause.confidence = Confidence::Likely;
            f.causes.insert(0, cause);
        } else {
            f.causes.push(cause);
        }
    }
    if let Some(because) = answered_from_nearer(case, event) {
        f.causes.insert(0, causes::local_firewall_inspects_ftp(because));
    }
    if f.causes.first().is_some_and(|c| c.id.starts_with("middlebox") || c.id.starts_with("local-firewall")) {
        f.party = Party::Between;
        f.headline = super::sink::fitting(&[
            format!("{}: AUTH was answered with {code}, probably not by the server", case.endpoint()),
            format!("AUTH was answered with {code}, probably not by the server itself"),
        ]);
        f.act = Some(Act {
            party: Party::Between,
            text: "network: switch FTP inspection off for this connection; no firewall there? Then server: TLS on"
                .to_owned(),
        });
        for cause in f.causes.iter_mut().filter(|c| c.id == "server-tls-disabled") {
            cause.confidence = Confidence::Possible;
        }
        f.tell(
            Party::Between,
            AdviceKind::Check,
            "firewalls on both sides that inspect FTP (ALG, fixup): exempt this connection",
        );
    }
    if let Some(product) = &product {
        f.advise(need, product);
    }
    if code == 421 {
        f.tell(Party::Client, AdviceKind::Tonight, "close idle and parallel connections, then try again");
        return;
    }
    if code != RESOURCE {
        f.tell(Party::Server, AdviceKind::Check, "is TLS switched on, with a certificate, for this address and port?");
    }
    f.tell(Party::Client, AdviceKind::Leave, "nothing to change while AUTH is refused");
}

/// Why the refusal may come from something that is nearer than the server: it came much faster than the server's
/// other replies, or the greeting went through a firewall that masks it.
fn answered_from_nearer(case: &Case<'_>, refusal: &Event) -> Option<String> {
    if masked_greeting(case).is_some() {
        return Some("the greeting is masked: a firewall reads and rewrites this connection".to_owned());
    }
    let took = |answer: &Event| {
        let asked = case.before(answer).filter(|e| matches!(e.kind, Kind::Command { .. })).last()?;
        Some(answer.at?.0.saturating_sub(asked.at?.0))
    };
    let mine = took(refusal)?;
    // Only what comes behind the refusal is compared: the greeting may have waited for a name server.
    let others = case.after(refusal).filter(|e| matches!(&e.kind, Kind::Reply(r) if r.code < 400 && r.whole));
    let fastest = others.filter_map(took).min()?;
    (fastest >= NOTICEABLE && mine.saturating_mul(4) <= fastest).then(|| {
        let ms = |t: u64| format!("{:.1} ms", t as f64 / 1e3);
        format!("AUTH was answered after {}, the server's other replies take {} and more", ms(mine), ms(fastest))
    })
}

/// A greeting of asterisks or X's.
fn masked_greeting<'a>(case: &Case<'a>) -> Option<&'a Event> {
    let masked = |r: &Reply| r.code == 220 && r.text.len() > 3 && r.text.chars().all(|c| "*X ".contains(c));
    case.first(|e| matches!(&e.kind, Kind::Reply(r) if masked(r)))
}

/// Microseconds; below, a busy server explains any difference.
const NOTICEABLE: u64 = 20_000;

/// Why the refusal may come from something in between.
fn not_its_own_words(case: &Case<'_>, reply: &Reply, feat_lies: bool) -> Option<String> {
    // Firewalls that inspect FTP overwrite commands that they do not let through.
    if reply.text.contains("XXX") {
        return Some("the server quotes a command of X's: something overwrote AUTH on the way".to_owned());
    }
    let worded = |kind: &str, r: &Reply| -> Vec<&'static str> {
        codes::fingerprints().filter(|p| p.matches(kind, r.code, &r.text)).map(|p| p.product).collect()
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

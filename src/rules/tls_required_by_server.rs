//! A command in clear was refused because the server wants TLS first.

use super::phase::{is_auth, probably};
use super::prelude::*;
use crate::codes;
use crate::decode::Reply;
use crate::transcript::Layer;

pub(super) static RULE: Rule = Rule {
    id: "tls-required-by-server",
    severity: Severity::Failure,
    outranks: &[],
    page: include_str!("../../docs/findings/tls-required-by-server.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some((event, reply, command)) = refusal(case) else { return };
    // Whoever turns to AUTH behind it has understood: that is no failure.
    let is_end = |e: &&Event| matches!(e.kind, Kind::Closed { .. } | Kind::TimedOut { .. });
    let turns =
        case.after(event).take_while(|e| !is_end(e)).any(|e| is_auth(e) || matches!(e.kind, Kind::TlsStarts { .. }));
    if turns {
        return;
    }
    let ended = case.after(event).any(|e| is_end(&e));
    let confidence = if ended { Confidence::Certain } else { Confidence::Likely };
    let maybe = probably(confidence);
    let endpoint = case.endpoint();
    let verb = command.as_ref().map_or("the login", |(_, v)| v.as_str());
    let mut f = sink.finding(
        confidence,
        Party::Client,
        &[
            format!("{endpoint} {maybe}refused {verb} in clear: it wants TLS first ({})", reply.code),
            format!("the server {maybe}refused {verb} in clear: it wants TLS first ({})", reply.code),
            format!("the server {maybe}wants TLS before the login ({})", reply.code),
        ],
    );
    f.ended = ended;
    f.set("code", reply.code)
        .set("text", reply.text.as_str())
        .set("command", command.as_ref().map(|(_, v)| v.as_str()));
    if let Some((e, _)) = &command {
        f.evidence.extend(sink.evidence(e, "in clear"));
    }
    f.evidence.extend(sink.evidence(event, ""));
    f.why.push("Neither user name nor password is the fault, and nothing is wrong with the server.".to_owned());
    f.act = Some(Act { party: Party::Client, text: "client: use explicit TLS (AUTH TLS) before the login".to_owned() });
    super::advise::client(case, &mut f, "use-explicit");
    f.tell(Party::Server, AdviceKind::Leave, "leave it: it protects the passwords");
    sink.report(f);
}

/// A command and its verb.
type Command<'a> = (&'a Event, String);

/// The reply that asks for TLS, with the command that it answers.
fn refusal<'a>(case: &Case<'a>) -> Option<(&'a Event, &'a Reply, Option<Command<'a>>)> {
    if super::data_protection_required::in_cut(case).is_some() {
        return None;
    }
    let mut command: Option<Command<'a>> = None;
    for e in case.control() {
        let on_wire = e.span.is_some_and(|s| s.flow.layer == Layer::Wire);
        match &e.kind {
            Kind::TlsStarts { .. } | Kind::Handshake(_) | Kind::Decrypted { .. } => return None,
            Kind::Command { verb, .. } if on_wire => command = Some((e, verb.clone())),
            Kind::Reply(r) if on_wire && r.whole && r.code >= 400 && wants_tls(r) => {
                let to_auth = command.as_ref().is_some_and(|(_, verb)| verb == "AUTH");
                return (!to_auth && command.is_some()).then_some((e, r, command));
            }
            _ => {}
        }
    }
    None
}

/// A known wording, or words that leave no doubt.
fn wants_tls(reply: &Reply) -> bool {
    // Of data connections: behind AUTH.
    if super::data_sessions::reuse(&reply.text).is_some() {
        return false;
    }
    let known =
        codes::fingerprints_of("tls-required").filter(|p| p.text != "Anonymous sessions may not use encryption.");
    if known.into_iter().any(|p| p.matches("tls-required", reply.code, &reply.text)) {
        return true;
    }
    let words = reply.text.to_ascii_lowercase();
    let any = |list: &[&str]| list.iter().any(|w| words.contains(w));
    let negated = any(&[
        "may not use",
        "must not use",
        "not supported",
        "no tls",
        "no ssl",
        "without tls",
        "not available",
        "not enabled",
    ]);
    any(&["tls", "ssl", "encrypt", "secure connection"])
        && any(&["requir", "must", "need", "use auth", "only"])
        && !negated
}

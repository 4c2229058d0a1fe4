//! The server said no to AUTH.

use super::in_between;
use super::phase::is_auth;
use super::prelude::*;
use crate::decode::Reply;
use crate::facts::transfers::precedes;
use crate::transcript::Layer;

pub(super) static RULE: Rule = Rule {
    id: "auth-refused",
    severity: Severity::Failure,
    outranks: &[
        "closed-during-handshake",
        "handshake-refused-by-client",
        "handshake-refused-by-server",
        "reset-during-handshake",
        "silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/auth-refused.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some((auth, event, reply)) = last_answer(case).filter(|(_, _, r)| r.code >= 400 && r.whole) else { return };
    // Commands sent in one go: whoever begins TLS behind a no had a yes of another one.
    let begins = |e: &Event| matches!(e.kind, Kind::TlsStarts { .. } | Kind::Handshake(_));
    if case.after(event).any(begins) || case.handshake_completed_before(event) || case.client_left_before(event) {
        return;
    }
    let ended = case.is_closed();
    let is_sure = ended && !case.is_from_log(event);
    let confidence = if is_sure { Confidence::Certain } else { Confidence::Likely };
    let probably = super::phase::probably(confidence);
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
    if let Some(greeting) = in_between::masked_greeting(case) {
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
    in_clear(case, event, &mut f);
    sink.report(f);
}

/// A client that TLS was only asked of goes on without it: then password and files are what matters.
fn in_clear(case: &Case<'_>, no: &Event, f: &mut Finding) {
    let wire = |e: &Event| e.span.is_some_and(|s| s.flow.layer == Layer::Wire);
    let taken = |e: &Event| matches!(&e.kind, Kind::Reply(r) if r.code == 230 && r.whole) && wire(e);
    let Some(login) = case.after(no).find(|e| taken(e)) else { return };
    let moved = case.session_transfers().any(|t| t.worked() && t.reply.is_some_and(|r| precedes(login, r.event)));
    let what = if moved { "login and transfer" } else { "the login" };
    f.why.push(format!("The client went on without TLS: {what} went through the network in clear."));
    f.advice.retain(|a| !(a.party == Party::Client && a.kind == AdviceKind::Leave));
    if case.facts.client.as_ref().is_some_and(|c| c.id.starts_with("zos")) {
        f.advise("require-tls", "zos-native");
    } else {
        f.tell(Party::Client, AdviceKind::Lasting, "let it require TLS, so that it ends where TLS is refused");
    }
}

/// A client may try AUTH SSL after AUTH TLS: the last answer counts, or the first where the second does not come.
fn last_answer<'a>(case: &Case<'a>) -> Option<(&'a Event, &'a Event, &'a Reply)> {
    let mut asked: Option<&Event> = None;
    let mut out = None;
    for e in case.control() {
        match &e.kind {
            _ if is_auth(e) => asked = Some(e),
            Kind::Reply(r) if r.code >= 200 && asked.is_some_and(|a| a.conn == e.conn) => {
                out = asked.take().map(|auth| (auth, e, r));
            }
            _ => {}
        }
    }
    out
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
    let code = reply.code;
    let need = by_code(case, event, reply, f);
    if feat_lies {
        f.why.push("FEAT lists AUTH TLS all the same: what counts is the reply to AUTH.".to_owned());
    }
    if code == 530 {
        f.why.push("530 looks like a matter of passwords; it is not: no login was tried.".to_owned());
    }
    // Limits and missing certificates are told by servers, never by a firewall.
    let told =
        f.causes.first().is_some_and(|c| matches!(c.id.as_str(), "connection-limit" | "server-tls-not-initialised"));
    if !told {
        in_between::suspect(case, event, reply, feat_lies, f);
    }
    if let Some(product) = causes::likely_server(case) {
        f.advise(need, &product.id);
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

/// What the code and the words of the refusal say; the need that helps.
fn by_code(case: &Case<'_>, event: &Event, reply: &Reply, f: &mut Finding) -> &'static str {
    let act = |text: &str| Some(Act { party: Party::Server, text: text.to_owned() });
    // The refusal may name a certificate that is not there, or a key that cannot be read; nothing of a hello is at fault yet.
    let named = super::words::cause(case, event, &reply.text).filter(|c| c.id == "server-tls-not-initialised");
    match (reply.code, named) {
        (421, _) => {
            f.causes.push(causes::connection_limit("421 says that the service is not available to this client now"));
            f.act = act("server: its connection limits; client: fewer connections, try again later");
            "connection-limit"
        }
        (RESOURCE, _) => {
            f.causes.push(causes::security_resource_missing(case, reply.code));
            f.act = act("server: certificate and key for this address and port, then restart");
            "fix-certificate"
        }
        (_, Some(mut cause)) => {
            // No handshake, no line in a TLS log: the next reply to AUTH tells.
            cause.ask.clear();
            let again = ["AUTH TLS again, after the change".to_owned()];
            f.causes.push(cause.ask(Party::Server, None, &again, "it is answered with 234"));
            f.act = act("server: certificate and key for this address and port, then restart");
            "fix-certificate"
        }
        (POLICY, _) => {
            f.causes.push(causes::server_policy("534 says that the server's policy forbids it".to_owned()));
            f.causes.push(causes::security_resource_missing(case, reply.code));
            f.act = act("server: allow TLS for this site, and see that it has a certificate");
            "enable-tls"
        }
        (code, _) => {
            f.causes.push(causes::server_tls_disabled(format!("the server answers AUTH with {code}")));
            f.act = act("server: switch TLS on for this address and port");
            "enable-tls"
        }
    }
}

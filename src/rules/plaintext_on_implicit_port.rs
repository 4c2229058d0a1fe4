//! TLS was to begin at once, and the server greeted in clear: it speaks explicit TLS, or none.

use super::finding::Cause;
use super::phase::is_auth;
use super::prelude::*;
use crate::decode::Reply;
use crate::transcript::Mode;

pub(super) static RULE: Rule = Rule {
    id: "plaintext-on-implicit-port",
    severity: Severity::Failure,
    outranks: &[
        "closed-during-handshake",
        "handshake-refused-by-client",
        "handshake-refused-by-server",
        "plaintext-instead-of-tls",
        "reset-during-handshake",
        "silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/plaintext-on-implicit-port.md"),
    check,
};

/// What a server of explicit TLS says to bytes that are no command: not understood (500, 501, 502, 503), or log in first (530).
const TO_NO_COMMAND: [u16; 5] = [500, 501, 502, 503, 530];

/// The greeting where a ServerHello was due. An error text there may as well be the server's TLS that failed:
/// that is `plaintext-instead-of-tls`.
pub(super) fn greeting_instead_of_tls<'a>(case: &Case<'a>) -> Option<(&'a Event, &'a Reply)> {
    case.control().find_map(|e| match &e.kind {
        Kind::TextInsteadOfTls { reply: Some(r), .. } if e.from() == Some(Side::Server) => {
            let first = !case.came_before(e, Side::Server) && !case.auth_before(e);
            (first && r.code < 400 && !case.tls_due_is_assumed()).then_some((e, r))
        }
        _ => None,
    })
}

/// The greeting that was quicker than the ClientHello, which was then taken for a command: the greeting, and what came back.
pub(super) fn greeting_before_tls<'a>(case: &Case<'a>) -> Option<(&'a Event, &'a Reply, &'a Event)> {
    let answer = case.first(|e| matches!(e.kind, Kind::TextInsteadOfTls { .. }) && e.from() == Some(Side::Server))?;
    let Kind::TextInsteadOfTls { reply: Some(no), .. } = &answer.kind else { return None };
    let mut said = case.before(answer).filter(|e| e.from() == Some(Side::Server));
    let (first, more) = (said.next()?, said.next());
    let Kind::Reply(greeting) = &first.kind else { return None };
    let hello = case.client_hello().filter(|h| case.before(answer).any(|e| core::ptr::eq(e, *h)));
    let is_so =
        greeting.code == 220 && greeting.whole && more.is_none() && hello.is_some() && !case.auth_before(answer);
    (is_so && TO_NO_COMMAND.contains(&no.code)).then_some((first, greeting, answer))
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let found = greeting_instead_of_tls(case).filter(|(_, r)| case.opened_or_asked() || r.code == 220);
    match found {
        Some((event, reply)) => failure(case, event, reply, None, sink),
        None => match greeting_before_tls(case) {
            Some((greeting, reply, answer)) => failure(case, greeting, reply, Some(answer), sink),
            None => note(case, sink),
        },
    }
}

/// `answer`: what the server said to a ClientHello that came behind its greeting.
fn failure(case: &Case<'_>, event: &Event, reply: &Reply, answer: Option<&Event>, sink: &mut Sink<'_>) {
    let from_log = case.is_from_log(event) || case.direction_is_assumed();
    let confidence = if from_log { Confidence::Likely } else { Confidence::Certain };
    let maybe = super::phase::probably(confidence);
    let endpoint = case.endpoint();
    let greets_first = behind_greeting(case);
    let headlines = if greets_first.is_some() {
        // Implicit TLS of z/OS greets first as well: the order is all that is seen.
        vec![
            format!("{endpoint} {maybe}sent {} in clear before any TLS", reply.code),
            format!("the server {maybe}sent {} in clear before any TLS", reply.code),
        ]
    } else {
        vec![
            format!("{endpoint} {maybe}speaks FTP first: it is no port for implicit TLS"),
            format!("{endpoint} {maybe}speaks FTP first: no implicit TLS there"),
            format!("the server {maybe}speaks FTP first: it is no port for implicit TLS"),
        ]
    };
    let mut f = sink.finding(confidence, Party::Client, &headlines);
    f.set("code", reply.code).set("text", reply.text.as_str());
    if answer.is_some() {
        f.evidence.extend(sink.evidence(event, "an FTP greeting, in clear"));
    }
    if let (Some(hello), Some(offer)) = (case.client_hello(), &case.facts.offer) {
        f.evidence.extend(sink.evidence(hello, &offer.summary()));
    }
    f.evidence.extend(match answer {
        None => sink.evidence(event, "an FTP greeting, where a ServerHello was due"),
        Some(answer) => sink.evidence(answer, "the ClientHello was taken for a command"),
    });
    f.why.push(
        "\"wrong version number\" and the like come of it: versions, ciphers and certificates are not the fault."
            .to_owned(),
    );
    f.causes
        .push(causes::wrong_mode("the text is the greeting of an FTP server; whether it takes AUTH TLS was not asked"));
    let of_zos = greets_first.is_some();
    if let Some(cause) = greets_first {
        f.causes.insert(0, cause);
        f.tell(Party::Client, AdviceKind::Check, causes::GREETS_FIRST);
    }
    let text = if of_zos {
        "client: a z/OS server? Then SECUREIMPLICITZOS TRUE; else explicit TLS (AUTH TLS)"
    } else if case.asked().is_some() {
        "client: does it use implicit TLS here too? Then set explicit TLS (AUTH TLS)"
    } else {
        "client: use explicit TLS (AUTH TLS), or the port for implicit TLS"
    };
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    super::advise::client(case, &mut f, "use-explicit");
    super::phase::advise_server(case, &mut f, "enable-implicit");
    sink.report(f);
}

/// On the port for implicit TLS a z/OS server greets before it begins TLS, and its clients wait for that: where either may be z/OS,
/// a greeting does not say that there is no TLS.
fn behind_greeting(case: &Case<'_>) -> Option<Cause> {
    let settings = &case.facts.settings;
    let said = settings.named("SECUREIMPLICITZOS").next().or_else(|| settings.named("TLSPORT").next());
    let client = case.facts.client.as_ref().filter(|c| c.id.starts_with("zos"));
    let server = case.facts.server_may_be("zos-ftp-server");
    let port = case.transcript.conns.first().and_then(|c| c.peer).map(|p| p.port());
    if port == Some(21) || said.is_none() && client.is_none() && server.is_none() {
        return None;
    }
    let c = causes::implicit_behind_greeting(match said {
        Some(said) => said.quoted(),
        None if server.is_some() => "the greeting is that of a z/OS server".to_owned(),
        None => "the client is z/OS, and began TLS without waiting for a greeting".to_owned(),
    });
    Some(c)
}

/// Port 990 by chance or by habit: the run saw the greeting, and went on with AUTH.
fn note(case: &Case<'_>, sink: &mut Sink<'_>) {
    if case.asked() != Some(Mode::Auto) || !case.is_on_990() {
        return;
    }
    let greeted = case.control().find_map(|e| match &e.kind {
        Kind::Reply(r) if !case.came_before(e, Side::Server) && !case.came_before(e, Side::Client) => Some((e, r)),
        _ => None,
    });
    let Some((event, reply)) = greeted.filter(|(e, r)| r.code < 400 && case.after(e).any(is_auth)) else { return };
    let endpoint = case.endpoint();
    let mut f = sink.finding(
        Confidence::Certain,
        Party::Server,
        &[
            format!("{endpoint} speaks FTP first: explicit TLS on the port of implicit TLS"),
            "explicit TLS on port 990, the usual port of implicit TLS".to_owned(),
        ],
    );
    f.severity = Severity::Note;
    f.set("code", reply.code).set("text", reply.text.as_str());
    f.evidence.extend(sink.evidence(event, "a greeting in clear"));
    f.tell(
        Party::Client,
        AdviceKind::Lasting,
        "set explicit TLS (AUTH TLS) for this port; many clients take 990 for implicit",
    );
    sink.report(f);
}

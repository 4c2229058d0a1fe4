//! The server said yes to AUTH, went on in clear, and only then began TLS.

use super::case::is_server_hello;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "extra-plaintext-before-tls",
    severity: Severity::Failure,
    outranks: &[
        "fatal-alert",
        "handshake-refused-by-client",
        "handshake-refused-by-server",
        "plaintext-instead-of-tls",
    ],
    page: include_str!("../../docs/findings/extra-plaintext-before-tls.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(hello) = case.first(is_server_hello) else { return };
    let text = case.before(hello).find_map(|e| match &e.kind {
        Kind::TextInsteadOfTls { text, .. } if e.from() == Some(Side::Server) => Some((e, text)),
        _ => None,
    });
    let Some((event, text)) = text.filter(|(e, _)| case.auth_before(e)) else { return };
    let from_log = case.is_from_log(event);
    let confidence = if from_log { Confidence::Likely } else { Confidence::Certain };
    let maybe = super::phase::probably(confidence);
    let endpoint = case.endpoint();
    let mut f = sink.finding(
        confidence,
        Party::Server,
        &[
            format!("{endpoint} {maybe}sent more clear text between its yes to AUTH and TLS"),
            format!("{endpoint} {maybe}sent clear text before its ServerHello"),
            format!("the server {maybe}sent more clear text between its yes to AUTH and TLS"),
        ],
    );
    f.set("text", text.trim_end_matches("\\n").trim_end_matches("\\r"));
    f.evidence.extend(sink.evidence(event, "clear text, where the ServerHello was due"));
    f.evidence.extend(sink.evidence(hello, "the ServerHello, too late"));
    f.why.push(
        "The server does speak TLS: its certificate and key load. Clients fall over the text before it.".to_owned(),
    );
    f.act = Some(Act {
        party: Party::Server,
        text: "server: nothing in clear behind the 234; often a plug-in or a proxy".to_owned(),
    });
    f.tell(
        Party::Server,
        AdviceKind::Check,
        "what writes this line: a script at login, a proxy, a second reply to AUTH?",
    );
    causes::advise_server_log(case, &mut f, event);
    sink.report(f);
}

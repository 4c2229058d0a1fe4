//! A greeting in clear, and then TLS at once: the way of z/OS with SECUREIMPLICITZOS TRUE.

use super::case::is_server_hello;
use super::prelude::*;
use crate::transcript::Mode;

pub(super) static RULE: Rule = Rule {
    id: "tls-after-banner",
    severity: Severity::Failure,
    outranks: &["plaintext-instead-of-tls", "plaintext-on-implicit-port"],
    page: include_str!("../../docs/findings/tls-after-banner.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(answer) = case.first(is_server_hello) else { return };
    let greeting = case.before(answer).find_map(|e| match &e.kind {
        Kind::Reply(r) | Kind::TextInsteadOfTls { reply: Some(r), .. } if e.from() == Some(Side::Server) => {
            Some((e, r))
        }
        _ => None,
    });
    let Some((event, reply)) = greeting.filter(|(_, r)| r.code == 220) else { return };
    let on_wire = event.span.is_some_and(|s| s.flow.layer == crate::transcript::Layer::Wire);
    if !on_wire || case.auth_before(answer) || !case.before(answer).any(|e| e.from() == Some(Side::Client)) {
        return;
    }
    let ordered = matches!(case.asked(), Some(Mode::Explicit | Mode::Implicit));
    let seen = case.opened_before(answer) && !case.is_from_log(event);
    let confidence = if seen { Confidence::Certain } else { Confidence::Likely };
    let maybe = super::phase::probably(confidence);
    let endpoint = case.endpoint();
    let mut f = sink.finding(
        confidence,
        Party::Unknown,
        &[
            format!("{endpoint} {maybe}greets in clear and then wants TLS at once (z/OS implicit)"),
            format!("{endpoint} {maybe}wants TLS at once behind its greeting"),
            format!("the server {maybe}wants TLS at once behind its greeting"),
        ],
    );
    f.severity = if ordered { Severity::Failure } else { Severity::Note };
    f.set("code", reply.code).set("text", reply.text.as_str());
    f.evidence.extend(sink.evidence(event, "the greeting, in clear"));
    f.evidence.extend(sink.evidence(answer, "TLS, without AUTH"));
    f.why.push("No standard knows this order; z/OS FTP uses it with SECUREIMPLICITZOS TRUE, its default.".to_owned());
    f.causes.push(causes::wrong_mode("the greeting comes before TLS, and AUTH is not used"));
    f.act = Some(Act {
        party: Party::Unknown,
        text: "both: agree on one order; the client here: --mode implicit-after-banner".to_owned(),
    });
    f.advise("implicit-after-banner", "zos-ftp-server");
    if case.facts.client.as_ref().is_some_and(|c| c.id.starts_with("zos")) {
        f.advise("implicit-after-banner", "zos-native");
    }
    sink.report(f);
}

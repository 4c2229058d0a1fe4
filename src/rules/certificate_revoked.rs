//! The server's certificate has been revoked. This tool asks no revocation list; a client's word or alert tells.

use super::by_words;
use super::prelude::*;
use crate::transcript::Decrypted;

pub(super) static RULE: Rule = Rule {
    id: "certificate-revoked",
    severity: Severity::Failure,
    outranks: &["fatal-alert", "handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/certificate-revoked.md"),
    check,
};

/// certificate_revoked.
const REVOKED: u8 = 44;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let told = |e: &Event| match &e.kind {
        Kind::Alert { level: 2, description: REVOKED } => e.from() == Some(Side::Client),
        Kind::Decrypted { from: Side::Client, seen: Decrypted::Alert { level: 2, description: REVOKED } } => true,
        _ => false,
    };
    let says = if case.direction_is_assumed() { "probably says" } else { "says" };
    let headlines = || {
        let long = format!("the client {says} that {}'s certificate is revoked", case.endpoint());
        [long, format!("the client {says} that the server's certificate is revoked")]
    };
    let alert = case.first(told).filter(|e| !case.handshake_completed_before(e));
    let mut f = match (alert, by_words::said(case, RULE.id)) {
        (Some(alert), _) => {
            let mut f = sink.finding(Confidence::Likely, Party::Server, &headlines());
            f.set("alert", REVOKED).set("by", "the client's alert");
            f.evidence.extend(sink.evidence(alert, "revoked"));
            f
        }
        (None, Some(said)) => said.finding(case, sink, Party::Server, &headlines()),
        (None, None) => return,
    };
    f.why.push("Its CA withdrew the certificate before its end; version and cipher were agreed on.".to_owned());
    f.why.push("This tool asks no revocation list: whether it is so, the CA's list or OCSP responder says.".to_owned());
    f.act = Some(Act { party: Party::Server, text: "server: install a new certificate with a new key".to_owned() });
    super::phase::advise_server(case, &mut f, "fix-certificate");
    f.tell(Party::Server, AdviceKind::Check, "ask the CA why and since when; a stolen key is the usual reason");
    f.tell(Party::Client, AdviceKind::Leave, "do not switch the check off: it did what it is for");
    sink.report(f);
}

//! Up to TLS 1.2 the server says nothing of secure renegotiation (RFC 5746).

use super::audit_checks::{TLS12, act, finding, once, show};
use super::prelude::*;
use crate::facts::version_name;

pub(super) static RULE: Rule = Rule {
    id: "renegotiation-not-secure",
    severity: Severity::Warning,
    outranks: &[],
    page: include_str!("../../docs/findings/renegotiation-not-secure.md"),
    check,
};

/// The check when all is well.
const CHECK: &str = "renegotiation";

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let knows = |q: &crate::facts::audited::Question<'_>| q.hello.is_some_and(|h| h.renegotiates_securely());
    let asked: Vec<_> = case.choices().filter(|(q, h)| h.negotiated() <= TLS12 && knows(q)).collect();
    // An answer that is not whole may have had it.
    let mut without = asked.iter().filter(|(_, h)| h.renegotiation().is_none() && h.broken.is_none());
    let Some((q, hello)) = without.clone().next() else {
        if let Some((_, hello)) = asked.iter().find(|(_, h)| h.renegotiation().is_some()) {
            let how = format!("renegotiation_info in {}", version_name(hello.negotiated()));
            sink.passed(CHECK, "secure renegotiation", &how);
        }
        return;
    };
    let mut f = finding(case, sink, Confidence::Certain, "does not know secure renegotiation (RFC 5746)");
    f.set("versions", once(without.by_ref().map(|(_, h)| version_name(h.negotiated()))));
    show(sink, &mut f, q, "offers secure renegotiation");
    f.why.push(format!("Its ServerHello of {} lacks renegotiation_info.", version_name(hello.negotiated())));
    f.why.push("OpenSSL 3 ends the handshake for that: \"unsafe legacy renegotiation disabled\".".to_owned());
    f.why.push("Who stands in between can put a session of his own in front of a client's (CVE-2009-3555).".to_owned());
    f.act = act("update its TLS library, which is from before 2010, or the appliance in front of it");
    f.tell(Party::Server, AdviceKind::Lasting, "update: OpenSSL 0.9.8m, Java 6 update 22 and Windows of 2010 have it");
    let text = "until then OpenSSL 3 clients need UnsafeLegacyServerConnect in openssl.cnf (weak)";
    f.tell(Party::Client, AdviceKind::Tonight, text);
    sink.report(f);
}

//! A name that cannot be the server's was taken.

use super::audit_checks::{act, finding, show, stays, taken_for_another};
use super::prelude::*;
use crate::facts::audited::Question;
use crate::facts::version_name;
use crate::transcript::topics;
use crate::wire::printable;
use crate::wire::tls::hello::ServerHello;

pub(super) static RULE: Rule = Rule {
    id: "sni-not-strict",
    severity: Severity::Note,
    outranks: &[],
    page: include_str!("../../docs/findings/sni-not-strict.md"),
    check,
};

/// The check when all is well, or nothing can be told.
const CHECK: &str = "sni";

/// unrecognized_name.
const UNKNOWN_NAME: u8 = 112;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let words = ("a name that is not the server's (SNI)", "the ordinary hello");
    if let Some((q, hello)) = taken_for_another(case, sink, (topics::OTHER_NAME, UNKNOWN_NAME, CHECK), words) {
        found(case, sink, q, hello);
    }
}

fn found(case: &Case<'_>, sink: &mut Sink<'_>, q: &Question<'_>, hello: &ServerHello) {
    let name = q.hello.and_then(|h| h.server_name()).map(printable).unwrap_or_default();
    let sure = stays(q);
    let mut f = finding(case, sink, sure, "answers for a name that is not its own (SNI)");
    let usual = case.audit.iter().find(|q| q.topic() == topics::CONTROL && q.certificate().is_some());
    let of_other = same_certificate(usual, Some(q));
    let of_none = same_certificate(usual, case.answered(topics::NO_NAME));
    f.set("asked", name.clone()).set("version", version_name(hello.negotiated()));
    f.set("same_certificate", of_other).set("same_without_name", of_none);
    show(sink, &mut f, q, &format!("for {name}"));
    if sure == Confidence::Likely {
        f.why.push("Its first answer is a yes; in TLS 1.3 it could still refuse behind that.".to_owned());
    }
    if of_other == Some(false) {
        f.why.push("The certificate is another one than for its own name.".to_owned());
    }
    if of_none == Some(false) {
        f.why.push("Without a name it shows another certificate: native TLS on z/OS gets that one.".to_owned());
    }
    f.why.push("Usual with FTP, and mostly wanted: partners dial addresses and aliases.".to_owned());
    f.act = act("nothing has to be done; is the default certificate the right one?");
    let text = "share no certificate with a web site; then this is harmless";
    f.tell(Party::Server, AdviceKind::Check, text);
    sink.report(f);
}

/// Whether two answers show the same certificate; `None` where one of them hides it.
fn same_certificate(one: Option<&Question<'_>>, other: Option<&Question<'_>>) -> Option<bool> {
    Some(one?.certificate()? == other?.certificate()?)
}

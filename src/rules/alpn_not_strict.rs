//! A hello that is meant for another protocol (ALPN) was taken: ALPACA.

use super::audit_checks::{act, finding, show, stays, taken_for_another};
use super::prelude::*;
use crate::facts::audited::Question;
use crate::facts::version_name;
use crate::transcript::topics;
use crate::wire::printable;
use crate::wire::tls::hello::ServerHello;

pub(super) static RULE: Rule = Rule {
    id: "alpn-not-strict",
    severity: Severity::Note,
    outranks: &[],
    page: include_str!("../../docs/findings/alpn-not-strict.md"),
    check,
};

/// The check when all is well, or nothing can be told.
const CHECK: &str = "alpn";

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let words = ("a session for another protocol (ALPN)", "the same without ALPN");
    if let Some((q, hello)) = taken_for_another(case, sink, (topics::OTHER_ALPN, NO_PROTOCOL, CHECK), words) {
        found(case, sink, q, hello);
    }
}

/// no_application_protocol.
const NO_PROTOCOL: u8 = 120;

fn found(case: &Case<'_>, sink: &mut Sink<'_>, q: &Question<'_>, hello: &ServerHello) {
    let offered: Vec<String> = q.hello.map(|h| h.protocols().into_iter().map(printable).collect()).unwrap_or_default();
    let wanted = offered.join(", ");
    let sure = stays(q);
    let mut f = finding(case, sink, sure, &format!("takes a session meant for {wanted} (ALPN)"));
    let selected = hello.protocol().map(printable);
    f.set("offered", offered).set("selected", selected.clone());
    f.set("version", version_name(hello.negotiated()));
    show(sink, &mut f, q, &format!("protocol {wanted} alone"));
    if let Some(selected) = selected {
        f.why.push(format!("It even says that it will speak {selected}."));
    }
    if sure == Confidence::Likely {
        f.why.push("Its first answer is a yes; in TLS 1.3 it could still refuse behind that.".to_owned());
    }
    f.why.push("Who leads a browser here gets a trusted session whose other end speaks FTP (ALPACA).".to_owned());
    f.act = act("a certificate for the FTP name alone, which no web site has");
    let text = "a release that checks ALPN, when one comes anyway; clients then say ftp, or leave ALPN out";
    f.tell(Party::Server, AdviceKind::Lasting, text);
    sink.report(f);
}

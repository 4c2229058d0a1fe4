//! The server takes RSA key exchange although the client offered better, or has nothing better.

use super::audit_checks::{TLS12, act, finding, show, suite};
use super::certificates::advise_server;
use super::prelude::*;
use crate::codes::cipher_suite;
use crate::facts::accepted::accepts;
use crate::facts::accepts::{Accepts, SSL2, Takes};
use crate::facts::audited::Question;
use crate::facts::version_name;
use crate::transcript::topics;
use crate::wire::tls::hello::ServerHello;

pub(super) static RULE: Rule = Rule {
    id: "no-forward-secrecy",
    severity: Severity::Note,
    outranks: &[],
    page: include_str!("../../docs/findings/no-forward-secrecy.md"),
    check,
};

/// The check when all is well, or nothing can be told.
const CHECK: &str = "forward-secrecy";

/// TLS 1.3.
const TLS13: u16 = 0x0304;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(accepts) = accepts(case.audit) else { return };
    if !case.audit.iter().any(|q| q.topic() == topics::SUITES) {
        return;
    }
    // TLS 1.3 has nothing else, SSL 2 nothing of the kind.
    let old = accepts.versions.iter().find(|v| v.takes == Takes::Yes && v.version <= TLS12 && v.version != SSL2);
    let Some(old) = old else { return modern(&accepts, sink) };
    let of_version = |(_, h): &(&Question<'_>, &ServerHello)| h.negotiated() == old.version;
    let any = case.choices().find(of_version);
    let has_none = old.suites.complete && !old.suites.taken.iter().any(|id| is_forward(*id));
    let passed_over = case.choices().filter(of_version).find(|(q, h)| passes_over(q, h, &old.suites.taken));
    let version = version_name(old.version);
    match (passed_over, any) {
        (_, Some(shown)) if has_none && only_without(&accepts) => {
            report(case, sink, "takes no suite with forward secrecy", ("only", shown));
        }
        (_, Some(shown)) if has_none => {
            report(case, sink, &format!("has no forward secrecy in {version}"), ("version", shown));
        }
        (Some(shown), _) => report(case, sink, &format!("prefers RSA key exchange in {version}"), ("chosen", shown)),
        (None, Some((_, h))) if is_forward(h.suite) => {
            sink.passed(
                CHECK,
                "forward secrecy is chosen",
                &format!("{} is chosen where it is offered", suite(h.suite)),
            );
        }
        _ => sink.untested(CHECK, "forward secrecy", "no answer tells"),
    }
}

/// No version up to TLS 1.2 is known to be taken.
fn modern(accepts: &Accepts, sink: &mut Sink<'_>) {
    match accepts.highest() {
        Some(TLS13) => sink.passed(CHECK, "forward secrecy is chosen", "TLS 1.3 has nothing else"),
        _ => sink.untested(CHECK, "forward secrecy", "no answer tells"),
    }
}

fn is_forward(id: u16) -> bool {
    cipher_suite(id).is_some_and(|s| s.forward_secret())
}

/// Whether the server took a suite without forward secrecy, although one with it, which it takes too, stood before it: by whoever's
/// order it chooses, that was its own doing.
fn passes_over(q: &Question<'_>, hello: &ServerHello, taken: &[u16]) -> bool {
    let offered = q.hello.filter(|_| q.topic() == topics::SUITES).map(|h| h.real_suites()).unwrap_or_default();
    let mut before = offered.iter().take_while(|id| **id != hello.suite);
    !is_forward(hello.suite) && before.any(|id| is_forward(*id) && taken.contains(id))
}

/// Whether everything was asked to the end, and nothing that was taken has forward secrecy.
fn only_without(accepts: &Accepts) -> bool {
    const ALL: [u16; 5] = [0x0304, 0x0303, 0x0302, 0x0301, 0x0300];
    let is_known = |v: &u16| {
        accepts.of(*v).is_some_and(|v| v.takes != Takes::Unknown && (v.takes == Takes::No || v.suites.complete))
    };
    let mut taken = accepts.versions.iter().filter(|v| v.version != SSL2).flat_map(|v| &v.suites.taken).peekable();
    ALL.iter().all(is_known) && taken.peek().is_some() && taken.all(|id| !is_forward(*id))
}

fn report(case: &Case<'_>, sink: &mut Sink<'_>, what: &str, by: (&str, (&Question<'_>, &ServerHello))) {
    let (how, (q, hello)) = by;
    let (name, version) = (suite(hello.suite), version_name(hello.negotiated()));
    let mut f = finding(case, sink, Confidence::Certain, what);
    f.set("how", how).set("suite", name.clone()).set("version", version.clone());
    show(sink, &mut f, q, &format!("answered with {name}"));
    f.why.push(match how {
        "only" => "All suites of all versions were offered.".to_owned(),
        "version" => format!("All suites of {version} were offered. TLS 1.3 has forward secrecy always."),
        _ => format!("It chose {name}, although ECDHE or DHE, which it takes too, stood before it."),
    });
    f.why.push("Whoever records sessions and gets the server's key later can read them.".to_owned());
    f.act = act("put ECDHE first; keep RSA at the end while clients need it");
    advise_server(case, &mut f, "choose-suites", "ECDHE first in the server's list");
    sink.report(f);
}

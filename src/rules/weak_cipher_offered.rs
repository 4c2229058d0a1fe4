//! Suites that do not protect are taken.

use super::audit_checks::{act, finding, listed, once, show, suite};
use super::certificates::advise_server;
use super::prelude::*;
use crate::codes::{CipherSuite, cipher_suite};
use crate::facts::accepted::accepts;
use crate::facts::accepts::{Accepts, SSL2, Takes};
use crate::facts::version_name;
use crate::transcript::topics;
use serde_json::{Map, Value};

pub(super) static RULE: Rule = Rule {
    id: "weak-cipher-offered",
    severity: Severity::Warning,
    outranks: &[],
    page: include_str!("../../docs/findings/weak-cipher-offered.md"),
    check,
};

/// The check when all is well, or nothing can be told.
const CHECK: &str = "weak-ciphers";

/// Kinds, the worst first, each with what it means.
const KINDS: [(&str, &str); 7] = [
    ("NULL", "nothing is encrypted"),
    ("anonymous", "nobody's certificate is checked: whoever stands in between can read all"),
    ("export", "keys of 40 or 56 bits, which are found by trying"),
    ("DES", "56 bits, which are found by trying"),
    ("RC4", "its key stream gives text away (RFC 7465 forbids it)"),
    ("RC2", "an old cipher that nobody looks after"),
    ("3DES", "blocks of 64 bits: long sessions give text away (Sweet32)"),
];

fn kind(s: &CipherSuite) -> Option<&'static str> {
    match s.enc {
        "NULL" => Some("NULL"),
        _ if s.auth == "anon" => Some("anonymous"),
        _ if s.name.contains("EXPORT") => Some("export"),
        "DES-CBC" => Some("DES"),
        "RC4" => Some("RC4"),
        "RC2-CBC" => Some("RC2"),
        "3DES-CBC" => Some("3DES"),
        _ => None,
    }
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    if !case.audit.iter().any(|q| q.topic() == topics::SUITES) {
        return;
    }
    let Some(accepts) = accepts(case.audit) else { return };
    let taken = accepts.versions.iter().flat_map(|v| &v.suites.taken).copied();
    let mut weak: Vec<(&str, u16)> = taken.filter_map(|id| Some((kind(&cipher_suite(id)?)?, id))).collect();
    weak.sort_by_key(|(kind, _)| KINDS.iter().position(|(k, _)| k == kind));
    if !weak.is_empty() {
        return found(case, sink, &accepts, &weak);
    }
    let of_tls = || accepts.versions.iter().filter(|v| v.version != SSL2);
    let open = of_tls().filter(|v| v.takes == Takes::Unknown || !v.suites.complete);
    let open: Vec<String> = open.map(|v| version_name(v.version)).collect();
    match open.as_slice() {
        [] if of_tls().count() < VERSIONS => {
            sink.untested(CHECK, "weak cipher suites", "not all versions were asked");
        }
        [] => sink.passed(CHECK, "no weak cipher suites", "all suites of all versions were offered"),
        _ => sink.untested(CHECK, "weak cipher suites", &format!("not all suites of {} were asked", listed(&open))),
    }
}

/// TLS 1.3 to SSL 3.
const VERSIONS: usize = 5;

fn found(case: &Case<'_>, sink: &mut Sink<'_>, accepts: &Accepts, weak: &[(&str, u16)]) {
    let kinds = once(weak.iter().map(|(kind, _)| (*kind).to_owned()));
    let mut f = finding(case, sink, Confidence::Certain, &format!("accepts weak suites: {}", listed(&kinds)));
    let of = |kind: &str| once(weak.iter().filter(|(k, _)| *k == kind).map(|(_, id)| suite(*id)));
    let by_kind: Map<String, Value> = kinds.iter().map(|k| (k.clone(), of(k).into())).collect();
    let is_weak = |id: &u16| weak.iter().any(|(_, w)| w == id);
    let versions = accepts.versions.iter().filter(|v| v.suites.taken.iter().any(is_weak));
    f.set("versions", versions.map(|v| version_name(v.version)).collect::<Vec<_>>());
    f.set("kinds", kinds.clone()).set("suites", by_kind);
    let strong = accepts.versions.iter().flat_map(|v| &v.suites.taken).any(|id| !is_weak(id));
    let asked = accepts.versions.iter().filter(|v| v.version != SSL2);
    let known = asked.clone().count() >= VERSIONS && asked.clone().all(|v| v.takes == Takes::No || v.suites.complete);
    f.set("nothing_else", !strong && known);
    for kind in &kinds {
        let chose = |s: u16| weak.iter().any(|(k, id)| k == kind && *id == s);
        if let Some((q, hello)) = case.choices().find(|(_, h)| chose(h.suite)) {
            show(sink, &mut f, q, &format!("answered with {}", suite(hello.suite)));
        }
        let meaning = KINDS.iter().find(|(k, _)| k == kind).map_or("", |(_, meaning)| meaning);
        f.why.push(format!("{kind}: {meaning}. {}.", of(kind).join(", ")));
    }
    let text = if strong || !known {
        "take these suites out of its list; who depends on one needs mending there"
    } else {
        "allow ECDHE with AES-GCM; it takes nothing but weak suites"
    };
    f.act = act(text);
    advise_server(case, &mut f, "choose-suites", "allow ECDHE with AES-GCM and ChaCha20, and nothing of these kinds");
    sink.report(f);
}

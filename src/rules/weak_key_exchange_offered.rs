//! A Diffie-Hellman prime of less than 2048 bits.

use super::audit_checks::{act, finding, listed, once, show, suite};
use super::certificates::advise_server;
use super::prelude::*;
use crate::codes::cipher_suite;
use crate::facts::accepted::accepts;
use crate::facts::accepts::{SSL2, Takes};
use crate::facts::version_name;
use crate::transcript::topics;

pub(super) static RULE: Rule = Rule {
    id: "weak-key-exchange-offered",
    severity: Severity::Warning,
    outranks: &[],
    page: include_str!("../../docs/findings/weak-key-exchange-offered.md"),
    check,
};

/// The check when all is well, or nothing can be told.
const CHECK: &str = "dh-prime";

/// Bits that a prime should have.
const ENOUGH: usize = 2048;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let primes = case.choices().filter_map(|(q, h)| Some((q, h, q.exchange()?.prime_bits?)));
    let mut primes: Vec<_> = primes.collect();
    // The shortest first, and of equals the first that was seen.
    primes.sort_by_key(|(_, _, bits)| *bits);
    let Some((q, hello, bits)) = primes.first().copied() else { return without(case, sink) };
    if bits >= ENOUGH {
        return sink.passed(CHECK, "Diffie-Hellman primes are long enough", &format!("{bits} bits and more"));
    }
    let weak = || primes.iter().filter(|(_, _, bits)| *bits < ENOUGH);
    let is_anonymous = |id: u16| cipher_suite(id).is_some_and(|s| s.auth == "anon");
    // Beside anonymous suites the prime is the smaller trouble, and the others may have a longer one.
    let alone = weak().all(|(_, h, _)| is_anonymous(h.suite));
    let of = if alone { " (anonymous suites)" } else { "" };
    let what = format!("has a DH prime of {bits} bits only{of}");
    let mut f = finding(case, sink, Confidence::Certain, &what);
    let mut versions: Vec<u16> = weak().map(|(_, h, _)| h.negotiated()).collect();
    versions.sort_unstable();
    f.set("prime_bits", bits).set("suites", once(weak().map(|(_, h, _)| suite(h.suite))));
    f.set("versions", once(versions.into_iter().rev().map(version_name)));
    show(sink, &mut f, q, &format!("answered with {}", suite(hello.suite)));
    let share = q
        .events
        .iter()
        .find(|e| matches!(&e.kind, Kind::Handshake(crate::wire::tls::handshake::Message::ServerKeyExchange { .. })));
    f.evidence.extend(share.and_then(|e| sink.evidence(e, &format!("ServerKeyExchange: a prime of {bits} bits"))));
    let (suites, lengths) =
        (once(weak().map(|(_, h, _)| suite(h.suite))), once(weak().map(|(.., bits)| bits.to_string())));
    f.why.push(format!("Seen with {}: {} bits.", listed(&suites), listed(&lengths)));
    f.why.push(match bits {
        ..1024 => "Such primes are broken in hours; most clients end the handshake when they see one.".to_owned(),
        _ => "A prime of 1024 bits that many servers share can be broken once for all of them (Logjam).".to_owned(),
    });
    f.why.push("OpenSSL from level 2 ends the handshake for it: \"dh key too small\".".to_owned());
    f.why.push("Java 7 and older know no more than 1024 bits: with longer primes they need ECDHE or RSA.".to_owned());
    f.act = act("give it parameters of 2048 bits or more, or put ECDHE first");
    advise_server(case, &mut f, "dh-parameters", "parameters of 2048 bits, or no DHE suites beside ECDHE");
    sink.report(f);
}

/// No prime was seen: because no such suite is taken, or because nobody knows.
fn without(case: &Case<'_>, sink: &mut Sink<'_>) {
    let accepts = accepts(case.audit).filter(|_| case.audit.iter().any(|q| q.topic() == topics::SUITES));
    let Some(accepts) = accepts else { return };
    // Where nothing at all is known to be taken, nothing is known to be refused.
    if accepts.highest().is_none() {
        return sink.untested(CHECK, "Diffie-Hellman primes", "no answer shows one");
    }
    let of_tls = || accepts.versions.iter().filter(|v| v.version != SSL2);
    let is_dhe = |id: &u16| cipher_suite(*id).is_some_and(|s| s.kx == "DHE" || s.kx == "DH" && s.auth == "anon");
    let known = of_tls().all(|v| v.takes == Takes::No || v.suites.complete);
    match of_tls().any(|v| v.suites.taken.iter().any(is_dhe)) {
        false if known => sink.passed(CHECK, "no suite with DHE is taken", "none was chosen"),
        _ => sink.untested(CHECK, "Diffie-Hellman primes", "no answer shows one"),
    }
}

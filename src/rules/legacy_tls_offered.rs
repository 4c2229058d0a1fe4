//! Versions before TLS 1.2 are taken.

use super::audit_checks::{TLS12, act, finding, listed, show};
use super::certificates::advise_server;
use super::prelude::*;
use crate::facts::accepted::accepts;
use crate::facts::accepts::{Accepts, SSL2, Takes};
use crate::facts::audited::{Answered, Question};
use crate::facts::version_name;
use crate::transcript::topics;

pub(super) static RULE: Rule = Rule {
    id: "legacy-tls-offered",
    severity: Severity::Warning,
    outranks: &[],
    page: include_str!("../../docs/findings/legacy-tls-offered.md"),
    check,
};

/// The check when all is well, or nothing can be told.
const CHECK: &str = "legacy-tls";

/// Highest first.
const LEGACY: [u16; 4] = [0x0302, 0x0301, 0x0300, SSL2];

/// inappropriate_fallback.
const INAPPROPRIATE: u8 = 86;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(accepts) = accepts(case.audit) else { return };
    let of = |takes: Takes| -> Vec<u16> {
        LEGACY.into_iter().filter(|v| accepts.of(*v).map_or(Takes::Unknown, |a| a.takes) == takes).collect()
    };
    let names = |versions: &[u16]| versions.iter().map(|v| named(*v)).collect::<Vec<_>>();
    let (taken, refused, open) = (of(Takes::Yes), of(Takes::No), of(Takes::Unknown));
    match (taken.as_slice(), open.as_slice()) {
        ([], []) => {
            sink.passed(CHECK, "no version before TLS 1.2", &format!("refused: {}", names(&refused).join(", ")));
        }
        ([], _) if LEGACY.iter().any(|v| accepts.of(*v).is_some()) => {
            let what = format!("no answer tells of {}", listed(&names(&open)));
            sink.untested(CHECK, "versions before TLS 1.2", &what);
        }
        ([], _) => {}
        _ => found(case, sink, &accepts, &taken),
    }
}

fn named(version: u16) -> String {
    if version == SSL2 { "SSL 2.0".to_owned() } else { version_name(version) }
}

/// The first question that was answered in a version.
fn shown<'a>(case: &Case<'a>, version: u16) -> Option<&'a Question<'a>> {
    case.audit.iter().find(|q| match q.answer {
        Answered::Chose(h) => h.negotiated() == version,
        Answered::Ssl2 => version == SSL2,
        _ => false,
    })
}

fn found(case: &Case<'_>, sink: &mut Sink<'_>, accepts: &Accepts, taken: &[u16]) {
    let names: Vec<String> = taken.iter().map(|v| named(*v)).collect();
    let mut f = finding(case, sink, Confidence::Certain, &format!("still accepts {}", listed(&names)));
    let fallback = fallback(case);
    f.set("versions", names).set("highest", accepts.highest().map(version_name));
    f.set("fallback", fallback.map(|f| if f { "refused" } else { "ignored" }));
    for version in taken {
        if let Some(q) = shown(case, *version) {
            show(sink, &mut f, q, &format!("{} alone", named(*version)));
        }
    }
    if accepts.highest().is_some_and(|h| h >= TLS12) {
        f.why.push("Clients of today do not use them here: both ends agree on the newest version.".to_owned());
    } else if [0x0304, TLS12].iter().all(|v| accepts.of(*v).is_some_and(|a| a.takes == Takes::No)) {
        f.why.push("It has nothing newer: clients of today cannot get in at all.".to_owned());
    }
    if fallback == Some(false) {
        let text = "The fallback signal (RFC 7507) is ignored: who disturbs handshakes brings clients that retry down.";
        f.why.push(text.to_owned());
    }
    f.act = act("look in its log who still comes with them, then switch them off");
    advise_server(case, &mut f, "require-tls12", "allow TLS 1.2 and later alone");
    f.tell(
        Party::Server,
        AdviceKind::Check,
        "first a month of its log with the negotiated versions: who would be lost?",
    );
    sink.report(f);
}

/// Whether a lower version with the signal was refused, where a higher one is taken; `None` where that was not asked.
fn fallback(case: &Case<'_>) -> Option<bool> {
    match case.answered(topics::FALLBACK)?.answer {
        Answered::Alert(INAPPROPRIATE) => Some(true),
        Answered::Chose(h) if case.choices().any(|(_, other)| other.negotiated() > h.negotiated()) => Some(false),
        _ => None,
    }
}

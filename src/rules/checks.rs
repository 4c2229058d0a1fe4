//! What a live run looked at: each question with its answer, those that nobody asked as well.

use serde_json::Map;

use super::Case;
use super::finding::{Check, CheckResult};
use crate::decode::{Event, Kind};
use crate::facts::{suite_name, version_name};
use crate::transcript::{Decrypted, Side};

/// The checks of a live run; evidence of others was not gathered by us, so that nothing was left out by us either.
pub(super) fn checks(case: &Case<'_>) -> Vec<Check> {
    if case.transcript.origin.asked.is_none() {
        return Vec::new();
    }
    let mut out = Vec::new();
    let accepted = |verb: &str| reply_to(case, verb).map(|code| code < 400);
    if accepted("AUTH") == Some(true) {
        out.push(passed("auth", "AUTH TLS"));
    }
    let established = case.control().find_map(|e| match &e.kind {
        Kind::Decrypted { seen: Decrypted::Established { version, suite, .. }, .. } => Some((*version, *suite)),
        _ => None,
    });
    match established {
        Some((version, suite)) => {
            let words = format!("handshake ({}, {})", version_name(version), suite_name(suite));
            out.push(passed("handshake", &words));
        }
        None => return out,
    }
    match (accepted("PBSZ"), accepted("PROT")) {
        (_, Some(true)) => out.push(passed("protection", "PBSZ 0 and PROT P")),
        (Some(_), _) => out.push(untested("protection", "PROT P", "the server wants a login first")),
        _ => {}
    }
    out.push(untested("login", "login", "not logged in"));
    out.push(untested("data-connection", "transfers", "not logged in"));
    out
}

/// The code of the reply to the last command with this verb.
fn reply_to(case: &Case<'_>, verb: &str) -> Option<u16> {
    let is_it = |e: &&Event| matches!(&e.kind, Kind::Command { verb: v, .. } if v == verb);
    let command = case.control().filter(is_it).last()?;
    case.after(command).find_map(|e| match &e.kind {
        Kind::Reply(r) if r.code >= 200 && e.from() == Some(Side::Server) => Some(r.code),
        _ => None,
    })
}

fn passed(id: &str, headline: &str) -> Check {
    check(id, headline, CheckResult::Passed, None)
}

fn untested(id: &str, headline: &str, why: &str) -> Check {
    check(id, headline, CheckResult::Untested, Some(why))
}

fn check(id: &str, headline: &str, result: CheckResult, why: Option<&str>) -> Check {
    Check {
        id: id.to_owned(),
        result,
        finding: None,
        headline: headline.to_owned(),
        why: why.map(str::to_owned),
        data: Map::new(),
    }
}

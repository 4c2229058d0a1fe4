//! A handshake that came to its good end by the word of AT-TLS alone: EZD1283I with RC 0, and what was agreed on.

use super::scope::scope;
use super::undecided::places;
use super::verdict::first_fitting;
use super::{Outcome, Verdict};
use crate::decode::{Event, Kind};
use crate::rules::{Case, Confidence, Party};
use crate::transcript::speakers::{AT_TLS, is_config, program_of};
use crate::transcript::{Code, ConnId};

/// What EZD1283I says of a handshake that worked.
const DONE: &str = "RC: 0 Initial Handshake";

/// What EZD1284I reads from System SSL behind it.
const VERSION: &str = "GSK_CONNECT_SEC_TYPE";
const SUITE: &str = "GSK_CONNECT_CIPHER_SPEC";

/// The verdict where AT-TLS says that the handshake worked, with version and suite, and nothing behind it or beside it says
/// otherwise. Never more than likely: it is the word of one end.
pub(super) fn handshake(case: &Case<'_>) -> Option<Verdict> {
    if case.transcript.origin.asked.is_some() || case.handshake_completed() {
        return None;
    }
    let said = |e: &Event, what: &str| matches!(&e.kind, Kind::Claim { by, code: None, text, .. } if program_of(by) == AT_TLS && text.contains(what));
    let done = case.control().find(|e| said(e, DONE))?;
    let told = |what: &str| case.control().find(|e| e.conn == done.conn && value(e, what).is_some());
    let (version, suite) = (told(VERSION), told(SUITE));
    let stated = (version.is_some() && suite.is_some()) || names_both(done);
    if !stated || case.timeline.events.iter().any(fails) || case.after(done).any(|e| goes_on(e, done.conn)) {
        return None;
    }
    let shows: Vec<&Event> = version.into_iter().chain(suite).chain([done]).collect();
    let words = "the TLS handshake works, says AT-TLS";
    let headline = match case.endpoint() {
        endpoint if endpoint == "the server" => words.to_owned(),
        endpoint => first_fitting(&format!("{endpoint}: {words}"), words),
    };
    Some(Verdict {
        outcome: Outcome::Works,
        by: None,
        confidence: Confidence::Likely,
        party: Party::Unknown,
        cause: None,
        headline,
        scope: scope(case),
        for_whom: None,
        shows: places(case, &shows),
        act: None,
    })
}

/// The value that EZD1284I gives for an attribute.
fn value<'a>(e: &'a Event, name: &str) -> Option<&'a str> {
    let Kind::Claim { by, code: None, text, .. } = &e.kind else { return None };
    let (_, rest) = text.split_once(name).filter(|_| program_of(by) == AT_TLS)?;
    let (_, value) = rest.split_once('-')?;
    Some(value.trim()).filter(|v| !v.is_empty())
}

/// Whether EZD1283I itself names both: `RC: 0 Initial Handshake 00000050 00000051 TLSV1.2 C030`.
fn names_both(e: &Event) -> bool {
    let Kind::Claim { text, .. } = &e.kind else { return false };
    let suite = |w: &str| w.len() == 4 && w.bytes().all(|b| b.is_ascii_hexdigit());
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).any(|w| matches!(w, [version, next] if version.starts_with("TLSV") && suite(next)))
}

/// Whether anything of the case failed or ended: then that is what it is about.
fn fails(e: &Event) -> bool {
    matches!(
        &e.kind,
        Kind::Claim { code: Some(Code::Gsk(_) | Code::AtTls(_) | Code::Cms(_) | Code::FtpClient(_)), .. }
            | Kind::Alert { .. }
            | Kind::TimedOut { .. }
            | Kind::OpenFailed { .. }
            | Kind::TextInsteadOfTls { .. }
            | Kind::OtherInsteadOfTls { .. }
            | Kind::Malformed { .. }
    )
}

/// Whether the conversation goes on behind it, or somebody else speaks: then that decides.
fn goes_on(e: &Event, conn: ConnId) -> bool {
    let other = |by: &str| program_of(by) != AT_TLS && !is_config(by);
    match &e.kind {
        Kind::Claim { by, text, .. } => other(by) || text.contains("Abend"),
        Kind::Command { .. } | Kind::Reply(_) | Kind::Closed { .. } => e.conn == conn,
        _ => false,
    }
}

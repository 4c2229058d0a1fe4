//! Sessions of others in which nothing of TLS was seen, and what is said of them.

use super::Verdict;
use super::undecided::left_without_a_byte;
use super::verdict::first_fitting;
use crate::decode::{Event, Kind};
use crate::rules::{Act, Case, Party};
use crate::transcript::Layer;

/// What is said of a session in clear text, as a whole and of a part of it.
const PLAIN: [&str; 2] = ["plain FTP, nobody asked for TLS", "plain FTP, no TLS in what was seen"];

/// What is said of a client that hung up without a byte.
const LEFT: &str = "the client closed without sending anything";

/// Whether a verdict says that a session was plain FTP.
pub(super) fn is_plain(verdict: &Verdict) -> bool {
    PLAIN.iter().any(|words| verdict.headline.ends_with(words))
}

/// Whether it says that the client hung up without a byte.
pub(super) fn is_left(verdict: &Verdict) -> bool {
    verdict.headline.ends_with(LEFT)
}

/// Of a session of others in clear text, without a sign of TLS: what to say of it, and who does what.
pub(super) fn plain_ftp(case: &Case<'_>) -> Option<(String, Act)> {
    let lacks = lacks(case);
    let asks = |verb: &str| matches!(verb, "AUTH" | "ADAT" | "CCC");
    let is_plain = |e: &Event| match &e.kind {
        Kind::Command { verb, .. } => !asks(verb) && e.span.is_some_and(|s| s.flow.layer == Layer::Wire),
        Kind::Reply(_) | Kind::Text { .. } => e.span.is_some_and(|s| s.flow.layer == Layer::Wire),
        Kind::Opened | Kind::Closed { .. } | Kind::TimedOut { .. } | Kind::Gap { .. } => true,
        Kind::CutShort { what, .. } => matches!(*what, "command" | "reply"),
        Kind::Undecoded => lacks,
        _ => false,
    };
    if case.transcript.origin.asked.is_some() {
        return None;
    }
    if !lacks && left_without_a_byte(case) {
        let text = "client: why did it leave? A check that the port answers does just that".to_owned();
        let act = Act { party: Party::Client, text };
        return Some((first_fitting(&format!("{}: {LEFT}", case.endpoint()), LEFT), act));
    }
    if !case.control().all(is_plain) {
        return None;
    }
    let goes_on = |e: &Event| matches!(&e.kind, Kind::Command { verb, .. } if verb != "QUIT" && verb != "FEAT");
    let [whole, part] = PLAIN;
    let (words, text) = if case.first(goes_on).is_some() {
        let words = if lacks { part } else { whole };
        (words, "client: ask for TLS (AUTH TLS) if this was to be secured; it was not")
    } else {
        return None;
    };
    let act = Act { party: Party::Client, text: text.to_owned() };
    Some((first_fitting(&format!("{}: {words}", case.endpoint()), words), act))
}

/// Whether bytes of the session are missing.
pub(super) fn lacks(case: &Case<'_>) -> bool {
    case.first(|e| case.is_missing(e)).is_some()
}

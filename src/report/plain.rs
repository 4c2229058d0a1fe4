//! Sessions of others in which nothing of TLS was seen, and what is said of them.

use super::Verdict;
use super::undecided::left_without_a_byte;
use super::verdict::first_fitting;
use crate::decode::{Event, Kind};
use crate::rules::{Act, Case, Party};
use crate::transcript::{Code, Layer, speakers};

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
    let is_log = case.control().any(|e| e.span.is_some_and(|s| case.transcript.rebuilt(s) > 0));
    let is_plain = |e: &Event| is_plain(e) || is_log && is_of_course(e);
    if is_log && !is_whole_log(case) {
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

/// What the z/OS FTP client writes of a session in which all goes well: where it connects, what it reads, what was typed and
/// moved. Of what goes wrong it has other messages.
const OF_COURSE: [&str; 14] = [
    "EZA1450I", "EZA1456I", "EZA1459I", "EZA1460I", "EZA1466I", "EZA1554I", "EZA1617I", "EZA1701I", "EZA1736I",
    "EZA1772I", "EZA1789I", "EZY2640I", "EZYFT25I", "EZYFT31I",
];

fn is_of_course(e: &Event) -> bool {
    match &e.kind {
        Kind::Claim { by, code: Some(Code::Message(id)), .. } => {
            by == speakers::ZOS_FTP_CLIENT && OF_COURSE.contains(&id.as_str())
        }
        _ => false,
    }
}

/// Whether a log of a session begins with its greeting and has no refusal. In an excerpt the lines about TLS may be the ones
/// that were left out, and behind implicit TLS (port 990) a log looks the same.
fn is_whole_log(case: &Case<'_>) -> bool {
    let greets = |e: &Event| matches!(&e.kind, Kind::Reply(r) if r.code == 220 && r.whole);
    let refuses = |e: &Event| matches!(&e.kind, Kind::Reply(r) if r.code >= 400);
    let implicit = case.transcript.conns.iter().any(|c| c.peer.is_some_and(|p| p.port() == 990));
    !implicit && case.first(|e| e.from().is_some()).is_some_and(greets) && case.first(refuses).is_none()
}

/// Whether bytes of the session are missing.
pub(super) fn lacks(case: &Case<'_>) -> bool {
    case.first(|e| case.is_missing(e)).is_some()
}

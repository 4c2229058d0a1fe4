//! What a run with a login looked at on its data connections: each question with its answer, or why there is none.

use super::Case;
use super::checks::{check, passed, untested};
use super::data_certificate_differs::compared;
use super::data_sessions::{DECLINED, TLS12, lapse, resumed_of};
use super::endings::OWN_FILE;
use super::finding::{Check, CheckResult};
use crate::decode::{Event, Kind, Reply};
use crate::facts::transfers::{Established, Transfer};
use crate::facts::version_name;
use crate::transcript::Side;

/// What our own logins call the one that transfers before PROT.
const NO_PROT: &str = "no PROT";

/// The checks of data connections in a run with a login.
pub(super) fn checks(case: &Case<'_>) -> Vec<Check> {
    let mut out = vec![resumption(case), declined(case), certificate(case), clear(case), prot_c(case), listing(case)];
    out.extend(file(case));
    out.extend(refusals(case));
    out
}

/// Why nothing is known of transfers.
fn unreached(case: &Case<'_>) -> &'static str {
    let mut transfers = case.session_transfers().peekable();
    let logged_in = case.first(|e| matches!(&e.kind, Kind::Reply(r) if matches!(r.code, 230 | 232))).is_some();
    match transfers.peek() {
        _ if !logged_in => "not logged in",
        None => "no transfer was tried",
        Some(_) => "no TLS handshake on a data connection completed",
    }
}

/// The same check with the finding that it led to.
fn led_to(check: Check, finding: &str) -> Check {
    Check { finding: Some(finding.to_owned()), ..check }
}

/// What the data handshakes of the session came to.
fn established<'a>(case: &Case<'a>) -> Vec<Established> {
    case.session_transfers().filter_map(|t| t.data.as_ref()?.established()).collect()
}

fn resumption(case: &Case<'_>) -> Check {
    let sessions = case.data_sessions();
    let (id, what) = ("resumption", "TLS sessions resumed on data connections");
    let Some(version) = sessions.first().and_then(|s| s.version) else { return untested(id, what, unreached(case)) };
    let (resumed, of) = resumed_of(&sessions);
    let words = format!("data sessions resumed ({}, {resumed} of {of})", version_name(version));
    if resumed == of {
        return passed(id, &words);
    }
    if super::data_session_reuse_required::fails(case) {
        return led_to(check(id, &words, CheckResult::Failed, None), "data-session-reuse-required");
    }
    let lapse = lapse(&sessions);
    let why = match &lapse {
        Some(l) if l.came_back => "nothing failed: full handshakes were accepted, and resumption came back",
        _ => "nothing failed: full handshakes were accepted",
    };
    let accepted = check(id, &words, CheckResult::Passed, Some(why));
    match resumed {
        0 if sessions.iter().any(|s| s.is_accepted()) => led_to(accepted, "data-session-not-resumed"),
        0 => untested(id, &words, "no transfer shows whether full handshakes are accepted"),
        _ if lapse.is_some() => led_to(accepted, "session-tickets-exhausted"),
        _ => accepted,
    }
}

fn declined(case: &Case<'_>) -> Check {
    let (id, what) = ("resumption-declined", "data connections without resumption");
    if case.transfers_with(DECLINED).next().is_none() {
        return untested(id, what, "no login for it was made");
    }
    let works = case.session_transfers().any(|t| t.worked() && t.resumed() == Some(true));
    match case.declined() {
        None => untested(id, what, "that login got to no answer on a data connection"),
        Some((_, true)) if !works => untested(id, what, "with resumption no transfer worked either"),
        Some((t, false)) if !t.data.as_ref().is_some_and(|d| d.is_established()) => {
            untested(id, what, "its data connection ended before TLS stood")
        }
        Some((_, false)) => passed(id, "data accepted without resumption as well"),
        Some((t, true)) => {
            let words = format!("data without resumption refused{}", code(t));
            led_to(passed(id, &words), "data-session-reuse-required")
        }
    }
}

/// `: 522`, or nothing.
fn code(t: &Transfer<'_>) -> String {
    t.refusal().map_or_else(String::new, |r| format!(": {}", r.reply.code))
}

fn certificate(case: &Case<'_>) -> Check {
    let (id, what) = ("data-certificate", "certificate on data connections");
    let all = compared(case);
    if case.is_redacted() {
        return untested(id, what, "certificates are redacted");
    }
    match all.iter().find(|c| c.differs()) {
        Some(_) => {
            let words = "another certificate on data connections";
            led_to(check(id, words, CheckResult::Failed, None), "data-certificate-differs")
        }
        None if !all.is_empty() => passed(id, "same certificate on data"),
        None if established(case).is_empty() => untested(id, what, unreached(case)),
        None => untested(id, what, "none is sent where all are resumed"),
    }
}

fn clear(case: &Case<'_>) -> Check {
    let (id, what) = ("clear-data", "data connections without PROT P");
    let mut all = case.transfers_with(NO_PROT).peekable();
    if let Some(code) = unarranged(case) {
        return passed(id, &format!("data refused without PROT P: {code}"));
    }
    if all.peek().is_none() {
        return untested(id, what, "no login for it was made");
    }
    let before = all.find(|t| t.protected.is_none() && t.reply.is_some());
    match before {
        None => untested(id, what, "that login got to no answer"),
        Some(t) if t.worked() => {
            let why = "a client that does not ask for PROT P sends its files in clear";
            check(id, "data in clear allowed without PROT P", CheckResult::Passed, Some(why))
        }
        Some(t) if t.refusal().is_some_and(|r| refuses_clear(r.reply)) => {
            passed(id, &format!("data refused without PROT P{}", code(t)))
        }
        // Servers look at the protection first, and at the name only then.
        Some(t) if t.refusal().is_some_and(|r| matches!(r.reply.code, 450 | 550)) => {
            let why = format!("the refusal was about the name{}", code(t));
            check(id, "data in clear not refused", CheckResult::Passed, Some(&why))
        }
        Some(t) => untested(id, what, &format!("the transfer was refused for another reason{}", code(t))),
    }
}

/// The code by which passive mode was refused before PROT for want of protection: no transfer is tried then.
fn unarranged(case: &Case<'_>) -> Option<u16> {
    let mut asked = "";
    let events = case.timeline.events.iter();
    let mut all = events.filter(|e| crate::facts::changed(case.transcript, e.conn).iter().any(|c| c == NO_PROT));
    all.find_map(|e| match &e.kind {
        Kind::Command { verb, .. } if verb == "PROT" => Some(None),
        Kind::Command { verb, .. } => {
            asked = verb;
            None
        }
        Kind::Reply(r) if r.whole && matches!(asked, "EPSV" | "PASV") && refuses_clear(r) => {
            // 522 is also what EPSV says of a network protocol.
            let other = r.code == 522 && !says_protection(r);
            (!other).then_some(Some(r.code))
        }
        _ => None,
    })?
}

/// Whether the words of a refusal are about protection.
fn says_protection(reply: &Reply) -> bool {
    let text = reply.text.to_ascii_lowercase();
    super::data_protection_required::WORDS.iter().any(|w| text.contains(w))
}

/// Whether the words, or the code, of a refusal are about protection.
fn refuses_clear(reply: &Reply) -> bool {
    reply.code >= 400 && (says_protection(reply) || matches!(reply.code, 521 | 522 | 533 | 534 | 536))
}

fn prot_c(case: &Case<'_>) -> Check {
    let (id, what) = ("prot-c", "PROT C");
    let t = case.transcript;
    let asks = |e: &&Event| matches!(&e.kind, Kind::Command { verb, line } if verb == "PROT" && line.ends_with([' ', 'C', 'c']));
    let in_login = |e: &&Event| crate::facts::changed(t, e.conn).iter().any(|c| c == NO_PROT);
    let mut events = case.timeline.events.iter().filter(in_login);
    let Some(asked) = events.find(asks) else { return untested(id, what, "not sent") };
    let reply = |e: &Event| match &e.kind {
        Kind::Reply(r) if r.whole && r.code >= 200 && e.from() == Some(Side::Server) => Some((r.code, answer(r))),
        _ => None,
    };
    match events.filter(|e| e.conn == asked.conn).find_map(reply) {
        None => untested(id, what, "no reply came"),
        Some((..400, _)) => {
            check(id, "PROT C accepted", CheckResult::Passed, Some("data connections in clear can be agreed on"))
        }
        Some((code, text)) => check(id, &format!("PROT C refused: {code}"), CheckResult::Passed, Some(&text)),
    }
}

fn answer(reply: &Reply) -> String {
    format!("{} {}", reply.code, reply.text)
}

/// Commands that list a directory.
const LISTINGS: [&str; 3] = ["LIST", "MLSD", "NLST"];

fn listing(case: &Case<'_>) -> Check {
    let (id, what) = ("empty-listing", "listing of an empty directory");
    let mut all = case.session_transfers().filter(|t| LISTINGS.contains(&t.verb())).peekable();
    if all.peek().is_none() {
        return untested(id, what, unreached(case));
    }
    match all.find(|t| t.worked() && t.data.as_ref().is_some_and(|d| d.is_established()) && !t.has_content()) {
        Some(_) => passed(id, "empty listing"),
        None => untested(id, what, "no listing was empty"),
    }
}

/// Listings that the server refused now and then, for another reason than their data connections.
fn refusals(case: &Case<'_>) -> Option<Check> {
    // The name that nobody has may be refused.
    let plain = |t: &&Transfer<'_>| LISTINGS.contains(&t.verb()) && t.command.is_some_and(|c| !is_odd(c.argument));
    let all: Vec<&Transfer<'_>> = case.session_transfers().filter(plain).filter(|t| t.reply.is_some()).collect();
    let refused = |t: &&&Transfer<'_>| t.refusal().is_some_and(|r| !super::data_shake::is_about_data(r.reply));
    let first = all.iter().find(refused)?;
    let same: Vec<_> = all.iter().filter(|t| t.verb() == first.verb()).collect();
    let (n, of) = (same.iter().filter(|t| refused(t)).count(), same.len());
    // Where none worked, the verdict says so.
    let words = format!("{} was refused {n} of {of} times: {}", first.verb(), answer(first.refusal()?.reply));
    (n < of).then(|| check("listings-refused", &words, CheckResult::Failed, None))
}

/// Whether a run of ours made a name up.
fn is_odd(name: &str) -> bool {
    name.starts_with("ftpsdiag-")
}

/// The empty file, when the user named one.
/// Whether it is a download of what our own run uploaded.
fn reads_back(t: &Transfer<'_>) -> bool {
    t.command.is_some_and(|c| c.argument.starts_with(OWN_FILE))
}

fn file(case: &Case<'_>) -> Option<Check> {
    let (id, what) = ("empty-file", "download of an empty file");
    let tried = case.transcript.origin.asked.as_ref()?.login?;
    if !tried.empty_file {
        return Some(untested(id, "an empty file (--empty-file PATH)", super::end_checks::NOT_ASKED));
    }
    let all = case.session_transfers().chain(case.transfers_with(TLS12));
    let all: Vec<&Transfer<'_>> = all.filter(|t| t.verb() == "RETR" && !reads_back(t)).collect();
    let Some(last) = all.last() else { return Some(untested(id, what, unreached(case))) };
    if all.iter().any(|t| t.worked() && !t.has_content()) {
        return Some(passed(id, "empty file"));
    }
    Some(match last.refusal() {
        Some(r) if !super::data_shake::is_about_data(r.reply) => {
            untested(id, what, &format!("the file was refused: {}", answer(r.reply)))
        }
        _ if last.worked() => untested(id, what, "the file is not empty"),
        _ => {
            led_to(check(id, "download of an empty file fails", CheckResult::Failed, None), "data-empty-transfer-fails")
        }
    })
}

//! What a live run looked at: each question with its answer, those that nobody asked as well.

use serde_json::Map;

use super::Case;
use super::data_checks;
use super::finding::{Check, CheckResult};
use crate::decode::{Event, Kind, Reply, is_sealed_alert};
use crate::facts::transfers::{Established, established};
use crate::facts::{Answer, Came, Transfer, suite_name, version_name};
use crate::transcript::{Decrypted, Layer, Side};
use crate::wire::tls::content;
use crate::wire::tls::handshake::Message;

/// Why there was no login.
const KEPT_BACK: &str = "no password goes to a doubtful certificate without --accept-any-certificate";

/// What evidence of others cannot show, where a handshake ended behind its encryption.
fn opaque(case: &Case<'_>) -> Vec<Check> {
    let encrypted = "opaque: encrypted, and nobody read it";
    let version = case.control().find_map(|e| match &e.kind {
        Kind::Handshake(Message::ServerHello(hello)) => Some(hello.negotiated()),
        _ => None,
    });
    let is_alert = |e: &Event| match e.kind {
        Kind::Opaque { content_type: content::ALERT, .. } => true,
        Kind::Opaque { content_type, len } => is_sealed_alert(content_type, len) && version >= Some(TLS13),
        _ => false,
    };
    let ended = |e: &Event| matches!(e.kind, Kind::Closed { .. } | Kind::TimedOut { .. });
    let mut out = Vec::new();
    let Some(end) = case.first(ended) else { return out };
    let words = |e: &Event| e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls);
    if version.is_none() || case.before(end).any(words) {
        return out;
    }
    // An alert is the last word of its sender; one of each side is a goodbye and its answer.
    let last = |side| case.control().filter(|e| e.from() == Some(side)).last();
    if [Side::Client, Side::Server].into_iter().filter_map(last).filter(|e| is_alert(e)).count() == 1 {
        out.push(untested("alert", "the last alert: a goodbye or a reason", encrypted));
    }
    if version >= Some(TLS13) && !case.handshake_completed() {
        out.push(untested("client-certificate", "client certificate", encrypted));
    }
    // Which transfers they belong to, and what the server said of them, is inside the control connection.
    let blind = |t: &&Transfer<'_>| t.command.is_none() && t.reply.is_none() && t.data.is_some();
    let mut data = case.session_transfers().filter(blind).peekable();
    if data.peek().is_some() {
        out.push(untested("data-replies", "replies to transfers", encrypted));
    }
    if data.any(|t| t.resumed() == Some(false)) {
        out.push(untested("data-session", "whether data has to resume TLS sessions", encrypted));
    }
    out
}

/// TLS 1.3.
const TLS13: u16 = 0x0304;

/// The checks of a live run; evidence of others was not gathered by us, so that nothing was left out by us either.
pub(super) fn checks(case: &Case<'_>) -> Vec<Check> {
    if case.transcript.origin.asked.is_none() {
        return opaque(case);
    }
    let mut out = Vec::new();
    if reply_to(case, "AUTH").is_some_and(|r| r.code < 400) {
        let last = case.control().filter_map(|e| match &e.kind {
            Kind::Command { verb, line } if verb == "AUTH" => Some(line.as_str()),
            _ => None,
        });
        out.push(passed("auth", last.last().unwrap_or("AUTH TLS")));
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
        None => {
            out.extend(beyond_us(case));
            return out;
        }
    }
    out.extend(protection(case));
    if certificate_was_taken(case) {
        out.push(passed("client-certificate", "client certificate accepted"));
    }
    if case.transcript.origin.asked.as_ref().is_none_or(|a| a.login.is_none()) {
        out.push(untested("login", "login", "no --user"));
        out.push(untested("data-connection", "transfers", "no --user"));
        return out;
    }
    if case.is_logged_in() {
        out.push(passed("login", "login"));
    } else if case.password_was_kept_back() {
        out.push(untested("login", "login", KEPT_BACK));
    }
    out.extend(of_transfers(case, case.is_logged_in()));
    out
}

/// What the data connections of a login showed.
fn of_transfers(case: &Case<'_>, logged_in: bool) -> Vec<Check> {
    let mut out = vec![transfers(case, logged_in)];
    out.extend(data_checks::checks(case));
    out.extend(super::end_checks::checks(case));
    out
}

fn transfers(case: &Case<'_>, logged_in: bool) -> Check {
    match (case.moved().unwrap_or_default(), logged_in) {
        (0, true) => untested("data-connection", "transfers", "no transfer worked"),
        (0, false) => untested("data-connection", "transfers", "not logged in"),
        (1, _) => passed("data-connection", "1 transfer worked"),
        (n, _) => passed("data-connection", &format!("{n} transfers worked")),
    }
}

/// Of a run that was to log in, at a server that speaks what our usual client does not: what OpenSSL came to, or that this
/// build has none.
fn beyond_us(case: &Case<'_>) -> Vec<Check> {
    if case.moved().is_none() {
        return Vec::new();
    }
    let Some(mut events) = case.login_by_openssl() else {
        let both = |why| vec![untested("login", "login", why), untested("data-connection", "transfers", why)];
        return lacking(case).map(both).unwrap_or_default();
    };
    let mut out = Vec::new();
    match events.find_map(established) {
        Some(Established { version, suite, .. }) => {
            let words = format!("OpenSSL's handshake ({}, {})", version_name(version), suite_name(suite));
            out.push(passed("handshake", &words));
        }
        None => out.push(check("handshake", "OpenSSL's handshake failed too", CheckResult::Failed, None)),
    }
    let logged_in = case.is_logged_in_by_openssl();
    out.push(match logged_in {
        true => passed("login", "login"),
        false if case.password_was_kept_back() => untested("login", "login", KEPT_BACK),
        false => untested("login", "login", "OpenSSL was not let in"),
    });
    out.extend(of_transfers(case, logged_in));
    out
}

/// What this build lacks, when the server wants just that.
fn lacking(case: &Case<'_>) -> Option<&'static str> {
    let let_in = |answer: &&Answer| matches!(answer.came, Came::Hello { .. });
    let mut answers = case.facts.answers.iter().filter(let_in).flat_map(|a| &a.changed);
    let mut claims = case.claims();
    let old = |change: &String| matches!(change.as_str(), "TLS 1.1 at most" | "static RSA, CBC and DHE suites");
    if answers.clone().any(old) || claims.any(|c| c.by == "rustls" && c.text.starts_with("peer is incompatible")) {
        return Some("this build speaks TLS 1.2 and 1.3 only; cargo build --release --features legacy-tls tests them");
    }
    let other = answers.any(|c| c.starts_with("groups ") || c.starts_with("signature "));
    other.then_some(
        "this build lacks the groups and signatures of the server; cargo build --release --features legacy-tls tests them",
    )
}

/// Whether the server protects data connections, as far as it says so before a login.
fn protection(case: &Case<'_>) -> Option<Check> {
    let (verb, reply) = match (reply_to(case, "PROT"), reply_to(case, "PBSZ")) {
        (Some(r), _) => ("PROT P", r),
        (None, Some(r)) if r.code >= 400 => ("PBSZ 0", r),
        _ => return None,
    };
    let words = reply.text.to_ascii_lowercase();
    let login = reply.code == 530 || ["login", "log in", "logged in"].iter().any(|w| words.contains(w));
    Some(match reply.code {
        ..400 => passed("protection", "PBSZ 0 and PROT P"),
        _ if login => untested("protection", "PROT P", "the server wants a login first"),
        code => {
            let headline = format!("{verb} was refused: {code} {}", reply.text);
            let why = "data connections would not be protected; it may differ behind a login";
            check("protection", &headline, CheckResult::Failed, Some(why))
        }
    })
}

/// Whether a client certificate was sent, and the server went on inside TLS.
fn certificate_was_taken(case: &Case<'_>) -> bool {
    let sent = |e: &Event| matches!(&e.kind, Kind::Decrypted { from: Side::Client, seen: Decrypted::Certificates { chain } } if !chain.is_empty());
    let Some(sent) = case.first(sent) else { return false };
    case.after(sent)
        .any(|e| matches!(e.kind, Kind::Reply(_)) && e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls))
}

/// The reply to the last command with this verb.
fn reply_to<'a>(case: &Case<'a>, verb: &str) -> Option<&'a Reply> {
    let is_it = |e: &&Event| matches!(&e.kind, Kind::Command { verb: v, .. } if v == verb);
    let command = case.control().filter(is_it).last()?;
    case.after(command).find_map(|e| match &e.kind {
        Kind::Reply(r) if r.code >= 200 && e.from() == Some(Side::Server) => Some(r),
        _ => None,
    })
}

pub(super) fn passed(id: &str, headline: &str) -> Check {
    check(id, headline, CheckResult::Passed, None)
}

pub(super) fn untested(id: &str, headline: &str, why: &str) -> Check {
    check(id, headline, CheckResult::Untested, Some(why))
}

/// A check without particulars.
pub(super) fn check(id: &str, headline: &str, result: CheckResult, why: Option<&str>) -> Check {
    Check {
        id: id.to_owned(),
        result,
        finding: None,
        headline: headline.to_owned(),
        why: why.map(str::to_owned),
        data: Map::new(),
    }
}

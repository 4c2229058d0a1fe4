//! What is said where no finding decides: how far it came, whose turn it is, and which events show it.

use super::verdict::{alert_is_first, first_fitting};
use crate::codes;
use crate::decode::{Event, Kind};
use crate::rules::{Act, Case, Party};
use crate::transcript::speakers::{MQ, is_config, program_of};
use crate::transcript::{Code, Side};
use crate::wire::ftp::LONGEST_REPLY;
use crate::wire::tls::content;

/// How many events are shown where no exchange stands for the rest.
const LAST: usize = 6;

/// Why a session came to nothing although no rule found a fault: its words, whose turn it is, and what shows it.
pub(super) struct Stuck<'a> {
    pub(super) words: String,
    pub(super) act: Act,
    /// Whether our own run left because of it: then there was no goodbye.
    pub(super) left: bool,
    pub(super) shows: Vec<&'a Event>,
    /// Whether nothing but settings is there.
    pub(super) is_of_settings: bool,
    /// Whether a transfer was refused for its file.
    pub(super) is_denied: bool,
}

/// The first reason that holds.
pub(super) fn stuck<'a>(case: &Case<'a>, complete: bool) -> Option<Stuck<'a>> {
    let unheard = || complete.then(|| unheard(case)).flatten();
    only_settings(case)
        .or_else(|| kept_back(case))
        .or_else(unheard)
        .or_else(|| account_wanted(case))
        .or_else(|| nothing_moved(case))
        .or_else(|| left_by_alert(case))
}

/// Settings alone were pasted: what they lead to shows only in a session.
fn only_settings<'a>(case: &Case<'a>) -> Option<Stuck<'a>> {
    let is_setting = |e: &Event| matches!(&e.kind, Kind::Claim { by, .. } if is_config(by));
    let all = &case.timeline.events;
    (!all.is_empty() && all.iter().all(is_setting)).then(|| {
        let words = "settings alone are here, and nothing that happened".to_owned();
        let text = "client: add the output of a run (EZA messages), best with DEBUG SEC in FTP.DATA".to_owned();
        Stuck {
            words,
            act: Act { party: Party::Client, text },
            left: false,
            shows: Vec::new(),
            is_of_settings: true,
            is_denied: false,
        }
    })
}

/// The run said goodbye without a login.
fn kept_back<'a>(case: &Case<'a>) -> Option<Stuck<'a>> {
    case.password_was_kept_back().then(|| {
        let words = "the TLS handshake works; no password was sent to a doubtful certificate".to_owned();
        let text = "client: --ca or --verify-name, or --accept-any-certificate".to_owned();
        Stuck {
            words,
            act: Act { party: Party::Client, text },
            left: false,
            shows: Vec::new(),
            is_of_settings: false,
            is_denied: false,
        }
    })
}

/// Our own run left in the middle of a reply: it was too long, or did not end within its time.
fn unheard<'a>(case: &Case<'a>) -> Option<Stuck<'a>> {
    case.transcript.origin.asked.as_ref()?;
    let left = case.first(|e| matches!(e.kind, Kind::Closed { by: Side::Client, .. }))?;
    let commands = case.before(left).filter(|e| matches!(e.kind, Kind::Command { .. }));
    let command = commands.last()?;
    let Kind::Command { verb, .. } = &command.kind else { return None };
    let since: Vec<&Event> = case.after(command).take_while(|e| !core::ptr::eq(*e, left)).collect();
    let ends = |e: &&Event| match &e.kind {
        Kind::Reply(r) => r.whole && r.code >= 200,
        Kind::Closed { .. } | Kind::TimedOut { .. } | Kind::TlsStarts { .. } => true,
        _ => false,
    };
    if verb == "QUIT" || since.iter().any(ends) {
        return None;
    }
    let is_text = |e: &Event| matches!(e.kind, Kind::Reply(_) | Kind::Text { .. } | Kind::CutShort { .. });
    let said: Vec<&Event> = since.into_iter().filter(|e| e.from() == Some(Side::Server) && is_text(e)).collect();
    let bytes: u64 = said.iter().filter_map(|e| e.span).map(|s| s.len()).sum();
    let begun = *said.first()?;
    let (words, first) = if bytes > LONGEST_REPLY as u64 {
        (format!("a reply of more than {} kB (to {verb}) was not listened to", LONGEST_REPLY / 1024), "")
    } else {
        let words = format!("the reply to {verb} began, and did not end in the time for one step");
        (words, "client: wait longer (--timeout 60); ")
    };
    let text = format!("{first}server: why does its reply to {verb} not end?");
    Some(Stuck {
        words,
        act: Act { party: Party::Server, text },
        left: true,
        shows: vec![command, begun, left],
        is_of_settings: false,
        is_denied: false,
    })
}

/// The server asked for more than user and password, and there it ended.
fn account_wanted<'a>(case: &Case<'a>) -> Option<Stuck<'a>> {
    let (mut asked, mut wanted): (Option<&Event>, Option<(&Event, &Event)>) = (None, None);
    let mut ended = false;
    for e in case.control() {
        match &e.kind {
            Kind::Command { verb, .. } => {
                ended |= verb == "QUIT";
                // Whoever goes on with the login was not stopped by it.
                wanted = wanted.filter(|_| !matches!(verb.as_str(), "ACCT" | "USER" | "PASS"));
                asked = Some(e);
            }
            Kind::Reply(r) if r.code == 332 && r.whole => wanted = asked.map(|asked| (asked, e)),
            Kind::Closed { .. } | Kind::TimedOut { .. } => ended = true,
            _ => {}
        }
    }
    let (command, reply) = wanted.filter(|_| ended)?;
    let Kind::Command { verb, .. } = &command.kind else { return None };
    let endpoint = case.endpoint();
    let words = first_fitting(
        &format!("{endpoint} wants an account (332 to {verb})"),
        &format!("the server wants an account (332 to {verb})"),
    );
    let text = match case.transcript.origin.asked {
        Some(_) => "client: ACCT is needed, which ftpsdiag does not send: use another user",
        None => "client: ACCT is needed, with the account that the server's people gave",
    };
    let act = Act { party: Party::Client, text: text.to_owned() };
    Some(Stuck { words, act, left: false, shows: vec![command, reply], is_of_settings: false, is_denied: false })
}

/// Of a login in which no transfer came to its end.
fn nothing_moved<'a>(case: &Case<'a>) -> Option<Stuck<'a>> {
    if case.moved() != Some(0) || !case.is_logged_in() {
        return None;
    }
    let refused = case.session_transfers().find_map(|t| Some((t.command?, t.begun, t.refusal()?)));
    let (words, text, shows) = match refused {
        Some((command, begun, refusal)) => {
            let (endpoint, verb, reply) = (case.endpoint(), command.verb, refusal.reply);
            let long = format!("{endpoint}: TLS and login work, {verb} was refused: {} {}", reply.code, reply.text);
            let short = format!("TLS and login work, {verb} was refused ({})", reply.code);
            let text = format!("server: its log of that second; it answered {} {}", reply.code, reply.text);
            let shows = [Some(command.event), begun.map(|b| b.event), Some(refusal.event)];
            (first_fitting(&long, &short), text, shows.into_iter().flatten().collect())
        }
        None => {
            let text = "server: its log of that second says why no transfer took place";
            ("TLS and login work, but nothing was transferred".to_owned(), text.to_owned(), Vec::new())
        }
    };
    Some(Stuck {
        words,
        act: Act { party: Party::Server, text },
        left: false,
        shows,
        is_of_settings: false,
        is_denied: false,
    })
}

/// A transfer of others that was refused for its file, its directory or its place, with the command and the reply: TLS is not the
/// matter.
pub(super) fn denied<'a>(case: &Case<'a>, shows: &[&'a Event]) -> Option<Stuck<'a>> {
    let [command, answer] = shows else { return None };
    let (Kind::Command { verb, .. }, Kind::Reply(reply)) = (&command.kind, &answer.kind) else { return None };
    let counts = case.transcript.origin.asked.is_none() && is_transfer(verb) && denies_file(reply.code, &reply.text);
    counts.then(|| {
        let long = format!("not TLS, which works: {verb} was refused: {} {}", reply.code, reply.text);
        let words = first_fitting(&long, &format!("not TLS, which works: {verb} was refused with {}", reply.code));
        let act = Act { party: Party::Client, text: WHY_DENIED.to_owned() };
        Stuck { words, act, left: true, shows: shows.to_vec(), is_of_settings: false, is_denied: true }
    })
}

/// What to look at where a file was refused.
const WHY_DENIED: &str = "client: name, rights and room of the file there; the server's log says which";

/// Where nothing but the return code of a z/OS step is left: which subcommand got which reply.
pub(super) fn by_return_code(case: &Case<'_>) -> Option<(String, Act)> {
    let (name, code) = case.refused_step()?;
    let by = |party: Party, text: &str| Act { party, text: text.to_owned() };
    if denies_file(code, "") {
        return Some((format!("not TLS: {name} was refused with {code}"), by(Party::Client, WHY_DENIED)));
    }
    let text = "client: FTP.DATA SECURE_SESSION_REUSE, PROT P; add the log lines around it";
    (code == REUSE).then(|| {
        let words = format!("{name} was refused with {code}: TLS of the data connection");
        (words, by(Party::Client, text))
    })
}

/// What a message of IBM MQ about a channel says, where no return code is told: its verdict is not on the handshake.
pub(super) fn told_by_mq(case: &Case<'_>) -> Option<(String, Act)> {
    let id = case.control().find_map(|e| match &e.kind {
        Kind::Claim { by, code: Some(Code::Message(id)), .. } if program_of(by) == MQ => Some(id.as_str()),
        _ => None,
    })?;
    let short = format!("IBM MQ says {id}: see explain {id}");
    let words = codes::zos_message(id).map(|m| first_fitting(&format!("{} ({id})", m.meaning), &short));
    let text = format!("both: SSLCIPH and certificates of the channel at its two ends; explain {id}");
    Some((words.unwrap_or(short), Act { party: Party::Unknown, text }))
}

/// What servers answer where the TLS of a data connection does not please them.
const REUSE: u16 = 522;

fn is_transfer(verb: &str) -> bool {
    crate::facts::transfers::TRANSFERS.contains(&verb)
}

/// Whether a refusal is about the file: by its code, and no words of TLS or of the connection.
fn denies_file(code: u16, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let other = ["tls", "ssl", "secur", "protect", "encrypt", "prot p", "handshake", "data connection", "certificate"];
    matches!(code, 450 | 452 | 550 | 552 | 553) && !other.iter().any(|w| text.contains(w))
}

/// Behind the handshake the client spoke first, in an alert that nobody can read, and the server's alert answers it: it says goodbye,
/// or refuses what the handshake has shown it.
fn left_by_alert<'a>(case: &Case<'a>) -> Option<Stuck<'a>> {
    if case.transcript.origin.asked.is_some() || !alert_is_first(case) {
        return None;
    }
    let done = case.completion()?;
    let alert = case.after(done).find(|e| matches!(e.kind, Kind::Opaque { .. }))?;
    let is_one = matches!(alert.kind, Kind::Opaque { content_type: content::ALERT, .. });
    if !is_one || alert.from() != Some(Side::Client) {
        return None;
    }
    let ends = |e: &&Event| matches!(e.kind, Kind::Opaque { content_type: content::ALERT, .. } | Kind::Closed { .. });
    let shows = [done, alert].into_iter().chain(case.after(alert).filter(ends).take(LAST)).collect();
    let words = "the TLS handshake completed; then the client sent an encrypted alert".to_owned();
    let text = "client: its log: a goodbye, or does it dislike the certificate?".to_owned();
    let act = Act { party: Party::Client, text };
    Some(Stuck { words, act, left: false, shows, is_of_settings: false, is_denied: false })
}

/// Whether the client hung up without a byte, before the server had said anything but a greeting.
pub(super) fn left_without_a_byte(case: &Case<'_>) -> bool {
    let Some(left) = case.first(|e| matches!(e.kind, Kind::Closed { by: Side::Client, .. })) else { return false };
    let greets = |e: &Event| matches!(&e.kind, Kind::Opened) || matches!(&e.kind, Kind::Reply(r) if r.code < 400);
    let silent = case.control().all(|e| e.from() != Some(Side::Client) && !matches!(e.kind, Kind::Claim { .. }));
    case.before(left).any(|e| e.kind == Kind::Opened) && silent && case.before(left).all(greets)
}

/// Places in the timeline of what is to be shown; where nothing was chosen, of what was last said. What is encrypted tells
/// nobody anything, and our own goodbye comes behind what matters.
pub(super) fn places(case: &Case<'_>, shows: &[&Event]) -> Vec<u32> {
    let all = &case.timeline.events;
    let place = |is: &dyn Fn(&Event) -> bool| -> Vec<u32> {
        let chosen = all.iter().enumerate().filter(|(_, e)| is(e));
        chosen.filter_map(|(n, _)| u32::try_from(n).ok()).collect()
    };
    if !shows.is_empty() {
        return place(&|e| shows.iter().any(|s| core::ptr::eq(*s, e)));
    }
    let says = |e: &Event| !matches!(e.kind, Kind::Opaque { .. } | Kind::EmptyRecord { .. } | Kind::Skipped);
    let ours = case.transcript.origin.asked.is_some();
    let quit = |e: &&Event| matches!(&e.kind, Kind::Command { verb, .. } if verb == "QUIT");
    let before = case.control().take_while(|e| !ours || !quit(e));
    let mut last: Vec<&Event> = before.filter(|e| says(e)).collect();
    if last.is_empty() {
        last = all.iter().collect();
    }
    let last = last.split_off(last.len().saturating_sub(LAST));
    place(&|e| last.iter().any(|l| core::ptr::eq(*l, e)))
}

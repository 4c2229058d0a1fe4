//! Findings to a verdict: the earliest failure that nothing earlier explains.

use super::by_stack;
use super::plain::{lacks, plain_ftp};
use super::rank::Ranked;
use super::scope::{scope, what_works};
use super::undecided::{Stuck, by_return_code, denied, places, stuck, told_by_mq};
use super::{Outcome, Verdict};
use crate::decode::{Event, Kind};
use crate::facts::{Rounds, Transfer, transfers::precedes};
use crate::rules::{Act, Case, Confidence, Finding, Party, Severity};
use crate::transcript::{Close, Layer, Side};
use crate::wire::tls::content;
use crate::wire::tls::handshake::Message;

/// How a run of ours ended; evidence of others always came to its own end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// By itself: neither its time nor its number of bytes was used up, and nobody stopped it.
    pub(super) complete: bool,
    /// The bytes at which it stopped itself because the server sent so much.
    pub(super) too_much: Option<u64>,
}

/// The verdict on a case.
pub(super) fn verdict(case: &Case<'_>, ranked: &Ranked, how: Ended) -> Verdict {
    if let Some(f) = ranked.findings.first().filter(|f| f.severity == Severity::Failure) {
        return failed(case, f);
    }
    if let Some(told) = by_stack::handshake(case) {
        return told;
    }
    let complete = how.complete;
    let completed = case.handshake_completed();
    // What is missing behind the handshake may be what went wrong.
    let lost = |e: &Event| case.is_missing(e);
    let end = case.completion().and_then(|done| case.after(done).find(|e| is_end(e) || lost(e))).filter(|e| is_end(e));
    let refused = refused_inside(case, end);
    let moved = case.moved();
    let stuck = refused.as_ref().and_then(|r| denied(case, &r.shows)).or_else(|| stuck(case, complete));
    let unhindered = refused.is_none() && stuck.is_none() && !is_open(case, end);
    let works =
        !case.order_is_lost() && completed && end.is_some() && unhindered && said_goodbye(case) && moved != Some(0);
    // The session may have worked, and a login behind it been cut off.
    let headline = if works && (complete || !case.is_logged_in()) {
        match case.endpoint() {
            endpoint if endpoint == "the server" => "the TLS handshake works".to_owned(),
            endpoint => first_fitting(&format!("{endpoint}: {}", what_works(case)), what_works(case)),
        }
    } else {
        undecided(case, refused.as_ref().map(|r| r.code), stuck.as_ref(), how)
    };
    let shows = match (&refused, &stuck) {
        (Some(r), _) => r.shows.as_slice(),
        (None, Some(stuck)) => stuck.shows.as_slice(),
        (None, None) => &[],
    };
    Verdict {
        outcome: if works { Outcome::Works } else { Outcome::Inconclusive },
        by: None,
        confidence: match works {
            true if case.handshake_is_proved() => Confidence::Certain,
            true => Confidence::Likely,
            false => Confidence::Possible,
        },
        party: Party::Unknown,
        cause: None,
        headline,
        scope: scope(case),
        for_whom: None,
        shows: places(case, shows),
        act: (!works).then(|| {
            act(
                in_order_again(case)
                    .or(stuck.map(|s| s.act))
                    .or_else(|| plain_ftp(case).map(|(_, act)| act))
                    .or_else(|| by_return_code(case).map(|(_, act)| act))
                    .or_else(|| told_by_mq(case).map(|(_, act)| act))
                    .or_else(|| at_unknown_end(case)),
                how,
            )
        }),
    }
}

/// The verdict of the finding that decides.
fn failed(case: &Case<'_>, f: &Finding) -> Verdict {
    Verdict {
        outcome: if f.ended { Outcome::Fails } else { Outcome::Inconclusive },
        by: Some(f.id.clone()),
        confidence: f.confidence,
        party: f.party,
        cause: f.causes.first().map(|c| c.id.clone()),
        headline: f.headline.clone(),
        scope: scope(case),
        for_whom: f.data.get("for_whom").and_then(|v| v.as_str()).map(str::to_owned),
        shows: Vec::new(),
        act: f.act.clone(),
    }
}

/// How far it came, where that is not all.
fn undecided(case: &Case<'_>, refused: Option<u16>, stuck: Option<&Stuck<'_>>, how: Ended) -> String {
    let completed = case.handshake_completed();
    if case.order_is_lost() {
        "the packets are out of order: who said what first is not known".to_owned()
    } else if let Some(bytes) = how.too_much {
        let endpoint = case.endpoint();
        let size = megabytes(bytes);
        let long = format!("{endpoint} sent more than {size}: the run stopped itself there");
        first_fitting(&long, &format!("the server sent more than {size}: the run stopped itself there"))
    } else if let Some(denied) = stuck.filter(|s| completed && s.is_denied) {
        denied.words.clone()
    } else if let (true, Some(code)) = (completed, refused) {
        format!("the TLS handshake completed; later a command was refused ({code})")
    } else if let Some(stuck) = stuck.filter(|s| completed && (s.left || said_goodbye(case))) {
        stuck.words.clone()
    } else if !how.complete && case.is_logged_in() {
        let n = case.moved().unwrap_or_default();
        format!("cut off behind {n} transfers; until then TLS and the login worked")
    } else if completed && alert_is_first(case) {
        "the TLS handshake completed; then the server sent an encrypted alert".to_owned()
    } else if completed && ends_in_a_second_handshake(case) {
        "the TLS handshake completed; a second one began (renegotiation)".to_owned()
    } else if completed && lacks(case) {
        "the TLS handshake completed; bytes are missing behind it".to_owned()
    } else if completed {
        "the TLS handshake completed; the evidence ends there".to_owned()
    } else if let Some(stuck) = stuck.filter(|s| s.is_of_settings) {
        stuck.words.clone()
    } else if !how.complete {
        first_fitting(
            &format!("{}: cut off before anything was decided", case.endpoint()),
            "cut off before anything was decided",
        )
    } else if let Some((words, _)) = plain_ftp(case) {
        words
    } else if let Some(rc) = case.unexplained() {
        match crate::codes::attls(rc).filter(|c| c.confirmed == crate::codes::Confirmed::Yes) {
            Some(range) => first_fitting(
                &format!("AT-TLS rc {rc}: {}", range.meaning),
                &format!("AT-TLS gave up with rc {rc}: see explain at-tls {rc}"),
            ),
            None => format!("AT-TLS gave up with rc {rc}, which no public source explains"),
        }
    } else if let Some((words, _)) = by_return_code(case) {
        words
    } else if let Some((words, _)) = told_by_mq(case) {
        words
    } else if let Some(rc) = case.failed_at_unknown_end() {
        format!("AT-TLS says that TLS failed (rc {rc}); at which end is open")
    } else if lacks(case) {
        "bytes are missing, and what is left decides nothing".to_owned()
    } else if goes_on_encrypted(case) {
        "all behind the hellos is encrypted; whether it failed does not show".to_owned()
    } else if case.is_ended() && is_opaque(case) {
        "it ended behind the ServerHello; TLS 1.3 encrypts what was said there".to_owned()
    } else if case.is_ended() {
        how_it_ended(case)
    } else {
        "the evidence ends before anything is decided".to_owned()
    }
}

/// What is known of a session that ended without a finding: what may be of a failure, where anything is.
fn how_it_ended(case: &Case<'_>) -> String {
    let trouble: Vec<&Kind> = case.control().filter(|e| is_trouble(e)).map(|e| &e.kind).collect();
    let refusal = |k: &&Kind| if let Kind::Reply(r) = k { Some(r.code) } else { None };
    let cut = |k: &&Kind| if let Kind::CutShort { what, .. } = k { Some(*what) } else { None };
    let only = |is: &dyn Fn(&&Kind) -> bool| trouble.iter().all(is);
    if trouble.is_empty() {
        "it ended, and nothing that was seen of it failed".to_owned()
    } else if let Some(code) = trouble.first().and_then(refusal).filter(|_| only(&|k| refusal(k).is_some())) {
        let is = if trouble.len() == 1 { "a command was refused (" } else { "commands were refused (first " };
        format!("{is}{code}); whether that mattered is not seen")
    } else if let Some(what) = trouble.first().and_then(cut).filter(|_| only(&|k| cut(k).is_some())) {
        format!("it ended in the middle of a {what}")
    } else {
        "something failed, but the evidence does not show what".to_owned()
    }
}

/// Whether an event is, or may be, of a failure.
fn is_trouble(e: &Event) -> bool {
    match &e.kind {
        Kind::Reply(r) => r.code >= 400,
        Kind::Closed { how, .. } => *how == Close::Reset,
        Kind::Command { .. } | Kind::Text { .. } | Kind::Opened | Kind::TlsStarts { .. } | Kind::Gap { .. } => false,
        Kind::Handshake(_) | Kind::ChangeCipherSpec | Kind::Opaque { .. } | Kind::Skipped | Kind::Undecoded => false,
        _ => true,
    }
}

/// Whether the last that was said, of what nobody can read, is a handshake message behind the Finished of its sender.
fn ends_in_a_second_handshake(case: &Case<'_>) -> bool {
    let mut rounds = Rounds::default();
    let mut last = false;
    for e in case.control() {
        let again = rounds.takes(e);
        if matches!(e.kind, Kind::Opaque { content_type: content::HANDSHAKE | content::APPLICATION_DATA, .. }) {
            last = again;
        }
    }
    last
}

/// Whether the server of TLS 1.3 went on behind its ServerHello: alerts and certificates are then hidden.
fn is_opaque(case: &Case<'_>) -> bool {
    let hello = case.first(|e| matches!(&e.kind, Kind::Handshake(Message::ServerHello(h)) if h.negotiated() >= TLS13));
    let hidden = |e: &Event| matches!(e.kind, Kind::Opaque { .. }) && e.from() == Some(Side::Server);
    hello.is_some_and(|hello| case.after(hello).any(hidden))
}

/// TLS 1.3.
const TLS13: u16 = 0x0304;

/// What to do where the order of the packets is lost.
fn in_order_again(case: &Case<'_>) -> Option<Act> {
    let text = "you: sort its packets by time (reordercap IN OUT), or capture once more";
    case.order_is_lost().then(|| Act { party: Party::Unknown, text: text.to_owned() })
}

/// What to do where nothing is decided.
fn act(stuck: Option<Act>, how: Ended) -> Act {
    if how.too_much.is_some() {
        let text = "you: a user whose directory is small; server: does its listing ever end?".to_owned();
        return Act { party: Party::Unknown, text };
    }
    let add = match how.complete {
        false => "run it again with more time (--max-time)",
        true => "add what is missing: the bytes or log lines behind the last line below",
    };
    stuck.unwrap_or_else(|| Act { party: Party::Unknown, text: add.to_owned() })
}

/// What tells whose fault a return code is.
fn at_unknown_end(case: &Case<'_>) -> Option<Act> {
    let rc = case.failed_at_unknown_end()?;
    let text = format!("you: ftpsdiag explain gsk {rc}; add a line with port 21, or with the job's name");
    Some(Act { party: Party::Unknown, text })
}

/// `268 MB`, as the costs count them.
fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

/// Whether the session of others ended in the middle: a transfer was never answered, or an alert may have said no.
fn is_open(case: &Case<'_>, end: Option<&Event>) -> bool {
    let asked = |e: &Event| end.is_none_or(|end| precedes(e, end));
    let unanswered = |t: &Transfer<'_>| t.command.is_some_and(|c| asked(c.event)) && t.reply.is_none();
    case.transcript.origin.asked.is_none() && (alert_is_first(case) || case.session_transfers().any(unanswered))
}

/// Whether the server's first word behind the Finished of both is an alert that nobody can read.
pub(super) fn alert_is_first(case: &Case<'_>) -> bool {
    let Some(done) = case.completion() else { return false };
    let is_finished = matches!(done.kind, Kind::Opaque { content_type: content::HANDSHAKE, .. });
    let is_alert = |e: &Event| matches!(e.kind, Kind::Opaque { content_type: content::ALERT, .. });
    let mut said = case.after(done).filter(|e| e.from() == Some(Side::Server));
    // What answers the client's own alert and its end is a goodbye.
    let goodbye = |alert: &Event| {
        let said = |e: &Event| e.from() == Some(Side::Client) && is_alert(e);
        case.client_left_before(alert) && case.before(alert).any(said)
    };
    is_finished && said.next().is_some_and(|e| is_alert(e) && !goodbye(e))
}

/// Whether both ends sent encrypted records, and nothing in clear says that something failed. From outside it cannot be told whether
/// the handshake of such a session (TLS 1.3) was completed.
fn goes_on_encrypted(case: &Case<'_>) -> bool {
    let sent = |side: Side| {
        let is = |e: &Event| matches!(e.kind, Kind::Opaque { content_type: content::APPLICATION_DATA, .. });
        case.first(|e| e.from() == Some(side) && is(e)).is_some()
    };
    let fails = |e: &Event| match &e.kind {
        Kind::Alert { level, .. } => *level == 2,
        Kind::Claim { .. } | Kind::TimedOut { .. } => true,
        Kind::Closed { how, .. } => *how == Close::Reset,
        _ => false,
    };
    sent(Side::Client) && sent(Side::Server) && case.first(fails).is_none()
}

/// An end of the session: what comes behind it changes nothing.
fn is_end(e: &Event) -> bool {
    match &e.kind {
        Kind::Closed { .. } | Kind::TimedOut { .. } => true,
        Kind::Reply(r) => r.code == 221 && r.whole,
        _ => false,
    }
}

/// Whether a run of ours came to its QUIT: whatever kept it from that is no success.
fn said_goodbye(case: &Case<'_>) -> bool {
    let quit = |e: &Event| matches!(&e.kind, Kind::Command { verb, .. } if verb == "QUIT");
    case.transcript.origin.asked.is_none() || case.first(quit).is_some()
}

/// A command that was refused inside TLS.
struct Refused<'a> {
    code: u16,
    /// The command, when it was seen, and the reply.
    shows: Vec<&'a Event>,
}

/// The first refusal inside TLS. Our own probe is not logged in, so that a refusal of PBSZ and the like tells nothing.
/// Of the ways to a data connection one is enough, and where none is, a rule says so.
fn refused_inside<'a>(case: &Case<'a>, end: Option<&Event>) -> Option<Refused<'a>> {
    let asked = case.transcript.origin.asked.as_ref();
    let ours = asked.is_some();
    // What a login of ours tries is refused now and then: rules say what that means.
    let tries = asked.is_some_and(|a| a.login.is_some());
    let harmless = |verb: &str| tries || matches!(verb, "FEAT" | "PBSZ" | "PROT" | "QUIT");
    let way = |verb: &str| matches!(verb, "EPRT" | "EPSV" | "PASV" | "PORT");
    let (mut excused, mut asks_way) = (false, false);
    let mut command: Option<&'a Event> = None;
    let (mut ccc_asked, mut cleared, mut sealed) = (false, false, false);
    let made_up_for = case.made_up_for();
    let behind = |e: &&Event| end.is_some_and(|end| core::ptr::eq(*e, end));
    case.control().take_while(|e| !behind(e)).find_map(|e| match &e.kind {
        Kind::Opaque { .. } => {
            sealed = true;
            None
        }
        Kind::Command { verb, .. } => {
            cleared |= sealed && e.span.is_some_and(|s| s.flow.layer == Layer::Wire);
            (excused, asks_way) = (ours && harmless(verb), way(verb));
            (ccc_asked, command) = (verb == "CCC", Some(e));
            None
        }
        // Behind CCC the session goes on in clear.
        Kind::Reply(r) if ccc_asked && (200..400).contains(&r.code) => {
            (ccc_asked, cleared) = (false, true);
            None
        }
        Kind::Reply(r)
            if r.code >= 400
                && !made_up_for.contains(&core::ptr::from_ref(e))
                && (!excused || r.code == 421)
                && (!asks_way || matches!(r.code, 421 | 503 | 530..=534))
                && (cleared || e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls)) =>
        {
            Some(Refused { code: r.code, shows: command.into_iter().chain([e]).collect() })
        }
        _ => None,
    })
}

pub(super) fn first_fitting(long: &str, short: &str) -> String {
    if long.len() <= 72 { long.to_owned() } else { short.to_owned() }
}

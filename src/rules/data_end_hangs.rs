//! Everything was sent, and the transfer did not end, or only after a wait.

use super::case::Claim;
use super::endings::{Ending, precedes};
use super::phase::{End, probably};
use super::prelude::*;
use super::retrying::Tries;
use crate::facts::transfers::Data;

pub(super) static RULE: Rule = Rule {
    id: "data-end-hangs",
    severity: Severity::Failure,
    outranks: &["control-connection-lost"],
    page: include_str!("../../docs/findings/data-end-hangs.md"),
    check,
};

/// A wait of this length is one that users notice; in microseconds.
const NOTICEABLE: u64 = 1_000_000;

/// What clients write when they stop waiting behind an upload.
const WORDS: [&str; 5] = ["timed out", "timeout", "time-out", "too slow", "timeouterror"];

/// What the z/OS client was doing when its time ran out (EZA2589E).
const OPERATIONS: [&str; 2] = ["timed out. receiving data", "timed out. sending data"];

/// A transfer that does not come to its end.
struct Hang<'a> {
    /// By what it shows: a silence, a claim, or the reply that came late.
    by: &'a Event,
    /// Whether the end came after all.
    late: bool,
    /// Milliseconds.
    waited: Option<u64>,
    /// `close-notify`, `content`: what came last before the wait, and who sent it.
    behind: &'static str,
    /// Whether the server never answered.
    unanswered: bool,
}

impl Hang<'_> {
    /// Whether nothing but the final reply is missing: both ends had said goodbye, and the data connection had ended.
    fn is_reply_only(&self, ending: &Ending<'_>) -> bool {
        let before = |e: &Event| precedes(e, self.by);
        ending.data().filter(|_| self.unanswered).is_some_and(|d| {
            let said = |side| d.close_notify(side).is_some_and(before);
            said(Side::Client) && said(Side::Server) && d.end_of(Side::Server).is_some_and(|(end, _)| before(end))
        })
    }
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all: Vec<Ending<'_>> = case.session_endings().collect();
    let found = all.iter().filter_map(|x| Some((x, hang_of(case, x)?)));
    let (late, failed): (Vec<_>, Vec<_>) = found.partition(|(_, h)| h.late);
    let tries = case.tries(failed.iter().map(|(x, _)| x.transfer));
    if let Some((ending, hang)) = tries.worst(&failed, |(x, _)| x.transfer).or(late.first()) {
        report(case, ending, hang, &tries, sink);
    }
}

/// Whether a transfer did not come to its end.
pub(super) fn hangs(case: &Case<'_>, ending: &Ending<'_>) -> bool {
    hang_of(case, ending).is_some_and(|h| !h.late)
}

fn hang_of<'a>(case: &Case<'_>, ending: &Ending<'a>) -> Option<Hang<'a>> {
    if ending.aborted || !ending.has_begun() {
        return None;
    }
    // What the server refuses has an end; what it refuses because the end took too long has not.
    let refused = ending.reply().filter(|(_, r)| r.code >= 400).map(|(e, _)| e);
    let waited = |e: &Event| ending.data().and_then(|d| d.silence(Side::Server)).is_some_and(|s| precedes(s, e));
    let gave_up = |e: &Event| ending.says(&OPERATIONS).is_some_and(|c| precedes(c.event, e));
    if refused.is_some_and(|e| !waited(e) && !gave_up(e)) {
        return None;
    }
    let Some(data) = ending.data() else { return told(case, ending) };
    let behind = match (data.close_notify(ending.sender()), data.counted(ending.sender())) {
        (Some(_), _) => "close-notify",
        (None, Some(0)) => "nothing",
        _ => "content",
    };
    silence(ending, data, behind).or_else(|| late(ending, data))
}

/// A silence that was waited through, on the data connection or, behind its end, for the last reply.
fn silence<'a>(ending: &Ending<'a>, data: &Data<'a>, behind: &'static str) -> Option<Hang<'a>> {
    let waited = |e: &Event| End::of(e).and_then(End::waited_ms);
    let reply = ending.reply().map(|(e, _)| e);
    let on_control = ending.given_up.filter(|e| waited(e).is_some());
    if let Some(by) = data.silence(Side::Server) {
        // Our own end is what the server ought to have answered.
        let ended = |e: &Event| matches!(e.kind, Kind::Closed { by: Side::Server, .. }) && precedes(e, by);
        // Whoever has confirmed the transfer and said goodbye leaves the closing to the client.
        let over =
            reply.is_some_and(|r| precedes(r, by) && (behind == "close-notify" || ending.sender() == Side::Client));
        if data.first(ended).is_some() || over {
            return None;
        }
        let late = ending.is_confirmed() && reply.is_some_and(|r| precedes(by, r));
        return Some(Hang { by, late, waited: waited(by), behind, unanswered: reply.is_none() });
    }
    let by = on_control?;
    let all_sent = behind == "close-notify" || data.end_of(ending.sender()).is_some();
    all_sent.then_some(Hang { by, late: false, waited: waited(by), behind, unanswered: true })
}

/// The last reply came only behind the other end's farewell, and that was given late on purpose.
fn late<'a>(ending: &Ending<'a>, data: &Data<'a>) -> Option<Hang<'a>> {
    let (by, _) = ending.reply()?;
    let first = data.close_notify(ending.sender())?;
    let other = ending.sender().other();
    let farewell = match ending.sender() {
        Side::Server => data.close_notify(other)?,
        // An upload has one farewell; what the server may have waited for is the FIN.
        Side::Client => data.end_of(Side::Client)?.0,
    };
    let (begun, given, answered) = (first.at?.0, farewell.at?.0, by.at?.0);
    let waited = given.checked_sub(begun).filter(|t| *t >= NOTICEABLE)?;
    let prompt = answered.checked_sub(given).is_some_and(|t| t * 2 < waited);
    let in_order = precedes(first, farewell) && precedes(farewell, by);
    (in_order && prompt).then_some(Hang {
        by,
        late: true,
        waited: Some(waited / 1_000),
        behind: "close-notify",
        unanswered: false,
    })
}

/// A log that shows no data connection: an upload, and a client that stopped waiting.
fn told<'a>(case: &Case<'_>, ending: &Ending<'a>) -> Option<Hang<'a>> {
    // A connection that never stood is another matter.
    let stood = ending.transfer.data.is_none() && ending.transfer.begun.is_some();
    let iis = causes::likely_server(case).is_some_and(|p| p.id == "iis");
    let upload = || ending.says(&WORDS).filter(|_| iis && ending.sender() == Side::Client);
    // EZA2589E names the operation; behind the last reply it is about something else.
    let in_time = |c: &&Claim<'_>| ending.reply().is_none_or(|(reply, _)| precedes(c.event, reply));
    let by = ending.says(&OPERATIONS).filter(in_time).or_else(upload).filter(|_| stood)?.event;
    Some(Hang { by, late: false, waited: None, behind: "content", unanswered: !ending.is_confirmed() })
}

fn report(case: &Case<'_>, ending: &Ending<'_>, hang: &Hang<'_>, tries: &Tries<'_>, sink: &mut Sink<'_>) {
    let claimed = matches!(hang.by.kind, Kind::Claim { .. });
    let proved = hang.late || ending.given_up.is_some() || !hang.unanswered;
    let confidence = if proved && !claimed { ending.confidence(case) } else { super::Confidence::Likely };
    let confidence = if hang.late { confidence } else { tries.sure(ending.transfer, confidence) };
    let (maybe, endpoint, verb) = (probably(confidence), case.endpoint(), ending.verb);
    let headlines = if hang.late {
        vec![
            format!("{endpoint} {maybe}confirmed {verb} only behind the client's farewell"),
            format!("the server {maybe}confirmed {verb} only behind the client's farewell"),
        ]
    } else if hang.is_reply_only(ending) {
        vec![
            format!("{endpoint} {maybe}sent no 226 behind {verb}, whose data had ended"),
            format!("the server {maybe}sent no 226 behind {verb}, whose data had ended"),
        ]
    } else {
        vec![
            format!("{endpoint} {maybe}did not end {verb}: no {} came", missing(ending)),
            format!("the server {maybe}did not end {verb}: no {} came", missing(ending)),
            format!("{verb} {maybe}did not end"),
        ]
    };
    let mut f = sink.finding(confidence, Party::Server, &headlines);
    f.severity = if hang.late { Severity::Warning } else { Severity::Failure };
    f.ended = hang.late || claimed || ending.given_up.is_some() || !hang.unanswered;
    f.set("command", verb).set("waited_ms", hang.waited).set("behind", hang.behind).set("code", ending.code());
    f.evidence.extend(sink.evidence(ending.command, ""));
    if let Some(begun) = ending.transfer.begun {
        f.evidence.extend(sink.evidence(begun.event, ""));
    }
    if let Some(n) = ending.data().and_then(|d| d.counted(ending.sender())) {
        f.why.push(format!("{n} bytes of content had gone by."));
    }
    if let Kind::Claim { by, text, .. } = &hang.by.kind {
        f.why.push(crate::wire::printable_str(&format!("{by}: \"{text}\"")));
    }
    explain(case, ending, hang, &mut f);
    sink.shows_by(&mut f, hang.by);
    if !hang.late {
        tries.settle(&mut f, ending.transfer, &headlines);
    }
    sink.report(f);
}

/// What did not come.
fn missing(ending: &Ending<'_>) -> &'static str {
    match (!ending.is_confirmed(), ending.data().is_some_and(|d| d.end_of(ending.sender()).is_some())) {
        (true, _) => "226",
        (false, false) => "end of the data connection",
        (false, true) => "answer to its end",
    }
}

fn explain(case: &Case<'_>, ending: &Ending<'_>, hang: &Hang<'_>, f: &mut Finding) {
    let waited = hang.waited.map_or_else(|| "for long".to_owned(), |ms| format!("for {:.1} s", ms as f64 / 1e3));
    if hang.is_reply_only(ending) {
        f.why.push("The data connection ended in order: close_notify from both ends, and the server's FIN.".to_owned());
        f.why.push(format!("Then the server said nothing on the control connection {waited}."));
        let text = "server: its log of that second: what it does between the last byte and 226";
        f.act = Some(Act { party: Party::Server, text: text.to_owned() });
        f.tell(Party::Client, AdviceKind::Check, "the size of the file: it may be whole, 226 or not");
        return;
    }
    if hang.behind == "close-notify" {
        let who = if ending.sender() == Side::Server { "The server" } else { "The client" };
        f.why.push(format!("{who} had said close_notify: that was all. Then nothing happened {waited}."));
    } else if hang.waited.is_some() {
        f.why.push(format!("Then nothing happened {waited}, neither close_notify nor FIN."));
    }
    let iis = causes::likely_server(case).is_some_and(|p| p.id == "iis");
    // The end came as soon as the client had ended.
    let held_back = hang.late && ending.data().is_some_and(|d| d.end_of(Side::Client).is_some());
    let two_waits = hang.behind == "close-notify" || held_back || iis && ending.sender() == Side::Client;
    if two_waits {
        let because = match ending.sender() {
            Side::Client if iis => "IIS waits for the TCP close, the client for close_notify",
            Side::Client => "the client's close_notify, then silence, with both sockets open",
            Side::Server if hang.behind != "close-notify" => "the server ended only when the client had",
            Side::Server => "the server's close_notify, then silence until the client's",
        };
        // Only a client with an open socket waits for anything.
        let gone = |d: &Data<'_>| d.end_of(Side::Client).is_some_and(|(end, _)| precedes(end, hang.by));
        let sure = hang.late || ending.data().is_none_or(|d| !gone(d));
        let confidence = if sure { super::Confidence::Likely } else { super::Confidence::Possible };
        f.causes.push(causes::waits_for_close_notify(confidence, because.to_owned()));
        let text = "client: close at once behind its own close_notify (2 s at most); the 226 says the rest";
        f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    } else {
        let text = "server: its log of that second; compare the size that came with the file's";
        f.act = Some(Act { party: Party::Server, text: text.to_owned() });
    }
    f.tell(Party::Unknown, AdviceKind::Check, "one empty and one short upload with the time of each step");
}

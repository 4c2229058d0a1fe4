//! With nothing to transfer, one end never begins TLS, and the transfer fails.

use std::collections::BTreeSet;

use super::data_sessions::{Reuse, reuse};
use super::data_shake::{How, Shake, is_about_data, show, warn_of_words};
use super::phase::probably;
use super::prelude::*;
use crate::transcript::Layer;
use crate::wire::printable_str;

pub(super) static RULE: Rule = Rule {
    id: "data-empty-transfer-fails",
    severity: Severity::Failure,
    outranks: &[
        "control-connection-lost",
        "data-closed-before-handshake",
        "data-end-hangs",
        "data-session-reuse-required",
        "data-silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/data-empty-transfer-fails.md"),
    check,
};

/// How it is known that there was nothing to transfer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// The server answered SIZE with 0.
    Size,
    /// The 150 says so.
    Mark,
    /// Our own run asked for a file that the user named as empty, or for a name that nobody has.
    Asked,
    /// Our own upload had no content.
    Sent,
    /// The client of an upload closed without having begun TLS.
    Unsent,
    /// z/OS's words, which an APAR quotes for empty files behind a proxy.
    Words,
}

impl Known {
    fn name(self) -> &'static str {
        match self {
            Known::Size => "size",
            Known::Mark => "reply",
            Known::Asked => "asked",
            Known::Sent => "sent",
            Known::Unsent => "unsent",
            Known::Words => "message",
        }
    }
}

/// The message that APAR IT13168 quotes.
const NEGOTIATION: &str = "tls security mechanism negotiation failed";

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let shakes = case.shakes();
    let (empty, closed) = (empty(case), case.is_closed());
    let others = shakes.iter().filter(|o| o.transfer.worked() && o.transfer.has_content()).count();
    // What we left empty ourselves shows something only beside what was not.
    let compares = |k: Known| others > 0 || !matches!(k, Known::Asked | Known::Sent);
    let nothing: Vec<_> = shakes.iter().filter_map(|s| Some((s, known(case, s, &empty)?))).collect();
    let found: Vec<_> = nothing.iter().filter(|(s, k)| failed(s, *k, closed) && compares(*k)).collect();
    // What has content works beside it: only another try with nothing to transfer counts.
    let like: BTreeSet<_> = nothing.iter().map(|(s, _)| core::ptr::from_ref(s.transfer)).collect();
    let tries = case.tries_like(found.iter().map(|(s, _)| s.transfer), |t| like.contains(&core::ptr::from_ref(t)));
    let Some(&&(s, known)) = tries.worst(&found, |(s, _)| s.transfer) else { return };
    let confidence = match known {
        Known::Size | Known::Mark | Known::Asked | Known::Sent if others > 0 && !s.is_from_log(case) => {
            Confidence::Certain
        }
        _ => Confidence::Likely,
    };
    let confidence = tries.sure(s.transfer, confidence);
    let (maybe, endpoint) = (probably(confidence), case.endpoint());
    let what = if s.transfer.verb().is_empty() { "transfer" } else { s.transfer.verb() };
    // A listing is no file.
    let what = match what {
        "LIST" | "MLSD" | "NLST" => format!("{what} without an entry"),
        _ => format!("{what} of an empty file"),
    };
    let headlines = [
        format!("{what} {maybe}failed at {endpoint}: TLS was never finished"),
        format!("{what} {maybe}failed: TLS was never finished"),
    ];
    let by = closer(s);
    let mut f = sink.finding(confidence, by.map_or(Party::Unknown, Party::from), &headlines);
    f.ended = true;
    f.set("known_by", known.name()).set("by", by.map(|b| Party::from(b).name())).set("others", others);
    show(sink, &mut f, s, "");
    let told = s.transfer.aside.iter().find(|e| says_negotiation(e));
    match (s.broke, told) {
        (Some(b), _) => sink.shows_by(&mut f, b.event),
        (None, Some(told)) if s.transfer.reply.is_none() => sink.shows_by(&mut f, told),
        _ => {}
    }
    explain(case, s, (known, others), by, &mut f);
    // The client itself has said that this one failed.
    if known != Known::Words {
        tries.settle(&mut f, s.transfer, &headlines);
    }
    sink.report(f);
}

/// Paths that are known to hold nothing: SIZE found 0, or the user of a run of ours said so.
struct Empty<'a> {
    by_size: BTreeSet<&'a str>,
    /// What such a run reads back is its own upload.
    stored: BTreeSet<&'a str>,
    named: bool,
    /// Whether this is a run of ours with a login.
    tried: bool,
}

fn empty<'a>(case: &Case<'a>) -> Empty<'a> {
    let uploads = case.session_transfers().filter(|t| t.is_upload());
    Empty {
        by_size: sizes(case),
        stored: uploads.filter_map(|t| t.command.map(|c| c.argument)).collect(),
        tried: case.is_login_run(),
        named: case.transcript.origin.asked.as_ref().and_then(|a| a.login).is_some_and(|tried| tried.empty_file),
    }
}

/// Paths that SIZE found empty.
fn sizes<'a>(case: &Case<'a>) -> BTreeSet<&'a str> {
    let mut out = BTreeSet::new();
    let mut asked: Option<&str> = None;
    for e in case.control() {
        match &e.kind {
            Kind::Command { verb, line } => {
                asked = line.split_once(' ').map(|(_, rest)| rest.trim()).filter(|_| verb == "SIZE");
            }
            Kind::Reply(r) if r.whole => {
                out.extend(asked.take().filter(|_| r.code == 213 && r.text.trim() == "0"));
            }
            _ => {}
        }
    }
    out
}

/// Whether it is known that there was nothing to transfer.
fn known(case: &Case<'_>, s: &Shake<'_>, empty: &Empty<'_>) -> Option<Known> {
    let t = s.transfer;
    let command = t.command?;
    let mark = t.begun.map(|r| r.reply.text.to_ascii_lowercase()).unwrap_or_default();
    let download = command.verb == "RETR";
    if download && empty.by_size.contains(command.argument) {
        return Some(Known::Size);
    }
    if mark.contains("(0 bytes)") || mark.contains("(0 byte)") || mark.contains("(0 bytes ") {
        return Some(Known::Mark);
    }
    // A listing of a name that nobody has.
    if empty.tried && command.verb == "NLST" && command.argument.starts_with("ftpsdiag-") {
        return Some(Known::Asked);
    }
    // What we uploaded without content.
    if empty.tried && empty.stored.contains(command.argument) && t.is_upload() && sends_nothing(s) {
        return Some(Known::Sent);
    }
    if download && empty.named && !empty.stored.contains(command.argument) {
        return Some(Known::Asked);
    }
    let by_client = s.broke.is_some_and(|b| matches!(b.how, How::Closed(Side::Client, _)));
    if t.is_upload() && by_client && s.began.is_none() && case.asked().is_none() && t.protected != Some(false) {
        return Some(Known::Unsent);
    }
    let told = t.aside.iter().any(|e| says_negotiation(e));
    (told && !t.is_upload()).then_some(Known::Words)
}

/// Whether our own upload had no content: nothing of it was noted, and its end was.
fn sends_nothing(s: &Shake<'_>) -> bool {
    s.transfer.data.as_ref().is_some_and(|d| d.content(Side::Client) == 0 && d.counted(Side::Client).is_some())
}

fn says_negotiation(e: &Event) -> bool {
    matches!(&e.kind, Kind::Claim { text, .. } if text.to_ascii_lowercase().contains(NEGOTIATION))
}

/// Whether the transfer failed before or in its data handshake, for no other reason that is known.
fn failed(s: &Shake<'_>, known: Known, closed: bool) -> bool {
    let t = s.transfer;
    if t.data.as_ref().is_some_and(|d| d.open_failure().is_some()) {
        return false;
    }
    if s.done {
        // A server may wait for content that never comes, although its end was said.
        let silent = t.data.as_ref().is_some_and(|d| d.silence(Side::Server).is_some());
        return known == Known::Sent && silent && t.reply.is_none();
    }
    if t.worked() {
        // The server takes it for a success; a client whose handshake was cut off does not.
        return matches!(s.broke.map(|b| b.how), Some(How::Closed(Side::Server, _)));
    }
    match s.broke.map(|b| b.how) {
        Some(How::Clear | How::Alert(..)) => return false,
        Some(How::Silent(..)) => return true,
        _ => {}
    }
    match t.refusal() {
        // A server that says it plainly wants resumption.
        Some(r) => is_about_data(r.reply) && reuse(&r.reply.text) != Some(Reuse::Plain) && !is_vague(&r.reply.text),
        None => known == Known::Words || closed && lost(s),
    }
}

/// vsftpd's words alone fit a client that does not resume better than an empty file.
fn is_vague(text: &str) -> bool {
    super::data_sessions::is_vsftpd(text)
}

/// Whether the session ended instead of a reply.
fn lost(s: &Shake<'_>) -> bool {
    let ends = |e: &Event| matches!(e.kind, Kind::Closed { by: Side::Server, .. } | Kind::TimedOut { .. });
    s.transfer.aside.iter().any(|e| ends(e))
}

/// Who ended the data connection, or, without one, the session.
fn closer(s: &Shake<'_>) -> Option<Side> {
    let data = s.broke.and_then(|b| match b.how {
        How::Closed(by, _) => Some(by),
        _ => None,
    });
    let control = || {
        s.transfer.aside.iter().find_map(|e| match e.kind {
            Kind::Closed { by, .. } => Some(by),
            _ => None,
        })
    };
    data.or_else(control)
}

fn explain(case: &Case<'_>, s: &Shake<'_>, (known, others): (Known, usize), by: Option<Side>, f: &mut Finding) {
    let t = s.transfer;
    let how = match known {
        Known::Size => "SIZE had answered 0.",
        Known::Mark => "The server itself said 0 bytes.",
        Known::Asked if matches!(t.verb(), "LIST" | "MLSD" | "NLST") => {
            "A name that nobody has was listed: there was nothing to send."
        }
        Known::Asked => "A file that is empty, or a name that nobody has, was asked for.",
        Known::Sent => "The upload had no content.",
        Known::Unsent => "The client closed the upload without having begun TLS: it had nothing to send.",
        Known::Words => "APAR IT13168 quotes these words for a file of 0 bytes behind Sterling Secure Proxy.",
    };
    f.why.push(how.to_owned());
    for text in t.aside.iter().filter(|e| says_negotiation(e)).filter_map(|e| match &e.kind {
        Kind::Claim { text, .. } => Some(text),
        _ => None,
    }) {
        f.why.push(format!("The client says: \"{}\".", printable_str(text)));
    }
    if others > 0 {
        f.why.push(format!("Transfers with content that worked in this session: {others}."));
    }
    warn_of_words(f, t);
    if t.is_upload() && by != Some(Side::Server) {
        let text = "client: an update that finishes the TLS handshake before it closes";
        f.act = Some(Act { party: Party::Client, text: text.to_owned() });
        f.tell(Party::Client, AdviceKind::Tonight, "send a file with a header record instead of an empty one");
        return;
    }
    let no_data = t.data.as_ref().is_none_or(|d| !d.was_open());
    let inside = case.control().any(|e| e.span.is_some_and(|x| x.flow.layer == Layer::InsideTls));
    let because = match (known, no_data && by == Some(Side::Server)) {
        (Known::Words, _) => "the client's message is the one of APAR IT13168",
        (_, true) if inside => "the session ended without a data connection, where nothing was to be sent",
        _ => "the data connection was closed before TLS, where nothing was to be sent",
    };
    let rank = if known == Known::Words || no_data { Confidence::Likely } else { Confidence::Possible };
    f.causes.push(causes::proxy_closes_empty_data(rank, because));
    if rank == Confidence::Likely {
        f.party = Party::Between;
    }
    let text = "server or proxy: finish the TLS handshake before closing; Sterling Secure Proxy: APAR IT13168";
    f.act = Some(Act { party: f.party, text: text.to_owned() });
    f.advise("tolerate-missing-close-notify", "sterling-secure-proxy");
    let more = match t.verb() {
        "LIST" | "MLSD" | "NLST" => "the same listing where there is an entry",
        _ => "the same transfer with one byte in the file",
    };
    f.tell(Party::Client, AdviceKind::Check, more);
}

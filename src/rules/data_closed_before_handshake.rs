//! A data connection ended before its TLS handshake had completed, without an alert.

use super::data_sessions::reuse;
use super::data_shake::{How, Shake, is_about_data, is_before, show, warn_of_words};
use super::extended_master;
use super::hidden_replies::may_be_refused;
use super::phase::probably;
use super::prelude::*;
use crate::transcript::Close;
use crate::transcript::DATA_HANDSHAKE;

pub(super) static RULE: Rule = Rule {
    id: "data-closed-before-handshake",
    severity: Severity::Failure,
    outranks: &["control-connection-lost"],
    page: include_str!("../../docs/findings/data-closed-before-handshake.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let shakes = case.shakes();
    let stops = stops(case);
    let all: Vec<_> = shakes.iter().filter_map(|s| closed(case, s, &stops)).collect();
    let tries = case.tries(all.iter().map(|(s, ..)| s.transfer));
    let Some(&(s, event, by, how)) = tries.worst(&all, |(s, ..)| s.transfer) else {
        unused(case, sink);
        return by_words(case, &shakes, sink);
    };
    let observed = how != Close::Unknown && !case.direction_is_assumed() && !s.is_from_log(case);
    // What closed without a word may have had a reason that the reply would tell.
    let told = s.transfer.reply.is_some() || case.is_closed();
    let confidence = if observed && told { Confidence::Certain } else { Confidence::Likely };
    let confidence = tries.sure(s.transfer, confidence);
    let (maybe, endpoint) = (probably(confidence), case.endpoint());
    let who = if by == Side::Server { endpoint } else { "the client".to_owned() };
    let (did, reached) = (if how == Close::Reset { "reset" } else { "closed" }, s.reached());
    let headlines = [
        format!("{who} {maybe}{did} the data connection {reached}"),
        format!("{who} {maybe}{did} data {reached}"),
        format!("the server {maybe}{did} the data connection {reached}"),
        format!("the data connection was {maybe}{did} {reached}"),
    ];
    let mut f = sink.finding(confidence, by.into(), &headlines);
    f.ended = told;
    f.set("by", Party::from(by).name()).set("how", how_name(how)).set("place", s.place());
    show(sink, &mut f, s, "");
    sink.shows_by(&mut f, event);
    extended_master::explain(case, s, by, &mut f);
    explain(case, s, event, by, &mut f);
    tries.settle(&mut f, s.transfer, &headlines);
    sink.report(f);
}

/// The server's end of a data connection on which nobody had said a byte, where the commands are encrypted: the transfer may have
/// been denied for its file.
fn unused(case: &Case<'_>, sink: &mut Sink<'_>) {
    if !case.commands_are_hidden() {
        return;
    }
    let hidden = case.session_transfers().filter(|t| t.command.is_none()).filter_map(|t| t.data.as_ref());
    let mut ended = hidden.filter_map(|d| {
        let (event, by, how) = d.end()?;
        let said = |e: &Event| e.from().is_some() || !matches!(e.kind, Kind::Opened | Kind::Closed { .. });
        (by == Side::Server && how != Close::Unknown && d.first(said).is_none()).then_some((event, how))
    });
    let Some((event, how)) = ended.next() else { return };
    let did = if how == Close::Reset { "reset" } else { "closed" };
    let headlines = [
        format!("{} {did} a data connection on which nothing was said", case.endpoint()),
        format!("the server {did} a data connection on which nothing was said"),
    ];
    let mut f = sink.finding(Confidence::Likely, Party::Server, &headlines);
    (f.severity, f.ended) = (Severity::Note, false);
    f.set("by", Party::Server.name()).set("how", how_name(how)).set("place", "open");
    for key in ["command", "code", "text"] {
        f.set(key, serde_json::Value::Null);
    }
    f.why.push("The replies are encrypted: a file that is not there, or denied, ends like this as well.".to_owned());
    let text = "server: its log of that second: what did it answer to the transfer?".to_owned();
    f.act = Some(Act { party: Party::Server, text });
    sink.shows_by(&mut f, event);
    sink.report(f);
}

/// GSK_ERR_IO, GSK_ERR_SOCKET_CLOSED: the connection broke under the handshake.
const BROKE: [u32; 2] = [406, 420];

/// No byte of the data connection is there, and a program, or the server's last reply, says that its handshake failed.
fn by_words(case: &Case<'_>, shakes: &[Shake<'_>], sink: &mut Sink<'_>) {
    let bytes = |s: &Shake<'_>| s.transfer.data.iter().flat_map(|d| &d.events).any(|e| e.from().is_some());
    let clear = |s: &Shake<'_>| s.transfer.protected == Some(false) || s.transfer.after_ccc;
    let mut told = shakes.iter().filter(|s| !bytes(s) && !clear(s) && !s.transfer.worked());
    let Some((s, event, rc)) = told.find_map(|s| words_of(s).map(|(event, rc)| (s, event, rc))) else { return };
    let number = match (rc, s.transfer.refusal()) {
        (Some(rc), _) => format!(" (rc {rc})"),
        (None, Some(no)) => format!(" ({})", no.reply.code),
        (None, None) => String::new(),
    };
    let headlines = [
        format!("{}: the data connection's TLS handshake probably failed{number}", case.endpoint()),
        format!("the TLS handshake of the data connection probably failed{number}"),
    ];
    let mut f = sink.finding(Confidence::Likely, Party::Unknown, &headlines);
    f.ended = true;
    f.set("by", serde_json::Value::Null).set("how", "told").set("place", s.place()).set("rc", rc);
    show(sink, &mut f, s, "");
    sink.shows_by(&mut f, event);
    if let Kind::Claim { by, text, .. } = &event.kind {
        f.why.push(format!("{by}: \"{text}\""));
    }
    if let Some(known) = rc.and_then(crate::codes::gsk) {
        f.why.push(format!("rc {}: {}.", known.code, known.meaning));
    }
    if case.handshake_completed() {
        f.why.push("The control connection is inside TLS and works: versions and suites fit.".to_owned());
    }
    f.why.push("These words do not say why, and the bytes are not in the evidence.".to_owned());
    f.act = Some(Act { party: Party::Server, text: "server: its TLS log of that second names the reason".to_owned() });
    causes::advise_server_log(case, &mut f, event);
    let text = "does it resume the control connection's TLS session on data? (FTP.DATA SECURE_SESSION_REUSE)";
    f.tell(Party::Client, AdviceKind::Check, text);
    sink.untested("bytes", "the bytes of the data connection", "not in the evidence");
    sink.report(f);
}

/// Who says that the handshake failed, and the return code of System SSL.
fn words_of<'a>(s: &Shake<'a>) -> Option<(&'a Event, Option<u32>)> {
    let t = s.transfer;
    let by_stack = |e: &&Event| match &e.kind {
        Kind::Claim { code: Some(Code::Gsk(rc)), text, .. } => BROKE.contains(rc) && text == "Initial Handshake",
        _ => false,
    };
    let of_init = |e: &&Event| match &e.kind {
        Kind::Claim { code: Some(Code::Gsk(_)), text, .. } => text.ends_with(DATA_HANDSHAKE),
        Kind::Claim { code: Some(Code::Message(_)), text, .. } => is_failed_handshake(text),
        _ => false,
    };
    let rc = |e: &'a Event| match &e.kind {
        Kind::Claim { code: Some(Code::Gsk(rc)), .. } => Some((e, Some(*rc))),
        _ => Some((e, None)),
    };
    let claimed = t.data.iter().flat_map(|d| d.events.iter().copied()).find(by_stack);
    // What stands behind the next command is about that one.
    let own = |e: &&Event| t.command.is_some_and(|c| is_before(c.event, e));
    let claimed = claimed.or_else(|| t.aside.iter().copied().filter(own).find(of_init));
    let refused = t.refusal().filter(|no| is_failed_handshake(&no.reply.text) && reuse(&no.reply.text).is_none());
    claimed.and_then(rc).or(refused.map(|no| (no.event, None)))
}

/// Words of a handshake that failed: `TLS negotiation failed`, `TLS security mechanism negotiation failed`.
fn is_failed_handshake(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|w| text.contains(w));
    any(&["tls", "ssl"]) && any(&["negotiation failed", "handshake failed", "handshake failure", "handshake error"])
}

fn how_name(how: Close) -> &'static str {
    match how {
        Close::Fin => "closed",
        Close::Reset => "reset",
        Close::Unknown => "ended",
    }
}

/// The end of a data connection before its handshake, when it is the fault and not the answer to one.
fn closed<'s, 'a>(
    case: &Case<'a>,
    s: &'s Shake<'a>,
    stops: &[&Event],
) -> Option<(&'s Shake<'a>, &'a Event, Side, Close)> {
    let b = s.broke?;
    let How::Closed(by, how) = b.how else { return None };
    // Our own driver closes because it has seen enough.
    if by == Side::Client && case.asked().is_some() {
        return None;
    }
    let counts = match s.transfer.reply {
        // A file that is not there, a full disk: who closes then has a reason.
        Some(r) if r.reply.code >= 400 => is_about_data(r.reply),
        // Both ends were content, whatever that was.
        Some(_) => by == Side::Server && s.began.is_some(),
        None => s.began.is_some() && !called_off(s, b.event, stops) && !may_be_refused(case, s, b.event),
    };
    counts.then_some((s, b.event, by, how))
}

/// Whether the client had called the transfer off.
fn called_off(s: &Shake<'_>, event: &Event, stops: &[&Event]) -> bool {
    let Some(command) = s.transfer.command else { return false };
    let first = stops.partition_point(|e| is_before(e, command.event));
    stops.get(first).is_some_and(|e| is_before(e, event))
}

/// Commands by which a client ends what it began, in order.
fn stops<'a>(case: &Case<'a>) -> Vec<&'a Event> {
    let ends = |e: &&Event| matches!(&e.kind, Kind::Command { verb, .. } if matches!(verb.as_str(), "ABOR" | "QUIT"));
    case.control().filter(ends).collect()
}

/// Seconds between a ClientHello that nothing answered and the end, when that is long.
fn waited(s: &Shake<'_>, event: &Event) -> Option<f64> {
    let hello = s.hello.filter(|_| s.answered.is_none() && !s.heard)?;
    let waited = event.at?.0.saturating_sub(hello.at?.0) as f64 / 1e6;
    (waited >= 1.0).then_some(waited)
}

fn explain(case: &Case<'_>, s: &Shake<'_>, event: &Event, by: Side, f: &mut Finding) {
    f.why.push("The control connection is inside TLS and works; no alert says why data does not.".to_owned());
    warn_of_words(f, s.transfer);
    if by == Side::Client {
        f.why.push("A client that begins TLS with its first byte never begins it for an empty file.".to_owned());
        f.act = Some(Act { party: Party::Client, text: "client: its own log names the reason".to_owned() });
        f.tell(Party::Client, AdviceKind::Check, "one try with a file that is not empty");
        return;
    }
    let lost = |e: &Event| matches!(e.kind, Kind::Closed { by: Side::Server, .. });
    if let Some(waited) = waited(s, event) {
        f.why.push(format!("The end came {waited:.1} s behind the ClientHello, which nothing answered."));
    }
    if case.commands_are_hidden() {
        f.why.push("The replies are encrypted: what the server said of it is not known.".to_owned());
    } else if s.transfer.reply.is_none() && s.transfer.aside.iter().any(|e| lost(e)) {
        f.why.push(
            "No reply followed, and the control connection ended too: Pure-FTPd does so when TLS on data fails."
                .to_owned(),
        );
    }
    f.act = Some(Act { party: Party::Server, text: "server: its TLS log of that second names the reason".to_owned() });
    causes::advise_server_log(case, f, event);
    f.tell(
        Party::Client,
        AdviceKind::Check,
        "one try with a client that resumes TLS (FileZilla, WinSCP), or with TLS 1.2",
    );
}

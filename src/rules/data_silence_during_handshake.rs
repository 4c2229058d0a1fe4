//! A data connection stands, and nobody says anything.

use super::data_shake::{How, Shake, show};
use super::phase::probably;
use super::prelude::*;
use crate::facts::Transfer;
use crate::facts::transfers::{Data, precedes};
use crate::transcript::Micros;

pub(super) static RULE: Rule = Rule {
    id: "data-silence-during-handshake",
    severity: Severity::Failure,
    outranks: &["control-connection-lost"],
    page: include_str!("../../docs/findings/data-silence-during-handshake.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let shakes = case.shakes();
    let all: Vec<_> = shakes.iter().filter_map(|s| silent(s).or_else(|| idle(case, s))).collect();
    let tries = case.tries(all.iter().map(|(s, ..)| s.transfer));
    let Some(&(s, event, of, after)) = tries.worst(&all, |(s, ..)| s.transfer) else { return };
    let told = case.direction_is_assumed() || s.is_from_log_until(case, Some(event));
    let confidence = if told { Confidence::Likely } else { Confidence::Certain };
    let confidence = tries.sure(s.transfer, confidence);
    // That commands are hidden may show behind the silence only: without one, nobody knows what was waited for.
    let unasked = s.transfer.command.is_none();
    let confidence = if unasked { confidence.min(Confidence::Likely) } else { confidence };
    let (maybe, endpoint) = (probably(confidence), case.endpoint());
    let waited = super::phase::End::Silent(after).did();
    let who = if of == Side::Server { endpoint } else { "the client".to_owned() };
    let headlines = [
        format!("{who} {maybe}{waited} on the data connection, {}", s.reached()),
        format!("{who} {maybe}{waited} in the data handshake"),
        format!("the server {maybe}{waited} in the data handshake"),
    ];
    let mut f = sink.finding(confidence, Party::Unknown, &headlines);
    f.ended = true;
    f.set("waiting_for", Party::from(of).name()).set("waited_ms", after.0 / 1_000).set("place", s.place());
    show(sink, &mut f, s, "");
    sink.shows_by(&mut f, event);
    if unasked {
        of_hidden(case, s, &mut f);
    } else {
        explain(case, s, of, &mut f);
    }
    tries.settle(&mut f, s.transfer, &headlines);
    sink.report(f);
}

/// Of a transfer whose command nobody can read: it may have been over, or have been called off.
fn of_hidden(case: &Case<'_>, s: &Shake<'_>, f: &mut Finding) {
    let later = |t: &&Transfer<'_>| core::ptr::from_ref(*t) > core::ptr::from_ref(s.transfer);
    let works = |t: &Transfer<'_>| t.data.as_ref().is_some_and(|d| d.is_established());
    f.ended = false;
    let data = s.transfer.data.as_ref();
    let said = |side: Side| data.and_then(|d| d.first(|e| e.from() == Some(side))).is_some();
    let passed = match (said(Side::Client), said(Side::Server)) {
        (false, false) => "Not one byte passed on it",
        (true, false) => "The server sent not one byte on it",
        (false, true) => "The client sent not one byte on it",
        (true, true) => "Both spoke on it, and it went no further",
    };
    let unknown = if case.commands_are_hidden() { "the replies are encrypted" } else { "no command shows" };
    f.why.push(format!("{passed}; {unknown}: what the server said is not known."));
    if !said(Side::Client) {
        let first = "TLS begins with the client: some wait for 150 first, and some begin with their first byte.";
        f.why.push(first.to_owned());
    }
    if case.session_transfers().filter(later).any(works) {
        f.severity = Severity::Warning;
        f.why.push("A later data connection of this session worked.".to_owned());
    }
    f.act = act(Party::Client, "client: its own log of that second; the server's: what did it say to the transfer?");
}

/// Microseconds: what is closed sooner without a byte was not waited for.
const PATIENCE: u64 = 4_500_000;

/// A data connection that stood for long and was closed without a byte, where the replies cannot be read.
fn idle<'s, 'a>(case: &Case<'_>, s: &'s Shake<'a>) -> Option<(&'s Shake<'a>, &'a Event, Side, Micros)> {
    let broke = s.broke.filter(|b| matches!(b.how, How::Closed(..)))?;
    let data = s.transfer.data.as_ref().filter(|_| s.began.is_none() && s.transfer.command.is_none())?;
    let opened = data.first(|e| e.kind == Kind::Opened)?;
    let said = |e: &Event| (e.from().is_some() || matches!(e.kind, Kind::Gap { .. })) && precedes(e, broke.event);
    let waited = broke.event.at?.0.saturating_sub(opened.at?.0);
    let counts = waited >= PATIENCE && data.first(said).is_none() && case.commands_are_hidden();
    counts.then_some((s, broke.event, Side::Client, Micros(waited)))
}

/// Silence on the data connection, or on the control connection while the data connection stood without TLS.
pub(super) fn silent<'s, 'a>(s: &'s Shake<'a>) -> Option<(&'s Shake<'a>, &'a Event, Side, Micros)> {
    let broke = match s.broke.map(|b| (b.event, b.how)) {
        Some((event, How::Silent(of, after))) => return Some((s, event, of, after)),
        None if s.done || s.transfer.reply.is_some() => return None,
        broke => broke.map(|(event, _)| event),
    };
    let stood = |at: &Event| {
        let ended = |d: &Data<'_>| d.end().is_some_and(|(end, ..)| precedes(end, at));
        s.transfer.data.as_ref().is_some_and(|d| d.was_open() && !ended(d))
    };
    let private = s.began.is_some() || s.transfer.protected == Some(true);
    // Whoever hangs up behind the silence does so because of it.
    let counts = |e: &Event| private && stood(e) && broke.is_none_or(|b| precedes(e, b));
    s.transfer.aside.iter().find_map(|e| match e.kind {
        Kind::TimedOut { waiting_for, after } if counts(e) => Some((s, *e, waiting_for, after)),
        _ => None,
    })
}

fn explain(case: &Case<'_>, s: &Shake<'_>, of: Side, f: &mut Finding) {
    let t = s.transfer;
    f.why.push("A firewall that let the connection through rarely swallows what follows.".to_owned());
    match (s.began.is_some(), t.begun.is_some()) {
        (false, false) => {
            f.why.push(
                "No 150 and no ClientHello: the client may wait for the one, and the server for the other.".to_owned(),
            );
            f.act = act(Party::Client, "client: a newer release, or one that begins TLS without waiting for 150");
        }
        (false, true) => {
            f.why.push("The server began (150) and waits for a ClientHello; the client never began TLS.".to_owned());
            if t.protected != Some(true) {
                f.causes.push(causes::prot_p_not_sent());
            }
            if t.is_upload() {
                f.why.push("A client that begins TLS with its first byte never does so for an empty file.".to_owned());
            }
            f.party = Party::Client;
            f.act = act(Party::Client, "client: its own log; does it know that PROT P is in force?");
            super::advise::client(case, f, "protect-data");
        }
        (true, begun) => {
            if !begun && of == Side::Server {
                f.why.push("No 150 came either: the server did not get as far as the transfer.".to_owned());
            }
            if s.answered.is_none() && of == Side::Server {
                f.causes.push(causes::slow_server(
                    Confidence::Possible,
                    "the data connection stands, but TLS is not answered",
                ));
            }
            f.act =
                act(Party::Server, "server: did it see the ClientHello on the data port? Its TLS log of that second");
        }
    }
    super::advise::client(case, f, "limit-tls12");
    if case.facts.client.as_ref().is_some_and(|c| c.id == "zos-attls") {
        f.advise("attls-policy", "zos-attls");
    }
}

fn act(party: Party, text: &str) -> Option<Act> {
    Some(Act { party, text: text.to_owned() })
}

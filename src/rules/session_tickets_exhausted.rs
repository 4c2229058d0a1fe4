//! The first data connections were resumed, a later one was not.

use std::collections::BTreeSet;

use super::data_sessions::{DataSession, Reuse, TLS13, is_vsftpd, reuse};
use super::data_shake::{is_before, show_reply};
use super::phase::probably;
use super::prelude::*;
use crate::facts::{Transfer, version_name};
use crate::transcript::{ConnId, Decrypted};

pub(super) static RULE: Rule = Rule {
    id: "session-tickets-exhausted",
    severity: Severity::Warning,
    outranks: &["control-connection-lost", "data-closed-before-handshake"],
    page: include_str!("../../docs/findings/session-tickets-exhausted.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all = case.data_sessions();
    let mut resumed = 0;
    let mut first: Option<(&DataSession<'_>, usize)> = None;
    let mut again = false;
    for s in &all {
        match first {
            None if s.resumed => resumed += 1,
            // One that is refused for it weighs more than one that nobody noticed.
            None if resumed > 0 => first = Some((s, resumed)),
            Some(_) if s.resumed => again = true,
            Some((f, _)) if !f.is_refused() && s.is_refused() => first = Some((s, resumed)),
            _ => {}
        }
    }
    match first {
        Some((s, resumed)) => bytes(case, s, resumed, again, sink),
        None => words(case, sink),
    }
}

/// What is known of the tickets of one login.
fn tickets(case: &Case<'_>, s: &DataSession<'_>) -> usize {
    let of: BTreeSet<ConnId> = case
        .session_transfers()
        .filter(|t| t.control == s.transfer.control)
        .filter_map(|t| t.data.as_ref().map(|d| d.conn))
        .chain([s.transfer.control])
        .collect();
    let Some(at) = s.transfer.data.as_ref().and_then(|d| d.events.first()) else { return 0 };
    let is_ticket = |e: &&Event| matches!(e.kind, Kind::Decrypted { from: Side::Server, seen: Decrypted::Ticket });
    case.timeline.events.iter().filter(|e| is_before(e, at)).filter(is_ticket).filter(|e| of.contains(&e.conn)).count()
}

fn bytes(case: &Case<'_>, s: &DataSession<'_>, resumed: usize, again: bool, sink: &mut Sink<'_>) {
    let refused = s.is_refused();
    let tls13 = s.version.is_some_and(|v| v >= TLS13);
    let given = tickets(case, s);
    let endpoint = case.endpoint();
    let behind = if resumed == 1 { "the first transfer".to_owned() } else { format!("{resumed} transfers") };
    let headlines = if refused {
        [
            format!("{endpoint} refused data behind {behind}: TLS was no longer resumed"),
            format!("data was refused behind {behind}: TLS was no longer resumed"),
        ]
    } else {
        [
            format!("{endpoint}: TLS was resumed for {behind}, then no longer"),
            format!("TLS was resumed for {behind}, then no longer"),
        ]
    };
    let party = if s.offered == Some(true) { Party::Server } else { Party::Client };
    let mut f = sink.finding(Confidence::Certain, party, &headlines);
    f.ended = refused;
    if refused {
        f.severity = Severity::Failure;
    }
    f.set("resumed", resumed).set("offered", s.offered).set("version", s.version.map(version_name));
    f.set("tickets", given).set("command", s.transfer.command.map(|c| c.verb));
    let hello = s.transfer.data.as_ref().and_then(|d| d.client_hello());
    f.evidence.extend(s.transfer.command.and_then(|c| sink.evidence(c.event, "")));
    f.evidence.extend(hello.and_then(|(e, _)| sink.evidence(e, "the first that was not resumed")));
    show_reply(sink, &mut f, s.transfer);
    if let Some(event) = s.transfer.data.as_ref().and_then(|d| d.events.last()) {
        sink.shows_by(&mut f, event);
    }
    explain(s, (resumed, given, again, tls13), &mut f);
    finish(case, &mut f);
    sink.report(f);
}

/// Ran out, or refused: who has no ticket left offers none.
fn explain(s: &DataSession<'_>, (resumed, given, again, tls13): (usize, usize, bool, bool), f: &mut Finding) {
    let spent = tls13 && s.offered != Some(true) && !again;
    if s.offered == Some(true) {
        f.why.push("The client still offered to resume; the server did not take it.".to_owned());
        let because = "what the client offered was not recognized, although it had been before";
        f.causes.push(causes::session_cache_not_shared(Confidence::Likely, because));
    } else if spent {
        let sure = s.offered == Some(false);
        if given > 0 {
            f.why.push(format!("Tickets received until then: {given}; transfers that resumed: {resumed}."));
        }
        let because = match sure {
            true => "its ClientHello offers no ticket any more (no pre_shared_key)",
            false => "TLS 1.3: a ticket is meant for one use, and none may have been left",
        };
        let confidence = if sure && (1..=resumed).contains(&given) { Confidence::Certain } else { Confidence::Likely };
        f.causes.push(causes::tls13_tickets_exhausted(confidence, because));
    } else {
        let because = if again { "now resumed, now not" } else { "resumed at first, and behind some time no longer" };
        f.causes.push(causes::session_cache_not_shared(Confidence::Possible, because));
    }
    if !s.is_refused() {
        f.why.push("The server accepted it all the same; one that demands resumption would refuse.".to_owned());
    }
}

/// Without the bytes: transfers worked, and then one was refused with words about resumption.
fn words(case: &Case<'_>, sink: &mut Sink<'_>) {
    let mut worked = 0;
    let mut no: Option<&Transfer<'_>> = None;
    for t in case.session_transfers() {
        let said = t.refusal().and_then(|r| reuse(&r.reply.text));
        if worked > 0 && said.is_some() && t.data.as_ref().is_none_or(|d| d.events.is_empty()) {
            no = Some(t);
            break;
        }
        worked += usize::from(t.worked() && t.protected != Some(false));
    }
    let Some(t) = no else { return };
    // ProFTPD says the same when a client that had nothing to send never began TLS.
    let text = t.refusal().map(|r| r.reply.text.as_str()).unwrap_or_default();
    let doubt = t.is_upload() && reuse(text) == Some(Reuse::Perhaps) && !is_vsftpd(text);
    let confidence = if doubt { Confidence::Possible } else { Confidence::Likely };
    let (maybe, endpoint) = (probably(confidence), case.endpoint());
    let headlines = [
        format!("{endpoint} {maybe}stopped resuming TLS behind {worked} transfers"),
        format!("the server {maybe}stopped resuming TLS behind {worked} transfers"),
    ];
    let mut f = sink.finding(confidence, Party::Unknown, &headlines);
    (f.severity, f.ended) = (Severity::Failure, true);
    f.set("resumed", worked).set("offered", None::<bool>).set("version", None::<&str>);
    f.set("tickets", None::<usize>).set("command", t.command.map(|c| c.verb));
    f.evidence.extend(t.command.and_then(|c| sink.evidence(c.event, "")));
    show_reply(sink, &mut f, t);
    f.why.push("Earlier transfers of this session were let in, so that the client does resume.".to_owned());
    if doubt {
        f.why.push("An upload of nothing comes to the same words: was the file empty?".to_owned());
    }
    let because = "the first transfers went through, and a later one was refused for want of a resumed session";
    f.causes.push(causes::tls13_tickets_exhausted(Confidence::Likely, because));
    f.causes.push(causes::session_cache_not_shared(Confidence::Possible, "a time-out of the cache looks the same"));
    finish(case, &mut f);
    sink.report(f);
}

fn finish(case: &Case<'_>, f: &mut Finding) {
    let spent = f.causes.first().is_some_and(|c| c.id == "tls13-tickets-exhausted");
    let (party, text) = match spent {
        true => (Party::Client, "client: keep the newest ticket, or use TLS 1.2 at most; the server may give more"),
        false => (Party::Server, "server: a session cache that keeps, and that all nodes share"),
    };
    f.act = Some(Act { party, text: text.to_owned() });
    if spent {
        super::advise::client(case, f, "limit-tls12");
    }
    if let Some(product) = causes::likely_server(case) {
        f.advise("shared-session-cache", &product.id);
        if f.severity == Severity::Failure {
            f.advise("disable-session-reuse", &product.id);
        }
    }
}

//! The first data connections were resumed, a later one was not, and was let in all the same.

use super::data_sessions::{DataSession, Lapse, TLS13, lapse, resumed_of};
use super::data_shake::show_reply;
use super::prelude::*;
use crate::facts::version_name;

pub(super) static RULE: Rule = Rule {
    id: "session-tickets-exhausted",
    severity: Severity::Note,
    outranks: &[],
    page: include_str!("../../docs/findings/session-tickets-exhausted.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all = case.data_sessions();
    // What is refused for it is data-session-reuse-required.
    let Some(Lapse { session: s, before, came_back }) = lapse(&all) else { return };
    let (resumed, of) = resumed_of(&all);
    let endpoint = case.endpoint();
    let behind = if before == 1 { "the first transfer".to_owned() } else { format!("{before} transfers") };
    let what = match came_back {
        true => format!("TLS was resumed {resumed} of {of} times; it stopped behind {before}, and came back"),
        false => format!("TLS was resumed for {behind}, then no longer"),
    };
    let headlines = [format!("{endpoint}: {what}"), what];
    let party = if s.offered == Some(true) { Party::Server } else { Party::Client };
    let mut f = sink.finding(Confidence::Certain, party, &headlines);
    f.ended = false;
    let tickets = case.tickets(s.transfer);
    f.set("resumed", before).set("in_all", resumed).set("of", of).set("came_back", came_back);
    f.set("offered", s.offered).set("version", s.version.map(version_name));
    f.set("tickets", tickets.given).set("command", s.transfer.command.map(|c| c.verb));
    let hello = s.transfer.data.as_ref().and_then(|d| d.client_hello());
    f.evidence.extend(s.transfer.command.and_then(|c| sink.evidence(c.event, "")));
    f.evidence.extend(hello.and_then(|(e, _)| sink.evidence(e, "the first that was not resumed")));
    show_reply(sink, &mut f, s.transfer);
    if let Some(event) = s.transfer.data.as_ref().and_then(|d| d.events.last()) {
        sink.shows_by(&mut f, event);
    }
    explain(case, s, before, &mut f);
    if came_back {
        f.why.push(format!("It came back: {resumed} of {of} data connections were resumed."));
    }
    finish(case, &mut f);
    sink.report(f);
}

/// Ran out, or not taken: who has no ticket left offers none.
fn explain(case: &Case<'_>, s: &DataSession<'_>, resumed: usize, f: &mut Finding) {
    if s.offered == Some(true) {
        f.why.push("The client still offered to resume; the server did not take it.".to_owned());
        let because = "what the client offered was not recognized, although it had been before";
        f.causes.push(causes::session_cache_not_shared(Confidence::Likely, because));
    } else {
        let tickets = case.tickets(s.transfer);
        if tickets.given > 0 && s.version.is_some_and(|v| v >= TLS13) {
            f.why.push(format!("Tickets received until then: {}; offered: {}.", tickets.given, tickets.spent));
        }
        f.causes.extend(tickets.cause(case, s.offered, s.version, resumed));
    }
    if s.is_accepted() {
        let text = "Nothing failed: it was let in all the same; a server that demands resumption would refuse.";
        f.why.push(text.to_owned());
    }
}

fn finish(case: &Case<'_>, f: &mut Finding) {
    let (party, text) = match f.causes.first().map(|c| c.id.as_str()) {
        Some("session-cache-not-shared") => {
            (Party::Server, "server: a session cache that keeps, and that all nodes share")
        }
        _ => (Party::Client, "client: keep the newest ticket, or use TLS 1.2 at most; the server may give more"),
    };
    f.act = Some(Act { party, text: text.to_owned() });
    if f.causes.first().is_some_and(|c| c.id == "tls13-tickets-exhausted") {
        super::advise::client(case, f, "limit-tls12");
    }
    if let Some(product) = causes::likely_server(case) {
        f.advise("shared-session-cache", &product.id);
    }
}

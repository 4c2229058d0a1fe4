//! Data connections make full handshakes: nobody offers to resume, or the server does not take the offer.

use super::data_sessions::{DataSession, TLS13, is_vsftpd, reuse};
use super::data_shake::show_reply;
use super::phase::probably;
use super::prelude::*;
use crate::facts::version_name;

pub(super) static RULE: Rule = Rule {
    id: "data-session-not-resumed",
    severity: Severity::Note,
    outranks: &["control-connection-lost"],
    page: include_str!("../../docs/findings/data-session-not-resumed.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all = case.data_sessions();
    if all.is_empty() || all.iter().any(|s| s.resumed) {
        return; // what worked once and then no longer is another finding
    }
    // Our own client offers whatever the server gave it.
    let demands = |s: &DataSession<'_>| s.transfer.refusal().is_some_and(|r| reuse(&r.reply.text).is_some());
    let willing = |s: &DataSession<'_>| s.offered == Some(true) || case.is_login_run() && demands(s);
    match all.iter().find(|s| willing(s) && s.is_refused()) {
        Some(no) => refused(case, no, all.len(), sink),
        None => accepted(case, &all, sink),
    }
}

fn data(f: &mut Finding, s: &DataSession<'_>, transfers: usize) {
    f.set("transfers", transfers).set("offered", s.offered).set("version", s.version.map(version_name));
}

/// The client offered, the server started afresh, and then refused the connection for it.
fn refused(case: &Case<'_>, s: &DataSession<'_>, transfers: usize, sink: &mut Sink<'_>) {
    let reply = s.transfer.refusal();
    let sure = reply.is_some_and(|r| !case.is_from_log(r.event) && !is_vsftpd(&r.reply.text));
    let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
    let (maybe, endpoint) = (probably(confidence), case.endpoint());
    let headlines = [
        format!("{endpoint} {maybe}did not recognize the TLS session on data, and refused"),
        format!("the server {maybe}did not recognize the TLS session on data, and refused"),
        format!("the server {maybe}forgot the TLS session, and refused data"),
    ];
    let mut f = sink.finding(confidence, Party::Server, &headlines);
    f.severity = Severity::Failure;
    f.ended = true;
    data(&mut f, s, transfers);
    evidence(sink, &mut f, s);
    show_reply(sink, &mut f, s.transfer);
    let (why, because) = if s.offered == Some(true) {
        (
            "The client offered to resume; the server made a full handshake, and then refused the transfer.",
            "the session that the client offered was not recognized on the data connection",
        )
    } else {
        (
            "The server gave out nothing to resume (no ticket, no session id), and refused a new session.",
            "a server that keeps no sessions cannot resume them",
        )
    };
    f.why.push(why.to_owned());
    f.causes.push(causes::session_cache_not_shared(Confidence::Likely, because));
    let text = "server: one node for control and data of a client, and a session cache that keeps";
    f.act = Some(Act { party: Party::Server, text: text.to_owned() });
    advise(case, &mut f);
    sink.report(f);
}

/// Nothing failed.
fn accepted(case: &Case<'_>, all: &[DataSession<'_>], sink: &mut Sink<'_>) {
    let through = |s: &&DataSession<'_>| s.transfer.worked() || s.transfer.has_content();
    let Some(s) = all.iter().find(through) else { return };
    let endpoint = case.endpoint();
    let headlines = match s.offered {
        Some(true) => [
            format!("{endpoint} does not resume TLS sessions on data connections"),
            "the server does not resume TLS sessions on data connections".to_owned(),
        ],
        Some(false) => [
            format!("{endpoint} accepted data without a resumed TLS session"),
            "the client does not resume its TLS session on data connections".to_owned(),
        ],
        None => [
            format!("{endpoint}: data connections begin new TLS sessions"),
            "data connections begin new TLS sessions".to_owned(),
        ],
    };
    let party = if s.offered == Some(true) { Party::Server } else { Party::Client };
    let mut f = sink.finding(Confidence::Certain, party, &headlines);
    f.ended = false;
    data(&mut f, s, all.len());
    evidence(sink, &mut f, s);
    f.why.push(
        "Nothing failed. Each transfer costs a full handshake, and a stranger who is faster gets the port.".to_owned(),
    );
    if s.offered != Some(true) {
        f.why.push("A server that demands resumption refuses this client.".to_owned());
    } else if s.version.is_some_and(|v| v >= TLS13) {
        f.why.push("The ticket that the server itself had given out was not taken.".to_owned());
    }
    sink.report(f);
}

fn evidence(sink: &Sink<'_>, f: &mut Finding, s: &DataSession<'_>) {
    f.evidence.extend(s.transfer.command.and_then(|c| sink.evidence(c.event, "")));
    let hello = s.transfer.data.as_ref().and_then(|d| d.client_hello());
    let label = if s.offered == Some(true) { "offers to resume" } else { "offers nothing to resume" };
    f.evidence.extend(hello.and_then(|(e, _)| sink.evidence(e, label)));
}

fn advise(case: &Case<'_>, f: &mut Finding) {
    let before = f.advice.len();
    if let Some(product) = causes::likely_server(case) {
        f.advise("shared-session-cache", &product.id).advise("disable-session-reuse", &product.id);
    }
    if f.advice.len() == before {
        f.tell(Party::Server, AdviceKind::Lasting, "a session cache that all nodes share, or one node for each client");
    }
}

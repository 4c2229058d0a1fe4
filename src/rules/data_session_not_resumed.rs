//! Data connections make full handshakes, and are let in: nobody offers to resume, or the server does not take the offer.

use super::data_sessions::{DataSession, TLS13};
use super::prelude::*;
use crate::facts::version_name;

pub(super) static RULE: Rule = Rule {
    id: "data-session-not-resumed",
    severity: Severity::Note,
    outranks: &[],
    page: include_str!("../../docs/findings/data-session-not-resumed.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all = case.data_sessions();
    if all.iter().any(|s| s.resumed) {
        return; // what worked once and then no longer is another finding
    }
    // What is refused for it is data-session-reuse-required.
    let Some(s) = all.iter().find(|s| s.is_accepted()) else { return };
    // Our own client offers whatever the server gave it.
    let nothing = case.is_login_run() && s.offered == Some(false);
    let endpoint = case.endpoint();
    let headlines = match s.offered {
        Some(true) => [
            format!("{endpoint} does not resume TLS sessions on data connections"),
            "the server does not resume TLS sessions on data connections".to_owned(),
        ],
        Some(false) if nothing => [
            format!("{endpoint} gives out no TLS session to resume on data"),
            "the server gives out no TLS session to resume on data".to_owned(),
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
    let party = if nothing || s.offered == Some(true) { Party::Server } else { Party::Client };
    let mut f = sink.finding(Confidence::Certain, party, &headlines);
    f.ended = false;
    f.set("transfers", all.len()).set("offered", s.offered).set("version", s.version.map(version_name));
    evidence(sink, &mut f, s);
    f.why.push(
        "Nothing failed. Each transfer costs a full handshake, and a stranger who is faster gets the port.".to_owned(),
    );
    if s.offered == Some(true) {
        if s.version.is_some_and(|v| v >= TLS13) {
            f.why.push("The ticket that the server itself had given out was not taken.".to_owned());
        }
        let because = "the session that the client offered was not recognized on the data connection";
        f.causes.push(causes::session_cache_not_shared(Confidence::Likely, because));
        if let Some(product) = causes::likely_server(case) {
            f.advise("shared-session-cache", &product.id);
        }
    } else if nothing {
        f.why.push("The server gave out nothing to resume: no ticket, no session id.".to_owned());
    } else {
        f.why.push("A server that demands resumption refuses this client.".to_owned());
    }
    sink.report(f);
}

fn evidence(sink: &Sink<'_>, f: &mut Finding, s: &DataSession<'_>) {
    f.evidence.extend(s.transfer.command.and_then(|c| sink.evidence(c.event, "")));
    let hello = s.transfer.data.as_ref().and_then(|d| d.client_hello());
    let label = if s.offered == Some(true) { "offers to resume" } else { "offers nothing to resume" };
    f.evidence.extend(hello.and_then(|(e, _)| sink.evidence(e, label)));
}

//! The connection ended between the ClientHello and any answer to it.

use super::prelude::*;
use crate::transcript::Close;

pub(super) static RULE: Rule = Rule {
    id: "closed-during-handshake",
    severity: Severity::Failure,
    outranks: &["handshake-refused-by-client"],
    page: include_str!("../../docs/findings/closed-during-handshake.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(hello) = case.client_hello() else { return };
    for e in case.after(hello) {
        match &e.kind {
            Kind::Handshake(_) if e.from() == Some(Side::Server) => return,
            Kind::Alert { .. } => return,
            Kind::Closed { by: Side::Server, how } => return found(case, hello, e, *how, sink),
            _ => {}
        }
    }
}

fn found(case: &Case<'_>, hello: &Event, end: &Event, how: Close, sink: &mut Sink<'_>) {
    let seen = how == Close::Fin;
    let confidence = if seen { Confidence::Certain } else { Confidence::Likely };
    let probably = if seen { "" } else { "probably " };
    let mut f = sink.finding(
        confidence,
        Party::Unknown,
        &[
            format!("{} {probably}closed the connection without an answer to the hello", case.endpoint()),
            format!("the server {probably}closed the connection without an answer to the hello"),
        ],
    );
    if let Some(offer) = &case.facts.offer {
        f.evidence.extend(sink.evidence(hello, &offer.summary()));
    }
    f.why.push("Neither an alert nor a text came before the end.".to_owned());
    f.causes.extend(causes::version_refused(case, end, false));
    f.causes.push(causes::tls_not_initialised(case, end, Confidence::Possible));
    f.act = Some(Act { party: Party::Server, text: "server: its TLS log of that second names the reason".to_owned() });
    if f.causes.len() > 1 {
        causes::advise_version(case, &mut f, end);
    } else {
        causes::advise_server_log(case, &mut f, end);
    }
    sink.report(f);
}

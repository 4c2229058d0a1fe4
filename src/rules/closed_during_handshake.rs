//! The connection ended between AUTH or the ClientHello and any answer to it.

use super::phase::{Broken, End, advise_server, probably};
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
    let closed = |b: &Broken<'_>| matches!(b.how, End::Closed(Close::Fin | Close::Unknown));
    if let Some(broken) = case.broken_handshake().filter(closed) {
        ended(case, &broken, "Neither a fatal alert nor a text came before the end.", sink);
    }
}

/// The finding of an end without a word; a reset tells the same story.
pub(super) fn ended(case: &Case<'_>, b: &Broken<'_>, fact: &str, sink: &mut Sink<'_>) {
    let confidence = if b.from_log { Confidence::Likely } else { b.how.confidence() };
    let probably = probably(confidence);
    let (endpoint, did) = (case.endpoint(), b.how.did());
    let place = match b.place {
        "auth" => "without an answer to AUTH",
        "client-hello" => "without an answer to the hello",
        _ => "in the middle of the handshake",
    };
    let mut f = sink.finding(
        confidence,
        Party::Unknown,
        &[format!("{endpoint} {probably}{did} {place}"), format!("the server {probably}{did} {place}")],
    );
    f.set("place", b.place);
    if b.place == "auth" {
        f.evidence.extend(sink.evidence(b.asked, "never answered"));
    } else if let Some(offer) = &case.facts.offer {
        f.evidence.extend(sink.evidence(b.asked, &offer.summary()));
    }
    f.why.push(fact.to_owned());
    explain(case, b, &mut f);
    sink.report(f);
}

/// Seconds of silence before the end, when they are those of a clock that ran out.
fn waited(case: &Case<'_>, b: &Broken<'_>) -> Option<f64> {
    let last = case.before(b.end).filter(|e| e.from().is_some()).last()?;
    let waited = b.end.at?.0.saturating_sub(last.at?.0) as f64 / 1e6;
    (waited >= SHORTEST_TIMEOUT).then_some(waited)
}

/// Seconds: no server that refuses takes so long, and no timeout is shorter.
const SHORTEST_TIMEOUT: f64 = 4.5;

fn explain(case: &Case<'_>, b: &Broken<'_>, f: &mut Finding) {
    let inspection = "firewalls that inspect FTP end what they cannot follow";
    if b.place == "auth" {
        f.causes.push(causes::middlebox_closed(Confidence::Likely, inspection));
        f.act = Some(Act {
            party: Party::Between,
            text: "network: exempt this connection from FTP inspection; server: its log".to_owned(),
        });
        causes::advise_server_log(case, f, b.end);
        return;
    }
    if let Some(waited) = waited(case, b) {
        let because = format!("it closed after {waited:.0} s without a word; a refusal comes at once");
        f.causes.push(causes::server_handshake_timeout(because));
        advise_server(case, f, "handshake-timeout");
    }
    if b.place == "client-hello" {
        f.causes.extend(causes::version_refused(case, b.end, false));
    }
    f.causes.push(causes::tls_not_initialised(case, b.end, Confidence::Possible));
    f.causes.push(causes::middlebox_closed(Confidence::Possible, inspection));
    f.act = Some(Act { party: Party::Server, text: "server: its TLS log of that second names the reason".to_owned() });
    if f.causes.iter().any(|c| c.id == "client-tls-version-refused") {
        causes::advise_version(case, f, b.end);
    } else {
        causes::advise_server_log(case, f, b.end);
    }
    advise_server(case, f, "fix-certificate");
}

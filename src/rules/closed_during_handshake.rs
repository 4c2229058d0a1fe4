//! The connection ended between AUTH or the ClientHello and any answer to it.

use super::by_words;
use super::client_auth;
use super::phase::{Broken, End, advise_server, probably};
use super::plaintext_instead_of_tls::client_gave_up;
use super::prelude::*;
use crate::transcript::Close;
use crate::wire::tls::handshake::Message;
use crate::wire::tls::ssl2;

pub(super) static RULE: Rule = Rule {
    id: "closed-during-handshake",
    severity: Severity::Failure,
    outranks: &["handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/closed-during-handshake.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let closed = |b: &Broken<'_>| matches!(b.how, End::Closed(Close::Fin | Close::Unknown));
    if let Some(broken) = case.broken_handshake().filter(closed) {
        return ended(case, &broken, "Neither a fatal alert nor a text came before the end.", sink);
    }
    if !by_client(case, sink) {
        by_words(case, sink);
    }
}

/// The client left behind the ServerHello, and the server then says in clear that this was no handshake.
fn by_client(case: &Case<'_>, sink: &mut Sink<'_>) -> bool {
    let text = |e: &&Event| e.from() == Some(Side::Server) && matches!(e.kind, Kind::TextInsteadOfTls { .. });
    let Some(text) = case.control().find(text).filter(|e| client_gave_up(case, e)) else { return false };
    let alert = |e: &Event| matches!(e.kind, Kind::Alert { .. } | Kind::Opaque { .. });
    let left = case.before(text).find(|e| matches!(e.kind, Kind::Closed { by: Side::Client, .. }));
    let Some(left) = left.filter(|e| !case.before(e).any(alert)) else { return false };
    let headlines = ["the client closed the connection behind the ServerHello, without a word".to_owned()];
    let sure = !case.direction_is_assumed() && !case.is_from_log(text);
    let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
    let mut f = sink.finding(confidence, Party::Client, &headlines);
    f.set("place", "server-hello");
    if let (Some(hello), Some(offer)) = (case.client_hello(), &case.facts.offer) {
        f.evidence.extend(sink.evidence(hello, &offer.summary()));
    }
    f.evidence.extend(sink.evidence(left, "no alert before it"));
    f.evidence.extend(sink.evidence(text, "a consequence: the client had left"));
    let last = case.before(left).filter(|e| e.from() == Some(Side::Server)).last().and_then(|e| e.at);
    if let (Some(last), Some(end)) = (last, left.at) {
        let waited = end.0.saturating_sub(last.0) as f64 / 1e6;
        f.why.push(format!("It left {waited:.1} s behind the server's last word."));
    }
    f.why.push("The server had taken version and suite; what it says behind that end names no cause.".to_owned());
    f.act =
        Some(Act { party: Party::Client, text: "client: its own log names the reason, or its time-out".to_owned() });
    sink.report(f);
    true
}

/// A program says that the partner closed (-22), and the bytes are not there.
fn by_words(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(said) = by_words::said(case, RULE.id) else { return };
    let (who, other) = if said.is_of_server() { ("the server", "the client") } else { ("the client", "the server") };
    let headlines = [format!("{who} says that {other} closed during the handshake{}", said.code())];
    let mut f = said.finding(case, sink, Party::Unknown, &headlines);
    f.set("place", serde_json::Value::Null);
    let (party, log) = if said.is_of_server() { (Party::Client, "client") } else { (Party::Server, "server") };
    let text = format!("{log}: its own log of that second names the reason; else the network");
    f.act = Some(Act { party, text });
    sink.report(f);
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
    let mut f = sink.finding(confidence, Party::Unknown, &headlines(&endpoint, b, probably, &did, place));
    f.set("place", b.place);
    if b.place == "auth" {
        f.evidence.extend(sink.evidence(b.asked, "never answered"));
    } else if let Some(offer) = &case.facts.offer {
        f.evidence.extend(sink.evidence(b.asked, &offer.summary()));
    }
    let goodbye =
        |e: &Event| e.from() == Some(Side::Server) && matches!(e.kind, Kind::Alert { level: 1, description: 0 });
    let spoke = |e: &Event| {
        e.from() == Some(Side::Server) && matches!(e.kind, Kind::CutShort { .. } | Kind::OtherInsteadOfTls { .. })
    };
    let came = case.before(b.end).find(|e| goodbye(e)).map(|e| (e, "close_notify: it said goodbye in TLS"));
    let came = came.or_else(|| case.before(b.end).find(|e| spoke(e)).map(|e| (e, "what came before the end")));
    let refused = case.before(b.end).find_map(|e| ssl2_error(e).map(|why| (e, why)));
    if let Some((e, why)) = refused {
        f.evidence.extend(sink.evidence(e, "an error of SSL 2"));
        f.why.push(format!("Before that the server said in SSL 2: {why}."));
    }
    if let Some((e, label)) = came {
        f.evidence.extend(sink.evidence(e, label));
    } else {
        f.why.push(fact.to_owned());
    }
    if let Some(at) = case.second(b.end) {
        f.why.push(format!("The end came at {at}."));
    }
    explain(case, b, &mut f);
    sink.report(f);
}

/// What a server says that refuses a hello in SSL 2.
fn ssl2_error(e: &Event) -> Option<&'static str> {
    match e.kind {
        Kind::Handshake(Message::Ssl2Error { code }) => Some(ssl2::error_name(code).unwrap_or("unknown error")),
        _ => None,
    }
}

/// Whose turn it is shows in the server's log: whether the connection is in it.
pub(super) fn advise_log_or_network(case: &Case<'_>, f: &mut Finding, b: &Broken<'_>) {
    // A silence ends when the client's patience does; the server has seen the question before.
    let moment = if matches!(b.how, End::Silent(_)) { b.asked } else { b.end };
    let when = case.second(moment).map_or_else(String::new, |at| format!(" at {at}"));
    let text = format!("its TLS log{when}: is this connection in it? Yes: it names the reason. No: the network");
    f.tell(Party::Server, AdviceKind::Check, text);
    f.tell(Party::Between, AdviceKind::Check, "firewalls that inspect FTP: exempt this connection");
}

/// Who sent a reset does not show.
fn headlines(endpoint: &str, b: &Broken<'_>, probably: &str, did: &str, place: &str) -> Vec<String> {
    if b.how == End::Closed(Close::Reset) {
        return vec![
            format!("{endpoint}: the connection {probably}was reset {place}"),
            format!("the connection {probably}was reset {place}"),
        ];
    }
    vec![format!("{endpoint} {probably}{did} {place}"), format!("the server {probably}{did} {place}")]
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
    if b.place == "client-hello" || case.before(b.end).any(|e| ssl2_error(e).is_some()) {
        f.causes.extend(causes::version_refused(case, b.end, false));
    }
    // One that has sent its hello has certificate and key.
    if b.place == "client-hello" {
        f.causes.push(causes::tls_not_initialised(case, b.end, Confidence::Possible));
    }
    let story = client_auth::read(case);
    if story.request.is_some() && story.sent == client_auth::Sent::Nothing {
        let because = "the server asked for one, was sent an empty list, and ended the handshake";
        f.causes.push(causes::client_certificate_missing(Confidence::Likely, because));
    }
    f.causes.push(causes::middlebox_closed(Confidence::Possible, inspection));
    f.act = Some(Act {
        party: Party::Server,
        text: "server: is this connection in its TLS log? It names the reason; else the network".to_owned(),
    });
    if f.causes.iter().any(|c| c.id == "client-tls-version-refused") {
        causes::advise_version(case, f, b.end);
    } else {
        advise_log_or_network(case, f, b);
    }
    advise_server(case, f, "fix-certificate");
}

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
    let (who, other) = (said.who(), said.partner());
    let headline = match said.is_io() {
        true => format!("{who} says that the connection failed in the handshake{}", said.code()),
        false => format!("{who} says that {other} closed during the handshake{}", said.code()),
    };
    let mut f = said.finding(case, sink, Party::Unknown, &[headline]);
    f.set("place", serde_json::Value::Null);
    let (party, log) = match () {
        () if said.is_of_unknown_end() => (Party::Unknown, "partner"),
        () if said.is_of_server() => (Party::Client, "client"),
        () => (Party::Server, "server"),
    };
    let text = format!("{log}: its own log of that second names the reason; else the network");
    f.act = Some(Act { party, text });
    if said.is_io() {
        let because = "the partner, or a firewall in between, ended it; the code does not say which";
        f.causes.push(causes::middlebox_closed(Confidence::Possible, because));
        f.tell(Party::Between, AdviceKind::Check, causes::FIREWALLS);
    }
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
    if let Some(waited) = clients_turn(case, b) {
        return left_waiting(case, b, waited, confidence, sink);
    }
    let came = answer(case, b);
    let spoke = came.as_ref().filter(|_| b.how != End::Closed(Close::Reset));
    let lines = spoke.and_then(|c| c.headlines(&endpoint, probably, &did));
    let lines = lines.unwrap_or_else(|| headlines(&endpoint, b, probably, &did, place));
    let mut f = sink.finding(confidence, Party::Unknown, &lines);
    f.set("place", b.place);
    if b.place == "auth" {
        f.evidence.extend(sink.evidence(b.asked, "never answered"));
    } else if let Some(offer) = &case.facts.offer {
        f.evidence.extend(sink.evidence(b.asked, &offer.summary()));
    }
    let refused = case.before(b.end).find_map(|e| ssl2_error(e).map(|why| (e, why)));
    if let Some((e, why)) = refused {
        f.evidence.extend(sink.evidence(e, "an error of SSL 2"));
        f.why.push(format!("Before that the server said in SSL 2: {why}."));
    }
    match &came {
        Some(came) => came.shows(&mut f, sink),
        None => f.why.push(fact.to_owned()),
    }
    if let Some(at) = case.second(b.end) {
        f.why.push(format!("The end came at {at}."));
    }
    explain(case, b, came.as_ref().filter(|c| c.alone), &mut f);
    sink.report(f);
}

/// What the server sent instead of a ServerHello, which ends no handshake by itself.
enum Instead {
    /// close_notify, or another alert that is no fatal one.
    Alert(u8),
    /// So many bytes that are no TLS, or the beginning of something.
    Bytes(u64),
    /// So many bytes of something in TLS, of which so many are missing, where that can be told.
    Begun(&'static str, u64, Option<u64>),
}

/// What came before the end, and the event by which it shows.
struct Came<'a> {
    event: &'a Event,
    what: Instead,
    /// Whether it is all of the answer: nothing of a handshake came.
    alone: bool,
}

fn answer<'a>(case: &Case<'a>, b: &Broken<'_>) -> Option<Came<'a>> {
    let of_server = || case.before(b.end).filter(|e| e.from() == Some(Side::Server));
    let alert = of_server().find_map(|e| match e.kind {
        Kind::Alert { level, description } if level == 1 || description == CLOSE_NOTIFY => {
            Some((e, Instead::Alert(description)))
        }
        _ => None,
    });
    let bytes = |e: &Event| matches!(e.kind, Kind::CutShort { .. } | Kind::OtherInsteadOfTls { .. });
    let what = |e: &Event| match (&e.kind, e.span.map_or(0, |s| s.len())) {
        (Kind::CutShort { what, missing }, len) if *what != "reply" => Instead::Begun(what, len, *missing),
        (_, len) => Instead::Bytes(len),
    };
    let sent = || of_server().find(|e| bytes(e)).map(|e| (e, what(e)));
    let (event, what) = alert.or_else(sent)?;
    Some(Came { event, what, alone: b.place == "client-hello" })
}

const CLOSE_NOTIFY: u8 = 0;

/// Bytes that are shown of what is no TLS.
const SHOWN: usize = 8;

impl Came<'_> {
    fn headlines(&self, endpoint: &str, probably: &str, did: &str) -> Option<Vec<String>> {
        let answer = match self.what {
            Instead::Alert(CLOSE_NOTIFY) => "close_notify".to_owned(),
            Instead::Alert(n) => format!("alert {n} {}", name_of(n)),
            Instead::Bytes(len) => format!("{len} bytes that are no TLS"),
            Instead::Begun(what, len, Some(missing)) => format!("{len} of {} bytes of a {what}", len + missing),
            Instead::Begun(what, ..) => format!("the beginning of a {what}"),
        };
        let line = |who: &str| format!("{who} {probably}answered the hello with {answer}, and {did}");
        let short = |who: &str| format!("{who} {probably}answered the hello with {answer}");
        self.alone.then(|| vec![line(endpoint), short(endpoint), short("the server")])
    }

    fn shows(&self, f: &mut Finding, sink: &Sink<'_>) {
        let label = match self.what {
            Instead::Alert(CLOSE_NOTIFY) => "close_notify: it said goodbye in TLS".to_owned(),
            Instead::Alert(n) => format!("alert {n} {}, a warning", name_of(n)),
            Instead::Bytes(_) => "what came before the end".to_owned(),
            Instead::Begun(what, ..) => format!("the beginning of a {what}; the rest did not come"),
        };
        let shown = sink.evidence(self.event, &label);
        if let (Instead::Bytes(len), Some(e)) = (&self.what, &shown)
            && *len > SHOWN as u64
        {
            let octets: Vec<String> = e.hex.as_bytes().chunks(2).take(SHOWN).map(crate::wire::printable).collect();
            f.why.push(format!("It begins with {}.", octets.join(" ")));
        }
        f.evidence.extend(shown);
        if let Some(alert) = self.alert().filter(|n| *n != CLOSE_NOTIFY).and_then(crate::codes::alert) {
            f.why.push(format!("Alert {} says: {}.", alert.code, alert.meaning.trim_end_matches('.')));
        }
    }

    fn alert(&self) -> Option<u8> {
        match self.what {
            Instead::Alert(n) => Some(n),
            Instead::Bytes(_) | Instead::Begun(..) => None,
        }
    }
}

fn name_of(alert: u8) -> String {
    crate::codes::alert(alert).map_or_else(|| "(unknown)".to_owned(), |a| a.name.to_owned())
}

/// Seconds for which the server waited behind its ServerHelloDone, where it was the client's turn.
fn clients_turn(case: &Case<'_>, b: &Broken<'_>) -> Option<f64> {
    let last = case.before(b.end).filter(|e| e.from().is_some() || matches!(e.kind, Kind::Gap { .. })).last()?;
    let done = matches!(last.kind, Kind::Handshake(Message::Other { kind: SERVER_HELLO_DONE }));
    waited(case, b).filter(|_| done && b.how == End::Closed(Close::Fin))
}

/// The last message of the server's flight, up to TLS 1.2.
const SERVER_HELLO_DONE: u8 = 14;

/// The server had said all that was its part, and the client did not go on.
fn left_waiting(case: &Case<'_>, b: &Broken<'_>, waited: f64, confidence: Confidence, sink: &mut Sink<'_>) {
    let endpoint = case.endpoint();
    let headlines = [
        format!("the client did not go on behind the certificate; {endpoint} closed"),
        format!("the client did not go on behind the certificate for {waited:.0} s"),
    ];
    let mut f = sink.finding(confidence, Party::Client, &headlines);
    f.set("place", b.place);
    if let Some(offer) = &case.facts.offer {
        f.evidence.extend(sink.evidence(b.asked, &offer.summary()));
    }
    let done = case.before(b.end).filter(|e| e.from() == Some(Side::Server)).last();
    f.evidence.extend(done.and_then(|e| sink.evidence(e, "ServerHelloDone: the client's turn")));
    f.why.push(format!("Then nothing for {waited:.0} s: no ClientKeyExchange, and no alert."));
    if let Some(at) = case.second(b.end) {
        f.why.push(format!("The server closed at {at}."));
    }
    let because = format!("it closed after {waited:.0} s in which it was the client's turn");
    f.causes.push(causes::server_handshake_timeout(because, true));
    let lost = "large packets may not have reached the client: the certificate is the first one";
    f.causes.push(causes::middlebox_closed(Confidence::Possible, lost));
    let text = "client: what held it up behind the certificate? A prompt, or its own log";
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    f.tell(Party::Client, AdviceKind::Check, "does it ask somebody whether to trust the certificate?");
    f.tell(
        Party::Between,
        AdviceKind::Check,
        "a capture at the client: did the server's certificate arrive there whole?",
    );
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

fn explain(case: &Case<'_>, b: &Broken<'_>, came: Option<&Came<'_>>, f: &mut Finding) {
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
        f.causes.push(causes::server_handshake_timeout(because, false));
        advise_server(case, f, "handshake-timeout");
    }
    if b.place == "client-hello" || case.before(b.end).any(|e| ssl2_error(e).is_some()) {
        f.causes.extend(causes::version_refused(case, b.end, false));
    }
    // One that has sent its hello has certificate and key, and one whose TLS never started says nothing in TLS.
    if b.place == "client-hello" && came.is_none() {
        f.causes.push(causes::tls_not_initialised(case, b.end, Confidence::Possible));
    }
    let story = client_auth::read(case);
    if story.request.is_some() && story.sent == client_auth::Sent::Nothing {
        let because = "the server asked for one, was sent an empty list, and ended the handshake";
        f.causes.push(causes::client_certificate_missing(Confidence::Likely, because));
    }
    f.causes.push(causes::middlebox_closed(Confidence::Possible, inspection));
    let text = match came.map(|c| &c.what) {
        Some(Instead::Bytes(_)) => "server: which program wrote these bytes? Else the network",
        Some(Instead::Begun(..)) => "server: its log of that second: what broke off its answer? Else the network",
        Some(Instead::Alert(_)) => "server: its TLS log of that second names the reason",
        None => "server: is this connection in its TLS log? It names the reason; else the network",
    };
    f.act = Some(Act { party: Party::Server, text: text.to_owned() });
    if f.causes.iter().any(|c| c.id == "client-tls-version-refused") {
        causes::advise_version(case, f, b.end);
    } else {
        advise_log_or_network(case, f, b);
    }
    if came.is_none() {
        advise_server(case, f, "fix-certificate");
    }
}

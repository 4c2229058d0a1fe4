//! What an endpoint does beside choosing from lists, as an audit saw it.

use std::collections::BTreeSet;

use super::accepted::accepts;
use super::accepts::Takes;
use super::audited::{Answered, Question};
use crate::decode::{Event, Kind};
use crate::transcript::{Decrypted, Layer, topics};
use crate::wire::tls::extensions::ext;
use crate::wire::tls::handshake::Message;
use crate::wire::tls::hello::ServerHello;
use crate::wire::tls::share::X25519_MLKEM768;

/// TLS 1.3, in which much of this is gone or hidden.
const TLS13: u16 = 0x0304;

/// inappropriate_fallback.
const INAPPROPRIATE_FALLBACK: u8 = 86;

/// One habit of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habit {
    /// A short name for scripts.
    pub id: &'static str,
    /// What it is, for people.
    pub name: &'static str,
    /// Whether the endpoint has it.
    pub has: Takes,
    /// More, where there is more to say.
    pub detail: String,
}

/// All habits that were looked at.
pub fn habits(questions: &[Question<'_>]) -> Vec<Habit> {
    let habit = |id, name, has| Habit { id, name, has, detail: String::new() };
    let old = || questions.iter().filter_map(hello).filter(|h| h.negotiated() < TLS13);
    let of_old = |is: &dyn Fn(&ServerHello) -> bool| yes_or_no(old().map(is));
    let mut out = vec![
        habit("secure-renegotiation", "secure renegotiation", of_old(&|h| h.has(ext::RENEGOTIATION_INFO))),
        habit("extended-master-secret", "extended master secret", of_old(&|h| h.has(ext::EXTENDED_MASTER_SECRET))),
        habit("session-ids", "session ids", session_ids(questions)),
        habit("session-tickets", "session tickets", tickets(questions, of_old(&|h| h.has(ext::SESSION_TICKET)))),
    ];
    for (id, name) in [("resumption-tls13", "resumption in TLS 1.3"), ("resumption-tls12", "resumption in TLS 1.2")] {
        // Who is refused behind the handshake gets nothing to resume; and where nothing was offered, nothing was refused.
        let of = |q: &&Question<'_>| {
            let is_of_version = hello(q).is_some_and(|h| (h.negotiated() == TLS13) == (id == "resumption-tls13"));
            q.topic() == topics::RESUMPTION
                && is_of_version
                && (spoke(q) && offers_a_session(q) || q.resumed() == Some(true))
        };
        let has = yes_or_no(questions.iter().filter(of).filter_map(Question::resumed));
        let has = if has == Takes::Unknown && gives_nothing(questions, id) { Takes::No } else { has };
        out.push(habit(id, name, has));
    }
    let chose = |topic: &str| questions.iter().filter(|q| q.topic() == topic).find_map(hello);
    out.push(habit("compression", "compression", answer(chose(topics::COMPRESSION).map(|h| h.compression != 0))));
    out.push(habit("fallback-signal", "fallback signal (RFC 7507)", fallback(questions)));
    let stapled = |q: &Question<'_>| {
        let is = |m: &Message| matches!(m, Message::CertificateStatus { .. });
        q.events.iter().any(|e| matches!(&e.kind, Kind::Handshake(m) if is(m)))
    };
    // What may follow as long as the flight is not whole is no no.
    let asked = questions.iter().filter(|q| q.topic() == topics::STAPLING && q.is_taken());
    let asked = asked.filter(|q| q.is_whole() || stapled(q));
    out.push(habit("stapling", "stapled OCSP answer", yes_or_no(asked.map(stapled))));
    let alpn = chose(topics::ALPN).filter(|h| h.negotiated() < TLS13);
    out.push(habit("alpn", "ALPN", answer(alpn.map(|h| h.has(ext::ALPN)))));
    let retry =
        |q: &Question<'_>| q.events.iter().any(|e| matches!(&e.kind, Kind::Handshake(Message::HelloRetryRequest(_))));
    let tls13 = questions.iter().filter(|q| hello(q).is_some_and(|h| h.negotiated() == TLS13));
    let retries = if tls13.clone().any(retry) { Takes::Yes } else { Takes::Unknown };
    out.push(habit("hello-retry-request", "HelloRetryRequest", retries));
    let quantum = chose(topics::POST_QUANTUM).map(|h| h.group() == Some(X25519_MLKEM768));
    out.push(habit("post-quantum", "post-quantum key exchange", answer(quantum)));
    let format = accepts(questions).map_or(Takes::Unknown, |a| a.ssl2_format);
    if format != Takes::Unknown {
        out.push(habit("ssl2-format", "hellos in SSL 2 format", format));
    }
    out.extend([name(questions), client_certificate(questions)]);
    for habit in out.iter_mut().filter(|h| h.has == Takes::Unknown && !is_asked(questions, h.id)) {
        habit.detail = NOT_ASKED.to_owned();
    }
    if is_tls13_alone(questions) {
        let gone = out.iter_mut().filter(|h| h.has == Takes::Unknown && OF_OLD.contains(&h.id));
        gone.for_each(|h| h.detail = GONE.to_owned());
    }
    out
}

/// The detail of what no question was about.
pub const NOT_ASKED: &str = "(not asked)";

/// What a habit shows by: a topic, or an answer up to TLS 1.2, or one in TLS 1.3.
fn is_asked(questions: &[Question<'_>], id: &str) -> bool {
    let about = |topic: &str| questions.iter().any(|q| q.topic() == topic);
    let chose = |is: fn(u16) -> bool| questions.iter().filter_map(hello).any(|h| is(h.negotiated()));
    match id {
        "resumption-tls13" => about(topics::RESUMPTION) && chose(|v| v == TLS13),
        "resumption-tls12" => about(topics::RESUMPTION),
        "compression" => about(topics::COMPRESSION),
        "fallback-signal" => about(topics::FALLBACK),
        "stapling" => about(topics::STAPLING),
        "alpn" => about(topics::ALPN),
        "post-quantum" => about(topics::POST_QUANTUM),
        "certificate-by-name" => about(topics::OTHER_NAME),
        "hello-retry-request" => chose(|v| v == TLS13),
        "client-certificate" => about(topics::CONTROL),
        _ => chose(|v| v < TLS13),
    }
}

/// The detail of what an endpoint cannot have, because it speaks TLS 1.3 alone.
pub const GONE: &str = "(not in TLS 1.3)";

/// What TLS 1.3 has no more, or does in another way.
const OF_OLD: [&str; 6] = [
    "secure-renegotiation",
    "extended-master-secret",
    "session-ids",
    "resumption-tls12",
    "compression",
    "fallback-signal",
];

fn is_tls13_alone(questions: &[Question<'_>]) -> bool {
    let Some(accepts) = accepts(questions) else { return false };
    let takes = |version: u16| accepts.of(version).map_or(Takes::Unknown, |v| v.takes);
    takes(TLS13) == Takes::Yes && [0x0303, 0x0302, 0x0301, 0x0300].into_iter().all(|v| takes(v) == Takes::No)
}

fn hello<'a>(q: &Question<'a>) -> Option<&'a ServerHello> {
    match q.answer {
        Answered::Chose(hello) => Some(hello),
        _ => None,
    }
}

/// Whether the server answered a command inside TLS.
fn spoke(q: &Question<'_>) -> bool {
    q.events.iter().any(|e| is_inside(e) && matches!(e.kind, Kind::Reply(_)))
}

/// Whether the server gave our own engine nothing that could be offered again, though it went on behind the handshake.
fn gives_nothing(questions: &[Question<'_>], id: &str) -> bool {
    let is_tls13 = id == "resumption-tls13";
    let of = |q: &&Question<'_>| spoke(q) && hello(q).is_some_and(|h| (h.negotiated() == TLS13) == is_tls13);
    let mut visits = questions.iter().filter(of).peekable();
    let ticket = |e: &&Event| matches!(e.kind, Kind::Decrypted { seen: Decrypted::Ticket, .. });
    let gives = |q: &Question<'_>| match hello(q) {
        Some(h) if !is_tls13 => !h.session_id.is_empty() || h.has(ext::SESSION_TICKET),
        _ => q.events.iter().any(ticket),
    };
    visits.peek().is_some() && !visits.any(gives)
}

/// TLS 1.3 shows its tickets to our own engine alone.
fn tickets(questions: &[Question<'_>], old: Takes) -> Takes {
    let is = |e: &&Event| matches!(e.kind, Kind::Decrypted { seen: Decrypted::Ticket, .. });
    if questions.iter().any(|q| q.events.iter().any(is)) { Takes::Yes } else { old }
}

/// A server that gives tickets may give no session id beside: only who was not offered tickets says no.
fn session_ids(questions: &[Question<'_>]) -> Takes {
    let old = || questions.iter().filter_map(|q| Some((q, hello(q)?))).filter(|(_, h)| h.negotiated() < TLS13);
    let gives = |h: &ServerHello| !h.session_id.is_empty();
    let without = |q: &Question<'_>| q.hello.is_some_and(|h| h.extension(ext::SESSION_TICKET).is_none());
    match () {
        () if old().any(|(_, h)| gives(h)) => Takes::Yes,
        () if old().any(|(q, _)| without(q)) => Takes::No,
        () => Takes::Unknown,
    }
}

/// Whether a hello offers to resume a session.
fn offers_a_session(q: &Question<'_>) -> bool {
    let Some(hello) = q.hello else { return false };
    let ticket = hello.extension(ext::SESSION_TICKET).is_some_and(|ticket| !ticket.is_empty());
    let is_old = !hello.versions().contains(&TLS13);
    hello.extension(ext::PRE_SHARED_KEY).is_some() || ticket || is_old && !hello.session_id.is_empty()
}

fn is_inside(e: &Event) -> bool {
    e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls)
}

/// Yes where one says so, no where all that can say no.
fn yes_or_no(mut said: impl Iterator<Item = bool>) -> Takes {
    match said.next() {
        None => Takes::Unknown,
        Some(first) => answer(Some(first || said.any(|s| s))),
    }
}

fn answer(said: Option<bool>) -> Takes {
    match said {
        Some(true) => Takes::Yes,
        Some(false) => Takes::No,
        None => Takes::Unknown,
    }
}

/// Whether the server refuses a client that says its first try, with a higher version, came to nothing.
fn fallback(questions: &[Question<'_>]) -> Takes {
    let asked = questions.iter().find(|q| q.topic() == topics::FALLBACK);
    match asked.map(|q| q.answer) {
        Some(Answered::Alert(INAPPROPRIATE_FALLBACK)) => Takes::Yes,
        Some(Answered::Chose(_)) => Takes::No,
        _ => Takes::Unknown,
    }
}

/// Whether the certificate depends on the server name.
fn name(questions: &[Question<'_>]) -> Habit {
    let first = |topic: &str| questions.iter().filter(|q| q.topic() == topic).find_map(Question::certificate);
    let usual = first(topics::CONTROL);
    let others: Vec<_> = [topics::NO_NAME, topics::OTHER_NAME].into_iter().filter_map(first).collect();
    let differs = usual.filter(|_| !others.is_empty()).map(|usual| others.iter().any(|other| *other != usual));
    let (id, name) = ("certificate-by-name", "another certificate for unknown names");
    Habit { id, name, has: answer(differs), detail: String::new() }
}

/// The authorities that the server names where it asks for a client certificate, DER each; `None` where it does not ask.
fn requested<'a>(q: &Question<'a>) -> Option<Vec<&'a [u8]>> {
    q.events.iter().find_map(|e| match &e.kind {
        Kind::Handshake(Message::CertificateRequest { authorities, .. }) => {
            Some(authorities.iter().map(Vec::as_slice).collect())
        }
        Kind::Decrypted { seen: Decrypted::CertificateRequest { authorities, .. }, .. } => {
            Some(authorities.iter().map(|der| der.0.as_slice()).collect())
        }
        _ => None,
    })
}

/// The authorities whose client certificates the server asks for, DER each, in the order in which they were first named.
pub fn authorities<'a>(questions: &[Question<'a>]) -> Vec<&'a [u8]> {
    let mut known: BTreeSet<&'a [u8]> = BTreeSet::new();
    questions.iter().filter_map(requested).flatten().filter(|name| known.insert(name)).collect()
}

/// Whether it asks for a client certificate, and of how many authorities.
fn client_certificate(questions: &[Question<'_>]) -> Habit {
    let mut seen = Vec::new();
    for q in questions.iter().filter(|q| q.is_taken()) {
        let asked = requested(q).is_some();
        // TLS 1.3 hides it from hellos that are built by hand; and a request may follow as long as the flight is not whole.
        if asked || q.is_whole() {
            seen.push(asked);
        }
    }
    let detail = match authorities(questions).len() {
        _ if !seen.contains(&true) => String::new(),
        0 => "of any authority".to_owned(),
        1 => "of one authority".to_owned(),
        n => format!("of {n} authorities"),
    };
    Habit { id: "client-certificate", name: "client certificate request", has: yes_or_no(seen.into_iter()), detail }
}

//! What an endpoint does beside choosing from lists, as an audit saw it.

use std::collections::BTreeSet;

use super::accepted::accepts;
use super::accepts::Takes;
use super::audited::{Answered, Question};
use crate::codes;
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
        habit("session-tickets", "session tickets", of_old(&|h| h.has(ext::SESSION_TICKET))),
    ];
    for (id, name, detail) in [
        ("resumption-tls13", "resumes sessions", "as the session"),
        ("resumption-tls12", "resumes sessions of TLS 1.2", "TLS 1.2, again"),
    ] {
        // Who is refused behind the handshake gets nothing to resume.
        let spoke = |q: &Question<'_>| q.events.iter().any(|e| is_inside(e) && matches!(e.kind, Kind::Reply(_)));
        let of = |q: &&Question<'_>| {
            q.topic() == topics::RESUMPTION
                && q.changed.iter().any(|c| c == detail)
                && (spoke(q) || q.resumed() == Some(true))
        };
        out.push(habit(id, name, yes_or_no(questions.iter().filter(of).filter_map(Question::resumed))));
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
    out.push(habit("alpn", "names the protocol (ALPN)", answer(alpn.map(|h| h.has(ext::ALPN)))));
    let retry =
        |q: &Question<'_>| q.events.iter().any(|e| matches!(&e.kind, Kind::Handshake(Message::HelloRetryRequest(_))));
    let tls13 = questions.iter().filter(|q| hello(q).is_some_and(|h| h.negotiated() == TLS13));
    let retries = if tls13.clone().any(retry) { Takes::Yes } else { Takes::Unknown };
    out.push(habit("hello-retry-request", "HelloRetryRequest", retries));
    let quantum = chose(topics::POST_QUANTUM).map(|h| h.group() == Some(X25519_MLKEM768));
    out.push(habit("post-quantum", "post-quantum key exchange", answer(quantum)));
    let format = accepts(questions).map_or(Takes::Unknown, |a| a.ssl2_format);
    if format != Takes::Unknown {
        out.push(habit("ssl2-format", "hellos in the format of SSL 2", format));
    }
    out.extend([name(questions), client_certificate(questions)]);
    if is_tls13_alone(questions) {
        let gone = out.iter_mut().filter(|h| h.has == Takes::Unknown && OF_OLD.contains(&h.id));
        gone.for_each(|h| h.detail = GONE.to_owned());
    }
    out
}

/// The detail of what an endpoint cannot have, because it speaks TLS 1.3 alone.
pub const GONE: &str = "(not in TLS 1.3)";

/// What TLS 1.3 has no more, or does in another way.
const OF_OLD: [&str; 7] = [
    "secure-renegotiation",
    "extended-master-secret",
    "session-ids",
    "session-tickets",
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
    let (id, name) = ("certificate-by-name", "another certificate for another name");
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
    Habit { id: "client-certificate", name: "asks for a client certificate", has: yes_or_no(seen.into_iter()), detail }
}

/// The kinds of keys by which the server proved itself, each with the end entity's certificate: as the suites say that it chose, or, in
/// TLS 1.3, the schemes that it was offered.
pub fn keys<'a>(questions: &[Question<'a>]) -> Vec<(&'a str, &'a [u8])> {
    let mut out: Vec<(&'a str, &'a [u8])> = Vec::new();
    for q in questions {
        let by_suite =
            || hello(q).filter(|h| h.negotiated() < TLS13).and_then(|h| codes::cipher_suite(h.suite)).map(|s| s.auth);
        let auth = if q.topic() == topics::KEYS { q.changed.get(1).map(String::as_str) } else { by_suite() };
        if let (Some(auth), Some(first)) = (auth, q.certificate())
            && !out.contains(&(auth, first))
        {
            out.push((auth, first));
        }
    }
    out
}

//! The questions of an audit with their answers.

use std::collections::BTreeMap;

use super::client_hello;
use crate::decode::{Event, Kind, Timeline};
use crate::transcript::{Close, ConnId, Decrypted, Layer, Side, Transcript, Why, topics};
use crate::wire::tls::handshake::Message;
use crate::wire::tls::hello::{ClientHello, ServerHello};
use crate::wire::tls::key_exchange::KeyExchange;

/// ServerHelloDone.
const DONE: u8 = 14;

/// How a server answered one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered<'a> {
    /// It chose, by a ServerHello or a HelloRetryRequest.
    Chose(&'a ServerHello),
    /// It speaks SSL 2.
    Ssl2,
    /// A fatal alert.
    Alert(u8),
    /// Text, or what is no TLS.
    Text,
    /// The connection ended.
    Ended(Close),
    /// Nothing.
    Silence,
    /// It did not come to a hello.
    NotAsked,
}

impl Answered<'_> {
    /// Whether it says no, in whatever way.
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::Alert(_) | Self::Text | Self::Ended(_) | Self::Silence)
    }
}

/// One question with its answer.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Its connection.
    pub conn: ConnId,
    /// What it was about, one of [`topics`], and in detail.
    pub changed: &'a [String],
    /// What was offered; `None` where it did not come to that, or the format is that of SSL 2.
    pub hello: Option<&'a ClientHello>,
    /// What came.
    pub answer: Answered<'a>,
    /// All events of its connection.
    pub events: Vec<&'a Event>,
}

impl<'a> Question<'a> {
    /// Its topic.
    pub fn topic(&self) -> &'a str {
        self.changed.first().map_or("", String::as_str)
    }

    /// The event that shows the answer, or else its last.
    pub fn shows(&self) -> Option<&'a Event> {
        self.events.iter().copied().find(|e| answer_of(e).is_some()).or(self.events.last().copied())
    }

    /// The key exchange of the server, up to TLS 1.2.
    pub fn exchange(&self) -> Option<KeyExchange> {
        let Answered::Chose(hello) = self.answer else { return None };
        self.events.iter().find_map(|e| match &e.kind {
            Kind::Handshake(Message::ServerKeyExchange { params }) => {
                KeyExchange::read(params, hello.suite, hello.negotiated())
            }
            _ => None,
        })
    }

    /// The certificates that the server showed, in clear or to our own engine; DER each, the end entity's first.
    pub fn chain(&self) -> Option<Vec<&'a [u8]>> {
        self.events.iter().find_map(|e| match &e.kind {
            Kind::Handshake(Message::Certificate { chain }) if e.from() == Some(Side::Server) => {
                Some(chain.iter().map(Vec::as_slice).collect())
            }
            Kind::Decrypted { from: Side::Server, seen: Decrypted::Certificates { chain } } => {
                Some(chain.iter().map(|der| der.0.as_slice()).collect())
            }
            _ => None,
        })
    }

    /// The end entity's certificate.
    pub fn certificate(&self) -> Option<&'a [u8]> {
        self.chain()?.first().copied()
    }

    /// Whether a client would have been let in.
    pub fn is_taken(&self) -> bool {
        matches!(self.answer, Answered::Chose(_) | Answered::Ssl2)
    }

    /// Whether the server has said all that it says before it waits for the client: up to TLS 1.2 by ServerHelloDone, or as our own engine saw.
    pub fn is_whole(&self) -> bool {
        self.events.iter().any(|e| match &e.kind {
            Kind::Handshake(Message::Other { kind }) => *kind == DONE,
            Kind::Decrypted { seen, .. } => matches!(seen, Decrypted::Established { .. }),
            _ => false,
        })
    }

    /// Whether the server spoke inside TLS before it was spoken to.
    pub fn spoke_unasked_inside(&self) -> Option<&'a Event> {
        let inside = |e: &&&Event| e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls);
        let first = self.events.iter().find(inside)?;
        (first.from() == Some(Side::Server)).then_some(*first)
    }

    /// Whether the session was resumed, once it stood.
    pub fn resumed(&self) -> Option<bool> {
        self.events.iter().find_map(|e| match &e.kind {
            Kind::Decrypted { seen: Decrypted::Established { resumed, .. }, .. } => Some(*resumed),
            _ => None,
        })
    }
}

/// All questions of the audit, in the order in which they were asked. Empty without an audit.
pub fn questions<'a>(t: &'a Transcript, timeline: &'a Timeline) -> Vec<Question<'a>> {
    let mut out: BTreeMap<ConnId, Question<'a>> = BTreeMap::new();
    for (n, conn) in t.conns.iter().enumerate() {
        let (Why::Question { changed }, Ok(n)) = (&conn.why, u16::try_from(n)) else { continue };
        if topics::is_audit(changed) {
            let conn = ConnId(n);
            let (hello, answer, events) = (None, Answered::NotAsked, Vec::new());
            out.insert(conn, Question { conn, changed, hello, answer, events });
        }
    }
    if out.is_empty() {
        return Vec::new();
    }
    for e in &timeline.events {
        if let Some(question) = out.get_mut(&e.conn) {
            question.events.push(e);
        }
    }
    let mut out: Vec<Question<'a>> = out.into_values().collect();
    for question in &mut out {
        question.hello = question.events.iter().find_map(|e| client_hello(e));
        let asked = question.events.iter().position(|e| matches!(e.kind, Kind::TlsStarts { .. }));
        let behind = asked.map(|n| question.events.iter().skip(n));
        question.answer = behind.and_then(|mut events| events.find_map(|e| answer_of(e))).unwrap_or(question.answer);
    }
    out
}

/// What an event says in answer to a hello.
fn answer_of(e: &Event) -> Option<Answered<'_>> {
    let server = e.from() == Some(Side::Server);
    match &e.kind {
        Kind::Handshake(Message::ServerHello(h) | Message::HelloRetryRequest(h)) => Some(Answered::Chose(h)),
        Kind::Handshake(Message::Ssl2ServerHello(_)) => Some(Answered::Ssl2),
        Kind::Alert { level: 2, description } if server => Some(Answered::Alert(*description)),
        Kind::TextInsteadOfTls { .. } | Kind::OtherInsteadOfTls { .. } | Kind::Malformed { .. } if server => {
            Some(Answered::Text)
        }
        Kind::Closed { by: Side::Server, how } => Some(Answered::Ended(*how)),
        Kind::TimedOut { .. } => Some(Answered::Silence),
        _ => None,
    }
}

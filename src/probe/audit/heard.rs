//! What a server says to a hello, as far as the next question depends on it. What it means is read from the evidence, by others.

use crate::codes;
use crate::wire::tls::content;
use crate::wire::tls::handshake::{self, Message, parse};
use crate::wire::tls::key_exchange::KeyExchange;
use crate::wire::tls::record::{Front, HEADER_LEN, front};
use crate::wire::tls::ssl2;

/// So many bytes of an answer are looked at: the largest real chains stay below.
const LONGEST: usize = 256 * 1024;

/// Up to here the server's flight is in clear, and ends with a ServerHelloDone.
const TLS12: u16 = 0x0303;

/// ServerHelloDone.
const DONE: u8 = 14;

/// What a ServerHello, or a HelloRetryRequest, chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// The version.
    pub(super) version: u16,
    /// The cipher suite.
    pub(super) suite: u16,
    /// The group, as far as the server got to say so.
    pub(super) group: Option<u16>,
    /// The scheme by which it signed its share of the key exchange.
    pub(super) scheme: Option<u16>,
}

/// What came of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// The server chose.
    Chosen(Chosen),
    /// SSL 2 is spoken.
    Ssl2,
    /// A fatal alert.
    Alert(u8),
    /// Text, or what is no TLS.
    NotTls,
    /// The connection ended without an answer.
    Ended,
    /// No answer.
    Silence,
    /// The server had no time for this connection: refused, ended before its greeting, 421.
    Busy,
    /// It did not come to a hello, and would not the next time.
    NotAsked,
}

impl Came {
    /// Whether it says no for sure: an alert that names parameters or versions, or text. Anything else may have other reasons than what
    /// was offered.
    pub(super) fn is_refusal(self) -> bool {
        match self {
            Self::Alert(code) => codes::alert_refuses(code),
            came => came == Self::NotTls,
        }
    }
}

/// Collects an answer.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Bytes that are no whole record yet.
    raw: Vec<u8>,
    /// Bytes of handshake messages that are not whole yet.
    flight: Vec<u8>,
    taken: usize,
    chosen: Option<Chosen>,
    /// What ended it.
    end: Option<Came>,
    /// Whether nothing more is expected.
    over: bool,
}

impl Heard {
    /// Takes the next bytes.
    pub(super) fn look(&mut self, bytes: &[u8]) {
        self.taken += bytes.len();
        if self.over || self.taken > LONGEST {
            self.over = true;
            return;
        }
        self.raw.extend_from_slice(bytes);
        while !self.over && self.record() {}
    }

    /// Whether the server has said all that a question waits for.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// What it came to; `None` while nothing did.
    pub(super) fn came(&self) -> Option<Came> {
        self.chosen.map(Came::Chosen).or(self.end)
    }

    /// Takes one record off the front; whether there was a whole one.
    fn record(&mut self) -> bool {
        let header = match front(&self.raw) {
            Front::Undecided => return false,
            Front::Record(header) => header,
            Front::NotTls if self.chosen.is_none() => return self.other(),
            Front::NotTls | Front::Malformed(_) => {
                self.end_with(Came::NotTls);
                return false;
            }
        };
        let len = HEADER_LEN + usize::from(header.len);
        let Some((record, rest)) = self.raw.split_at_checked(len) else { return false };
        let (payload, rest) = (record.get(HEADER_LEN..).unwrap_or_default().to_vec(), rest.to_vec());
        self.raw = rest;
        match (header.content_type, payload.as_slice()) {
            (content::ALERT, [2, description]) => self.end_with(Came::Alert(*description)),
            (content::HANDSHAKE, _) => {
                self.flight.extend(payload);
                while !self.over && self.message() {}
            }
            _ => {}
        }
        true
    }

    /// What is no TLS: SSL 2, or text.
    fn other(&mut self) -> bool {
        match ssl2::front(&self.raw, ssl2::Sender::Server) {
            ssl2::Front::Undecided => {}
            ssl2::Front::Message(len) => {
                let message = self.raw.get(2..len).map(ssl2::parse);
                if let Some(message) = message {
                    let is_hello = matches!(message, Some(Message::Ssl2ServerHello(_)));
                    self.end_with(if is_hello { Came::Ssl2 } else { Came::NotTls });
                }
            }
            ssl2::Front::Not => self.end_with(Came::NotTls),
        }
        false
    }

    /// Takes one handshake message off the front; whether there was a whole one.
    fn message(&mut self) -> bool {
        let Some((kind, len)) = handshake::header(&self.flight) else { return false };
        if len > handshake::LONGEST {
            self.end_with(Came::NotTls);
            return false;
        }
        let Some((message, rest)) = self.flight.split_at_checked(handshake::HEADER_LEN + len) else { return false };
        let read = parse(message, self.chosen.map(|c| c.version));
        self.flight = rest.to_vec();
        match (read, &mut self.chosen) {
            (Message::ServerHello(h), _) => {
                let (version, suite, group) = (h.negotiated(), h.suite, h.group());
                self.chosen = Some(Chosen { version, suite, group, scheme: None });
                self.over = version > TLS12;
            }
            (Message::HelloRetryRequest(h), _) => {
                let (version, suite, group) = (h.negotiated(), h.suite, h.group());
                self.chosen = Some(Chosen { version, suite, group, scheme: None });
                self.over = true;
            }
            (Message::ServerKeyExchange { params }, Some(chosen)) => {
                if let Some(read) = KeyExchange::read(&params, chosen.suite, chosen.version) {
                    (chosen.group, chosen.scheme) = (read.group, read.scheme);
                }
            }
            _ if kind == DONE => self.over = true,
            _ => {}
        }
        true
    }

    fn end_with(&mut self, came: Came) {
        self.end = Some(came);
        self.over = true;
    }
}

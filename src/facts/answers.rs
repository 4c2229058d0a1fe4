//! What connections that were opened to learn one thing came to.

use std::collections::BTreeMap;

use super::transfers::{Transfer, transfers};
use super::{suite_name, version_name};
use crate::codes;
use crate::decode::{Event, Kind, Timeline};
use crate::transcript::{Close, ConnId, Decrypted, OpenFailure, Role, Side, Transcript, Why, topics};
use crate::wire::tls::handshake::Message;
use crate::wire::tls::key_exchange::named_group;

/// A question with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its connection.
    pub conn: ConnId,
    /// What differed from the session.
    pub changed: Vec<String>,
    /// What came.
    pub came: Came,
}

/// What came in answer to a ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// A ServerHello.
    Hello {
        /// The version that the server chose.
        version: u16,
        /// The suite that it chose.
        suite: u16,
        /// The group that it chose, as far as it got to say so.
        group: Option<u16>,
    },
    /// A fatal alert.
    Alert(u8),
    /// Text, as printable ASCII.
    Text(String),
    /// Bytes of no known meaning.
    Other,
    /// The end of the connection.
    Closed(Close),
    /// Nothing.
    Silence,
    /// A login, and what its transfers came to.
    Moved(Vec<String>),
    /// The connection was not opened.
    NotOpened(OpenFailure),
    /// It did not come to a hello, or was called off.
    NotAsked,
}

impl Answer {
    /// In words, for people.
    pub fn describe(&self) -> String {
        match &self.came {
            Came::Hello { version, suite, group } => {
                let group = group.and_then(codes::group).map_or_else(String::new, |g| format!(", {g}"));
                format!("ServerHello: {}, {}{group}", version_name(*version), suite_name(*suite))
            }
            Came::Alert(n) => format!("alert {n} {}", codes::alert(*n).map_or("unknown", |a| a.name)),
            Came::Text(text) => format!("text: {text}"),
            Came::Other => "bytes that are neither TLS nor text".to_owned(),
            Came::Moved(transfers) => transfers.join("; "),
            Came::Closed(Close::Reset) => "reset without an answer".to_owned(),
            Came::Closed(_) => "closed without an answer".to_owned(),
            Came::Silence => "no answer".to_owned(),
            Came::NotOpened(OpenFailure::Refused) => "connection refused".to_owned(),
            Came::NotOpened(OpenFailure::TimedOut) => "connection timed out".to_owned(),
            Came::NotOpened(_) => "no connection".to_owned(),
            Came::NotAsked => "no answer, the question was not reached".to_owned(),
        }
    }

    /// Whether something was changed.
    pub fn changes(&self, what: &str) -> bool {
        self.changed.iter().any(|c| c == what)
    }
}

/// All answers, in the order of the questions.
pub(super) fn answers(t: &Transcript, timeline: &Timeline) -> Vec<Answer> {
    let mut out = Vec::new();
    if !t.conns.iter().any(|c| matches!(c.why, Why::Question { .. })) {
        return out;
    }
    let mut moved: BTreeMap<ConnId, Vec<String>> = BTreeMap::new();
    for transfer in &transfers(t, timeline) {
        moved.entry(transfer.control).or_default().push(describe(transfer));
    }
    let mut events: BTreeMap<ConnId, Vec<&Event>> = BTreeMap::new();
    for e in &timeline.events {
        events.entry(e.conn).or_default().push(e);
    }
    for (n, conn) in t.conns.iter().enumerate() {
        let (Why::Question { changed }, Role::Control, Ok(n)) = (&conn.why, conn.role, u16::try_from(n)) else {
            continue;
        };
        // Those of an audit are read as sets.
        if topics::is_audit(changed) {
            continue;
        }
        let conn = ConnId(n);
        let came = match moved.remove(&conn) {
            Some(moved) => Came::Moved(moved),
            None => came(events.remove(&conn).unwrap_or_default().into_iter()),
        };
        out.push(Answer { conn, changed: changed.clone(), came });
    }
    out
}

/// `LIST: 226 (data: TLS 1.3, resumed)`
fn describe(transfer: &Transfer<'_>) -> String {
    let verb = transfer.command.map_or("data connection", |c| c.verb);
    let reply = match transfer.reply {
        Some(r) => format!("{} {}", r.reply.code, r.reply.text),
        None => "no final reply".to_owned(),
    };
    let data = transfer.data.as_ref().map(|data| match (data.established(), data.open_failure()) {
        (Some(tls), _) => {
            let resumed = if tls.resumed { "resumed" } else { "full handshake" };
            format!(" (data: {}, {resumed})", version_name(tls.version))
        }
        (None, Some(_)) => " (data: not opened)".to_owned(),
        (None, None) if data.client_hello().is_none() => " (data: in clear)".to_owned(),
        (None, None) => " (data: no handshake)".to_owned(),
    });
    format!("{verb}: {reply}{}", data.unwrap_or_default())
}

fn came<'a>(mut events: impl Iterator<Item = &'a Event>) -> Came {
    let mut asked = false;
    while let Some(e) = events.next() {
        let from_server = e.from() == Some(Side::Server);
        match &e.kind {
            Kind::TlsStarts { by: Side::Client } => asked = true,
            Kind::Handshake(Message::ClientHello(_)) => asked = true,
            Kind::OpenFailed { why } => return Came::NotOpened(*why),
            Kind::Handshake(Message::ServerHello(h) | Message::HelloRetryRequest(h)) if from_server => {
                let group = h.group().or_else(|| events.find_map(key_exchange_group));
                return Came::Hello { version: h.negotiated(), suite: h.suite, group };
            }
            Kind::Decrypted { seen: Decrypted::Established { version, suite, .. }, .. } => {
                return Came::Hello { version: *version, suite: *suite, group: None };
            }
            Kind::Alert { level: 2, description } if from_server => return Came::Alert(*description),
            Kind::TextInsteadOfTls { text, .. } if from_server => {
                return Came::Text(text.trim_end_matches("\\n").trim_end_matches("\\r").to_owned());
            }
            Kind::OtherInsteadOfTls { .. } | Kind::Malformed { .. } if from_server => return Came::Other,
            Kind::Closed { by: Side::Server, how } => return Came::Closed(*how),
            Kind::TimedOut { .. } if asked => return Came::Silence,
            _ => {}
        }
    }
    Came::NotAsked
}

/// The group of an ECDHE suite, which stands behind the ServerHello up to TLS 1.2.
fn key_exchange_group(e: &Event) -> Option<u16> {
    match &e.kind {
        Kind::Handshake(Message::ServerKeyExchange { params }) => named_group(params),
        _ => None,
    }
}

//! One data connection: how it stood, what was agreed on, how it ended.

use std::collections::BTreeSet;

use crate::decode::{Event, Kind, Timeline};
use crate::facts::shake;
use crate::transcript::{Close, ConnId, Decrypted, Layer, OpenFailure, Role, Side, Transcript};
use crate::wire::tls::handshake::Message;
use crate::wire::tls::hello::ClientHello;

/// A data connection.
#[derive(Clone, Debug)]
pub struct Data<'a> {
    /// The connection.
    pub conn: ConnId,
    /// Its events, in order.
    pub events: Vec<&'a Event>,
}

/// What a completed handshake came to, as our own engine saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Established {
    /// Protocol version, e.g. 0x0303.
    pub version: u16,
    /// Cipher suite (IANA number).
    pub suite: u16,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
}

/// Whether one event of a timeline stands before another.
pub fn precedes(a: &Event, b: &Event) -> bool {
    core::ptr::from_ref(a) < core::ptr::from_ref(b)
}

impl<'a> Data<'a> {
    /// Why it was not opened.
    pub fn open_failure(&self) -> Option<(&'a Event, OpenFailure)> {
        self.events.iter().find_map(|e| match e.kind {
            Kind::OpenFailed { why } => Some((*e, why)),
            _ => None,
        })
    }

    /// Whether anything passed on it, or it is known to have stood.
    pub fn was_open(&self) -> bool {
        self.events.iter().any(|e| !matches!(e.kind, Kind::OpenFailed { .. }))
    }

    /// The first event that is so.
    pub fn first(&self, is: impl Fn(&Event) -> bool) -> Option<&'a Event> {
        self.events.iter().copied().find(|e| is(e))
    }

    /// The ClientHello.
    pub fn client_hello(&self) -> Option<(&'a Event, &'a ClientHello)> {
        self.events.iter().find_map(|e| match &e.kind {
            Kind::Handshake(Message::ClientHello(hello)) => Some((*e, hello.as_ref())),
            _ => None,
        })
    }

    /// The ServerHello.
    pub fn server_hello(&self) -> Option<&'a Event> {
        self.first(|e| matches!(e.kind, Kind::Handshake(Message::ServerHello(_))))
    }

    /// What the handshake came to, when our own engine saw it complete.
    pub fn established(&self) -> Option<Established> {
        self.events.iter().find_map(|e| established(e))
    }

    /// Whether the handshake completed, as far as that shows: our own engine said so, or the server answered and encrypted
    /// records went both ways (in TLS 1.2 the first of them is Finished).
    pub fn is_established(&self) -> bool {
        let opaque = |side| {
            self.events
                .iter()
                .any(|e| matches!(e.kind, Kind::Opaque { content_type: 22 | 23, .. }) && e.from() == Some(side))
        };
        self.established().is_some()
            || self.events.iter().any(|e| e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls))
            || self.server_hello().is_some() && opaque(Side::Server) && opaque(Side::Client)
    }

    /// Whether the session of an earlier connection was resumed, as our engine saw it, or as the two hellos show: TLS 1.3
    /// answers with pre_shared_key, TLS 1.2 without a certificate.
    pub fn resumed(&self) -> Option<bool> {
        if let Some(established) = self.established() {
            return Some(established.resumed);
        }
        shake::resumed(self.events.iter().copied())
    }

    /// Whether the client offered to resume a session: a ticket (TLS 1.3: pre_shared_key), or the session id of an earlier
    /// ServerHello. `None` without a ClientHello.
    pub fn offers_resumption(&self, earlier: &BTreeSet<&[u8]>) -> Option<bool> {
        let (_, hello) = self.client_hello()?;
        let ticket = hello.extension(SESSION_TICKET).is_some_and(|x| !x.is_empty());
        let known = !hello.session_id.is_empty() && earlier.contains(hello.session_id.as_slice());
        Some(hello.extension(PRE_SHARED_KEY).is_some() || ticket || known)
    }

    /// close_notify of one side. What is encrypted shows only where our own engine, or a log, read it.
    pub fn close_notify(&self, side: Side) -> Option<&'a Event> {
        self.events.iter().copied().find(|e| alert(e).is_some_and(|(from, _, what)| from == side && what == 0))
    }

    /// The first fatal alert, with its sender.
    pub fn fatal_alert(&self) -> Option<(&'a Event, Side, u8)> {
        self.events.iter().find_map(|e| {
            alert(e).filter(|(_, level, what)| *level == 2 && *what != 0).map(|(from, _, what)| (*e, from, what))
        })
    }

    /// The first end, by whom and how.
    pub fn end(&self) -> Option<(&'a Event, Side, Close)> {
        self.events.iter().find_map(|e| match e.kind {
            Kind::Closed { by, how } => Some((*e, by, how)),
            _ => None,
        })
    }

    /// The end of one side.
    pub fn end_of(&self, side: Side) -> Option<(&'a Event, Close)> {
        self.events.iter().find_map(|e| match e.kind {
            Kind::Closed { by, how } if by == side => Some((*e, how)),
            _ => None,
        })
    }

    /// Silence of one side that was waited through.
    pub fn silence(&self, side: Side) -> Option<&'a Event> {
        self.first(|e| matches!(e.kind, Kind::TimedOut { waiting_for, .. } if waiting_for == side))
    }

    /// Bytes of content that one side sent: inside TLS, or, where there was none, in clear.
    pub fn content(&self, side: Side) -> u64 {
        self.content_until(side, None)
    }

    fn content_until(&self, side: Side, until: Option<&Event>) -> u64 {
        // Encrypted records are not content, kept or not.
        let inside = self.speaks_tls() || self.is_established();
        let layer = if inside { Layer::InsideTls } else { Layer::Wire };
        let events = self.events.iter().filter(|e| until.is_none_or(|end| precedes(e, end)));
        let spans = events.filter(|e| matches!(e.kind, Kind::Data | Kind::Skipped)).filter_map(|e| e.span);
        spans.filter(|s| s.flow.from == side && s.flow.layer == layer).map(|s| s.len()).sum()
    }

    /// Whether content passed before an event, as far as that shows: what a server sends up to TLS 1.2 in records of their own type
    /// counts, read or not. In TLS 1.3 they hold the end of the handshake as well, and a client may send before it knows that it is
    /// refused.
    pub fn has_content_until(&self, until: Option<&Event>) -> bool {
        let passed = |e: &Event| {
            let is_long = matches!(e.kind, Kind::Opaque { content_type: 23, len } if len > LONGEST_EMPTY);
            is_long && e.from() == Some(Side::Server) && until.is_none_or(|end| precedes(e, end))
        };
        let old = self.version().is_some_and(|v| v <= TLS12);
        let content = |side| self.content_until(side, until);
        content(Side::Server) + content(Side::Client) > 0
            || old && self.established().is_none() && self.first(passed).is_some()
    }

    /// The same where it is content, and all of it: what a capture shows of TLS cannot be counted, nor what it missed.
    pub fn counted(&self, side: Side) -> Option<u64> {
        // Where nothing was read, what is missing of the other end may have been its hello.
        let read = self.is_read();
        let missed = |e: &Event| matches!(e.kind, Kind::Gap { from, .. } if from == side || !read);
        let readable = read || !self.speaks_tls();
        (readable && self.first(missed).is_none()).then(|| self.content(side))
    }

    /// Whether anything of TLS passed on it.
    fn speaks_tls(&self) -> bool {
        let is_tls = |e: &Event| {
            let is_record = matches!(e.kind, Kind::Handshake(_) | Kind::ChangeCipherSpec | Kind::Opaque { .. });
            is_record || matches!(e.kind, Kind::Alert { .. } | Kind::TlsStarts { .. })
        };
        self.first(is_tls).is_some()
    }

    /// Whether what is inside TLS was read: by our own engine, or by whoever gathered the evidence.
    pub fn is_read(&self) -> bool {
        self.established().is_some()
            || self.events.iter().any(|e| e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls))
    }

    /// Protocol version, once the server has chosen.
    pub fn version(&self) -> Option<u16> {
        self.established().map(|e| e.version).or_else(|| {
            self.events.iter().find_map(|e| match &e.kind {
                Kind::Handshake(Message::ServerHello(hello)) => Some(hello.negotiated()),
                _ => None,
            })
        })
    }

    /// Whether one side said close_notify; `None` where it would not show. Encrypted, an alert is a record of its own type
    /// up to TLS 1.2, and looks like data in TLS 1.3.
    pub fn said_goodbye(&self, side: Side) -> Option<bool> {
        if self.close_notify(side).is_some() {
            return Some(true);
        }
        if self.is_read() {
            return Some(false);
        }
        // What is skipped hides none: alerts are always kept.
        let hides = |e: &Event| match e.kind {
            Kind::Gap { from, .. } => from == side,
            Kind::CutShort { .. } | Kind::Undecoded | Kind::Malformed { .. } => e.from() == Some(side),
            _ => false,
        };
        if self.version().is_none_or(|v| v > TLS12) || self.first(hides).is_some() {
            return None;
        }
        let alert = |e: &Event| matches!(e.kind, Kind::Opaque { content_type: 21, .. }) && e.from() == Some(side);
        Some(self.first(alert).is_some())
    }

    /// Whether the server gave out session tickets on it, as our own engine saw it.
    pub fn has_tickets(&self) -> bool {
        self.first(|e| matches!(e.kind, Kind::Decrypted { from: Side::Server, seen: Decrypted::Ticket })).is_some()
    }

    /// The certificate chain that the server showed, as DER.
    pub fn certificates(&self) -> Option<Vec<&'a [u8]>> {
        self.events.iter().find_map(|e| certificates(e))
    }
}

/// TLS 1.2.
const TLS12: u16 = 0x0303;

/// Longest record that may be empty: an IV, a MAC of SHA-384 and the padding. Some libraries send one before the content.
const LONGEST_EMPTY: u16 = 80;

/// session_ticket (RFC 5077).
const SESSION_TICKET: u16 = 35;

/// TLS 1.3.
const TLS13: u16 = 0x0304;

/// pre_shared_key (RFC 8446).
const PRE_SHARED_KEY: u16 = 41;

/// The certificate chain that a server showed in an event, as DER: in clear up to TLS 1.2, or as our own engine saw it.
pub fn certificates(e: &Event) -> Option<Vec<&[u8]>> {
    match &e.kind {
        Kind::Handshake(Message::Certificate { chain }) if e.from() == Some(Side::Server) => {
            Some(chain.iter().map(Vec::as_slice).collect())
        }
        Kind::Decrypted { from: Side::Server, seen: Decrypted::Certificates { chain } } => {
            Some(chain.iter().map(|der| der.0.as_slice()).collect())
        }
        _ => None,
    }
}

/// The completion of a handshake, in an event of our own engine.
pub fn established(e: &Event) -> Option<Established> {
    match e.kind {
        Kind::Decrypted { seen: Decrypted::Established { version, suite, resumed, .. }, .. } => {
            Some(Established { version, suite, resumed })
        }
        _ => None,
    }
}

/// Sender, level and description of an alert, in clear or decrypted.
fn alert(e: &Event) -> Option<(Side, u8, u8)> {
    match (&e.kind, e.from()) {
        (Kind::Alert { level, description }, Some(from)) => Some((from, *level, *description)),
        (Kind::Decrypted { from, seen: Decrypted::Alert { level, description } }, _) => {
            Some((*from, *level, *description))
        }
        _ => None,
    }
}

/// Session ids that a server gave out on control connections, up to TLS 1.2: who names one of them on a data connection offers
/// to resume. In TLS 1.3 a server only repeats what the client made up.
pub fn session_ids<'a>(t: &Transcript, timeline: &'a Timeline) -> BTreeSet<&'a [u8]> {
    let is_control = |e: &Event| t.conn(e.conn).is_some_and(|c| c.role == Role::Control);
    let ids = timeline.events.iter().filter(|e| is_control(e)).filter_map(|e| match &e.kind {
        Kind::Handshake(Message::ServerHello(hello)) if hello.negotiated() < TLS13 => Some(hello.session_id.as_slice()),
        _ => None,
    });
    ids.filter(|id| !id.is_empty()).collect()
}

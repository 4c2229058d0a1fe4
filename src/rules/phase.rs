//! How far a connection came, and how it ended: the questions that several rules ask.

use std::collections::BTreeMap;

use super::case::is_server_hello;
use super::{Case, Confidence, Finding, causes};
use crate::decode::{Event, Kind};
use crate::facts::is_session_control;
use crate::transcript::{Close, ConnId, Decrypted, Layer, Micros, Mode, Role, Side, Span};
use crate::wire::tls::content;
use crate::wire::tls::handshake::Message;

/// How the server's side of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// FIN, RST, or nobody knows.
    Closed(Close),
    /// It stayed silent for so long.
    Silent(Micros),
}

impl End {
    /// The end that an event is, if it is one of the server's.
    pub(super) fn of(e: &Event) -> Option<Self> {
        match e.kind {
            Kind::Closed { by: Side::Server, how } => Some(End::Closed(how)),
            Kind::TimedOut { waiting_for: Side::Server, after } => Some(End::Silent(after)),
            _ => None,
        }
    }

    /// An end that was observed is proof; one that is only told is not.
    pub(super) fn confidence(self) -> Confidence {
        if self == End::Closed(Close::Unknown) { Confidence::Likely } else { Confidence::Certain }
    }

    /// As reports spell it.
    pub(super) fn name(self) -> &'static str {
        match self {
            End::Closed(Close::Fin) => "closed",
            End::Closed(Close::Reset) => "reset",
            End::Closed(Close::Unknown) => "ended",
            End::Silent(_) => "silence",
        }
    }

    /// `closed the connection`, `said nothing for 10 s`.
    pub(super) fn did(self) -> String {
        match self {
            End::Closed(Close::Reset) => "reset the connection".to_owned(),
            End::Closed(_) => "closed the connection".to_owned(),
            End::Silent(after) => format!("said nothing for {}", seconds(after)),
        }
    }

    /// Milliseconds of silence.
    pub(super) fn waited_ms(self) -> Option<u64> {
        match self {
            End::Silent(after) => Some(after.0 / 1_000),
            End::Closed(_) => None,
        }
    }
}

/// `10 s`, `0.5 s`.
pub(super) fn seconds(t: Micros) -> String {
    match t.0 {
        n if n % 1_000_000 == 0 => format!("{} s", n / 1_000_000),
        n => format!("{:.1} s", n as f64 / 1e6),
    }
}

/// An end of the server's side between AUTH or the ClientHello and the end of the handshake.
pub(super) struct Broken<'a> {
    /// What it did not answer: the ClientHello, or AUTH.
    pub(super) asked: &'a Event,
    /// The end.
    pub(super) end: &'a Event,
    /// How.
    pub(super) how: End,
    /// `auth`, `client-hello`, or `server-hello` when it had begun to answer.
    pub(super) place: &'static str,
    /// Whether the words that went unanswered were only quoted by a log.
    pub(super) from_log: bool,
}

impl<'a> Case<'a> {
    /// What a live run was asked to do.
    pub(super) fn asked(&self) -> Option<Mode> {
        self.transcript.origin.asked.as_ref().map(|a| a.mode)
    }

    /// Whether the session was seen from its beginning.
    pub(super) fn opened_or_asked(&self) -> bool {
        self.asked().is_some() || self.control().any(|e| e.kind == Kind::Opened)
    }

    /// Whether the endpoint's port is the usual one for implicit TLS.
    pub(super) fn is_on_990(&self) -> bool {
        let target = self.transcript.origin.asked.as_ref().is_some_and(|a| a.target.ends_with(":990"));
        target
            || self.transcript.conns.iter().any(|c| c.role == Role::Control && c.peer.is_some_and(|p| p.port() == 990))
    }

    /// Whether anything came from a side before an event, on its connection.
    pub(super) fn came_before(&self, mark: &Event, from: Side) -> bool {
        self.before(mark).any(|e| e.from() == Some(from) || matches!(e.kind, Kind::Gap { from: f, .. } if f == from))
    }

    /// Whether the client asked for TLS in words before an event.
    pub(super) fn auth_before(&self, mark: &Event) -> bool {
        self.before(mark).any(is_auth)
    }

    /// Whether the connection of an event was seen from its beginning.
    pub(super) fn opened_before(&self, mark: &Event) -> bool {
        self.before(mark).any(|e| e.kind == Kind::Opened)
    }

    /// Whether the client had left before an event: what the server does behind that is no fault of it.
    pub fn client_left_before(&self, mark: &Event) -> bool {
        self.before(mark).any(|e| matches!(e.kind, Kind::Closed { by: Side::Client, .. }))
    }

    /// Whether the bytes of an event were put together from a log. The first four decide, as they decide what it is.
    pub(super) fn is_from_log(&self, e: &Event) -> bool {
        e.span.is_some_and(|s| self.transcript.rebuilt(Span { end: s.end.min(s.start + 4), ..s }) > 0)
    }

    /// Where the handshake broke off without a word.
    pub(super) fn broken_handshake(&self) -> Option<Broken<'a>> {
        self.control().find_map(|end| {
            let how = End::of(end).filter(|_| !self.client_left_before(end))?;
            let hello = self.before(end).find(|e| matches!(e.kind, Kind::Handshake(Message::ClientHello(_))));
            let asked = hello.or_else(|| self.before(end).filter(|e| is_auth(e)).last())?;
            let mut place = if hello.is_some() { "client-hello" } else { "auth" };
            let asked_at = core::ptr::from_ref(asked);
            for e in self.before(end).skip_while(|e| !core::ptr::eq(*e, asked_at)).skip(1) {
                let from_server = e.from() == Some(Side::Server);
                match &e.kind {
                    // A reply without its end is none.
                    Kind::Reply(r) if hello.is_none() && r.code >= 200 && r.whole => return None,
                    // What follows it in SSL 2 is not read.
                    Kind::Handshake(Message::Ssl2ServerHello(_)) => return None,
                    Kind::Handshake(_) | Kind::CutShort { what: "TLS record" | "handshake message", .. }
                        if from_server =>
                    {
                        place = "server-hello";
                    }
                    // From here on the handshake may have completed, and an alert may have been encrypted.
                    Kind::ChangeCipherSpec | Kind::Opaque { .. } if from_server => return None,
                    Kind::Decrypted { seen: Decrypted::Established { .. } | Decrypted::Alert { .. }, .. } => {
                        return None;
                    }
                    // A close_notify is an end, whatever its level says.
                    Kind::Alert { level: 2, description: 0 } => {}
                    Kind::Alert { level: 2, .. } | Kind::Gap { from: Side::Server, .. } => return None,
                    _ => {}
                }
            }
            Some(Broken { asked, end, how, place, from_log: self.is_from_log(asked) })
        })
    }

    /// The first sign that a server speaks TLS at once: on any control connection where the client began with a
    /// ClientHello, without a word of FTP before.
    pub(super) fn tls_at_once(&self) -> Option<&'a Event> {
        // Of each connection: whether a hello came first, or a word of FTP did.
        let mut began: BTreeMap<ConnId, bool> = BTreeMap::new();
        self.timeline.events.iter().find(|e| {
            if !self.transcript.conn(e.conn).is_some_and(|c| c.role == Role::Control) {
                return false;
            }
            match &e.kind {
                Kind::Handshake(Message::ClientHello(_)) => {
                    began.entry(e.conn).or_insert(true);
                    false
                }
                Kind::Reply(_) | Kind::Text { .. } | Kind::Command { .. } | Kind::TextInsteadOfTls { .. } => {
                    began.insert(e.conn, false);
                    false
                }
                Kind::Alert { .. } if e.from() == Some(Side::Server) => began.get(&e.conn) == Some(&true),
                _ => is_server_hello(e) && began.get(&e.conn) == Some(&true),
            }
        })
    }

    /// Whether the client gave its commands inside TLS, and nobody can read them: then a transfer shows by its data connection
    /// alone.
    pub(super) fn commands_are_hidden(&self) -> bool {
        let inside = |e: &Event| e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls);
        let sealed = |e: &Event| {
            e.from() == Some(Side::Client)
                && matches!(e.kind, Kind::Opaque { content_type: content::APPLICATION_DATA, .. })
        };
        self.asked().is_none()
            && self.handshake_completed()
            && self.control().any(sealed)
            && !self.control().any(inside)
    }

    /// Whether a connection is one of the session's own.
    pub(super) fn is_session(&self, e: &Event) -> bool {
        is_session_control(self.transcript, e.conn)
    }
}

/// Whether an event is the command that asks for TLS.
pub(super) fn is_auth(e: &Event) -> bool {
    matches!(&e.kind, Kind::Command { line, .. } if crate::wire::ftp::asks_for_tls(line))
        && e.span.is_some_and(|s| s.flow.layer == Layer::Wire)
}

/// `probably ` where a headline is not certain.
pub(super) fn probably(confidence: Confidence) -> &'static str {
    if confidence == Confidence::Certain { "" } else { "probably " }
}

/// Advice for the server, when its wording tells the product.
pub(super) fn advise_server(case: &Case<'_>, f: &mut Finding, need: &str) {
    if let Some(product) = causes::likely_server(case) {
        f.advise(need, &product.id);
    }
}

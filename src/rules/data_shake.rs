//! How far the handshake of a data connection came, and what the reply on the control connection says of it.

use super::Case;
use super::data_sessions::{is_vsftpd, reuse};
use super::finding::Finding;
use super::sink::Sink;
use crate::decode::{Event, Kind, Reply};
use crate::facts::Transfer;
use crate::transcript::{Close, Decrypted, Layer, Micros, Side};
use crate::wire::tls::content;
use crate::wire::tls::handshake::Message;

/// The handshake of one data connection.
pub(super) struct Shake<'a> {
    /// Its transfer.
    pub(super) transfer: &'a Transfer<'a>,
    /// The client began TLS: by its hello, or as its own driver says.
    pub(super) began: Option<&'a Event>,
    /// The ClientHello.
    pub(super) hello: Option<&'a Event>,
    /// The server's first answer in TLS.
    pub(super) answered: Option<&'a Event>,
    /// Records of the server passed, its first answer among them or not.
    pub(super) heard: bool,
    /// Whether it completed.
    pub(super) done: bool,
    /// How it broke off; an alert may do that behind its end, before any content.
    pub(super) broke: Option<Broke<'a>>,
}

/// The end of a handshake.
#[derive(Clone, Copy)]
pub(super) struct Broke<'a> {
    /// The event.
    pub(super) event: &'a Event,
    /// How.
    pub(super) how: How,
    /// Whether the event cannot become another one by bytes behind it.
    pub(super) whole: bool,
}

/// How a handshake broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Bytes of the server that are no TLS.
    Clear,
    /// A fatal alert.
    Alert(Side, u8),
    /// One end closed.
    Closed(Side, Close),
    /// One end stayed silent.
    Silent(Side, Micros),
}

impl Shake<'_> {
    /// What had passed: `open`, `client-hello` or `server-hello`.
    pub(super) fn place(&self) -> &'static str {
        match (self.began, self.answered) {
            (_, Some(_)) => "server-hello",
            (Some(_), None) => "client-hello",
            (None, None) => "open",
        }
    }

    /// The same for people: how far it had come.
    pub(super) fn reached(&self) -> &'static str {
        match self.place() {
            "server-hello" => "behind the ServerHello",
            "client-hello" if self.heard => "in its handshake",
            "client-hello" => "without an answer to the ClientHello",
            _ => "before a ClientHello",
        }
    }

    /// Whether what it shows was put together from a log; what stands behind the end adds nothing.
    pub(super) fn is_from_log(&self, case: &Case<'_>) -> bool {
        self.is_from_log_until(case, self.broke.map(|b| b.event))
    }

    /// The same, where another event was the end.
    pub(super) fn is_from_log_until(&self, case: &Case<'_>, end: Option<&Event>) -> bool {
        let seen = [self.transfer.command.map(|c| c.event), self.hello, self.broke.map(|b| b.event)];
        let counts = |e: &&Event| end.is_none_or(|end| !is_before(end, e));
        seen.into_iter().flatten().filter(counts).any(|e| case.is_from_log(e))
    }
}

/// user_canceled: a goodbye, not a fault.
const USER_CANCELED: u8 = 90;

/// Reads the events of one data connection in their order, up to the first that decides.
struct Walk<'a> {
    shake: Shake<'a>,
    ours: bool,
    /// Clear text of the server before the client began TLS.
    early: Option<&'a Event>,
    /// Its end behind that: what the client says then may still show that it wanted TLS.
    early_end: Option<(&'a Event, How)>,
    /// Bytes that are no TLS, and may still go on.
    clear: Option<&'a Event>,
    opaque: (bool, bool),
}

impl<'a> Walk<'a> {
    fn broke(&mut self, event: &'a Event, how: How) -> bool {
        self.shake.broke = Some(Broke { event, how, whole: true });
        true
    }

    /// Takes an event; whether nothing behind it matters.
    fn takes(&mut self, e: &'a Event) -> bool {
        let inside = e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls);
        let is_record = matches!(e.kind, Kind::Handshake(_) | Kind::ChangeCipherSpec | Kind::Opaque { .. });
        self.shake.heard |= is_record && e.from() == Some(Side::Server);
        match (&e.kind, e.from()) {
            (Kind::Gap { .. } | Kind::OpenFailed { .. } | Kind::Malformed { .. }, _) => return true,
            (Kind::TlsStarts { by: Side::Client }, _) => return self.begins(e),
            (Kind::Handshake(Message::ClientHello(_)), Some(Side::Client)) => {
                self.shake.hello = self.shake.hello.or(Some(e));
                return self.begins(e);
            }
            (Kind::Handshake(_), Some(Side::Server)) => self.shake.answered = self.shake.answered.or(Some(e)),
            (Kind::Decrypted { seen: Decrypted::Established { .. }, .. }, _) => self.shake.done = true,
            // Content passed: the handshake was good.
            (Kind::Data | Kind::Skipped, _) if inside => {
                self.shake.done = true;
                return true;
            }
            // Content in clear, kept or only counted: what is skipped of TLS stands behind the header of a record.
            (Kind::Data, Some(Side::Server)) => self.early = self.early.or(Some(e)),
            (Kind::Skipped, Some(Side::Server)) if !self.shake.heard => self.early = self.early.or(Some(e)),
            (Kind::Opaque { content_type: content::ALERT, .. }, _) if !self.ours => return true,
            // The Finished of both ends: TLS 1.2 sends it as a handshake record, TLS 1.3 as application data.
            (Kind::Opaque { content_type: content::HANDSHAKE | content::APPLICATION_DATA, .. }, Some(from)) => {
                let seen = if from == Side::Client { &mut self.opaque.0 } else { &mut self.opaque.1 };
                *seen = true;
                self.shake.done |= !self.ours && self.shake.answered.is_some() && self.opaque == (true, true);
            }
            (Kind::TextInsteadOfTls { text, .. }, Some(Side::Server)) => {
                self.clear = self.clear.or(Some(e));
                return text.ends_with("\\n") && self.broke(e, How::Clear);
            }
            (Kind::OtherInsteadOfTls { .. }, Some(Side::Server)) => self.clear = self.clear.or(Some(e)),
            _ => return self.ends(e),
        }
        false
    }

    fn begins(&mut self, e: &'a Event) -> bool {
        self.shake.began = self.shake.began.or(Some(e));
        self.early.is_some_and(|early| self.broke(early, How::Clear))
    }

    fn ends(&mut self, e: &'a Event) -> bool {
        let alert = match (&e.kind, e.from()) {
            (Kind::Alert { level: 2, description }, Some(from)) => Some((from, *description)),
            (Kind::Decrypted { from, seen: Decrypted::Alert { level: 2, description } }, _) => {
                Some((*from, *description))
            }
            _ => None,
        };
        if let Some((from, what)) = alert.filter(|(_, what)| !matches!(*what, 0 | USER_CANCELED)) {
            // Text that has begun, and whose end is still to come, is what it answers.
            return self.clear.is_none() && self.broke(e, How::Alert(from, what));
        }
        let how = match e.kind {
            Kind::Closed { by, how } => How::Closed(by, how),
            Kind::TimedOut { waiting_for, after } => How::Silent(waiting_for, after),
            _ => return false,
        };
        if self.early.is_some() && self.shake.began.is_none() && matches!(how, How::Closed(Side::Server, _)) {
            self.early_end = self.early_end.or(Some((e, how)));
            return false;
        }
        match self.clear {
            Some(clear) => self.broke(clear, How::Clear),
            None if self.shake.done => true,
            None => self.broke(e, how),
        }
    }

    fn finish(mut self) -> Shake<'a> {
        if let (None, Some(event)) = (self.shake.broke, self.clear) {
            self.shake.broke = Some(Broke { event, how: How::Clear, whole: false });
        } else if let (None, Some((event, how))) = (self.shake.broke, self.early_end) {
            self.broke(event, how);
        }
        self.shake
    }
}

impl<'a> Case<'a> {
    /// The end of the session's control connection: what data connections do behind it changes nothing, unless a transfer
    /// still waits for its reply.
    pub(super) fn control_end(&self) -> Option<&'a Event> {
        self.control().find(|e| match &e.kind {
            Kind::Closed { .. } | Kind::TimedOut { .. } | Kind::OpenFailed { .. } => true,
            Kind::Reply(r) => r.code == 221 && r.whole,
            _ => false,
        })
    }

    /// The handshakes of the session's data connections, and the transfers that have none, in order.
    pub(super) fn shakes(&self) -> Vec<Shake<'a>> {
        let end = self.control_end();
        self.session_transfers().map(|t| self.shake(t, end)).collect()
    }

    /// The handshake of a transfer's data connection.
    pub(super) fn shake(&self, transfer: &'a Transfer<'a>, end: Option<&'a Event>) -> Shake<'a> {
        let shake =
            Shake { transfer, began: None, hello: None, answered: None, heard: false, done: false, broke: None };
        let ours = self.transcript.origin.asked.is_some();
        let mut walk = Walk { shake, ours, early: None, early_end: None, clear: None, opaque: (false, false) };
        let waits = transfer.command.is_some() && transfer.reply.is_none();
        for e in transfer.data.iter().flat_map(|d| d.events.iter().copied()) {
            if end.is_some_and(|end| is_before(end, e)) && !waits || walk.takes(e) {
                break;
            }
        }
        walk.finish()
    }
}

/// Whether an event stands before another one of the same timeline.
pub(super) fn is_before(a: &Event, b: &Event) -> bool {
    core::ptr::from_ref(a) < core::ptr::from_ref(b)
}

/// Whether a refusal is about the data connection or its TLS, not about the file, the user or the command.
pub(super) fn is_about_data(reply: &Reply) -> bool {
    let text = reply.text.to_ascii_lowercase();
    if super::data_protection_required::WORDS.iter().any(|w| text.contains(w)) {
        return false;
    }
    let network = text.contains("network protocol") || text.contains("protocol not supported");
    let words = ["tls", "ssl", "handshake", "data connection", "data channel", "secur"];
    match reply.code {
        425 | 426 => true,
        522 => !network,
        400.. => reuse(&reply.text).is_some() || words.iter().any(|w| text.contains(w)),
        _ => false,
    }
}

/// What every finding about a data handshake shows: the command, the hello, what decided, and the reply.
pub(super) fn show(sink: &Sink<'_>, f: &mut Finding, s: &Shake<'_>, label: &str) {
    f.set("command", s.transfer.command.map(|c| c.verb));
    f.evidence.extend(s.transfer.command.and_then(|c| sink.evidence(c.event, "")));
    f.evidence.extend(s.hello.and_then(|e| sink.evidence(e, "ClientHello on the data connection")));
    f.evidence.extend(s.broke.and_then(|b| sink.evidence(b.event, label)));
    show_reply(sink, f, s.transfer);
}

/// The final reply, as evidence and as data.
pub(super) fn show_reply(sink: &Sink<'_>, f: &mut Finding, t: &Transfer<'_>) {
    f.set("code", t.reply.map(|r| r.reply.code)).set("text", t.reply.map(|r| r.reply.text.as_str()));
    f.evidence.extend(t.reply.and_then(|r| sink.evidence(r.event, "on the control connection")));
}

/// That vsftpd's words about session reuse name no reason.
pub(super) fn warn_of_words(f: &mut Finding, t: &Transfer<'_>) {
    if t.refusal().is_some_and(|r| is_vsftpd(&r.reply.text)) {
        f.why.push(
            "vsftpd says \"session reuse required\" of every failed data handshake: the text misleads here.".to_owned(),
        );
    }
}

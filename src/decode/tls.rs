//! Records to messages: fragments are joined, encrypted parts are said to be opaque.

use super::Link;
use super::event::Kind;
use super::unit::Unit;
use crate::transcript::{Flow, Side};
use crate::wire::tls::content;
use crate::wire::tls::handshake::{self, Message};
use crate::wire::tls::record::{Front, HEADER_LEN, Header, front};

/// TLS 1.3: alerts and handshake messages in records of their own types are in clear.
const TLS13: u16 = 0x0304;

/// Where a flow stands within its records.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The record whose payload is being read, and how much of it is left.
    record: Option<(u8, usize)>,
    /// The sender switched encryption on (ChangeCipherSpec).
    encrypted: bool,
}

impl State {
    /// Whether the flow stands inside a record.
    pub(super) fn in_record(&self) -> bool {
        self.record.is_some()
    }

    /// The beginning of an encrypted record, when the rest of it is not kept.
    pub(super) fn leave_open(&mut self, bytes: &[u8]) -> Option<Kind> {
        let Front::Record(Header { content_type: content_type @ content::APPLICATION_DATA, len, .. }) = front(bytes)
        else {
            return None;
        };
        let left = (HEADER_LEN + usize::from(len)).checked_sub(bytes.len()).filter(|left| *left > 0)?;
        let is_new = self.record.is_none();
        is_new.then(|| {
            self.record = Some((content_type, left));
            Kind::Opaque { content_type }
        })
    }

    /// Bytes of a record were seen but not kept.
    pub(super) fn skip(&mut self, len: u64) {
        self.record = match self.record {
            Some((t, left)) if left as u64 > len => Some((t, left - len as usize)),
            _ => None,
        };
    }

    /// Bytes are missing: the next byte may be anything.
    pub(super) fn lose_place(&mut self) {
        self.record = None;
    }

    /// Reads the unit at the front. `bytes` begin with a record header, or inside the record that is open.
    pub(super) fn unit(&mut self, bytes: &[u8], flow: Flow, link: &mut Link) -> Unit {
        let (content_type, left, header) = match (self.record, front(bytes)) {
            (Some((content_type, left)), _) => (content_type, left, 0),
            (None, Front::Record(Header { content_type, len, .. })) => (content_type, usize::from(len), HEADER_LEN),
            (None, _) => return Unit::Needs(HEADER_LEN),
        };
        if left == 0 {
            return Unit::Is(header, Kind::EmptyRecord { content_type });
        }
        let clear = !self.encrypted || link.version == Some(TLS13);
        match content_type {
            content::HANDSHAKE if clear => return self.handshake(bytes, header, left, flow, link),
            content::ALERT if left == 2 || (left % 2 == 0 && (clear || self.record.is_some())) => {
                return self.alert(bytes, header, left);
            }
            _ => {}
        }
        let whole = header + left;
        if bytes.len() < whole {
            return Unit::Needs(whole);
        }
        self.record = None;
        Unit::Is(
            whole,
            match content_type {
                content::CHANGE_CIPHER_SPEC => {
                    self.encrypted = true;
                    Kind::ChangeCipherSpec
                }
                content::ALERT if clear => Kind::Malformed { part: "alert length" },
                _ => Kind::Opaque { content_type },
            },
        )
    }

    /// One alert; a record may hold several.
    fn alert(&mut self, bytes: &[u8], header: usize, left: usize) -> Unit {
        let Some(&[level, description]) = bytes.get(header..header + 2) else { return Unit::Needs(header + 2) };
        self.record = left.checked_sub(2).filter(|left| *left > 0).map(|left| (content::ALERT, left));
        Unit::Is(header + 2, Kind::Alert { level, description })
    }

    /// One handshake message, across as many records as it takes. The headers in between belong to it.
    fn handshake(&mut self, bytes: &[u8], header: usize, left: usize, flow: Flow, link: &mut Link) -> Unit {
        let mut message = Vec::new();
        let (mut at, mut left) = (header, left);
        loop {
            let wanted = match handshake::header(&message) {
                None => handshake::HEADER_LEN - message.len(),
                Some((_, len)) if len > handshake::LONGEST => {
                    return self.whole_record(bytes, at, left, Kind::Malformed { part: "handshake message length" });
                }
                Some((_, len)) => handshake::HEADER_LEN + len - message.len(),
            };
            if wanted == 0 {
                self.record = (left > 0).then_some((content::HANDSHAKE, left));
                let message = handshake::parse(&message);
                // Behind a HelloRetryRequest the second ClientHello comes after a ChangeCipherSpec, and in clear.
                if let (Message::ServerHello(hello) | Message::HelloRetryRequest(hello), Side::Server) =
                    (&message, flow.from)
                {
                    link.version = Some(hello.negotiated());
                }
                return Unit::Is(at, Kind::Handshake(message));
            }
            if left == 0 {
                match front(bytes.get(at..).unwrap_or_default()) {
                    Front::Record(Header { content_type: content::HANDSHAKE, len, .. }) => {
                        at += HEADER_LEN;
                        left = usize::from(len);
                        continue;
                    }
                    Front::Undecided => return Unit::Needs(bytes.len() + 1),
                    _ => {
                        self.record = None;
                        return Unit::Is(at, Kind::Malformed { part: "handshake message ended by something else" });
                    }
                }
            }
            let step = wanted.min(left);
            let Some(part) = bytes.get(at..at + step) else { return Unit::Needs(at + step) };
            message.extend_from_slice(part);
            at += step;
            left -= step;
        }
    }

    fn whole_record(&mut self, bytes: &[u8], at: usize, left: usize, kind: Kind) -> Unit {
        if bytes.len() < at + left {
            return Unit::Needs(at + left);
        }
        self.record = None;
        Unit::Is(at + left, kind)
    }

    /// What the rest of a flow is, when nothing more comes.
    pub(super) fn cut_short(&mut self, rest: &[u8]) -> Kind {
        let whole = match (self.record.take(), front(rest)) {
            (Some((_, left)), _) => Some(left),
            (None, Front::Record(h)) => Some(HEADER_LEN + usize::from(h.len)),
            (None, _) => None,
        };
        let missing = whole.and_then(|w| w.checked_sub(rest.len())).filter(|n| *n > 0);
        let what = match (rest.first(), rest.get(HEADER_LEN)) {
            (Some(22), Some(1)) => "ClientHello",
            (Some(22), Some(2)) => "ServerHello",
            (Some(21), None | Some(1 | 2)) => "TLS alert",
            _ => "TLS record",
        };
        Kind::CutShort { what, missing: missing.map(|n| n as u64) }
    }
}

//! Records to messages: fragments are joined, encrypted parts are said to be opaque.

use super::Link;
use super::event::Kind;
use super::unit::Unit;
use crate::codes;
use crate::transcript::{Flow, Side};
use crate::wire::tls::content;
use crate::wire::tls::handshake::{self, Message};
use crate::wire::tls::record::{Front, HEADER_LEN, Header, front};

/// TLS 1.3: alerts and handshake messages in records of their own types are in clear.
const TLS13: u16 = 0x0304;

/// Where a flow stands within its records.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    /// The record whose payload is being read, and how much of it is left.
    record: Option<(u8, usize)>,
    /// A part of that record is missing: the rest of it means nothing.
    torn: bool,
    /// The sender switched encryption on (ChangeCipherSpec).
    encrypted: bool,
    /// Bytes were missing, and perhaps that switch among them: only what cannot be chance is read as clear.
    unsure: bool,
}

/// What the payload of a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payload {
    Clear,
    Encrypted,
    /// Nobody saw whether encryption was switched on.
    Unknown,
}

impl State {
    /// Whether the flow stands inside a record.
    pub(super) fn in_record(&self) -> bool {
        self.record.is_some()
    }

    fn payload(&self, link: &Link) -> Payload {
        match (self.encrypted && link.version != Some(TLS13), self.unsure) {
            (true, _) => Payload::Encrypted,
            (false, true) => Payload::Unknown,
            (false, false) => Payload::Clear,
        }
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
            Kind::Opaque { content_type, len }
        })
    }

    /// Bytes of a record were seen but not kept.
    pub(super) fn skip(&mut self, len: u64) {
        self.record = match self.record {
            Some((t, left)) if left as u64 > len => Some((t, left - len as usize)),
            _ => None,
        };
        self.torn &= self.record.is_some();
    }

    /// So many bytes are missing behind `rest`, which was not yet read. Whether the place within the records is still
    /// known: the gap lies inside one, or ends with it.
    pub(super) fn miss(&mut self, rest: &[u8], len: Option<u64>) -> bool {
        let left = self.left_behind(rest);
        self.unsure = true;
        (self.record, self.torn) = (None, false);
        let Some(((content_type, left), len)) = left.zip(len.and_then(|len| usize::try_from(len).ok())) else {
            return false;
        };
        let Some(left) = left.checked_sub(len) else { return false };
        if left > 0 {
            (self.record, self.torn) = (Some((content_type, left)), true);
        }
        true
    }

    /// The record in which `rest` ends, and how much of it is still to come.
    fn left_behind(&self, rest: &[u8]) -> Option<(u8, usize)> {
        let (mut content_type, mut end) = self.record.unwrap_or_default();
        loop {
            let Some(left) = end.checked_sub(rest.len()) else {
                let Front::Record(header) = front(rest.get(end..).unwrap_or_default()) else { return None };
                content_type = header.content_type;
                end += HEADER_LEN + usize::from(header.len);
                continue;
            };
            return Some((content_type, left));
        }
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
        if self.torn {
            let len = left.min(bytes.len());
            self.record = (len < left).then_some((content_type, left - len));
            self.torn = len < left;
            return Unit::Is(len, Kind::Undecoded);
        }
        let payload = self.payload(link);
        let whole = header + left;
        if payload == Payload::Unknown {
            let Some(body) = bytes.get(header..whole) else { return Unit::Needs(whole) };
            if !is_clear(content_type, body) {
                self.record = None;
                return Unit::Is(whole, Kind::Opaque { content_type, len: left as u16 });
            }
            self.unsure &= content_type != content::HANDSHAKE;
        }
        let clear = payload != Payload::Encrypted;
        match content_type {
            content::HANDSHAKE if clear => return self.handshake(bytes, header, left, flow, link),
            content::ALERT if left == 2 || (left % 2 == 0 && (clear || self.record.is_some())) => {
                return self.alert(bytes, header, left);
            }
            _ => {}
        }
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
                _ => Kind::Opaque { content_type, len: left as u16 },
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
                let message = handshake::parse(&message, link.version);
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
            _ if self.unsure => "TLS record",
            (Some(22), Some(1)) => "ClientHello",
            (Some(22), Some(2)) => "ServerHello",
            (Some(21), None | Some(1 | 2)) => "TLS alert",
            _ => "TLS record",
        };
        Kind::CutShort { what, missing: missing.map(|n| n as u64) }
    }
}

/// Whether the whole payload of a record reads as what it would be in clear, where that is not known. Encrypted bytes do so
/// by chance once in millions of records.
fn is_clear(content_type: u8, body: &[u8]) -> bool {
    match (content_type, body) {
        (content::CHANGE_CIPHER_SPEC, body) => body == [1],
        (content::ALERT, [level, description]) => matches!(level, 1 | 2) && codes::alert(*description).is_some(),
        (content::HANDSHAKE, body) => are_clear_messages(body),
        _ => false,
    }
}

/// Whether these are whole handshake messages of types that travel in clear.
fn are_clear_messages(mut body: &[u8]) -> bool {
    while !body.is_empty() {
        let whole = handshake::header(body).filter(|(kind, _)| CLEAR_MESSAGES.contains(kind));
        let rest = whole.and_then(|(_, len)| body.get(handshake::HEADER_LEN + len..));
        let Some(rest) = rest else { return false };
        body = rest;
    }
    true
}

/// Messages that somebody sends before encryption begins: no HelloRequest (four zeros are a nonce), no Finished.
const CLEAR_MESSAGES: [u8; 10] = [1, 2, 4, 11, 12, 13, 14, 15, 16, 22];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::transcript::dialogue;
    use crate::wire::tls::ssl2;

    /// As OpenSSL 3.0 was asked, and how it answered: TLS 1.0 is offered, and chosen.
    const HELLO: &str = "803a01030100210000001000003900003800003500001600003300003200002f010080000004\
                         0000ff030080000102030405060708090a0b0c0d0e0f";
    const ANSWER: &str = "16030100510200004d0301ba7b56dfdc8f548dd837d5013a825d6b3cbfd5411682afd0444f574e4752440020ae44cda6145c35df\
                          cf4d729674c8ba2761c25bb8b7a35e6d31e8b6c88765c0bd0039000005ff01000100";

    fn kinds(play: &str) -> Vec<Kind> {
        decode(&dialogue::parse(play).unwrap()).events.into_iter().map(|e| e.kind).collect()
    }

    #[test]
    fn a_hello_in_the_format_of_ssl_2() {
        let whole = kinds(&format!("0 C {HELLO}\n1 S {ANSWER}\n2 C 15030100020228"));
        let [Kind::Handshake(Message::ClientHello(c)), Kind::Handshake(Message::ServerHello(s)), Kind::Alert { .. }] =
            &whole[..]
        else {
            panic!("{whole:?}")
        };
        assert_eq!((c.version, c.suites.len(), c.specs.as_ref().unwrap().len()), (0x0301, 9, 11));
        assert_eq!((s.version, s.downgrade()), (0x0301, Some(0x0303)));
        let bytewise: String =
            HELLO.as_bytes().chunks(2).map(|b| format!("0 C {}\n", str::from_utf8(b).unwrap())).collect();
        assert_eq!(kinds(&format!("{bytewise}1 S {ANSWER}\n2 C 15030100020228")), whole);
        let cut = kinds(&format!("0 C {}", &HELLO[..40]));
        assert_eq!(cut, [Kind::CutShort { what: "ClientHello", missing: Some(40) }]);
        // Of a server it is none.
        assert!(!matches!(kinds(&format!("0 S {HELLO}"))[..], [Kind::Handshake(_)]));
    }

    #[test]
    fn what_follows_a_server_hello_of_ssl_2_is_not_read() {
        let answer = "801004000100020002000300000a0b010080";
        let all = kinds(&format!("0 C {HELLO}\n1 S {answer}\n2 C 8012020100800000aabb\n3 S 8011 112233\n4 S 44"));
        assert!(matches!(all[1], Kind::Handshake(Message::Ssl2ServerHello(_))), "{all:?}");
        assert_eq!(all[2..], [Kind::Undecoded, Kind::Undecoded]);
        let error = kinds(&format!("0 C {HELLO}\n1 S 8003000001\n2 S closes"));
        assert_eq!(error[1], Kind::Handshake(Message::Ssl2Error { code: 1 }));
        assert_eq!(ssl2::error_name(1), Some("no cipher"));
    }

    #[test]
    fn a_file_of_two_bytes_stays_one() {
        let play = "conn 0 control\nconn 1 data-of=0\n0 1> S 8001\n1 1> S closes";
        let kinds = kinds(play);
        assert!(kinds.contains(&Kind::Data), "{kinds:?}");
    }
}

//! One connection, as a System SSL trace tells of it. Handshake messages are dumped *without* their record header; only
//! "SSL record header" dumps are record bytes, and those were received.
//!
//! At which end the traced program ran is told by the names of its functions, by what it says of its handshake, by what it dumps.

use core::net::{IpAddr, SocketAddr};

use super::Piece;
use super::gsk_record::Fact;
use crate::transcript::{Clock, Close, Code, ConnId, Entry, Fidelity, Layer, Micros, Side, What, speakers};
use crate::wire::sniff::{Speaker, sniff};
use crate::wire::tls::content;
use crate::wire::tls::handshake;
use crate::wire::tls::record::{Front, HEADER_LEN, Header, front};

/// Functions that end with the return code of a handshake, or of what it needs.
const HANDSHAKE: [&str; 4] =
    ["gsk_secure_socket_init", "gsk_environment_init", "gsk_environment_open", "gsk_initialize"];

/// What a program calls behind a failure, of the same connection.
const AFTERWARDS: [&str; 5] = ["close", "cleanup", "strerror", "attribute", "free"];

/// Messages that only one end sends, as functions are called after them.
const OF_CLIENT: [&str; 2] = ["client_hello", "client_key"];
const OF_SERVER: [&str; 4] = ["server_hello", "server_key", "hello_done", "certificate_request"];

/// Ports of FTP's control connections.
const CONTROL: [u16; 2] = [21, 990];

/// How z/OS names the jobs of its FTP server.
const SERVER_JOB: &str = "FTPD";

/// Noted where nothing shows at which end the trace was taken.
const ASSUMED_OF_BYTES: &str =
    "bytes without direction in a trace of System SSL were taken as a client's trace has them";
const ASSUMED_OF_WORDS: &str = "at which end System SSL ran: its trace does not say, and it was read as a client's";

/// A connection of which no more is to come.
#[derive(Debug)]
pub(super) struct Ended {
    /// The number of its first record.
    pub number: u64,
    pub piece: Piece,
    /// What was taken for granted.
    pub assumed: Option<&'static str>,
}

/// What one record told, before it is known at which end.
#[derive(Debug)]
enum Said {
    /// Bytes; whether this end sent them.
    Bytes(bool, Vec<u8>, Fidelity),
    Claim(Option<Code>, String),
    /// The partner ended the connection.
    Closed,
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The number of its first record, and when that was.
    began: Option<(u64, Option<Micros>)>,
    job: String,
    said: Vec<(Option<Micros>, Said)>,
    /// `N bytes received`: how many, when.
    received: Option<(u64, Option<Micros>)>,
    /// So many bytes of a record are still to come behind its header, which was dumped: the place behind what is there.
    due: Option<(usize, usize)>,
    /// A message that was dumped but not yet said to be written.
    unsent: Option<(Vec<u8>, Option<Micros>)>,
    hello_seen: bool,
    failed: bool,
    /// The return code that was told last.
    code: Option<u32>,
    /// The end at which the program ran.
    role: Option<Side>,
    partner: Option<SocketAddr>,
}

/// Whether a connection begins with this record, as far as its function says so.
pub(super) fn opens(fact: &Fact<'_>) -> bool {
    let begins = || fact.function.ends_with("_init") || fact.function.ends_with("_open");
    fact.description == "SSL_ENTRY" && begins()
}

/// Whether a dump shows a record header rather than a message.
pub(super) fn is_record_header(fact: &Fact<'_>) -> bool {
    has(fact.text, "record header")
}

/// Whether a text holds words, in any case.
fn has(text: &str, words: &str) -> bool {
    text.as_bytes().windows(words.len()).any(|w| w.eq_ignore_ascii_case(words.as_bytes()))
}

fn is_hello(fact: &Fact<'_>) -> bool {
    fact.is_dump && has(fact.text, "CLIENT-HELLO")
}

fn sends(function: &str) -> bool {
    function.contains("send") || function.contains("write")
}

impl Session {
    /// Whether anything of a handshake was told.
    pub(super) fn has_begun(&self) -> bool {
        self.hello_seen || self.failed || self.said.iter().any(|(_, s)| matches!(s, Said::Bytes(..)))
    }

    /// Whether the handshake failed.
    pub(super) fn is_failed(&self) -> bool {
        self.failed
    }

    /// Whether this record is of another connection: a second hello, or whatever comes behind a failure that is neither the
    /// way out of the functions nor what a program calls then.
    pub(super) fn is_over(&self, fact: &Fact<'_>) -> bool {
        if is_hello(fact) && self.hello_seen {
            return true;
        }
        if !self.failed && self.code.is_none() || fact.description == "SSL_EXIT" {
            return false;
        }
        let (code, known) = (return_code(fact), self.code.is_some());
        let way_out = || AFTERWARDS.iter().any(|f| fact.function.contains(f)) || code.is_some() && !known;
        code.is_some() && known || self.failed && !way_out()
    }

    /// Takes the record with this number.
    pub(super) fn take(&mut self, fact: &Fact<'_>, number: u64, at: Option<Micros>) {
        if self.began.is_none() {
            self.began = Some((number, at));
            fact.job.clone_into(&mut self.job);
        }
        if self.role.is_none() {
            self.role = role(fact);
        }
        if fact.is_dump {
            self.dump(fact, at);
        } else {
            self.message(fact, at);
        }
    }

    fn message(&mut self, fact: &Fact<'_>, at: Option<Micros>) {
        let text = fact.text;
        let number = || text.split(' ').find_map(|w| w.parse::<u64>().ok());
        if text.ends_with("bytes received") {
            self.received = number().map(|n| (n, at));
        } else if text.ends_with("bytes written") {
            self.written(number(), at);
        } else if text.starts_with("Content Type") {
            let code = number().and_then(|n| u32::try_from(n).ok()).map(Code::ContentType);
            self.claim(at, code, text);
        } else if text.starts_with("Calling ") {
            // The most frequent of all, and of no news.
        } else if let Some((_, address)) = text.split_once("handshake failed with ").filter(|(_, a)| !a.is_empty()) {
            self.partner = endpoint(address).or(self.partner);
            self.claim(at, None, text);
            self.failed = true;
        } else if let Some(address) = text.strip_prefix("Socket closed by") {
            self.partner = self.partner.or(endpoint(address));
            self.flush();
            self.said.push((at, Said::Closed));
        } else if let Some(rc) = return_code(fact) {
            if self.code.replace(rc) != Some(rc) {
                self.claim(at, Some(Code::Gsk(rc)), text);
            }
            // The words of the same failure may follow its code.
            self.failed |= fact.description == "SSL_EXIT";
        } else if fact.description == "SSL_ERROR" && !text.is_empty() || is_alert(text) {
            self.claim(at, None, text);
        }
    }

    fn claim(&mut self, at: Option<Micros>, code: Option<Code>, text: &str) {
        self.flush();
        self.said.push((at, Said::Claim(code, text.to_owned())));
    }

    fn dump(&mut self, fact: &Fact<'_>, at: Option<Micros>) {
        let bytes = fact.bytes;
        if bytes.is_empty() || fact.jump.is_some() {
            return;
        }
        if is_record_header(fact) {
            let at = self.received.filter(|(n, _)| *n == bytes.len() as u64).map_or(at, |(_, at)| at);
            self.flush();
            // The dump is written after the complaint about it; the bytes came before.
            let place = self.said.iter().rposition(|(t, _)| *t <= at).map_or(0, |n| n + 1);
            self.said.insert(place, (at, Said::Bytes(false, bytes.to_vec(), Fidelity::Exact)));
            self.due = match front(bytes) {
                Front::Record(h) if bytes.len() == HEADER_LEN => Some((place + 1, usize::from(h.len))),
                _ => None,
            };
            return;
        }
        self.hello_seen |= is_hello(fact);
        self.flush();
        if sends(fact.function) {
            self.unsent = Some((bytes.to_vec(), at));
        } else if !self.behind_header(bytes, at) {
            self.wrapped(false, bytes.to_vec(), at);
        }
    }

    /// Puts what was received behind the header that was dumped before it, whatever the title of its dump: a whole record, the
    /// rest of one, or the next message of several in one.
    fn behind_header(&mut self, bytes: &[u8], at: Option<Micros>) -> bool {
        let Some((place, due)) = self.due else { return false };
        let header = place.checked_sub(1).and_then(|n| self.said.get(n));
        let body = match header {
            // The record is dumped again, with its header.
            Some((_, Said::Bytes(false, header, _))) if bytes.len() == header.len() + due => {
                bytes.strip_prefix(header.as_slice()).unwrap_or(bytes)
            }
            _ => bytes,
        };
        let is_message = || handshake::header(body).is_some_and(|(_, len)| handshake::HEADER_LEN + len == body.len());
        if !(body.len() == due || body.len() < due && is_message()) {
            return false;
        }
        self.said.insert(place, (at, Said::Bytes(false, body.to_vec(), Fidelity::Exact)));
        self.due = (body.len() < due).then_some((place + 1, due - body.len()));
        true
    }

    /// `N bytes written` tells when a dumped message left, header included.
    fn written(&mut self, len: Option<u64>, at: Option<Micros>) {
        if let Some((bytes, dumped)) = self.unsent.take() {
            let left = if len == Some((bytes.len() + HEADER_LEN) as u64) { at } else { dumped };
            self.wrapped(true, bytes, left);
        }
    }

    /// A message that was dumped leaves now: nothing says when.
    fn flush(&mut self) {
        if let Some((bytes, at)) = self.unsent.take() {
            self.wrapped(true, bytes, at);
        }
    }

    /// A handshake message with the record header that must have been around it. The header is rebuilt: System
    /// SSL never dumps it. Its length is that of the whole message, so a torn dump stays torn. A dump of a whole record has its
    /// own; two bytes, a level and a code, are an alert (a handshake message that was torn there has 0 for a code).
    fn wrapped(&mut self, sent: bool, message: Vec<u8>, at: Option<Micros>) {
        if matches!(front(&message), Front::Record(h) if HEADER_LEN + usize::from(h.len) == message.len()) {
            self.said.push((at, Said::Bytes(sent, message, Fidelity::Exact)));
            return;
        }
        let announced = handshake::header(&message).map_or(message.len(), |(_, len)| handshake::HEADER_LEN + len);
        let len = u16::try_from(announced).unwrap_or(u16::MAX);
        let is_alert = matches!(message.as_slice(), [1 | 2, code] if *code != 0);
        let content_type = if is_alert { content::ALERT } else { content::HANDSHAKE };
        let header = Header { content_type, version: 0x0301, len };
        self.said.push((at, Said::Bytes(sent, header.to_bytes().to_vec(), Fidelity::Rebuilt)));
        self.said.push((at, Said::Bytes(sent, message, Fidelity::Exact)));
    }

    /// What it came to; nothing when no record was of it.
    pub(super) fn end(mut self) -> Option<Ended> {
        self.flush();
        let (number, began) = self.began?;
        let side = self.role.or_else(|| self.likely_role());
        let bytes = || self.said.iter().any(|(_, s)| matches!(s, Said::Bytes(..)));
        let assumed = side.is_none().then(|| if bytes() { ASSUMED_OF_BYTES } else { ASSUMED_OF_WORDS });
        let by = speakers::speaker(speakers::SYSTEM_SSL, side, &self.job);
        let here = side.unwrap_or(Side::Client);
        let what = |said| match said {
            Said::Bytes(sent, data, fidelity) => {
                let from = if sent { here } else { here.other() };
                What::Bytes { from, layer: Layer::Wire, data, fidelity }
            }
            Said::Claim(code, text) => What::Claim { by: by.clone(), code, text },
            Said::Closed => What::Closed { by: here.other(), how: Close::Unknown },
        };
        // A System SSL trace is of TLS from its first record on.
        let first = Entry { at: began, conn: ConnId(0), what: What::TlsStarts { by: here } };
        let rest = self.said.into_iter().map(|(at, said)| Entry { at, conn: ConnId(0), what: what(said) });
        let mut piece = Piece { clock: Clock::TimeOfDay, ..Piece::default() };
        piece.entries = core::iter::once(first).chain(rest).collect();
        match here {
            Side::Client => piece.conn.peer = self.partner,
            Side::Server => piece.conn.local = self.partner,
        }
        Some(Ended { number, piece, assumed })
    }

    /// What speaks for an end where no message does: the partner's port, the name of the job.
    fn likely_role(&self) -> Option<Side> {
        if self.partner.is_some_and(|p| CONTROL.contains(&p.port())) {
            return Some(Side::Client);
        }
        self.job.starts_with(SERVER_JOB).then_some(Side::Server)
    }
}

/// The end at which a program runs that writes such a record.
fn role(fact: &Fact<'_>) -> Option<Side> {
    let sent = sends(fact.function);
    let by = |sender: Side| if sent { sender } else { sender.other() };
    let names = |of: &[&str]| of.iter().any(|m| fact.function.contains(m));
    if names(&OF_CLIENT) {
        return Some(by(Side::Client));
    } else if names(&OF_SERVER) {
        return Some(by(Side::Server));
    }
    let of_handshake = |whose: &str| has(fact.text, whose);
    if of_handshake("client handshake") {
        return Some(Side::Client);
    } else if of_handshake("server handshake") {
        return Some(Side::Server);
    }
    if !fact.is_dump || fact.jump.is_some() {
        return None;
    }
    if is_record_header(fact) {
        // What stands there instead of a header shows who wrote it.
        return match sniff(fact.bytes) {
            Speaker::FtpReply(_) | Speaker::Ssh => Some(Side::Client),
            _ => None,
        };
    }
    match handshake::header(fact.bytes)?.0 {
        1 | 16 => Some(by(Side::Client)),
        2 | 12..=14 => Some(by(Side::Server)),
        _ => None,
    }
}

/// `alert 46 received`, whatever stands around it.
fn is_alert(text: &str) -> bool {
    has(text, "alert ") && has(text, "received")
}

/// The number behind `status` or `rc`, where a handshake or its environment ends in one; 0 is success.
fn return_code(fact: &Fact<'_>) -> Option<u32> {
    let ends = matches!(fact.description, "SSL_EXIT" | "SSL_ERROR") && HANDSHAKE.contains(&fact.function);
    if !ends {
        return None;
    }
    let mut words = fact.text.split([' ', '=', ':']).filter(|w| !w.is_empty());
    words.find(|w| ["status", "rc", "code"].iter().any(|k| w.eq_ignore_ascii_case(k)))?;
    let number = words.find(|w| !w.eq_ignore_ascii_case("is") && !w.eq_ignore_ascii_case("code"))?;
    let number = value(number.trim_end_matches(['.', ',', ';', ')']), words.next())?;
    (number != 0 && number.unsigned_abs() < 1_000_000).then_some(number.cast_unsigned())
}

/// `414`, or `0x0000019e` with the same number in decimal behind it, in parentheses; where these differ, nobody knows which it is.
fn value(word: &str, behind: Option<&str>) -> Option<i32> {
    let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) else { return word.parse().ok() };
    let number = u32::from_str_radix(digits, 16).ok()?.cast_signed();
    let decimal = behind.and_then(|w| w.strip_prefix('(')?.split(')').next()?.parse::<i32>().ok());
    decimal.is_none_or(|n| n == number).then_some(number)
}

/// `67.208.93.232.21.`: the port stands behind the last dot.
fn endpoint(address: &str) -> Option<SocketAddr> {
    let (ip, port) = address.split_whitespace().next()?.trim_end_matches('.').rsplit_once('.')?;
    let ip: IpAddr = ip.parse().ok()?;
    Some(SocketAddr::new(ip, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_in_hex_stand_beside_the_same_in_decimal() {
        assert_eq!(value("414", None), Some(414));
        assert_eq!(value("0x0000019e", Some("(414)")), Some(414));
        assert_eq!(value("0x0000019e", None), Some(414));
        assert_eq!(value("0x0000019e", Some("(410)")), None);
        assert_eq!(value("0xffffffea", None), Some(-22));
        assert_eq!(value("0x", None), None);
    }

    #[test]
    fn the_note_about_directions_is_one() {
        assert!(ASSUMED_OF_BYTES.starts_with(crate::transcript::ASSUMED_DIRECTION));
    }
}

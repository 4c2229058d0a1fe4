//! Hellos in the format of SSL 2 (draft-hickman-netscape-ssl; RFC 5246, appendix E.2): two bytes of length, and no record
//! around them. Old clients begin so although they offer SSL 3.0 or TLS.
//!
//! The header of three bytes exists for the padding of encrypted messages: a hello never has it.

use super::super::reader::Reader;
use super::handshake::Message;
use super::hello::ClientHello;

/// The version number of SSL 2.
pub const VERSION: u16 = 0x0002;

/// Length of the header of a message in clear.
const HEADER_LEN: usize = 2;

/// Longest message: a ServerHello with a certificate.
const LONGEST: usize = 0x3fff;

/// Challenges have 16 to 32 bytes, session ids none or 16.
const CHALLENGE: core::ops::RangeInclusive<usize> = 16..=32;
const ID_LEN: usize = 16;

/// Numbers of errors: no cipher, no certificate, bad certificate, unsupported certificate type.
const ERRORS: [(u16, &str); 4] =
    [(1, "no cipher"), (2, "no certificate"), (4, "bad certificate"), (6, "unsupported certificate type")];

/// The answer of a server that speaks SSL 2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// Whether it knows the session that the client wants to resume.
    pub hit: bool,
    /// Version; [`VERSION`].
    pub version: u16,
    /// Its certificate, DER; empty when a session is resumed.
    pub certificate: Vec<u8>,
    /// The cipher specs that it shares with the client, three bytes each.
    pub specs: Vec<u32>,
    /// Connection id.
    pub id: Vec<u8>,
}

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Sends a ClientHello.
    Client,
    /// Sends a ServerHello, or an error.
    Server,
}

/// What the front of a flow is, at a place where a hello may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// Too few bytes to tell.
    Undecided,
    /// A message of so many bytes, header included.
    Message(usize),
    /// Nothing of SSL 2, however many bytes more come.
    Not,
}

/// Looks at the front of a flow. All lengths have to agree: text and files do not pass for a hello.
pub fn front(bytes: &[u8], from: Sender) -> Front {
    let Some(hi) = bytes.first() else { return Front::Undecided };
    if !(0x80..=0xbf).contains(hi) {
        return Front::Not;
    }
    let known = match (from, bytes.get(HEADER_LEN..).unwrap_or_default()) {
        (_, []) => return Front::Undecided,
        (Sender::Client, body @ [1, ..]) => client(body),
        (Sender::Server, body @ [4, ..]) => server(body),
        (Sender::Server, body @ [0, ..]) => error(body),
        _ => return Front::Not,
    };
    match (known, bytes) {
        (Body::Needs, _) => Front::Undecided,
        (Body::Len(len), [hi, lo, ..])
            if len == usize::from(u16::from_be_bytes([hi & 0x7f, *lo])) && len <= LONGEST =>
        {
            Front::Message(HEADER_LEN + len)
        }
        _ => Front::Not,
    }
}

/// The same where it is not known who sends.
pub fn front_of_either(bytes: &[u8]) -> Front {
    match (front(bytes, Sender::Client), front(bytes, Sender::Server)) {
        (Front::Message(len), _) | (_, Front::Message(len)) => Front::Message(len),
        (Front::Undecided, _) | (_, Front::Undecided) => Front::Undecided,
        _ => Front::Not,
    }
}

/// What the beginning of a message says of its length.
enum Body {
    Needs,
    Len(usize),
    Not,
}

fn client(body: &[u8]) -> Body {
    let mut r = Reader::new(body.get(1..).unwrap_or_default());
    match r.u16() {
        None if matches!(body, [_] | [_, 0 | 3]) => return Body::Needs,
        Some(VERSION | 0x0300..=0x0304) => {}
        _ => return Body::Not,
    }
    let Some([specs, id, challenge]) = lengths(&mut r) else { return Body::Needs };
    let plausible = specs > 0 && specs % 3 == 0 && (id == 0 || id == ID_LEN) && CHALLENGE.contains(&challenge);
    if plausible { Body::Len(9 + specs + id + challenge) } else { Body::Not }
}

fn server(body: &[u8]) -> Body {
    let ok = |at: usize, allowed: &[u8]| body.get(at).is_none_or(|b| allowed.contains(b));
    // Session id hit, certificate type (X.509 or none), version.
    if !(ok(1, &[0, 1]) && ok(2, &[0, 1]) && ok(3, &[0]) && ok(4, &[2])) {
        return Body::Not;
    }
    let mut r = Reader::new(body.get(5..).unwrap_or_default());
    let Some([certificate, specs, id]) = lengths(&mut r) else { return Body::Needs };
    if specs % 3 == 0 && (id == 0 || id == ID_LEN) { Body::Len(11 + certificate + specs + id) } else { Body::Not }
}

fn error(body: &[u8]) -> Body {
    match body {
        [_] | [_, 0] => Body::Needs,
        [_, 0, code, ..] if error_name(u16::from(*code)).is_some() => Body::Len(3),
        _ => Body::Not,
    }
}

fn lengths(r: &mut Reader<'_>) -> Option<[usize; 3]> {
    Some([usize::from(r.u16()?), usize::from(r.u16()?), usize::from(r.u16()?)])
}

/// What an error says.
pub fn error_name(code: u16) -> Option<&'static str> {
    ERRORS.iter().find(|(n, _)| *n == code).map(|(_, name)| *name)
}

/// Reads one whole message, header included; `None` when it is none.
pub fn parse(message: &[u8]) -> Option<Message> {
    let mut r = Reader::new(message.get(HEADER_LEN..)?);
    match r.u8()? {
        1 => client_hello(r).map(|hello| Message::ClientHello(Box::new(hello))),
        4 => server_hello(r).map(|hello| Message::Ssl2ServerHello(Box::new(hello))),
        0 => Some(Message::Ssl2Error { code: r.u16()? }),
        _ => None,
    }
}

fn client_hello(mut r: Reader<'_>) -> Option<ClientHello> {
    let version = r.u16()?;
    let [specs, id, challenge] = lengths(&mut r)?;
    let specs = numbers(r.take(specs)?);
    let session_id = r.take(id)?.to_vec();
    let mut random = [0; 32];
    // A challenge of fewer bytes stands at the end of the random (RFC 5246, E.2).
    let challenge = r.take(challenge)?;
    random.get_mut(32_usize.checked_sub(challenge.len())?..)?.copy_from_slice(challenge);
    let suites = specs.iter().filter_map(|spec| u16::try_from(*spec).ok()).collect();
    Some(ClientHello {
        version,
        random,
        session_id,
        suites,
        compression: vec![0],
        specs: Some(specs),
        ..ClientHello::default()
    })
}

fn server_hello(mut r: Reader<'_>) -> Option<ServerHello> {
    let (hit, _, version) = (r.u8()? != 0, r.u8()?, r.u16()?);
    let [certificate, specs, id] = lengths(&mut r)?;
    let certificate = r.take(certificate)?.to_vec();
    Some(ServerHello { hit, version, certificate, specs: numbers(r.take(specs)?), id: r.take(id)?.to_vec() })
}

fn numbers(part: &[u8]) -> Vec<u32> {
    part.as_chunks::<3>().0.iter().map(|[a, b, c]| u32::from_be_bytes([0, *a, *b, *c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OpenSSL 1.0.2 (SSLv23 method with SSL 2 allowed): TLS 1.0 offered, two specs of SSL 2 among the suites.
    const HELLO: &str = "802e0103010015000000100000390000350000160000ff010080000004030080\
                         00112233445566778899aabbccddeeff";

    #[test]
    fn a_hello_that_offers_tls() {
        let bytes = hex::decode(HELLO).unwrap();
        for cut in 0..11 {
            assert_eq!(front(&bytes[..cut], Sender::Client), Front::Undecided, "{cut}");
        }
        assert_eq!(front(&bytes[..11], Sender::Client), Front::Message(48));
        assert_eq!(front(&bytes, Sender::Server), Front::Not);
        let Some(Message::ClientHello(hello)) = parse(&bytes) else { panic!() };
        assert_eq!(hello.suites, [0x39, 0x35, 0x16, 0xff, 4]);
        assert_eq!(hello.specs.as_deref().map(|s| s[4]), Some(0x01_0080));
        assert_eq!((hello.highest_version(), hello.random[15], hello.random[17]), (0x0301, 0, 0x11));
        for cut in 0..bytes.len() {
            assert_eq!(parse(&bytes[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn answers_of_ssl_2() {
        let hello = hex::decode("801204000100020002000300000a0b0c01008000").unwrap();
        assert_eq!(front(&hello, Sender::Server), Front::Not, "the lengths lie");
        let hello = hex::decode("801004000100020002000300000a0b010080").unwrap();
        assert_eq!(front(&hello, Sender::Server), Front::Message(18));
        let Some(Message::Ssl2ServerHello(read)) = parse(&hello) else { panic!() };
        assert_eq!((read.certificate, read.specs), (vec![0x0a, 0x0b], vec![0x01_0080]));
        let error = hex::decode("8003000001").unwrap();
        assert_eq!(front(&error, Sender::Server), Front::Message(5));
        assert_eq!(parse(&error), Some(Message::Ssl2Error { code: 1 }));
        assert_eq!(front(&hex::decode("8003000009").unwrap(), Sender::Server), Front::Not);
    }

    #[test]
    fn text_is_none() {
        for text in [&b"550 T"[..], b"\x84 x", b"\xa0\xa0\xa0\r\n", &[0xbf, 0x01, 0x03], &[0x16, 3, 1]] {
            for from in [Sender::Client, Sender::Server] {
                assert_eq!(front(text, from), Front::Not, "{text:?}");
            }
        }
    }
}

//! Handshake messages: the header, and what stands behind each type.

use super::super::reader::{Reader, u16_list};
use super::hello::{ClientHello, ServerHello};
use super::ssl2;

/// Length of a handshake header: type and a three-byte length.
pub const HEADER_LEN: usize = 4;

/// Longest handshake message that is read; longer ones are no handshake (the largest real chains stay below).
pub const LONGEST: usize = 256 * 1024;

/// TLS 1.2.
const TLS12: u16 = 0x0303;

/// A handshake message that travelled in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// ClientHello.
    ClientHello(Box<ClientHello>),
    /// ServerHello.
    ServerHello(Box<ServerHello>),
    /// HelloRetryRequest.
    HelloRetryRequest(Box<ServerHello>),
    /// A certificate chain (TLS 1.2 and below), DER, end entity first.
    Certificate {
        /// The certificates.
        chain: Vec<Vec<u8>>,
    },
    /// CertificateRequest (TLS 1.2 and below).
    CertificateRequest {
        /// Kinds of keys that may sign: 1 RSA, 2 DSS, 64 ECDSA.
        types: Vec<u8>,
        /// Signature schemes; `None` below TLS 1.2.
        schemes: Option<Vec<u16>>,
        /// The distinguished names of acceptable authorities, DER.
        authorities: Vec<Vec<u8>>,
    },
    /// The server's share of an (EC)DHE key exchange, without header (TLS 1.2 and below).
    ServerKeyExchange {
        /// What its suite makes of it; see [`super::key_exchange`].
        params: Vec<u8>,
    },
    /// A ticket for a later session (TLS 1.2 and below).
    NewSessionTicket {
        /// Seconds for which the server means to take it; 0 says nothing.
        lifetime: u32,
        /// Its length in bytes.
        len: usize,
    },
    /// The proof that the client holds the key of its certificate (TLS 1.2 and below).
    CertificateVerify {
        /// The scheme of its signature; `None` below TLS 1.2.
        scheme: Option<u16>,
    },
    /// A stapled answer on the state of the server's certificate.
    CertificateStatus {
        /// 1: OCSP.
        kind: u8,
        /// Its length in bytes.
        len: usize,
    },
    /// The client's share of the key exchange.
    ClientKeyExchange {
        /// Its length in bytes.
        len: usize,
    },
    /// The ServerHello of SSL 2.
    Ssl2ServerHello(Box<ssl2::ServerHello>),
    /// An error of SSL 2.
    Ssl2Error {
        /// Its number; see [`ssl2::error_name`].
        code: u16,
    },
    /// Any other message.
    Other {
        /// Handshake type.
        kind: u8,
    },
    /// A known type whose body broke its own lengths; says where.
    Broken {
        /// Handshake type.
        kind: u8,
        /// Which part.
        part: &'static str,
    },
}

/// Name of a handshake type as the RFCs write it.
pub fn type_name(kind: u8) -> &'static str {
    match kind {
        0 => "HelloRequest",
        1 => "ClientHello",
        2 => "ServerHello",
        3 => "HelloVerifyRequest",
        4 => "NewSessionTicket",
        5 => "EndOfEarlyData",
        8 => "EncryptedExtensions",
        11 => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        14 => "ServerHelloDone",
        15 => "CertificateVerify",
        16 => "ClientKeyExchange",
        20 => "Finished",
        21 => "CertificateURL",
        22 => "CertificateStatus",
        24 => "KeyUpdate",
        25 => "CompressedCertificate",
        67 => "NextProtocol",
        _ => "unknown handshake message",
    }
}

/// Type and body length from the first four bytes of a message; `None` while there are fewer.
pub fn header(bytes: &[u8]) -> Option<(u8, usize)> {
    match bytes {
        [kind, a, b, c, ..] => Some((*kind, u32::from_be_bytes([0, *a, *b, *c]) as usize)),
        _ => None,
    }
}

/// Reads one whole message, header included. `version` is the one that was negotiated, where that is known: it tells the forms
/// of a CertificateVerify apart.
pub fn parse(message: &[u8], version: Option<u16>) -> Message {
    let (kind, body) = match message.split_at_checked(HEADER_LEN) {
        Some(([kind, ..], body)) => (*kind, body),
        _ => return Message::Other { kind: 0 },
    };
    let broken = |part| Message::Broken { kind, part };
    match kind {
        1 => match ClientHello::parse(body) {
            Some(ClientHello { broken: Some(part), .. }) => broken(part),
            Some(hello) => Message::ClientHello(Box::new(hello)),
            None => broken("version and random"),
        },
        2 => match ServerHello::parse(body) {
            Some(ServerHello { broken: Some(part), .. }) => broken(part),
            Some(hello) if hello.is_retry() => Message::HelloRetryRequest(Box::new(hello)),
            Some(hello) => Message::ServerHello(Box::new(hello)),
            None => broken("version and random"),
        },
        11 => certificate(body).unwrap_or_else(|| broken("lengths")),
        12 => Message::ServerKeyExchange { params: body.to_vec() },
        13 => certificate_request(body).unwrap_or_else(|| broken("lengths")),
        // What these say decides nothing: a form that is not known is no fault.
        4 => new_session_ticket(body).unwrap_or(Message::Other { kind }),
        15 => certificate_verify(body, version).unwrap_or(Message::Other { kind }),
        16 => Message::ClientKeyExchange { len: body.len() },
        22 => certificate_status(body).unwrap_or(Message::Other { kind }),
        _ => Message::Other { kind },
    }
}

/// RFC 5246, 7.4.2.
fn certificate(body: &[u8]) -> Option<Message> {
    let mut r = Reader::new(body);
    let mut list = Reader::new(part24(&mut r)?);
    let mut chain = Vec::new();
    while !list.is_empty() {
        chain.push(part24(&mut list)?.to_vec());
    }
    r.is_empty().then_some(Message::Certificate { chain })
}

/// RFC 5246, 7.4.4. Schemes came with TLS 1.2. The list of names is the last part of either form, so that the lengths of one
/// never fit the other.
fn certificate_request(body: &[u8]) -> Option<Message> {
    let mut r = Reader::new(body);
    let types = r.part8()?.to_vec();
    let first = r.part16()?;
    let (schemes, names) = if r.is_empty() { (None, first) } else { (Some(u16_list(first)?), r.part16()?) };
    let mut list = Reader::new(names);
    let mut authorities = Vec::new();
    while !list.is_empty() {
        authorities.push(list.part16()?.to_vec());
    }
    r.is_empty().then_some(Message::CertificateRequest { types, schemes, authorities })
}

/// RFC 5077, 3.3.
fn new_session_ticket(body: &[u8]) -> Option<Message> {
    let mut r = Reader::new(body);
    let lifetime = r.take(4)?.try_into().ok().map(u32::from_be_bytes)?;
    let len = r.part16()?.len();
    r.is_empty().then_some(Message::NewSessionTicket { lifetime, len })
}

/// RFC 5246, 7.4.8: a scheme and a signature; a signature alone below TLS 1.2.
fn certificate_verify(body: &[u8], version: Option<u16>) -> Option<Message> {
    let is_old = |mut r: Reader<'_>| r.part16().is_some() && r.is_empty();
    let old = is_old(Reader::new(body));
    if version.map_or(old, |v| v < TLS12) {
        return old.then_some(Message::CertificateVerify { scheme: None });
    }
    let mut r = Reader::new(body);
    let scheme = r.u16()?;
    is_old(r).then_some(Message::CertificateVerify { scheme: Some(scheme) })
}

/// RFC 6066, section 8.
fn certificate_status(body: &[u8]) -> Option<Message> {
    let mut r = Reader::new(body);
    Some(Message::CertificateStatus { kind: r.u8()?, len: r.rest().len().checked_sub(3)? })
}

/// A part behind a length of three bytes.
fn part24<'a>(r: &mut Reader<'a>) -> Option<&'a [u8]> {
    let len = r.u24()? as usize;
    r.take(len)
}

#[cfg(test)]
mod tests {
    use tls_parser::{TlsMessage, TlsMessageHandshake, parse_tls_message_handshake};

    use super::*;

    fn read(message: &str, version: Option<u16>) -> Message {
        parse(&hex::decode(message).unwrap(), version)
    }

    fn by_library(message: &[u8]) -> Option<TlsMessageHandshake<'_>> {
        match parse_tls_message_handshake(message) {
            Ok((_, TlsMessage::Handshake(read))) => Some(read),
            _ => None,
        }
    }

    #[test]
    fn a_library_and_our_reader_agree_on_a_hello() {
        let message = hex::decode(
            "010000350301603853AEFEE40E3FA5C1738D117497B11A6C48D50A529ED8C9F619AF4C56C20D00000E00FF003500380039002F003200330100",
        )
        .unwrap();
        let Message::ClientHello(ours) = parse(&message, None) else { panic!() };
        let Some(TlsMessageHandshake::ClientHello(theirs)) = by_library(&message) else { panic!() };
        assert_eq!(ours.suites, theirs.ciphers.iter().map(|c| c.0).collect::<Vec<_>>());
        assert_eq!(ours.version, theirs.version.0);
    }

    #[test]
    fn a_broken_certificate_is_said_to_be_broken() {
        assert_eq!(parse(&[11, 0, 0, 3, 0, 0, 9], None), Message::Broken { kind: 11, part: "lengths" });
        assert_eq!(parse(&[11, 0, 0, 3, 0, 0, 0], None), Message::Certificate { chain: vec![] });
    }

    #[test]
    fn both_forms_of_a_certificate_request() {
        let request = |types: &[u8], schemes: Option<Vec<u16>>, names: &[&[u8]]| Message::CertificateRequest {
            types: types.to_vec(),
            schemes,
            authorities: names.iter().map(|n| n.to_vec()).collect(),
        };
        // As OpenSSL sends them in TLS 1.1 and in TLS 1.2.
        let (old, new) = ("0d00000a 0301 0240 0004 0002 3000", "0d000010 0301 0240 0004 0401 0503 0004 0002 3000");
        let hex = |s: &str| s.replace(' ', "");
        assert_eq!(read(&hex(old), Some(0x0302)), request(&[1, 2, 64], None, &[&[0x30, 0]]));
        assert_eq!(read(&hex(new), Some(0x0303)), request(&[1, 2, 64], Some(vec![0x0401, 0x0503]), &[&[0x30, 0]]));
        assert_eq!(read("0d0000040101 0000".replace(' ', "").as_str(), None), request(&[1], None, &[]));
        for message in [old, new] {
            let bytes = hex::decode(hex(message)).unwrap();
            let Some(TlsMessageHandshake::CertificateRequest(theirs)) = by_library(&bytes) else { panic!() };
            let Message::CertificateRequest { types, schemes, authorities } = parse(&bytes, None) else { panic!() };
            assert_eq!((types, schemes), (theirs.cert_types.clone(), theirs.sig_hash_algs.clone()));
            assert_eq!(authorities, theirs.unparsed_ca);
            for cut in 4..bytes.len() {
                assert!(matches!(parse(&bytes[..cut], None), Message::Broken { kind: 13, .. }), "{cut}");
            }
        }
    }

    #[test]
    fn small_messages() {
        assert_eq!(read("0400000800001c2000020909", None), Message::NewSessionTicket { lifetime: 7200, len: 2 });
        assert_eq!(read("0400000700001c20000209", None), Message::Other { kind: 4 });
        let scheme = |message, version| match read(message, version) {
            Message::CertificateVerify { scheme } => Some(scheme),
            _ => None,
        };
        assert_eq!(scheme("0f00000608040002aabb", Some(0x0303)), Some(Some(0x0804)));
        assert_eq!(scheme("0f00000608040002aabb", None), Some(Some(0x0804)));
        assert_eq!(scheme("0f00000608040002aabb", Some(0x0302)), None);
        assert_eq!(scheme("0f0000040002aabb", Some(0x0302)), Some(None));
        assert_eq!(read("1600000501000001aa", None), Message::CertificateStatus { kind: 1, len: 1 });
        assert_eq!(read("10000003 020102".replace(' ', "").as_str(), None), Message::ClientKeyExchange { len: 3 });
    }
}

//! Handshake messages: the header, and what stands behind each type.

use tls_parser::{TlsMessage, TlsMessageHandshake, parse_tls_message_handshake};

use super::hello::{ClientHello, ServerHello};

/// Length of a handshake header: type and a three-byte length.
pub const HEADER_LEN: usize = 4;

/// Longest handshake message that is read; longer ones are no handshake (the largest real chains stay below).
pub const LONGEST: usize = 256 * 1024;

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
    /// CertificateRequest with the distinguished names of acceptable authorities, DER (TLS 1.2 and below).
    CertificateRequest {
        /// The names.
        authorities: Vec<Vec<u8>>,
    },
    /// The server's share of an (EC)DHE key exchange, without header (TLS 1.2 and below).
    ServerKeyExchange {
        /// What its suite makes of it.
        params: Vec<u8>,
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
        8 => "EncryptedExtensions",
        11 => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        14 => "ServerHelloDone",
        15 => "CertificateVerify",
        16 => "ClientKeyExchange",
        20 => "Finished",
        22 => "CertificateStatus",
        24 => "KeyUpdate",
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

/// Reads one whole message, header included.
pub fn parse(message: &[u8]) -> Message {
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
        12 => Message::ServerKeyExchange { params: body.to_vec() },
        11 | 13 => parsed_by_library(message).unwrap_or_else(|| broken("lengths")),
        _ => Message::Other { kind },
    }
}

fn parsed_by_library(message: &[u8]) -> Option<Message> {
    let (rest, TlsMessage::Handshake(read)) = parse_tls_message_handshake(message).ok()? else { return None };
    match read {
        _ if !rest.is_empty() => None,
        TlsMessageHandshake::Certificate(c) => {
            Some(Message::Certificate { chain: c.cert_chain.iter().map(|c| c.data.to_vec()).collect() })
        }
        TlsMessageHandshake::CertificateRequest(c) => {
            Some(Message::CertificateRequest { authorities: c.unparsed_ca.iter().map(|n| n.to_vec()).collect() })
        }
        _ => None,
    }
}

/// Bits of the Diffie-Hellman prime in the ServerKeyExchange of a DHE suite (RFC 5246, 7.4.3).
pub fn dh_prime_bits(params: &[u8]) -> Option<usize> {
    let (len, rest) = params.split_first_chunk::<2>()?;
    let prime = rest.get(..usize::from(u16::from_be_bytes(*len)))?;
    let zeros = prime.iter().take_while(|b| **b == 0).count();
    let first = prime.get(zeros)?;
    Some((prime.len() - zeros) * 8 - first.leading_zeros() as usize)
}

/// The group in the ServerKeyExchange of an ECDHE suite (RFC 8422, 5.4): named curves only.
pub fn named_group(params: &[u8]) -> Option<u16> {
    match params {
        [3, a, b, ..] => Some(u16::from_be_bytes([*a, *b])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prime_has_as_many_bits_as_its_first_one_says() {
        assert_eq!(dh_prime_bits(&[0, 2, 0x01, 0xff, 0, 1, 2]), Some(9));
        assert_eq!(dh_prime_bits(&[0, 3, 0, 0x80, 0]), Some(16));
        assert_eq!(dh_prime_bits(&[0, 9, 1]), None);
        assert_eq!(dh_prime_bits(&[0, 1, 0]), None);
        assert_eq!(named_group(&[3, 0, 0x1d, 32]), Some(0x1d));
    }

    #[test]
    fn a_library_and_our_reader_agree_on_a_hello() {
        let message = hex::decode(
            "010000350301603853AEFEE40E3FA5C1738D117497B11A6C48D50A529ED8C9F619AF4C56C20D00000E00FF003500380039002F003200330100",
        )
        .unwrap();
        let Message::ClientHello(ours) = parse(&message) else { panic!() };
        let Ok((_, TlsMessage::Handshake(TlsMessageHandshake::ClientHello(theirs)))) =
            parse_tls_message_handshake(&message)
        else {
            panic!()
        };
        assert_eq!(ours.suites, theirs.ciphers.iter().map(|c| c.0).collect::<Vec<_>>());
        assert_eq!(ours.version, theirs.version.0);
    }

    #[test]
    fn a_broken_certificate_is_said_to_be_broken() {
        assert_eq!(parse(&[11, 0, 0, 3, 0, 0, 9]), Message::Broken { kind: 11, part: "lengths" });
        assert_eq!(parse(&[11, 0, 0, 3, 0, 0, 0]), Message::Certificate { chain: vec![] });
    }
}

//! ClientHellos built by hand: any version, any suite, with or without extensions.
//!
//! A ServerHello or an alert is answer enough to ask what a server accepts; no cryptography is needed.

use super::content;
use super::extensions::ext;
use super::hello::Extension;
use super::record::Header;

/// The highest version that a hello names in its version field.
const TLS12: u16 = 0x0303;

/// What a hand-built ClientHello offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered<'a> {
    /// The highest version, e.g. 0x0302. From TLS 1.3 on it is offered beside TLS 1.2, with an empty key share: a server
    /// that agrees on a group asks for one.
    pub version: u16,
    /// Cipher suites in the order of preference.
    pub suites: &'a [u16],
    /// Groups in the order of preference; no EC extensions when empty.
    pub groups: &'a [u16],
    /// Signature schemes; no extension when empty (it does not exist below TLS 1.2).
    pub schemes: &'a [u16],
    /// The server name, if one is to be sent.
    pub server_name: Option<&'a str>,
    /// The 32 random bytes.
    pub random: [u8; 32],
}

impl Offered<'_> {
    /// The hello in one record, ready for the wire.
    pub fn record(&self) -> Vec<u8> {
        self.crafted().record()
    }

    /// The same, to be changed.
    pub fn crafted(&self) -> Crafted {
        Crafted {
            // TLS 1.0 is the record version that every server accepts in a first hello (RFC 5246, appendix E.1).
            record: 0x0301,
            version: self.version.min(TLS12),
            random: self.random,
            session_id: Vec::new(), // no session to resume
            suites: self.suites.to_vec(),
            compression: vec![0],
            extensions: Some(self.extensions()),
        }
    }

    fn extensions(&self) -> Vec<Extension> {
        let mut out = Vec::new();
        out.extend(self.server_name.map(server_name));
        if !self.groups.is_empty() {
            out.push(list(ext::SUPPORTED_GROUPS, self.groups));
            out.push(Extension { id: ext::EC_POINT_FORMATS, data: vec![1, 0] });
        }
        if !self.schemes.is_empty() {
            out.push(list(ext::SIGNATURE_ALGORITHMS, self.schemes));
        }
        out.push(Extension { id: ext::EXTENDED_MASTER_SECRET, data: Vec::new() });
        out.push(Extension { id: ext::SESSION_TICKET, data: Vec::new() });
        if self.version > TLS12 {
            out.push(supported_versions(&[self.version, TLS12]));
            out.push(key_shares(&[]));
        }
        out.push(Extension { id: ext::RENEGOTIATION_INFO, data: vec![0] });
        out
    }
}

/// A ClientHello of any shape, as far as lengths can say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crafted {
    /// The version of the record around it.
    pub record: u16,
    /// legacy_version.
    pub version: u16,
    /// The 32 random bytes.
    pub random: [u8; 32],
    /// The session id, at most 32 bytes.
    pub session_id: Vec<u8>,
    /// Cipher suites in the order of preference, signals included.
    pub suites: Vec<u16>,
    /// Compression methods; 0 is none.
    pub compression: Vec<u8>,
    /// Extensions in order; `None` for a hello without an extension block.
    pub extensions: Option<Vec<Extension>>,
}

impl Crafted {
    /// The hello in one record, ready for the wire.
    pub fn record(&self) -> Vec<u8> {
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend(self.random);
        part8(&mut body, &self.session_id);
        part16(&mut body, |o| numbers(o, &self.suites));
        part8(&mut body, &self.compression);
        if let Some(extensions) = &self.extensions {
            part16(&mut body, |o| extensions.iter().for_each(|e| extension(o, e.id, |o| o.extend(&e.data))));
        }
        let mut message = vec![1];
        message.extend(length24(body.len()));
        message.extend(body);
        let len = u16::try_from(message.len()).unwrap_or(u16::MAX);
        let mut record = Header { content_type: content::HANDSHAKE, version: self.record, len }.to_bytes().to_vec();
        record.extend(message);
        record
    }

    /// With an extension in place of one of the same kind, or behind all others.
    #[must_use]
    pub fn with(mut self, extension: Extension) -> Self {
        let extensions = self.extensions.get_or_insert_default();
        match extensions.iter_mut().find(|e| e.id == extension.id) {
            Some(place) => *place = extension,
            None => extensions.push(extension),
        }
        self
    }

    /// Without the extension of this kind.
    #[must_use]
    pub fn without(mut self, id: u16) -> Self {
        if let Some(extensions) = &mut self.extensions {
            extensions.retain(|e| e.id != id);
        }
        self
    }
}

/// server_name, for one host.
pub fn server_name(name: &str) -> Extension {
    let mut data = Vec::new();
    part16(&mut data, |o| {
        o.push(0);
        part16(o, |o| o.extend(name.bytes()));
    });
    Extension { id: ext::SERVER_NAME, data }
}

/// supported_versions, in the order of preference.
pub fn supported_versions(versions: &[u16]) -> Extension {
    let mut list = Vec::new();
    numbers(&mut list, versions);
    let mut data = Vec::new();
    part8(&mut data, &list);
    Extension { id: ext::SUPPORTED_VERSIONS, data }
}

/// An extension that is one list of numbers: supported_groups, signature_algorithms.
pub fn list(id: u16, list: &[u16]) -> Extension {
    let mut data = Vec::new();
    part16(&mut data, |o| numbers(o, list));
    Extension { id, data }
}

/// key_share, with the keys in order.
pub fn key_shares(shares: &[(u16, Vec<u8>)]) -> Extension {
    let mut data = Vec::new();
    part16(&mut data, |o| shares.iter().for_each(|(group, key)| extension(o, *group, |o| o.extend(key))));
    Extension { id: ext::KEY_SHARE, data }
}

/// ALPN (RFC 7301), in the order of preference.
pub fn protocols(protocols: &[&str]) -> Extension {
    let mut data = Vec::new();
    part16(&mut data, |o| protocols.iter().for_each(|p| part8(o, p.as_bytes())));
    Extension { id: ext::ALPN, data }
}

/// A hello in the format of SSL 2, in one record: cipher specs of three bytes, no session, and a challenge. With a version of TLS the specs
/// are suites behind a zero (RFC 5246, E.2).
pub fn ssl2_hello(version: u16, specs: &[u32], challenge: [u8; 16]) -> Vec<u8> {
    let specs: Vec<u8> = specs.iter().flat_map(|s| s.to_be_bytes().into_iter().skip(1)).collect();
    let mut message = vec![1];
    message.extend(version.to_be_bytes());
    message.extend(u16::try_from(specs.len()).unwrap_or(u16::MAX).to_be_bytes());
    message.extend([0, 0, 0, 16]);
    message.extend(specs);
    message.extend(challenge);
    let len = u16::try_from(message.len()).unwrap_or(0x7fff) & 0x7fff;
    let mut record = (0x8000 | len).to_be_bytes().to_vec();
    record.extend(message);
    record
}

fn part8(out: &mut Vec<u8>, part: &[u8]) {
    out.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
    out.extend(part);
}

fn extension(out: &mut Vec<u8>, id: u16, content: impl FnOnce(&mut Vec<u8>)) {
    out.extend(id.to_be_bytes());
    part16(out, content);
}

/// A part with its length before it in two bytes.
fn part16(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    let mut part = Vec::new();
    content(&mut part);
    out.extend(u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(part);
}

fn length24(len: usize) -> [u8; 3] {
    let [_, a, b, c] = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
    [a, b, c]
}

fn numbers(out: &mut Vec<u8>, numbers: &[u16]) {
    out.extend(numbers.iter().flat_map(|n| n.to_be_bytes()));
}

#[cfg(test)]
mod tests {
    use super::super::handshake::{Message, parse};
    use super::super::record::{Front, HEADER_LEN, front};
    use super::*;

    #[test]
    fn what_is_built_reads_back() {
        let offered = Offered {
            version: 0x0302,
            suites: &[0x002f, 0x0035],
            groups: &[0x0017],
            schemes: &[0x0401],
            server_name: Some("ftp.example.org"),
            random: [7; 32],
        };
        let record = offered.record();
        let Front::Record(header) = front(&record) else { panic!("a record") };
        assert_eq!(usize::from(header.len) + HEADER_LEN, record.len());
        let Message::ClientHello(hello) = parse(&record[HEADER_LEN..], None) else { panic!("a ClientHello") };
        assert_eq!((hello.version, hello.suites.as_slice()), (0x0302, offered.suites));
        assert_eq!(hello.versions(), [0x0302]);
        assert_eq!((hello.groups(), hello.signature_schemes()), (vec![0x0017], vec![0x0401]));
        assert_eq!(hello.server_name(), Some(&b"ftp.example.org"[..]));
        let Message::ClientHello(bare) =
            parse(&Offered { groups: &[], schemes: &[], server_name: None, ..offered }.record()[HEADER_LEN..], None)
        else {
            panic!("a ClientHello")
        };
        assert_eq!((bare.groups().len(), bare.server_name()), (0, None));
        let newest = Offered { version: 0x0304, ..offered };
        let Message::ClientHello(newest) = parse(&newest.record()[HEADER_LEN..], None) else { panic!("a ClientHello") };
        assert_eq!((newest.version, newest.versions()), (0x0303, vec![0x0304, 0x0303]));
    }

    #[test]
    fn any_shape_reads_back() {
        let offered = Offered {
            version: 0x0304,
            suites: &[0x1301],
            groups: &[],
            schemes: &[],
            server_name: None,
            random: [7; 32],
        };
        let shares = key_shares(&[(0x001d, vec![9; 32]), (0x0017, vec![4; 65])]);
        let crafted = Crafted { record: 0x0300, session_id: vec![1; 32], compression: vec![1, 0], ..offered.crafted() }
            .with(shares)
            .with(protocols(&["ftp", "http/1.1"]))
            .without(ext::SESSION_TICKET);
        let record = crafted.record();
        assert_eq!(&record[..3], [22, 3, 0]);
        let Message::ClientHello(hello) = parse(&record[HEADER_LEN..], None) else { panic!("a ClientHello") };
        assert_eq!((hello.session_id.len(), hello.compression.as_slice(), hello.broken), (32, &[1, 0][..], None));
        assert_eq!(hello.protocols(), [&b"ftp"[..], b"http/1.1"]);
        let shares = hello.key_shares().unwrap_or_default();
        assert_eq!(shares.iter().map(|s| (s.group, s.len)).collect::<Vec<_>>(), [(0x001d, 32), (0x0017, 65)]);
        assert!(hello.extension(ext::SESSION_TICKET).is_none());
        let bare = Crafted { extensions: None, ..crafted };
        let Message::ClientHello(bare) = parse(&bare.record()[HEADER_LEN..], None) else { panic!("a ClientHello") };
        assert_eq!(bare.extensions, None);
    }

    #[test]
    fn a_hello_of_ssl_2_reads_back() {
        let record = ssl2_hello(2, &[0x01_0080, 0x07_00c0], [5; 16]);
        assert_eq!(usize::from(u16::from_be_bytes([record[0] & 0x7f, record[1]])), record.len() - 2);
        let message = super::super::ssl2::parse(&record);
        let Some(Message::ClientHello(hello)) = message else { panic!("a ClientHello, not {message:?}") };
        assert_eq!(hello.specs, Some(vec![0x01_0080, 0x07_00c0]));
    }
}

//! ClientHellos built by hand: any version, any suite, with or without extensions.
//!
//! A ServerHello or an alert is answer enough to ask what a server accepts; no cryptography is needed.

use super::content;
use super::extensions::ext;
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
        let mut body = self.version.min(TLS12).to_be_bytes().to_vec();
        body.extend(self.random);
        body.push(0); // no session to resume
        part16(&mut body, |o| numbers(o, self.suites));
        body.extend([1, 0]); // null compression
        part16(&mut body, |o| self.extensions(o));

        let mut message = vec![1];
        message.extend(length24(body.len()));
        message.extend(body);

        // TLS 1.0 is the record version that every server accepts in a first hello (RFC 5246, appendix E.1).
        let len = u16::try_from(message.len()).unwrap_or(u16::MAX);
        let mut record = Header { content_type: content::HANDSHAKE, version: 0x0301, len }.to_bytes().to_vec();
        record.extend(message);
        record
    }

    fn extensions(&self, out: &mut Vec<u8>) {
        if let Some(name) = self.server_name {
            extension(out, ext::SERVER_NAME, |o| {
                part16(o, |o| {
                    o.push(0);
                    part16(o, |o| o.extend(name.bytes()));
                });
            });
        }
        if !self.groups.is_empty() {
            extension(out, ext::SUPPORTED_GROUPS, |o| part16(o, |o| numbers(o, self.groups)));
            extension(out, ext::EC_POINT_FORMATS, |o| o.extend([1, 0]));
        }
        if !self.schemes.is_empty() {
            extension(out, ext::SIGNATURE_ALGORITHMS, |o| part16(o, |o| numbers(o, self.schemes)));
        }
        extension(out, ext::EXTENDED_MASTER_SECRET, |_| {});
        extension(out, ext::SESSION_TICKET, |_| {});
        if self.version > TLS12 {
            extension(out, ext::SUPPORTED_VERSIONS, |o| {
                o.push(4);
                numbers(o, &[self.version, TLS12]);
            });
            extension(out, ext::KEY_SHARE, |o| part16(o, |_| {}));
        }
        extension(out, ext::RENEGOTIATION_INFO, |o| o.push(0));
    }
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
}

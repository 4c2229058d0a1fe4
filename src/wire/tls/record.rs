//! The record header: five bytes that decide whether a peer speaks TLS at all.

/// Longest payload that any version allows: 2^14 plus the 2048 of TLS 1.2 compression and encryption.
pub const LONGEST_PAYLOAD: usize = 16_384 + 2_048;

/// Length of a record header.
pub const HEADER_LEN: usize = 5;

/// A record header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Content type, 20 to 24.
    pub content_type: u8,
    /// Record version: frozen at 0x0301 or 0x0303 in modern hellos, so no statement about the protocol.
    pub version: u16,
    /// Length of the payload.
    pub len: u16,
}

impl Header {
    /// The five bytes of the header.
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [v1, v0] = self.version.to_be_bytes();
        let [l1, l0] = self.len.to_be_bytes();
        [self.content_type, v1, v0, l1, l0]
    }

    /// The five bytes read as a header whatever they are, as a client does that does not look first.
    pub fn misread(bytes: [u8; HEADER_LEN]) -> Self {
        let [content_type, v1, v0, l1, l0] = bytes;
        Self { content_type, version: u16::from_be_bytes([v1, v0]), len: u16::from_be_bytes([l1, l0]) }
    }
}

/// What the front of a flow is, at a place where a record must begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// Too few bytes to tell.
    Undecided,
    /// A record.
    Record(Header),
    /// These bytes cannot begin a TLS record, however many more come.
    NotTls,
    /// A TLS content type and version 3.x, but something that TLS forbids; says what.
    Malformed(&'static str),
}

/// Looks at the front of a flow.
pub fn front(bytes: &[u8]) -> Front {
    match bytes {
        [] => Front::Undecided,
        [t, ..] if !(20..=24).contains(t) => Front::NotTls,
        [_] | [_, 3] => Front::Undecided,
        [_, 3, minor, ..] if *minor > 4 => Front::Malformed("record version"),
        [_, 3, _] | [_, 3, _, _] => Front::Undecided,
        [content_type, 3, minor, hi, lo, ..] => {
            let len = u16::from_be_bytes([*hi, *lo]);
            if usize::from(len) > LONGEST_PAYLOAD {
                return Front::Malformed("record length");
            }
            Front::Record(Header { content_type: *content_type, version: 0x0300 | u16::from(*minor), len })
        }
        _ => Front::NotTls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ftp_text_is_decided_by_its_first_byte() {
        assert_eq!(front(b"5"), Front::NotTls);
        let misread = Header::misread(*b"550 T");
        assert_eq!((misread.content_type, misread.version, misread.len), (0x35, 0x3530, 8276));
    }

    #[test]
    fn a_header_reads_back() {
        let header = Header { content_type: 22, version: 0x0301, len: 57 };
        assert_eq!(front(&header.to_bytes()), Front::Record(header));
        for n in 0..HEADER_LEN {
            assert_eq!(front(&header.to_bytes()[..n]), Front::Undecided);
        }
        assert_eq!(front(&[22, 3, 1, 0xff, 0xff]), Front::Malformed("record length"));
        assert_eq!(front(&[22, 3, 9]), Front::Malformed("record version"));
        assert_eq!(front(&[22, 2]), Front::NotTls);
    }
}

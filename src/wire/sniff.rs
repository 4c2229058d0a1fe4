//! What is this, if not TLS? The first bytes of a flow tell who is speaking.

use super::{ebcdic, ftp};

/// Who writes bytes that begin so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// A TLS record (content types 20 to 24, version 3.0 to 3.4).
    Tls,
    /// An SSLv2 ClientHello.
    SslV2,
    /// An FTP reply, or a part of one.
    FtpReply(Encoding),
    /// An SSH server or client.
    Ssh,
    /// An HTTP message.
    Http,
    /// Telnet negotiation.
    Telnet,
    /// The greeting of a MySQL or MariaDB server.
    MySql,
    /// Some other text.
    Text(Encoding),
    /// None of these.
    Unknown,
}

impl Speaker {
    /// As reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Speaker::Tls => "TLS",
            Speaker::SslV2 => "SSLv2",
            Speaker::FtpReply(_) => "FTP",
            Speaker::Ssh => "SSH",
            Speaker::Http => "HTTP",
            Speaker::Telnet => "telnet",
            Speaker::MySql => "MySQL",
            Speaker::Text(_) => "text",
            Speaker::Unknown => "unknown bytes",
        }
    }
}

/// Character set of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// ASCII, or a superset of it.
    Ascii,
    /// EBCDIC, read as IBM-1047.
    Ebcdic,
}

impl Encoding {
    /// `ascii` or `ebcdic`, as reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Ascii => "ascii",
            Encoding::Ebcdic => "ebcdic",
        }
    }
}

/// Tells the speaker from the first bytes; more bytes make it surer, never different for TLS.
pub fn sniff(bytes: &[u8]) -> Speaker {
    match bytes {
        [0x14..=0x18] | [0x14..=0x18, 0x03] | [0x14..=0x18, 0x03, 0x00..=0x04, ..] => return Speaker::Tls,
        [0x80..=0xbf, _, 0x01, 0x00 | 0x03, ..] => return Speaker::SslV2,
        [0xff, 0xfb..=0xfe, ..] => return Speaker::Telnet,
        // A packet of less than 64 KiB, the first, protocol 10, a version in digits (MySQL: Protocol::HandshakeV10).
        [_, _, 0, 0, 10, b'0'..=b'9', ..] => return Speaker::MySql,
        [] => return Speaker::Unknown,
        _ => {}
    }
    if bytes.starts_with(b"SSH-") {
        return Speaker::Ssh;
    }
    if [&b"HTTP/"[..], b"GET ", b"POST ", b"HEAD ", b"CONNECT "].iter().any(|p| bytes.starts_with(p)) {
        return Speaker::Http;
    }
    if ftp::may_begin_reply(bytes) {
        return Speaker::FtpReply(Encoding::Ascii);
    }
    if ftp::may_begin_reply(&ebcdic::decode(bytes)) && bytes.iter().all(|b| ebcdic::is_text(*b)) {
        return Speaker::FtpReply(Encoding::Ebcdic);
    }
    if bytes.iter().all(|b| ftp::is_text(*b) && b.is_ascii()) {
        return Speaker::Text(Encoding::Ascii);
    }
    if bytes.iter().all(|b| ebcdic::is_text(*b)) {
        return Speaker::Text(Encoding::Ebcdic);
    }
    Speaker::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes() {
        let cases: [(&[u8], Speaker); 9] = [
            (b"550 T", Speaker::FtpReply(Encoding::Ascii)),
            (&[0xF5, 0xF5, 0xF0, 0x40], Speaker::FtpReply(Encoding::Ebcdic)),
            (&[0x16, 3, 1, 0, 0x39], Speaker::Tls),
            (&[0x80, 0x2e, 1, 3, 1], Speaker::SslV2),
            (b"SSH-2.0-x", Speaker::Ssh),
            (b"HTTP/1.1 400", Speaker::Http),
            (&[0xff, 0xfd, 0x18], Speaker::Telnet),
            (b"hello", Speaker::Text(Encoding::Ascii)),
            (&[0, 0, 0, 1], Speaker::Unknown),
        ];
        for (bytes, speaker) in cases {
            assert_eq!(sniff(bytes), speaker, "{bytes:02x?}");
        }
    }
}

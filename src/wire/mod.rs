//! One message at a time, bytes in both directions. No state, and no errors about a peer: a reading is total.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

pub mod dn;
pub mod ebcdic;
pub mod ftp;
pub mod net;
pub mod reader;
pub mod sniff;
pub mod tls;

/// Bytes as printable ASCII: `\r`, `\n`, and `\xNN` for everything else that is not.
///
/// All text from a peer passes through here before it reaches a report, so that nothing
/// in it can steer a terminal.
pub fn printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &b in bytes {
        match b {
            b'\r' => out.push_str("\\r"),
            b'\n' => out.push_str("\\n"),
            0x20..0x7f => out.push(char::from(b)),
            _ => {
                out.push_str("\\x");
                out.extend([b >> 4, b & 0xf].map(digit));
            }
        }
    }
    out
}

/// The low four bits as a hexadecimal digit. Reports hold many: the formatter of numbers takes ten times as long.
fn digit(n: u8) -> char {
    char::from(if n & 0xf < 10 { b'0' + (n & 0xf) } else { b'a' - 10 + (n & 0xf) })
}

/// Bytes as hexadecimal digits in lower case.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    out.extend(bytes.iter().flat_map(|b| [b >> 4, b & 0xf].map(digit)));
    out
}

/// A text from an input (not necessarily ASCII) as printable ASCII.
pub fn printable_str(text: &str) -> String {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\u{a0}' => out.push(' '),
            ' '..='~' => out.push(c),
            _ => out.push_str(&printable(c.encode_utf8(&mut [0; 4]).as_bytes())),
        }
    }
    out
}

//! Names in bytes: what looks like a host, and strings that are overwritten where they stand.

use core::net::{Ipv4Addr, Ipv6Addr};

/// Last parts of dotted words that are files of a product, not hosts.
const FILES: [&str; 5] = ["conf", "log", "pem", "txt", "data"];

/// The host of `host:port` or `[v6]:port`.
pub(super) fn host_of(target: &str) -> &str {
    match target.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host.trim_matches(['[', ']']),
        _ => target,
    }
}

/// Overwrites a name wherever it stands, in any case, without changing a length.
pub(super) fn blank(bytes: &mut [u8], name: &[u8]) {
    if name.is_empty() {
        return;
    }
    let mut at = 0;
    while let Some(place) = bytes.get_mut(at..at + name.len()) {
        let same = place.eq_ignore_ascii_case(name);
        if same {
            place.fill(b'x');
        }
        at += if same { name.len() } else { 1 };
    }
}

pub(super) fn is_host_name(word: &str) -> bool {
    let mut labels = word.split('.');
    let last = labels.next_back().unwrap_or_default();
    let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    word.contains('.')
        && last.len() >= 2
        && last.bytes().all(|b| b.is_ascii_alphabetic())
        && !FILES.contains(&last)
        && labels.all(label)
}

/// The shortest string that is overwritten: 82 is also how DER begins a length of two bytes, whose high byte is small.
pub(super) fn least(tag: u8) -> u8 {
    if tag >= 0x80 { 6 } else { 2 }
}

/// Overwrites what looks like DER strings (UTF8, Printable, IA5, and the names of subjectAltName) without changing a length.
pub(super) fn blank_der_strings(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(&[tag, len]) = bytes.get(at..at + 2) {
        let value = at + 2..at + 2 + usize::from(len);
        let is_string = matches!(tag, 0x0c | 0x13 | 0x16 | 0x81 | 0x82 | 0x86) && (least(tag)..0x80).contains(&len);
        match bytes.get_mut(value).filter(|v| is_string && v.iter().all(|b| (b' '..=b'~').contains(b))) {
            Some(text) => {
                text.fill(b'x');
                at += 2 + text.len();
            }
            None => at += 1,
        }
    }
}

/// Overwrites the addresses of a subjectAltName (2.5.29.17) without changing a length.
pub(super) fn blank_addresses(bytes: &mut [u8]) {
    const OID: [u8; 5] = [6, 3, 0x55, 0x1d, 0x11];
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| rest.windows(OID.len()).position(|w| w == OID)) {
        from += at + OID.len();
        let mut at = from;
        // BOOLEAN critical, then an OCTET STRING with the SEQUENCE of names.
        if bytes.get(at..at + 3) == Some(&[1, 1, 0xff]) {
            at += 3;
        }
        for tag in [4, 0x30] {
            at += match bytes.get(at..at + 2) {
                Some(&[t, len]) if t == tag => 2 + usize::from(len.saturating_sub(0x80)),
                _ => 0,
            };
        }
        while let Some(&[tag @ 0x80..=0xbf, len @ ..0x80]) = bytes.get(at..at + 2) {
            at += 2;
            if let Some(value) = bytes.get_mut(at..at + usize::from(len)).filter(|_| tag == 0x87) {
                value.fill(b'x');
            }
            at += usize::from(len);
        }
    }
}

/// Overwrites DER strings that are one of these names, in any case, without changing a length.
pub(super) fn blank_users<'n>(bytes: &mut [u8], names: impl Iterator<Item = &'n String> + Clone) {
    let mut at = 0;
    while let Some(&[tag, len]) = bytes.get(at..at + 2) {
        let value = bytes.get_mut(at + 2..at + 2 + usize::from(len)).filter(|_| matches!(tag, 0x0c | 0x13 | 0x16));
        if let Some(text) = value
            && names.clone().any(|name| text.eq_ignore_ascii_case(name.as_bytes()))
        {
            text.fill(b'x');
        }
        at += 1;
    }
}

/// Overwrites dotted names and addresses in text (SNI) without changing a length.
pub(super) fn blank_host_names(bytes: &mut [u8]) {
    let is_name = |text: &str| text.len() >= 4 && (is_host_name(text) || text.parse::<Ipv4Addr>().is_ok());
    blank_runs(bytes, |b| b.is_ascii_alphanumeric() || b"-._".contains(&b), is_name);
    let is_address = |text: &str| text.len() >= 3 && text.parse::<Ipv6Addr>().is_ok();
    blank_runs(bytes, |b| b.is_ascii_hexdigit() || b":.".contains(&b), is_address);
}

/// Overwrites each run of such bytes that is a name of that kind, but for the signs between its parts.
fn blank_runs(bytes: &mut [u8], is_part: impl Fn(u8) -> bool, is_name: impl Fn(&str) -> bool) {
    let mut at = 0;
    while at < bytes.len() {
        let len = bytes.iter().skip(at).take_while(|b| is_part(**b)).count();
        if let Some(run) = bytes.get_mut(at..at + len)
            && is_name(&String::from_utf8_lossy(run))
        {
            run.iter_mut().filter(|b| !b".:".contains(b)).for_each(|b| *b = b'x');
        }
        at += len + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_users_go_and_lengths_stay() {
        let mut sni = *b"\0\0\x0810.2.2.2\0";
        blank_host_names(&mut sni);
        assert_eq!(&sni, b"\0\0\x08xx.x.x.x\0");
        let mut sni = *b"\0\0\x0e2001:db8:7::9a\0";
        blank_host_names(&mut sni);
        assert_eq!(&sni, b"\0\0\x0exxxx:xxx:x::xx\0");
        let mut san = [6, 3, 0x55, 0x1d, 0x11, 4, 11, 0x30, 9, 0x82, 1, b'a', 0x87, 4, 10, 2, 2, 2, 0x87, 4, 1];
        blank_addresses(&mut san);
        assert_eq!(san[12..], [0x87, 4, b'x', b'x', b'x', b'x', 0x87, 4, 1]);
        let mut name = *b"\x0c\x03Joe\x0c\x04Joey";
        blank_users(&mut name, ["joe".to_owned()].iter());
        assert_eq!(&name, b"\x0c\x03xxx\x0c\x04Joey");
    }
}

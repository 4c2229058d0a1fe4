//! Names in bytes: what looks like a host, and strings that are overwritten where they stand.

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

/// Overwrites dotted names (SNI) without changing a length.
pub(super) fn blank_host_names(bytes: &mut [u8]) {
    let is_name_byte = |b: &u8| b.is_ascii_alphanumeric() || b"-._".contains(b);
    let mut at = 0;
    while at < bytes.len() {
        let len = bytes.iter().skip(at).take_while(|b| is_name_byte(b)).count();
        if let Some(run) = bytes.get_mut(at..at + len)
            && len >= 4
            && is_host_name(&String::from_utf8_lossy(run))
        {
            run.iter_mut().filter(|b| **b != b'.').for_each(|b| *b = b'x');
        }
        at += len + 1;
    }
}

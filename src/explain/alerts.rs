//! TLS alerts: by number, by any of the names that libraries print, and as bytes.

use super::layout::more;
use super::words::words;
use crate::codes::{self, Alert};

/// Go words some alerts in its own way (crypto/tls, alert.go).
const GO: [(&str, u8); 9] = [
    ("unknowncertificateauthority", 48),
    ("unknowncertificate", 46),
    ("revokedcertificate", 44),
    ("expiredcertificate", 45),
    ("errordecodingmessage", 50),
    ("errordecryptingmessage", 51),
    ("protocolversionnotsupported", 70),
    ("insufficientsecuritylevel", 71),
    ("badrecordmac", 20),
];

/// How far behind the word "alert" its name or number may stand.
const REACH: usize = 8;

/// What an alert means.
pub(super) fn explained(a: Alert) -> String {
    let pages: &[&str] = match a.code {
        40 => &["fatal-alert", "no-shared-cipher"],
        42..=46 => &["client-certificate-refused", "handshake-refused-by-client"],
        48 => &["unknown-ca", "client-certificate-issuer-unknown"],
        70 => &["client-tls-version-refused"],
        112 => &["sni-rejected"],
        116 => &["client-certificate-required"],
        0 => &[],
        _ => &["fatal-alert"],
    };
    format!("TLS alert {}  {}\n{}\n{}", a.code, a.name, a.meaning, more(pages))
}

/// A number, or a name however it is written: `handshake_failure`, `HandshakeFailure`, `SSLV3_ALERT_HANDSHAKE_FAILURE`.
pub(super) fn one(value: &str) -> Option<Alert> {
    match value.parse::<u8>() {
        Ok(code) => codes::alert(code),
        Err(_) => by_name(value),
    }
}

/// By name alone.
pub(super) fn by_name(name: &str) -> Option<Alert> {
    let mut name = plain(name);
    for before in ["errssl", "sslerror", "sslr", "sslv3alert", "tlsv1alert", "tlsv13alert", "tlsv1", "alert"] {
        if let Some(rest) = name.strip_prefix(before).filter(|rest| !rest.is_empty()) {
            name = rest.to_owned();
        }
    }
    let name = name.strip_suffix("alert").unwrap_or(&name);
    codes::alerts().find(|a| plain(a.name) == name)
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The alert that an error text tells of: `Received fatal alert: handshake_failure`, `SSL alert number 40`, `alert [40]`,
/// `remote error: tls: handshake failure`, `0A000410`.
pub(super) fn in_text(text: &str) -> Option<Alert> {
    let spaced = text.replace('_', " ");
    let words = words(&spaced);
    let alert = |w: &String| w.trim_end_matches('s') == "alert" || w.starts_with("alertreceived");
    let of_go = words.windows(3).any(|w| *w == ["remote", "error", "tls"]);
    let of_openssl = |w: &String| matches!(w.as_str(), "sslv3" | "tlsv1" | "tlsv13");
    for (i, _) in words.iter().enumerate().filter(|(_, w)| of_openssl(w)) {
        // Not all of them have the word: `tlsv1 unrecognized name`.
        if let Some(found) = words.get(i + 1..).and_then(|w| name_at_front(w.get(..4).unwrap_or(w), 1)) {
            return Some(found);
        }
    }
    for (i, _) in words.iter().enumerate().filter(|(_, w)| alert(w) || (of_go && *w == "tls")) {
        let Some(behind) = words.get(i + 1..) else { continue };
        let behind = behind.get(..REACH).unwrap_or(behind);
        if let Some(found) = name_at_front(behind, 5).or_else(|| number_in(behind)) {
            return Some(found);
        }
    }
    words.iter().find_map(|w| openssl_reason(w))
}

/// A name of one to four words, the longest first; words such as "the server" may stand before it.
fn name_at_front(words: &[String], places: usize) -> Option<Alert> {
    (0..words.len().min(places)).find_map(|from| {
        (1..=4).rev().find_map(|length| {
            let joined: String = words.get(from..from + length)?.concat();
            let go = GO.iter().find(|(name, _)| *name == joined).and_then(|(_, code)| codes::alert(*code));
            go.or_else(|| codes::alerts().find(|a| plain(a.name) == plain(&joined)))
        })
    })
}

fn number_in(words: &[String]) -> Option<Alert> {
    words.iter().find_map(|w| w.parse::<u8>().ok()).and_then(codes::alert)
}

/// OpenSSL numbers alerts of the peer from 1000: 0A000410 and 14094410 are alert 40.
fn openssl_reason(word: &str) -> Option<Alert> {
    let word = word.strip_prefix("0x").unwrap_or(word);
    let ours = word.len() == 8 && (word.starts_with("0a000") || word.starts_with("14"));
    let reason = u32::from_str_radix(word.get(5..).filter(|_| ours)?, 16).ok()?;
    codes::alert(u8::try_from(reason.checked_sub(1000)?).ok()?)
}

/// An alert record in hex: `15 03 01 00 02 02 46`, `SEND CIPHER 1503020002020A`.
pub(super) fn record(text: &str) -> Option<String> {
    let mut digits = String::new();
    let mut found = None;
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    for word in words.iter().chain([&"-"]) {
        let bare = word.strip_prefix("0x").or_else(|| word.strip_prefix('x')).unwrap_or(word);
        if bare.len().is_multiple_of(2) && bare.bytes().all(|b| b.is_ascii_hexdigit()) {
            digits.push_str(bare);
        } else {
            found = found.or_else(|| in_digits(&digits));
            digits.clear();
        }
    }
    let (level, alert) = found?;
    let meaning = codes::alert(alert).map(explained).unwrap_or_else(|| format!("TLS alert {alert}, not registered\n"));
    let level = if level == 2 { "fatal" } else { "a warning" };
    Some(format!("A TLS alert record in clear, {level}.\n{meaning}"))
}

/// Level and number of an alert record that begins at a whole byte.
fn in_digits(digits: &str) -> Option<(u8, u8)> {
    let bytes: Vec<u8> = digits
        .as_bytes()
        .chunks_exact(2)
        .filter_map(|two| u8::from_str_radix(core::str::from_utf8(two).ok()?, 16).ok())
        .collect();
    bytes.windows(7).find_map(|w| match *w {
        [21, 3, 0..=4, 0, 2, level @ 1..=2, alert] => Some((level, alert)),
        _ => None,
    })
}

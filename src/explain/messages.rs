//! Lines of z/OS: message ids, and the codes that stand in them behind `rc =`, `SETCEC code =` and the like.

use std::fmt::Write as _;

use super::layout::{more, sure};
use super::words::{behind, decimal, hexadecimal, words};
use super::{ciphers, numbers, zos};
use crate::codes::{self, CmsCode, GskCode};

/// How many message ids and how many codes of a line are explained.
const MOST: usize = 3;

/// A message by its id alone.
pub(super) fn message(id: &str) -> Option<String> {
    let m = codes::zos_message(id)?;
    let mut out = if m.text == "-" { format!("{}\n", m.id) } else { format!("{}  {}\n", m.id, m.text) };
    if m.meaning != "-" {
        let _ = writeln!(out, "{}", sure(m.meaning, m.confirmed));
    }
    let pages: &[&str] = match m.id {
        "EZA2897I" => &["plaintext-instead-of-tls", "fatal-alert"],
        "EZYFT96I" => &["handshake-refused-by-server", "plaintext-instead-of-tls"],
        "EZA2898I" => &["auth-refused"],
        "EZA2589E" => &["no-banner", "silence-during-handshake", "data-connect-back-failed"],
        "EDC8121I" => &["data-reset", "control-connection-lost"],
        "EDC8128I" => &["data-connect-failed", "connect-failed"],
        "EZA1636I" => &["data-connect-failed", "data-connect-back-failed"],
        _ => &[],
    };
    Some(out + &more(pages))
}

/// A return code of System SSL.
pub(super) fn gsk(code: u32) -> Option<String> {
    codes::gsk(code).map(gsk_row)
}

/// A return code of System SSL by its symbol; on other systems than z/OS those begin with `GSK_ERROR_`.
pub(super) fn gsk_symbol(symbol: &str) -> Option<String> {
    let other = || codes::gsk_by_symbol(&symbol.to_ascii_lowercase().replace("gsk_error_", "gsk_err_"));
    codes::gsk_by_symbol(symbol).or_else(other).map(gsk_row)
}

/// A return code of System SSL as its row says.
pub(super) fn gsk_row(c: GskCode) -> String {
    let pages: &[&str] = match c.code {
        410 => &["plaintext-instead-of-tls"],
        402 => &["no-shared-cipher", "client-tls-version-refused"],
        412 => &["client-tls-version-refused"],
        401 => &["certificate-expired", "clock-wrong"],
        403 => &["client-certificate-required"],
        406 | 420 => &["closed-during-handshake", "connect-failed"],
        8 | 435 => &["certificate-untrusted", "unknown-ca"],
        414 => &["client-certificate-refused"],
        415 => &["malformed-tls"],
        508 => &["certificate-weak"],
        _ => &[],
    };
    let symbol = if c.symbol == "-" { String::new() } else { format!("  {}", c.symbol) };
    format!("System SSL rc {}{symbol}\n{}\n{}", c.code, sure(c.meaning, c.confirmed), more(pages))
}

/// A status code of the certificate services.
pub(super) fn cms_row(c: CmsCode) -> String {
    let symbol = if c.symbol == "-" { String::new() } else { format!("  {}", c.symbol) };
    format!("certificate management services {:08X}{symbol}\n{}\n", c.code, sure(c.meaning, c.confirmed))
}

/// A return code of AT-TLS.
pub(super) fn attls(code: u32) -> Option<String> {
    let c = codes::attls(code)?;
    let pages: &[&str] = match code {
        5001 | 5002 => &["client-certificate-required"],
        5003 => &["plaintext-instead-of-tls", "wrong-mode"],
        5004 | 5005 => &["silence-during-handshake"],
        _ => &[],
    };
    Some(format!("AT-TLS rc {}\n{}\n{}", c.code, sure(c.meaning, c.confirmed), more(pages)))
}

/// `rc N` of z/OS without a word for whose it is.
pub(super) fn return_code(code: i64) -> Option<String> {
    let unsigned = u32::try_from(code).ok();
    let of_gsk = i32::try_from(code).ok().and_then(|c| gsk(c.cast_unsigned()));
    let of_attls = unsigned.and_then(attls);
    let standard = unsigned.filter(|n| *n >= 1_000).and_then(zos::standard);
    let parts: Vec<String> = [of_gsk, of_attls, standard].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// Everything that a pasted line of z/OS holds.
pub(super) fn in_text(text: &str) -> Option<String> {
    let words = words(text);
    let mut parts: Vec<String> = Vec::new();
    let id = |w: &&String| (7..=8).contains(&w.len()) && w.bytes().any(|b| b.is_ascii_digit());
    parts.extend(words.iter().filter(id).filter_map(|w| message(w)).take(MOST));
    let whole_line = [zos::return_code_line(text), zos::failed_line(text), zos::api_prompt(text)];
    let whole_line: Vec<String> = whole_line.into_iter().flatten().collect();
    if whole_line.is_empty() {
        let mut found: Vec<String> = Vec::new();
        for part in labelled(&words) {
            if !found.contains(&part) {
                found.push(part);
            }
        }
        found.truncate(MOST);
        parts.extend(found);
    } else {
        parts.extend(whole_line);
    }
    if parts.is_empty() {
        parts.extend(without_id(text));
    }
    parts.extend(setting(&words));
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// Codes behind their labels, and symbols.
fn labelled(words: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let number = |rest: &[String]| rest.first().and_then(|w| decimal(w));
    let unsigned = |rest: &[String]| number(rest).and_then(|n| u32::try_from(n).ok());
    for label in [&["rc"][..], &["sslretcode"], &["return", "code"], &["retcode"], &["reason", "code"]] {
        // Zero is no failure.
        out.extend(behind(words, label).filter_map(number).filter(|n| *n != 0).filter_map(return_code));
    }
    let hex = |rest: &[String]| rest.first().and_then(|w| hexadecimal(w));
    out.extend(behind(words, &["parm1"]).filter_map(hex).filter_map(gsk));
    out.extend(behind(words, &["setcec", "code"]).filter_map(unsigned).filter_map(zos::client_error));
    let content = behind(words, &["content", "type"]).filter_map(unsigned);
    out.extend(content.filter_map(|n| u8::try_from(n).ok()).map(numbers::content_type));
    for word in words {
        if word.starts_with("gsk_") {
            out.extend(gsk_symbol(word));
        }
        if word.starts_with("cmserr_") {
            out.extend(codes::cms_by_symbol(word).map(cms_row));
        }
        let eight = word.strip_prefix("0x").unwrap_or(word);
        if eight.len() == 8 {
            out.extend(hexadecimal(eight).and_then(codes::cms).map(cms_row));
        }
    }
    out
}

/// In z/OS UNIX messages have no ids: by the words of those that have no variable part.
fn without_id(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    ["EZA2897I", "EZA2898I"].iter().find_map(|id| {
        let words = codes::zos_message(id)?.text.to_ascii_lowercase();
        lower.contains(&words).then(|| message(id))?
    })
}

/// Values of settings: `V3CipherSuites4Char 1301C02F`, `cipherspecs = 0102`, `GSK_CLIENT_ECURVE_LIST(215) - 00230024`.
fn setting(words: &[String]) -> Option<String> {
    let (at, word) = words.iter().enumerate().find(|(_, w)| {
        ["cipher_spec", "ciphersuites", "cipherspecs", "ecurve", "sig_alg", "signaturepairs", "v3_cipher"]
            .iter()
            .any(|s| w.contains(s))
    })?;
    // The number of the attribute in brackets is no value.
    let values: Vec<&String> = words.get(at + 1..)?.iter().filter(|w| *w != "-" && w.len() != 3).collect();
    let hex: String =
        values.iter().take_while(|w| w.bytes().all(|b| b.is_ascii_hexdigit())).map(|w| w.as_str()).collect();
    if word.contains("ecurve") {
        return numbers::list(numbers::GROUP, &hex).or_else(|| {
            let id: u16 = hex.parse().ok().filter(|_| hex.len() == 4)?;
            numbers::one(numbers::GROUP, &format!("0x{id:04x}"))
        });
    }
    if word.contains("sig") {
        return numbers::list(numbers::SCHEME, &hex).or_else(|| numbers::one(numbers::SCHEME, &hex));
    }
    let width = match word.as_str() {
        w if w.contains("4char") || w.contains("expanded") => ciphers::Digits::Four,
        w if w.contains("connect_cipher") => ciphers::Digits::Unknown,
        _ => ciphers::Digits::Two,
    };
    let list = if hex.len() > 4 { ciphers::list(&hex, width) } else { None };
    list.or_else(|| ciphers::list(&hex, ciphers::Digits::Unknown))
        .or_else(|| ciphers::names(values.into_iter().map(String::as_str)))
        .or_else(|| ciphers::one(values_first(words, at)?))
}

fn values_first(words: &[String], at: usize) -> Option<&str> {
    words.get(at + 1).map(String::as_str)
}

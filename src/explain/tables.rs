//! `TABLE VALUE`, and a value alone that may stand in several tables.

use super::words::{decimal, hexadecimal};
use super::{alerts, ciphers, messages, numbers, replies, texts, zos};
use crate::codes;

/// A value that somebody asked for in a table: `gsk 410`, `cipher 2F`, `group x25519`. `None` when the table is not known, or
/// does not know the value.
pub(super) fn asked(table: &str, values: &[&str]) -> Option<String> {
    let table = table.to_ascii_lowercase();
    let all = values.concat();
    let value = match values {
        [] => return None,
        [one] => *one,
        _ => return several(&table, values, &all),
    };
    let number = decimal(value);
    let unsigned = number.and_then(|n| u32::try_from(n).ok());
    match table.as_str() {
        "gsk" => gsk(value),
        "rc" | "code" => number
            .and_then(messages::return_code)
            .or_else(|| gsk(value))
            .or_else(|| zos::four_digits(value).filter(|_| value.starts_with('0'))),
        "at-tls" | "attls" => unsigned.and_then(messages::attls),
        "cms" => hexadecimal(value).and_then(codes::cms).or_else(|| codes::cms_by_symbol(value)).map(messages::cms_row),
        "setcec" | "ftp-client" | "ec" => unsigned
            .and_then(zos::client_error)
            .or_else(|| codes::ftp_client_error_by_symbol(value).map(zos::client_error_row)),
        "cc" => unsigned.and_then(zos::condition),
        "subcommand" => subcommand(value),
        "content-type" | "contenttype" => unsigned.and_then(|n| u8::try_from(n).ok()).map(numbers::content_type),
        "alert" => alerts::one(value).map(alerts::explained),
        "ftp" | "reply" => unsigned.and_then(|n| u16::try_from(n).ok()).and_then(replies::code),
        "cipher" | "ciphers" | "suite" | "ciphersuite" => ciphers::one(value).or_else(|| ciphers::names(parts(value))),
        "group" | "curve" => numbers::one(numbers::GROUP, value).or_else(|| numbers::list(numbers::GROUP, value)),
        "scheme" | "signature" | "sigalg" => {
            numbers::one(numbers::SCHEME, value).or_else(|| numbers::list(numbers::SCHEME, value))
        }
        "extension" => numbers::one(numbers::EXTENSION, value),
        "version" => numbers::one(numbers::VERSION, value),
        "curl" | "gnutls" | "nss" | "openssl" | "schannel" => of_program(&table, value),
        _ => None,
    }
}

/// Several values: lists of suites, groups and schemes, and names that were written in several words.
fn several(table: &str, values: &[&str], all: &str) -> Option<String> {
    match table {
        "cipher" | "ciphers" | "suite" | "ciphersuite" => {
            ciphers::one(all).or_else(|| ciphers::names(values.iter().flat_map(|v| parts(v))))
        }
        "group" | "groups" | "curve" => numbers::list(numbers::GROUP, all),
        "scheme" | "signature" | "sigalg" => {
            numbers::list(numbers::SCHEME, all).or_else(|| numbers::one(numbers::SCHEME, all))
        }
        "alert" => alerts::by_name(all).map(alerts::explained),
        "version" => numbers::named(numbers::VERSION, all),
        _ => None,
    }
}

fn parts(value: &str) -> impl Iterator<Item = &str> {
    value.split([':', ',', ' ', ';', '{', '}']).filter(|p| !p.is_empty())
}

/// A return code of System SSL, in decimal, negative, in hex (`0000019A`, `0x19A`, `134CC19E`), or as a symbol.
fn gsk(value: &str) -> Option<String> {
    let decimal = decimal(value).filter(|_| value.len() < 8).and_then(|n| i32::try_from(n).ok());
    match decimal {
        Some(n) => messages::gsk(n.cast_unsigned()),
        None => hexadecimal(value)
            .filter(|_| value.len() == 8 || value.starts_with("0x"))
            .and_then(messages::gsk)
            .or_else(|| messages::gsk_symbol(value)),
    }
}

fn subcommand(value: &str) -> Option<String> {
    let by_name = || (0..100).filter_map(codes::ftp_subcommand).find(|s| s.name.eq_ignore_ascii_case(value));
    let s = value.parse().ok().and_then(codes::ftp_subcommand).or_else(by_name)?;
    let exits = match s.exits {
        Some(true) => "its failure ends a client that runs with EXIT",
        Some(false) => "its failure does not end the client",
        None => "whether its failure ends the client depends",
    };
    Some(format!("z/OS FTP subcommand {}  {}\n{exits}\n", s.code, s.name))
}

/// A code of another program; only what is written as that program's.
fn of_program(program: &str, value: &str) -> Option<String> {
    let number = decimal(value).is_some() || hexadecimal(value).is_some();
    let own = |row: &codes::ErrorText| row.program.eq_ignore_ascii_case(program);
    let asked = match program {
        "curl" | "gnutls" => format!("{program} {value}"),
        _ => value.to_owned(),
    };
    let known = number && codes::error_texts(&asked).iter().any(|(row, _)| own(row));
    known.then(|| texts::explained(&asked, false)).flatten()
}

/// The tables that know a word by itself, each with the words that ask it alone.
pub(super) fn alone(word: &str) -> Vec<(String, String)> {
    let lower = word.to_ascii_lowercase();
    let mut out: Vec<(String, String)> = Vec::new();
    let mut add = |ask: String, text: Option<String>| out.extend(text.map(|t| (ask, t)));
    // Names: unmistakable.
    add(word.to_owned(), messages::message(word));
    add(format!("gsk {word}"), lower.starts_with("gsk_").then(|| gsk(word)).flatten());
    add(format!("cms {word}"), codes::cms_by_symbol(word).map(messages::cms_row));
    add(format!("setcec {word}"), codes::ftp_client_error_by_symbol(word).map(zos::client_error_row));
    if decimal(word).is_none() {
        add(format!("alert {word}"), alerts::by_name(word).map(alerts::explained));
        add(format!("cipher {word}"), ciphers::named(word).and_then(|_| ciphers::one(word)));
        add(format!("group {word}"), numbers::named(numbers::GROUP, word));
        add(format!("scheme {word}"), numbers::named(numbers::SCHEME, word));
        add(format!("version {word}"), numbers::named(numbers::VERSION, word));
        add(format!("cipher {word}"), ciphers::names(parts(word)));
    }
    if !out.is_empty() {
        return out;
    }
    if let Some(n) = decimal(word).filter(|_| word.len() < 8) {
        return number(word, n);
    }
    let mut add = |ask: String, text: Option<String>| out.extend(text.map(|t| (ask, t)));
    if let Some(n) = hexadecimal(word) {
        let eight = lower.strip_prefix("0x").unwrap_or(&lower).len() == 8;
        add(format!("cms {word}"), codes::cms(n).filter(|_| eight).map(messages::cms_row));
        add(format!("gsk {word}"), messages::gsk(n).filter(|_| eight || lower.starts_with("0x")));
        let four = lower.strip_prefix("0x").unwrap_or(&lower).len() <= 4;
        if four {
            two_bytes(word, &mut out);
        }
    }
    let error = || alerts::in_text(word).is_some() || texts::explained(word, false).is_some();
    if out.is_empty() && !lower.starts_with("0x") && lower.len() >= 8 && !error() {
        let digits = lower.bytes().all(|b| b.is_ascii_hexdigit());
        out.extend(alerts::record(&lower).filter(|_| digits).map(|t| (word.to_owned(), t)));
        let list = digits.then(|| ciphers::list(&lower, ciphers::Digits::Unknown)).flatten();
        out.extend(list.map(|t| (format!("cipher {word}"), t)));
        out.extend(numbers::list(numbers::GROUP, &lower).filter(|_| digits).map(|t| (format!("group {word}"), t)));
    }
    out
}

/// What a decimal number may be.
fn number(word: &str, n: i64) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    let mut add = |ask: String, text: Option<String>| out.extend(text.map(|t| (ask, t)));
    let leading_zero = word.starts_with('0') && word.len() > 1;
    let unsigned = u32::try_from(n).ok();
    let byte = u8::try_from(n).ok().filter(|_| !leading_zero);
    if !leading_zero {
        add(format!("gsk {word}"), gsk(word));
        add(format!("at-tls {word}"), unsigned.and_then(messages::attls));
        add(format!("ftp {word}"), u16::try_from(n).ok().and_then(replies::code));
        add(format!("alert {word}"), byte.and_then(codes::alert).map(alerts::explained));
        let type_or_digit = |n: &u8| matches!(n, 20..=24 | b'0'..=b'9');
        add(format!("content-type {word}"), byte.filter(type_or_digit).map(numbers::content_type));
        add(format!("setcec {word}"), unsigned.and_then(zos::client_error));
        add(format!("rc {word}"), unsigned.filter(|n| *n >= 1_000).and_then(zos::standard));
        add(format!("gnutls {word}"), of_program("gnutls", word));
        add(format!("nss {word}"), of_program("nss", word).filter(|_| n < -1_000));
        add(format!("curl {word}"), of_program("curl", word));
    }
    add(format!("rc {word}"), zos::four_digits(word).filter(|_| leading_zero));
    // Condition codes are any number up to 4095; those below 1000 are rare and would stand behind everything.
    let condition = unsigned.filter(|n| *n >= 1_000 && !leading_zero);
    add(format!("cc {word}"), condition.and_then(zos::condition));
    if n >= 0 && (word.len() == 4 || word.len() == 2) {
        two_bytes(word, &mut out);
    }
    if out.is_empty() {
        out.extend(unsigned.filter(|_| !leading_zero).and_then(zos::condition).map(|t| (format!("cc {word}"), t)));
    }
    out
}

/// Two or four digits of a hello.
fn two_bytes(word: &str, out: &mut Vec<(String, String)>) {
    let digits = word.trim_start_matches("0x").trim_start_matches("0X").len();
    let mut add = |table: &str, text: Option<String>| out.extend(text.map(|t| (format!("{table} {word}"), t)));
    add("cipher", ciphers::one(word));
    if digits == 4 {
        add("group", numbers::one(numbers::GROUP, word));
        add("scheme", numbers::one(numbers::SCHEME, word));
        add("extension", numbers::one(numbers::EXTENSION, word));
        add("version", numbers::one(numbers::VERSION, word));
    }
}

/// One answer whole, several with their beginnings.
pub(super) fn listed(word: &str, answers: Vec<(String, String)>) -> Option<String> {
    match answers.as_slice() {
        [] => None,
        [(_, text)] => Some(text.clone()),
        several => {
            let begin = |(ask, text): &(String, String)| {
                let mut lines = text.lines().filter(|l| !l.starts_with("More: ")).map(str::trim);
                let first = lines.next().unwrap_or_default();
                // A head that ends with a colon needs its list.
                let (take, between) = if first.ends_with(':') { (3, " ") } else { (1, " - ") };
                let rest: Vec<&str> = lines.take(take).collect();
                let between = if rest.is_empty() { "" } else { between };
                format!("{ask}: {first}{between}{}\n", rest.join("; "))
            };
            let list: String = several.iter().map(begin).collect();
            Some(format!("{word} stands in {} tables:\n{list}", several.len()))
        }
    }
}

//! Ids and codes to words: the pages of findings and causes, and the rows of the code tables.

mod zos;

use std::fmt::Write as _;

use crate::codes;
use crate::rules::{self, causes, pages};

/// What is known of an id or a code: `plaintext-instead-of-tls`, `gsk 410`, `alert 40`, `ftp 534`, `cipher 0035`, `EZA2897I`;
/// or of an error as another program prints it: `GnuTLS error -15`, `0A00010B`. Case and quoting do not matter.
pub fn explain(words: &[&str]) -> Option<String> {
    let words: Vec<&str> = words.iter().flat_map(|w| w.split_whitespace()).collect();
    let known = match words[..] {
        [id] => page(&id.to_ascii_lowercase()).or_else(|| message(id)),
        [table, value] => code(&table.to_ascii_lowercase(), value),
        _ => None,
    };
    let text = words.join(" ");
    known.or_else(|| zos::return_code_line(&text)).or_else(|| error(&text))
}

/// How many rows of the table of error texts are shown.
const MOST_ERRORS: usize = 2;

/// What an error text of another program hides.
fn error(text: &str) -> Option<String> {
    let mut out = String::new();
    if let Some(characters) = java_characters(text) {
        let _ = writeln!(out, "Java took text for a TLS record: its second and third character are \"{characters}\".");
    }
    let mut shown: Vec<&str> = Vec::new();
    for row in codes::error_texts(text) {
        // Several texts of one error say the same.
        if shown.len() < MOST_ERRORS && !shown.contains(&row.hides) {
            let hides = sure(row.hides, row.confirmed);
            let _ = writeln!(out, "{}: \"{}\"\n{hides}.\nCollect next: {}.", row.program, row.text, row.collect);
            shown.push(row.hides);
        }
    }
    (!out.is_empty()).then_some(out)
}

/// `Unsupported record version Unknown-48.48` holds two characters of what came: `500 OOPS` has 48 and 48 behind its 5.
fn java_characters(text: &str) -> Option<String> {
    let (_, numbers) = text.split_once("Unknown-")?;
    let (first, rest) = numbers.split_once('.')?;
    let second: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let character = |n: &str| n.parse::<u8>().ok().filter(|c| (b' '..=b'~').contains(c)).map(char::from);
    Some([character(first)?, character(&second)?].iter().collect())
}

/// The page of a finding or a cause, without what only tests read.
pub fn page(id: &str) -> Option<String> {
    let rule = rules::ALL.iter().find(|r| r.id == id).map(|r| r.page);
    let cause = || causes::ALL.iter().find(|c| c.id == id).map(|c| c.page);
    let to_come = || pages::TO_COME.iter().find(|p| p.id == id).map(|p| p.page);
    let page = rule.or_else(cause).or_else(to_come)?;
    let mut out = String::new();
    let mut hidden = false;
    for line in page.lines() {
        match line {
            "```expect" => hidden = true,
            "```" if hidden => hidden = false,
            _ if hidden => {}
            "```transcript" | "```" => {}
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    Some(out)
}

/// Every id that has a page.
pub fn ids() -> impl Iterator<Item = &'static str> {
    let known = rules::ALL.iter().map(|r| r.id).chain(causes::ALL.iter().map(|c| c.id));
    known.chain(pages::TO_COME.iter().map(|p| p.id))
}

fn message(id: &str) -> Option<String> {
    let m = codes::zos_message(&id.to_ascii_uppercase())?;
    let mut out = format!("{}  {}\n", m.id, m.text);
    if m.meaning != "-" {
        let _ = writeln!(out, "{}", m.meaning);
    }
    Some(out)
}

fn code(table: &str, value: &str) -> Option<String> {
    let decimal = || value.parse::<u32>().ok();
    let hexadecimal = || u16::from_str_radix(value.trim_start_matches("0x"), 16).ok();
    match table {
        "rc" if decimal().is_some_and(|n| n >= 1_000) => zos::standard(decimal()?),
        "cc" => zos::condition(decimal()?),
        "cms" => {
            let c = codes::cms(u32::from_str_radix(value.trim_start_matches("0x"), 16).ok()?)?;
            Some(format!(
                "certificate management services {:08X}  {}\n{}\n",
                c.code,
                c.symbol,
                sure(c.meaning, c.confirmed)
            ))
        }
        "group" => named("group", hexadecimal()?, codes::group),
        "scheme" | "signature" => named("signature scheme", hexadecimal()?, codes::signature_scheme),
        "extension" => named("TLS extension", hexadecimal()?, codes::extension),
        "version" => named("protocol version", hexadecimal()?, codes::version),
        "gsk" | "rc" => {
            let c = codes::gsk(decimal()?)?;
            Some(format!("System SSL rc {}  {}\n{}\n", c.code, c.symbol, sure(c.meaning, c.confirmed)))
        }
        "at-tls" | "attls" => {
            let c = codes::attls(decimal()?)?;
            Some(format!("AT-TLS rc {}\n{}\n", c.code, sure(c.meaning, c.confirmed)))
        }
        "setcec" | "ftp-client" => {
            let e = codes::ftp_client_error(decimal()?)?;
            Some(format!("z/OS FTP client error code {}  {}\n{}\n", e.code, e.symbol, sure(e.meaning, e.confirmed)))
        }
        "content-type" => Some(content_type(u8::try_from(decimal()?).ok()?)),
        "alert" => {
            let a = codes::alert(u8::try_from(decimal()?).ok()?)?;
            Some(format!("TLS alert {}  {}\n{}\n", a.code, a.name, a.meaning))
        }
        "ftp" => {
            let r = codes::ftp_reply(u16::try_from(decimal()?).ok()?)?;
            Some(format!("FTP reply {}  ({})\n{}\n", r.code, r.rfc, r.meaning))
        }
        "cipher" => {
            let c = hexadecimal().and_then(codes::cipher_suite).or_else(|| codes::cipher_suite_by_name(value))?;
            Some(format!(
                "cipher suite {:04X}  {}\nOpenSSL: {}\nSystem SSL: {}\nkey exchange {}, authentication {}\n",
                c.id, c.name, c.openssl, c.gsk, c.kx, c.auth
            ))
        }
        _ => None,
    }
}

/// A number of one of the registries.
fn named(what: &str, id: u16, name: impl Fn(u16) -> Option<&'static str>) -> Option<String> {
    name(id).map(|name| format!("{what} {id:04X}  {name}\n"))
}

/// What a record type is, or which character a client took for one.
fn content_type(n: u8) -> String {
    let meaning = match n {
        20 => "change_cipher_spec".to_owned(),
        21 => "alert".to_owned(),
        22 => "handshake".to_owned(),
        23 => "application_data".to_owned(),
        24 => "heartbeat".to_owned(),
        b' '..=b'~' => format!(
            "no TLS record type: the character '{}'. The peer sent text where a TLS record was due; see plaintext-instead-of-tls",
            char::from(n)
        ),
        _ => "no TLS record type: the peer did not speak TLS".to_owned(),
    };
    format!("TLS record content type {n}\n{meaning}\n")
}

/// Rows that no source confirms say so.
fn sure(meaning: &str, confirmed: codes::Confirmed) -> String {
    if confirmed == codes::Confirmed::No { format!("{meaning} (unconfirmed)") } else { meaning.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_other_programs() {
        for (pasted, word) in [
            ("GnuTLS error -15: An unexpected TLS packet was received.", "plaintext-instead-of-tls"),
            ("error:0A00010B:SSL routines:ssl3_get_record:wrong version number", "plaintext-instead-of-tls"),
            ("0A00010B", "plaintext-instead-of-tls"),
            ("curl: (35) TLS connect error", "curl 35"),
            ("javax.net.ssl.SSLException: Unsupported record version Unknown-48.48", "\"00\""),
            ("tls: first record does not look like a TLS handshake", "Go"),
            ("500 OOPS: error:0A0000C1:SSL routines::no shared cipher", "no-shared-cipher"),
            ("0x80090326", "unconfirmed"),
        ] {
            let text = explain(&[pasted]).unwrap_or_else(|| panic!("{pasted}"));
            assert!(text.contains(word), "{pasted}: {text}");
        }
        for unknown in ["GnuTLS error -1", "everything is fine", "ftp.example.org", "Unknown-300.1", "410"] {
            assert_eq!(explain(&[unknown]), None, "{unknown}");
        }
    }
}

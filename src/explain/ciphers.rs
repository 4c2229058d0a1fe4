//! Cipher suites: by two or four digits, by any name, and whole lists as System SSL or OpenSSL write them.

use std::fmt::Write as _;

use super::layout::sure;
use crate::codes::{self, CipherSuite};

/// How many digits one suite has in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digits {
    /// `V3CipherSuites`, `GSK_V3_CIPHER_SPECS`: the low byte.
    Two,
    /// `V3CipherSuites4Char`, `GSK_V3_CIPHER_SPECS_EXPANDED`.
    Four,
    /// Nobody said.
    Unknown,
}

/// Up to so many suites get a line each; more are grouped.
const LINE_EACH: usize = 18;
/// More suites than any list of a product holds.
const MOST: usize = 120;

/// Where the word "removed" comes from.
const REMOVED: &str = "not in the default lists of z/OS V2R3 and later (OA48868, OA51519) or of OpenSSL 3";

/// A number of two or four digits, a name, or a list.
pub(super) fn one(value: &str) -> Option<String> {
    if let Some(suite) = named(value) {
        return Some(explained(&suite));
    }
    let digits = digits(value)?;
    // `0xC0,0x2F`: a suite byte by byte, as registries and OpenSSL write it.
    let by_bytes =
        value.split([',', ' ', '{', '}']).filter(|p| !p.is_empty()).all(|p| p.len() == 4 && p.starts_with("0x"));
    let size = if by_bytes { Digits::Four } else { Digits::Unknown };
    match digits.len() {
        1..=4 => {
            let id = u16::from_str_radix(&digits, 16).ok()?;
            codes::cipher_suite(id).map(|s| explained(&s)).or_else(|| grease(id))
        }
        _ => list(&digits, size),
    }
}

/// By a name of the registry, of OpenSSL or of z/OS.
pub(super) fn named(name: &str) -> Option<CipherSuite> {
    let zos = codes::zos_cipher_names().find(|z| z.name.eq_ignore_ascii_case(name));
    codes::cipher_suite_by_name(name).or_else(|| codes::cipher_suite(zos?.id))
}

/// The hexadecimal digits of `0035`, `0x0035`, `0x00,0x35`, `{0xC0, 0x30}`.
fn digits(value: &str) -> Option<String> {
    let parts = value.split(|c: char| " ,{}:;()".contains(c)).filter(|p| !p.is_empty());
    let digits: String = parts.map(|p| p.strip_prefix("0x").or_else(|| p.strip_prefix("0X")).unwrap_or(p)).collect();
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| digits.to_ascii_uppercase())
}

/// Both bytes alike, each xA.
fn grease(id: u16) -> Option<String> {
    let [high, low] = id.to_be_bytes();
    (high == low && low & 0x0F == 0x0A).then(|| {
        format!("cipher suite {id:04X}\na placeholder (GREASE, RFC 8701): clients send it so that servers learn to ignore what they do not know\n")
    })
}

fn explained(s: &CipherSuite) -> String {
    let zos = codes::zos_cipher_names().find(|z| z.id == s.id);
    let two = if s.gsk == "-" { "no 2 digits".to_owned() } else { format!("{} in 2 digits", s.gsk) };
    let mut out =
        format!("cipher suite {:04X}  {}\nOpenSSL: {}\nSystem SSL: {:04X}, {two}", s.id, s.name, s.openssl, s.id);
    if let Some(z) = zos {
        let _ = write!(out, "; FTP.DATA and TELNET: {}", sure(z.name, z.confirmed));
    }
    if s.is_signal() {
        out.push_str("\nno cipher: a signal of the client to the server\n");
        return out;
    }
    let _ = writeln!(
        out,
        "\nkey exchange {}, authentication {}, {} {} bits, {}\n{}",
        s.kx,
        s.auth,
        s.enc,
        s.bits,
        s.mac,
        standing(s)
    );
    if !s.forward_secret() && !standing(s).starts_with("removed") {
        out.push_str(
            "Servers that want forward secrecy (ECDHE, DHE) do not take it.\nMore: ftpsdiag explain no-shared-cipher\n",
        );
    }
    if standing(s).starts_with("removed") {
        let _ = writeln!(out, "It is {REMOVED}.");
    }
    out
}

/// Whether a suite has forward secrecy, and whether libraries of today still offer it.
fn standing(s: &CipherSuite) -> &'static str {
    if s.is_signal() {
        return "a signal, no cipher";
    }
    match (s.enc, s.kx, s.auth) {
        _ if s.name.contains("_EXPORT") => "removed: export keys",
        ("NULL", ..) => "removed: no encryption",
        (_, _, "anon") => "removed: anonymous",
        ("RC4" | "RC2-CBC", ..) => "removed: RC4, RC2",
        ("DES-CBC" | "IDEA-CBC", ..) => "removed: DES, IDEA",
        ("3DES-CBC", ..) => "removed: 3DES",
        (_, "DH" | "ECDH", _) => "removed: fixed DH keys",
        (_, "TLS13", _) => "forward secrecy, TLS 1.3",
        (_, _, "DSS") if s.forward_secret() => "forward secrecy, DSA key",
        _ if s.forward_secret() => "forward secrecy",
        _ => "no forward secrecy",
    }
}

/// A list of digits without separators; `None` unless every suite is known.
pub(super) fn list(digits: &str, width: Digits) -> Option<String> {
    // A code of certificate management services, or a record that holds an alert, is no list.
    if digits.len() == 8 && digits.starts_with("0335") || digits.len() == 14 && digits.starts_with("1503") {
        return None;
    }
    let four = || split(digits, 4).filter(|all| width == Digits::Four || all.iter().all(in_four));
    let two = || split(digits, 2);
    let (suites, how) = match width {
        Digits::Two => (two()?, "2 digits each"),
        Digits::Four => (four()?, "4 digits each"),
        Digits::Unknown => four().map(|s| (s, "4 digits each")).or_else(|| two().map(|s| (s, "2 digits each")))?,
    };
    Some(listed(&suites, how))
}

/// Suites that anybody writes with four digits begin so.
fn in_four(s: &CipherSuite) -> bool {
    matches!(s.id >> 8, 0x00 | 0x13 | 0xC0 | 0xCC)
}

fn split(digits: &str, width: usize) -> Option<Vec<CipherSuite>> {
    let fits = digits.len() >= width && digits.len().is_multiple_of(width) && digits.len() <= width * MOST;
    let chunks = digits.as_bytes().chunks(width).filter(|_| fits);
    let suites: Option<Vec<CipherSuite>> =
        chunks.map(|c| codes::cipher_suite(u16::from_str_radix(core::str::from_utf8(c).ok()?, 16).ok()?)).collect();
    suites.filter(|s| !s.is_empty())
}

/// Several names or numbers: `ECDHE-RSA-AES256-GCM-SHA384:AES256-SHA`; `None` unless every one is known.
pub(super) fn names<'a>(values: impl Iterator<Item = &'a str>) -> Option<String> {
    let values: Vec<&str> = values.take(MOST).collect();
    // `0xC0,0x2F`: a suite byte by byte, as registries and OpenSSL write it.
    if values.len().is_multiple_of(2) && values.iter().all(|v| v.len() == 4 && v.starts_with("0x")) {
        let digits: String = values.iter().filter_map(|v| v.get(2..)).collect();
        return one(&digits);
    }
    let id = |v: &str| u16::from_str_radix(digits(v).filter(|d| d.len() == 4 || d.len() == 2)?.as_str(), 16).ok();
    let suites: Option<Vec<CipherSuite>> =
        values.into_iter().map(|v| named(v).or_else(|| codes::cipher_suite(id(v)?))).collect();
    suites.filter(|s| s.len() > 1).map(|s| listed(&s, "by name"))
}

/// A line for each suite, or groups of them when that would not fit.
fn listed(suites: &[CipherSuite], how: &str) -> String {
    if let [one] = suites {
        return explained(one);
    }
    let secret = suites.iter().filter(|s| standing(s).starts_with("forward")).count();
    let removed = suites.iter().filter(|s| standing(s).starts_with("removed")).count();
    let mut out =
        format!("{} cipher suites, {how}: {secret} with forward secrecy, {removed} removed today\n", suites.len());
    if suites.len() <= LINE_EACH {
        for s in suites {
            let _ = writeln!(out, "  {:04X}  {:<46}  {}", s.id, s.name, standing(s));
        }
    } else {
        for (group, begins) in
            [("forward secrecy", "forward"), ("no forward secrecy", "no "), ("removed", "removed"), ("signals", "a ")]
        {
            let of_group: Vec<String> = suites.iter().filter(|s| standing(s).starts_with(begins)).map(short).collect();
            if !of_group.is_empty() {
                let _ = writeln!(out, "{group} ({}): {}", of_group.len(), of_group.join(", "));
            }
        }
    }
    if removed > 0 {
        let _ = writeln!(out, "removed = {REMOVED}");
    }
    if secret == 0 {
        out.push_str("Servers that want forward secrecy take none of them.\nMore: ftpsdiag explain no-shared-cipher\n");
    }
    out
}

/// The number and the shortest name.
fn short(s: &CipherSuite) -> String {
    let name = if s.openssl == "-" { s.name.trim_start_matches("TLS_") } else { s.openssl };
    format!("{:04X} {name}", s.id)
}

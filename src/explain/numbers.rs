//! Numbers of the registries: groups, signature schemes, extensions, versions, record types.

use std::fmt::Write as _;

use super::words::{decimal, hexadecimal};
use crate::codes::{self, Number};

/// A kind of number: what it is called, its name for `explain`, and its rows.
type Kind = (&'static str, &'static str, fn() -> Vec<Number>);

/// Groups, formerly curves.
pub(super) const GROUP: Kind = ("group", "group", || codes::groups().collect());
/// Signature schemes, and the pairs of TLS 1.2.
pub(super) const SCHEME: Kind = ("signature scheme", "scheme", || codes::signature_schemes().collect());
/// Extension types.
pub(super) const EXTENSION: Kind = ("TLS extension", "extension", || codes::extensions().collect());
/// Protocol versions.
pub(super) const VERSION: Kind = ("protocol version", "version", || codes::versions().collect());

/// Names of OpenSSL for groups that the registry calls otherwise.
const ALIASES: [(&str, &str); 2] = [("prime256v1", "secp256r1"), ("prime192v1", "secp192r1")];

/// A number or a name of a kind.
pub(super) fn one(kind: Kind, value: &str) -> Option<String> {
    named(kind, value).or_else(|| {
        if kind.0 == GROUP.0 && value.len() >= 2 {
            group(value)
        } else {
            let id = u16::try_from(hexadecimal(value)?).ok()?;
            row(kind, id).map(|n| line(kind, n))
        }
    })
}

/// By name: `x25519`, `P-256`, `rsa_pss_rsae_sha256`, `RSA+SHA256`, `TLSv1.2`.
pub(super) fn named(kind: Kind, name: &str) -> Option<String> {
    let alias = ALIASES.iter().find(|(old, _)| old.eq_ignore_ascii_case(name)).map_or(name, |(_, new)| new);
    let plain = |s: &str| s.to_ascii_lowercase().replace([' ', '-', '_'], "").replace("tlsv", "tls");
    let wanted = plain(alias);
    let is = |n: &Number| n.name.split([' ', '(', ')']).any(|part| !part.is_empty() && plain(part) == wanted);
    let whole = |n: &Number| plain(n.name) == wanted;
    let found = kind.2().into_iter().find(|n| whole(n) || (n.name.contains('(') && is(n)));
    let found = found.or_else(|| row(kind, pair(alias).filter(|_| kind.0 == SCHEME.0)?));
    found.filter(|_| name.len() > 2).map(|n| line(kind, n))
}

/// OpenSSL writes schemes as `RSA+SHA256`.
fn pair(name: &str) -> Option<u16> {
    let (key, hash) = name.split_once('+')?;
    let hashes = ["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"];
    let hash = u16::try_from(hashes.iter().position(|h| h.eq_ignore_ascii_case(hash))?).ok()? + 1;
    match key.to_ascii_uppercase().as_str() {
        "RSA" => Some(hash << 8 | 1),
        "DSA" => Some(hash << 8 | 2),
        "ECDSA" => Some(hash << 8 | 3),
        "RSA-PSS" | "PSS" if hash >= 4 => Some(0x0800 | hash),
        _ => None,
    }
}

fn row(kind: Kind, id: u16) -> Option<Number> {
    kind.2().into_iter().find(|n| n.id == id)
}

fn line(kind: Kind, n: Number) -> String {
    let mut out = format!("{} {:04X}  {}\n", kind.0, n.id, n.name);
    if kind.0 == GROUP.0 {
        let _ = writeln!(out, "AT-TLS and System SSL write it in decimal: {:04}", n.id);
    }
    if kind.0 == SCHEME.0 && n.id < 0x0700 {
        out.push_str("In TLS 1.2 a pair: first byte hash, second byte signature.\n");
    }
    out
}

/// Four decimal digits can be the decimal id of System SSL or the hexadecimal one of a hello.
fn group(value: &str) -> Option<String> {
    let prefixed = value.starts_with("0x") || value.starts_with("0X");
    let read = |id: Option<u16>| row(GROUP, id?);
    let as_hex = read(hexadecimal(value).and_then(|n| n.try_into().ok()));
    let as_decimal = read(decimal(value).filter(|_| !prefixed).and_then(|n| n.try_into().ok()));
    match (as_decimal, as_hex) {
        (Some(d), Some(h)) if d != h => Some(format!(
            "group {value} can be read in two ways:\ndecimal, as AT-TLS and System SSL write ids: {} ({:04X} in a \
             hello)\nhexadecimal, as it stands in a hello: {}\n",
            d.name, d.id, h.name
        )),
        (Some(n), _) | (None, Some(n)) => Some(line(GROUP, n)),
        (None, None) => None,
    }
}

/// A list of four digits each: groups in decimal as System SSL writes them, schemes in hexadecimal.
pub(super) fn list(kind: Kind, digits: &str) -> Option<String> {
    if digits.len() < 8 || !digits.len().is_multiple_of(4) || !digits.is_ascii() || digits.len() > 400 {
        return None;
    }
    let radix = if kind.0 == GROUP.0 { 10 } else { 16 };
    let mut out = String::new();
    for four in digits.as_bytes().chunks(4) {
        let four = core::str::from_utf8(four).ok()?;
        let n = row(kind, u16::from_str_radix(four, radix).ok()?)?;
        let _ = writeln!(out, "  {four}  {}", n.name);
    }
    let how = if radix == 10 { "decimal ids as System SSL writes them" } else { "as System SSL writes them" };
    Some(format!("{} {}s, {how}:\n{out}", digits.len() / 4, kind.0))
}

/// What a record type is, or which character a client took for one.
pub(super) fn content_type(n: u8) -> String {
    let meaning = match n {
        20 => "change_cipher_spec".to_owned(),
        21 => "alert".to_owned(),
        22 => "handshake".to_owned(),
        23 => "application_data".to_owned(),
        24 => "heartbeat".to_owned(),
        b' '..=b'~' => format!(
            "no TLS record type: the character '{}'. The peer sent text where a TLS record was due.\nMore: ftpsdiag \
             explain plaintext-instead-of-tls",
            char::from(n)
        ),
        0xF0..=0xF9 => format!(
            "no TLS record type: in EBCDIC the digit {}. The peer sent text where a TLS record was due.\nMore: ftpsdiag \
             explain plaintext-instead-of-tls",
            n - 0xF0
        ),
        _ => "no TLS record type: the peer did not speak TLS".to_owned(),
    };
    format!("TLS record content type {n}\n{meaning}\n")
}

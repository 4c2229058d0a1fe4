//! What a client makes of text where a record was due: the header that it reads, and the numbers that programs report instead.

use serde_json::{Value, json};

use super::PartOut;
use super::prelude::*;
use crate::wire::printable;
use crate::wire::sniff::Encoding;
use crate::wire::tls::record::{HEADER_LEN, Header};

/// What the client made of the text, and which programs report only that.
pub(super) fn misreading(case: &Case<'_>, event: &Event, said: &str, encoding: Encoding, f: &mut Finding) {
    let bytes = event.span.filter(|_| case.whole).map(|s| case.transcript.bytes(s)).unwrap_or_default();
    let first: Option<[u8; HEADER_LEN]> = bytes.first_chunk().copied();
    let Some(first) = first else { return };
    let header = Header::misread(first);
    let shown: String = said.chars().take(HEADER_LEN).collect();
    f.set("misread", json!({ "type": header.content_type, "version": header.version, "length": header.len }));
    let reader =
        if case.facts.client.as_ref().is_some_and(|c| c.id.starts_with("zos")) { "System SSL" } else { "The client" };
    f.why.push(format!(
        "{reader} took \"{shown}\" for a record header (type 0x{:02x} = {}{}, version 0x{:04x}, length 0x{:04x} = {}).",
        header.content_type,
        if encoding == Encoding::Ascii { format!("'{}' = ", printable(&[header.content_type])) } else { String::new() },
        header.content_type,
        header.version,
        header.len,
        header.len
    ));
    if encoding == Encoding::Ebcdic {
        f.why.push("The text is EBCDIC: it left the server without translation.".to_owned());
    }
    let said_by = one_fault(case, header.content_type, f);
    if said_by.len() > 1 {
        f.why.push(format!("{}: one fault.", said_by.join(", ")));
    }
    let coincidences = coincidences(case, header.content_type);
    if !coincidences.is_empty() {
        let verb = if coincidences.len() == 1 { "is" } else { "are" };
        let words: Vec<String> = coincidences.iter().map(|c| c.1.clone()).collect();
        f.why.push(capitalised(&format!("{} in your own hello {verb} coincidence.", listing(&words))));
        let data: Vec<Value> = coincidences.into_iter().map(|c| c.0).collect();
        f.set("coincidences", data);
    }
}

/// The text as the client took it: type, version and length of a record, then the rest.
pub(super) fn misread_parts(hex_text: &str) -> Vec<PartOut> {
    let bytes = hex::decode(hex_text).unwrap_or_default();
    let Some(first) = bytes.first_chunk::<HEADER_LEN>() else { return Vec::new() };
    let header = Header::misread(*first);
    let part = |len, label: String| PartOut { len, label };
    let mut parts = vec![
        part(1, format!("taken for record type {}", header.content_type)),
        part(2, format!("taken for version 0x{:04x}", header.version)),
        part(2, format!("taken for a length of {} bytes", header.len)),
    ];
    if bytes.len() > HEADER_LEN {
        parts.push(part(bytes.len() - HEADER_LEN, "the rest of the text".to_owned()));
    }
    parts
}

/// Claims that are echoes of this fault: the content type that was misread, and every code that came of it.
fn one_fault(case: &Case<'_>, content_type: u8, f: &mut Finding) -> Vec<String> {
    let (mut words, mut data) = (Vec::<String>::new(), Vec::new());
    for claim in case.claims() {
        let short = match claim.code {
            Some(Code::ContentType(n)) if *n == u32::from(content_type) => format!("Content Type {n}"),
            Some(Code::Gsk(410)) => "rc 410".to_owned(),
            Some(Code::FtpClient(17)) => "SETCEC 17".to_owned(),
            Some(Code::Message(id)) if id == "EZA2897I" || id == "EZA2898I" => id.clone(),
            _ => continue,
        };
        data.push(json!({ "by": claim.by, "code": claim.code, "text": claim.text }));
        if !words.contains(&short) {
            words.push(short);
        }
    }
    f.set("claims", data);
    words
}

/// Places in the client's own hello that hold the same byte by chance; readers take them for the culprit.
fn coincidences(case: &Case<'_>, byte: u8) -> Vec<(Value, String)> {
    let Some(offer) = &case.facts.offer else { return Vec::new() };
    let mut out = Vec::new();
    let handshake_length = offer.message_len.saturating_sub(4);
    if handshake_length == u64::from(byte) {
        out.push((json!({ "where": "handshake length", "value": byte }), format!("length {byte}")));
    }
    if offer.suites.contains(&u16::from(byte)) {
        out.push((json!({ "where": "cipher suite", "value": byte }), format!("cipher {byte:04X}")));
    }
    out
}

/// `a, b and c`.
fn listing(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + chars.as_str())
}

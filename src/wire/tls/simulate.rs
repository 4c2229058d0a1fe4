//! ClientHellos as clients of the table send them, for servers to choose from.
//!
//! What each hello has of its own is the caller's: the random, the name, keys that are valid and of no use to anybody.

use super::build::{Crafted, key_shares, list, server_name, supported_versions};
use super::extensions::ext;
use super::hello::Extension;
use super::share::share;
use crate::codes::{ClientProfile, Form, Listed};

/// Extensions whose content most clients share; all others of the table are empty.
const USUAL: [(u16, &[u8]); 7] = [
    (ext::STATUS_REQUEST, &[1, 0, 0, 0, 0]),
    (ext::EC_POINT_FORMATS, &[1, 0]),
    (HEARTBEAT, &[1]),
    (STATUS_REQUEST_V2, &[0, 7, 2, 0, 4, 0, 0, 0, 0]),
    (ext::RECORD_SIZE_LIMIT, &[0x40, 1]),
    (ext::PSK_MODES, &[1, 1]),
    (ext::RENEGOTIATION_INFO, &[0]),
];

const HEARTBEAT: u16 = 15;
const STATUS_REQUEST_V2: u16 = 17;

/// padding (RFC 7685): for servers that choke on messages of 256 to 511 bytes.
const PADDING: u16 = 21;
const CHOKES: core::ops::Range<usize> = 256..512;

/// Header of a record, and of an extension.
const RECORD_HEADER: usize = 5;
const EXTENSION_HEADER: usize = 4;

/// The hello of a client in one record. Without a name, or for a client that names no server, server_name is left out: no client
/// sends an address in it, and Java none without a dot.
/// `None` where the hello is not known whole, or is in the format of SSL 2.
pub fn hello_of(profile: &ClientProfile, name: Option<&str>, random: [u8; 32]) -> Option<Vec<u8>> {
    let Form::Record(Some(record)) = profile.form else { return None };
    let session = profile.session.filter(|_| profile.is_whole())?;
    let ids = profile.extensions.as_ref().map(|l| l.numbers.as_slice());
    let extensions = match ids {
        None => None,
        Some(ids) => {
            let there = ids.iter().filter(|id| **id != ext::SERVER_NAME || name.is_some());
            Some(there.map(|id| content(profile, *id, name, random)).collect::<Option<Vec<_>>>()?)
        }
    };
    let crafted = Crafted {
        record,
        version: profile.legacy,
        random,
        session_id: random.iter().rev().copied().cycle().take(session).collect(),
        suites: profile.suites.numbers.clone(),
        compression: vec![0],
        extensions,
    };
    Some(padded(crafted).record())
}

/// One extension; `None` where it needs what nobody has.
fn content(profile: &ClientProfile, id: u16, name: Option<&str>, random: [u8; 32]) -> Option<Extension> {
    if let Some((_, data)) = profile.contents.iter().find(|(own, _)| *own == id) {
        return Some(Extension { id, data: data.clone() });
    }
    let numbers = |of: &Option<Listed>| of.as_ref().map(|l| l.numbers.clone());
    Some(match id {
        ext::SERVER_NAME => server_name(name?),
        ext::SUPPORTED_GROUPS => list(id, &numbers(&profile.groups)?),
        ext::SIGNATURE_ALGORITHMS | ext::SIGNATURE_ALGORITHMS_CERT => list(id, &numbers(&profile.schemes)?),
        ext::SUPPORTED_VERSIONS => supported_versions(&numbers(&profile.versions)?),
        ext::KEY_SHARE => {
            let key = |group: u16| Some((group, share(group, random)?));
            let shares = numbers(&profile.shares)?;
            key_shares(&shares.into_iter().map(key).collect::<Option<Vec<_>>>()?)
        }
        _ => {
            let usual = USUAL.iter().find(|(usual, _)| *usual == id);
            Extension { id, data: usual.map_or_else(Vec::new, |(_, data)| data.to_vec()) }
        }
    })
}

/// With padding filled or left out, as the length of the rest asks for it.
fn padded(hello: Crafted) -> Crafted {
    if !hello.extensions.iter().flatten().any(|e| e.id == PADDING) {
        return hello;
    }
    let rest = hello.clone().without(PADDING);
    let len = rest.record().len().saturating_sub(RECORD_HEADER);
    if !CHOKES.contains(&len) {
        return rest;
    }
    let fill = CHOKES.end.saturating_sub(len + EXTENSION_HEADER);
    hello.with(Extension { id: PADDING, data: vec![0; fill] })
}

#[cfg(test)]
mod tests {
    use super::super::handshake::{Message, parse};
    use super::super::hello::ClientHello;
    use super::*;
    use crate::codes::client_profiles;

    fn read(record: &[u8]) -> ClientHello {
        match parse(&record[RECORD_HEADER..], None) {
            Message::ClientHello(hello) => *hello,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_simulated_reads_back_as_the_row_has_it() {
        let mut simulated = 0;
        for p in client_profiles() {
            let row = format!("{} {}", p.product, p.releases);
            let Some(record) = hello_of(p, Some("ftp.example.org"), [7; 32]) else {
                assert!(!p.is_whole(), "{row}");
                continue;
            };
            simulated += 1;
            let hello = read(&record);
            assert_eq!(hello.broken, None, "{row}");
            assert_eq!(Form::Record(Some(u16::from_be_bytes([record[1], record[2]]))), p.form, "{row}");
            let numbers = |list: &Option<Listed>| list.as_ref().map_or_else(Vec::new, |l| l.numbers.clone());
            assert_eq!((hello.version, Some(hello.session_id.len())), (p.legacy, p.session), "{row}");
            assert_eq!(hello.suites, p.suites.numbers, "{row}");
            assert_eq!((hello.groups(), hello.signature_schemes()), (numbers(&p.groups), numbers(&p.schemes)), "{row}");
            let versions = p.versions.as_ref().map_or_else(|| vec![p.legacy], |l| l.numbers.clone());
            assert_eq!(hello.versions(), versions, "{row}");
            let mut ids: Vec<u16> = hello.extensions.iter().flatten().map(|e| e.id).collect();
            let mut wanted = numbers(&p.extensions);
            for list in [&mut ids, &mut wanted] {
                list.retain(|id| *id != PADDING);
            }
            assert_eq!((ids, hello.extensions.is_some()), (wanted, p.extensions.is_some()), "{row}");
            assert_eq!(hello.server_name().is_some(), p.names_server, "{row}");
        }
        assert!(simulated > 50, "{simulated}");
    }

    #[test]
    fn padding_fills_up_to_512_bytes() {
        let curl = client_profiles().find(|p| p.product == "curl").unwrap();
        for name in [None, Some("a.example"), Some("a-rather-long-name-of-a-server.example.org")] {
            let record = hello_of(curl, name, [1; 32]).unwrap();
            assert_eq!(record.len(), RECORD_HEADER + CHOKES.end, "{name:?}");
            assert_eq!(read(&record).server_name(), name.map(str::as_bytes));
        }
    }

    #[test]
    fn a_hello_without_extensions_has_no_block_for_them() {
        let native = client_profiles().find(|p| p.releases == "V2R2 with OA51519").unwrap();
        let record = hello_of(native, Some("ftp.example.org"), [0; 32]).unwrap();
        // As long as the one that was recorded: 57 bytes.
        assert_eq!((record.len(), read(&record).extensions), (RECORD_HEADER + 57, None));
    }
}

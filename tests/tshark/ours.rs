//! What ftpsdiag reads of the same capture.

use std::collections::BTreeMap;
use std::path::Path;

use ftpsdiag::decode::{Kind, decode};
use ftpsdiag::sources::{Block, InputReader, Options};
use ftpsdiag::transcript::{Side, Transcript};
use ftpsdiag::wire::tls::handshake::Message;
use ftpsdiag::wire::tls::hello::{ClientHello, ServerHello};
use ftpsdiag::wire::tls::key_exchange::KeyExchange;

use super::lines::{Streams, item, list};

/// The sessions of a capture; at these ports there is FTP, whatever shows.
pub fn sessions(file: &Path, ports: &[u16]) -> Vec<Transcript> {
    let mut reader = InputReader::new("sessions.pcap", Options { ports: ports.to_vec(), ..Options::default() });
    reader.feed(&std::fs::read(file).unwrap());
    let mut all = Vec::new();
    while let Some(session) = reader.ready() {
        all.push(session.transcript);
    }
    all.extend(
        reader.finish().blocks.into_iter().filter_map(|b| if let Block::Session(t) = b { Some(t) } else { None }),
    );
    all
}

pub fn read(sessions: &[Transcript]) -> Streams {
    let mut streams = Streams::new();
    for t in sessions {
        let mut agreed = BTreeMap::new();
        for e in decode(t).events {
            if let Kind::Handshake(Message::ServerHello(h)) = &e.kind {
                agreed.insert(e.conn, (h.suite, h.negotiated()));
            }
            let Some(conn) = t.conn(e.conn) else { continue };
            let (Some(local), Some(peer), Some(from)) = (conn.local, conn.peer, e.from()) else { continue };
            let (a, b) = (local.port(), peer.port());
            let sender = if from == Side::Client { a } else { b };
            let stream = streams.entry((a.min(b), a.max(b))).or_default();
            stream.entry(sender).or_default().extend(line(&e.kind, agreed.get(&e.conn).copied()));
        }
    }
    streams
}

/// One event; `agreed`: suite and version of its connection.
fn line(kind: &Kind, agreed: Option<(u16, u16)>) -> Option<String> {
    Some(match kind {
        Kind::Command { line, .. } => format!("ftp {line}").trim_end().to_owned(),
        Kind::Reply(r) => format!("ftp {} {}", r.code, r.text).trim_end().to_owned(),
        Kind::Text { text } => format!("ftp {text}"),
        Kind::TextInsteadOfTls { text, .. } => format!("text {text}"),
        Kind::ChangeCipherSpec => "ccs".to_owned(),
        Kind::Alert { level, description } => format!("alert {level} {description}"),
        Kind::Opaque { content_type, len } => format!("opaque {content_type} {len}"),
        Kind::Handshake(message) => handshake(message, agreed),
        Kind::Skipped | Kind::Data | Kind::Opened | Kind::Closed { .. } => return None,
        other => format!("{other:?}"),
    })
}

fn handshake(message: &Message, agreed: Option<(u16, u16)>) -> String {
    match message {
        Message::ClientHello(h) => hello(h),
        Message::ServerHello(h) => server_hello("server-hello", h),
        Message::HelloRetryRequest(h) => server_hello("retry", h),
        Message::Certificate { chain } => {
            format!("certificate {}", chain.iter().map(hex::encode).collect::<Vec<_>>().join(" "))
        }
        Message::CertificateRequest { types, schemes, authorities } => {
            let lengths: Vec<u64> = authorities.iter().map(|a| a.len() as u64).collect();
            "certificate-request".to_owned()
                + &list("types", &types.iter().map(|t| u64::from(*t)).collect::<Vec<_>>(), false)
                + &list("schemes", &wide(schemes.as_deref().unwrap_or_default()), true)
                + &list("names", &lengths, false)
        }
        Message::ServerKeyExchange { params } => {
            let read =
                agreed.and_then(|(suite, version)| KeyExchange::read(params, suite, version)).unwrap_or_default();
            let prime: Vec<u64> = read.prime_bits.into_iter().map(|bits| bits.div_ceil(8) as u64).collect();
            "server-key-exchange".to_owned()
                + &list("curve", &wide(read.group.as_slice()), false)
                + &list("prime", &prime, false)
                + &list("scheme", &wide(read.scheme.as_slice()), true)
        }
        Message::NewSessionTicket { lifetime, len } => {
            format!("ticket{}{}", list("lifetime", &[(*lifetime).into()], false), list("len", &[*len as u64], false))
        }
        Message::CertificateVerify { scheme } => {
            format!("certificate-verify{}", list("scheme", &wide(scheme.as_slice()), true))
        }
        Message::ClientKeyExchange { len } => format!("client-key-exchange{}", list("len", &[*len as u64], false)),
        Message::Other { kind: 14 } => "ServerHelloDone".to_owned(),
        Message::Other { kind } => format!("handshake {kind}"),
        other => format!("{other:?}"),
    }
}

fn wide(numbers: &[u16]) -> Vec<u64> {
    numbers.iter().map(|n| u64::from(*n)).collect()
}

fn hello(h: &ClientHello) -> String {
    if let Some(specs) = &h.specs {
        let specs: Vec<u64> = specs.iter().map(|s| u64::from(*s)).collect();
        return format!("ssl2-hello version={:04x}{}", h.version, list("suites", &specs, true));
    }
    let ids: Vec<u64> = h.extensions.iter().flatten().map(|e| u64::from(e.id)).collect();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    let compression: Vec<u64> = h.compression.iter().map(|c| u64::from(*c)).collect();
    let shares: Vec<u64> = h.key_shares().into_iter().flatten().map(|s| u64::from(s.group)).collect();
    let psk: Vec<u64> = h.psk_identities().into_iter().map(|n| n as u64).collect();
    head("hello", h.version, &h.random, &h.session_id)
        + &list("suites", &wide(&h.suites), true)
        + &list("compression", &compression, false)
        + &list("extensions", &ids, false)
        + &list("versions", &wide(&h.supported_versions().unwrap_or_default()), true)
        + &list("groups", &wide(&h.groups()), true)
        + &list("schemes", &wide(&h.signature_schemes()), true)
        + &item("sni", &h.server_name().map(text).unwrap_or_default())
        + &item("alpn", &h.protocols().into_iter().map(text).collect::<Vec<_>>().join(","))
        + &list("shares", &shares, false)
        + &list("psk", &psk, false)
}

fn server_hello(name: &str, h: &ServerHello) -> String {
    let ids: Vec<u64> = h.extensions.iter().flatten().map(|e| u64::from(e.id)).collect();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    head(name, h.version, &h.random, &h.session_id)
        + &list("suite", &[h.suite.into()], true)
        + &list("compression", &[h.compression.into()], false)
        + &list("extensions", &ids, false)
        + &list("negotiated", &[h.negotiated().into()], true)
        + &list("group", &wide(h.group().as_slice()), false)
        + &list("selected-psk", &wide(h.psk().as_slice()), false)
        + &item("alpn", &h.protocol().map(text).unwrap_or_default())
}

fn head(name: &str, version: u16, random: &[u8], session_id: &[u8]) -> String {
    format!("{name} version={version:04x} random={}{}", hex::encode(random), item("sid", &hex::encode(session_id)))
}

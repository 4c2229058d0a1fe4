//! Connections and events as reports show them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::decode::{Event, Kind, Timeline};
use crate::facts::{LONGEST_ALERT, resumed, suite_name, version_name};
use crate::transcript::{
    Close, Code, ConnId, Decrypted, Layer, Micros, OpenFailure, Role, Side, Tied, Transcript, Why,
};
use crate::wire::tls::content;
use crate::wire::tls::handshake::{Message, named_group, type_name};
use crate::wire::{printable, printable_str};

/// TLS 1.3.
const TLS13: u16 = 0x0304;

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionOut {
    /// Its number.
    pub id: u16,
    /// `control` or `data`.
    pub role: String,
    /// The control connection of a data connection.
    pub of: Option<u16>,
    /// How sure it is that it belongs to that one; null where nobody had to find out.
    pub tied: Option<Tied>,
    /// `session`, or what differed from it.
    pub why: String,
    /// The name that was dialled.
    pub host: Option<String>,
    /// The client's address.
    pub local: Option<String>,
    /// The server's address.
    pub peer: Option<String>,
    /// What was negotiated; null when nothing was.
    pub tls: Option<TlsOut>,
}

/// What a handshake agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsOut {
    /// `TLS 1.2`.
    pub version: String,
    /// The cipher suite.
    pub cipher: CipherOut,
    /// Key exchange group.
    pub group: Option<String>,
    /// ALPN protocol.
    pub alpn: Option<String>,
    /// Whether a session was resumed; null when that does not show.
    pub resumed: Option<bool>,
    /// The chain, DER in hex, end entity first.
    pub certificates: Vec<String>,
}

/// A cipher suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CipherOut {
    /// Four hex digits.
    pub id: String,
    /// IANA name.
    pub name: String,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventOut {
    /// Milliseconds of the transcript's clock.
    pub ms: Option<u64>,
    /// Microseconds of the transcript's clock.
    pub at: Option<Micros>,
    /// Connection.
    pub conn: u16,
    /// What kind.
    pub kind: String,
    /// Who sent it.
    pub from: Option<Side>,
    /// Where it travelled.
    pub layer: Option<Layer>,
    /// Offset of its first byte.
    pub start: Option<u64>,
    /// Offset behind its last byte.
    pub end: Option<u64>,
    /// In words.
    pub text: String,
}

/// All connections.
pub(super) fn connections(t: &Transcript, timeline: &Timeline) -> Vec<ConnectionOut> {
    let mut tls = tls(timeline);
    t.conns
        .iter()
        .enumerate()
        .map(|(n, conn)| {
            let id = u16::try_from(n).unwrap_or(u16::MAX);
            let (role, of) = match conn.role {
                Role::Control => ("control", None),
                Role::Data { of } => ("data", Some(of.0)),
            };
            let why = match &conn.why {
                Why::Session => "session".to_owned(),
                Why::Question { changed } => changed.join(", "),
            };
            ConnectionOut {
                id,
                role: role.to_owned(),
                of,
                tied: conn.tied,
                why,
                host: conn.host.as_deref().map(printable_str),
                local: conn.local.map(|a| a.to_string()),
                peer: conn.peer.map(|a| a.to_string()),
                tls: tls.remove(&ConnId(id)),
            }
        })
        .collect()
}

/// What was negotiated on each connection: as our own engine saw it, else as the messages show it.
fn tls(timeline: &Timeline) -> BTreeMap<ConnId, TlsOut> {
    let mut out: BTreeMap<ConnId, TlsOut> = BTreeMap::new();
    let mut chains: BTreeMap<ConnId, Vec<String>> = BTreeMap::new();
    let mut suites: BTreeMap<ConnId, u16> = BTreeMap::new();
    for event in &timeline.events {
        match &event.kind {
            Kind::Handshake(Message::ServerHello(h)) => {
                let alpn = h.protocol().map(printable);
                suites.insert(event.conn, h.suite);
                out.insert(event.conn, negotiated(h.negotiated(), h.suite, h.group(), alpn, None));
            }
            Kind::Handshake(Message::ServerKeyExchange { params }) => {
                let is_ecdhe = suites.get(&event.conn).is_some_and(|suite| suite_name(*suite).contains("_ECDHE_"));
                if let (true, Some(tls)) = (is_ecdhe, out.get_mut(&event.conn)) {
                    tls.group = tls.group.take().or_else(|| named_group(params).map(group_name));
                }
            }
            Kind::Handshake(Message::Certificate { chain: c }) if event.from() == Some(Side::Server) => {
                chains.insert(event.conn, c.iter().map(hex::encode).collect());
            }
            Kind::Decrypted { seen: Decrypted::Established { version, suite, group, alpn, resumed }, .. } => {
                let alpn = alpn.as_deref().map(printable_str);
                out.insert(event.conn, negotiated(*version, *suite, *group, alpn, Some(*resumed)));
            }
            Kind::Decrypted { from: Side::Server, seen: Decrypted::Certificates { chain: c } } => {
                chains.insert(event.conn, c.iter().map(|der| hex::encode(&der.0)).collect());
            }
            _ => {}
        }
    }
    let mut shown: BTreeMap<ConnId, Vec<&Event>> = BTreeMap::new();
    for event in timeline.events.iter().filter(|e| out.contains_key(&e.conn)) {
        shown.entry(event.conn).or_default().push(event);
    }
    for (conn, tls) in &mut out {
        tls.resumed = tls.resumed.or_else(|| resumed(shown.get(conn)?.iter().copied()));
        tls.certificates = chains.remove(conn).unwrap_or_default();
    }
    out
}

fn negotiated(version: u16, suite: u16, group: Option<u16>, alpn: Option<String>, resumed: Option<bool>) -> TlsOut {
    TlsOut {
        version: version_name(version),
        cipher: CipherOut { id: format!("{suite:04X}"), name: suite_name(suite) },
        group: group.map(group_name),
        alpn,
        resumed,
        certificates: Vec::new(),
    }
}

fn group_name(group: u16) -> String {
    codes::group(group).map_or_else(|| format!("0x{group:04X}"), str::to_owned)
}

/// All events.
pub(super) fn events(timeline: &Timeline) -> Vec<EventOut> {
    let mut versions: BTreeMap<ConnId, u16> = BTreeMap::new();
    let shown = timeline.events.iter().map(|e| {
        if let Kind::Handshake(Message::ServerHello(hello)) = &e.kind {
            versions.insert(e.conn, hello.negotiated());
        }
        event(e, versions.get(&e.conn).copied())
    });
    shown.collect()
}

fn event(e: &Event, version: Option<u16>) -> EventOut {
    let (kind, text) = match e.kind {
        Kind::Opaque { content_type, len } => ("opaque", opaque(content_type, len, version)),
        _ => describe(&e.kind),
    };
    EventOut {
        ms: e.at.map(Micros::millis),
        at: e.at,
        conn: e.conn.0,
        kind: kind.to_owned(),
        from: e.from(),
        layer: e.span.map(|s| s.flow.layer),
        start: e.span.map(|s| s.start),
        end: e.span.map(|s| s.end),
        text,
    }
}

fn side(s: Side) -> &'static str {
    match s {
        Side::Client => "client",
        Side::Server => "server",
    }
}

/// Kind and words of an event.
fn describe(kind: &Kind) -> (&'static str, String) {
    match kind {
        Kind::Opened => ("opened", "connection opens".to_owned()),
        Kind::OpenFailed { why } => ("open-failed", format!("connection fails: {}", failure(*why))),
        Kind::Closed { by, how } => {
            let how = match how {
                Close::Fin => "closes (FIN)",
                Close::Reset => "resets (RST)",
                Close::Unknown => "ends the connection",
            };
            ("closed", format!("{} {how}", side(*by)))
        }
        Kind::TimedOut { waiting_for, after } => {
            ("timed-out", format!("nothing from the {} for {} ms", side(*waiting_for), after.millis()))
        }
        Kind::Gap { from, len } => (
            "gap",
            format!("bytes of the {} are missing{}", side(*from), len.map_or_else(String::new, |n| format!(" ({n})"))),
        ),
        Kind::TlsStarts { by } => ("tls-starts", format!("{} starts TLS", side(*by))),
        Kind::Claim { by, code, text } => ("claim", claim(by, code.as_ref(), text)),
        Kind::Decrypted { from, seen } => ("decrypted", decrypted(*from, seen)),
        Kind::Command { line, .. } => ("command", line.clone()),
        Kind::Reply(r) => ("reply", format!("{} {}{}", r.code, r.text, if r.whole { "" } else { " (cut short)" })),
        Kind::Text { text } => ("text", text.clone()),
        Kind::Handshake(message) => handshake(message),
        Kind::ChangeCipherSpec => ("change-cipher-spec", "ChangeCipherSpec".to_owned()),
        Kind::Alert { level, description } => {
            let name = codes::alert(*description).map_or("unknown", |a| a.name);
            let level = if *level == 2 { "fatal" } else { "warning" };
            ("alert", format!("{level} alert {description} {name}"))
        }
        Kind::Opaque { content_type, len } => ("opaque", opaque(*content_type, *len, None)),
        Kind::EmptyRecord { content_type } => {
            ("empty-record", format!("empty record ({})", content_name(*content_type)))
        }
        Kind::TextInsteadOfTls { text, .. } => ("text-instead-of-tls", text.clone()),
        Kind::OtherInsteadOfTls { speaker } => ("other-instead-of-tls", format!("not TLS: {}", speaker.name())),
        Kind::Malformed { part } => ("malformed", format!("breaks the rules of TLS: {part}")),
        Kind::Data => ("data", "data in clear or decrypted, not shown".to_owned()),
        Kind::Skipped => ("skipped", "seen, not kept".to_owned()),
        Kind::Undecoded => ("undecoded", "nothing explains these bytes".to_owned()),
        Kind::CutShort { what, missing } => (
            "cut-short",
            format!(
                "beginning of a {what}{}",
                missing
                    .map_or_else(String::new, |n| format!(", {n} {} missing", if n == 1 { "byte" } else { "bytes" }))
            ),
        ),
    }
}

/// An encrypted record: what its type tells, and in TLS 1.3, where all are data, what its length allows.
fn opaque(content_type: u8, len: u16, version: Option<u16>) -> String {
    match (content_type, version) {
        (content::ALERT, _) => "encrypted alert; which one does not show".to_owned(),
        (content::APPLICATION_DATA, Some(TLS13..)) if len <= LONGEST_ALERT => {
            format!("encrypted record of {len} bytes: perhaps an alert")
        }
        _ => format!("encrypted {}", content_name(content_type)),
    }
}

fn failure(why: OpenFailure) -> &'static str {
    match why {
        OpenFailure::Dns => "the name has no address",
        OpenFailure::Refused => "refused",
        OpenFailure::Unreachable => "unreachable",
        OpenFailure::TimedOut => "no answer",
        OpenFailure::Other => "other",
    }
}

fn claim(by: &str, code: Option<&Code>, text: &str) -> String {
    let code = match code {
        Some(Code::Gsk(n)) => format!("rc {n} "),
        Some(Code::AtTls(n)) => format!("AT-TLS rc {n} "),
        Some(Code::Cms(n)) => format!("CMS 0x{n:08X} "),
        Some(Code::FtpClient(n)) => format!("error code {n} "),
        Some(Code::Message(id)) => format!("{} ", printable_str(id)),
        Some(Code::ContentType(_)) | None => String::new(),
    };
    format!("{}: {code}{}", printable_str(by), printable_str(text))
}

fn decrypted(from: Side, seen: &Decrypted) -> String {
    match seen {
        Decrypted::Established { version, suite, resumed, .. } => {
            let how = if *resumed { " (resumed)" } else { "" };
            format!("handshake completed: {}, {}{how}", version_name(*version), suite_name(*suite))
        }
        Decrypted::Certificates { chain } if chain.len() == 1 => format!("{} sent 1 certificate", side(from)),
        Decrypted::Certificates { chain } => format!("{} sent {} certificates", side(from), chain.len()),
        Decrypted::CertificateRequest { authorities } => {
            format!("{} asks for a certificate ({} names)", side(from), authorities.len())
        }
        Decrypted::Ticket => "NewSessionTicket".to_owned(),
        Decrypted::Alert { description, .. } => {
            format!("alert {description} {} inside TLS", codes::alert(*description).map_or("unknown", |a| a.name))
        }
    }
}

fn handshake(message: &Message) -> (&'static str, String) {
    match message {
        Message::ClientHello(h) => {
            let versions = version_name(h.highest_version());
            ("client-hello", format!("ClientHello: {versions} at most, {} suites", h.suites.len()))
        }
        Message::ServerHello(h) => {
            ("server-hello", format!("ServerHello: {}, {}", version_name(h.negotiated()), suite_name(h.suite)))
        }
        Message::HelloRetryRequest(_) => ("hello-retry-request", "HelloRetryRequest".to_owned()),
        Message::Certificate { chain } => ("certificate", format!("Certificate: {} in the chain", chain.len())),
        Message::CertificateRequest { authorities } => {
            ("certificate-request", format!("CertificateRequest: {} names", authorities.len()))
        }
        Message::ServerKeyExchange { .. } => ("handshake", type_name(12).to_owned()),
        Message::Other { kind } => ("handshake", type_name(*kind).to_owned()),
        Message::Broken { kind, part } => ("malformed", format!("{} breaks its own lengths: {part}", type_name(*kind))),
    }
}

fn content_name(content_type: u8) -> &'static str {
    match content_type {
        20 => "change_cipher_spec",
        21 => "alert",
        22 => "handshake",
        23 => "application data",
        _ => "record",
    }
}

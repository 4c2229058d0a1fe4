//! Connections and events as reports show them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::decode::{Event, Kind, Timeline};
use crate::facts::{suite_name, version_name};
use crate::transcript::{Close, Code, ConnId, Decrypted, Layer, Micros, OpenFailure, Role, Side, Transcript, Why};
use crate::wire::printable_str;
use crate::wire::tls::handshake::{Message, type_name};

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionOut {
    /// Its number.
    pub id: u16,
    /// `control` or `data`.
    pub role: String,
    /// The control connection of a data connection.
    pub of: Option<u16>,
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
                why,
                host: conn.host.as_deref().map(printable_str),
                local: conn.local.map(|a| a.to_string()),
                peer: conn.peer.map(|a| a.to_string()),
                tls: tls.remove(&ConnId(id)),
            }
        })
        .collect()
}

/// What was negotiated on each connection.
fn tls(timeline: &Timeline) -> BTreeMap<ConnId, TlsOut> {
    let mut out: BTreeMap<ConnId, TlsOut> = BTreeMap::new();
    let mut chains: BTreeMap<ConnId, Vec<String>> = BTreeMap::new();
    for event in &timeline.events {
        match &event.kind {
            Kind::Handshake(Message::ServerHello(h)) => {
                out.insert(event.conn, negotiated(h.negotiated(), h.suite, h.group(), None, None));
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
    for (conn, tls) in &mut out {
        tls.certificates = chains.remove(conn).unwrap_or_default();
    }
    out
}

fn negotiated(version: u16, suite: u16, group: Option<u16>, alpn: Option<String>, resumed: Option<bool>) -> TlsOut {
    TlsOut {
        version: version_name(version),
        cipher: CipherOut { id: format!("{suite:04X}"), name: suite_name(suite) },
        group: group.map(|g| codes::group(g).map_or_else(|| format!("0x{g:04X}"), str::to_owned)),
        alpn,
        resumed,
        certificates: Vec::new(),
    }
}

/// All events.
pub(super) fn events(timeline: &Timeline) -> Vec<EventOut> {
    timeline.events.iter().map(event).collect()
}

fn event(e: &Event) -> EventOut {
    let (kind, text) = describe(&e.kind);
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
        Kind::Opaque { content_type, .. } => ("opaque", format!("encrypted {}", content_name(*content_type))),
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

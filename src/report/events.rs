//! Connections and events as reports show them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use serde_json::{Map, Value};

use super::agreed::{TlsOut, tls};
use super::fields::fields;
use super::messages::{Link, handshake, opaque};
use crate::codes;
use crate::decode::{Event, Kind, Timeline};
use crate::facts::{suite_name, version_name};
use crate::transcript::{
    Close, Code, ConnId, Decrypted, Layer, Micros, OpenFailure, Role, Side, Tied, Transcript, Why,
};
use crate::wire::printable_str;

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
    /// Whether it was seen that the server opened it, or tried to (active mode).
    #[serde(default)]
    pub active: bool,
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
    /// The same field by field, for programs; lists end behind 256 items, and `KEY_more` then counts the rest. Names are those of
    /// IANA, or `0x` and four digits. Keys by kind:
    ///
    /// - `client-hello`: `record_version`, `version` (legacy_version), `versions`, `random`, `session_id`, `suites`,
    ///   `compression`, `extensions`, `server_name`, `alpn`, `groups`, `key_shares` (`group`, `bytes`),
    ///   `signature_schemes`, `certificate_schemes`, `point_formats`, `psk_modes`, `psk_identities`, `ticket_bytes`,
    ///   `cookie_bytes`, `renegotiation_bytes`, `secure_renegotiation`, `extended_master_secret`, `encrypt_then_mac`,
    ///   `early_data`, `status_request`, `authorities`, `fallback`; `format` and `ssl2_suites` in the format of SSL 2.
    /// - `server-hello`, `hello-retry-request`: `record_version`, `version`, `negotiated`, `random`, `session_id`,
    ///   `session_id_repeated`, `suite`, `compression`, `extensions`, `group`, `alpn`, `psk`, `ticket`, `cookie_bytes`,
    ///   `renegotiation_bytes`, `extended_master_secret`, `encrypt_then_mac`, `could`; of a HelloRetryRequest also
    ///   `offered_groups` and `offered_key_shares` of the hello that it answers.
    /// - `certificate`: `count`, `bytes`. `certificate-request`: `types`, `signature_schemes`, `authorities`.
    /// - `handshake` (any other message): `type`, `name`; `group`, `prime_bits`, `signature_scheme` of a ServerKeyExchange,
    ///   `signature_scheme` of a CertificateVerify, `lifetime_s` and `ticket_bytes` of a NewSessionTicket, `status_type`
    ///   and `bytes` of a CertificateStatus, `bytes` of a ClientKeyExchange.
    /// - `ssl2-server-hello`: `resumed`, `certificate_bytes`, `ssl2_suites`. `ssl2-error`: `code`, `name`.
    /// - `alert`: `level`, `description`, `name`. `opaque`: `content_type`, `bytes`, and `renegotiation` where that shows.
    /// - `reply`, `text-instead-of-tls`: `code`, `whole`. `command`: `verb`. `gap`: `bytes`. `cut-short`: `missing`.
    #[serde(default)]
    pub data: Map<String, Value>,
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
                active: conn.active,
                why,
                host: conn.host.as_deref().map(printable_str),
                local: conn.local.map(|a| a.to_string()),
                peer: conn.peer.map(|a| a.to_string()),
                tls: tls.remove(&ConnId(id)),
            }
        })
        .collect()
}

/// All events, field by field where that is wanted.
pub(super) fn events(t: &Transcript, timeline: &Timeline) -> Vec<EventOut> {
    let mut links: BTreeMap<ConnId, Link<'_>> = BTreeMap::new();
    let shown = timeline.events.iter().map(|e| {
        let link = links.entry(e.conn).or_default();
        link.takes(e);
        let (kind, text) = describe(e, link);
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
            data: fields(t, e, link),
        }
    });
    shown.collect()
}

fn side(s: Side) -> &'static str {
    match s {
        Side::Client => "client",
        Side::Server => "server",
    }
}

/// Kind and words of an event.
fn describe(e: &Event, link: &Link<'_>) -> (&'static str, String) {
    match &e.kind {
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
        Kind::Claim { by, code, text, .. } => ("claim", claim(by, code.as_ref(), text)),
        Kind::Decrypted { from, seen } => ("decrypted", decrypted(*from, seen)),
        Kind::Command { line, .. } => ("command", line.clone()),
        Kind::Reply(r) => ("reply", format!("{} {}{}", r.code, r.text, if r.whole { "" } else { " (cut short)" })),
        Kind::Text { text } => ("text", text.clone()),
        Kind::Handshake(message) => handshake(message, link),
        Kind::ChangeCipherSpec => ("change-cipher-spec", "ChangeCipherSpec".to_owned()),
        Kind::Alert { level, description } => {
            let name = codes::alert(*description).map_or("unknown", |a| a.name);
            let level = if *level == 2 { "fatal" } else { "warning" };
            ("alert", format!("{level} alert {description} {name}"))
        }
        Kind::Opaque { content_type, len } => ("opaque", opaque(*content_type, *len, link)),
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

/// What a record holds, as people call it.
pub(super) fn content_name(content_type: u8) -> &'static str {
    match content_type {
        20 => "change_cipher_spec",
        21 => "alert",
        22 => "handshake",
        23 => "application data",
        _ => "record",
    }
}

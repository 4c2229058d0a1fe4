//! What handshakes agreed on, as reports show it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::messages::group_name;
use super::messages::scheme_name;
use crate::decode::{Event, Kind, Timeline};
use crate::facts::{Agreed, agreed, suite_name, version_name};
use crate::transcript::{ConnId, Decrypted, Side};
use crate::wire::printable;
use crate::wire::tls::handshake::Message;

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
    /// Bits of the Diffie-Hellman prime of a DHE suite.
    #[serde(default)]
    pub prime_bits: Option<u64>,
    /// Signature scheme of the server's ServerKeyExchange; null in TLS 1.3, which encrypts it.
    #[serde(default)]
    pub signature_scheme: Option<String>,
    /// Whether extended_master_secret was agreed on; null in TLS 1.3, which has it built in.
    #[serde(default)]
    pub extended_master_secret: Option<bool>,
    /// Whether the server knows secure renegotiation; null in TLS 1.3, which has none.
    #[serde(default)]
    pub secure_renegotiation: Option<bool>,
    /// Seconds for which the server's session ticket is good; null when none was seen.
    #[serde(default)]
    pub ticket_lifetime: Option<u32>,
    /// Whether the server asked for another ClientHello first.
    #[serde(default)]
    pub hello_retry: bool,
    /// The group that it asked for.
    #[serde(default)]
    pub hello_retry_group: Option<String>,
    /// Whether the server asked for a client certificate; null when that does not show, as in TLS 1.3.
    #[serde(default)]
    pub client_certificate_requested: Option<bool>,
    /// How many certificates the client sent, 0 for an empty list; null when that does not show.
    #[serde(default)]
    pub client_certificates: Option<u64>,
    /// The version that the server says it could have spoken, when it chose a lower one.
    #[serde(default)]
    pub could: Option<String>,
    /// Whether a second handshake began inside the connection.
    #[serde(default)]
    pub renegotiated: bool,
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

/// What was negotiated on each connection: as our own engine saw it, else as the messages show it.
pub(super) fn tls(timeline: &Timeline) -> BTreeMap<ConnId, TlsOut> {
    let mut shown: BTreeMap<ConnId, Vec<&Event>> = BTreeMap::new();
    for event in &timeline.events {
        shown.entry(event.conn).or_default().push(event);
    }
    let out = |events: &Vec<&Event>| {
        let agreed = agreed(events.iter().copied())?;
        Some(TlsOut { certificates: chain(events), ..TlsOut::from(agreed) })
    };
    shown.iter().filter_map(|(conn, events)| Some((*conn, out(events)?))).collect()
}

/// The chain that the server showed last.
fn chain(events: &[&Event]) -> Vec<String> {
    let last = events.iter().rev().find_map(|e| match &e.kind {
        Kind::Handshake(Message::Certificate { chain }) if e.from() == Some(Side::Server) => {
            Some(chain.iter().map(hex::encode).collect())
        }
        Kind::Decrypted { from: Side::Server, seen: Decrypted::Certificates { chain } } => {
            Some(chain.iter().map(|der| hex::encode(&der.0)).collect())
        }
        _ => None,
    });
    last.unwrap_or_default()
}

impl From<Agreed> for TlsOut {
    fn from(a: Agreed) -> Self {
        Self {
            version: version_name(a.version),
            cipher: CipherOut { id: format!("{:04X}", a.suite), name: suite_name(a.suite) },
            group: a.group.map(group_name),
            alpn: a.alpn.as_deref().map(printable),
            resumed: a.resumed,
            prime_bits: a.prime_bits.map(|bits| bits as u64),
            signature_scheme: a.scheme.map(scheme_name),
            extended_master_secret: a.extended_master_secret,
            secure_renegotiation: a.secure_renegotiation,
            ticket_lifetime: a.ticket_lifetime,
            hello_retry: a.retry.is_some(),
            hello_retry_group: a.retry.and_then(|r| r.group).map(group_name),
            client_certificate_requested: a.certificate_requested,
            client_certificates: a.client_certificates.map(|n| n as u64),
            could: a.could.map(version_name),
            renegotiated: a.renegotiated,
            certificates: Vec::new(),
        }
    }
}

//! What travelled inside TLS, as far as our own engine saw it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What our own engine saw inside TLS: numbers and DER, never a library's prose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decrypted {
    /// The handshake completed.
    Established {
        /// Protocol version, e.g. 0x0303.
        version: u16,
        /// Cipher suite (IANA number).
        suite: u16,
        /// Key exchange group (IANA number).
        group: Option<u16>,
        /// ALPN protocol.
        alpn: Option<String>,
        /// Whether an earlier session was resumed.
        resumed: bool,
    },
    /// The certificate chain as sent.
    Certificates {
        /// DER, end entity first.
        chain: Vec<Der>,
    },
    /// The server asked for a client certificate.
    CertificateRequest {
        /// Distinguished names of acceptable authorities, DER.
        authorities: Vec<Der>,
    },
    /// A NewSessionTicket.
    Ticket,
    /// An alert.
    Alert {
        /// 1 warning, 2 fatal.
        level: u8,
        /// Alert description.
        description: u8,
    },
}

/// DER bytes; hex in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Der(
    #[serde(with = "hex::serde")]
    #[schemars(with = "String")]
    pub Vec<u8>,
);

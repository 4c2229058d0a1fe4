//! The evidence: what was seen, and nothing else.
//!
//! A [`Transcript`] holds every byte that bears on the question, in the order in which it was
//! seen, with what is known of its origin. It draws no conclusion, so that a report of today
//! can be diagnosed again by the rules of next year.

pub mod bulk;
pub mod clock;
mod decrypted;
pub mod dialogue;
mod echo;
mod job;
mod joined;
mod mask;
mod mask_echo;
mod origin;
pub mod redact;
pub mod secrets;
pub mod speakers;
pub mod topics;

use core::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use clock::{Clock, Micros};
pub use decrypted::{Decrypted, Der};
pub use origin::{
    ASSUMED_DIRECTION, ASSUMED_NO_END, ASSUMED_OF_ATTLS, ASSUMED_ORDER, ASSUMED_TLS_DUE, ASSUMED_UNANSWERED, Asked,
    Authorities, BY_OPENSSL, DATA_HANDSHAKE, Input, Mode, Origin, Tried,
};

/// One case: where the evidence came from, the connections, and what happened on them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transcript {
    /// Where the evidence came from.
    #[serde(default)]
    pub origin: Origin,
    /// What the times of the entries mean.
    pub clock: Clock,
    /// The connections; entries name them by their index.
    pub conns: Vec<Conn>,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

/// Index of a connection in [`Transcript::conns`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ConnId(pub u16);

/// One TCP connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conn {
    /// Control or data.
    pub role: Role,
    /// Why it was opened.
    pub why: Why,
    /// The name that was dialled.
    pub host: Option<String>,
    /// The client's address and port.
    #[schemars(with = "Option<String>")]
    pub local: Option<SocketAddr>,
    /// The server's address and port.
    #[schemars(with = "Option<String>")]
    pub peer: Option<SocketAddr>,
    /// How sure it is that a data connection belongs to its control connection; `None` where nobody had to find out.
    #[serde(default)]
    pub tied: Option<Tied>,
    /// Whether it was seen that the server opened it, or tried to (active mode).
    #[serde(default)]
    pub active: bool,
}

/// How sure it is that a data connection belongs to its control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tied {
    /// The control connection announced its address and port, or both hold the same TLS session.
    Certain,
    /// The addresses and the time speak for it.
    Likely,
}

impl Tied {
    /// As reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Tied::Certain => "certain",
            Tied::Likely => "likely",
        }
    }
}

/// What a connection is for (RFC 959, section 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Commands and replies.
    #[default]
    Control,
    /// A transfer that belongs to the control connection `of`.
    Data {
        /// The control connection.
        of: ConnId,
    },
}

/// Why a connection was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It is the session under examination: verdicts come from it.
    #[default]
    Session,
    /// It was opened to learn one thing; `changed` says what differs from the session.
    Question {
        /// What differs from the session, e.g. `no SNI`.
        changed: Vec<String>,
    },
}

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The end that opened the control connection.
    Client,
    /// The end that accepted it.
    Server,
}

impl Side {
    /// The other end.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

/// Where bytes travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// As they were in the TCP segments.
    Wire,
    /// As they were inside TLS, after decryption.
    InsideTls,
}

/// One direction of one layer of one connection. Offsets count within a flow, never within a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The connection.
    pub conn: ConnId,
    /// The layer.
    pub layer: Layer,
    /// The sender.
    pub from: Side,
}

/// Bytes `start..end` of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The flow.
    pub flow: Flow,
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
}

impl Span {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// When, by the transcript's clock; `None` when only the order is known.
    pub at: Option<Micros>,
    /// On which connection.
    pub conn: ConnId,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What can be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum What {
    /// The connection stands.
    Opened,
    /// The connection could not be opened.
    OpenFailed {
        /// Why not.
        why: OpenFailure,
    },
    /// Bytes arrived, or were sent.
    Bytes {
        /// Who sent them.
        from: Side,
        /// Where they travelled.
        layer: Layer,
        /// The bytes.
        #[serde(rename = "hex", with = "hex::serde")]
        #[schemars(with = "String")]
        data: Vec<u8>,
        /// Whether they are the very bytes, or were put together again from a log.
        fidelity: Fidelity,
    },
    /// Bytes that were seen but not kept (business data, encrypted bulk). Offsets go on behind them.
    Skipped {
        /// Who sent them.
        from: Side,
        /// Where they travelled.
        layer: Layer,
        /// How many.
        len: u64,
        /// Their SHA-256 in hex; empty when it was not taken.
        sha256: String,
    },
    /// Bytes are known to be missing here.
    Gap {
        /// Whose.
        from: Side,
        /// How many, if known.
        len: Option<u64>,
    },
    /// The connection, or one direction of it, ended.
    Closed {
        /// Who ended it.
        by: Side,
        /// How.
        how: Close,
    },
    /// Nothing came although somebody waited for it.
    TimedOut {
        /// Who stayed silent.
        waiting_for: Side,
        /// How long the wait was, in microseconds.
        after: Micros,
    },
    /// An end began TLS: whatever it receives from here on, it takes for TLS records.
    TlsStarts {
        /// That end.
        by: Side,
    },
    /// What our own engine saw inside TLS.
    Decrypted {
        /// Who sent it.
        from: Side,
        /// What it was.
        seen: Decrypted,
    },
    /// What some program said: hearsay, never proof.
    Claim {
        /// The program.
        by: String,
        /// The number or id that it gave.
        code: Option<Code>,
        /// Its words.
        text: String,
    },
}

/// Why a connection could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OpenFailure {
    /// The name has no address.
    Dns,
    /// RST instead of SYN ACK.
    Refused,
    /// No route, or an ICMP answer.
    Unreachable,
    /// No answer at all.
    TimedOut,
    /// Anything else.
    Other,
}

/// Whether bytes are the very bytes of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fidelity {
    /// Byte for byte as seen.
    Exact,
    /// Put together from a log that quoted them as text, or from what must have been there.
    Rebuilt,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Close {
    /// FIN.
    Fin,
    /// RST.
    Reset,
    /// It ended; how was not seen.
    Unknown,
}

/// A number or id that a program gave, with the table that explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "system", content = "value", rename_all = "kebab-case")]
pub enum Code {
    /// System SSL return code.
    Gsk(u32),
    /// AT-TLS return code.
    AtTls(u32),
    /// Certificate Management Services code.
    Cms(u32),
    /// z/OS FTP client error code (SETCEC).
    FtpClient(u32),
    /// TLS record content type that a program named.
    ContentType(u32),
    /// A message id such as EZA2897I.
    Message(String),
}

impl Transcript {
    /// A transcript of one control connection, still empty.
    pub fn of_one_connection(clock: Clock) -> Self {
        Self { clock, conns: vec![Conn::default()], ..Self::default() }
    }

    /// The connection `id`, if there is one.
    pub fn conn(&self, id: ConnId) -> Option<&Conn> {
        self.conns.get(usize::from(id.0))
    }

    /// The bytes of a span, as far as they were kept.
    pub fn bytes(&self, span: Span) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = 0u64;
        for entry in self.entries.iter().filter(|e| e.conn == span.flow.conn) {
            match &entry.what {
                What::Bytes { from, layer, data, .. } if *from == span.flow.from && *layer == span.flow.layer => {
                    let len = data.len() as u64;
                    let lo = span.start.clamp(at, at + len) - at;
                    let hi = span.end.clamp(at, at + len) - at;
                    out.extend_from_slice(data.get(lo as usize..hi as usize).unwrap_or_default());
                    at += len;
                }
                What::Skipped { from, layer, len, .. } if *from == span.flow.from && *layer == span.flow.layer => {
                    at = at.saturating_add(*len);
                }
                _ => {}
            }
            if at >= span.end {
                break;
            }
        }
        out
    }

    /// How many bytes of the span were put together again rather than seen.
    pub fn rebuilt(&self, span: Span) -> u64 {
        let mut at = 0u64;
        let mut rebuilt = 0;
        for entry in self.entries.iter().filter(|e| e.conn == span.flow.conn) {
            let (from, layer, len, is_rebuilt) = match &entry.what {
                What::Bytes { from, layer, data, fidelity } => {
                    (from, layer, data.len() as u64, *fidelity == Fidelity::Rebuilt)
                }
                What::Skipped { from, layer, len, .. } => (from, layer, *len, false),
                _ => continue,
            };
            if *from != span.flow.from || *layer != span.flow.layer {
                continue;
            }
            let end = at.saturating_add(len);
            if is_rebuilt {
                rebuilt += end.min(span.end).saturating_sub(at.max(span.start));
            }
            at = end;
        }
        rebuilt
    }
}

//! What a transcript says, event by event.

use crate::transcript::{Close, Code, ConnId, Decrypted, Micros, OpenFailure, Side, Span};
use crate::wire::sniff::{Encoding, Speaker};
use crate::wire::tls::handshake::Message;

/// All events of a transcript, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// The events.
    pub events: Vec<Event>,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When its first byte came.
    pub at: Option<Micros>,
    /// On which connection.
    pub conn: ConnId,
    /// Its bytes; `None` for what has none.
    pub span: Option<Span>,
    /// What it is.
    pub kind: Kind,
}

impl Event {
    /// Who sent the bytes, if it has any.
    pub fn from(&self) -> Option<Side> {
        self.span.map(|s| s.flow.from)
    }
}

/// What an event is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The connection stands.
    Opened,
    /// It could not be opened.
    OpenFailed {
        /// Why not.
        why: OpenFailure,
    },
    /// It ended.
    Closed {
        /// Who ended it.
        by: Side,
        /// How.
        how: Close,
    },
    /// Silence that somebody waited through.
    TimedOut {
        /// Who stayed silent.
        waiting_for: Side,
        /// How long.
        after: Micros,
    },
    /// Bytes are missing here.
    Gap {
        /// Whose.
        from: Side,
        /// How many, if known.
        len: Option<u64>,
    },
    /// An end began TLS.
    TlsStarts {
        /// That end.
        by: Side,
    },
    /// What a program said.
    Claim {
        /// The program, as printable ASCII.
        by: String,
        /// The end at which it ran, when its name says so.
        side: Option<Side>,
        /// Its number or id.
        code: Option<Code>,
        /// Its words, as printable ASCII.
        text: String,
    },
    /// What our own engine saw inside TLS.
    Decrypted {
        /// Who sent it.
        from: Side,
        /// What.
        seen: Decrypted,
    },
    /// An FTP command.
    Command {
        /// In upper case.
        verb: String,
        /// The whole line as printable ASCII.
        line: String,
    },
    /// An FTP reply, all its lines.
    Reply(Reply),
    /// A line of text where a command or reply was due, but that is neither.
    Text {
        /// As printable ASCII.
        text: String,
    },
    /// A handshake message in clear.
    Handshake(Message),
    /// ChangeCipherSpec.
    ChangeCipherSpec,
    /// An alert in clear.
    Alert {
        /// 1 warning, 2 fatal.
        level: u8,
        /// Alert description.
        description: u8,
    },
    /// A record whose content is encrypted.
    Opaque {
        /// Record content type.
        content_type: u8,
        /// Length of its payload in bytes, as its header says.
        len: u16,
    },
    /// A record without content.
    EmptyRecord {
        /// Record content type.
        content_type: u8,
    },
    /// Text where a TLS record was due.
    TextInsteadOfTls {
        /// The FTP reply that the text is, or begins.
        reply: Option<Reply>,
        /// The text as printable ASCII.
        text: String,
        /// Its character set.
        encoding: Encoding,
    },
    /// Bytes of another protocol where a TLS record was due.
    OtherInsteadOfTls {
        /// Who speaks so.
        speaker: Speaker,
    },
    /// Bytes that begin as TLS and break its rules; says where.
    Malformed {
        /// The part.
        part: &'static str,
    },
    /// Content of a data connection, in clear or after decryption.
    Data,
    /// Bytes that were seen but not kept.
    Skipped,
    /// Bytes that nothing explains.
    Undecoded,
    /// The beginning of something; the transcript, or the flow, ends here.
    CutShort {
        /// Of what, e.g. `TLS record`.
        what: &'static str,
        /// How many bytes are missing, if that can be told.
        missing: Option<u64>,
    },
}

/// The part of [`Kind::Malformed`] that is a TLS record where text inside TLS was due.
pub const TLS_INSIDE_TLS: &str = "TLS inside TLS";

/// An FTP reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// The text of its lines without codes, joined by ` / `, as printable ASCII.
    pub text: String,
    /// Whether its last line has come to its end.
    pub whole: bool,
}

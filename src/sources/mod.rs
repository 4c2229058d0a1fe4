//! One file, one way in which evidence reaches people.
//!
//! An input is fed in chunks of any size ([`InputReader`]), and unpacked where it is packed. A capture or a saved report owns its whole input; everything else is
//! a *paste*: unquoted, cut into lines and words, and every source claims what it knows. What nobody claims is kept
//! and counted. Blocks that tell of one attempt are woven into one [`Transcript`] ([`weave::weave`]).

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

mod attls;
mod attls_link;
mod attls_log;
mod attls_reader;
mod attls_words;
mod cert_diag;
mod charset;
mod config_reader;
mod gsk_dump;
mod gsk_fast;
mod gsk_line;
mod gsk_reader;
mod gsk_record;
mod gsk_session;
mod gsksrvr;
mod gsktrace;
mod hex_line;
mod hex_secret;
mod hexdump;
mod input;
mod lines;
mod packet_dump;
mod packet_fields;
mod packet_flow;
mod packet_record;
mod packet_summary;
mod packet_trace;
mod paste;
mod pool;
mod refuse;
mod sibling_words;
mod siblings;
mod source;
mod unpack;
mod weave;
mod words;
mod zos_bare;
mod zos_config;
mod zos_ftp;
mod zos_process;
mod zos_reader;
mod zos_reply;
mod zos_statement;
mod zos_words;

pub use input::{InputReader, archive_of_several};
pub use weave::{Reading, weave};

use crate::error::InputError;
use crate::transcript::{Clock, Conn, Entry, Input, Side, Transcript};

/// What the user said about an input.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Who sent bytes whose direction their content does not tell.
    pub from: Option<Side>,
    /// Only this source may claim lines.
    pub only: Option<Kind>,
    /// Ports of a capture that are FTP whatever shows there.
    pub ports: Vec<u16>,
    /// The only session of a capture that is wanted.
    pub only_session: Option<u32>,
}

/// The sources, by the names that `--as` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What AT-TLS writes to the system's log (EZD messages).
    AtTls,
    /// A System SSL component trace (CTRACE COMP(GSKSRVR)), formatted.
    Gsksrvr,
    /// A System SSL trace file, formatted by the gsktrace command.
    Gsktrace,
    /// A packet trace of z/OS (CTRACE COMP(SYSTCPDA)), formatted.
    PacketTrace,
    /// Output of the z/OS FTP client with or without its trace.
    ZosFtp,
    /// FTP.DATA, JCL and AT-TLS policies.
    ZosConfig,
    /// Programs that use the same TLS library: TN3270, Db2, IBM i.
    Siblings,
    /// Bytes as hex, in any usual dress.
    Hex,
    /// The dialogue notation.
    Dialogue,
    /// A JSON report of this tool.
    Report,
    /// A packet capture: pcap or pcapng.
    Capture,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 11] = [
        Kind::AtTls,
        Kind::Gsksrvr,
        Kind::Gsktrace,
        Kind::PacketTrace,
        Kind::ZosFtp,
        Kind::ZosConfig,
        Kind::Siblings,
        Kind::Hex,
        Kind::Dialogue,
        Kind::Report,
        Kind::Capture,
    ];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::AtTls => "at-tls",
            Kind::Gsksrvr => "gsksrvr",
            Kind::Gsktrace => "gsktrace",
            Kind::PacketTrace => "packet-trace",
            Kind::ZosFtp => "zos-ftp",
            Kind::ZosConfig => "zos-config",
            Kind::Siblings => "siblings",
            Kind::Hex => "hex",
            Kind::Dialogue => "dialogue",
            Kind::Report => "report",
            Kind::Capture => "capture",
        }
    }
}

/// A piece of an input that tells of one attempt, or of one connection of it.
#[derive(Clone, Debug)]
pub enum Block {
    /// A whole session: a dialogue, a saved report.
    Session(Transcript),
    /// What an FTP client logged of one attempt: commands, replies, claims.
    Log(Piece),
    /// The TLS bytes of one connection.
    Tls(Piece),
    /// What AT-TLS said of one connection, and the bytes that it showed.
    AtTls(Piece),
    /// Settings that were pasted along: claims of the files in which they stand.
    Settings(Piece),
}

/// Entries of one connection, not yet in a transcript.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// What the times mean.
    pub clock: Clock,
    /// What is known of the connection.
    pub conn: Conn,
    /// The entries; their `conn` is 0.
    pub entries: Vec<Entry>,
    /// Data connections that belong to it.
    pub data: Vec<Piece>,
}

/// What one input held.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// About the input itself.
    pub input: Input,
    /// The pieces, in the order of the input.
    pub blocks: Vec<Block>,
    /// The numbers of the sessions of a capture, in the order of the blocks.
    pub numbers: Vec<u32>,
    /// How many sessions a capture held, given out or not.
    pub sessions: u32,
    /// What is to be known of a whole capture, and stands in no report: what was left out, or not captured.
    pub remarks: Vec<String>,
    /// What was wrong with it.
    pub problems: Vec<InputError>,
}

//! Transcript to events. Total: every byte lands in exactly one event, and how the bytes were
//! cut into chunks does not show.
//!
//! A flow is read unit by unit (a line, a reply, a record, a handshake message across records). What may begin
//! at the front of a flow is decided by its bytes alone; whether TLS was *due* there decides only what a text
//! means: a reply where replies are due, the finding of this tool where a TLS record is.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

mod event;
mod flow;
mod text;
mod tls;

use std::collections::BTreeMap;

pub use event::{Event, Kind, Reply, Timeline};

use crate::transcript::{Code, ConnId, Flow, Layer, Role, Side, Transcript, What};
use flow::Reader;

/// What is known of a connection while its flows are read.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    role: Role,
    /// AUTH was sent and not yet answered.
    auth_asked: bool,
    /// A TLS record, not text, is due in both directions.
    tls_due: bool,
    /// The version of the ServerHello.
    version: Option<u16>,
}

/// Reads a transcript to its end.
pub fn decode(t: &Transcript) -> Timeline {
    let mut links: BTreeMap<ConnId, Link> = BTreeMap::new();
    let mut flows: BTreeMap<Flow, Reader> = BTreeMap::new();
    let mut found: Vec<(usize, Event)> = Vec::new();

    for (n, entry) in t.entries.iter().enumerate() {
        let role = t.conn(entry.conn).map(|c| c.role).unwrap_or_default();
        let link = links.entry(entry.conn).or_insert(Link { role, ..Link::default() });
        let mut out = |event| found.push((n, event));
        let kind = match &entry.what {
            What::Bytes { from, layer, data, .. } => {
                reader(&mut flows, entry.conn, *layer, *from).feed(data, n, entry.at, link, &mut out);
                continue;
            }
            What::Skipped { from, layer, len, .. } => {
                reader(&mut flows, entry.conn, *layer, *from).skip(*len, n, entry.at, link, &mut out);
                continue;
            }
            What::Gap { from, len } => {
                reader(&mut flows, entry.conn, Layer::Wire, *from).gap(link, &mut out);
                Kind::Gap { from: *from, len: *len }
            }
            What::TlsStarts { by } => {
                link.tls_due = true;
                Kind::TlsStarts { by: *by }
            }
            What::Opened => Kind::Opened,
            What::OpenFailed { why } => Kind::OpenFailed { why: *why },
            What::Closed { by, how } => Kind::Closed { by: *by, how: *how },
            What::TimedOut { waiting_for, after } => Kind::TimedOut { waiting_for: *waiting_for, after: *after },
            What::Decrypted { from, seen } => Kind::Decrypted { from: *from, seen: seen.clone() },
            What::Claim { by, code, text } => {
                // Who names a record's content type was reading TLS records.
                link.tls_due |= matches!(code, Some(Code::ContentType(_)));
                Kind::Claim { by: by.clone(), code: code.clone(), text: text.clone() }
            }
        };
        found.push((n, Event { at: entry.at, conn: entry.conn, span: None, kind }));
    }
    for (flow, mut reader) in flows {
        let link = links.entry(flow.conn).or_default();
        let n = reader.last_chunk();
        reader.end(link, &mut |event| found.push((n, event)));
    }
    // What a flow still held at the end belongs to the moment of its last chunk.
    found.sort_by_key(|(n, _)| *n);
    Timeline { events: found.into_iter().map(|(_, e)| e).collect() }
}

fn reader(flows: &mut BTreeMap<Flow, Reader>, conn: ConnId, layer: Layer, from: Side) -> &mut Reader {
    let flow = Flow { conn, layer, from };
    flows.entry(flow).or_insert_with(|| Reader::new(flow))
}

/// The side whose FTP text is a reply.
fn is_server(from: Side) -> bool {
    from == Side::Server
}

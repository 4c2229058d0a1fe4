//! Transcript to events. Total: every byte lands in exactly one event, and how the bytes were
//! cut into chunks does not show.
//!
//! A flow is read unit by unit (a line, a reply, a record, a handshake message across records). What may begin
//! at the front of a flow is decided by its bytes alone; whether TLS was *due* there decides only what a text
//! means: a reply where replies are due, the finding of this tool where a TLS record is.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

mod clearing;
mod event;
mod flow;
mod seek;
mod text;
mod tls;
mod unit;

use std::collections::BTreeMap;

pub use clearing::{first_clear, is_sealed_alert};
pub use event::{Event, Kind, Reply, TLS_INSIDE_TLS, Timeline};

use crate::transcript::speakers::side_of;
use crate::transcript::{Code, ConnId, Flow, Layer, Role, Side, Transcript, What};
use crate::wire::printable_str;
use clearing::Sealed;
use flow::Reader;
use seek::More;

/// What is known of a connection while its flows are read.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    role: Role,
    /// AUTH was sent and not yet answered.
    auth_asked: bool,
    /// CCC was sent and not yet answered.
    ccc_asked: bool,
    /// CCC was accepted: behind the goodbyes of TLS the conversation goes on in clear (RFC 4217).
    cleared: bool,
    /// A TLS record, not text, is due in both directions.
    tls_due: bool,
    /// The version of the ServerHello.
    version: Option<u16>,
    /// Its encrypted records.
    sealed: Sealed,
    /// What is said inside TLS is known: a CCC would be, too.
    is_read: bool,
}

/// Reads a transcript to its end.
pub fn decode(t: &Transcript) -> Timeline {
    let mut links: BTreeMap<ConnId, Link> = BTreeMap::new();
    let mut flows: BTreeMap<Flow, Box<Reader>> = BTreeMap::new();
    let mut found: Vec<(usize, Event)> = Vec::new();

    for (n, entry) in t.entries.iter().enumerate() {
        let role = t.conn(entry.conn).map(|c| c.role).unwrap_or_default();
        let link = links.entry(entry.conn).or_insert(Link { role, ..Link::default() });
        let mut out = |n, event| found.push((n, event));
        let kind = match &entry.what {
            What::Bytes { from, layer, data, .. } => {
                link.is_read |= *layer == Layer::InsideTls;
                reader(&mut flows, entry.conn, *layer, *from).feed(data, n, entry.at, link, &mut out);
                continue;
            }
            What::Skipped { from, layer, len, .. } => {
                reader(&mut flows, entry.conn, *layer, *from).skip(*len, n, entry.at, link, &mut out);
                continue;
            }
            What::Gap { from, len } => {
                reader(&mut flows, entry.conn, Layer::Wire, *from).gap(*len, link, &mut out);
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
            What::Decrypted { from, seen } => {
                link.is_read = true;
                Kind::Decrypted { from: *from, seen: seen.clone() }
            }
            What::Claim { by, code, text } => {
                // Who names a record's content type was reading TLS records.
                link.tls_due |= matches!(code, Some(Code::ContentType(_)));
                Kind::Claim { by: printable_str(by), side: side_of(by), code: code.clone(), text: printable_str(text) }
            }
        };
        // What an end interrupts is not continued behind it.
        for flow in flows_of(entry.conn).filter(|flow| is_ended(&kind, flow.from)) {
            let Some(reader) = flows.get_mut(&flow) else { continue };
            let more = if matches!(kind, Kind::Closed { .. }) { More::Never } else { More::No };
            reader.end(more, link, &mut |n, event| found.push((n, event)));
        }
        found.push((n, Event { at: entry.at, conn: entry.conn, span: None, kind }));
    }
    for mut reader in flows.into_values() {
        let link = links.entry(reader.flow.conn).or_default();
        reader.end(More::No, link, &mut |n, event| found.push((n, event)));
    }
    // An event has its place where its first byte came: what completes it later does not move it.
    found.sort_by_key(|(n, _)| *n);
    Timeline { events: found.into_iter().map(|(_, e)| e).collect() }
}

fn reader(flows: &mut BTreeMap<Flow, Box<Reader>>, conn: ConnId, layer: Layer, from: Side) -> &mut Reader {
    let flow = Flow { conn, layer, from };
    flows.entry(flow).or_insert_with(|| Box::new(Reader::new(flow)))
}

/// All that a connection can have, in order.
fn flows_of(conn: ConnId) -> impl Iterator<Item = Flow> {
    let layers = [Layer::Wire, Layer::InsideTls].into_iter();
    layers.flat_map(move |layer| [Side::Client, Side::Server].map(|from| Flow { conn, layer, from }))
}

/// Whether an event ends what a side was saying.
fn is_ended(kind: &Kind, from: Side) -> bool {
    match kind {
        Kind::Closed { by, .. } => *by == from,
        Kind::TimedOut { .. } | Kind::OpenFailed { .. } => true,
        _ => false,
    }
}

/// The side whose FTP text is a reply.
fn is_server(from: Side) -> bool {
    from == Side::Server
}

//! Pieces to sessions: what tells of one attempt becomes one transcript, in the order that the protocol allows.
//!
//! A log of an FTP client shows `AUTH TLS`, the 234, and what the client said of the failure; a System SSL trace shows
//! the bytes in between. The n-th attempt of a log goes with the n-th handshake of a trace, unless outcome or peer
//! contradict.

use super::{Block, Evidence, Piece};
use crate::error::InputError;
use crate::transcript::{ASSUMED_TLS_DUE, Clock, Code, Entry, Input, Layer, Origin, Side, Transcript, What, secrets};
use crate::wire::sniff::{Speaker, sniff};

/// The sessions of a case, and what was wrong with its inputs.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The sessions, in order.
    pub sessions: Vec<Transcript>,
    /// About the inputs.
    pub inputs: Vec<Input>,
    /// What was wrong with the inputs.
    pub problems: Vec<InputError>,
}

/// Weaves the pieces of all inputs of one case.
pub fn weave(evidence: Vec<Evidence>) -> Reading {
    let mut reading = Reading::default();
    let (mut logs, mut traces) = (Vec::new(), Vec::new());
    for one in evidence {
        reading.inputs.push(one.input);
        reading.problems.extend(one.problems);
        for block in one.blocks {
            match block {
                Block::Session(t) => reading.sessions.push(t),
                Block::Log(piece) => logs.push(piece),
                Block::Tls(piece) => add_trace(&mut traces, piece),
            }
        }
    }
    for log in logs {
        let partner = traces.iter().position(|t| belongs(&log, t)).map(|n| traces.remove(n));
        reading.sessions.push(session(Some(log), partner));
    }
    reading.sessions.extend(traces.into_iter().map(|t| session(None, Some(t))));
    let mut inputs_of_session = reading.inputs.clone();
    for session in &mut reading.sessions {
        let kept = std::mem::take(&mut session.origin);
        // A saved report names the evidence that it was made from.
        let mut inputs = if kept.inputs.is_empty() { inputs_of_session.clone() } else { kept.inputs };
        if assume_tls_due(session)
            && let Some(first) = inputs.first_mut()
        {
            first.assumed.push(ASSUMED_TLS_DUE.to_owned());
        }
        session.origin = Origin { inputs, ..kept };
        secrets::mask_flows(session);
        // Lines that nobody understood belong to no session; the first one carries them.
        inputs_of_session.iter_mut().for_each(|i| i.unread.clear());
    }
    reading
}

/// Hex has neither times nor connections of its own: all of a case is one session.
fn add_trace(traces: &mut Vec<Piece>, piece: Piece) {
    match traces.iter_mut().find(|t| t.clock == Clock::Relative && piece.clock == Clock::Relative) {
        Some(hex) => hex.entries.extend(piece.entries),
        None => traces.push(piece),
    }
}

/// Whether a log and a trace can tell of the same attempt.
fn belongs(log: &Piece, trace: &Piece) -> bool {
    let negotiated = log.entries.iter().any(|e| matches!(e.what, What::TlsStarts { .. }) || is_auth(e));
    let same_peer = match (log.conn.peer, trace.conn.peer) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    // A trace that shows a failure does not belong to a log that shows none, once the log goes on behind TLS.
    let failed = |p: &Piece| {
        p.entries.iter().any(|e| match &e.what {
            What::Claim { code: Some(Code::Message(id)), .. } => matches!(id.as_str(), "EZA2897I" | "EZA2898I"),
            What::Claim { code: Some(Code::Gsk(_) | Code::ContentType(_)), .. } => true,
            _ => false,
        })
    };
    let complete = log.entries.iter().any(|e| matches!(&e.what, What::Claim { code: Some(Code::Message(_)), .. }));
    // A log that lost its beginning still tells that the handshake failed.
    (negotiated || failed(log)) && same_peer && (failed(log) || !failed(trace) || !complete)
}

fn is_auth(entry: &Entry) -> bool {
    matches!(&entry.what, What::Bytes { from: Side::Client, data, .. } if data.starts_with(b"AUTH"))
}

fn session(log: Option<Piece>, trace: Option<Piece>) -> Transcript {
    let (log, trace) = (log.unwrap_or_default(), trace.unwrap_or_default());
    let clock = if trace.clock == Clock::Relative { log.clock } else { trace.clock };
    let mut t = Transcript::of_one_connection(clock);
    if let Some(conn) = t.conns.first_mut() {
        conn.host = log.conn.host.or(trace.conn.host);
        conn.peer = log.conn.peer.or(trace.conn.peer);
    }
    let mut before = log.entries;
    let after = before.split_off(split_point(&before));
    let begun = before.iter().any(|e| matches!(e.what, What::TlsStarts { .. }));
    let traced = trace.entries.into_iter().filter(|e| !(begun && matches!(e.what, What::TlsStarts { .. })));
    t.entries = before.into_iter().chain(traced).chain(after).collect();
    t
}

/// Where the TLS bytes belong in a log: behind the start of TLS, else behind the 234, else behind everything said.
fn split_point(log: &[Entry]) -> usize {
    let start = log.iter().rposition(|e| matches!(e.what, What::TlsStarts { .. }));
    let accepted = log
        .iter()
        .rposition(|e| matches!(&e.what, What::Bytes { from: Side::Server, data, .. } if data.starts_with(b"234")));
    let spoken = log.iter().rposition(|e| matches!(e.what, What::Bytes { layer: Layer::Wire, .. }));
    start.or(accepted).or(spoken).map_or(0, |n| n + 1)
}

/// Bare hex that begins with an FTP reply, with nothing around it: somebody pasted what came instead of TLS.
fn assume_tls_due(t: &mut Transcript) -> bool {
    let mut bytes = t.entries.iter().filter_map(|e| match &e.what {
        What::Bytes { from, layer: Layer::Wire, data, .. } => Some((*from, data)),
        _ => None,
    });
    let Some((Side::Server, data)) = bytes.next() else { return false };
    let is_alone = bytes.next().is_none() && t.entries.len() == 1;
    let is_hex = t
        .entries
        .first()
        .is_some_and(|e| matches!(e.what, What::Bytes { fidelity: crate::transcript::Fidelity::Exact, .. }));
    if !(is_alone && is_hex && matches!(sniff(data), Speaker::FtpReply(_)))
        || t.clock != Clock::Relative
        || t.entries.first().is_some_and(|e| e.at.is_some())
    {
        return false;
    }
    let what = What::TlsStarts { by: Side::Client };
    t.entries.insert(0, Entry { at: None, conn: Default::default(), what });
    true
}

//! Pieces to sessions: what tells of one attempt becomes one transcript, in the order that the protocol allows.
//!
//! A log of an FTP client shows `AUTH TLS`, the 234, and what the client said of the failure; a System SSL trace shows
//! the bytes in between. The n-th attempt of a log goes with the n-th handshake of a trace, unless outcome or peer
//! contradict. What AT-TLS said of a connection goes with the log or the trace of that connection by the address of the server; where
//! one of both names none, by the same order.

use super::pool::{Pool, has_failed};
use super::zos_bare::is_of_ftp;
use super::{Block, Evidence, Piece};
use crate::error::InputError;
use crate::transcript::{
    ASSUMED_TLS_DUE, Clock, Code, Conn, ConnId, Entry, Input, Layer, Origin, Role, Side, Transcript, What, secrets,
};
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
    let (mut logs, mut traces, mut secured, mut settings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in evidence {
        reading.inputs.push(one.input);
        reading.problems.extend(one.problems);
        for block in one.blocks {
            match block {
                Block::Session(t) => reading.sessions.push(t),
                Block::Log(piece) => logs.push(piece),
                Block::Tls(piece) => add_trace(&mut traces, piece),
                Block::AtTls(piece) => secured.push(piece),
                Block::Settings(piece) => settings.extend(piece.entries),
            }
        }
    }
    let alone = secured.is_empty() && traces.is_empty() && reading.sessions.is_empty();
    if !alone || logs.iter().any(|l| !is_of_the_stack(l)) {
        logs.retain(|l| !is_of_the_stack(l));
    }
    let mut secured = Pool::new(secured);
    let one_log = logs.len() == 1;
    for log in logs {
        let same = |t: &Piece| log.conn.peer.is_some() && log.conn.peer == t.conn.peer;
        let surest = traces.iter().position(|t| same(t) && belongs(&log, t));
        let partner = surest.or_else(|| traces.iter().position(|t| belongs(&log, t))).map(|n| traces.remove(n));
        let by_order = is_negotiated(&log) || has_failed(&log) || one_log && secured.len() == 1;
        let said = secured.take(log.conn.peer, has_failed(&log), has_succeeded(&log), by_order);
        reading.sessions.push(session(Some(log), partner, said));
    }
    let one_trace = traces.len() == 1;
    for trace in traces {
        let by_order = one_trace && secured.len() == 1 && trace.clock != Clock::Relative;
        let said = secured.take(trace.conn.peer, has_failed(&trace), false, by_order);
        reading.sessions.push(session(None, Some(trace), said));
    }
    reading.sessions.extend(secured.rest().map(|said| session(None, None, Some(said))));
    if reading.sessions.is_empty() && !settings.is_empty() {
        reading.sessions.push(Transcript::of_one_connection(Clock::Relative));
    }
    let mut inputs_of_session = reading.inputs.clone();
    for (n, session) in reading.sessions.iter_mut().enumerate() {
        let kept = std::mem::take(&mut session.origin);
        // A saved report names the evidence that it was made from.
        let mut inputs = if kept.inputs.is_empty() { inputs_of_session.clone() } else { kept.inputs };
        if assume_tls_due(session)
            && let Some(first) = inputs.first_mut()
        {
            first.assumed.push(ASSUMED_TLS_DUE.to_owned());
        }
        if n < EXPLAINED {
            session.entries.splice(0..0, settings.iter().cloned());
        }
        session.origin = Origin { inputs, ..kept };
        secrets::mask_flows(session);
        // Lines that nobody understood belong to no session; the first one carries them.
        inputs_of_session.iter_mut().for_each(|i| i.unread.clear());
    }
    reading
}

/// Whether a log holds messages of the TCP/IP stack alone, as they stand in its job log beside those of AT-TLS: they tell of
/// no session of their own.
fn is_of_the_stack(log: &Piece) -> bool {
    log.entries.iter().all(|e| match &e.what {
        What::Claim { code: Some(Code::Message(id)), .. } => !is_of_ftp(id),
        _ => false,
    })
}

/// So many sessions of a case are given the settings that were pasted along.
const EXPLAINED: usize = 16;

/// A trace beside which nothing is to be put.
pub(super) fn alone(piece: Piece, input: Input) -> Transcript {
    let mut t = session(None, Some(piece), None);
    t.origin = Origin { inputs: vec![input], ..Origin::default() };
    secrets::mask_flows(&mut t);
    t
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
    let same_peer = match (log.conn.peer, trace.conn.peer) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    // A log that lost its beginning still tells that the handshake failed.
    (is_negotiated(log) || has_failed(log)) && same_peer && !(has_failed(trace) && has_succeeded(log))
}

/// Whether TLS was asked for, or began.
fn is_negotiated(log: &Piece) -> bool {
    log.entries.iter().any(|e| matches!(e.what, What::TlsStarts { .. }) || is_auth(e))
}

/// Whether a log asks for TLS and tells of no failure: a trace that shows one does not belong to it.
fn has_succeeded(log: &Piece) -> bool {
    let complete = log.entries.iter().any(|e| matches!(&e.what, What::Claim { code: Some(Code::Message(_)), .. }));
    complete && is_negotiated(log) && !has_failed(log)
}

fn is_auth(entry: &Entry) -> bool {
    matches!(&entry.what, What::Bytes { from: Side::Client, data, .. } if data.starts_with(b"AUTH"))
}

fn session(log: Option<Piece>, trace: Option<Piece>, said: Option<Piece>) -> Transcript {
    let (log, trace, said) = (log.unwrap_or_default(), trace.unwrap_or_default(), said.unwrap_or_default());
    let clock = [trace.clock, log.clock, said.clock].into_iter().find(|c| *c != Clock::Relative).unwrap_or_default();
    let mut t = Transcript::of_one_connection(clock);
    if let Some(conn) = t.conns.first_mut() {
        conn.host = log.conn.host.or(trace.conn.host);
        conn.peer = log.conn.peer.or(trace.conn.peer).or(said.conn.peer);
        conn.local = log.conn.local.or(trace.conn.local).or(said.conn.local);
    }
    let mut before = log.entries;
    let after = before.split_off(split_point(&before));
    let starts = |e: &Entry| matches!(e.what, What::TlsStarts { .. });
    let is_bytes = |e: &Entry| matches!(e.what, What::Bytes { .. });
    let begun = before.iter().any(starts);
    let traced: Vec<Entry> = trace.entries.into_iter().filter(|e| !(begun && starts(e))).collect();
    // Bytes that both show are the same ones.
    let (begun, shown) = (begun || traced.iter().any(starts), traced.iter().any(is_bytes));
    let said_of_it = said.entries.into_iter().filter(|e| !(begun && starts(e) || shown && is_bytes(e)));
    t.entries = before.into_iter().chain(traced).chain(said_of_it).chain(after).collect();
    for (n, data) in said.data.into_iter().enumerate() {
        let Ok(n) = u16::try_from(n + 1) else { break };
        t.conns.push(Conn { role: Role::Data { of: ConnId(0) }, ..data.conn });
        t.entries.extend(data.entries.into_iter().map(|e| Entry { conn: ConnId(n), ..e }));
    }
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

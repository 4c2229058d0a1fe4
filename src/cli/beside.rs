//! What stands in a file of its own beside a capture: settings go with its sessions, where these are of one server, and what a
//! log says with the one session of its server.

use std::fs;

use super::desk::{Desk, Gone};
use crate::report::{About, Outcome, diagnose};
use crate::sources::Reading;
use crate::transcript::speakers::is_config;
use crate::transcript::{ConnId, Entry, Fidelity, Input, Role, Transcript, What, secrets};

/// So many sessions of captures wait for what may be said beside them; where there are more, nothing waits.
const MOST: usize = 16;

/// No file of settings is longer.
const LONGEST: u64 = 256 * 1024;

/// Sessions of captures that wait for the end of all inputs.
#[derive(Debug, Default)]
pub(super) struct Held {
    waits: bool,
    sessions: Vec<(u32, Transcript)>,
}

impl Held {
    /// Of these inputs: nothing waits unless one of several may be settings.
    pub(super) fn of(files: &[String]) -> Self {
        let short = |name: &String| fs::metadata(name).is_ok_and(|m| m.is_file() && m.len() <= LONGEST);
        Self { waits: files.len() > 1 && files.iter().any(short), sessions: Vec::new() }
    }

    /// Lays a session on the desk, or keeps it for now.
    pub(super) fn lay(&mut self, desk: &mut Desk<'_>, number: u32, session: Transcript) -> Result<(), Gone> {
        if self.waits && self.sessions.len() < MOST {
            self.sessions.push((number, session));
            return Ok(());
        }
        self.waits = false;
        self.give(desk)?;
        desk.session(number, session)
    }

    /// Lays down what waits.
    pub(super) fn give(&mut self, desk: &mut Desk<'_>) -> Result<(), Gone> {
        self.sessions.drain(..).try_for_each(|(number, session)| desk.session(number, session))
    }

    /// Puts settings that stand in inputs of their own into the sessions that wait, and takes them out of what was read; what is
    /// to be said where they cannot be put anywhere. `others`: whether sessions of captures were given out before.
    pub(super) fn put(&mut self, reading: &mut Reading, others: bool) -> Option<String> {
        let (entries, inputs) = settings(reading).filter(|_| others || !self.sessions.is_empty())?;
        reading.sessions.clear();
        let first = self.sessions.first().and_then(|(_, s)| server(s));
        let same = self.sessions.iter().all(|(_, s)| server(s) == first);
        if others || !same {
            let names: Vec<&str> = inputs.iter().map(|i| i.name.as_str()).collect();
            let names = names.join(", ");
            return Some(format!("{names}: settings go with the sessions of one server; choose one with --session N"));
        }
        for (_, session) in &mut self.sessions {
            let conn = control(session);
            session.entries.splice(0..0, entries.iter().map(|e| Entry { conn, ..e.clone() }));
            session.origin.inputs.extend(inputs.iter().cloned());
            secrets::mask_flows(session);
        }
        None
    }

    /// Puts what a log says to the session of the same server, where there is one of each; its commands and replies are those that
    /// the capture shows. A log that holds bytes of its own, or names no server, stays a session.
    pub(super) fn put_log(&mut self, reading: &mut Reading) {
        let [log] = reading.sessions.as_slice() else { return };
        let quotes = |e: &Entry| match &e.what {
            What::Bytes { fidelity, .. } => *fidelity == Fidelity::Rebuilt,
            What::Claim { .. } | What::TlsStarts { .. } => true,
            _ => false,
        };
        let peer = server(log).filter(|_| log.conns.len() == 1 && log.entries.iter().all(quotes));
        let mut same = self.sessions.iter_mut().filter(|(_, s)| peer.is_some() && server(s) == peer);
        let (Some((_, session)), None) = (same.next(), same.next()) else { return };
        // A failure that the capture does not show is of another attempt.
        if fails(log) && !fails(session) {
            return;
        }
        let conn = control(session);
        let host = log.conns.first().and_then(|c| c.host.clone());
        let is_claim = |e: &&Entry| matches!(e.what, What::Claim { .. });
        session.entries.extend(log.entries.iter().filter(is_claim).map(|e| Entry { at: None, conn, ..e.clone() }));
        if let Some(of) = session.conns.get_mut(usize::from(conn.0)) {
            of.host = of.host.take().or(host);
        }
        let assumed = "the log is of the session that the capture shows with the same server";
        let inputs = log.origin.inputs.iter().cloned();
        session.origin.inputs.extend(inputs.map(|mut input| {
            input.assumed.push(assumed.to_owned());
            input
        }));
        secrets::mask_flows(session);
        reading.sessions.clear();
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }
}

/// The settings, where nothing else was read.
fn settings(reading: &Reading) -> Option<(Vec<Entry>, Vec<Input>)> {
    let [session] = reading.sessions.as_slice() else { return None };
    let is_setting = |e: &Entry| matches!(&e.what, What::Claim { by, .. } if is_config(by));
    let alone = !session.entries.is_empty() && session.entries.iter().all(is_setting);
    alone.then(|| (session.entries.clone(), session.origin.inputs.clone()))
}

/// Whether a session fails by itself.
fn fails(session: &Transcript) -> bool {
    diagnose(session.clone(), &About::default()).verdict.outcome == Outcome::Fails
}

/// The control connection of a session.
fn control(session: &Transcript) -> ConnId {
    let place = session.conns.iter().position(|c| c.role == Role::Control).unwrap_or_default();
    ConnId(u16::try_from(place).unwrap_or_default())
}

/// The server of a session.
fn server(session: &Transcript) -> Option<core::net::SocketAddr> {
    session.conns.iter().find(|c| c.role == Role::Control)?.peer
}

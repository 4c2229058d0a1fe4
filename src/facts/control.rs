//! What the session's control connection tells, as far as it can change a verdict.

use std::collections::BTreeMap;

use super::is_session_control;
use crate::decode::{Event, Kind, Timeline};
use crate::transcript::{ConnId, Side, Transcript};

/// Places of the events of the session's control connection, in order. Questions give no verdicts, and what stands behind an
/// end (bytes of a side that has closed, anything behind a silence) changes none.
pub(super) fn control(t: &Transcript, timeline: &Timeline) -> Vec<usize> {
    // Of each connection: the end of one says nothing about another.
    let mut ends: BTreeMap<ConnId, Ends> = BTreeMap::new();
    let events = timeline.events.iter().enumerate().filter(|(_, e)| is_session_control(t, e.conn));
    events.filter(|(_, e)| !ends.entry(e.conn).or_default().pass(e)).map(|(n, _)| n).collect()
}

/// Which sides of a connection have ended.
#[derive(Clone, Copy, Default)]
struct Ends {
    client: bool,
    server: bool,
    client_gone: bool,
    server_gone: bool,
}

impl Ends {
    /// Takes the next event of its connection; whether that comes too late.
    fn pass(&mut self, e: &Event) -> bool {
        let late = match (&e.kind, e.from()) {
            (Kind::Claim { .. }, _) => false,
            (Kind::Decrypted { from, .. } | Kind::TlsStarts { by: from }, _) => self.holds(*from),
            // A goodbye has its close behind it; a second close is none.
            (Kind::Closed { by, .. }, _) => self.gone(*by),
            (_, Some(from)) => self.holds(from),
            _ => self.client && self.server,
        };
        match &e.kind {
            Kind::Closed { by: Side::Client, .. } => (self.client, self.client_gone) = (true, true),
            Kind::Closed { by: Side::Server, .. } => (self.server, self.server_gone) = (true, true),
            Kind::Reply(r) if r.code == 221 && r.whole => self.server = true,
            Kind::TimedOut { .. } | Kind::OpenFailed { .. } => {
                *self = Ends { client: true, server: true, client_gone: true, server_gone: true };
            }
            _ => {}
        }
        late
    }

    fn holds(self, side: Side) -> bool {
        if side == Side::Client { self.client } else { self.server }
    }

    /// Whether its close was seen.
    fn gone(self, side: Side) -> bool {
        if side == Side::Client { self.client_gone } else { self.server_gone }
    }
}

//! One session of FTP while it is recorded: its connections, and what is kept of them.

use core::net::IpAddr;

use super::expect::Watch;
use super::record::Line;
use super::table::Facts;
use super::{End, Piece};
use crate::transcript::clock::UnixMicros;
use crate::transcript::{
    ASSUMED_DIRECTION, ASSUMED_ORDER, ASSUMED_UNANSWERED, Clock, Conn, ConnId, Entry, Input, Micros, Origin, Role,
    Side, Tied, Transcript, What, secrets,
};

/// Data connections of one session that are kept whatever became of them.
const FIRST_CONNS: usize = 128;

/// Data connections of one session that are kept; behind the first ones those that did not go well.
const CONNS: usize = 256;

/// Bytes that are kept of one session.
const KEPT: usize = 4 << 20;

/// A session that goes on.
#[derive(Debug)]
pub(super) struct Open {
    /// Sessions are counted as they are recognised, from 1.
    pub number: u32,
    /// The control connection first; `None` in place of a data connection that is not kept.
    lines: Vec<Option<Line>>,
    /// What the control connection announces.
    pub watch: Watch,
    /// Entries so far: they stand in this order where their times are equal.
    order: u32,
    /// Data connections, those that are not kept too.
    pub transfers: u64,
    dropped: u64,
    conflicts: u64,
    /// Whether its end was noted, and its data connections are waited for.
    pub lingers: bool,
    /// Bytes that are kept.
    kept: usize,
    /// When the control connection ended.
    pub ended: Option<i64>,
    /// When something was last told of it.
    pub last: i64,
    assumed: Vec<String>,
}

impl Open {
    /// A session that begins with its control connection.
    pub fn new(number: u32, facts: &Facts, client: End, at: i64) -> Self {
        let conn =
            Conn { local: Some(facts.address(client)), peer: Some(facts.address(client.other())), ..Conn::default() };
        let line = Line::new(conn, client, true);
        let lines = vec![Some(line)];
        let (assumed, watch) = (Vec::new(), Watch::default());
        let (order, transfers, dropped, conflicts, lingers, kept, ended, last) = (0, 0, 0, 0, false, 0, None, at);
        Self { number, lines, watch, order, transfers, dropped, conflicts, lingers, kept, ended, last, assumed }
    }

    /// The hosts of client and server.
    pub fn hosts(&self) -> Option<(IpAddr, IpAddr)> {
        let conn = &self.lines.first()?.as_ref()?.conn;
        Some((conn.local?.ip(), conn.peer?.ip()))
    }

    /// Says something about how it was read; once.
    pub fn assume(&mut self, what: &str) {
        if !self.assumed.iter().any(|a| a == what) {
            self.assumed.push(what.to_owned());
        }
    }

    /// Which end is the client was not seen.
    pub fn assume_direction(&mut self) {
        self.assume(&format!("{ASSUMED_DIRECTION}: the port says which end is the server"));
    }

    /// A data connection; its number, unless there are too many.
    pub fn add(&mut self, facts: &Facts, client: End, tied: Tied) -> Option<u16> {
        self.transfers += 1;
        let free = self.lines.iter().skip(FIRST_CONNS).position(Option::is_none).map(|n| n + FIRST_CONNS);
        let n = free.unwrap_or(self.lines.len());
        if n > CONNS {
            self.dropped += 1;
            return None;
        }
        let role = Role::Data { of: ConnId(0) };
        let (local, peer) = (Some(facts.address(client)), Some(facts.address(client.other())));
        let active = facts.opener.is_some_and(|opener| opener != client);
        let conn = Conn { role, local, peer, tied: Some(tied), active, ..Conn::default() };
        let mut line = Line::new(conn, client, false);
        line.facts = Some(*facts);
        let line = Some(line);
        match self.lines.get_mut(n) {
            Some(place) => *place = line,
            None => self.lines.push(line),
        }
        Some(n as u16)
    }

    /// Something that has no bytes.
    pub fn note(&mut self, conn: u16, at: i64, what: What) {
        self.last = self.last.max(at);
        if let Some(Some(line)) = self.lines.get_mut(usize::from(conn)) {
            line.note(&mut self.order, at, what);
        }
    }

    /// Nobody reaches an end.
    pub fn unreachable(&mut self, conn: u16, facts: &Facts, at: i64) {
        self.last = self.last.max(at);
        if let Some(Some(line)) = self.lines.get_mut(usize::from(conn)) {
            line.unreachable(&mut self.order, facts, at);
        }
    }

    /// What an end of one of its connections sent.
    pub fn piece(&mut self, conn: u16, facts: &Facts, at: i64, end: End, piece: Piece<'_>) {
        self.last = self.last.max(at);
        self.conflicts += u64::from(matches!(piece, Piece::Conflict { .. }));
        if piece == Piece::Late {
            self.assume(ASSUMED_ORDER);
        }
        let room = KEPT.saturating_sub(self.kept);
        let Some(Some(line)) = self.lines.get_mut(usize::from(conn)) else { return };
        let watch = (conn == 0).then_some(&mut self.watch);
        let before = line.weight();
        line.piece(&mut self.order, room, facts, at, end, piece, watch);
        self.kept = self.kept.saturating_sub(before).saturating_add(line.weight());
        if conn == 0 && line.is_over() {
            self.ended = self.ended.or(Some(at));
        }
    }

    /// Nothing more comes on a connection; `now` is the time of the capture.
    pub fn gone(&mut self, conn: u16, facts: &Facts, now: i64) {
        let Some(place) = self.lines.get_mut(usize::from(conn)) else { return };
        let Some(line) = place else { return };
        let last_try_open = line.gone(&mut self.order, facts, now);
        if last_try_open {
            self.assumed.push(ASSUMED_UNANSWERED.to_owned());
        }
        if conn == 0 {
            self.ended = self.ended.or(Some(now));
        } else if usize::from(conn) > FIRST_CONNS && line.went_well() {
            self.kept = self.kept.saturating_sub(line.weight());
            *place = None;
            self.dropped += 1;
        }
    }

    /// What was last known of a connection.
    pub fn knows(&mut self, conn: u16, facts: &Facts) {
        if let Some(Some(line)) = self.lines.get_mut(usize::from(conn)) {
            line.facts = Some(*facts);
        }
    }

    /// The session is given out: of a data connection that has not ended, nothing more will be told.
    pub fn give_up(&mut self, now: i64) {
        for line in self.lines.iter_mut().skip(1).flatten().filter(|l| !l.is_over()) {
            if let Some(facts) = line.facts {
                line.gone(&mut self.order, &facts, now);
            }
        }
    }

    /// Whether all its connections have ended.
    pub fn is_over(&self) -> bool {
        self.ended.is_some() && self.lines.iter().flatten().all(Line::is_over)
    }

    /// Bytes that are kept.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// The session as evidence. `complete` is false where it had to be left before its end.
    pub fn finish(mut self, name: &str, source: &str, complete: bool) -> Transcript {
        self.remark(complete);
        let lines: Vec<Line> = self.lines.into_iter().flatten().collect();
        let zero = lines.iter().filter_map(Line::first).min().unwrap_or(self.last);
        let mut notes = Vec::new();
        let mut conns = Vec::new();
        for (n, line) in lines.into_iter().enumerate() {
            conns.push(line.conn);
            notes.extend(line.notes.into_iter().map(|note| (ConnId(n as u16), note)));
        }
        notes.sort_by_key(|(_, note)| (note.at, note.order));
        let micros = |at: i64| Micros((at.saturating_sub(zero) / 1000).unsigned_abs());
        let entries = notes.into_iter().map(|(conn, note)| Entry { at: Some(micros(note.at)), conn, what: note.what });
        let input = Input {
            name: crate::wire::printable_str(name),
            sources: vec![source.to_owned()],
            assumed: self.assumed,
            ..Input::default()
        };
        let clock = Clock::Utc(UnixMicros(zero / 1000));
        let origin = Origin { inputs: vec![input], ..Origin::default() };
        let mut t = Transcript { origin, clock, conns, entries: entries.collect() };
        secrets::mask_flows(&mut t);
        t
    }

    /// Remarks that only its end allows.
    fn remark(&mut self, complete: bool) {
        let control = self.lines.first().and_then(Option::as_ref);
        if control.is_some_and(Line::begins_inside) {
            self.assume("the capture begins inside this session");
        }
        let data = self.lines.iter().skip(1).flatten();
        if data.clone().any(|l| l.conn.tied == Some(Tied::Likely)) {
            self.assume("data connections belong to it by address and time");
        }
        if self.conflicts > 0 {
            let n = self.conflicts;
            self.assume(&format!("{n} segments came twice with different bytes; the first ones stand"));
        }
        if self.dropped > 0 {
            let (n, all) = (self.transfers - self.dropped.min(self.transfers), self.transfers);
            self.assume(&format!("of {all} data connections {n} are kept"));
        }
        if self.lines.iter().flatten().any(|l| l.full) {
            self.assume("more passed than is kept: the rest stands as missing");
        }
        if !complete {
            self.assume("left in the middle: too many sessions are open at once");
        }
    }
}

/// The side of an end, where the client of FTP is `client`.
pub(super) fn side(client: End, end: End) -> Side {
    if end == client { Side::Client } else { Side::Server }
}

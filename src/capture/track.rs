//! Connections to sessions: what each one is, and which belong together.

use std::collections::{BTreeMap, HashSet, VecDeque};

use core::net::{IpAddr, SocketAddr};

use super::End;
use super::early::Early;
use super::kind::{Kind, PORTS};
use super::session::Open;
use super::table::{Event, Facts, Rank, Slot, Told};
use super::ties::{Tie, Ties};
use super::tunnel::seen;
use crate::transcript::What;

/// Bytes of connections that are not recognised yet.
const UNDECIDED: usize = 32 << 20;

/// Bytes that are kept of all sessions that go on.
const KEPT: usize = 64 << 20;

/// Addresses where FTP is known to be served.
const PLACES: usize = 65_536;

/// Nanoseconds behind the end of a control connection for which its data connections are waited for.
const LINGER: i64 = 30_000_000_000;

/// So many nanoseconds without a word are a wait.
const WAIT: i64 = 5_000_000_000;

/// SYNs are repeated for so many nanoseconds before nobody answers.
const TRIED: i64 = 3_000_000_000;

/// Ports of services that are no data connections.
const SERVICES: [u16; 12] = [22, 23, 25, 53, 80, 110, 143, 443, 465, 587, 993, 995];

#[derive(Debug)]
enum State {
    Undecided(Box<Early>),
    /// A connection of a session, with its number in it.
    Of(u32, u16),
    Other,
}

/// A session that has ended, or had to be left.
#[derive(Debug)]
pub(super) struct Done {
    pub session: Open,
    pub complete: bool,
}

/// All that goes on.
#[derive(Debug, Default)]
pub(super) struct Track {
    ports: Vec<u16>,
    slots: Vec<State>,
    open: BTreeMap<u32, Open>,
    count: u32,
    /// Where FTP was spoken.
    served: HashSet<SocketAddr>,
    ties: Ties,
    /// Bytes of connections that are not recognised, and those connections in the order in which they said something.
    undecided: (usize, VecDeque<Slot>),
    lingering: VecDeque<(i64, u32)>,
    /// What the table is to be told.
    pub ranks: Vec<(Slot, Rank)>,
    pub done: VecDeque<Done>,
    /// TLS connections that nobody claimed, by server.
    pub unclaimed: BTreeMap<SocketAddr, u64>,
    now: i64,
}

impl Track {
    /// These ports are FTP whatever shows there.
    pub fn new(ports: &[u16]) -> Self {
        Self { ports: ports.to_vec(), now: i64::MIN, ..Self::default() }
    }

    /// Sessions so far.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Which connections might be FTP, if somebody said so.
    pub fn remarks(&self) -> impl Iterator<Item = String> {
        let unclaimed = self.unclaimed.iter().take(16);
        unclaimed.map(|(server, n)| {
            let port = server.port();
            format!("{n} TLS connections to {server} are not known to be FTP: --port {port} takes them")
        })
    }

    /// Memory in bytes, roughly.
    pub fn weight(&self) -> usize {
        let open: usize = self.open.values().map(Open::kept).sum();
        let done: usize = self.done.iter().map(|d| d.session.kept()).sum();
        let places = self.served.capacity() * size_of::<SocketAddr>() * 2 + self.ties.weight();
        open + done + self.undecided.0 + places + self.slots.capacity() * size_of::<State>()
    }

    /// What happens to a connection.
    pub fn told(&mut self, told: Told<'_>) {
        let Told { slot, facts, at, event } = told;
        self.now = self.now.max(at);
        if event == Event::New {
            return self.begin(slot, facts, at);
        }
        let n = slot.0 as usize;
        let Some(state) = self.slots.get_mut(n) else { return };
        match state {
            State::Other => {}
            State::Of(session, conn) => {
                let (session, conn) = (*session, *conn);
                self.pass(session, conn, facts, at, event);
            }
            State::Undecided(early) => {
                let before = early.weight();
                early.note(facts, at, event);
                let closed = early.is_closed();
                let after = early.weight();
                self.undecided.0 = self.undecided.0.saturating_sub(before).saturating_add(after);
                if before == 0 && after > 0 {
                    self.undecided.1.push_back(slot);
                }
                match event {
                    Event::Retried => self.knocks(slot, facts),
                    _ => self.decide(slot, facts, at, closed || event == Event::Gone),
                }
                self.make_room();
            }
        }
        if event == Event::Gone {
            self.set(slot, State::Other);
        }
    }

    fn set(&mut self, slot: Slot, state: State) {
        let n = slot.0 as usize;
        if self.slots.len() <= n {
            self.slots.resize_with(n + 1, || State::Other);
        }
        if let Some(place) = self.slots.get_mut(n) {
            if let State::Undecided(early) = place {
                self.undecided.0 = self.undecided.0.saturating_sub(early.weight());
            }
            *place = state;
        }
    }

    /// A connection begins. Where one is expected, it is that one.
    fn begin(&mut self, slot: Slot, facts: &Facts, at: i64) {
        self.ranks.retain(|(s, _)| *s != slot);
        if let Some(tie) = self.ties.expected(facts, at, &self.open) {
            return self.tie(slot, facts, tie, &Early::default());
        }
        self.ties.wait(slot, facts);
        self.set(slot, State::Undecided(Box::new(Early::of(facts))));
    }

    /// Makes a connection a data connection of a session.
    fn tie(&mut self, slot: Slot, facts: &Facts, tie: Tie, early: &Early) {
        let session = tie.session;
        let conn = self.open.get_mut(&session).and_then(|open| {
            if tie.others > 0 {
                open.assume(&format!("a data connection may belong to one of {} other sessions", tie.others));
            }
            open.add(facts, tie.client, tie.tied)
        });
        let Some(conn) = conn else {
            self.set(slot, State::Other);
            return self.ranks.push((slot, Rank::Other));
        };
        self.set(slot, State::Of(session, conn));
        self.ranks.push((slot, Rank::Data));
        early.replay(|at, event| self.pass(session, conn, facts, at, event));
    }

    /// Says what a connection is, if its bytes tell.
    fn decide(&mut self, slot: Slot, facts: &Facts, at: i64, over: bool) {
        let known = [End::One, End::Two].map(|end| self.is_served(facts.address(end)));
        let Some(State::Undecided(early)) = self.slots.get_mut(slot.0 as usize) else { return };
        let look = early.look(facts, known, over);
        let (mut kind, tunnel) = seen(&look);
        let is_known = look.known;
        if over && early.is_silent() {
            let server = facts.opener.map(End::other);
            let at_ftp = |end: End| is_known.get(usize::from(end == End::Two)).is_some_and(|k| *k);
            // Nobody said a word: only that it was tried tells.
            kind = match server.filter(|s| at_ftp(*s)) {
                Some(server) => Kind::Control { client: server.other(), assumed: false },
                None => Kind::Other,
            };
        }
        if kind == Kind::Open {
            return;
        }
        let mut early = core::mem::take(early);
        self.undecided.0 = self.undecided.0.saturating_sub(early.weight());
        self.set(slot, State::Other);
        tunnel.iter().for_each(|t| early.leave(t));
        match kind {
            Kind::Control { client, assumed } => self.control(slot, facts, client, assumed, &early, over),
            _ => match self.candidate(facts, &early, kind) {
                Some(tie) => {
                    self.tie(slot, facts, tie, &early);
                    if over {
                        self.tell_gone(slot, facts, at);
                    }
                }
                None => {
                    if let Kind::Tls { client } = kind
                        && self.unclaimed.len() < 1024
                    {
                        *self.unclaimed.entry(facts.address(client.other())).or_default() += 1;
                    }
                    self.ranks.push((slot, Rank::Other));
                }
            },
        }
    }

    /// Nobody answers. To which session it belongs shows now: later that has gone on, or ended.
    fn knocks(&mut self, slot: Slot, facts: &Facts) {
        // Passive ports are no reserved ones, which other services have.
        if facts.opener.is_none_or(|o| facts.address(o.other()).port() < 1024) {
            return;
        }
        let early = Early::of(facts);
        if let Some(tie) = self.candidate(facts, &early, Kind::Other) {
            self.tie(slot, facts, tie, &early);
        }
    }

    fn tell_gone(&mut self, slot: Slot, facts: &Facts, at: i64) {
        if let Some(State::Of(session, conn)) = self.slots.get(slot.0 as usize) {
            let (session, conn) = (*session, *conn);
            self.pass(session, conn, facts, at, Event::Gone);
        }
    }

    /// Connections that began before their announcement was seen: packets are out of order.
    fn claim(&mut self, hosts: (IpAddr, IpAddr), at: i64) {
        for slot in self.ties.waiting(hosts) {
            let Some(State::Undecided(early)) = self.slots.get_mut(slot.0 as usize) else { continue };
            let Some(facts) = early.facts.filter(|f| at.saturating_sub(f.first) < TRIED) else { continue };
            let Some(tie) = self.ties.expected(&facts, at, &self.open) else { continue };
            let early = core::mem::take(early);
            self.undecided.0 = self.undecided.0.saturating_sub(early.weight());
            self.tie(slot, &facts, tie, &early);
        }
    }

    /// The session to which a connection belongs that nobody announced in clear.
    fn candidate(&self, facts: &Facts, early: &Early, kind: Kind) -> Option<Tie> {
        let opener = facts.opener?;
        let dialled = facts.address(opener.other());
        if SERVICES.contains(&dialled.port()) || self.is_served(dialled) {
            return None;
        }
        self.ties.candidate(facts, opener, early, kind, &self.open)
    }

    fn is_served(&self, address: SocketAddr) -> bool {
        let port = address.port();
        PORTS.contains(&port) || self.ports.contains(&port) || self.served.contains(&address)
    }

    /// A session begins.
    fn control(&mut self, slot: Slot, facts: &Facts, client: End, assumed: bool, early: &Early, over: bool) {
        if over && early.is_silent() && !says_something(facts, early, self.now) {
            return;
        }
        self.count = self.count.saturating_add(1);
        let number = self.count;
        let mut open = Open::new(number, facts, client, early.began().unwrap_or(facts.first));
        if assumed {
            open.assume_direction();
        }
        self.ties.begin(number, open.hosts());
        let server = facts.address(client.other());
        early.remark.iter().for_each(|remark| open.assume(remark));
        // A proxy serves other things as well.
        if self.served.len() < PLACES && !early.is_silent() && early.remark.is_none() {
            self.served.insert(server);
        }
        self.open.insert(number, open);
        self.set(slot, State::Of(number, 0));
        self.ranks.push((slot, Rank::Control));
        early.replay(|at, event| self.pass(number, 0, facts, at, event));
        if over {
            self.pass(number, 0, facts, self.now, Event::Gone);
        }
    }

    /// Hands what happens on to a session.
    fn pass(&mut self, number: u32, conn: u16, facts: &Facts, at: i64, event: Event<'_>) {
        let now = self.now;
        let Some(open) = self.open.get_mut(&number) else { return };
        open.knows(conn, facts);
        match event {
            Event::New | Event::Retried => {}
            Event::Opened => open.note(conn, at, What::Opened),
            Event::Unreachable(_) => open.unreachable(conn, facts, at),
            Event::Piece(end, piece) => open.piece(conn, facts, at, end, piece),
            Event::Gone => open.gone(conn, facts, now),
        }
        if conn == 0 {
            let (announced, ids, hosts) = (open.watch.take(), open.watch.ids(), open.hosts());
            self.ties.note(number, &announced, ids, hosts, at);
            if let Some(hosts) = hosts.filter(|_| !announced.is_empty()) {
                self.claim(hosts, at);
            }
        }
        let Some(open) = self.open.get_mut(&number) else { return };
        if open.is_over() {
            self.emit(number, true);
        } else if open.ended.is_some() && !core::mem::replace(&mut open.lingers, true) {
            self.lingering.push_back((now.saturating_add(LINGER), number));
        }
    }

    /// The time of the capture goes on: sessions whose data connections do not end are given out.
    pub fn tick(&mut self, now: i64) {
        self.now = self.now.max(now);
        while self.lingering.front().is_some_and(|(at, _)| *at <= self.now) {
            if let Some((_, number)) = self.lingering.pop_front() {
                self.emit(number, true);
            }
        }
    }

    fn emit(&mut self, number: u32, complete: bool) {
        let Some(mut session) = self.open.remove(&number) else { return };
        if complete {
            session.give_up(self.now);
        }
        self.ties.end(number, session.hosts());
        self.done.push_back(Done { session, complete });
    }

    /// The capture ends: what is left goes out.
    pub fn finish(&mut self) {
        while let Some(number) = self.open.keys().next().copied() {
            self.emit(number, true);
        }
    }

    /// Over a bound the oldest goes first.
    fn make_room(&mut self) {
        while self.undecided.0 > UNDECIDED {
            let Some(slot) = self.undecided.1.pop_front() else { return };
            if matches!(self.slots.get(slot.0 as usize), Some(State::Undecided(_))) {
                self.set(slot, State::Other);
                self.ranks.push((slot, Rank::Other));
            }
        }
        // What was decided long ago need not be remembered.
        while self.undecided.1.len() > 2 * 131_072 {
            self.undecided.1.pop_front();
        }
    }

    /// Sessions hold too much: the one that has been idle for longest is given out as it is.
    pub fn relieve(&mut self) {
        while self.open.values().map(Open::kept).sum::<usize>() > KEPT {
            let Some(number) = self.open.values().min_by_key(|o| o.last).map(|o| o.number) else { return };
            self.emit(number, false);
        }
    }
}

/// Whether a connection on which nobody said a word tells of a failure: a refusal, a server that ends it, or a wait that was long
/// enough. Who only looks whether somebody is there is no session.
fn says_something(facts: &Facts, early: &Early, now: i64) -> bool {
    let waited = now.saturating_sub(facts.first);
    let ended_by_server = early.ended_by().is_some_and(|end| facts.opener != Some(end));
    ended_by_server || facts.opened && waited >= WAIT || facts.tries >= 2 && waited >= TRIED || {
        early.is_closed() && early.ended_by().is_none()
    }
}

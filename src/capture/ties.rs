//! Which data connection belongs to which session: by what was announced in clear, by the TLS session that both hold, else by
//! address and time.

use std::collections::{BTreeMap, HashMap};

use core::net::{IpAddr, SocketAddr};

use super::End;
use super::early::Early;
use super::expect::{Announced, places};
use super::kind::{Kind, client_hello};
use super::session::Open;
use super::table::{Facts, Slot};
use crate::transcript::{Side, Tied};

/// Addresses at which data connections are expected, and ids of TLS sessions that are known.
const PLACES: usize = 65_536;

/// Nanoseconds for which somebody is awaited at an announced address.
const PATIENCE: i64 = 600_000_000_000;

/// A data connection begins so many nanoseconds behind something encrypted on its control connection, at most,
const NEAR: i64 = 10_000_000_000;

/// and so many before it, where packets are out of order.
const BEFORE: i64 = 1_000_000_000;

/// Nanoseconds by which one session has to be nearer than another.
const APART: i64 = 50_000_000;

/// Ports from which servers connect back: ftp-data, ftps-data (IANA).
const DATA_PORTS: [u16; 2] = [20, 989];

/// Nobody listens for data below this port.
const SERVICES: u16 = 1024;

/// Sessions between two hosts that are looked at.
const LOOKED_AT: usize = 1024;

/// Connections between two hosts that wait to be announced.
const WAITING: usize = 16;

/// Bytes of an id, or of a ticket, that tell it from others.
const ID: usize = 32;

/// That a connection belongs to a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tie {
    /// The session.
    pub session: u32,
    /// Which end is the client of FTP.
    pub client: End,
    /// How sure that is.
    pub tied: Tied,
    /// Sessions to which it might belong as well.
    pub others: usize,
}

#[derive(Clone, Copy, Debug)]
struct Expected {
    session: u32,
    listener: Side,
    at: i64,
}

/// What is known of where data connections belong.
#[derive(Debug, Default)]
pub(super) struct Ties {
    expected: HashMap<SocketAddr, Expected>,
    /// Sessions between two hosts, the lower address first.
    pairs: HashMap<(IpAddr, IpAddr), Vec<u32>>,
    /// The last connections between two hosts that are not recognised yet, where there is a session.
    waiting: HashMap<(IpAddr, IpAddr), Vec<Slot>>,
    /// Ids and tickets of TLS sessions that servers gave out in clear.
    ids: HashMap<Vec<u8>, u32>,
}

fn pair(hosts: (IpAddr, IpAddr)) -> (IpAddr, IpAddr) {
    let (a, b) = hosts;
    if a <= b { (a, b) } else { (b, a) }
}

/// As much of an id or a ticket as is compared; `None` when it is too short to be one.
pub(super) fn id(bytes: &[u8]) -> Option<Vec<u8>> {
    (bytes.len() >= ID / 2).then(|| bytes.iter().copied().take(ID).collect())
}

impl Ties {
    /// Memory in bytes, roughly.
    pub fn weight(&self) -> usize {
        let expected = self.expected.capacity() * size_of::<(SocketAddr, Expected)>();
        let pairs: usize = self.pairs.capacity() * 64 + self.pairs.values().map(|v| v.capacity() * 4).sum::<usize>();
        expected + pairs + self.ids.capacity() * 64 + self.ids.len() * ID
    }

    /// A session begins.
    pub fn begin(&mut self, session: u32, hosts: Option<(IpAddr, IpAddr)>) {
        if let Some(hosts) = hosts {
            self.pairs.entry(pair(hosts)).or_default().push(session);
        }
    }

    /// A session has ended.
    pub fn end(&mut self, session: u32, hosts: Option<(IpAddr, IpAddr)>) {
        let Some(hosts) = hosts.map(pair) else { return };
        if let Some(list) = self.pairs.get_mut(&hosts) {
            list.retain(|n| *n != session);
            if list.is_empty() {
                self.pairs.remove(&hosts);
                self.waiting.remove(&hosts);
            }
        }
    }

    /// A connection begins that nobody expects.
    pub fn wait(&mut self, slot: Slot, facts: &Facts) {
        let hosts = pair((facts.address(End::One).ip(), facts.address(End::Two).ip()));
        if self.pairs.contains_key(&hosts) {
            let list = self.waiting.entry(hosts).or_default();
            if list.len() >= WAITING {
                list.remove(0);
            }
            list.push(slot);
        }
    }

    /// The last connections between two hosts that were not expected.
    pub fn waiting(&self, hosts: (IpAddr, IpAddr)) -> Vec<Slot> {
        self.waiting.get(&pair(hosts)).cloned().unwrap_or_default()
    }

    /// What the control connection of a session has shown.
    pub fn note(
        &mut self,
        session: u32,
        announced: &[Announced],
        ids: Vec<Vec<u8>>,
        hosts: Option<(IpAddr, IpAddr)>,
        at: i64,
    ) {
        if self.ids.len() + ids.len() > PLACES {
            self.ids.clear();
        }
        self.ids.extend(ids.into_iter().map(|id| (id, session)));
        let Some((client, server)) = hosts.filter(|_| !announced.is_empty()) else { return };
        if self.expected.len() >= PLACES {
            self.expected.retain(|_, e| at.saturating_sub(e.at) < PATIENCE);
        }
        if self.expected.len() >= PLACES {
            self.expected.clear();
        }
        for a in announced {
            for place in places(*a, client, server).into_iter().flatten() {
                self.expected.insert(place, Expected { session, listener: a.listener, at });
            }
        }
    }

    /// Where a connection that begins is expected.
    pub fn expected(&self, facts: &Facts, at: i64, open: &BTreeMap<u32, Open>) -> Option<Tie> {
        [End::One, End::Two].into_iter().find_map(|listener| {
            let e = self.expected.get(&facts.address(listener)).filter(|e| at.saturating_sub(e.at) < PATIENCE)?;
            let (client, server) = open.get(&e.session)?.hosts()?;
            let (end, other) = match e.listener {
                Side::Client => (listener, server),
                Side::Server => (listener.other(), client),
            };
            // A third host may dial, or the same one behind a translation of addresses.
            let is_other = facts.address(listener.other()).ip() == other;
            let tied = if is_other { Tied::Certain } else { Tied::Likely };
            Some(Tie { session: e.session, client: end, tied, others: 0 })
        })
    }

    /// The session to which a connection belongs that was not announced in clear.
    pub fn candidate(
        &self,
        facts: &Facts,
        opener: End,
        early: &Early,
        kind: Kind,
        open: &BTreeMap<u32, Open>,
    ) -> Option<Tie> {
        let hosts = pair((facts.address(End::One).ip(), facts.address(End::Two).ip()));
        let sessions = self.pairs.get(&hosts)?;
        // Ports of services: an ident back to the client is no data connection.
        if facts.address(opener.other()).port() < SERVICES {
            return None;
        }
        let hello = client_hello(early.said(opener)).or_else(|| client_hello(early.said(opener.other())));
        let protocols = hello.as_ref().map(|h| h.protocols()).unwrap_or_default();
        if !protocols.is_empty() && !protocols.contains(&&b"ftp"[..]) {
            return None;
        }
        let client_of = |session: &Open| {
            let (client, server) = session.hosts()?;
            Some(match kind {
                // The client of FTP is that of TLS, whoever dials (RFC 4217, section 7).
                Kind::Tls { client } => client,
                _ if client == server && DATA_PORTS.contains(&facts.address(opener).port()) => opener.other(),
                _ if client == server || facts.address(opener).ip() == client => opener,
                _ => opener.other(),
            })
        };
        let ids = hello.iter().flat_map(|h| [id(&h.session_id), h.extension(35).and_then(id)]).flatten();
        let mut known = ids.filter_map(|id| open.get(self.ids.get(&id)?));
        if let Some(session) = known.find(|s| s.hosts().map(pair) == Some(hosts)) {
            return Some(Tie { session: session.number, client: client_of(session)?, tied: Tied::Certain, others: 0 });
        }
        let since = |s: &Open| {
            let at = s.watch.answered.or(s.watch.encrypted)?;
            Some(facts.first.saturating_sub(at)).filter(|d| (-BEFORE..NEAR).contains(d) && s.ended.is_none())
        };
        let all = sessions.iter().rev().take(LOOKED_AT).filter_map(|n| open.get(n));
        let mut near: Vec<(i64, &Open)> = all.filter_map(|s| Some((since(s)?.abs(), s))).collect();
        near.sort_by_key(|(d, s)| (*d, s.number));
        let (nearest, session) = near.first().copied()?;
        let others = near.iter().skip(1).filter(|(d, _)| d.saturating_sub(nearest) < APART).count();
        Some(Tie { session: session.number, client: client_of(session)?, tied: Tied::Likely, others })
    }
}

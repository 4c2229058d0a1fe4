//! Packet captures: the bytes of a file to packets, packets to the two directions of every TCP connection.
//!
//! Hostile input is the normal case: every table, every buffer and every search has a bound, and what a bound took away is said.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

mod connection;
mod early;
mod expect;
mod facts;
pub mod feed;
pub mod file;
mod half;
mod kind;
mod record;
mod session;
pub mod table;
mod ties;
mod track;
mod tunnel;

use std::collections::{BTreeMap, VecDeque};

use crate::error::{Damage, InputError};
use crate::transcript::Transcript;
use crate::wire::net::{Link, Packet, packet};
use file::{File, Format, Frame};
use table::{Limits, Table};
use track::Track;

/// One of the two ends of a connection; which is which says nothing of who opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The one whose address and port are lower.
    One,
    /// The other one.
    Two,
}

impl End {
    /// The other end.
    #[must_use]
    pub fn other(self) -> End {
        match self {
            End::One => End::Two,
            End::Two => End::One,
        }
    }
}

/// What one direction of a connection delivers, in the order of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes, each of them once.
    Bytes(&'a [u8]),
    /// Bytes that the capture does not have. How many is not known only where the beginning of the stream is missing.
    Gap(Option<u64>),
    /// Bytes came twice and differ; the first ones stand.
    Conflict {
        /// Offset of the first byte that differs in what was delivered, gaps of known length counted.
        at: u64,
        /// Bytes to the last one that differs.
        len: u32,
    },
    /// What was told as missing comes after all: the order in which things were told is not the one in which they passed.
    Late,
    /// FIN: its last byte was sent.
    Fin,
    /// RST: the connection is gone.
    Reset,
}

/// Servers that are named of those to which there is TLS and no sign of FTP.
const UNCLAIMED: usize = 16;

/// Link types that are named of those that are not read.
const UNREAD_LINKS: usize = 4;

/// What the user said about a capture.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Ports that are FTP whatever shows there.
    pub ports: Vec<u16>,
    /// Only this session is wanted.
    pub only_session: Option<u32>,
}

/// One session of FTP with its data connections.
#[derive(Clone, Debug)]
pub struct Session {
    /// Sessions are counted from 1 in the order in which they were recognised.
    pub number: u32,
    /// The evidence, with secrets masked.
    pub transcript: Transcript,
}

/// What a whole capture came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Packets.
    pub packets: u64,
    /// TCP segments.
    pub segments: u64,
    /// TCP connections.
    pub connections: u64,
    /// Sessions of FTP.
    pub sessions: u32,
    /// Times of the first and the last packet, in nanoseconds since 1970.
    pub times: Option<(i64, i64)>,
    /// Packets that are something else, by name.
    pub other: BTreeMap<String, u64>,
    /// What is to be known of the file, and took nothing away.
    pub remarks: Vec<String>,
    /// What was wrong with it.
    pub problems: Vec<InputError>,
}

/// Reads one capture piece by piece.
#[derive(Debug)]
pub struct Capture {
    name: String,
    options: Options,
    format: Format,
    file: Option<File>,
    flow: Flow,
    ready: VecDeque<Session>,
}

/// From packets to sessions.
#[derive(Debug)]
struct Flow {
    table: Table,
    track: Track,
    other: BTreeMap<String, u64>,
    fragments: u64,
    times: Option<(i64, i64)>,
    frames: u64,
}

impl Capture {
    /// A reader of a capture in this format that the user calls `name`.
    pub fn new(name: &str, format: Format, options: Options) -> Self {
        let flow = Flow::new(&options);
        let (name, file) = (name.to_owned(), Some(File::new(format)));
        Self { name, options, format, file, flow, ready: VecDeque::new() }
    }

    /// The next bytes of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        let Self { file: Some(file), flow, .. } = self else { return };
        file.feed(bytes, |frame| flow.frame(&frame));
        self.collect();
    }

    /// The next session that has ended.
    pub fn ready(&mut self) -> Option<Session> {
        self.ready.pop_front()
    }

    /// The file ends: what goes on is given out too.
    pub fn finish(&mut self) -> Summary {
        let Some(file) = self.file.take() else { return Summary::default() };
        let flow = &mut self.flow;
        let read = file.finish(|frame| flow.frame(&frame));
        flow.finish();
        self.collect();
        self.summary(read)
    }

    /// Memory in bytes, roughly.
    pub fn weight(&self) -> usize {
        let file = self.file.as_ref().map_or(0, File::held);
        file + self.flow.table.weight() + self.flow.track.weight()
    }

    /// Sessions that have ended become transcripts.
    fn collect(&mut self) {
        while let Some(done) = self.flow.track.done.pop_front() {
            let number = done.session.number;
            if self.options.only_session.is_none_or(|wanted| wanted == number) {
                let transcript = done.session.finish(&self.name, self.format.name(), done.complete);
                self.ready.push_back(Session { number, transcript });
            }
        }
    }

    fn summary(&self, read: file::Read) -> Summary {
        let counts = self.flow.table.counts();
        let mut s = Summary {
            packets: read.frames,
            segments: counts.segments,
            connections: counts.connections,
            sessions: self.flow.track.count(),
            times: self.flow.times,
            other: self.flow.other.clone(),
            ..Summary::default()
        };
        for said in read.said {
            match said.damage {
                Some(Damage::Torn) => s.problems.push(InputError::torn(&self.name, said.text, "")),
                Some(Damage::Unreadable) => s.problems.push(InputError::unreadable(&self.name, said.text, "")),
                None => s.remarks.push(said.text),
            }
        }
        self.remark(&mut s.remarks, read.dropped, read.cut_at.map(|at| (read.cut, at)));
        if s.sessions == 0 {
            s.problems.push(self.nothing(&s));
        }
        s
    }

    /// What is to be known of the whole capture: packets that the capturing program lost or cut (how many, and where), and what
    /// is not read.
    fn remark(&self, remarks: &mut Vec<String>, dropped: u64, cut: Option<(u64, u32)>) {
        if dropped > 0 {
            remarks.push(format!("the capturing program lost {dropped} packets"));
        }
        if let Some((n, at)) = cut.filter(|(n, _)| *n > 0) {
            let are = if n == 1 { "packet is cut" } else { "packets are cut, most of them" };
            remarks.push(format!(
                "{n} {are} to {at} bytes: capture whole packets (tcpdump -s 0); if it is from a z/OS \
                 trace, it may have been taken with ABBREV or a short SNIFFER length: PKTTRACE FULL, SNIFFER(65535)"
            ));
        }
        if self.flow.fragments > 0 {
            remarks.push(format!("{} IP fragments, not put together", self.flow.fragments));
        }
        for (name, n) in self.flow.other.iter().filter(|(name, _)| name.starts_with("link type")).take(UNREAD_LINKS) {
            remarks.push(format!("{n} packets of {name}, which is not read"));
        }
        let unclaimed = &self.flow.track.unclaimed;
        for (server, n) in unclaimed.iter().take(UNCLAIMED) {
            let (are, port) = (if *n == 1 { "connection to" } else { "connections to" }, server.port());
            let is = if *n == 1 { "is" } else { "are" };
            remarks.push(format!("{n} TLS {are} {server} {is} not known to be FTP: --port {port} takes them"));
        }
        if unclaimed.len() > UNCLAIMED {
            let (n, servers) = (unclaimed.values().skip(UNCLAIMED).sum::<u64>(), unclaimed.len() - UNCLAIMED);
            remarks.push(format!("{n} TLS connections to {servers} further servers are not known to be FTP"));
        }
    }

    fn nothing(&self, s: &Summary) -> InputError {
        let link = s.other.keys().find(|k| k.starts_with("link type"));
        if let (Some(link), 0) = (link, s.segments) {
            let what = format!("a capture of {link}, which is not read");
            return InputError::unreadable(&self.name, what, "capture on Ethernet, on a loopback, or with -i any");
        }
        nothing_found(&self.name, s.packets, s.connections, &s.other, &self.flow.track)
    }
}

/// Why there is no session.
fn nothing_found(
    name: &str,
    packets: u64,
    connections: u64,
    other: &BTreeMap<String, u64>,
    track: &Track,
) -> InputError {
    const TUNNELS: [&str; 6] = ["VXLAN", "ERSPAN", "GRE", "IP in IP", "ESP", "AH"];
    if connections == 0 {
        let mut most: Vec<(&String, &u64)> = other.iter().collect();
        most.sort_by_key(|(_, n)| core::cmp::Reverse(**n));
        let list: Vec<String> = most.iter().take(4).map(|(what, n)| format!("{n} of {what}")).collect();
        let what = match (packets, list.join(", ")) {
            (0, _) => "a capture without packets".to_owned(),
            (_, list) if list.is_empty() => format!("no TCP connection among its {packets} packets"),
            (_, list) => format!("no TCP connection among its {packets} packets: {list}"),
        };
        let advice = if most.iter().any(|(what, _)| TUNNELS.contains(&what.as_str())) {
            "capture where the tunnel ends, best on the client or the server: tunnels are not read"
        } else {
            "capture on the client or the server, while the client connects"
        };
        return InputError::unreadable(name, what, advice);
    }
    let what = format!("no session of FTP among its {packets} packets and {connections} TCP connections");
    let tls = track.unclaimed.keys().next().map_or(2121, |a| a.port());
    InputError::unreadable(name, what, format!("if FTP runs on a port of its own, name it: --port {tls}"))
}

impl Flow {
    fn new(options: &Options) -> Self {
        let (table, track) = (Table::new(Limits::default()), Track::new(&options.ports));
        Self { table, track, other: BTreeMap::new(), fragments: 0, times: None, frames: 0 }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        match Link::of(frame.link) {
            Some(link) => self.packet(packet(link, frame.data), frame.at),
            None => {
                self.seen(frame.at);
                self.count(&format!("link type {}", frame.link));
            }
        }
    }

    /// A packet was seen at `at`; the time of the last one before it.
    fn seen(&mut self, at: i64) -> i64 {
        let (first, last) = self.times.unwrap_or((at, at));
        self.times = Some((first.min(at), last.max(at)));
        last
    }

    fn packet(&mut self, packet: Packet<'_>, at: i64) {
        let last = self.seen(at);
        let Self { table, track, .. } = self;
        match packet {
            Packet::Tcp(s) => table.segment(&s, at, &mut |told| track.told(told)),
            Packet::Fragment { first } => {
                self.fragments += 1;
                if let Some(s) = first {
                    table.segment(&s, at, &mut |told| track.told(told));
                }
            }
            Packet::Unreachable { from, to } => table.unreachable(from, to, at, &mut |told| track.told(told)),
            Packet::Other(name) => self.count(name),
            Packet::Short(what) => self.count(&format!("short: {what}")),
        }
        for (slot, rank) in core::mem::take(&mut self.track.ranks) {
            self.table.rank(slot, rank);
        }
        self.track.tick(last);
        self.frames += 1;
        if self.frames.is_multiple_of(1024) {
            self.track.relieve();
        }
    }

    /// No packet comes any more: what is open is told to its end.
    fn finish(&mut self) {
        let Self { table, track, .. } = self;
        table.finish(&mut |told| track.told(told));
        track.finish();
    }

    fn count(&mut self, name: &str) {
        if let Some(n) = self.other.get_mut(name) {
            *n += 1;
        } else if self.other.len() < 256 {
            self.other.insert(name.to_owned(), 1);
        }
    }
}

#[cfg(test)]
mod tests;

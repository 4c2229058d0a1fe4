//! Records of a packet trace to sessions: times to one line, packets to the reassembly of captures.

use std::collections::{HashMap, HashSet};

use core::net::SocketAddr;

use super::Block;
use super::packet_dump::Part;
use super::packet_record::Shown;
use super::packet_summary;
use super::source::Found;
use crate::capture::feed::Feed;
use crate::capture::{Options, Session};
use crate::error::InputError;
use crate::transcript::clock::UnixMicros;
use crate::transcript::{Clock, ConnId, Micros, Side, Transcript, What};
use crate::wire::net::{Flags, Segment};
use crate::wire::sniff::{Speaker, sniff};

/// Days that a trace may span; a date farther off is a mistake.
const DAYS: i64 = 366;

/// Sockets of a data trace that are told apart.
const SOCKETS: usize = 65_536;

/// Remarks of sessions that are passed on.
const REMARKS: usize = 16;

/// Noted when sections of hex were read.
const UNCONFIRMED_DUMP: &str = "how a packet trace prints its bytes is not confirmed for SYSTCPDA: sections were read by their headings and \
                                offsets, headers from their bytes";

/// Noted when TCP was read from what is printed of its header.
const UNCONFIRMED_TCP: &str =
    "how a packet trace prints the header of TCP is not confirmed: its fields were read by their names";

/// All packets of an input.
#[derive(Debug)]
pub(super) struct Packets {
    packets: Feed,
    days: Days,
    /// What programs read and wrote, as if it had been packets.
    sockets: Feed,
    states: HashMap<(SocketAddr, SocketAddr), u32>,
    jobs: Vec<String>,
    ports: Vec<u16>,
    seen: Seen,
}

/// What was met, for what is said in the end.
#[derive(Debug, Default)]
struct Seen {
    dumps: bool,
    fields: bool,
    /// Segments of which the report shows less than they had.
    short: u64,
    /// Segments without any of their bytes.
    empty: u64,
    /// Records without addresses or numbers, and the line of the first one.
    unusable: (u64, u64),
    any: bool,
}

/// Times of a trace on one line, in nanoseconds from the first midnight.
#[derive(Debug, Default)]
struct Days {
    /// The date of the first midnight, in days since 1970.
    zero: Option<i64>,
    day: i64,
    last: Option<Micros>,
}

impl Days {
    fn at(&mut self, date: Option<i64>, time: Micros) -> i64 {
        let time = Micros(time.0.min(2 * Micros::DAY.0));
        let back = self.last.is_some_and(|last| time.0.saturating_add(Micros::DAY.0 / 2) < last.0);
        match (date, self.zero) {
            (Some(date), Some(zero)) if (date - zero).abs() <= DAYS => self.day = date - zero,
            (Some(date), None) => {
                self.day += i64::from(back);
                self.zero = Some(date - self.day);
            }
            // Past midnight.
            _ => self.day = (self.day + i64::from(back)).min(DAYS),
        }
        self.last = Some(time);
        let micros = self.day * Micros::DAY.0 as i64 + time.0 as i64;
        micros.saturating_mul(1000)
    }
}

impl Packets {
    pub(super) fn new(options: &Options) -> Self {
        let feed = || Feed::new(options.clone());
        let (days, states, jobs, seen) = (Days::default(), HashMap::new(), Vec::new(), Seen::default());
        Self { packets: feed(), days, sockets: feed(), states, jobs, ports: options.ports.clone(), seen }
    }

    /// A packet of a SUMMARY report. `date` is that of a page that begins with it.
    pub(super) fn summary(&mut self, packet: &packet_summary::Summary, date: Option<i64>) {
        self.seen.any = true;
        let at = self.days.at(date, packet.at);
        match packet.protocol {
            'T' => {}
            'U' => return self.packets.other("UDP"),
            'I' => return self.packets.other("ICMP"),
            'D' => return self.packets.other("data of programs, of which a SUMMARY shows too little"),
            _ => return self.packets.other("other IP protocols"),
        }
        let Some(s) = packet.shown() else { return self.unusable(packet.line) };
        let ack = (s.flags & Flags::ACK != 0).then_some(s.ack);
        let cut = s.len.saturating_sub(u32::try_from(s.data.len()).unwrap_or(u32::MAX));
        self.count_cut(s.data.len(), cut);
        let segment = Segment { from: s.from, to: s.to, seq: s.seq, ack, flags: Flags(s.flags), payload: s.data, cut };
        self.packets.segment(segment, at);
    }

    /// A record. `date` is that of a page that begins with it.
    pub(super) fn record(&mut self, record: &Shown<'_>, date: Option<i64>) {
        self.seen.any = true;
        let at = self.days.at(record.date.or(date), record.at);
        if record.is_data {
            return self.socket(record, at);
        }
        let (ip, protocol) = (record.dump.part(Part::Ip).0, record.dump.part(Part::Protocol).0);
        let (data, _) = record.dump.part(Part::Data);
        let (unnamed, _) = record.dump.part(Part::Unnamed);
        self.seen.dumps |= !(ip.is_empty() && data.is_empty() && unnamed.is_empty());
        // Only the first record of a packet that fills several has its headers; the rest stands as missing.
        if record.goes_on {
            return;
        }
        if ip.len() >= 20 && !protocol.is_empty() {
            return self.packets.packet(&[ip, protocol, data].concat(), at);
        }
        if ip.len() < 20 && matches!(unnamed, [0x45..=0x4f | 0x60..=0x6f, ..]) && unnamed.len() >= 40 {
            return self.packets.packet(unnamed, at);
        }
        match record.protocol {
            None | Some("TCP") => {}
            Some(other) => return self.packets.other(crate::wire::printable_str(other).get(..16).unwrap_or(other)),
        }
        let (Some(from), Some(to), Some(seq), Some(flags)) = (record.from, record.to, record.seq, record.flags) else {
            return self.unusable(record.line);
        };
        self.seen.fields = true;
        let have = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let cut = record.len.unwrap_or(have).saturating_sub(have);
        self.count_cut(data.len(), cut);
        let ack = record.ack.filter(|_| flags & Flags::ACK != 0);
        self.packets.segment(Segment { from, to, seq, ack, flags: Flags(flags), payload: data, cut }, at);
    }

    fn unusable(&mut self, line: u64) {
        let (n, first) = self.seen.unusable;
        self.seen.unusable = (n + 1, if n == 0 { line } else { first });
    }

    fn count_cut(&mut self, shown: usize, cut: u32) {
        self.seen.short += u64::from(cut > 0 && shown > 0);
        self.seen.empty += u64::from(cut > 0 && shown == 0);
    }

    /// What a program read or wrote: no numbers, but nothing is lost or comes twice.
    fn socket(&mut self, record: &Shown<'_>, at: i64) {
        let (Some(from), Some(to)) = (record.from, record.to) else { return self.unusable(record.line) };
        if let Some(job) =
            record.job.filter(|j| j.len() <= 8 && self.jobs.len() < 8 && !self.jobs.iter().any(|k| k == j))
        {
            self.jobs.push(crate::wire::printable_str(job));
        }
        if !self.states.contains_key(&(from, to)) {
            if self.states.len() >= SOCKETS {
                return;
            }
            self.open(from, to, record.starts, at);
        }
        let (data, declared) = record.dump.part(Part::Data);
        let len = u32::try_from(declared.unwrap_or(data.len()).max(data.len())).unwrap_or(u32::MAX);
        if len == 0 {
            return;
        }
        let cut = len.saturating_sub(u32::try_from(data.len()).unwrap_or(u32::MAX));
        let (seq, ack) = (self.next(from, to), self.next(to, from));
        let flags = Flags(Flags::ACK | Flags::PSH);
        self.sockets.segment(Segment { from, to, seq, ack: Some(ack), flags, payload: data, cut }, at);
        if let Some(next) = self.states.get_mut(&(from, to)) {
            *next = next.wrapping_add(len);
        }
    }

    fn next(&self, from: SocketAddr, to: SocketAddr) -> u32 {
        self.states.get(&(from, to)).copied().unwrap_or(1)
    }

    /// The first record of a socket. Who called whom is known where a port tells.
    fn open(&mut self, from: SocketAddr, to: SocketAddr, starts: bool, at: i64) {
        self.states.insert((from, to), 1);
        self.states.insert((to, from), 1);
        let is_server = |a: SocketAddr| matches!(a.port(), 21 | 990) || self.ports.contains(&a.port());
        let (client, server) = match (is_server(from), is_server(to)) {
            (false, true) => (from, to),
            (true, false) => (to, from),
            _ => return,
        };
        if !starts {
            return;
        }
        let syn = |from, to, ack, flags| Segment { from, to, seq: 0, ack, flags: Flags(flags), payload: &[], cut: 0 };
        self.sockets.segment(syn(client, server, None, Flags::SYN), at);
        self.sockets.segment(syn(server, client, Some(1), Flags::SYN | Flags::ACK), at);
    }

    /// The end of the input. `is_local` says that the report was asked for local times.
    pub(super) fn finish(self, is_local: bool) -> Found {
        let mut found = Found::default();
        if !self.seen.any {
            return found;
        }
        let zero = self.days.zero;
        found.assumed = self.seen.said();
        if zero.is_some() {
            let zone = if is_local { "local times" } else { "GMT, which CTRACE writes unless LOCAL is asked for" };
            found.assumed.push(format!("the times of the packet trace are taken for {zone}"));
        }
        if !self.jobs.is_empty() {
            let jobs = self.jobs.join(", ");
            found.assumed.push(format!("data trace of {jobs}: what its sockets read and wrote, not packets"));
        }
        let (packets, sockets) = (self.packets.finish(), self.sockets.finish());
        for (name, n) in packets.other.iter().chain(&sockets.other).take(REMARKS) {
            found.assumed.push(format!("{n} packets are no TCP: {name}"));
        }
        found.assumed.extend(packets.remarks);
        let (n, line) = self.seen.unusable;
        if n > 0 {
            let what = match n {
                1 => "a record of the packet trace lacks addresses or numbers".to_owned(),
                _ => format!("{n} records, the first one here, lack addresses or numbers"),
            };
            found.problems.push(InputError::torn("", what, "paste the trace again, whole").at_line(line));
        }
        let problem = packets.problem.or(sockets.problem);
        let of = |sessions: Vec<Session>| sessions.into_iter().map(|s| on_clock(s.transcript, zero)).collect();
        let sessions = together(of(packets.sessions), of(sockets.sessions), &mut found.assumed);
        if let Some(problem) = problem.filter(|_| sessions.is_empty()) {
            found.problems.push(if self.seen.empty > 0 {
                let what = format!("no session of FTP, and the bytes of {} segments are not shown", self.seen.empty);
                InputError::unreadable("", what, "format the trace with OPTIONS((DUMP)), which shows them")
            } else {
                problem
            });
        }
        for mut session in sessions {
            // The input is that of the paste.
            let inputs = core::mem::take(&mut session.origin.inputs);
            for remark in inputs.into_iter().flat_map(|i| i.assumed) {
                if found.assumed.len() < 4 * REMARKS && !found.assumed.contains(&remark) {
                    found.assumed.push(remark);
                }
            }
            found.blocks.push(Block::Session(session));
        }
        found
    }
}

/// The sessions of packets, and those that only programs' data show.
fn together(packets: Vec<Transcript>, sockets: Vec<Transcript>, assumed: &mut Vec<String>) -> Vec<Transcript> {
    let ends = |t: &Transcript| t.conns.first().map(|c| (c.local, c.peer));
    let known: HashSet<_> = packets.iter().map(ends).collect();
    let mut all = packets;
    let mut hidden = false;
    for mut t in sockets.into_iter().filter(|t| !known.contains(&ends(t))) {
        hidden |= hide_what_is_inside(&mut t);
        all.push(t);
    }
    if hidden {
        let what = "the data trace shows what the program saw; TLS that the stack does (AT-TLS) is not in it, so what follows was left out";
        assumed.push(what.to_owned());
    }
    all
}

impl Seen {
    /// What the report does not show.
    fn said(&self) -> Vec<String> {
        let mut out = Vec::new();
        out.extend(self.dumps.then(|| UNCONFIRMED_DUMP.to_owned()));
        out.extend(self.fields.then(|| UNCONFIRMED_TCP.to_owned()));
        if self.short > 0 {
            let n = self.short;
            out.push(format!(
                "{n} segments are shown in part (a SUMMARY shows 8 bytes, ABBREV cuts): PKTTRACE FULL and OPTIONS((DUMP)) show all"
            ));
        }
        if self.empty > 0 {
            let n = self.empty;
            out.push(format!(
                "{n} segments are shown without their bytes: format the trace with OPTIONS((DUMP)), which shows them"
            ));
        }
        out
    }
}

/// Times from the first midnight to the clock that is known.
fn on_clock(mut t: Transcript, zero: Option<i64>) -> Transcript {
    let Clock::Utc(first) = t.clock else { return t };
    match zero {
        Some(day) => t.clock = Clock::Utc(UnixMicros(first.0.saturating_add(day.saturating_mul(Micros::DAY.0 as i64)))),
        None => {
            t.clock = Clock::TimeOfDay;
            for at in t.entries.iter_mut().filter_map(|e| e.at.as_mut()) {
                at.0 = at.0.saturating_add(first.0.max(0).unsigned_abs());
            }
        }
    }
    t
}

/// A program under AT-TLS reads and writes in clear what is encrypted on the wire. Where TLS was agreed and none of it shows, what
/// follows is left out: it would look like FTP in clear.
fn hide_what_is_inside(t: &mut Transcript) -> bool {
    let is_tls =
        |e: &crate::transcript::Entry| matches!(&e.what, What::Bytes { data, .. } if sniff(data) == Speaker::Tls);
    if t.entries.iter().any(is_tls) {
        return false;
    }
    let implicit = t.conns.first().and_then(|c| c.peer).is_some_and(|p| p.port() == 990);
    let agreed = t.entries.iter().position(|e| {
        e.conn == ConnId(0)
            && matches!(&e.what, What::Bytes { from: Side::Server, data, .. } if data.starts_with(b"234"))
    });
    let Some(at) = agreed.map(|n| n + 1).or(implicit.then_some(0)) else { return false };
    let is_more = t.entries.len() > at;
    t.entries.truncate(at);
    t.conns.truncate(1);
    t.entries.retain(|e| e.conn == ConnId(0));
    is_more
}

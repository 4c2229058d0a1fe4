//! Packets that somebody else has taken out of their file, such as a formatted trace: straight to the sessions.

use std::collections::BTreeMap;

use super::{Flow, Options, Session, nothing_found};
use crate::error::InputError;
use crate::transcript::Transcript;
use crate::wire::net::{Link, Packet, Segment, packet};

/// Reads packets one by one, in any order that a capture may have. Times are nanoseconds; what they count from is the caller's.
#[derive(Debug)]
pub struct Feed {
    options: Options,
    flow: Flow,
    found: Vec<Session>,
}

/// What all packets came to.
#[derive(Clone, Debug, Default)]
pub struct Fed {
    /// The sessions in the order in which they ended; their clock is [`Clock::Utc`](crate::transcript::Clock::Utc), counted from where
    /// the times of the packets count from. They name no input.
    pub sessions: Vec<Session>,
    /// Packets.
    pub packets: u64,
    /// Packets that are no TCP, by name.
    pub other: BTreeMap<String, u64>,
    /// What is to be known, and took nothing away.
    pub remarks: Vec<String>,
    /// Why there is no session.
    pub problem: Option<InputError>,
}

impl Feed {
    /// Nothing yet.
    pub fn new(options: Options) -> Self {
        let flow = Flow::new(&options);
        Self { options, flow, found: Vec::new() }
    }

    /// A segment, seen at `at`.
    pub fn segment(&mut self, segment: Segment<'_>, at: i64) {
        self.flow.packet(Packet::Tcp(segment), at);
        self.collect();
    }

    /// An IP packet or its beginning, seen at `at`.
    pub fn packet(&mut self, ip: &[u8], at: i64) {
        self.flow.packet(packet(Link::Raw, ip), at);
        self.collect();
    }

    /// A packet of which only its protocol is known.
    pub fn other(&mut self, name: &str) {
        self.flow.count(name);
        self.flow.frames += 1;
    }

    /// The end: what goes on is given out too.
    pub fn finish(mut self) -> Fed {
        self.flow.finish();
        self.collect();
        let Flow { table, track, other, fragments, frames, .. } = self.flow;
        let mut fed = Fed { sessions: self.found, packets: frames, other, ..Fed::default() };
        if fragments > 0 {
            fed.remarks.push(format!("{fragments} IP fragments, not put together"));
        }
        fed.remarks.extend(track.remarks());
        if track.count() == 0 && frames > 0 {
            fed.problem = Some(nothing_found("", frames, table.counts().connections, &fed.other, &track));
        }
        fed
    }

    /// Sessions that have ended.
    fn collect(&mut self) {
        while let Some(done) = self.flow.track.done.pop_front() {
            let number = done.session.number;
            if self.options.only_session.is_none_or(|wanted| wanted == number) {
                let transcript: Transcript = done.session.finish("", "", done.complete);
                self.found.push(Session { number, transcript });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::What;
    use crate::wire::net::Flags;

    #[test]
    fn segments_without_a_file_make_a_session() {
        let mut feed = Feed::new(Options::default());
        let (client, server) = ("10.0.0.1:40000".parse().unwrap(), "10.0.0.2:21".parse().unwrap());
        let mut say = |out: bool, seq, ack, flags: u8, payload: &[u8], cut, at| {
            let (from, to) = if out { (client, server) } else { (server, client) };
            let ack = (flags & Flags::ACK != 0).then_some(ack);
            feed.segment(Segment { from, to, seq, ack, flags: Flags(flags), payload, cut }, at);
        };
        say(true, 1, 0, Flags::SYN, b"", 0, 10);
        say(false, 100, 2, Flags::SYN | Flags::ACK, b"", 0, 20);
        say(false, 101, 2, Flags::ACK, b"220 read", 3, 30);
        say(false, 112, 2, Flags::RST | Flags::ACK, b"", 0, 40);
        feed.other("UDP");
        let fed = feed.finish();
        assert_eq!((fed.packets, fed.sessions.len(), fed.other["UDP"]), (5, 1, 1));
        let entries = &fed.sessions[0].transcript.entries;
        assert!(entries.iter().any(|e| matches!(e.what, What::Gap { len: Some(3), .. })), "{entries:?}");
        assert!(entries.iter().any(|e| matches!(e.what, What::Closed { .. })), "{entries:?}");
    }
}

//! What is known of a connection of a capture without its bytes.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::End;
use crate::wire::net::Segment;

/// Seconds in the unit of packet times.
const SECOND: i64 = 1_000_000_000;

/// What a connection is good for: what matters least goes first when room is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Nothing: its packets are no longer followed.
    Other,
    /// Not known yet.
    #[default]
    Undecided,
    /// A data connection of a session.
    Data,
    /// A control connection.
    Control,
}

impl Rank {
    /// Nanoseconds without a packet behind which it goes.
    pub(super) fn patience(self) -> i64 {
        match self {
            Rank::Other => 120 * SECOND,
            Rank::Undecided => 60 * SECOND,
            Rank::Data | Rank::Control => 3600 * SECOND,
        }
    }
}

/// What is known of a connection without its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    pub(super) key: Key,
    /// Who sent the SYN; `None` when neither it nor its answer was seen.
    pub opener: Option<End>,
    /// SYNs without ACK: how often it was tried.
    pub tries: u16,
    /// Whether a SYN ACK came.
    pub answered: bool,
    /// Whether the connection stood, as far as the capture shows: that was told.
    pub opened: bool,
    /// Time of the first packet.
    pub first: i64,
    /// Time of the last packet.
    pub last: i64,
    pub(super) rank: Rank,
}

impl Facts {
    /// Address and port of an end.
    pub fn address(&self, end: End) -> SocketAddr {
        self.key.address(end)
    }

    /// Takes a packet of this end.
    pub(super) fn note(&mut self, end: End, s: &Segment<'_>) {
        if !s.flags.syn() {
            return;
        }
        if s.ack.is_none() {
            self.opener = Some(end);
            self.tries = self.tries.saturating_add(1);
        } else {
            self.opener = self.opener.or(Some(end.other()));
            self.answered = true;
        }
    }
}

/// Both ends, the lower one first: address (IPv4 as mapped) and port each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key([[u8; 18]; 2]);

impl Key {
    /// The key of a packet, and which end sent it.
    pub(super) fn of(from: SocketAddr, to: SocketAddr) -> (Key, End) {
        let (a, b) = (packed(from), packed(to));
        if a <= b { (Key([a, b]), End::One) } else { (Key([b, a]), End::Two) }
    }

    fn address(&self, end: End) -> SocketAddr {
        let [one, two] = self.0;
        let [ip @ .., hi, lo] = if end == End::One { one } else { two };
        SocketAddr::new(IpAddr::V6(Ipv6Addr::from(ip)).to_canonical(), u16::from_be_bytes([hi, lo]))
    }
}

fn packed(address: SocketAddr) -> [u8; 18] {
    let ip = match address.ip() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    };
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = ip;
    let [hi, lo] = address.port().to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, hi, lo]
}

//! One captured packet: link, IP and TCP headers. No state, no allocation, and total: any bytes have a reading.
//!
//! Checksums are not looked at: network cards compute them behind the place where a capture is taken.

mod ip;
mod link;
mod tcp;

use core::net::SocketAddr;

pub use tcp::Flags;

/// What the front of a packet is (link types of tcpdump.org).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Ethernet, without the frame check sequence or with it.
    Ethernet,
    /// An IP packet; its version stands in its first nibble.
    Raw,
    /// BSD loopback: the address family in the byte order of the host that captured.
    Null,
    /// OpenBSD loopback: the address family in network order.
    Loop,
    /// Linux cooked capture, version 1.
    Sll,
    /// Linux cooked capture, version 2.
    Sll2,
}

impl Link {
    /// Those that are read here.
    pub const ALL: [Link; 6] = [Link::Ethernet, Link::Raw, Link::Null, Link::Loop, Link::Sll, Link::Sll2];

    /// The link type of a capture file; `None` for those that are not read here.
    pub fn of(number: u32) -> Option<Link> {
        Some(match number {
            0 => Link::Null,
            1 => Link::Ethernet,
            12 | 14 | 101 | 228 | 229 => Link::Raw,
            108 => Link::Loop,
            113 => Link::Sll,
            276 => Link::Sll2,
            _ => return None,
        })
    }
}

/// A TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Who sent it.
    pub from: SocketAddr,
    /// For whom.
    pub to: SocketAddr,
    /// Sequence number of the first byte (of SYN, where that is set).
    pub seq: u32,
    /// What the sender has received of the other direction, if it says so.
    pub ack: Option<u32>,
    /// SYN, FIN, RST and the like.
    pub flags: Flags,
    /// The bytes that are in the file.
    pub payload: &'a [u8],
    /// Bytes of the payload that were on the wire and are not in the file (a capture cuts packets at its snap length).
    pub cut: u32,
}

/// What a packet is to somebody who looks for TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A segment.
    Tcp(Segment<'a>),
    /// A piece of a packet that was sent in pieces.
    Fragment {
        /// The beginning of a segment, if this is the first piece: its payload without the rest, and without a FIN, whose place
        /// is behind the rest.
        first: Option<Segment<'a>>,
    },
    /// A router or host says that a segment could not be delivered.
    Unreachable {
        /// Who had sent the segment.
        from: SocketAddr,
        /// Who cannot be reached.
        to: SocketAddr,
    },
    /// Something else, by its name.
    Other(&'static str),
    /// A header that ends too early or contradicts itself; says which.
    Short(&'static str),
}

/// Reads one packet as it stands in a capture file.
pub fn packet(link: Link, frame: &[u8]) -> Packet<'_> {
    link::packet(link, frame).unwrap_or_else(|other| other)
}

#[cfg(test)]
mod tests;
/// What writes packets and files for tests, these and those of captures.
#[cfg(test)]
#[path = "../../../tests/captures/wire.rs"]
pub(crate) mod writer;

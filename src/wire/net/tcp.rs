//! TCP headers (RFC 9293).

use core::net::SocketAddr;

use super::ip::Carrier;
use super::{Packet, Segment};

/// The control bits of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// FIN: the sender has sent its last byte.
    pub const FIN: u8 = 0x01;
    /// SYN: the first number of a direction.
    pub const SYN: u8 = 0x02;
    /// RST: the connection is gone.
    pub const RST: u8 = 0x04;
    /// PSH: to be handed on at once.
    pub const PSH: u8 = 0x08;
    /// ACK: the acknowledgment number counts.
    pub const ACK: u8 = 0x10;

    /// Whether FIN is set.
    pub fn fin(self) -> bool {
        self.0 & Self::FIN != 0
    }

    /// Whether SYN is set.
    pub fn syn(self) -> bool {
        self.0 & Self::SYN != 0
    }

    /// Whether RST is set.
    pub fn rst(self) -> bool {
        self.0 & Self::RST != 0
    }
}

/// Source and destination.
pub(super) fn ports(bytes: &[u8]) -> Option<(u16, u16)> {
    let [a, b, c, d] = *bytes.first_chunk::<4>()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

/// A segment: needs the fixed part of its header; options may be cut off.
pub(super) fn segment(c: Carrier<'_>) -> Result<Segment<'_>, Packet<'_>> {
    let (fixed, _) = c.payload.split_first_chunk::<20>().ok_or(Packet::Short("TCP header"))?;
    let [p3, p2, p1, p0, s3, s2, s1, s0, a3, a2, a1, a0, offset, flags, ..] = *fixed;
    let header = usize::from(offset >> 4) * 4;
    if header < fixed.len() || header > c.len {
        return Err(Packet::Short("TCP header length"));
    }
    let payload = c.payload.get(header..).unwrap_or_default();
    let len = c.len - header;
    Ok(Segment {
        from: SocketAddr::new(c.from, u16::from_be_bytes([p3, p2])),
        to: SocketAddr::new(c.to, u16::from_be_bytes([p1, p0])),
        seq: u32::from_be_bytes([s3, s2, s1, s0]),
        ack: (flags & Flags::ACK != 0).then_some(u32::from_be_bytes([a3, a2, a1, a0])),
        flags: Flags(flags),
        payload,
        cut: u32::try_from(len.saturating_sub(payload.len())).unwrap_or(u32::MAX),
    })
}

/// The segment that a first fragment begins. How long it is stands nowhere: what follows is a hole in the stream.
pub(super) fn beginning(c: Carrier<'_>) -> Option<Segment<'_>> {
    let whole = segment(c).ok()?;
    Some(Segment { cut: 0, flags: Flags(whole.flags.0 & !Flags::FIN), ..whole })
}

//! IPv4 (RFC 791), IPv6 (RFC 8200), and the errors of ICMP that quote a segment.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::link::Read;
use super::{Packet, tcp};
use crate::wire::reader::Reader;

/// IPv6 extension headers that are stepped over.
const EXTENSIONS: usize = 16;

const TCP: u8 = 6;
const FRAGMENT: u8 = 44;

/// What an IP header says of its payload.
#[derive(Clone, Copy)]
pub(super) struct Carrier<'a> {
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    /// As much as the file holds.
    pub(super) payload: &'a [u8],
    /// Bytes that were on the wire, the missing ones too.
    pub(super) len: usize,
    protocol: u8,
    /// Whether this is a piece of a packet, and whether the first one.
    fragment: Option<bool>,
}

/// A packet whose version stands in its first nibble.
pub(super) fn any(bytes: &[u8]) -> Read<'_> {
    match bytes.first().map(|b| b >> 4) {
        Some(4) => v4(bytes),
        Some(6) => v6(bytes),
        Some(_) => Ok(Packet::Other("neither IPv4 nor IPv6")),
        None => Err(Packet::Short("IP header")),
    }
}

pub(super) fn v4(bytes: &[u8]) -> Read<'_> {
    within(v4_header(bytes)?)
}

pub(super) fn v6(bytes: &[u8]) -> Read<'_> {
    within(v6_header(bytes)?)
}

fn v4_header(bytes: &[u8]) -> Result<Carrier<'_>, Packet<'_>> {
    let short = || Packet::Short("IPv4 header");
    let (fixed, _) = bytes.split_first_chunk::<20>().ok_or_else(short)?;
    let [first, _, len1, len0, _, _, part1, part0, _, protocol, _, _, a, b, c, d, e, f, g, h] = *fixed;
    let header = usize::from(first & 15) * 4;
    if first >> 4 != 4 || header < fixed.len() {
        return Err(short());
    }
    let payload = bytes.get(header..).ok_or_else(short)?;
    let (payload, len) = match usize::from(u16::from_be_bytes([len1, len0])) {
        // A network card cuts it into packets behind the place of the capture: its length stands nowhere.
        0 => (payload, payload.len()),
        total => bounded(payload, total.checked_sub(header).ok_or(Packet::Short("IPv4 length"))?),
    };
    let part = u16::from_be_bytes([part1, part0]);
    Ok(Carrier {
        from: Ipv4Addr::new(a, b, c, d).into(),
        to: Ipv4Addr::new(e, f, g, h).into(),
        payload,
        len,
        protocol,
        fragment: (part & 0x3fff != 0).then_some(part & 0x1fff == 0),
    })
}

fn v6_header(bytes: &[u8]) -> Result<Carrier<'_>, Packet<'_>> {
    let short = || Packet::Short("IPv6 header");
    let mut r = Reader::new(bytes);
    let head = r.take(4).ok_or_else(short)?;
    if head.first().is_none_or(|b| b >> 4 != 6) {
        return Err(short());
    }
    let total = usize::from(r.u16().ok_or_else(short)?);
    let mut protocol = r.u8().ok_or_else(short)?;
    r.u8().ok_or_else(short)?;
    let mut address = || r.take(16).and_then(|b| <[u8; 16]>::try_from(b).ok()).map(Ipv6Addr::from).ok_or_else(short);
    let (from, to) = (address()?, address()?);
    let (payload, mut len) = if total == 0 { (r.rest(), r.rest().len()) } else { bounded(r.rest(), total) };
    let mut rest = Reader::new(payload);
    let mut fragment = None;
    for _ in 0..EXTENSIONS {
        let mut ahead = rest;
        let extension = || Packet::Short("IPv6 extension header");
        let size = match protocol {
            0 | 43 | 60 | 135 | 139 | 140 | 51 | FRAGMENT => {
                let next = ahead.u8().ok_or_else(extension)?;
                let units = usize::from(ahead.u8().ok_or_else(extension)?);
                let part = ahead.u16().ok_or_else(extension)?;
                let size = match protocol {
                    FRAGMENT => 8,
                    51 => (units + 2) * 4,
                    _ => (units + 1) * 8,
                };
                // With offset 0 and nothing to follow it is a whole packet (RFC 6946).
                if protocol == FRAGMENT && part & !0b110 != 0 {
                    fragment = Some(part >> 3 == 0);
                }
                protocol = next;
                size
            }
            _ => break,
        };
        rest.take(size).ok_or_else(extension)?;
        len = len.checked_sub(size).ok_or_else(extension)?;
        // Behind the header of a later piece stands the middle of something.
        if fragment == Some(false) {
            break;
        }
    }
    let (from, to) = (IpAddr::V6(from).to_canonical(), IpAddr::V6(to).to_canonical());
    Ok(Carrier { from, to, payload: rest.rest(), len, protocol, fragment })
}

/// At most `len` bytes of the payload: what follows is padding of the link. And `len`.
fn bounded(payload: &[u8], len: usize) -> (&[u8], usize) {
    (payload.get(..len).unwrap_or(payload), len)
}

fn within(c: Carrier<'_>) -> Read<'_> {
    let is_tcp = c.protocol == TCP;
    match c.fragment {
        Some(first) if is_tcp => Ok(Packet::Fragment { first: if first { tcp::beginning(c) } else { None } }),
        Some(_) => Ok(Packet::Other("fragments of other protocols")),
        None if is_tcp => tcp::segment(c).map(Packet::Tcp),
        None => Ok(match c.protocol {
            1 | 58 => icmp(c.payload, c.protocol),
            // Destination port 4789.
            17 if matches!(c.payload.get(2..4), Some([0x12, 0xb5])) => Packet::Other("VXLAN"),
            47 if matches!(c.payload.get(2..4), Some([0x88, 0xbe] | [0x22, 0xeb])) => Packet::Other("ERSPAN"),
            other => Packet::Other(name(other)),
        }),
    }
}

/// Names of IP protocols (IANA).
fn name(protocol: u8) -> &'static str {
    match protocol {
        1 => "ICMP",
        2 => "IGMP",
        4 | 41 => "IP in IP",
        17 => "UDP",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        58 => "ICMPv6",
        89 => "OSPF",
        103 => "PIM",
        112 => "VRRP",
        132 => "SCTP",
        _ => "other IP protocols",
    }
}

/// "Destination unreachable" (RFC 792, RFC 4443) quotes the packet: its headers and at least the ports.
fn icmp(bytes: &[u8], protocol: u8) -> Packet<'_> {
    let other = Packet::Other(name(protocol));
    let Some((&[kind, code, ..], quoted)) = bytes.split_first_chunk::<8>() else { return other };
    let quoted = match (protocol, kind, code) {
        // Code 4 asks for smaller packets: the destination is reached.
        (1, 3, 4) => return other,
        (1, 3, _) => v4_header(quoted),
        (58, 1, _) => v6_header(quoted),
        _ => return other,
    };
    match quoted {
        Ok(c) if c.protocol == TCP && c.fragment != Some(false) => match tcp::ports(c.payload) {
            Some((from, to)) => {
                Packet::Unreachable { from: SocketAddr::new(c.from, from), to: SocketAddr::new(c.to, to) }
            }
            None => other,
        },
        _ => other,
    }
}

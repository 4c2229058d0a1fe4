//! Link layers: what stands in front of an IP packet.

use super::{Link, Packet, ip};
use crate::wire::reader::Reader;

/// VLAN tags that are stepped over.
const TAGS: usize = 4;

/// MPLS labels that are stepped over.
const LABELS: usize = 16;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// The packet, or why there is none: both are a reading.
pub(super) type Read<'a> = Result<Packet<'a>, Packet<'a>>;

/// Steps over the link layer.
pub(super) fn packet(link: Link, frame: &[u8]) -> Read<'_> {
    let mut r = Reader::new(frame);
    match link {
        Link::Ethernet => {
            let header = || Packet::Short("Ethernet header");
            r.take(12).ok_or_else(header)?;
            let kind = r.u16().ok_or_else(header)?;
            ether(kind, r)
        }
        Link::Raw => ip::any(r.rest()),
        Link::Null | Link::Loop => {
            let family = r.take(4).and_then(|b| b.try_into().ok()).ok_or(Packet::Short("loopback header"))?;
            // NULL has the order of the host that captured, which the file does not tell.
            let (big, little) = (u32::from_be_bytes(family), u32::from_le_bytes(family));
            let is = |families: &[u32]| families.contains(&big) || (link == Link::Null && families.contains(&little));
            match () {
                () if is(&[2]) => ip::v4(r.rest()),
                () if is(&[10, 23, 24, 28, 30]) => ip::v6(r.rest()),
                () => Ok(Packet::Other("other address families")),
            }
        }
        Link::Sll => {
            let header = || Packet::Short("Linux cooked header");
            r.take(14).ok_or_else(header)?;
            let kind = r.u16().ok_or_else(header)?;
            ether(kind, r)
        }
        Link::Sll2 => {
            let header = || Packet::Short("Linux cooked header");
            let kind = r.u16().ok_or_else(header)?;
            r.take(18).ok_or_else(header)?;
            ether(kind, r)
        }
    }
}

/// What stands behind an EtherType.
fn ether(mut kind: u16, mut r: Reader<'_>) -> Read<'_> {
    for _ in 0..TAGS {
        if !matches!(kind, 0x8100 | 0x88a8 | 0x9100) {
            break;
        }
        r.u16().ok_or(Packet::Short("VLAN tag"))?;
        kind = r.u16().ok_or(Packet::Short("VLAN tag"))?;
    }
    match kind {
        IPV4 => ip::v4(r.rest()),
        IPV6 => ip::v6(r.rest()),
        0x8847 | 0x8848 => mpls(r),
        0x8864 => pppoe(r),
        // Below 1536 it is a length, and a header of IEEE 802.2 follows.
        0..1536 => llc(r),
        _ => Ok(Packet::Other(match kind {
            0x0806 | 0x8035 => "ARP",
            0x8100 | 0x88a8 | 0x9100 => "VLAN tags, more than four",
            0x8863 => "PPPoE discovery",
            0x8809 => "LACP",
            0x888e => "EAPOL",
            0x88cc => "LLDP",
            0x88e5 => "MACsec",
            _ => "other EtherTypes",
        })),
    }
}

/// Labels of four bytes until the bottom of the stack (RFC 3032).
fn mpls(mut r: Reader<'_>) -> Read<'_> {
    for _ in 0..LABELS {
        let label = r.take(4).ok_or(Packet::Short("MPLS label"))?;
        if label.get(2).is_some_and(|b| b & 1 != 0) {
            return match r.rest().first().map(|b| b >> 4) {
                Some(4 | 6) => ip::any(r.rest()),
                Some(_) => Ok(Packet::Other("MPLS without IP")),
                None => Err(Packet::Short("MPLS label")),
            };
        }
    }
    Ok(Packet::Other("MPLS labels, more than sixteen"))
}

/// A PPPoE session (RFC 2516).
fn pppoe(mut r: Reader<'_>) -> Read<'_> {
    r.take(6).ok_or(Packet::Short("PPPoE header"))?;
    match r.u16().ok_or(Packet::Short("PPPoE header"))? {
        0x0021 => ip::v4(r.rest()),
        0x0057 => ip::v6(r.rest()),
        _ => Ok(Packet::Other("PPP control")),
    }
}

/// IEEE 802.2: only SNAP with an EtherType carries IP.
fn llc(mut r: Reader<'_>) -> Read<'_> {
    if r.take(6).ok_or(Packet::Short("LLC header"))? != [0xaa, 0xaa, 3, 0, 0, 0] {
        return Ok(Packet::Other("LLC"));
    }
    match r.u16().ok_or(Packet::Short("LLC header"))? {
        IPV4 => ip::v4(r.rest()),
        IPV6 => ip::v6(r.rest()),
        _ => Ok(Packet::Other("LLC")),
    }
}

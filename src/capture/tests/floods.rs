//! More connections, packets and holes than there is room for.

use core::net::{Ipv4Addr, SocketAddr};

use super::super::End;
use super::super::table::{Event, Limits, Rank, Table, Told};
use crate::wire::net::writer::SYN;
use crate::wire::net::{Flags, Segment};

/// A segment of a connection between hosts that are numbered.
fn numbered(n: u32, flags: u8, seq: u32, payload: &[u8]) -> Segment<'_> {
    let from = SocketAddr::new(Ipv4Addr::from(0x0a00_0000 | n >> 8).into(), n as u16);
    let to = "192.0.2.1:21".parse().unwrap();
    Segment { from, to, seq, ack: None, flags: Flags(flags), payload, cut: 0 }
}

#[test]
fn floods_have_a_bound() {
    let limits = Limits { connections: 1000, bytes: 100_000 };
    let mut table = Table::new(limits);
    let (mut opened, mut gone) = (0u32, 0u32);
    let mut count = |t: Told<'_>| match t.event {
        Event::New => opened += 1,
        Event::Gone => gone += 1,
        _ => {}
    };
    // SYNs from everywhere, then half-open connections with bytes, then holes without end.
    for n in 0..100_000u32 {
        table.segment(&numbered(n, SYN, n, b""), n.into(), &mut count);
    }
    let bytes = [7u8; 900];
    for n in 0..20_000u32 {
        table.segment(&numbered(n, 0, n, &bytes), n.into(), &mut count);
    }
    for n in 0..200_000u32 {
        table.segment(&numbered(n % 40, 0, n.wrapping_mul(2000), &bytes), n.into(), &mut count);
        assert!(table.weight() < 1_000_000, "{}", table.weight());
    }
    table.finish(&mut count);
    assert_eq!(opened, gone);
    assert!(table.counts().evicted > 90_000);
}

#[test]
fn what_matters_least_goes_first() {
    let mut table = Table::new(Limits { connections: 16, bytes: 100_000 });
    let mut gone = Vec::new();
    for n in 0..200u32 {
        let mut fresh = None;
        table.segment(&numbered(n << 8 | 9, SYN, n, b""), n.into(), &mut |t| match t.event {
            Event::New => fresh = Some(t.slot),
            Event::Gone => gone.push(t.facts.address(End::One)),
            _ => {}
        });
        let rank = if n < 8 { Rank::Control } else { Rank::Other };
        table.rank(fresh.unwrap(), rank);
    }
    assert_eq!(gone.len(), 200 - 16);
    let first = |n: u32| numbered(n << 8 | 9, SYN, 0, b"").from;
    assert!((0..8).all(|n| !gone.contains(&first(n))), "control connections stay");
}

//! Any packets on any link, and any segments of two connections through the table: nothing is delivered that was not sent.
#![no_main]

use ftpsdiag::capture::Piece;
use ftpsdiag::capture::table::{Event, Limits, Rank, Slot, Table, Told};
use ftpsdiag::wire::net::{Flags, Link, Packet, Segment, packet};
use libfuzzer_sys::fuzz_target;

/// Numbers near the place where they wrap, and a few far away.
fn number(byte: u8) -> u32 {
    match byte {
        0..=99 => u32::from(byte),
        100..=199 => u32::MAX - u32::from(byte - 100),
        far => u32::from(far) << 24,
    }
}

fuzz_target!(|data: &[u8]| {
    for link in Link::ALL {
        if let Packet::Tcp(s) = packet(link, data) {
            assert!(s.payload.len() <= data.len());
        }
    }
    let ends = ["10.0.0.1:21", "10.0.0.2:40000", "10.0.0.3:40000"].map(|a| a.parse().unwrap());
    let mut table = Table::new(Limits { connections: 2, bytes: 4096 });
    let (mut sent, mut told, mut new, mut gone, mut at) = (0, 0, 0, 0, 0);
    let mut each = |t: Told<'_>| match t.event {
        Event::Piece(_, Piece::Bytes(b)) => told += b.len(),
        Event::New => new += 1,
        Event::Gone => gone += 1,
        _ => {}
    };
    let (heads, _) = data.as_chunks::<6>();
    for [who, flags, seq, ack, len, step] in heads {
        let (a, b) = (ends[0], ends[1 + usize::from(who >> 6 & 1)]);
        let (from, to) = if who & 1 == 0 { (a, b) } else { (b, a) };
        let payload = &data[..usize::from(len & 0x3f).min(data.len())];
        let (cut, ack) = (u32::from(len >> 6), (flags & Flags::ACK != 0).then_some(number(*ack)));
        at += i64::from(*step) << 23;
        let s = Segment { from, to, seq: number(*seq), ack, flags: Flags(flags & 0x1f), payload, cut };
        sent += payload.len();
        table.segment(&s, at, &mut each);
        if who & 0x3e == 0x3e {
            table.rank(Slot(u32::from(who >> 7)), if flags & 0x80 == 0 { Rank::Control } else { Rank::Other });
        }
        assert!(table.weight() < 200_000);
    }
    table.finish(&mut each);
    assert!(told <= sent, "{told} of {sent}");
    assert_eq!(new, gone);
});

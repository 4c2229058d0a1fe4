//! Files to pieces: what happens to packets on their way into a capture must not show in what the ends said.

mod floods;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::file::{File, Frame, format};
use super::table::{Event, Limits, Rank, Table, Told};
use super::{End, Piece};
use crate::wire::net::writer::{self, FIN, Order, RST, SYN, Talk, Unit, Who, Wire};
use crate::wire::net::{Flags, Link, Packet, Segment, packet};

/// A piece that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Opened,
    Bytes(End, Vec<u8>),
    Gap(End, Option<u64>),
    Conflict(End, u64, u32),
    Late(End),
    Fin(End),
    Reset(End),
    Unreachable(End),
    Gone,
}

/// What was told of each connection, in the order in which they began; bytes of one end in a row are joined.
#[derive(Debug, Default)]
struct Tale {
    all: Vec<Vec<Seen>>,
    open: BTreeMap<u32, usize>,
    last: BTreeMap<u32, i64>,
}

impl Tale {
    fn note(&mut self, told: Told<'_>) {
        let slot = told.slot.0;
        if told.event == Event::New {
            assert!(self.open.insert(slot, self.all.len()).is_none(), "a slot in use");
            self.all.push(Vec::new());
            self.last.insert(slot, told.at);
            return;
        }
        assert!(self.last.insert(slot, told.at) <= Some(told.at), "time goes back");
        let story = &mut self.all[self.open[&slot]];
        let seen = match told.event {
            Event::New => unreachable!(),
            Event::Retried => return,
            Event::Opened => Seen::Opened,
            Event::Gone => Seen::Gone,
            Event::Unreachable(end) => Seen::Unreachable(end),
            Event::Piece(end, Piece::Gap(len)) => Seen::Gap(end, len),
            Event::Piece(end, Piece::Conflict { at, len }) => Seen::Conflict(end, at, len),
            Event::Piece(end, Piece::Late) => Seen::Late(end),
            Event::Piece(end, Piece::Fin) => Seen::Fin(end),
            Event::Piece(end, Piece::Reset) => Seen::Reset(end),
            Event::Piece(end, Piece::Bytes(more)) => match story.last_mut() {
                Some(Seen::Bytes(before, bytes)) if *before == end => return bytes.extend_from_slice(more),
                _ => Seen::Bytes(end, more.to_vec()),
            },
        };
        story.push(seen);
        if told.event == Event::Gone {
            self.open.remove(&slot);
        }
    }
}

/// A capture file, in pieces of `size` bytes.
fn tale(bytes: &[u8], size: usize) -> Vec<Vec<Seen>> {
    let (mut tale, mut table) = (Tale::default(), Table::new(Limits::default()));
    let mut file = File::new(format(bytes).unwrap());
    let mut each = |f: Frame<'_>| match packet(Link::of(f.link).unwrap(), f.data) {
        Packet::Tcp(s) | Packet::Fragment { first: Some(s) } => table.segment(&s, f.at, &mut |t| tale.note(t)),
        Packet::Unreachable { from, to } => table.unreachable(from, to, f.at, &mut |t| tale.note(t)),
        _ => {}
    };
    bytes.chunks(size).for_each(|b| file.feed(b, &mut each));
    file.finish(&mut each);
    table.finish(&mut |t| tale.note(t));
    assert!(tale.open.is_empty());
    assert!(table.weight() < 200_000, "{}", table.weight());
    tale.all
}

fn wire() -> Wire {
    Wire::new(writer::Link::Ethernet, Order::Little, Unit::Nano)
}

/// The only connection of these packets.
fn story(packets: &[writer::Packet]) -> Vec<Seen> {
    let mut all = tale(&wire().pcap(packets), usize::MAX);
    assert_eq!(all.len(), 1, "one connection");
    all.remove(0)
}

/// 10.0.0.1 is the client, and the lower end.
fn end(who: Who) -> End {
    if who == Who::Client { End::One } else { End::Two }
}

/// What was said, by whom, in which order.
#[derive(Clone, Debug)]
struct Script(Vec<(Who, Vec<u8>)>);

fn said() -> Script {
    let lines = [
        (Who::Server, "220 ready\r\n"),
        (Who::Client, "AUTH TLS\r\n"),
        (Who::Server, "234 go\r\n"),
        (Who::Client, "0123456789abcdef"),
        (Who::Server, "ghijklmnopqrstuvwxyz"),
    ];
    Script(lines.iter().map(|(who, text)| (*who, text.as_bytes().to_vec())).collect())
}

impl Script {
    fn talk(&self, isn: (u32, u32), mss: usize) -> Talk {
        let talk = Talk::new("10.0.0.1:40000", "10.0.0.2:21").isn(isn.0, isn.1).mss(mss).open();
        self.0.iter().fold(talk, |t, (who, bytes)| t.says(*who, bytes)).close()
    }

    fn packets(&self) -> Vec<writer::Packet> {
        self.talk((1000, 5000), 1448).packets
    }
}

/// What these packets say, read off themselves; `lost` ones are gaps, and behind `snaplen` bytes of payload too.
fn expected(packets: &[writer::Packet], lost: Option<usize>, snaplen: usize) -> Vec<Seen> {
    let mut out = vec![Seen::Opened];
    let client = packets[0].from;
    for (n, p) in packets.iter().enumerate() {
        let end = if p.from == client { End::One } else { End::Two };
        let kept = if lost == Some(n) { 0 } else { p.payload.len().min(snaplen) };
        let bytes = &p.payload[..kept];
        match out.last_mut() {
            _ if bytes.is_empty() => {}
            Some(Seen::Bytes(before, all)) if *before == end => all.extend_from_slice(bytes),
            _ => out.push(Seen::Bytes(end, bytes.to_vec())),
        }
        if kept < p.payload.len() {
            out.push(Seen::Gap(end, Some((p.payload.len() - kept) as u64)));
        }
        if p.flags & FIN != 0 && lost != Some(n) {
            out.push(Seen::Fin(end));
        }
    }
    out.push(Seen::Gone);
    out
}

fn script() -> impl Strategy<Value = Script> {
    let who = prop_oneof![Just(Who::Client), Just(Who::Server)];
    let bytes = proptest::collection::vec(any::<u8>(), 1..60);
    proptest::collection::vec((who, bytes), 1..12).prop_map(Script)
}

fn isn() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), 0xffff_ff80..=u32::MAX]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_session_whatever_happens_to_its_packets(
        script in script(), a in isn(), b in isn(), mss in 1..40usize,
        moves in proptest::collection::vec((0..8usize, proptest::option::of(0..8usize)), 64),
    ) {
        let packets = script.talk((a, b), mss).packets;
        let wanted = expected(&packets, None, usize::MAX);
        prop_assert_eq!(&story(&packets), &wanted);
        // Every packet behind the handshake up to eight places later, some of them twice.
        let shuffle = |doubled: bool| {
            let mut out = Vec::new();
            for (n, p) in packets.iter().enumerate() {
                let (later, twice) = if n < 3 { (0, None) } else { moves[n % moves.len()] };
                out.push((n + later, p.clone()));
                out.extend(twice.filter(|_| doubled).map(|later| (n + later, p.clone())));
            }
            out.sort_by_key(|(place, _)| *place);
            out.into_iter().map(|(_, p)| p).collect::<Vec<_>>()
        };
        prop_assert_eq!(&story(&shuffle(false)), &wanted, "permuted");
        prop_assert_eq!(&story(&shuffle(true)), &wanted, "permuted and doubled");
    }

    #[test]
    fn files_and_links_do_not_show(script in script(), v6 in any::<bool>(), ng in any::<bool>(), big in any::<bool>(), nano in any::<bool>(), size in 1..300usize) {
        let (client, server) = if v6 { ("[2001:db8::1]:40000", "[2001:db8::2]:21") } else { ("10.0.0.1:40000", "10.0.0.2:21") };
        let talk = script.0.iter().fold(Talk::new(client, server).open(), |t, (who, bytes)| t.says(*who, bytes)).close();
        let wanted = expected(&talk.packets, None, usize::MAX);
        for link in writer::LINKS {
            let wire = Wire::new(link, if big { Order::Big } else { Order::Little }, if nano { Unit::Nano } else { Unit::Micro });
            let bytes = if ng { wire.pcapng(&talk.packets) } else { wire.pcap(&talk.packets) };
            prop_assert_eq!(&tale(&bytes, size), &vec![wanted.clone()], "{:?}", link);
        }
    }

    #[test]
    fn a_packet_that_is_missing_is_a_gap_of_its_length(script in script(), isn in isn(), mss in 1..40usize, n in any::<proptest::sample::Index>()) {
        let packets = script.talk((isn, 7), mss).packets;
        let lost = n.index(packets.len());
        let mut rest = packets.clone();
        rest.remove(lost);
        let seen = story(&rest);
        // Without its SYN ACK nobody knows that the connection stood, and the server's first byte is not known either.
        if packets[lost].payload.len() == 1 {
            // One number that nobody saw may be a FIN: that it was a byte shows behind it.
            let gap = Seen::Gap(if packets[lost].from == packets[0].from { End::One } else { End::Two }, Some(1));
            prop_assert_eq!(seen.iter().filter(|s| matches!(s, Seen::Gap(..))).collect::<Vec<_>>(), [&gap]);
        } else if lost != 1 {
            prop_assert_eq!(&seen, &expected(&packets, Some(lost), usize::MAX), "without {}", lost);
        }
    }

    #[test]
    fn a_snap_length_is_a_gap_in_every_packet(script in script(), mss in 1..60usize, snaplen in 0..70usize) {
        let packets = script.talk((1, 2), mss).packets;
        // Ethernet, IPv4 and TCP with one option.
        let bytes = wire().cut(58 + snaplen).pcap(&packets);
        prop_assert_eq!(&tale(&bytes, 1000), &vec![expected(&packets, None, snaplen)]);
    }

    #[test]
    fn no_packets_do_harm(
        segments in proptest::collection::vec((any::<bool>(), isn_near(), proptest::option::of(isn_near()), any::<u8>(), 0..50usize, 0..3u32, 0..400_000_000i64), 0..200),
        rank in 0..200usize,
    ) {
        let (a, b) = ("10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap());
        let (mut tale, mut table) = (Tale::default(), Table::new(Limits { connections: 2, bytes: 2000 }));
        let (mut at, mut total) = (0, 0);
        for (n, (forth, seq, ack, flags, len, cut, step)) in segments.into_iter().enumerate() {
            at += step;
            total += len;
            let (from, to) = if forth { (a, b) } else { (b, a) };
            let flags = Flags(flags & if n % 5 == 0 { 0x1f } else { 0x10 });
            let payload = vec![n as u8; len];
            table.segment(&Segment { from, to, seq, ack, flags, payload: &payload, cut }, at, &mut |t| tale.note(t));
            if n == rank {
                table.rank(super::table::Slot(0), if n % 2 == 0 { Rank::Other } else { Rank::Control });
            }
        }
        table.finish(&mut |t| tale.note(t));
        let told: usize = tale.all.iter().flatten().map(|s| if let Seen::Bytes(_, b) = s { b.len() } else { 0 }).sum();
        prop_assert!(told <= total, "{} of {}", told, total);
        prop_assert!(tale.open.is_empty());
    }
}

/// Numbers that are near one another, and now and then not.
fn isn_near() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0xffff_ffc0..=u32::MAX, 8 => 0..64u32, 1 => any::<u32>(), 1 => 0..3_000_000u32]
}

#[test]
fn the_beginning_may_be_missing() {
    let packets = said().packets();
    let whole = expected(&packets, None, usize::MAX);
    for first in 1..packets.len() {
        let all = tale(&wire().pcap(&packets[first..]), usize::MAX);
        let Some(story) = all.first() else {
            assert!(packets[first..].iter().all(|p| p.payload.is_empty()));
            continue;
        };
        let seen: Vec<&Seen> = story.iter().filter(|s| matches!(s, Seen::Bytes(..))).collect();
        let wanted: Vec<&Seen> = whole.iter().filter(|s| matches!(s, Seen::Bytes(..))).collect();
        assert_eq!(seen, wanted[wanted.len() - seen.len()..], "from packet {first}: the order is that of the wire");
        if first > 1 {
            assert!(matches!(story[0], Seen::Gap(_, None)), "{story:?}");
            assert!(!story.contains(&Seen::Opened));
        }
    }
}

#[test]
fn one_direction_alone_is_told() {
    let packets = said().packets();
    for who in [Who::Client, Who::Server] {
        let from = if who == Who::Client { packets[0].from } else { packets[0].to };
        let half: Vec<_> = packets.iter().filter(|p| p.from == from).cloned().collect();
        let bytes: Vec<u8> = said().0.iter().filter(|(w, _)| *w == who).flat_map(|(_, b)| b.clone()).collect();
        let seen = story(&half);
        // What it acknowledges of the other one is a gap at its place.
        let own = |s: &Seen| {
            if let Seen::Bytes(e, b) = s
                && *e == end(who)
            {
                b.clone()
            } else {
                Vec::new()
            }
        };
        assert_eq!(seen.iter().flat_map(own).collect::<Vec<u8>>(), bytes, "{seen:?}");
        assert!(!seen.iter().any(|s| matches!(s, Seen::Gap(e, _) if *e == end(who))));
        assert_eq!(seen[seen.len() - 2..], [Seen::Fin(end(who)), Seen::Gone]);
    }
}

#[test]
fn the_first_bytes_stand_and_the_others_are_told() {
    let packets = said().packets();
    let mut twice = packets.clone();
    let mut other = packets[3].clone();
    other.payload = b"220-Ready\r\n".to_vec();
    twice.insert(4, other);
    let mut wanted = expected(&packets, None, usize::MAX);
    wanted.insert(2, Seen::Conflict(End::Two, 3, 2));
    assert_eq!(story(&twice), wanted);
}

#[test]
fn ports_are_used_again() {
    let first = said().packets();
    let second = said().talk((3_000_000, 9), 1448).packets;
    let all = tale(&wire().pcap(&[first, second].concat()), usize::MAX);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0], all[1]);
}

#[test]
fn a_connection_that_is_refused() {
    let mut packets = Talk::new("10.0.0.1:40000", "10.0.0.2:21").syn().packets;
    let syn = packets[0].clone();
    let reset = |ack| writer::Packet { from: syn.to, to: syn.from, seq: 0, ack: Some(ack), flags: RST, ..syn.clone() };
    packets.push(reset(syn.seq.wrapping_add(1)));
    assert_eq!(story(&packets), [Seen::Reset(End::Two), Seen::Gone]);
    // The same ports, tried again.
    packets.push(writer::Packet { seq: 77, ..syn.clone() });
    packets.push(reset(78));
    assert_eq!(tale(&wire().pcap(&packets), usize::MAX).len(), 2);
}

#[test]
fn a_reset_in_the_middle_counts_and_one_from_elsewhere_does_not() {
    let talk = |t: Talk| t.open().says(Who::Server, b"220 x\r\n").reset(Who::Client);
    let mut packets = talk(Talk::new("10.0.0.1:40000", "10.0.0.2:21")).packets;
    let told = story(&packets);
    assert_eq!(told[2..], [Seen::Reset(End::One), Seen::Gone]);
    let last = packets.last_mut().unwrap();
    last.seq = last.seq.wrapping_sub(70_000);
    assert!(!story(&packets).contains(&Seen::Reset(End::One)));
}

#[test]
fn a_router_that_knows_no_way() {
    let packets = Talk::new("10.0.0.1:40000", "10.0.0.2:21").syn().packets;
    let icmp = [&[3, 1, 0, 0, 0, 0, 0, 0], &packets[0].ip()[..28]].concat();
    let (a, b) = ("10.0.0.9".parse().unwrap(), packets[0].from.ip());
    let frame = [&packets[0].frame(writer::Link::Ethernet)[..14], &writer::ip(a, b, 1, &icmp)].concat();
    let w = wire();
    let bytes = [w.pcap(&packets), w.record(packets[0].at + 5, &frame, frame.len() as u32)].concat();
    assert_eq!(tale(&bytes, usize::MAX), [[Seen::Unreachable(End::Two), Seen::Gone]]);
}

#[test]
fn only_what_has_bytes_or_a_syn_begins_a_connection() {
    let packets = said().packets();
    let alone: Vec<_> = packets.iter().filter(|p| p.payload.is_empty() && p.flags & SYN == 0).cloned().collect();
    assert!(!alone.is_empty());
    assert_eq!(tale(&wire().pcap(&alone), usize::MAX), Vec::<Vec<Seen>>::new());
}

use super::*;

use crate::wire::net::writer::{self, Link, Talk, Who, Wire};

/// What came of a file: frames, and what is said.
type Seen = (Vec<(i64, u32, Vec<u8>, u32)>, Read);

fn pieces(bytes: &[u8], size: usize) -> Seen {
    let mut file = File::new(format(bytes).expect("a capture"));
    let mut frames = Vec::new();
    let mut each = |f: Frame<'_>| frames.push((f.at, f.link, f.data.to_vec(), f.len));
    for piece in bytes.chunks(size) {
        file.feed(piece, &mut each);
    }
    let read = file.finish(&mut each);
    (frames, read)
}

/// Reads a file whole and in pieces: that must not show.
fn read(bytes: &[u8]) -> Seen {
    let whole = pieces(bytes, usize::MAX);
    for size in [1, 2, 3, 7, 16, 61, 1000] {
        assert_eq!(pieces(bytes, size), whole, "pieces of {size}");
    }
    whole
}

fn packets() -> Vec<writer::Packet> {
    Talk::new("10.0.0.1:40000", "10.0.0.2:21")
        .open()
        .says(Who::Server, b"220 ready\r\n")
        .says(Who::Client, b"AUTH TLS\r\n")
        .close()
        .packets
}

fn wires() -> Vec<Wire> {
    let mut out = Vec::new();
    for order in [writer::Order::Big, writer::Order::Little] {
        for unit in [writer::Unit::Micro, writer::Unit::Nano] {
            out.push(Wire::new(Link::Ethernet, order, unit));
        }
    }
    out
}

fn wire() -> Wire {
    wires()[0]
}

fn texts(read: &Read) -> String {
    read.said.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join("; ")
}

#[test]
fn both_formats_in_both_orders_and_units_hold_the_same() {
    let sent: Vec<_> = packets();
    for wire in wires() {
        for bytes in [wire.pcap(&sent), wire.pcapng(&sent)] {
            let (frames, read) = read(&bytes);
            let wanted: Vec<_> = sent
                .iter()
                .map(|p| {
                    let frame = p.frame(Link::Ethernet);
                    (p.at, 1, frame.clone(), frame.len() as u32)
                })
                .collect();
            assert_eq!(frames, wanted, "{wire:?}");
            let frames = sent.len() as u64;
            assert_eq!(read, Read { frames, ..Read::default() });
        }
    }
}

#[test]
fn the_first_bytes_tell_the_format() {
    assert_eq!(format(b""), None);
    assert_eq!(format(b"\xa1\xb2\xc3"), None);
    assert_eq!(format(b"\x0a\x0d\x0d\x0a\0\0\0\x1c"), None);
    assert_eq!(format(b"\x0a\x0d\x0d\x0a\0\0\0\x1c\x4d\x3c\x2b\x1a"), Some(Format::Pcapng));
    assert_eq!(format(b"220 ready\r\n--"), None);
    assert_eq!(foreign(b"snoop\0\0\0\0\0\0\x02").map(|f| f.name), Some("a Solaris snoop capture"));
    assert_eq!(foreign(b"TRSNIFF data    \x1a").map(|f| f.name), Some("a Sniffer (NAI) capture"));
    assert_eq!(foreign(b"snooping"), None);
}

#[test]
fn truncated_at_every_byte_what_is_there_is_used() {
    for wire in wires() {
        for (bytes, header) in [(wire.pcap(&packets()), 24), (wire.pcapng(&packets()), 28)] {
            let (all, _) = pieces(&bytes, usize::MAX);
            for cut in header..bytes.len() {
                let (frames, read) = pieces(&bytes[..cut], usize::MAX);
                assert_eq!(pieces(&bytes[..cut], 5), (frames.clone(), read.clone()));
                let whole = frames.iter().zip(&all).take_while(|(a, b)| a == b).count();
                assert!(frames.len() - whole <= 1, "at most the last one is cut");
                for (part, full) in frames.iter().zip(&all).skip(whole) {
                    assert!(full.2.starts_with(&part.2) && part.3 == full.3);
                }
                assert_eq!(read.frames as usize, frames.len());
                // A few zeros alone are the padding of a data set as well as the beginning of a number.
                let lost = |s: &Said| s.damage == Some(Damage::Torn) || s.text.ends_with("zeros: padding");
                assert!(read.said.iter().all(lost), "{cut}: {read:?}");
                assert!(read.said.len() <= 1);
            }
        }
    }
}

#[test]
fn headers_that_end_early() {
    let bytes = wire().pcap(&packets());
    for cut in 4..24 {
        assert!(texts(&read(&bytes[..cut]).1).contains("inside its header"), "{cut}");
    }
    assert_eq!(read(&bytes[..24]).1, Read::default());
    let ng = wire().pcapng(&packets());
    assert_eq!(read(&ng[..28]).1, Read::default());
}

#[test]
fn a_record_whose_length_lies_costs_only_itself() {
    for wire in wires() {
        let sent = packets();
        let head = wire.pcap(&sent[..2]).len();
        for lie in [u32::MAX, 0x0100_0001, 400_000] {
            let mut bytes = wire.pcap(&sent);
            bytes[head + 8..head + 12].copy_from_slice(&wire.u32(lie));
            let (frames, read) = read(&bytes);
            assert_eq!(frames.len(), sent.len() - 1, "{lie:#x}");
            let behind = wire.pcap(&sent[..3]).len();
            assert_eq!(texts(&read), format!("bytes {head} to {} are no packets", behind - 1));
        }
    }
}

#[test]
fn where_no_packet_follows_the_search_ends() {
    let mut bytes = wire().pcap(&packets()[..1]);
    let end = bytes.len();
    bytes.extend(vec![0xff; 3 << 20]);
    let (frames, read) = pieces(&bytes, 65_536);
    assert_eq!(frames.len(), 1);
    assert!(texts(&read).contains("nothing behind byte"), "{read:?}");
    assert_eq!(pieces(&bytes, usize::MAX).1, read);
    let mut ng = wire().pcapng(&packets()[..1]);
    ng.extend(vec![0xff; 3 << 20]);
    assert!(texts(&pieces(&ng, 1000).1).contains("nothing behind byte"));
    // Headers that all look well and point ahead to none.
    bytes.truncate(end);
    bytes[end - 1] = 0;
    bytes.extend([0xff; 16]);
    bytes.extend(wire().words(&[1_614_304_174, 0, 0x3_0001, 0x3_0001]).repeat(60_000));
    assert_eq!(pieces(&bytes, 4096).0.len(), 1);
}

#[test]
fn zeros_at_the_end_are_padding_and_zeros_within_are_not() {
    for wire in wires() {
        for bytes in [wire.pcap(&packets()), wire.pcapng(&packets())] {
            for len in [1, 5, 15, 16, 17, 79, 20_000] {
                let (frames, read) = read(&[&bytes[..], &vec![0; len]].concat());
                assert_eq!(frames.len(), packets().len());
                assert_eq!(texts(&read), format!("the last {len} bytes are zeros: padding"));
                assert_eq!(read.said[0].damage, None);
            }
            let (_, read) = pieces(&[&bytes[..], &vec![0; 30_000]].concat(), 999);
            assert!(texts(&read).contains("only zeros") && read.said[0].damage.is_some());
        }
        // Blocks of zeros between packets, as when a sparse copy lost some.
        let (a, b) = (wire.pcap(&packets()[..2]), wire.pcap(&packets()[2..]));
        let (frames, read) = read(&[&a[..], &[0; 333], &b[24..]].concat());
        assert_eq!(frames.len(), packets().len());
        assert_eq!(texts(&read), format!("bytes {} to {} are only zeros", a.len(), a.len() + 332));
    }
}

#[test]
fn packets_without_bytes_count() {
    let w = wire();
    let at = packets()[0].at;
    let bytes = [w.pcap_header(), w.record(at, b"", 60), w.record(at, b"", 0), w.record(at, b"abc", 3)].concat();
    let (frames, read) = read(&bytes);
    assert_eq!((frames.len(), read.frames, read.cut, read.said.len()), (3, 3, 1, 0));
}

#[test]
fn the_length_at_which_packets_are_cut_stands_out() {
    let w = wire().cut(60);
    let (_, read) = read(&w.pcap(&packets()));
    assert_eq!((read.cut, read.cut_at), (2, Some(60)), "{read:?}");
}

#[test]
fn old_and_odd_records() {
    let w = wire();
    let data = packets()[0].frame(Link::Ethernet);
    let at = packets()[0].at;
    let swapped = |version: [u16; 2], incl: u32, orig: u32| {
        let mut bytes = w.pcap_header();
        bytes[4..8].copy_from_slice(&[w.u16(version[0]), w.u16(version[1])].concat());
        bytes.extend(w.words(&[(at / 1_000_000_000) as u32, 0, incl, orig]));
        bytes.extend(&data);
        read(&bytes).0.first().map(|f| (f.2.len(), f.3))
    };
    let len = data.len();
    let (kept, wire_len) = (len as u32, 100);
    assert_eq!(swapped([2, 4], kept, wire_len), Some((len, 100)));
    assert_eq!(swapped([2, 3], wire_len, kept), Some((len, 100)));
    assert_eq!(swapped([2, 3], kept, wire_len), Some((len, 100)));
    assert_eq!(swapped([2, 2], wire_len, kept), Some((len, 100)));
    assert_eq!(swapped([2, 4], kept, 3), Some((len, kept)), "the length on the wire is no less than what is there");
    // Kuznetzov's longer records.
    let mut bytes = w.pcap_header();
    bytes[..4].copy_from_slice(&[0xa1, 0xb2, 0xcd, 0x34]);
    bytes.extend(w.record(at, b"", 0)[..8].to_vec());
    bytes.extend(w.words(&[kept, kept, 1, 0x0800_0000]));
    bytes.extend(&data);
    assert_eq!(read(&bytes).0[0].2, data);
    // A fraction of more than a second, a time zone.
    let mut bytes = w.pcap_header();
    bytes[8..12].copy_from_slice(&w.u32(3600));
    bytes.extend(w.words(&[7, 2_000_000, 1, 1]));
    bytes.push(0);
    let (frames, read) = read(&bytes);
    assert_eq!(frames[0].0, 7_000_000_000);
    assert!(texts(&read).contains("time zone") && texts(&read).contains("fraction"));
}

#[test]
fn blocks_that_are_no_packets_are_stepped_over() {
    let w = wire();
    let parts = [
        w.section(),
        w.block(4, b"\0\x01\0\x08\x0a\0\0\x01abc\0"),
        w.interface(),
        w.block(10, b"secret"),
        w.block(0xbad, b"custom"),
        w.block(0x1234, b""),
        w.enhanced(0, 5, b"abc", 3),
        w.block(5, &[&w.words(&[0, 0, 0])[..], &w.option(5, &7u64.to_be_bytes())].concat()),
        w.block(
            5,
            &[&w.words(&[0, 0, 0])[..], &w.option(5, &9u64.to_be_bytes()), &w.option(7, &1u64.to_be_bytes())].concat(),
        ),
    ];
    let (frames, read) = read(&parts.concat());
    assert_eq!(frames, [(5000, 1, b"abc".to_vec(), 3)]);
    assert_eq!(read.dropped, 10, "the last statistics count");
    assert!(texts(&read).contains("TLS secrets"));
    assert!(!format!("{read:?}").contains("secret\""));
}

#[test]
fn obsolete_and_simple_packets() {
    let w = wire().cut(5);
    let simple = w.block(3, &[&w.words(&[9])[..], b"12345"].concat());
    let old = w.block(2, &[&w.u16(0)[..], &w.u16(3), &w.words(&[0, 8, 4, 6]), b"abcd"].concat());
    let none = w.block(2, &[&w.u16(1)[..], &w.u16(0xffff), &w.words(&[0, 8, 4, 6]), b"abcd"].concat());
    let bytes = [w.section(), simple.clone(), w.interface(), old, simple, none].concat();
    let (frames, read) = read(&bytes);
    assert_eq!(frames, [(8000, 1, b"abcd".to_vec(), 6), (8000, 1, b"12345".to_vec(), 9)]);
    assert_eq!((read.frames, read.dropped), (4, 3));
    assert_eq!(texts(&read), "packets of interfaces that the file does not describe are left out");
}

#[test]
fn times_in_any_resolution() {
    let w = wire();
    let time = |options: &[u8], ticks: u64| {
        let interface = w.block(1, &[&w.u16(1)[..], &[0; 2], &w.u32(0), options].concat());
        let bytes = [w.section(), interface, w.enhanced(0, ticks, b"x", 1)].concat();
        read(&bytes).0[0].0
    };
    assert_eq!(time(&w.option(9, &[0]), 3), 3_000_000_000);
    assert_eq!(time(&w.option(9, &[9]), 3), 3);
    assert_eq!(time(&w.option(9, &[12]), 3_000), 3);
    assert_eq!(time(&w.option(9, &[0x8a]), 1024), 1_000_000_000);
    assert_eq!(time(&w.option(9, &[0xff]), u64::MAX), 0);
    assert_eq!(time(&w.option(9, &[0x7f]), u64::MAX), 0);
    assert_eq!(time(&w.option(14, &2u64.to_be_bytes()), 1), 2_000_001_000);
    assert_eq!(time(&w.option(14, &(-1i64).to_be_bytes()), 1_000_000), 0);
    assert_eq!(time(&w.option(14, &u64::MAX.to_be_bytes()[..4]), 1), 1000, "an option that is too short");
    assert_eq!(time(&[0, 9, 0xff, 0xff], 1), 1000, "an option without an end");
    assert_eq!(time(&w.option(9, &[0]), u64::MAX), i64::MAX);
}

#[test]
fn sections_of_either_order_follow_one_another() {
    let [big, .., little] = &wires()[..] else { panic!() };
    let bytes = [big.pcapng(&packets()), little.pcapng(&packets())].concat();
    let (frames, read) = read(&bytes);
    assert_eq!(frames.len(), 2 * packets().len());
    assert_eq!(frames[0], frames[packets().len()]);
    assert_eq!(read.said, []);
}

#[test]
fn blocks_whose_lengths_lie() {
    let w = wire();
    let sent = packets();
    let head = w.pcapng(&sent[..2]).len();
    for lie in [0, 8, 13, 1 << 31, u32::MAX] {
        let mut bytes = w.pcapng(&sent);
        bytes[head + 4..head + 8].copy_from_slice(&w.u32(lie));
        let (frames, read) = read(&bytes);
        assert_eq!(frames.len(), sent.len() - 1, "{lie:#x}");
        assert!(texts(&read).contains("are no packets"), "{read:?}");
    }
    let mut bytes = w.pcapng(&sent);
    let end = w.pcapng(&sent[..3]).len();
    bytes[end - 4..end].copy_from_slice(&w.u32(5));
    let (frames, seen) = read(&bytes);
    assert_eq!(frames.len(), sent.len());
    assert!(texts(&seen).contains("two lengths"));
    // A file that was cut, and another behind it: the next section is found wherever it stands.
    let whole = w.pcapng(&sent);
    let torn = [&whole[..whole.len() - 70], &[0xff; 4097], &whole].concat();
    assert!(read(&torn).0.len() >= 2 * sent.len() - 2);
}

#[test]
fn any_byte_may_be_wrong() {
    for wire in [wires()[0], wires()[3]] {
        for bytes in [wire.pcap(&packets()[3..6]), wire.pcapng(&packets()[3..6])] {
            for at in 12..bytes.len() {
                for value in [0, 1, 0xff] {
                    let mut wrong = bytes.clone();
                    wrong[at] = value;
                    let seen = pieces(&wrong, usize::MAX);
                    assert_eq!(pieces(&wrong, 11), seen, "byte {at} is {value:#x}");
                }
            }
        }
    }
}

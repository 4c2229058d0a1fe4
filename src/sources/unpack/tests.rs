use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;

use super::*;
use crate::error::Damage;

/// What comes out of bytes that are fed so many at a time, and what was wrong.
fn unpacked(bytes: &[u8], size: usize) -> (Vec<u8>, Vec<InputError>) {
    let mut unpack = Unpack::new("x.gz", packing(bytes).unwrap());
    let mut out = Vec::new();
    for piece in bytes.chunks(size) {
        unpack.feed(piece, &mut |b| out.extend_from_slice(b));
    }
    (out, unpack.finish())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::GzBuilder::new()
        .filename("a.pcap")
        .comment("x")
        .extra(vec![1; 7])
        .write(Vec::new(), Compression::default());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = DeflateEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn sum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// How a file is put into an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Put {
    Stored,
    Deflated,
    /// Its lengths and check sum stand behind it.
    Described {
        stored: bool,
        signed: bool,
        long: bool,
    },
    /// Its length needs eight bytes.
    Zip64,
}

const PUTS: [Put; 9] = [
    Put::Stored,
    Put::Deflated,
    Put::Zip64,
    Put::Described { stored: false, signed: true, long: false },
    Put::Described { stored: false, signed: true, long: true },
    Put::Described { stored: false, signed: false, long: false },
    Put::Described { stored: false, signed: false, long: true },
    Put::Described { stored: true, signed: true, long: false },
    Put::Described { stored: true, signed: true, long: true },
];

fn member(name: &str, bytes: &[u8], put: Put) -> Vec<u8> {
    let stored = matches!(put, Put::Stored | Put::Described { stored: true, .. });
    let body = if stored { bytes.to_vec() } else { deflated(bytes) };
    let described = matches!(put, Put::Described { .. });
    let crc = if described { 0 } else { sum(bytes) };
    let (packed, whole) = (body.len() as u32, bytes.len() as u32);
    let mut extra = vec![9, 9, 2, 0, 1, 1];
    if put == Put::Zip64 {
        extra.extend([1, 0, 16, 0]);
        extra.extend([u64::from(whole).to_le_bytes(), u64::from(packed).to_le_bytes()].concat());
    }
    let lengths = match put {
        Put::Zip64 => [u32::MAX; 2],
        Put::Described { .. } => [0; 2],
        _ => [packed, whole],
    };
    let mut out = b"PK\x03\x04".to_vec();
    let method = if stored { 0 } else { 8 };
    for n in [45, if described { 8 } else { 0 }, method, 0, 0] {
        out.extend(u16::to_le_bytes(n));
    }
    out.extend(crc.to_le_bytes());
    lengths.iter().for_each(|n| out.extend(n.to_le_bytes()));
    out.extend((name.len() as u16).to_le_bytes());
    out.extend((extra.len() as u16).to_le_bytes());
    out.extend([name.as_bytes(), &extra, &body].concat());
    if let Put::Described { signed, long, .. } = put {
        out.extend(if signed { &b"PK\x07\x08"[..] } else { b"" });
        out.extend(sum(bytes).to_le_bytes());
        for n in [packed, whole] {
            if long { out.extend(u64::from(n).to_le_bytes()) } else { out.extend(n.to_le_bytes()) }
        }
    }
    out
}

fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    let directory = [&b"PK\x01\x02"[..], &[0; 60], b"PK\x05\x06", &[0; 18]].concat();
    [&members.concat()[..], &directory].concat()
}

/// Text that can be packed, with a descriptor's mark in it.
fn sample() -> Vec<u8> {
    let mut out: Vec<u8> = (0..200u32).flat_map(|n| (n % 97).to_le_bytes()).collect();
    out.splice(100..104, *b"PK\x07\x08");
    out
}

#[test]
fn gzip_of_one_member_and_of_several() {
    let all = sample();
    let (a, b) = all.split_at(500);
    for packed in [
        gzip(&all),
        [gzip(a), gzip(b)].concat(),
        [gzip(&all), vec![0; 900]].concat(),
        [gzip(a), gzip(b""), gzip(b)].concat(),
    ] {
        for size in [1, 7, packed.len()] {
            assert_eq!(unpacked(&packed, size), (all.clone(), vec![]), "{size}");
        }
    }
    let (out, problems) = unpacked(&[gzip(&all), b"more".to_vec()].concat(), 64);
    assert_eq!((out, problems[0].damage), (all.clone(), Damage::Torn));
    let mut bad = gzip(&all);
    let at = bad.len() - 6;
    bad[at] ^= 1;
    assert!(unpacked(&bad, 64).1[0].problem.contains("check sum"));
}

#[test]
fn an_archive_of_one_file_however_it_was_put_there() {
    let all = sample();
    for put in PUTS {
        let beside = [member("logs/", b"", Put::Stored), member("__MACOSX/._a", b"mac", put)].concat();
        for packed in
            [archive(&[member("a.pcap", &all, put)]), archive(&[beside.clone(), member("a.pcap", &all, put), beside])]
        {
            for size in [1, 11, packed.len()] {
                assert_eq!(unpacked(&packed, size), (all.clone(), vec![]), "{put:?} {size}");
            }
        }
        let mut bad = archive(&[member("a.pcap", &all, put)]);
        // Its check sum: in the header, or behind the file.
        let described = matches!(put, Put::Described { .. });
        let at = if described { bad.windows(4).rposition(|w| w == sum(&all).to_le_bytes()).unwrap() } else { 14 };
        bad[at] ^= 1;
        assert_eq!(unpacked(&bad, 100).1.len(), 1, "{put:?}");
    }
}

#[test]
fn more_than_one_file_is_refused_with_their_names() {
    let all = sample();
    for put in PUTS {
        let packed = archive(&[member("a.pcap", &all, put), member("b.pcap", &all, put), member("c", b"x", put)]);
        let mut unpack = Unpack::new("x.zip", Packing::Zip);
        let mut out = Vec::new();
        packed.chunks(50).for_each(|piece| unpack.feed(piece, &mut |b| out.extend_from_slice(b)));
        assert!(unpack.is_refused(), "{put:?}");
        let problem = unpack.finish().remove(0).to_string();
        assert!(
            problem.contains("3 files (a.pcap, b.pcap, c)") && problem.contains("unzip -p x.zip a.pcap"),
            "{put:?} {problem}"
        );
        assert_eq!(out, all, "of the first one alone");
    }
}

#[test]
fn what_cannot_be_unpacked_is_named() {
    let refused = |packed: &[u8]| unpacked(packed, 64).1.remove(0).problem;
    let mut locked = archive(&[member("a.pcap", &sample(), Put::Deflated)]);
    locked[6] |= 1;
    assert_eq!(refused(&locked), "an encrypted archive (a.pcap)");
    let mut other = archive(&[member("a.pcap", &sample(), Put::Deflated)]);
    other[8] = 12;
    assert!(refused(&other).contains("method 12"), "{}", refused(&other));
    assert!(refused(&archive(&[member("a/", b"", Put::Stored)])).contains("without a file"));
}

#[test]
fn a_cut_anywhere_leaves_the_beginning_and_is_said() {
    let all = sample();
    let mut files = vec![gzip(&all), [gzip(&all), gzip(b"x")].concat()];
    files.extend(PUTS.map(|put| archive(&[member("a.pcap", &all, put)])));
    for packed in files {
        let directory = packed.windows(4).position(|w| w == b"PK\x01\x02").unwrap_or(packed.len());
        for cut in 4..packed.len() {
            let (out, problems) = unpacked(&packed[..cut], 1_000);
            assert!(all.starts_with(&out) || out.len() == all.len() + 1, "{cut}");
            let whole = out.len() >= all.len();
            assert!(problems.len() == 1 || whole && (cut >= directory || packed[0] == 0x1f), "{cut}: {problems:?}");
        }
    }
}

#[test]
fn a_bomb_is_bounded() {
    let mut unpack = Unpack::new("x.gz", Packing::Gzip);
    unpack.given = LONGEST - 100;
    unpack.taken = LONGEST;
    let mut n = 0;
    unpack.feed(&gzip(&[7; 100_000]), &mut |b| n += b.len());
    assert!(n <= 100_000 && unpack.finish()[0].problem.contains("unpacks to more than"), "{n}");
    let mut unpack = Unpack::new("x.gz", Packing::Gzip);
    unpack.given = 2 << 30;
    unpack.feed(&gzip(&[7; 100_000]), &mut |_| ());
    assert!(unpack.finish()[0].problem.contains("unpacks to more than"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(kind in 0..2usize, bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1..50usize) {
        let head: &[u8] = [&[0x1f, 0x8b, 8][..], b"PK\x03\x04"][kind];
        let _ = unpacked(&[head, &bytes].concat(), size);
    }

    #[test]
    fn damage_is_survived_and_pieces_do_not_show(
        put in 0..PUTS.len(), at in any::<proptest::sample::Index>(), flip in 0..=255u8, size in 1..700usize,
    ) {
        let mut packed = archive(&[member("a.pcap", &sample(), PUTS[put])]);
        let at = at.index(packed.len() - 4) + 4;
        packed[at] ^= flip;
        prop_assert_eq!(unpacked(&packed, size), unpacked(&packed, packed.len()));
    }
}

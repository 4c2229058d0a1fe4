//! Any bytes as a capture file, whole and in pieces: the same packets, the same remarks.
#![no_main]

use ftpsdiag::capture::file::{File, Format, Frame, Read, format};
use ftpsdiag::capture::table::{Limits, Table};
use ftpsdiag::wire::net::{Link, Packet, packet};
use libfuzzer_sys::fuzz_target;

fn read(kind: Format, bytes: &[u8], size: usize) -> (Vec<(i64, u32, Vec<u8>, u32)>, Read) {
    let mut file = File::new(kind);
    let mut frames = Vec::new();
    let mut each = |f: Frame<'_>| frames.push((f.at, f.link, f.data.to_vec(), f.len));
    for piece in bytes.chunks(size) {
        file.feed(piece, &mut each);
    }
    let read = file.finish(&mut each);
    (frames, read)
}

fuzz_target!(|data: &[u8]| {
    // The first byte says how the file is cut.
    let Some((size, bytes)) = data.split_first() else { return };
    let Some(kind) = format(bytes) else { return };
    let whole = read(kind, bytes, usize::MAX);
    assert_eq!(read(kind, bytes, usize::from(*size) + 1), whole);
    let (frames, read) = whole;
    assert!(read.frames >= frames.len() as u64);
    assert!(frames.iter().map(|f| f.2.len()).sum::<usize>() <= bytes.len());
    let mut table = Table::new(Limits::default());
    for (at, link, data, _) in &frames {
        let Some(link) = Link::of(*link) else { continue };
        if let Packet::Tcp(s) | Packet::Fragment { first: Some(s) } = packet(link, data) {
            table.segment(&s, *at, &mut |_| {});
        }
    }
    table.finish(&mut |_| {});
});

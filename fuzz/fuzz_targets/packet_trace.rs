//! Any lines as a formatted packet trace: no panic, bounded, and the pieces in which they come do not show.
#![no_main]

use ftpsdiag::diagnose;
use ftpsdiag::sources::{Block, Evidence, InputReader, Kind, Options};
use libfuzzer_sys::fuzz_target;

fn read(data: &[u8], size: usize) -> Evidence {
    let mut reader = InputReader::new("fuzz", Options { only: Some(Kind::PacketTrace), ..Options::default() });
    for piece in data.chunks(size) {
        reader.feed(piece);
    }
    reader.finish()
}

fuzz_target!(|data: &[u8]| {
    // The first byte says how the input is cut.
    let Some((size, data)) = data.split_first() else { return };
    let whole = read(data, usize::MAX);
    let pieces = read(data, usize::from(*size) + 1);
    assert_eq!(whole.input.understood, pieces.input.understood);
    assert!(whole.input.understood <= whole.input.lines);
    assert!(whole.input.unread.len() <= 200 && whole.input.assumed.len() <= 80);
    let bytes = |e: &Evidence| -> usize {
        let sessions = e.blocks.iter().filter_map(|b| if let Block::Session(t) = b { Some(t) } else { None });
        sessions.flat_map(|t| &t.entries).map(|e| if let ftpsdiag::transcript::What::Bytes { data, .. } = &e.what { data.len() } else { 0 }).sum()
    };
    // Two digits are a byte; masks have a length of their own.
    assert!(bytes(&whole) <= data.len() + 64 * whole.blocks.len() + 64);
    assert_eq!(bytes(&whole), bytes(&pieces));
    for block in whole.blocks.into_iter().take(3) {
        if let Block::Session(session) = block {
            diagnose(session, &Default::default());
        }
    }
});

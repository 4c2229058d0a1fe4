//! Any bytes in both directions, in two ways of cutting them: the same events, every byte in one of them.
#![no_main]

use ftpsdiag::decode::decode;
use ftpsdiag::transcript::*;
use libfuzzer_sys::fuzz_target;

/// Length-prefixed pieces: the high bit is the sender, the next the layer, the next two an extra event.
fn transcript(mut data: &[u8], cut: usize) -> Transcript {
    let mut t = Transcript::of_one_connection(Clock::Relative);
    while let Some((head, rest)) = data.split_first() {
        let (piece, rest) = rest.split_at((usize::from(head & 0x0f) * 3).min(rest.len()));
        data = rest;
        let from = if head & 0x80 == 0 { Side::Client } else { Side::Server };
        let layer = if head & 0x40 == 0 { Layer::Wire } else { Layer::InsideTls };
        let mut push = |what| t.entries.push(Entry { at: None, conn: ConnId(0), what });
        for part in piece.chunks(cut) {
            push(What::Bytes { from, layer, data: part.to_vec(), fidelity: Fidelity::Exact });
        }
        match head & 0x30 {
            0x10 => push(What::TlsStarts { by: from }),
            0x20 => push(What::Skipped { from, layer, len: u64::from(head & 7), sha256: String::new() }),
            0x30 => push(What::Gap { from, len: None }),
            _ => {}
        }
    }
    t
}

fuzz_target!(|data: &[u8]| {
    let whole = transcript(data, usize::MAX);
    let bytewise = transcript(data, 1);
    let kinds = |t: &Transcript| decode(t).events.into_iter().map(|e| (e.span, e.kind)).collect::<Vec<_>>();
    let events = kinds(&whole);
    assert_eq!(events, kinds(&bytewise));
    let covered: u64 = events.iter().filter_map(|(span, _)| *span).map(|s| s.len()).sum();
    let sent: u64 = whole.entries.iter().map(|e| match &e.what {
        What::Bytes { data, .. } => data.len() as u64,
        What::Skipped { len, .. } => *len,
        _ => 0,
    }).sum();
    assert_eq!(covered, sent);
    assert_eq!(dialogue::parse(&dialogue::write(&whole)).unwrap().entries, whole.entries);
});

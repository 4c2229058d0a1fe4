//! Any bytes, through the chooser and every source, to a report in every format.
#![no_main]

use ftpsdiag::sources::{InputReader, Options, weave};
use ftpsdiag::{Format, Style, diagnose, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // The first byte says how the input is cut: that must not matter, and is tried at once.
    let (size, data) = data.split_first().map_or((64, data), |(n, rest)| (usize::from(*n) + 1, rest));
    let mut reader = InputReader::new("fuzz", Options::default());
    for piece in data.chunks(size) {
        reader.feed(piece);
    }
    for session in weave(vec![reader.finish()]).sessions.into_iter().take(3) {
        let report = diagnose(session, &Default::default());
        assert!(report.verdict.headline.len() <= 72 && report.verdict.headline.is_ascii());
        for format in Format::ALL {
            let shown = render(&report, format, Style { verbose: true, ..Style::default() });
            assert!(shown.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)), "{format}");
        }
    }
});

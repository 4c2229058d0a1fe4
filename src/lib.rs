//! Why does an FTPS handshake fail, and who has to do what?
//!
//! Evidence (a pasted trace, a log, hex, a saved report) becomes a [`Transcript`](transcript::Transcript), that a
//! timeline of events, that facts, findings, and a [`Report`](report::Report) with a verdict. One direction: nothing
//! right of the transcript knows where the bytes came from, nothing left of it knows what they mean.
//!
//! ```
//! use ftpsdiag::{diagnose, read, render, Format, Style};
//!
//! let paste = b"C: \"AUTH TLS\\r\\n\"";
//! let play = b"0 C \"AUTH TLS\\r\\n\"\n1 S \"500 AUTH not understood\\r\\n\"\n2 C closes\n";
//! let reading = read(&[("play.txt", play)]);
//! let report = diagnose(reading.sessions[0].clone(), &Default::default());
//! assert_eq!(report.verdict.by.as_deref(), Some("auth-refused"));
//! println!("{}", render(&report, Format::Text, Style::default()));
//! # let _ = paste;
//! ```

pub mod capture;
pub mod cli;
pub mod codes;
pub mod decode;
pub mod error;
pub mod explain;
pub mod facts;
#[cfg(feature = "live")]
pub mod live;
#[cfg(feature = "live")]
pub mod probe;
pub mod render;
pub mod report;
pub mod rules;
pub mod sources;
pub mod transcript;
pub mod trust;
pub mod wire;

pub use render::{Format, Style, render};
pub use report::diagnose;
pub use sources::Reading;

/// Reads the inputs of one case, each with its name.
pub fn read(inputs: &[(&str, &[u8])]) -> Reading {
    let evidence = inputs.iter().map(|(name, bytes)| {
        let mut reader = sources::InputReader::new(name, sources::Options::default());
        reader.feed(bytes);
        reader.finish()
    });
    sources::weave(evidence.collect())
}

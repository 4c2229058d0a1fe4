//! The dialogue notation: a transcript as text that people read, write and paste.
//!
//! ```text
//! clock utc 2021-02-26T00:00:00Z          what time 0 means; or: clock time-of-day
//! asked "ftp.example.org" explicit        what a live run was asked; verify="NAME", any-certificate,
//!                                         login active ccc empty-file upload
//! conn 0 control host="ftp.example.org" peer=192.0.2.7:21
//!   31 S "220 ready\r\n"                  milliseconds, who, bytes as text …
//!   32 C 1603010005 0100000100            … or as hex, in any mix
//!    - C~ "AUTH TLS\r\n"                  - no time; ~ rebuilt from a log; * inside TLS
//!   40 1> open                            connection 1
//!   41 S closes | resets | ends | starts-tls | silent 10000 | gap 12 | skipped 4096 SHA256
//!   42 failed refused                     the connection could not be opened
//!   43 S* established 0303 C030 group=001D alpn="ftp" resumed
//!   44 "System SSL" says gsk 410 "SSL message format is incorrect"
//! ```
//!
//! It is the format of fixtures and of the examples on the pages, `decode` reads it, and
//! `--format dialogue` writes it. Of the [`Origin`](super::Origin) only what was asked survives the way there and back;
//! everything else does.

mod read;
mod words;
mod write;

pub use read::{Parser, looks_like, parse};
pub use write::{quoted, write};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Code, Fidelity, Side, Transcript, What};

    const PLAY: &str = r#"
      0 open
     31 S "220 ready\r\n"
     32 C~ "AUTH TLS\r\n"       # a comment
     61 C 16030100 05 0100000100
   70.5 S "\"\\\x00"
     80 "System SSL" says gsk 410 "bad # message"
     81 S silent 10000
     91 S closes
"#;

    #[test]
    fn a_play_reads_and_reads_back() {
        let t = parse(PLAY).unwrap();
        assert_eq!(t.entries.len(), 8);
        let What::Bytes { from: Side::Client, fidelity: Fidelity::Rebuilt, data, .. } = &t.entries[2].what else {
            panic!("{:?}", t.entries[2])
        };
        assert_eq!(data, b"AUTH TLS\r\n");
        let What::Claim { code: Some(Code::Gsk(410)), text, .. } = &t.entries[5].what else { panic!() };
        assert_eq!(text, "bad # message");
        assert_eq!(parse(&write(&t)).unwrap(), t);
    }

    #[test]
    fn connections_and_clocks_read_back() {
        let text = "clock time-of-day\nasked \"h:21\" explicit verify=\"other\" any-certificate login ccc upload\nconn 0 control host=\"h\" peer=192.0.2.7:21\nconn 1 data-of=0 question=\"no SNI\"\n01:49:34.380195 1> open\n";
        let t = parse(text).unwrap();
        assert_eq!(write(&t), text);
        assert_eq!(parse("").unwrap(), Transcript::default());
    }

    #[test]
    fn errors_name_the_line() {
        for (bad, line) in [("0 open\n1 X \"a\"\n", 2), ("1 C 123\n", 1), ("1 C \"a\n", 1), ("x open\n", 1)] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.line, Some(line), "{bad}");
        }
    }

    #[test]
    fn prose_does_not_look_like_a_dialogue() {
        for no in ["I have 2 systems", "234 AUTH TLS successful", "2 C compilers", "0 S", "220 Server ready"] {
            assert!(!looks_like(no), "{no}");
        }
        for yes in ["0 open", " 31 S \"220\"", "- C 1603", "2> x", "01:02:03 1> S closes"] {
            assert_eq!(looks_like(yes), yes != "2> x", "{yes}");
        }
    }
}

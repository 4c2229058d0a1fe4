//! Traces that have to be formatted first: named as what they look like, with the command that formats them.
//!
//! The signatures come from one public dissector and from the names of data sets; nothing here is more than a look.

use crate::error::InputError;

/// `INMR01`, `GSKSRVR` and `SYSTCPDA` in EBCDIC.
const INMR01: &[u8] = b"\xc9\xd5\xd4\xd9\xf0\xf1";
const GSKSRVR: &[u8] = b"\xc7\xe2\xd2\xe2\xd9\xe5\xd9";
const SYSTCPDA: &[u8] = b"\xe2\xe8\xe2\xe3\xc3\xd7\xc4\xc1";

/// A blank in EBCDIC.
const BLANK: u8 = 0x40;

/// A record of System SSL: length, entry id, clock, name of the job; the fixed part has this length.
const ENTRY_ID: usize = 4;
const CLOCK: usize = 8;
const JOB: usize = 16;
const FIXED: usize = 44;

/// Clocks of a z/OS between 1999 and 2042 begin so.
const CLOCKS: core::ops::RangeInclusive<u8> = 0xb2..=0xff;

const FORMAT_GSKSRVR: &str = "format it in IPCS with CTRACE COMP(GSKSRVR) FULL, and give the listing";
const FORMAT_SYSTCPDA: &str = "format it in IPCS with CTRACE COMP(SYSTCPDA) SUB((TCPIP)) FULL OPTIONS((DUMP)), or export it with the \
                               option SNIFFER, and give that";

/// What an input looks like that cannot be read as it is, and what to do with it. Binary traces only: a text that names
/// them is none.
pub(super) fn known(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let looks = match head {
        [0x1f, 0x8b, ..] => ("compressed with gzip", "gunzip it first"),
        [b'P', b'K', 3..=8, 4..=8, ..] => ("a zip archive that is empty or of several parts", "unpack it first"),
        [b'B', b'Z', b'h', ..] => ("compressed with bzip2", "bunzip2 it first"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => ("compressed with xz", "unxz it first"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ("compressed with zstd", "unzstd it first"),
        [b'7', b'z', 0xbc, 0xaf, ..] => ("a 7z archive", "unpack it first"),
        _ if head.get(257..262) == Some(b"ustar") => {
            ("a tar archive", "name one of its files: tar -xOf INPUT NAME | ftpsdiag")
        }
        _ if head.get(2..8) == Some(INMR01) => (
            "looks like a data set in the form of TRANSMIT (INMR01)",
            "TSO RECEIVE INDSNAME('its.data.set') makes a data set of it; format that one, and give the listing",
        ),
        _ if !head.contains(&0) => return None,
        _ if holds(head, SYSTCPDA) => {
            ("looks like a trace of packets (SYSTCPDA) that is not formatted", FORMAT_SYSTCPDA)
        }
        _ if holds(head, GSKSRVR) || has_record(head) => {
            ("looks like a component trace of System SSL (GSKSRVR) that is not formatted", FORMAT_GSKSRVR)
        }
        _ if packets(head) >= 2 => ("looks like a trace of packets that is not formatted", FORMAT_SYSTCPDA),
        _ => return None,
    };
    Some(looks)
}

/// Why binary data is refused.
pub(super) fn refuse(name: &str, head: &[u8]) -> InputError {
    let (what, advice) = known(head).or_else(|| by_name(name)).unwrap_or((
        "binary data; expected text (a trace, a log, hex) or a flow that begins with a TLS record",
        "format a trace first: IPCS CTRACE COMP(GSKSRVR) FULL, or the gsktrace command for a GSK_TRACE_FILE",
    ));
    InputError::unreadable(name, what, advice)
}

/// Files whose content has no signature that anybody has published.
fn by_name(name: &str) -> Option<(&'static str, &'static str)> {
    let name = name.rsplit(['/', '\\']).next()?.to_ascii_uppercase();
    if name.starts_with("AMQ") && (name.contains(".SSL") || name.ends_with(".TRC")) {
        let advice =
            "only IBM's support can format it: give AMQERR01.LOG of that minute, or a capture of the connection";
        return Some(("by its name a trace of MQ's TLS (AMQ.SSL.TRC)", advice));
    }
    if name.starts_with("GSKSSL") || name.ends_with(".TRC") {
        let advice = "run: gsktrace FILE > FILE.txt, and give FILE.txt";
        return Some(("by its name a trace file of System SSL (GSK_TRACE_FILE) that is not formatted", advice));
    }
    if name.ends_with(".TRS") || name.ends_with(".TERSE") {
        let advice = "AMATERSE UNPACK makes a data set of it; format that one, and give the listing";
        return Some(("by its name packed with AMATERSE (TRSMAIN)", advice));
    }
    None
}

fn holds(head: &[u8], word: &[u8]) -> bool {
    head.windows(word.len()).any(|w| w == word)
}

/// Whether a record of System SSL as it stands in storage is in it.
fn has_record(head: &[u8]) -> bool {
    head.windows(FIXED).any(|record| {
        let number = |at: usize| record.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
        let len = record.get(..2).and_then(|b| b.try_into().ok()).map(u16::from_be_bytes);
        let job = record.get(JOB..JOB + 8).unwrap_or_default();
        let clock = record.get(CLOCK).is_some_and(|b| CLOCKS.contains(b));
        let long_enough = len.is_some_and(|len| usize::from(len) >= FIXED);
        matches!(number(ENTRY_ID), Some(1 | 2 | 4 | 8 | 0x10 | 0x20)) && clock && long_enough && is_job(job)
    })
}

/// A name of a job in EBCDIC, filled up with blanks: a letter first, then letters and digits.
fn is_job(field: &[u8]) -> bool {
    let letter = |b: u8| matches!(b, 0xc1..=0xc9 | 0xd1..=0xd9 | 0xe2..=0xe9);
    let end = field.iter().position(|b| *b == BLANK).unwrap_or(field.len());
    let Some((name, rest)) = field.split_at_checked(end) else { return false };
    let inside = |b: &u8| letter(*b) || matches!(b, 0xf0..=0xf9 | 0x5b | 0x7b | 0x7c);
    name.len() >= 2
        && name.first().is_some_and(|b| letter(*b))
        && name.iter().all(inside)
        && rest.iter().all(|b| *b == BLANK)
}

/// How many headers of IPv4 with a right checksum and TCP or UDP behind them are in it.
fn packets(head: &[u8]) -> usize {
    let sum =
        |header: &[u8]| header.chunks_exact(2).fold(0u32, |n, w| n + w.iter().fold(0, |n, b| n << 8 | u32::from(*b)));
    let right = |header: &&[u8]| {
        let sum = sum(header);
        let folded = (sum & 0xffff) + (sum >> 16);
        header.starts_with(&[0x45]) && matches!(header.get(9), Some(6 | 17)) && folded == 0xffff
    };
    head.windows(20).filter(right).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text in EBCDIC: capitals, digits, blanks.
    fn ebcdic(text: &str) -> Vec<u8> {
        text.bytes().map(|b| (0..=255).rev().find(|e| crate::wire::ebcdic::to_latin1(*e) == b).unwrap_or(b)).collect()
    }

    fn says(name: &str, head: &[u8]) -> String {
        refuse(name, head).to_string()
    }

    fn record(entry: u32, job: &str) -> Vec<u8> {
        let mut r = vec![0, 60, 0, 0];
        r.extend(entry.to_be_bytes());
        r.extend([0xd9, 0x5f, 1, 2, 3, 4, 5, 6]);
        r.extend(ebcdic(&format!("{job:<8}")));
        r.resize(62, 0);
        r
    }

    #[test]
    fn each_is_refused_with_its_command() {
        let packet = [0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0xf6, 0xb3, 192, 0, 2, 20, 192, 0, 2, 7];
        let packets = [&[0, 0, 0, 9][..], &packet, &[0; 20], &packet].concat();
        let xmit = [&[0x50, 0xe0][..], &ebcdic("INMR01"), &[0; 8]].concat();
        let component = |name: &str| [&ebcdic(name)[..], &[0; 40]].concat();
        for (name, head, want) in [
            ("t", [&[0; 7][..], &record(8, "SJP1")].concat(), "CTRACE COMP(GSKSRVR) FULL"),
            ("t", component("GSKSRVR"), "CTRACE COMP(GSKSRVR) FULL"),
            ("t", component("SYSTCPDA"), "CTRACE COMP(SYSTCPDA)"),
            ("t", packets, "CTRACE COMP(SYSTCPDA)"),
            ("t", xmit, "RECEIVE"),
            ("/var/mqm/trace/AMQ.SSL.TRC", vec![0; 9], "AMQERR01.LOG"),
            ("/tmp/gskssl.83886.trc", vec![0; 9], "gsktrace FILE > FILE.txt"),
            ("dump.trs", vec![2, 0, 0], "AMATERSE UNPACK"),
            ("t", vec![0x1f, 0x8b, 8], "gunzip"),
            ("t", vec![0; 9], "format a trace first"),
        ] {
            let said = says(name, &head);
            assert!(said.contains(want), "{name}: {said}");
        }
        assert!(says("t", &record(4, "SJP1")).contains("looks like"));
    }

    #[test]
    fn what_is_none_is_not_named_so() {
        for head in [record(3, "SJP1"), record(8, "  JP1"), record(8, "A"), ebcdic("CTRACE COMP(GSKSRVR) AND SYSTCPDA")]
        {
            assert_eq!(known(&head), None);
        }
    }
}

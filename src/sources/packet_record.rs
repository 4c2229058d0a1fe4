//! One record of a formatted packet trace (CTRACE COMP(SYSTCPDA) SHORT or FULL): its heading, its fields by name, its sections of hex.
//!
//! `    3 MVSJ     PACKET   00000004 23:39:11.873541 Packet Trace`, then ` Tod Clock : 2002/02/12 23:39:11.873539`, `Source : a`, and so on.
//! What is printed of TCP, and the sections of DUMP, are known from neighbouring reports alone: fields are read by their names wherever
//! they stand, and the bytes of a header outrank what is printed of it.

use core::net::{IpAddr, SocketAddr};

use super::packet_dump::{Dump, Part};
use super::packet_fields::{Fields, date, is_header_of_report};
use super::words::{Word, is_hex};
use crate::transcript::Micros;
use crate::transcript::clock::TimeOfDay;

/// Words of fields that are kept; a record has some eighty.
const WORDS: usize = 512;

/// Kinds of records, as the column "Mnemonic" has them.
const MNEMONICS: [&str; 8] = ["PACKET", "DATA", "X25", "EE", "SCAN", "ATTACK", "OSAENTA", "OSA"];

/// Words behind the time: `Packet Trace`, `Data Trace`.
const DESCRIPTIONS: [&str; 4] = ["Packet", "Data", "Trace", "OSAENTA"];

/// First words of lines of a record that have no blank in front of their colon.
const LINES: [&str; 19] = [
    "ipheader:",
    "protocol:",
    "port:",
    "length:",
    "number:",
    "checksum:",
    "asid:",
    "tcb:",
    "flags:",
    "device:",
    "offset:",
    "qos:",
    "type:",
    "cid:",
    "udp",
    "tcp",
    "icmp",
    "icmpv6",
    ";;",
];

/// The heading of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heading {
    /// Words up to the time.
    words: usize,
    /// When the record was moved to the trace buffer.
    at: Micros,
    /// A record of what a program read or wrote, without packets.
    is_data: bool,
}

/// The heading that these words begin with: number, system, mnemonic, entry id, time. A manual may number its lines too, and a number
/// may be lost.
pub(super) fn heading(words: &[Word]) -> Option<Heading> {
    let word = |n: usize| words.get(n).map(|w| w.text.as_str()).unwrap_or_default();
    let is_number = |w: &str| (1..=10).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_digit());
    // A number at the end of the line before is the last group of its bytes.
    let same_line = |n: usize| words.get(n).map(|w| w.line) == words.get(n + 1).map(|w| w.line);
    let is_front = |n: usize| is_number(word(n)) && same_line(n);
    let before = (0..3).take_while(|n| *n == 0 || is_front(n - 1)).find(|n| MNEMONICS.contains(&word(n + 1)))?;
    let system = word(before);
    let is_system = (1..=8).contains(&system.len())
        && system.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'$' | b'#' | b'@'));
    let at = TimeOfDay::parse(word(before + 3)).filter(|_| word(before + 3).contains('.'))?.0;
    let is_data = word(before + 1) == "DATA";
    let described =
        words.iter().skip(before + 4).take(2).take_while(|w| DESCRIPTIONS.contains(&w.text.as_str())).count();
    (is_system && is_hex(word(before + 2), 8)).then_some(Heading { words: before + 4 + described, at, is_data })
}

/// Whether a line that begins with these words looks like one of a record.
pub(super) fn is_line(words: &[Word]) -> bool {
    let Some(first) = words.first() else { return false };
    let line = || words.iter().take_while(|w| w.line == first.line).map(|w| w.text.as_str());
    let text = first.text.as_str();
    let rule = text.len() >= 8 && (text.bytes().all(|b| b == b'-') || text.bytes().all(|b| b == b'='));
    let apart = line().take(5).skip(1).any(|w| w == ":");
    // ` FTP: 47` alone.
    let decoded = text.len() > 1
        && text.strip_suffix(':').is_some_and(|w| w.bytes().all(|b| b.is_ascii_uppercase()))
        && line().nth(1).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        && line().nth(2).is_none();
    rule || apart
        || decoded
        || text.starts_with("Full=")
        || text.starts_with("Abbrev=")
        || LINES.contains(&text.to_ascii_lowercase().as_str())
        || is_header_of_report(text, line().nth(1))
}

/// A record that is being read.
#[derive(Debug)]
pub(super) struct Record {
    /// Line of the input, from 1.
    pub line: u64,
    heading: Heading,
    awaited: usize,
    words: Vec<String>,
    dump: Dump,
    /// The number behind a heading of a section is still to come.
    counts: bool,
    /// Characters of decoded text that are still to come.
    text: usize,
    /// The last line was one by its looks; what follows a long one may be its rest.
    looked: bool,
}

impl Record {
    pub(super) fn new(heading: Heading, line: u64) -> Self {
        let awaited = heading.words;
        let (words, dump, counts, text, looked) = (Vec::new(), Dump::default(), false, 0, true);
        Self { line, heading, awaited, words, dump, counts, text, looked }
    }

    /// Whether a line that begins with this word goes on with its hex.
    pub(super) fn goes_on(&self, word: &str) -> bool {
        self.dump.goes_on(word)
    }

    /// Whether a word can be nothing but its next bytes.
    pub(super) fn awaits(&self, word: &Word) -> bool {
        self.dump.awaits(word)
    }

    /// Whether its heading is not complete.
    pub(super) fn in_heading(&self) -> bool {
        self.awaited > 0
    }

    /// Whether words are to come that only look like something else.
    pub(super) fn holds_fast(&self) -> bool {
        self.awaited > 0 || self.counts || self.text > 0 || self.dump.holds_fast()
    }

    /// Takes the next word if it belongs to the record. `is_line` says whether it begins a line that looks like one of a record.
    pub(super) fn accept(&mut self, word: &Word, is_line: bool) -> bool {
        if self.awaited > 0 {
            self.awaited -= 1;
            return true;
        }
        let text = word.text.as_str();
        if core::mem::take(&mut self.counts)
            && let Ok(len) = text.parse()
        {
            self.dump.declare(len);
            return true;
        }
        if self.text > 0 && !is_line {
            self.text = self.text.saturating_sub(text.len() + 1);
            return true;
        }
        if word.first && is_line && !self.dump.goes_on(text) {
            self.dump.end_line();
        } else if self.dump.accept(word) {
            return true;
        }
        if word.first {
            let goes_on = self.looked && word.after_full_line;
            if !is_line && !goes_on && !self.ends_a_heading(text) {
                return false;
            }
            self.looked = is_line;
        }
        self.field(text);
        true
    }

    /// A short line may be the rest of one that was broken: a colon, or a number behind a name.
    fn ends_a_heading(&self, text: &str) -> bool {
        text == ":" || self.words.last().is_some_and(|w| w == ":")
    }

    fn field(&mut self, text: &str) {
        if text.len() >= 8 && text.bytes().all(|b| b == b'=') {
            // ` FTP: 47`, a rule, and then so many characters of text.
            let count = match self.words.as_slice() {
                [.., colon, n] if colon == ":" => n.parse().unwrap_or(0),
                _ => 0,
            };
            self.text = count.min(65_535);
            return;
        }
        if self.words.len() >= WORDS {
            return;
        }
        let (name, colon) = match text.strip_suffix(':') {
            Some(name) if !name.is_empty() => (name, true),
            _ => (text, text == ":"),
        };
        if name != ":" {
            self.words.push(name.to_owned());
        }
        if colon {
            self.section();
            self.words.push(":".to_owned());
        }
    }

    /// A heading of a section ends with the colon that comes now.
    fn section(&mut self) {
        let part = match self.words.as_slice() {
            [.., a, b] if a == "IP" && b == "Header" => Part::Ip,
            [.., a, b] if a == "Protocol" && b == "Header" => Part::Protocol,
            [.., b] if b == "Data" => Part::Data,
            _ => return,
        };
        self.dump.begin(part);
        self.counts = true;
    }

    /// What the record says, once it is complete.
    pub(super) fn shown(&self) -> Shown<'_> {
        let f = Fields::new(&self.words);
        let tod = f.first("Tod Clock").map(|at| (date(f.word(at)), TimeOfDay::parse(f.word(at + 1))));
        let at = tod.and_then(|(_, time)| time).map_or(self.heading.at, |t| t.0);
        let address =
            |name: &str| f.first(name).and_then(|n| f.word(n).parse::<IpAddr>().ok()).map(|ip| ip.to_canonical());
        let number = |n: Option<usize>| n.and_then(|n| f.word(n).replace(',', "").parse::<u32>().ok());
        let port = |names: &[&str]| {
            let found = names.iter().find_map(|name| number(f.first(name)));
            found.and_then(|p| u16::try_from(p).ok())
        };
        let end = |ip: Option<IpAddr>, port: Option<u16>| Some(SocketAddr::new(ip?, port?));
        let tcp = f.first("Sequence Number");
        let behind = tcp.unwrap_or(usize::MAX);
        let ip_header =
            number(f.first("Header Length").filter(|n| *n < behind)).unwrap_or(if f.is_v6() { 40 } else { 20 });
        let tcp_header = number(f.behind("Header Length", behind)).unwrap_or(20);
        let whole = number(f.first("Packet Length")).map(|n| n.saturating_sub(ip_header));
        let whole = number(f.first("Payload Length")).or(whole);
        Shown {
            line: self.line,
            at,
            date: tod.and_then(|(date, _)| date),
            is_data: self.heading.is_data,
            from: end(address("Source"), port(&["Source Port"])),
            to: end(address("Destination"), port(&["Dest Port", "Destination Port"])),
            protocol: f.first("Protocol").map(|n| f.word(n)),
            job: f.first("Jobname").or(f.first("Job Name")).map(|n| f.word(n)),
            starts: f.first("State").is_some_and(|n| (n..n + 4).any(|n| f.word(n) == "Starts")),
            goes_on: number(f.first("Segment #").or(f.first("Sequence #"))).is_some_and(|n| n > 0),
            seq: number(tcp),
            ack: number(f.first("Ack Number").or(f.first("Acknowledgement Number"))),
            flags: f.behind("Flags", behind).map(|n| f.flags(n)),
            len: whole.map(|n| n.saturating_sub(tcp_header)),
            dump: &self.dump,
        }
    }
}

/// What a record says. Numbers and addresses are absent where they are not printed, or cannot be read.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub line: u64,
    /// Time of day.
    pub at: Micros,
    /// The day, counted from 1970-01-01.
    pub date: Option<i64>,
    /// What a program read or wrote.
    pub is_data: bool,
    pub from: Option<SocketAddr>,
    pub to: Option<SocketAddr>,
    pub protocol: Option<&'a str>,
    pub job: Option<&'a str>,
    /// The first record of a socket.
    pub starts: bool,
    /// A later piece of a packet that fills several records.
    pub goes_on: bool,
    pub seq: Option<u32>,
    pub ack: Option<u32>,
    pub flags: Option<u8>,
    /// Bytes of data that the segment had.
    pub len: Option<u32>,
    pub dump: &'a Dump,
}

#[cfg(test)]
mod tests {
    use super::super::words::split;
    use super::*;
    use crate::wire::net::Flags;

    const FORMAT: &str = "    3 MVSJ     PACKET   00000004 23:39:11.873541 Packet Trace
 To Interface      : ETH1             Device: QDIO Ethernet    Full=62
  Tod Clock        : 2002/02/12 23:39:11.873539
  Sequence #       : 0                Flags: Pkt Ver2 Out
  Source Port      : 1025             Dest Port: 21    Asid: 001E TCB: 007F62C0
  IpHeader: Version : 4                Header Length: 20
  Tos              : 00               QOS: Routine Normal Service
  Packet Length    : 62               ID Number: 000E
  Fragment         :                  Offset: 0
  TTL              : 64               Protocol: TCP         CheckSum: A6FB FFFF
  Source           : 9.67.113.65
  Destination      : 9.37.80.3

 TCP
  Source Port      : 1025  ()         Destination Port: 21    (ftp)
  Sequence Number  : 1,915,280,662    Ack Number: 1915280258
  Header Length    : 32               Flags: Ack Psh
  Window Size      : 32768            CheckSum: AD0B FFFF";

    fn read(text: &str) -> (Record, usize) {
        let mut after_full_line = false;
        let words: Vec<Word> = text
            .lines()
            .zip(1u64..)
            .flat_map(|(l, n)| {
                let words = split(l, n, after_full_line);
                after_full_line = l.len() >= 58;
                words
            })
            .collect();
        let mut record = Record::new(heading(&words).unwrap(), 1);
        let taken = (0..words.len()).take_while(|n| {
            let rest = &words[*n..];
            record.accept(&rest[0], rest[0].first && is_line(rest))
        });
        let taken = taken.count();
        (record, words.len() - taken)
    }

    #[test]
    fn fields_by_their_names() {
        let narrow: String = FORMAT.split_inclusive(' ').fold(String::new(), |mut out, word| {
            if out.len() - out.rfind('\n').unwrap_or(0) + word.trim_end().len() > 60 {
                out.push('\n');
            }
            out + word
        });
        let collapsed = FORMAT.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ") + "\n");
        for text in [FORMAT.to_owned(), FORMAT.replace('\n', " "), narrow, collapsed.collect()] {
            let (record, left) = read(&text);
            let shown = record.shown();
            assert_eq!(left, 0, "{text}");
            assert_eq!(shown.from, "9.67.113.65:1025".parse().ok());
            assert_eq!(shown.to, "9.37.80.3:21".parse().ok());
            assert_eq!((shown.seq, shown.ack), (Some(1_915_280_662), Some(1_915_280_258)));
            assert_eq!((shown.flags, shown.len), (Some(Flags::ACK | Flags::PSH), Some(10)));
            assert_eq!((shown.date, TimeOfDay(shown.at).to_string().as_str()), (Some(11_730), "23:39:11.873539"));
            assert!(!shown.goes_on && !shown.is_data);
        }
    }

    #[test]
    fn a_record_ends_where_prose_begins() {
        let (_, left) = read(&format!("{FORMAT}\nWhat does this mean?\nRegards"));
        assert_eq!(left, 5);
        let ftp =
            " FTP: 12\n===============================================================================\n220 Welcome\n";
        let (_, left) = read(&format!("{FORMAT}\n{ftp}Now what?"));
        assert_eq!(left, 2);
    }

    #[test]
    fn headings_in_the_shapes_that_may_be() {
        let at = |line: &str| heading(&split(line, 1, false)).map(|h| h.words);
        assert_eq!(at("    3 MVSJ     PACKET   00000001 23:39:11.873541 Packet Trace"), Some(7));
        assert_eq!(at("1   3 MVSJ     PACKET   00000001 23:39:11.873541 Packet Trace"), Some(8));
        assert_eq!(at("MVSJ PACKET 00000001 23:39:11.873541 Packet Trace"), Some(6));
        assert_eq!(at("4521 MVS118   SCAN     03030000 17:38:32.175560 Scan-Normal packet"), Some(5));
        let mut broken = split("0100", 1, false);
        broken.extend(split(" 5 MVSJ     PACKET   00000001 23:39:11.873541 Packet Trace", 2, false));
        assert_eq!((heading(&broken), heading(&broken[1..]).map(|h| h.words)), (None, Some(7)));
        for other in [
            "S0W1 MESSAGE 00000004 20:43:45.522449 SSL_ERROR",
            "3 MVSJ PACKET 00000001 at noon",
            "the PACKET 00000001 23:39:11.873541",
        ] {
            assert_eq!(at(other), None, "{other}");
        }
    }

    #[test]
    fn sections_of_hex() {
        let dump = "    3 MVSJ     PACKET   00000004 23:39:11.873541 Packet Trace
 IP Header              : 20
000000 45000028 00004000 3E015914 092A6947
000010 092A6826
 Protocol Header        : 8
000000 08005592 0B3F0000
 Data                   : 12     Data Length: 12
000000 AEBCDB3D 03340A00 00000000          |............     ...=.4......    |
-------------------------------------------------------------------------------";
        let (record, left) = read(dump);
        let shown = record.shown();
        assert_eq!(left, 0);
        assert_eq!(shown.dump.part(Part::Ip).0.len(), 20);
        assert_eq!(shown.dump.part(Part::Protocol).0, [8, 0, 0x55, 0x92, 0x0b, 0x3f, 0, 0]);
        assert_eq!((shown.dump.part(Part::Data).0.len(), shown.dump.part(Part::Data).1), (12, Some(12)));
        let (joined, left) = read(&dump.replace('\n', " "));
        assert_eq!((left, joined.shown().dump.part(Part::Data).0.len()), (0, 12));
    }
}

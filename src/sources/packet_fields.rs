//! The fields of a record of a packet trace, by their names: `Sequence Number : 1,915,280,662    Ack Number: 1915280258`.

use super::packet_summary::flag;
use crate::transcript::Micros;
use crate::transcript::clock::UnixMicros;

/// Fields that are read, in the words of the report.
const FIELDS: [&str; 21] = [
    "Tod Clock",
    "Source Port",
    "Dest Port",
    "Destination Port",
    "Sequence Number",
    "Ack Number",
    "Acknowledgement Number",
    "Header Length",
    "Packet Length",
    "Payload Length",
    "Data Length",
    "Destination",
    "Source",
    "Protocol",
    "Flags",
    "Jobname",
    "Job Name",
    "State",
    "Version",
    "Segment #",
    "Sequence #",
];

/// `2002/02/12`, as days since 1970-01-01.
pub(super) fn date(word: &str) -> Option<i64> {
    let shape = |(n, b): (usize, u8)| if n == 4 || n == 7 { b == b'/' } else { b.is_ascii_digit() };
    if word.len() != 10 || !word.bytes().enumerate().all(shape) {
        return None;
    }
    let midnight = format!("{}T00:00:00Z", word.replace('/', "-"));
    let at = UnixMicros::parse_rfc3339(&midnight)?;
    Some(at.0.div_euclid(Micros::DAY.0 as i64))
}

/// The words of a record, in which a colon stands alone.
pub(super) struct Fields<'a> {
    words: &'a [String],
    /// The names that were found, with the place of their values.
    found: Vec<(&'static str, usize)>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(words: &'a [String]) -> Self {
        let mut found = Vec::new();
        for (n, _) in words.iter().enumerate().filter(|(_, w)| *w == ":") {
            let name = |count: usize| n.checked_sub(count).and_then(|from| words.get(from..n)).map(|w| w.join(" "));
            let known = |name: String| FIELDS.iter().find(|f| **f == name).copied();
            if let Some(field) = name(2).and_then(known).or_else(|| name(1).and_then(known)) {
                found.push((field, n + 1));
            }
        }
        Self { words, found }
    }

    pub(super) fn word(&self, n: usize) -> &'a str {
        self.words.get(n).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn first(&self, name: &str) -> Option<usize> {
        self.found.iter().find(|(f, _)| *f == name).map(|(_, n)| *n)
    }

    /// The first one behind a place.
    pub(super) fn behind(&self, name: &str, place: usize) -> Option<usize> {
        self.found.iter().find(|(f, n)| *f == name && *n > place).map(|(_, n)| *n)
    }

    pub(super) fn is_v6(&self) -> bool {
        self.first("Version").is_some_and(|n| self.word(n) == "6")
    }

    /// `Ack Psh`, from a place on.
    pub(super) fn flags(&self, n: usize) -> u8 {
        let words = self.words.iter().skip(n).map(|w| flag(w.trim_end_matches(',')));
        words.map_while(|flag| flag).fold(0, |all, flag| all | flag)
    }
}

/// ` To Interface`, ` From Link`: they may be cut by a mail program before their colon.
pub(super) fn is_header_of_report(first: &str, second: Option<&str>) -> bool {
    matches!(first, "To" | "From") && matches!(second, Some("Interface" | "Link" | "Jobname"))
}

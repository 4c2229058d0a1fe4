//! Packet traces of z/OS (CTRACE COMP(SYSTCPDA)) as IPCS formats them, as the reader of a paste meets them: SUMMARY, FORMAT and DUMP.

use super::Kind;
use super::Options;
use super::packet_fields::date;
use super::packet_flow::Packets;
use super::packet_record::{Heading, Record, heading, is_line};
use super::packet_summary::{self, Summary};
use super::source::{Beginning, Found, Place, Source};
use super::words::Word;
use crate::capture;

/// Words of a line that was broken, on the next one.
const REST: usize = 6;

/// What is open.
#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    Summary(Box<Summary>),
    Record(Box<Record>),
    /// A line of the report's head; so many words of it whatever they are, then the rest of the line.
    Head(usize),
}

/// Numbers that somebody put in front of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Number {
    #[default]
    None,
    Here,
    Before,
}

/// What begins.
#[derive(Debug)]
enum Next {
    Summary(Box<Summary>),
    Record(Heading),
    Head(usize),
}

/// The open record, and the packets of those before it.
#[derive(Debug)]
pub(super) struct Reader {
    packets: Packets,
    open: Open,
    next: Option<Next>,
    /// Whether the word that comes next begins a line that looks like one of a record.
    is_line: bool,
    /// The word that comes next is the number of a line of hex, or the first word behind it.
    number: Number,
    /// The date of a page that begins: that of its first record.
    date: Option<i64>,
    is_local: bool,
}

impl Reader {
    /// Packets of these ports are FTP whatever shows there; one session may be wanted alone.
    pub(super) fn new(options: &Options) -> Self {
        let options = capture::Options { ports: options.ports.clone(), only_session: options.only_session };
        let (open, next, is_line, date, is_local) = (Open::Nothing, None, false, None, false);
        Self { packets: Packets::new(&options), open, next, is_line, number: Number::None, date, is_local }
    }

    /// Lines of the report's head: they name the component, the date and the zone.
    fn head(&mut self, place: &Place<'_>) -> Option<Next> {
        let word = |n: usize| place.words.get(n).map(|w| w.text.as_str()).unwrap_or_default();
        let ahead =
            |a: &str, b: &str| place.words.windows(2).any(|w| matches!(w, [x, y] if x.text == a && y.text == b));
        match (word(0), word(1)) {
            ("****", day) if date(day).is_some() => {
                let day = date(day);
                let ours = place.known
                    || ahead("-", "Inbound")
                    || ahead("DP", "Nr")
                    || ahead("RcdNr", "Sysname")
                    || (2..5).any(|n| self.begins_at(place.words.get(n..).unwrap_or_default()).is_some());
                if ours {
                    self.date = day;
                }
                ours.then_some(Next::Head(2))
            }
            ("DP", "Nr") | ("RcdNr", "Sysname") => Some(Next::Head(2)),
            ("I", "-") if word(2) == "Inbound" => Some(Next::Head(3)),
            ("O", "-") if word(2) == "Outbound" => Some(Next::Head(3)),
            (component, _) if component.starts_with("COMP(SYSTCPDA)") => Some(Next::Head(1)),
            (rule, _) if place.known && rule.len() >= 5 && rule.bytes().all(|b| b == b'-') => Some(Next::Head(1)),
            ("Local", option) if place.known && option.contains('(') => {
                self.is_local = true;
                None
            }
            _ => None,
        }
    }

    /// Whether these words begin a line of the open record, as far as it looks. A few words between two such lines are the rest of
    /// the first one, or the number of a line that was empty.
    fn looks(&self, words: &[Word]) -> bool {
        let Some(first) = words.first().filter(|w| w.first) else { return false };
        let Open::Record(record) = &self.open else { return false };
        let end = words.iter().position(|w| w.line != first.line);
        let next = end.filter(|n| *n <= REST).and_then(|n| words.get(n..)).unwrap_or_default();
        let goes_on = |w: &Word| record.goes_on(&w.text);
        is_line(words) || !goes_on(first) && (is_line(next) || next.first().is_some_and(goes_on))
    }

    /// Whether a number of a line stands in front of hex.
    fn is_number(&self, words: &[Word]) -> bool {
        let (Open::Record(record), [number, offset, ..]) = (&self.open, words) else { return false };
        let is_number = number.first && number.text.len() <= 5 && number.text.bytes().all(|b| b.is_ascii_digit());
        is_number && offset.line == number.line && record.goes_on(&offset.text) && !record.goes_on(&number.text)
    }

    fn begins_at(&self, words: &[Word]) -> Option<Next> {
        let summary = || packet_summary::begins(words).map(|s| Next::Summary(Box::new(s)));
        heading(words).map(Next::Record).or_else(summary)
    }
}

impl Source for Reader {
    fn kind(&self) -> Kind {
        Kind::PacketTrace
    }

    fn begins(&mut self, place: &Place<'_>) -> Option<Beginning> {
        self.is_line = self.looks(place.words);
        if self.is_number(place.words) {
            self.number = Number::Here;
        }
        // The heading of the open record is its own, also without its number.
        let in_heading = match &self.open {
            Open::Record(record) => record.in_heading() || place.words.first().is_some_and(|w| record.awaits(w)),
            Open::Head(awaited) => *awaited > 0,
            Open::Summary(_) | Open::Nothing => false,
        };
        self.next = if in_heading { None } else { self.begins_at(place.words).or_else(|| self.head(place)) };
        self.next.as_ref().map(|_| Beginning { before: 0, weak: false })
    }

    fn open(&mut self, place: &Place<'_>, _front: &[Word]) {
        let line = place.words.first().map_or(0, |w| w.line);
        self.number = Number::None;
        self.open = match self.next.take() {
            Some(Next::Summary(summary)) => Open::Summary(summary),
            Some(Next::Record(heading)) => Open::Record(Box::new(Record::new(heading, line))),
            Some(Next::Head(words)) => Open::Head(words),
            None => Open::Nothing,
        };
    }

    fn accept(&mut self, word: &Word) -> bool {
        match &mut self.open {
            Open::Nothing => false,
            Open::Summary(summary) => summary.accept(word),
            Open::Record(record) => match core::mem::take(&mut self.number) {
                Number::Here => {
                    self.number = Number::Before;
                    true
                }
                Number::Before => record.accept(&Word { first: true, ..word.clone() }, false),
                Number::None => record.accept(word, self.is_line),
            },
            Open::Head(awaited) => {
                let due = *awaited > 0;
                *awaited = awaited.saturating_sub(1);
                due || !word.first
            }
        }
    }

    fn close(&mut self) {
        match core::mem::take(&mut self.open) {
            Open::Nothing | Open::Head(_) => {}
            Open::Summary(summary) => self.packets.summary(&summary, self.date.take()),
            Open::Record(record) => self.packets.record(&record.shown(), self.date.take()),
        }
    }

    fn holds_fast(&self) -> bool {
        match &self.open {
            Open::Nothing | Open::Head(_) => false,
            Open::Summary(summary) => summary.holds_fast(),
            Open::Record(record) => record.holds_fast(),
        }
    }

    fn finish(&mut self) -> Found {
        let empty = Packets::new(&capture::Options::default());
        core::mem::replace(&mut self.packets, empty).finish(self.is_local)
    }
}

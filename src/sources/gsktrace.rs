//! A System SSL trace file (GSK_TRACE_FILE) as the gsktrace command formats it: one heading a record, then the same texts and
//! dumps as in the component trace.
//!
//! `02/26/2021-01:49:34 Thd-0 INFO send_v3_client_hello(): Sent V3 CLIENT-HELLO message`. Nobody has confirmed this layout, so only
//! what makes a heading is asked for: a time, a thread, a level and the name of a function.

use super::Kind;
use super::gsk_record::Record;
use super::gsksrvr::Trace;
use super::source::{Beginning, Found, Place, Source};
use super::words::Word;
use crate::transcript::Micros;
use crate::transcript::clock::TimeOfDay;

/// Noted when a heading of this kind was read.
const UNCONFIRMED: &str =
    "the layout of a gsktrace file is not confirmed: its headings were read tolerantly, its dumps by their offsets";

/// The levels of a record; the component trace writes them behind `SSL_`.
const LEVELS: [&str; 7] = ["ENTRY", "EXIT", "ERROR", "INFO", "EBCDIC_DUMP", "ASCII_DUMP", "DUMP"];

/// The open record, and the threads of those before it.
#[derive(Debug, Default)]
pub(super) struct Reader {
    trace: Trace,
    record: Option<Box<Record>>,
    /// What begins, and the words of its heading that are still to come.
    heading: Option<Heading>,
    awaited: usize,
    /// The day of the first record that names one.
    date: Option<String>,
    seen: bool,
}

/// The heading of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Heading {
    words: usize,
    date: Option<String>,
    /// `None` where a manual left time and thread out.
    at: Option<Micros>,
    thread: String,
    level: &'static str,
    function: String,
}

/// `ERROR read_v3_alert(): ...`, as manuals and tickets quote a record without its time and thread; functions of System SSL alone.
fn bare(words: &[Word]) -> Option<Heading> {
    let word = |n: usize| words.get(n).filter(|w| w.line == words.first().map_or(0, |f| f.line));
    let leads = words.first().is_some_and(|w| w.first);
    let level = LEVELS.iter().copied().find(|l| leads && *l == words.first().map_or("", |w| w.text.as_str()))?;
    let function = word(1)?.text.strip_suffix("():")?;
    let of_ssl = function.starts_with("gsk_") || function.contains("_v3_") || function.contains("_tls13_");
    let is_name = function.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (of_ssl && is_name && word(2).is_some()).then(|| Heading {
        words: 2,
        date: None,
        at: None,
        thread: String::new(),
        level,
        function: function.to_owned(),
    })
}

/// The heading that these words begin with.
fn heading(words: &[Word]) -> Option<Heading> {
    let word = |n: usize| words.get(n).map(|w| w.text.as_str()).unwrap_or_default();
    let mut n = 0;
    let (date, at) = match stamp(word(0)) {
        Some(found) => found,
        None if is_date(word(0)) => {
            n += 1;
            (Some(word(0).to_owned()), stamp(word(1))?.1)
        }
        None => return None,
    };
    n += 1;
    let thread = ["Thd", "Thread", "thd", "thread"].iter().find_map(|t| word(n).strip_prefix(t))?;
    let mut thread = thread.trim_start_matches(['-', ':', '=']).to_owned();
    n += 1;
    if thread.is_empty() {
        word(n).clone_into(&mut thread);
        n += 1;
    }
    let level = word(n).trim_end_matches(':').trim_start_matches("SSL_");
    let level = LEVELS.iter().copied().find(|l| *l == level)?;
    n += 1;
    let called = word(n).trim_end_matches(':');
    let function = called.strip_suffix("()").unwrap_or(called);
    let is_name = function.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !function.is_empty();
    let marked = called.len() > function.len() || word(n).ends_with(':');
    let is_thread = !thread.is_empty() && thread.len() <= 16 && thread.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_name && marked && is_thread).then(|| Heading {
        words: n + 1,
        date,
        at: Some(at),
        thread,
        level,
        function: function.to_owned(),
    })
}

/// `02/26/2021-01:49:34`, or the time alone.
fn stamp(word: &str) -> Option<(Option<String>, Micros)> {
    let time = |text: &str| TimeOfDay::parse(text).filter(|_| text.contains(':')).map(|t| t.0);
    match word.split_once('-') {
        Some((date, text)) if is_date(date) => Some((Some(date.to_owned()), time(text)?)),
        _ => Some((None, time(word)?)),
    }
}

/// `02/26/2021`
fn is_date(word: &str) -> bool {
    let shape = |(n, b): (usize, u8)| if n == 2 || n == 5 { b == b'/' } else { b.is_ascii_digit() };
    word.len() == 10 && word.bytes().enumerate().all(shape)
}

impl Source for Reader {
    fn kind(&self) -> Kind {
        Kind::Gsktrace
    }

    fn begins(&mut self, place: &Place<'_>) -> Option<Beginning> {
        self.heading = heading(place.words).or_else(|| bare(place.words));
        self.heading.as_ref().map(|h| Beginning { before: 0, weak: h.at.is_none() })
    }

    fn open(&mut self, place: &Place<'_>, _front: &[Word]) {
        let Some(heading) = self.heading.take() else { return };
        let line = place.words.first().map_or(0, |w| w.line);
        (self.seen, self.awaited) = (true, heading.words);
        self.date = self.date.take().or(heading.date);
        let description = format!("SSL_{}", heading.level);
        let record = Record::headed(line, heading.at, description, heading.thread, heading.function);
        self.record = Some(Box::new(record));
    }

    fn accept(&mut self, word: &Word) -> bool {
        if self.awaited > 0 {
            self.awaited -= 1;
            return true;
        }
        self.record.as_mut().is_some_and(|r| r.accept(word))
    }

    fn close(&mut self) {
        if let Some(record) = self.record.take() {
            self.trace.record(&record.fact(&mut String::new()));
        }
        self.awaited = 0;
    }

    fn holds_fast(&self) -> bool {
        self.awaited > 0
    }

    fn finish(&mut self) -> Found {
        let mut found = self.trace.finish();
        if self.seen {
            let day = self.date.take();
            found.assumed.insert(0, UNCONFIRMED.to_owned());
            found
                .assumed
                .extend(day.map(|day| format!("the trace began on {day}, in a time zone that it does not name")));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::split;
    use super::*;

    #[test]
    fn headings_in_the_shapes_that_may_be() {
        for line in [
            "02/26/2021-01:49:34 Thd-0 INFO send_v3_client_hello(): Sent V3 CLIENT-HELLO message",
            "02/26/2021 01:49:34 Thd-0 INFO send_v3_client_hello(): x",
            "01:49:34 Thd-0 INFO send_v3_client_hello(): x",
            "01:49:34.380195 Thread-0 INFO send_v3_client_hello: x",
            "02/26/2021-01:49:34 Thd 0 SSL_INFO send_v3_client_hello() x",
        ] {
            let h = heading(&split(line, 1, false)).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(
                (h.thread.as_str(), h.level, h.function.as_str()),
                ("0", "INFO", "send_v3_client_hello"),
                "{line}"
            );
            assert_eq!(
                h.at.map(|at| TimeOfDay(at).to_string()).unwrap_or_default().get(..8),
                Some("01:49:34"),
                "{line}"
            );
        }
        for line in [
            "01:49:34 Thd-0 INFO the client sent it",
            "01:49:34 INFO send_v3_client_hello(): x",
            "Thd-0 INFO send_v3_client_hello(): x",
            "02/26/2021 Thd-0 INFO send_v3_client_hello(): x",
            "01:49:34 Thd-0 WARN send_v3_client_hello(): x",
            "01:49:34 TCPIP EZD1286I x",
        ] {
            assert_eq!(heading(&split(line, 1, false)), None, "{line}");
        }
    }

    #[test]
    fn records_without_time_and_thread() {
        let function = |line: &str| bare(&split(line, 1, false)).map(|h| h.function);
        let of = |line: &str| function(line).unwrap_or_default();
        assert_eq!(of("ERROR read_v3_alert(): SSL V3 alert 46 received from 192.0.2.20"), "read_v3_alert");
        assert_eq!(of("EXIT gsk_secure_socket_init(): <--- Exit status 0x0000019e (414)"), "gsk_secure_socket_init");
        for line in ["ERROR main(): no such file", "ERROR gsk_open: x", "see ERROR gsk_open(): x", "ERROR gsk_open():"]
        {
            assert_eq!(function(line), None, "{line}");
        }
    }
}

//! Records of a System SSL trace, as the reader of a paste meets them.

use super::Kind;
use super::gsk_record::{Fact, Record, begins, begins_without_heading};
use super::gsk_session::Ended;
use super::gsksrvr::Trace;
use super::source::{Beginning, Found, Place, Source};
use super::words::Word;

/// The open record, and the threads of those before it.
#[derive(Debug, Default)]
pub(super) struct Reader {
    trace: Trace,
    record: Option<Box<Record>>,
    /// Whether the record that begins has lost its heading.
    headless: bool,
}

impl Source for Reader {
    fn kind(&self) -> Kind {
        Kind::Gsksrvr
    }

    fn begins(&mut self, place: &Place<'_>) -> Option<Beginning> {
        let before = begins(place.words);
        self.headless = before.is_none();
        let waits = || self.record.as_ref().is_some_and(|r| r.awaits_job());
        let before = before.or_else(|| (begins_without_heading(place.words) && !waits()).then_some(0))?;
        Some(Beginning { before, weak: false })
    }

    fn open(&mut self, place: &Place<'_>, front: &[Word]) {
        let line = place.words.first().map_or(0, |w| w.line);
        let mut record = Box::new(Record::new(line, self.headless));
        // The system's name would otherwise hide the beginning that it belongs to.
        for word in front {
            record.accept(word);
        }
        self.record = Some(record);
    }

    fn accept(&mut self, word: &Word) -> bool {
        self.record.as_mut().is_some_and(|r| r.accept(word))
    }

    fn close(&mut self) {
        if let Some(record) = self.record.take() {
            self.trace.record(&record.fact(&mut String::new()));
        }
    }

    fn fact(&mut self, fact: &Fact<'_>) {
        self.trace.record(fact);
    }

    fn ended(&self) -> usize {
        self.trace.ended()
    }

    fn take_ended(&mut self) -> Option<Ended> {
        self.trace.take_ended()
    }

    /// A heading has its words by their places, whatever they look like.
    fn holds_fast(&self) -> bool {
        self.record.as_ref().is_some_and(|r| r.is_heading())
    }

    fn finish(&mut self) -> Found {
        self.trace.finish()
    }
}

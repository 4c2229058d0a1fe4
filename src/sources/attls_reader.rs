//! Messages of AT-TLS, as the reader of a paste meets them.

use super::Kind;
use super::attls::{Form, Record, begins};
use super::attls_log::Log;
use super::source::{Beginning, Found, Place, Source};
use super::words::Word;

/// The open message, and the connections of those before it.
#[derive(Debug, Default)]
pub(super) struct Reader {
    log: Log,
    record: Option<Record>,
    /// What begins.
    form: Option<Form>,
}

impl Source for Reader {
    fn kind(&self) -> Kind {
        Kind::AtTls
    }

    fn begins(&mut self, place: &Place<'_>) -> Option<Beginning> {
        let before = place.prefix.map_or(0, |p| p.words);
        let words = place.words.get(before..)?;
        let leads = before > 0 || words.first()?.first;
        self.form = begins(words, leads);
        // The fields of a message that has only begun.
        let inside = self.record.as_ref().is_some_and(Record::awaits_diagnostics);
        let bare = words.first().is_some_and(|w| super::cert_diag::begins(&w.text));
        self.form = self.form.filter(|_| !(inside && bare));
        self.form.map(|_| Beginning { before, weak: false })
    }

    fn open(&mut self, place: &Place<'_>, _front: &[Word]) {
        let Some(form) = self.form.take() else { return };
        let line = place.words.first().map_or(0, |w| w.line);
        self.record = Some(Record::new(form, place.prefix.and_then(|p| p.at), line));
    }

    fn accept(&mut self, word: &Word) -> bool {
        self.record.as_mut().is_some_and(|r| r.accept(word))
    }

    fn close(&mut self) {
        if let Some(record) = self.record.take() {
            self.log.record(record);
        }
    }

    fn holds_fast(&self) -> bool {
        self.record.as_ref().is_some_and(Record::holds_fast)
    }

    fn finish(&mut self) -> Found {
        self.log.finish()
    }
}

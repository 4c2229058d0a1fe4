//! Configuration, as the reader of a paste meets it.

use super::Kind;
use super::source::{Beginning, Found, Place, Source};
use super::words::Word;
use super::zos_config::{Config, DENIED, Form, Record};

/// The open record, and the statements before it.
#[derive(Debug, Default)]
pub(super) struct Reader {
    config: Config,
    record: Option<Record>,
    /// What begins.
    form: Option<Form>,
}

impl Source for Reader {
    fn kind(&self) -> Kind {
        Kind::ZosConfig
    }

    fn begins(&mut self, place: &Place<'_>) -> Option<Beginning> {
        let before = place.prefix.map_or(0, |p| p.words);
        if place.words.get(before).is_some_and(|w| w.text == DENIED && (before > 0 || w.first)) {
            self.form = Some(Form::Denied);
            return Some(Beginning { before, weak: false });
        }
        self.form = self.config.begins(place.words);
        self.form.map(|_| Beginning { before: 0, weak: false })
    }

    fn open(&mut self, _place: &Place<'_>, _front: &[Word]) {
        self.record = self.form.take().map(Record::new);
    }

    fn accept(&mut self, word: &Word) -> bool {
        self.record.as_mut().is_some_and(|r| r.accept(word))
    }

    fn close(&mut self) {
        if let Some(record) = self.record.take() {
            self.config.record(&record);
        }
    }

    fn holds_fast(&self) -> bool {
        self.record.as_ref().is_some_and(Record::holds_fast)
    }

    fn finish(&mut self) -> Found {
        Found { blocks: self.config.finish(), ..Found::default() }
    }
}

//! Records of the z/OS FTP client and server, as the reader of a paste meets them.

use super::Kind;
use super::source::{Beginning, Found, Place, Source};
use super::words::Word;
use super::zos_ftp::{Around, Form, Log, Record, begins};

/// The open record, and the attempts of those before it.
#[derive(Debug, Default)]
pub(super) struct Reader {
    log: Log,
    record: Option<Record>,
    /// What begins.
    form: Option<Form>,
    /// The line of the last word that was taken.
    last: u64,
}

/// Lines, blank ones included, up to which another line of FTP is near.
const NEAR: u64 = 8;

/// How the server calls itself in syslogd.
const SERVER: &str = "ftpd";

impl Source for Reader {
    fn kind(&self) -> Kind {
        Kind::ZosFtp
    }

    fn begins(&mut self, place: &Place<'_>) -> Option<Beginning> {
        let before = place.prefix.map_or(0, |p| p.words);
        let words = place.words.get(before..)?;
        let near = words.first().is_some_and(|w| w.line <= self.last.saturating_add(NEAR));
        let around = Around { known: place.known, near, inside: self.record.as_ref(), prefixed: before > 0 };
        self.form = begins(words, around);
        // A job may be called as a line of the trace begins.
        let weak = matches!(self.form?, Form::Reply | Form::Bare(_) | Form::Trace);
        Some(Beginning { before, weak })
    }

    fn open(&mut self, place: &Place<'_>, _front: &[Word]) {
        let Some(form) = self.form.take() else { return };
        let is_server = |program: &str| program.to_ascii_lowercase().starts_with(SERVER);
        let server = place.prefix.and_then(|p| p.program.as_deref()).is_some_and(is_server);
        let process = place.prefix.filter(|_| server).and_then(|p| p.process);
        self.record = Some(Record::new(form, place.prefix.and_then(|p| p.at), server, process));
    }

    fn accept(&mut self, word: &Word) -> bool {
        let taken = self.record.as_mut().is_some_and(|r| r.accept(word));
        if taken {
            self.last = word.line;
        }
        taken
    }

    fn close(&mut self) {
        if let Some(record) = self.record.take() {
            self.log.record(&record);
        }
    }

    fn finish(&mut self) -> Found {
        Found { blocks: self.log.finish(), ..Found::default() }
    }
}

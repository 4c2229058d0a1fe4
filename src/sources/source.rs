//! What the reader of a paste asks of everything that claims words, and in which order it asks.

use core::fmt;

use super::gsk_record::Fact;
use super::gsk_session::Ended;
use super::words::Word;
use super::zos_words::Prefix;
use super::{
    Block, Kind, Options, attls_reader, config_reader, gsk_reader, gsktrace, packet_trace, siblings, zos_reader,
};
use crate::error::InputError;

/// A place in a paste where a record may begin.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// The words from there on, as many as are looked ahead.
    pub words: &'a [Word],
    /// What stands in front of a message, when this is the beginning of a line.
    pub prefix: Option<&'a Prefix>,
    /// Whether the paste is known to hold this source.
    pub known: bool,
}

/// A record begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// So many words of it stand in front of what it was recognized by.
    pub before: usize,
    /// It only looks like one: a number and words. A record that holds fast goes on.
    pub weak: bool,
}

/// What a source made of its records.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub blocks: Vec<Block>,
    pub problems: Vec<InputError>,
    /// What was taken for granted; see [`Input::assumed`](crate::transcript::Input).
    pub assumed: Vec<String>,
}

/// One source of records, of which at most one is open.
pub(super) trait Source: fmt::Debug {
    /// Its name.
    fn kind(&self) -> Kind;
    /// Whether one of its records begins here. What it recognized is kept for [`open`](Self::open).
    fn begins(&mut self, place: &Place<'_>) -> Option<Beginning>;
    /// Opens the record that `begins` saw last; `front` are the words before what it was recognized by.
    fn open(&mut self, place: &Place<'_>, front: &[Word]);
    /// Takes the next word if it belongs to the open record.
    fn accept(&mut self, word: &Word) -> bool;
    /// The open record is complete.
    fn close(&mut self);
    /// Takes a record that was read without its words; none is open then. Only System SSL has such.
    fn fact(&mut self, _fact: &Fact<'_>) {}
    /// How many connections have ended and were not taken.
    fn ended(&self) -> usize {
        0
    }
    /// The connection that ended first, before the end of the input.
    fn take_ended(&mut self) -> Option<Ended> {
        None
    }
    /// Whether the open record is so surely unfinished that what only looks like a beginning is part of it: an AT-TLS
    /// message that a mail program broke in front of `431 Initial Handshake`, say, which is no reply of a server.
    fn holds_fast(&self) -> bool {
        false
    }
    /// The end of the input.
    fn finish(&mut self) -> Found;
}

/// All sources of records. Where records of two begin at the same place, the first one has it: what is recognized by more
/// words stands in front (AT-TLS, System SSL, packets, its siblings, then the FTP programs, whose replies are a number and
/// words).
pub(super) fn all(options: &Options) -> Vec<Box<dyn Source>> {
    vec![
        Box::new(attls_reader::Reader::default()),
        Box::new(gsk_reader::Reader::default()),
        Box::new(gsktrace::Reader::default()),
        Box::new(packet_trace::Reader::new(options)),
        Box::new(siblings::Reader::default()),
        Box::new(zos_reader::Reader::default()),
        Box::new(config_reader::Reader::default()),
    ]
}

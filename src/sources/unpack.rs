//! gzip and zip around one input: bytes in, unpacked bytes out, in pieces of any size.
//!
//! A bomb costs time and no memory: nothing is kept but the window of inflate and a header that is not whole yet.

mod gzip;
mod zip;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::error::InputError;
use zip::{Local, Method, front};

/// Unpacked at once.
const ROOM: usize = 64 * 1024;

/// Longest header that is waited for: a name and an extra field of a zip archive, each of 64 KiB.
const LONGEST_HEADER: usize = 256 * 1024;

/// Nothing that people captured is longer than this when it is unpacked.
const LONGEST: u64 = 64 << 30;

/// Deflate makes at most 1,032 bytes of one; asked only behind the first GiB.
const STEEPEST: u64 = 1_100;

/// Names of further members that are kept.
const NAMES: usize = 8;

/// How an input is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zip,
}

/// Whether an input begins as a packed one. Four bytes tell.
pub(super) fn packing(head: &[u8]) -> Option<Packing> {
    match head {
        [0x1f, 0x8b, 8, ..] => Some(Packing::Gzip),
        [b'P', b'K', 3, 4, ..] => Some(Packing::Zip),
        _ => None,
    }
}

/// What stands at the front of the bytes that were not looked at yet.
#[derive(Debug)]
enum State {
    GzipHeader,
    GzipBody,
    GzipTrailer,
    /// Behind a member: another one, or padding.
    GzipNext,
    ZipHeader,
    ZipDeflated(Local),
    /// Bytes that are left.
    ZipStored(Local, u64),
    /// Stored without a length: the descriptor behind them ends them.
    ZipStoredOpen(Local),
    ZipDescriptor(Local),
    Done,
    /// What was wrong is said.
    Broken,
}

/// Unpacks one input.
#[derive(Debug)]
pub(super) struct Unpack {
    name: String,
    packing: Packing,
    state: State,
    pending: Vec<u8>,
    inflate: Decompress,
    crc: Crc,
    /// Packed and unpacked bytes of this member.
    member: (u64, u64),
    taken: u64,
    given: u64,
    /// The files of the archive, and how many there are.
    names: Vec<String>,
    members: u64,
    /// Whether this member is the one that is read.
    wanted: bool,
    room: Vec<u8>,
    problems: Vec<InputError>,
}

/// What a look at the front came to.
enum Step {
    /// So many bytes are done with.
    Took(usize),
    /// It is not whole.
    Needs,
}

impl Unpack {
    /// For the input that the user calls `name`.
    pub(super) fn new(name: &str, packing: Packing) -> Self {
        let state = match packing {
            Packing::Gzip => State::GzipHeader,
            Packing::Zip => State::ZipHeader,
        };
        Self {
            name: name.to_owned(),
            packing,
            state,
            pending: Vec::new(),
            inflate: Decompress::new(false),
            crc: Crc::new(),
            member: (0, 0),
            taken: 0,
            given: 0,
            names: Vec::new(),
            members: 0,
            wanted: true,
            room: vec![0; ROOM],
            problems: Vec::new(),
        }
    }

    /// Whether more than one file is packed: which of them is meant, nobody said.
    pub(super) fn is_refused(&self) -> bool {
        self.members > 1
    }

    /// The next packed bytes; what they unpack to goes to `out`.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut impl FnMut(&[u8])) {
        if matches!(self.state, State::Done | State::Broken) {
            return;
        }
        self.taken += bytes.len() as u64;
        let mut data = core::mem::take(&mut self.pending);
        data.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(rest) = data.get(at..) {
            match self.step(rest, out) {
                Step::Took(n) => at += n,
                Step::Needs => break,
            }
            if matches!(self.state, State::Done | State::Broken) {
                return;
            }
        }
        data.drain(..at.min(data.len()));
        if data.len() > LONGEST_HEADER {
            return self.broken("its header does not end");
        }
        self.pending = data;
    }

    fn step(&mut self, data: &[u8], out: &mut impl FnMut(&[u8])) -> Step {
        match &self.state {
            State::GzipHeader => self.gzip_header(data),
            State::GzipBody => self.inflate(data, out, State::GzipTrailer),
            State::GzipTrailer => self.gzip_trailer(data),
            State::GzipNext => self.gzip_next(data),
            State::ZipHeader => self.zip_header(data),
            State::ZipDeflated(local) => {
                let behind = local.clone();
                self.inflate(data, out, State::ZipDescriptor(behind))
            }
            State::ZipStored(local, left) => {
                let (local, left) = (local.clone(), *left);
                self.stored(data, local, left, out)
            }
            State::ZipStoredOpen(local) => {
                let local = local.clone();
                self.stored_open(data, local, out)
            }
            State::ZipDescriptor(local) => {
                let local = local.clone();
                self.descriptor(data, &local)
            }
            State::Done | State::Broken => Step::Needs,
        }
    }

    fn begin(&mut self, state: State) {
        self.inflate.reset(false);
        self.crc.reset();
        self.member = (0, 0);
        self.state = state;
    }

    fn broken(&mut self, what: &str) {
        let how = match self.packing {
            Packing::Gzip => "gzip",
            Packing::Zip => "zip",
        };
        let problem = format!("packed with {how}, and {what}");
        self.problems.push(InputError::torn(&self.name, problem, "copy it once more, in binary"));
        self.state = State::Broken;
    }

    fn refuse(&mut self, what: String, advice: String) {
        self.problems.push(InputError::unreadable(&self.name, what, advice));
        self.state = State::Broken;
    }

    /// Hands on unpacked bytes, of the first file alone.
    fn give(&mut self, bytes: &[u8], out: &mut impl FnMut(&[u8])) {
        self.crc.update(bytes);
        self.member.1 += bytes.len() as u64;
        self.given += bytes.len() as u64;
        if self.wanted {
            out(bytes);
        }
        if self.given > LONGEST || self.given > 1 << 30 && self.given / STEEPEST > self.taken {
            let what = format!("it unpacks to more than {} MB", self.given / 1_000_000);
            self.refuse(what, "unpack it, and cut out the session that failed".to_owned());
        }
    }

    /// One piece of deflated data.
    fn inflate(&mut self, data: &[u8], out: &mut impl FnMut(&[u8]), behind: State) -> Step {
        let mut room = core::mem::take(&mut self.room);
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(data, &mut room, FlushDecompress::None);
        let took = usize::try_from(self.inflate.total_in() - before_in).unwrap_or(data.len());
        let made = usize::try_from(self.inflate.total_out() - before_out).unwrap_or_default();
        self.member.0 += took as u64;
        self.give(room.get(..made).unwrap_or_default(), out);
        self.room = room;
        match status {
            _ if matches!(self.state, State::Broken) => Step::Needs,
            Ok(Status::StreamEnd) => {
                self.state = behind;
                Step::Took(took)
            }
            Ok(_) if took == 0 && made == 0 => Step::Needs,
            Ok(_) => Step::Took(took),
            Err(_) => {
                self.broken("damaged: behind what is used it cannot be unpacked");
                Step::Needs
            }
        }
    }

    fn zip_header(&mut self, data: &[u8]) -> Step {
        let local = match front(data) {
            zip::Front::Local(local) => local,
            zip::Front::Needs => return Step::Needs,
            zip::Front::Directory => {
                self.state = State::Done;
                if self.members == 0 {
                    self.refuse("an archive without a file".to_owned(), String::new());
                }
                return Step::Needs;
            }
            zip::Front::Other => {
                self.broken("damaged: behind what is used stands no file of an archive");
                return Step::Needs;
            }
        };
        let took = local.header;
        if !local.is_beside_the_point() {
            self.members += 1;
            if self.names.len() < NAMES {
                self.names.push(local.name.clone());
            }
        }
        self.begin_member(local);
        Step::Took(took)
    }

    fn begin_member(&mut self, local: Local) {
        self.wanted = self.members == 1 && !local.is_beside_the_point();
        let is_wanted = self.wanted;
        let command = format!("unpack it first: unzip -p {} | ftpsdiag", crate::wire::printable_str(&self.name));
        if local.encrypted && is_wanted {
            return self.refuse(format!("an encrypted archive ({})", local.name), command);
        }
        match (local.method, local.packed) {
            _ if local.encrypted && local.packed.is_none() => self.state = State::Done,
            // Nothing is unpacked of what is not wanted and says its length.
            (_, Some(len)) if !is_wanted => self.begin(State::ZipStored(local, len)),
            (Method::Deflated, _) => self.begin(State::ZipDeflated(local)),
            (Method::Stored, Some(len)) => self.begin(State::ZipStored(local, len)),
            (Method::Stored, None) => self.begin(State::ZipStoredOpen(local)),
            (Method::Other(n), _) if is_wanted => {
                self.refuse(format!("an archive packed by method {n}, which is not unpacked here"), command);
            }
            (Method::Other(_), _) => self.state = State::Done,
        }
    }

    fn stored(&mut self, data: &[u8], local: Local, left: u64, out: &mut impl FnMut(&[u8])) -> Step {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(data.len());
        let piece = data.get(..n).unwrap_or_default();
        self.member.0 += n as u64;
        if self.wanted {
            self.give(piece, out);
        }
        let left = left - n as u64;
        match (left, matches!(self.state, State::Broken)) {
            (_, true) => return Step::Needs,
            (0, _) if !self.wanted && !local.described => self.state = State::ZipHeader,
            (0, _) => self.state = State::ZipDescriptor(local),
            _ => self.state = State::ZipStored(local, left),
        }
        if n == 0 && left > 0 { Step::Needs } else { Step::Took(n) }
    }

    /// Stored bytes up to a descriptor that counts them right.
    fn stored_open(&mut self, data: &[u8], local: Local, out: &mut impl FnMut(&[u8])) -> Step {
        let mark = data.windows(4).position(|w| w == zip::DESCRIPTOR);
        let n = mark.unwrap_or(data.len().saturating_sub(3));
        if n > 0 {
            self.member.0 += n as u64;
            self.give(data.get(..n).unwrap_or_default(), out);
            return if matches!(self.state, State::Broken) { Step::Needs } else { Step::Took(n) };
        }
        if mark.is_none() || data.len() < zip::LONGEST_DESCRIPTOR + 2 {
            return Step::Needs;
        }
        if zip::descriptor(data, self.crc.sum(), self.member).is_some() {
            self.state = State::ZipDescriptor(local);
            return Step::Took(0);
        }
        self.member.0 += 1;
        self.give(data.get(..1).unwrap_or_default(), out);
        if matches!(self.state, State::Broken) { Step::Needs } else { Step::Took(1) }
    }

    /// Behind a member: its check sum, in the header or in what stands behind it.
    fn descriptor(&mut self, data: &[u8], local: &Local) -> Step {
        if !local.described {
            if self.wanted && local.sum != self.crc.sum() {
                self.broken("damaged: its check sum is another");
                return Step::Needs;
            }
            self.state = State::ZipHeader;
            return Step::Took(0);
        }
        if data.len() < zip::LONGEST_DESCRIPTOR + 2 {
            return Step::Needs;
        }
        let len = match self.wanted {
            true => zip::descriptor(data, self.crc.sum(), self.member),
            false => zip::skipped(data, self.member.0),
        };
        match len {
            Some(len) => {
                self.state = State::ZipHeader;
                Step::Took(len)
            }
            None => {
                self.broken("damaged: its check sum is another");
                Step::Needs
            }
        }
    }

    /// The end of the input: what was wrong with it.
    pub(super) fn finish(mut self) -> Vec<InputError> {
        if self.members > 1 {
            let more = self.members.saturating_sub(self.names.len() as u64);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let what =
                format!("an archive of {} files ({}{more}); one input is read", self.members, self.names.join(", "));
            let first = self.names.first().map(String::as_str).unwrap_or_default();
            let name = crate::wire::printable_str(&self.name);
            self.refuse(what, format!("name one: unzip -p {name} {first} | ftpsdiag"));
        } else if !matches!(self.state, State::Done | State::Broken | State::GzipNext) {
            self.broken("it ends in the middle; what came is used");
        }
        self.problems
    }
}

#[cfg(test)]
mod tests;

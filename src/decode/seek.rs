//! Where a flow makes sense again behind missing bytes.
//!
//! The first byte behind a gap may stand anywhere: inside a record, inside a line. What looks like a record or a reply
//! right there is taken for one. Further on a place must prove itself, by two record headers in a row or by a whole
//! line of FTP: ciphertext holds single headers by chance. Nothing is decided before the bytes that decide it are here,
//! so that chunks do not show; what a cut leaves undecided stays undecoded.

use super::is_server;
use crate::transcript::Side;
use crate::wire::tls::content;
use crate::wire::tls::record::{Front, HEADER_LEN, Header, front};
use crate::wire::{ebcdic, ftp};

/// Longest payload of an encrypted record (RFC 8446, 5.2): what is longer is no proof of a place.
const LONGEST: u16 = 16_384 + 256;

/// Longest line that proves a place.
const LONGEST_LINE: usize = 1024;

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A record or a line begins at this offset; what precedes it means nothing.
    Place(usize),
    /// None before this offset, and there it takes so many bytes of the flow to tell.
    Undecided(usize, usize),
}

/// What is known of the bytes at one offset.
enum Here {
    No,
    Yes,
    Needs(usize),
}

/// A search, and how far it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seek {
    /// Nothing has come behind the gap yet.
    first: bool,
    /// A line may begin here: behind the gap, or behind a line end.
    line: bool,
}

/// How the bytes that there are go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    /// More may come.
    Maybe,
    /// The evidence goes on with something else, or ends.
    No,
    /// Their sender said that these were the last: a record that ends with them is a place as well.
    Never,
}

impl Seek {
    /// Behind missing bytes.
    pub(super) fn new() -> Self {
        Self { first: true, line: true }
    }

    /// Looks for a place. What precedes the offset of the answer need not be looked at again.
    pub(super) fn look(&mut self, bytes: &[u8], from: Side, is_text: bool, more: More) -> Found {
        for at in 0..bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            let here = match record(rest, self.first, more == More::Never) {
                Here::No if self.line && is_text => text(rest, from, self.first),
                here => here,
            };
            match here {
                Here::Yes => return Found::Place(at),
                Here::Needs(len) if more == More::Maybe => return Found::Undecided(at, len),
                Here::Needs(_) | Here::No => *self = Self { first: false, line: rest.first() == Some(&b'\n') },
            }
        }
        Found::Undecided(bytes.len(), 1)
    }
}

/// Whether a record begins here.
fn record(rest: &[u8], first: bool, closed: bool) -> Here {
    let header = match front(rest) {
        Front::Record(header) => header,
        Front::Undecided => return Here::Needs(rest.len() + 1),
        Front::NotTls | Front::Malformed(_) => return Here::No,
    };
    if first {
        return Here::Yes;
    }
    let plausible = |h: Header| content::ALL.contains(&h.content_type) && (1..=LONGEST).contains(&h.len);
    if !plausible(header) {
        return Here::No;
    }
    let end = HEADER_LEN + usize::from(header.len);
    if closed && rest.len() == end {
        return Here::Yes;
    }
    match front(rest.get(end..).unwrap_or_default()) {
        Front::Record(next) if plausible(next) && next.version == header.version => Here::Yes,
        Front::Undecided => Here::Needs(rest.len().max(end) + 1),
        _ => Here::No,
    }
}

/// Whether a line of FTP begins here. Right behind the gap the code of a reply is enough, as it is everywhere.
fn text(rest: &[u8], from: Side, first: bool) -> Here {
    if is_server(from) {
        let code = rest.get(..4).unwrap_or(rest);
        let code = if first && code.first() >= Some(&0xf0) { ebcdic::decode(code) } else { code.to_vec() };
        match (ftp::may_begin_reply(&code), code.len() < 4) {
            (false, _) => return Here::No,
            (true, true) => return Here::Needs(4),
            (true, false) if first => return Here::Yes,
            (true, false) => {}
        }
    } else if !ftp::may_begin_command(rest) {
        return Here::No;
    }
    let shown = rest.get(..LONGEST_LINE).unwrap_or(rest);
    match shown.iter().find(|b| **b == b'\n' || !b.is_ascii() || !ftp::is_text(**b)) {
        Some(b'\n') => Here::Yes,
        None if shown.len() < LONGEST_LINE => Here::Needs(rest.len() + 1),
        _ => Here::No,
    }
}

//! Behind damage: where the next packet or block begins.

use super::{Log, SEARCHED};

/// Bytes that are no packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// Where they begin in the file.
    pub(super) from: u64,
    /// Whether only zeros were among them so far.
    pub(super) zeros: bool,
}

/// Whether a packet or block begins at a place.
pub(super) enum Begins {
    Yes,
    No,
    /// Not to be told before so many bytes are there.
    Need(usize),
}

/// What a search came to.
pub(super) enum Found {
    /// It begins at the front.
    Here,
    /// It does not begin among so many bytes.
    Behind(usize),
    /// Not to be told before so many bytes are there.
    Need(usize),
    /// It was sought for long enough: nothing more is read.
    Nowhere,
}

impl Search {
    /// Looks byte by byte where `begins` says yes; `front` stands at `at` of the file, and `what` is sought.
    pub(super) fn look(
        &mut self,
        front: &[u8],
        at: u64,
        what: &str,
        log: &mut Log,
        begins: impl Fn(usize) -> Begins,
    ) -> Found {
        for (i, byte) in front.iter().enumerate() {
            let here = at + i as u64;
            if here - self.from > SEARCHED {
                log.skipped(self.from, here, self.zeros);
                log.torn(here, format!("nothing behind byte {here} is read: no {what} was found before it"));
                return Found::Nowhere;
            }
            match begins(i) {
                Begins::No => {}
                // What was searched through goes first.
                _ if i > 0 => return Found::Behind(i),
                Begins::Need(n) => return Found::Need(n),
                Begins::Yes => {
                    log.skipped(self.from, at, self.zeros);
                    return Found::Here;
                }
            }
            self.zeros &= *byte == 0;
        }
        Found::Behind(front.len())
    }
}

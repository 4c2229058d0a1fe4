//! Behind damage: where the next packet or block begins.

use super::{Log, SEARCHED, Step};

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

impl Found {
    /// What follows for the reader whose search `s` was: the next step, or `None` where what it seeks begins at the front.
    pub(super) fn step<'a>(
        self,
        s: Search,
        front: &[u8],
        search: &mut Option<Search>,
        stopped: &mut bool,
    ) -> Option<Step<'a>> {
        match self {
            Found::Need(n) => Some(Step::More(n)),
            Found::Here => {
                *search = None;
                None
            }
            Found::Behind(n) => {
                *search = Some(s);
                Some(Step::Took(n, None))
            }
            Found::Nowhere => {
                *stopped = true;
                Some(Step::Took(front.len(), None))
            }
        }
    }
}

impl Search {
    /// The file ends at `end` while this is sought.
    pub(super) fn tail(search: Option<Self>, stopped: bool, end: u64, log: &mut Log) {
        if let Some(search) = search.filter(|_| !stopped) {
            log.tail(search.from, end, search.zeros);
        }
    }

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

//! SHA-256 of inputs, beside the reading of them where they are large.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use ring::digest::{Context, SHA256, digest};

/// Inputs up to this many bytes are hashed where they are read.
const SMALL: u64 = 1 << 20;

/// Pieces that wait for their turn.
const WAITING: usize = 2;

/// How many pieces are in use at once: those that wait, the one that is hashed, the one that is read.
pub(super) const PIECES: usize = WAITING + 2;

/// A part of an input: the first so many bytes of a buffer.
type Piece = (Arc<Vec<u8>>, usize);

/// The hash of an input that is still read.
pub(super) struct Hasher {
    state: State,
    bytes: u64,
}

enum State {
    Here(Context),
    Beside(SyncSender<Piece>, JoinHandle<Context>),
    /// Its thread is gone: there is no hash.
    Lost,
}

/// The hash of bytes that are all there, in hex.
pub(super) fn of(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

impl Hasher {
    pub(super) fn new() -> Self {
        Self { state: State::Here(Context::new(&SHA256)), bytes: 0 }
    }

    /// Takes the next bytes: the first `len` of a buffer.
    pub(super) fn update(&mut self, buffer: &Arc<Vec<u8>>, len: usize) {
        self.bytes += len as u64;
        self.state = match core::mem::replace(&mut self.state, State::Lost) {
            State::Here(mut context) => {
                context.update(buffer.get(..len).unwrap_or_default());
                if self.bytes > SMALL { beside(context) } else { State::Here(context) }
            }
            State::Beside(to, thread) => match to.send((Arc::clone(buffer), len)) {
                Ok(()) => State::Beside(to, thread),
                Err(_) => State::Lost,
            },
            State::Lost => State::Lost,
        };
    }

    /// The hash in hex; empty where it could not be taken.
    pub(super) fn finish(self) -> String {
        let context = match self.state {
            State::Here(context) => Some(context),
            State::Beside(to, thread) => {
                drop(to);
                thread.join().ok()
            }
            State::Lost => None,
        };
        context.map_or_else(String::new, |c| hex::encode(c.finish()))
    }
}

/// Goes on in a thread of its own; where there is none to be had, here.
fn beside(context: Context) -> State {
    let (to, pieces) = sync_channel::<Piece>(WAITING);
    let mut theirs = context.clone();
    let run = move || {
        for (buffer, len) in pieces {
            theirs.update(buffer.get(..len).unwrap_or_default());
        }
        theirs
    };
    match thread::Builder::new().spawn(run) {
        Ok(thread) => State::Beside(to, thread),
        Err(_) => State::Here(context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_same_here_and_beside() {
        let all: Vec<u8> = (0..5_000_000u32).map(|n| (n / 3) as u8).collect();
        let mut hasher = Hasher::new();
        for piece in all.chunks(70_000) {
            let mut buffer = piece.to_vec();
            buffer.resize(80_000, 9);
            hasher.update(&Arc::new(buffer), piece.len());
        }
        assert!(matches!(hasher.state, State::Beside(..)));
        assert_eq!(hasher.finish(), of(&all));
        assert_eq!(Hasher::new().finish(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}

//! Pieces that wait for the log of their attempt, found by the address of the server.

use core::net::SocketAddr;
use std::collections::{BTreeMap, VecDeque};

use super::Piece;
use crate::transcript::{Code, What};

/// Pieces in their order; each is given away once.
#[derive(Debug, Default)]
pub(super) struct Pool {
    pieces: Vec<Option<Piece>>,
    /// Places by the server's address, and by whether the piece tells of a failure.
    by_peer: BTreeMap<(Option<SocketAddr>, bool), VecDeque<usize>>,
    by_outcome: BTreeMap<bool, VecDeque<usize>>,
    left: usize,
}

impl Pool {
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        let mut pool = Self { left: pieces.len(), ..Self::default() };
        for (n, piece) in pieces.into_iter().enumerate() {
            let failed = has_failed(&piece);
            pool.by_peer.entry((piece.conn.peer, failed)).or_default().push_back(n);
            pool.by_outcome.entry(failed).or_default().push_back(n);
            pool.pieces.push(Some(piece));
        }
        pool
    }

    /// How many are left.
    pub(super) fn len(&self) -> usize {
        self.left
    }

    /// The first piece for a log with this server that failed or not. An address that agrees is best; where one of both has none
    /// the order decides, if `by_order` allows that. A piece that tells of a failure never goes with a log that `succeeded`.
    pub(super) fn take(
        &mut self,
        peer: Option<SocketAddr>,
        failed: bool,
        succeeded: bool,
        by_order: bool,
    ) -> Option<Piece> {
        let outcomes = [failed, !failed].into_iter().filter(|outcome| !(*outcome && succeeded));
        let mut found = None;
        for outcome in outcomes {
            found = found.or_else(|| match peer {
                Some(_) => self.first(|pool| pool.by_peer.get_mut(&(peer, outcome))),
                None if by_order => self.first(|pool| pool.by_outcome.get_mut(&outcome)),
                None => None,
            });
        }
        for outcome in [failed, !failed] {
            if peer.is_some() && by_order && !(outcome && succeeded) {
                found = found.or_else(|| self.first(|pool| pool.by_peer.get_mut(&(None, outcome))));
            }
        }
        let piece = self.pieces.get_mut(found?)?.take();
        self.left -= usize::from(piece.is_some());
        piece
    }

    /// The first place of a list that is not empty yet.
    fn first(&mut self, list: impl Fn(&mut Self) -> Option<&mut VecDeque<usize>>) -> Option<usize> {
        loop {
            let n = list(self)?.pop_front()?;
            if self.pieces.get(n).is_some_and(Option::is_some) {
                return Some(n);
            }
        }
    }

    /// Whatever nobody asked for, in order.
    pub(super) fn rest(self) -> impl Iterator<Item = Piece> {
        self.pieces.into_iter().flatten()
    }
}

/// Whether a piece tells that TLS failed.
pub(super) fn has_failed(piece: &Piece) -> bool {
    piece.entries.iter().any(|e| match &e.what {
        What::Claim { code: Some(Code::Message(id)), .. } => matches!(id.as_str(), "EZA2897I" | "EZA2898I"),
        What::Claim { code: Some(Code::Gsk(_) | Code::AtTls(_) | Code::ContentType(_)), .. } => true,
        _ => false,
    })
}

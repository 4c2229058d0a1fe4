//! Packet captures: the bytes of a file to packets, packets to the two directions of every TCP connection.
//!
//! Hostile input is the normal case: every table, every buffer and every search has a bound, and what a bound took away is said.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

mod connection;
pub mod file;
mod half;
pub mod table;

/// One of the two ends of a connection; which is which says nothing of who opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The one whose address and port are lower.
    One,
    /// The other one.
    Two,
}

impl End {
    /// The other end.
    #[must_use]
    pub fn other(self) -> End {
        match self {
            End::One => End::Two,
            End::Two => End::One,
        }
    }
}

/// What one direction of a connection delivers, in the order of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes, each of them once.
    Bytes(&'a [u8]),
    /// Bytes that the capture does not have. How many is not known only where the beginning of the stream is missing.
    Gap(Option<u64>),
    /// Bytes came twice and differ; the first ones stand.
    Conflict {
        /// Offset of the first byte that differs in what was delivered, gaps of known length counted.
        at: u64,
        /// Bytes to the last one that differs.
        len: u32,
    },
    /// FIN: its last byte was sent.
    Fin,
    /// RST: the connection is gone.
    Reset,
}

#[cfg(test)]
mod tests;

//! Packet captures: the bytes of a file to packets, packets to the two directions of every TCP connection.
//!
//! Hostile input is the normal case: every table, every buffer and every search has a bound, and what a bound took away is said.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

pub mod file;

//! Bounds of one run.

use std::time::Duration;

/// Bounds of one run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the whole run.
    pub time: Duration,
    /// For opening one connection, and for handing bytes to the system.
    pub step: Duration,
    /// What is kept of all that a server sends, in bytes; when it is used up the run ends. Content that is only
    /// counted may be 64 times as much.
    pub bytes: u64,
    /// Whether the encrypted content of data connections is kept.
    pub keep_data: bool,
}

/// A directory of some ten thousand files is listed several times; what is counted takes time, and no memory.
pub(super) const COUNTED: u64 = 64;

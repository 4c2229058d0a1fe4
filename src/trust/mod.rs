//! Judges a certificate chain for a name, lists of authorities and a time. Pure: bytes and times in, a judgement out.
//!
//! A verifying library stops at the first fault, calls a self-signed certificate "CA used as end entity" and does not read
//! version 1 at all. Here every question is answered by itself: the name, the time, the path of each list, and what is
//! weak; a fault in one answer hides no other. Certificates come from strangers: at most [`MOST`] of a chain
//! are judged, and none that is longer than [`LONGEST`].

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

mod certificate;
mod der;
mod identity;
mod judge;
mod name;
mod path;
mod pem;
#[cfg(test)]
mod samples;
mod stores;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, Details, Key};
pub use identity::{Identity, PrivateKey, Problem, read_certificates, read_identity};
pub use judge::{Judgement, Missing, Opinion, Timing, Usage, Weakness, judge};
pub use name::NameMatch;
pub use path::Path;
pub use stores::{Store, Stores};

/// How many certificates of a chain are judged; real chains have two to five.
pub const MOST: usize = 32;

/// The longest certificate that is read, in bytes.
pub const LONGEST: usize = 64 * 1024;

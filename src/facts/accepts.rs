//! What an endpoint accepts, as an audit measured it.
//!
//! Each hello of an audit asks one thing. A ServerHello proves what it chose; a refusal proves that nothing of what was offered is
//! taken, as far as everything else in that hello is known to be taken. What neither proves stays unknown.

use std::collections::BTreeSet;

/// SSL 2, whose hello has a format of its own.
pub const SSL2: u16 = 0x0002;

/// Whether an endpoint takes something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Takes {
    /// It chose it.
    Yes,
    /// It was offered, and refused.
    No,
    /// It was not asked, or no answer tells.
    #[default]
    Unknown,
}

/// By whose order the endpoint chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By the client's.
    Client,
    /// By its own.
    Server,
    /// By neither alone: it has an order of its own for some, and follows the client's among the others. OpenSSL does from 3.5 on with
    /// groups, which it ranks in blocks.
    Mixed,
}

/// What is taken of a list: suites, groups, signature schemes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// What was chosen: in the order of the endpoint where it has one, else as it was offered.
    pub taken: Vec<u16>,
    /// What was offered in vain.
    pub refused: BTreeSet<u16>,
    /// By whose order it chooses; `None` where fewer than two are taken, or it was not asked.
    pub order: Option<Order>,
    /// Whether everything was asked to the end: what is in neither list was then not offered at all.
    pub complete: bool,
}

impl Set {
    /// Whether a number is taken.
    pub fn takes(&self, number: u16) -> Takes {
        match () {
            () if self.taken.contains(&number) => Takes::Yes,
            () if self.refused.contains(&number) => Takes::No,
            () => Takes::Unknown,
        }
    }
}

/// What is taken in one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfVersion {
    /// The version, e.g. 0x0303; [`SSL2`] for SSL 2.
    pub version: u16,
    /// Whether it is taken at all.
    pub takes: Takes,
    /// Cipher suites.
    pub suites: Set,
    /// Groups of the key exchange (ECDHE, in TLS 1.3 also ffdhe and post-quantum ones).
    pub groups: Set,
    /// Schemes by which the server signs.
    pub schemes: Set,
}

/// Everything that was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepts {
    /// The versions that were asked, highest first.
    pub versions: Vec<OfVersion>,
    /// Whether hellos of TLS may come in the format of SSL 2 (RFC 5246, E.2), which is not to speak it.
    pub ssl2_format: Takes,
    /// Bits of the longest Diffie-Hellman prime that it showed with a suite of DHE.
    pub prime_bits: Option<usize>,
}

impl Accepts {
    /// What is taken in a version.
    pub fn of(&self, version: u16) -> Option<&OfVersion> {
        self.versions.iter().find(|v| v.version == version)
    }

    /// The highest version that is taken.
    pub fn highest(&self) -> Option<u16> {
        self.versions.iter().find(|v| v.takes == Takes::Yes).map(|v| v.version)
    }
}

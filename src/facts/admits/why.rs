//! Why a client stays out, and why that cannot be told.

/// Why a client does not get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No version in common.
    Version,
    /// The version that both speak has no suite in common.
    Suite(u16),
    /// Each common suite needs a group, or the curve of the certificate, and none is in common.
    Group(u16),
    /// Each common suite needs a signature, and there is no common scheme for it.
    Scheme(u16),
    /// The server signs with SHA-1 and MD5, as versions below TLS 1.2 do, and the client takes no such signature.
    OldSignature(u16),
    /// Its hello is in the format of SSL 2, which the server does not read.
    Format,
    /// The Diffie-Hellman prime is longer than the client can calculate with.
    Prime {
        /// Its bits.
        bits: usize,
        /// What the client can.
        most: usize,
    },
    /// The RSA key of the certificate is shorter than the client takes.
    Key {
        /// Its bits.
        bits: u16,
        /// What the client takes at least.
        least: u16,
    },
}

/// What is missing for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Whether the server takes this version.
    Version(u16),
    /// Whether the client takes this version.
    ClientVersion(u16),
    /// Whether the server takes a suite that decides, in this version.
    Suites(u16),
    /// All of the client's suites.
    ClientSuites,
    /// Whether the server takes a group that decides.
    Groups,
    /// All of the client's groups.
    ClientGroups,
    /// Whether the server signs with a scheme that decides.
    Schemes,
    /// All of the client's signature schemes.
    ClientSchemes,
    /// The keys of the server's certificates.
    Keys,
    /// The order by which the server chooses: the client takes some of what it may choose.
    Order,
    /// Whether the server reads hellos in the format of SSL 2.
    Format,
}

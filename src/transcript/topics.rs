//! What the questions of an audit are about: one place for the names that the machine writes and facts read.
//!
//! A name stands in saved reports, so it is never changed; a new one is added. The first thing that a question changed is its topic.

/// How all of them begin.
const AUDIT: &str = "audit: ";

/// Cipher suites of one version, and with them the version.
pub const SUITES: &str = "audit: cipher suites";
/// Groups of one version.
pub const GROUPS: &str = "audit: groups";
/// Signature schemes of one version.
pub const SCHEMES: &str = "audit: signature schemes";
/// The hello of SSL 2.
pub const SSL2: &str = "audit: SSL 2";
/// A hello of TLS in the format of SSL 2.
pub const SSL2_FORMAT: &str = "audit: format of SSL 2";
/// The control of all others: what the server answers when nothing is odd.
pub const CONTROL: &str = "audit: ordinary hello";
/// No server name.
pub const NO_NAME: &str = "audit: no server name";
/// A server name that is not the server's.
pub const OTHER_NAME: &str = "audit: another server name";
/// The protocol ftp (ALPN).
pub const ALPN: &str = "audit: protocol ftp";
/// A protocol that no FTP server speaks (ALPN).
pub const OTHER_ALPN: &str = "audit: protocol of another service";
/// A stapled OCSP answer.
pub const STAPLING: &str = "audit: status request";
/// Compression beside none.
pub const COMPRESSION: &str = "audit: compression";
/// The signal that an earlier try with a higher version had failed.
pub const FALLBACK: &str = "audit: fallback signal";
/// A post-quantum group with its key.
pub const POST_QUANTUM: &str = "audit: post-quantum key share";
/// A hello of more than one segment.
pub const LONG: &str = "audit: hello of 1,700 bytes";
/// A version that does not exist yet, as hellos up to TLS 1.2 name it.
pub const FUTURE_VERSION: &str = "audit: version of the future";
/// Versions that do not exist, among those that are offered.
pub const UNKNOWN_VERSIONS: &str = "audit: unknown versions";
/// An extension that does not exist.
pub const UNKNOWN_EXTENSION: &str = "audit: unknown extension";
/// GREASE (RFC 8701): suites, groups, extensions that do not exist.
pub const GREASE: &str = "audit: GREASE";
/// A record version that is unusual in a first hello.
pub const RECORD_VERSION: &str = "audit: record version";
/// A hello without extensions.
pub const NO_EXTENSIONS: &str = "audit: no extensions";
/// A command in the same segment as AUTH TLS.
pub const SMUGGLED: &str = "audit: a command behind AUTH TLS in one segment";
/// AUTH TLS inside TLS.
pub const SECOND_AUTH: &str = "audit: AUTH inside TLS";
/// USER without TLS.
pub const CLEAR_LOGIN: &str = "audit: USER in clear";
/// A second connection that offers the session of the first.
pub const RESUMPTION: &str = "audit: resumption";
/// The certificate for one kind of key, which TLS 1.3 shows to nobody outside.
pub const KEYS: &str = "audit: key of the certificate";
/// The hello of a known client.
pub const CLIENT: &str = "audit: client";

/// A topic without what all of them begin with.
pub fn words(topic: &str) -> &str {
    topic.strip_prefix(AUDIT).unwrap_or(topic)
}

/// Whether a question belongs to an audit.
pub fn is_audit(changed: &[String]) -> bool {
    changed.first().is_some_and(|topic| topic.starts_with(AUDIT))
}

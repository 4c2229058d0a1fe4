//! TLS messages as bytes (RFC 5246, RFC 8446, and the hellos of SSL 2 and 3).
//!
//! All of it is read by our own code: `tls-parser` reads single handshake messages well, and tests hold ours against it, but
//! it answers "incomplete, 8255 more" to `550 T`, drops partial messages silently, and reads encrypted alerts as nonsense
//! (all measured).

pub mod annotate;
pub mod build;
pub mod extensions;
pub mod handshake;
pub mod hello;
pub mod key_exchange;
pub mod record;
pub mod share;
pub mod simulate;
pub mod ssl2;

/// Record content types (RFC 8446, section 5.1).
pub mod content {
    /// change_cipher_spec.
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    /// alert.
    pub const ALERT: u8 = 21;
    /// handshake.
    pub const HANDSHAKE: u8 = 22;
    /// application_data.
    pub const APPLICATION_DATA: u8 = 23;
    /// All of them.
    pub const ALL: [u8; 4] = [CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA];
}

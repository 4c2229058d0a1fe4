//! One thing that the `openssl` crate leaves to its callers: offering a session for resumption.
//!
//! `SslRef::set_session` is unsafe, because a session that hangs in one context must not be used in another: OpenSSL links the
//! sessions that a context remembers to one another, and a connection takes the one that went wrong out of the list of *its*
//! context. A session that nobody else knows hangs in no list. So [`offer`] takes a session as DER, and what it makes of it is
//! known to one connection alone.
//!
//! This is a crate of its own so that ftpsdiag itself can go on to forbid unsafe code.

#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

use openssl::error::ErrorStack;
use openssl::ssl::{SslRef, SslSession};

/// What OpenSSL calls the state of a connection that has sent and received nothing (`SSL_state_string`, `TLS_ST_BEFORE`).
const BEFORE: &str = "PINIT";

/// Why a session is not offered.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refused {
    /// The handshake has begun, or this end is the server.
    TooLate,
    /// OpenSSL does not take it.
    Unusable(ErrorStack),
}

/// Offers a session, as [`SslSessionRef::to_der`](openssl::ssl::SslSessionRef::to_der) writes it, in the handshake to come. A
/// server that does not take it makes a new one.
///
/// # Errors
/// When the handshake has begun, or the session cannot be read.
pub fn offer(ssl: &mut SslRef, der: &[u8]) -> Result<(), Refused> {
    if ssl.is_server() || ssl.state_string().trim_end() != BEFORE {
        return Err(Refused::TooLate);
    }
    let session = SslSession::from_der(der).map_err(Refused::Unusable)?;
    // SAFETY: `session` was made here, out of bytes. No context remembers it and nobody else holds a reference, so it can be
    // associated with no other context than that of `ssl`, which takes a reference of its own. The handshake has not begun, so
    // no session is replaced that is in use. The lock on `ssl` is ours (`&mut`).
    #[expect(unsafe_code, reason = "the one call that this crate is for")]
    unsafe { ssl.set_session(&session) }.map_err(Refused::Unusable)
}

#[cfg(test)]
mod tests {
    use openssl::ssl::{Ssl, SslContext, SslMethod};

    use super::*;

    fn ssl() -> Ssl {
        Ssl::new(&SslContext::builder(SslMethod::tls_client()).unwrap().build()).unwrap()
    }

    #[test]
    fn what_is_no_session_is_not_offered() {
        assert!(matches!(offer(&mut ssl(), b"\x30\x03\x02\x01\x01"), Err(Refused::Unusable(_))));
        assert!(matches!(offer(&mut ssl(), b""), Err(Refused::Unusable(_))));
    }

    #[test]
    fn a_server_offers_nothing() {
        let mut server = ssl();
        server.set_accept_state();
        assert!(matches!(offer(&mut server, b""), Err(Refused::TooLate)));
    }
}

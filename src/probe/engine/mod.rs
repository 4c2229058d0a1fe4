//! One TLS connection of ours: whole records in, records and plain text out, and notes of what was seen inside.
//!
//! Framing is done here, the rest by a library behind [`Backend`]: rustls (`modern`), or OpenSSL for what rustls does not
//! speak (`legacy`, only with the feature `legacy-tls`). A library is fed whole TLS records and nothing else. On the first byte
//! that is no TLS, rustls would queue an alert of its own and send it to a peer that speaks plain text; behind a
//! close_notify it would swallow what follows. (Both measured.) Certificates are recorded and accepted: judging a chain is
//! the business of `trust`.

mod keeper;
#[cfg(feature = "legacy-tls")]
mod legacy;
mod modern;
mod server;
mod witness;

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;

use super::plan::ServerName;
use crate::transcript::{Decrypted, Der, Side, What};
use crate::wire::tls::content;
use crate::wire::tls::record::{Front, HEADER_LEN, front};
pub(super) use keeper::Keeper;
pub use keeper::Sessions;
pub(super) use server::Server;
pub use server::{Terms, Wanted};

/// The TLS client of one endpoint.
#[derive(Clone)]
pub struct TlsClient {
    library: Arc<dyn Library>,
    #[cfg(feature = "legacy-tls")]
    identity: Option<Identity>,
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").finish_non_exhaustive()
    }
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Identity {
    /// The chain, DER, end entity first.
    pub chain: Vec<Vec<u8>>,
    /// The private key: PKCS#8, PKCS#1 or SEC 1, DER.
    pub key: Vec<u8>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

/// A kind of key by which a server proves itself in TLS 1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Rsa,
    Ecdsa,
    Ed25519,
}

impl KeyKind {
    pub(super) const ALL: [Self; 3] = [Self::Rsa, Self::Ecdsa, Self::Ed25519];

    /// As suites name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Ecdsa => "ECDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// Whether a scheme signs with such a key in TLS 1.3 (RFC 8446, 4.2.3).
    pub(super) fn signs(self, scheme: u16) -> bool {
        match self {
            Self::Rsa => (0x0804..=0x0806).contains(&scheme),
            Self::Ecdsa => [0x0403, 0x0503, 0x0603].contains(&scheme),
            Self::Ed25519 => scheme == 0x0807,
        }
    }
}

/// Why a client certificate cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientError(pub &'static str);

impl TlsClient {
    /// A client for TLS 1.2 and 1.3 that accepts any certificate and remembers it.
    ///
    /// # Errors
    /// When the identity's key is of no kind that TLS uses, or is not that of the certificate.
    pub fn new(identity: Option<Identity>) -> Result<Self, ClientError> {
        #[cfg(feature = "legacy-tls")]
        let kept = identity.clone();
        Ok(Self {
            library: Arc::new(modern::Client::new(identity)?),
            #[cfg(feature = "legacy-tls")]
            identity: kept,
        })
    }

    /// The same client on OpenSSL: TLS 1.0 to 1.2, with the suites of their time. `None` when this build has no OpenSSL
    /// (feature `legacy-tls`), or it cannot use the identity.
    #[cfg(feature = "legacy-tls")]
    pub(super) fn for_old_tls(&self) -> Option<Self> {
        Some(self.on(Arc::new(legacy::Client::new(self.identity.as_ref())?)))
    }

    /// The same client on OpenSSL, which this build has not.
    #[cfg(not(feature = "legacy-tls"))]
    pub(super) fn for_old_tls(&self) -> Option<Self> {
        None
    }

    /// The same with sessions of its own: what one login resumes, no other login began.
    pub(super) fn for_a_login(&self) -> Self {
        self.on(self.library.for_a_login())
    }

    /// The same, without an offer to resume a session.
    pub(super) fn declining(&self) -> Self {
        self.on(self.library.declining())
    }

    /// The same with TLS 1.2 and nothing newer, and sessions of its own.
    pub(super) fn limited_to_tls12(&self) -> Self {
        self.on(self.library.limited_to_tls12())
    }

    /// The same in TLS 1.3 with signatures by one kind of key, and without an offer to resume. `None` where the library has no TLS 1.3.
    pub(super) fn signed_by(&self, kind: KeyKind) -> Option<Self> {
        Some(self.on(self.library.signed_by(kind)?))
    }

    fn on(&self, library: Arc<dyn Library>) -> Self {
        Self {
            library,
            #[cfg(feature = "legacy-tls")]
            identity: self.identity.clone(),
        }
    }

    /// Begins a handshake with `host`.
    pub(super) fn engine(&self, host: &str, name: &ServerName) -> Option<Engine> {
        let backend = self.library.begin(host, name)?;
        let seen = Seen { state: State::Handshake, notes: Vec::new(), plain: Vec::new(), incompatible: false };
        Some(Engine { backend, unread: Vec::new(), seen, asked: false, encrypted: false })
    }
}

/// A TLS library, set up as a client.
trait Library: Send + Sync {
    /// The same with sessions of its own.
    fn for_a_login(&self) -> Arc<dyn Library>;

    /// The same, without an offer to resume a session.
    fn declining(&self) -> Arc<dyn Library>;

    /// The same with TLS 1.2 and nothing newer, and sessions of its own.
    fn limited_to_tls12(&self) -> Arc<dyn Library>;

    /// The same in TLS 1.3 with signatures by one kind of key, and without an offer to resume. `None` where it has no TLS 1.3.
    fn signed_by(&self, kind: KeyKind) -> Option<Arc<dyn Library>>;

    /// Begins a handshake with `host`.
    fn begin(&self, host: &str, name: &ServerName) -> Option<Box<dyn Backend>>;
}

/// A TLS library at work on one connection.
trait Backend: Send {
    /// Takes one whole record and tells what it came to. `hidden`: what it holds cannot be read from outside.
    fn record(&mut self, record: &[u8], hidden: bool, seen: &mut Seen);

    /// Records to send.
    fn take_output(&mut self) -> Vec<u8>;

    /// Plain text to send.
    fn write(&mut self, plain: &[u8]);

    /// Ends our direction (close_notify).
    fn close(&mut self);

    /// Whether the version is TLS 1.3.
    fn is_tls13(&self) -> bool;
}

/// What a connection came to.
struct Seen {
    state: State,
    /// What was seen inside and nobody has taken yet.
    notes: Vec<What>,
    /// Decrypted text that nobody has taken yet.
    plain: Vec<u8>,
    /// The server wants what this library does not speak.
    incompatible: bool,
}

/// Whether the library can check that whoever shows this chain has its key. A certificate of version 1 is accepted, and
/// nobody knows whose it is.
pub(super) fn can_be_proved(chain: &[Der]) -> bool {
    chain.first().is_some_and(|Der(first)| ParsedCertificate::try_from(&CertificateDer::from(first.as_slice())).is_ok())
}

fn server(seen: Decrypted) -> What {
    What::Decrypted { from: Side::Server, seen }
}

/// One TLS connection.
pub(super) struct Engine {
    backend: Box<dyn Backend>,
    /// Bytes that are no whole record yet, or that are no TLS.
    unread: Vec<u8>,
    seen: Seen,
    asked: bool,
    /// The server switched encryption on, so that its alerts cannot be read from outside.
    encrypted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The handshake goes on.
    Handshake,
    /// It completed.
    Established,
    /// The server ended TLS in order (close_notify). What follows is not TLS.
    Closed,
    /// Bytes came that are no TLS record: nothing is fed any more.
    NotTls,
    /// TLS failed: an alert came, or our side sent one.
    Failed,
}

impl Engine {
    pub(super) fn state(&self) -> State {
        self.seen.state
    }

    /// Whether the server asked for a client certificate.
    pub(super) fn asked_for_certificate(&self) -> bool {
        self.asked
    }

    /// Whether the version is TLS 1.3, in which the client speaks last in a handshake.
    pub(super) fn is_tls13(&self) -> bool {
        self.backend.is_tls13()
    }

    /// Whether the handshake failed because the server wants what our library does not speak.
    pub(super) fn is_incompatible(&self) -> bool {
        self.seen.incompatible
    }

    /// Takes bytes of the wire.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if matches!(self.seen.state, State::Handshake | State::Established) {
            self.unread.extend_from_slice(bytes);
        }
        while matches!(self.seen.state, State::Handshake | State::Established) {
            let header = match front(&self.unread) {
                Front::Undecided => break,
                Front::NotTls | Front::Malformed(_) => {
                    self.seen.state = State::NotTls;
                    break;
                }
                Front::Record(header) => header,
            };
            let len = HEADER_LEN + usize::from(header.len);
            if self.unread.len() < len {
                break;
            }
            let record: Vec<u8> = self.unread.drain(..len).collect();
            self.record(&record, header.content_type);
        }
        if self.seen.state == State::Failed {
            self.unread = Vec::new();
        }
    }

    fn record(&mut self, record: &[u8], content_type: u8) {
        let hidden = content_type == content::APPLICATION_DATA || self.encrypted;
        self.backend.record(record, hidden, &mut self.seen);
        self.encrypted |= content_type == content::CHANGE_CIPHER_SPEC;
        let asks = |n: &What| matches!(n, What::Decrypted { seen: Decrypted::CertificateRequest { .. }, .. });
        self.asked |= self.seen.notes.iter().any(asks);
    }

    /// What came behind the server's close_notify, or where a record was due: it is no TLS.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.unread)
    }

    /// What was seen since the last call.
    pub(super) fn take_notes(&mut self) -> Vec<What> {
        core::mem::take(&mut self.seen.notes)
    }

    /// Records to send.
    pub(super) fn take_output(&mut self) -> Vec<u8> {
        self.backend.take_output()
    }

    /// Plain text that the server sent; also behind a failure.
    pub(super) fn take_plain(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.seen.plain)
    }

    /// Plain text to send.
    pub(super) fn write(&mut self, plain: &[u8]) {
        self.backend.write(plain);
    }

    /// Ends our direction in order.
    pub(super) fn close(&mut self) {
        if self.seen.state == State::Established || self.seen.state == State::Closed {
            self.backend.close();
        }
    }
}

//! rustls behind one file: whole records in, records and plain text out, and notes of what was seen inside.
//!
//! rustls is fed whole TLS records and nothing else. On the first byte that is no TLS it would queue an alert of its own
//! and send it to a peer that speaks plain text; behind a close_notify it would swallow what follows. (Both measured.)
//! Its certificate verifier records and accepts: judging a chain is the business of `trust`.

mod keeper;
mod server;
mod witness;

use std::fmt;
use std::sync::{Arc, Mutex};

use std::io::{Read, Write};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientConnection, ResolvesClientCert, Resumption};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::{self, CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion};

use super::plan::ServerName;
use crate::transcript::{Decrypted, Side, What};
use crate::wire::tls::content;
use crate::wire::tls::record::{Front, HEADER_LEN, front};
pub(super) use keeper::Keeper;
pub use keeper::Sessions;
pub(super) use server::Server;
pub use server::{Terms, Wanted};
use witness::Witness;

/// The TLS client of one endpoint. rustls resumes a session only between connections that share verifier and
/// certificate resolver, so they are built once.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    /// The same without a server name.
    nameless: Arc<ClientConfig>,
    witness: Arc<Witness>,
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

/// Sessions and tickets that one login remembers.
const SESSIONS: usize = 32;

/// Why a client certificate cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientError(pub &'static str);

impl TlsClient {
    /// A client for TLS 1.2 and 1.3 that accepts any certificate and remembers it.
    ///
    /// # Errors
    /// When the identity's key is of no kind that TLS uses, or is not that of the certificate.
    pub fn new(identity: Option<Identity>) -> Result<Self, ClientError> {
        let provider = Arc::new(crypto::ring::default_provider());
        let key = identity.map(|i| certified_key(&provider, i)).transpose()?;
        let witness = Arc::new(Witness { provider, key, seen: Mutex::default() });
        Self::build(&[&rustls::version::TLS13, &rustls::version::TLS12], witness)
    }

    fn build(versions: &[&'static SupportedProtocolVersion], witness: Arc<Witness>) -> Result<Self, ClientError> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&witness.provider))
            .with_protocol_versions(versions)
            .map_err(|_| ClientError("the TLS library offers neither TLS 1.2 nor TLS 1.3"))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
            .with_client_cert_resolver(Arc::clone(&witness) as Arc<dyn ResolvesClientCert>);
        // Servers differ in how they take an unknown ALPN value, so none is sent.
        config.alpn_protocols.clear();
        let mut nameless = config.clone();
        nameless.enable_sni = false;
        Ok(Self { config: Arc::new(config), nameless: Arc::new(nameless), witness })
    }

    /// The same with sessions of its own: what one login resumes, no other login began.
    pub(super) fn for_a_login(&self) -> Self {
        self.with(|config| config.resumption = Resumption::in_memory_sessions(SESSIONS))
    }

    /// The same, without an offer to resume a session.
    pub(super) fn declining(&self) -> Self {
        self.with(|config| config.resumption = Resumption::disabled())
    }

    /// The same with TLS 1.2 and nothing newer, and sessions of its own.
    pub(super) fn limited_to_tls12(&self) -> Self {
        let versions = [&rustls::version::TLS12];
        let limited = Self::build(&versions, Arc::clone(&self.witness)).unwrap_or_else(|_| self.clone());
        limited.for_a_login()
    }

    fn with(&self, change: impl Fn(&mut ClientConfig)) -> Self {
        let changed = |config: &Arc<ClientConfig>| {
            let mut config = ClientConfig::clone(config);
            change(&mut config);
            Arc::new(config)
        };
        let (config, nameless) = (changed(&self.config), changed(&self.nameless));
        Self { config, nameless, witness: Arc::clone(&self.witness) }
    }

    /// Begins a handshake with `host`.
    pub(super) fn engine(&self, host: &str, name: &ServerName) -> Option<Engine> {
        let (config, name) = match name {
            ServerName::Send(name) => (&self.config, name.as_str()),
            ServerName::Omit => (&self.nameless, host),
        };
        // Sessions are kept by name; one that is no name of DNS is sent to nobody.
        let (config, server) = match pki_types::ServerName::try_from(name.to_owned()) {
            Ok(server) => (config, server),
            Err(_) => (&self.nameless, pki_types::ServerName::try_from("name.invalid").ok()?),
        };
        let mut connection = ClientConnection::new(Arc::clone(config), server).ok()?;
        // What is sent at once is bounded by whoever sends it.
        connection.set_buffer_limit(None);
        Some(Engine {
            connection,
            witness: Arc::clone(&self.witness),
            unread: Vec::new(),
            notes: Vec::new(),
            plain: Vec::new(),
            tickets: 0,
            asked: false,
            encrypted: false,
            state: State::Handshake,
        })
    }
}

fn certified_key(provider: &CryptoProvider, identity: Identity) -> Result<Arc<CertifiedKey>, ClientError> {
    let key = PrivateKeyDer::try_from(identity.key).map_err(|_| ClientError("this is no private key"))?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|_| ClientError("keys of this kind cannot be used for TLS 1.2 and 1.3"))?;
    let chain = identity.chain.into_iter().map(CertificateDer::from).collect();
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
            Err(ClientError("the private key is not that of the certificate"))
        }
        _ => Ok(Arc::new(certified)),
    }
}

fn server(seen: Decrypted) -> What {
    What::Decrypted { from: Side::Server, seen }
}

/// One TLS connection.
pub(super) struct Engine {
    connection: ClientConnection,
    witness: Arc<Witness>,
    /// Bytes that are no whole record yet, or that are no TLS.
    unread: Vec<u8>,
    notes: Vec<What>,
    /// Decrypted text that nobody has taken yet; rustls stops reading when it has to keep more than a little.
    plain: Vec<u8>,
    tickets: u32,
    asked: bool,
    /// The server switched encryption on, so that its alerts cannot be read from outside.
    encrypted: bool,
    state: State,
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
        self.state
    }

    /// Whether the server asked for a client certificate.
    pub(super) fn asked_for_certificate(&self) -> bool {
        self.asked
    }

    /// Whether the version is TLS 1.3, in which the client speaks last in a handshake.
    pub(super) fn is_tls13(&self) -> bool {
        self.connection.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3)
    }

    /// Takes bytes of the wire.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Handshake | State::Established) {
            self.unread.extend_from_slice(bytes);
        }
        while matches!(self.state, State::Handshake | State::Established) {
            let header = match front(&self.unread) {
                Front::Undecided => break,
                Front::NotTls | Front::Malformed(_) => {
                    self.state = State::NotTls;
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
        if self.state == State::Failed {
            self.unread = Vec::new();
        }
    }

    /// What came behind the server's close_notify, or where a record was due: it is no TLS.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.unread)
    }

    fn record(&mut self, record: &[u8], content_type: u8) {
        let hidden = content_type == content::APPLICATION_DATA || self.encrypted;
        let mut rest = record;
        while !rest.is_empty() {
            if !matches!(self.connection.read_tls(&mut rest), Ok(n) if n > 0) {
                break;
            }
            match self.connection.process_new_packets() {
                Ok(io) if io.peer_has_closed() => {
                    if hidden {
                        self.notes.push(server(Decrypted::Alert { level: 1, description: 0 }));
                    }
                    self.state = State::Closed;
                }
                Ok(_) => {}
                Err(error) => {
                    match error {
                        rustls::Error::AlertReceived(alert) if hidden => {
                            self.notes.push(server(Decrypted::Alert { level: 2, description: alert.into() }));
                        }
                        rustls::Error::AlertReceived(_) => {}
                        // Our side gives up. Its alert may be encrypted, so that only these words are left of it.
                        error => self.notes.push(What::Claim {
                            by: "rustls".to_owned(),
                            code: None,
                            text: error.to_string(),
                        }),
                    }
                    self.state = State::Failed;
                }
            }
        }
        self.read_plain();
        self.encrypted |= content_type == content::CHANGE_CIPHER_SPEC;
        self.observe();
    }

    /// What rustls knows now, as notes.
    fn observe(&mut self) {
        let seen = self.witness.take();
        self.asked |= seen.iter().any(|(_, s)| matches!(s, Decrypted::CertificateRequest { .. }));
        // Everything in a handshake comes before its completion, alerts behind it.
        let alerts = core::mem::take(&mut self.notes);
        self.notes.extend(seen.into_iter().map(|(from, seen)| What::Decrypted { from, seen }));
        if self.state != State::Failed && !self.connection.is_handshaking() && self.state == State::Handshake {
            self.state = State::Established;
            self.notes.extend(self.established().map(server));
        }
        self.notes.extend(alerts);
        while self.tickets < self.connection.tls13_tickets_received() {
            self.tickets += 1;
            self.notes.push(server(Decrypted::Ticket));
        }
    }

    fn established(&self) -> Option<Decrypted> {
        let c = &self.connection;
        Some(Decrypted::Established {
            version: c.protocol_version()?.into(),
            suite: c.negotiated_cipher_suite()?.suite().into(),
            group: c.negotiated_key_exchange_group().map(|g| g.name().into()),
            alpn: c.alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned()),
            resumed: c.handshake_kind() == Some(HandshakeKind::Resumed),
        })
    }

    /// What was seen since the last call.
    pub(super) fn take_notes(&mut self) -> Vec<What> {
        core::mem::take(&mut self.notes)
    }

    /// Records to send.
    pub(super) fn take_output(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.connection.wants_write() {
            if !matches!(self.connection.write_tls(&mut out), Ok(n) if n > 0) {
                break;
            }
        }
        out
    }

    /// Plain text that the server sent; also behind a failure.
    pub(super) fn take_plain(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.plain)
    }

    fn read_plain(&mut self) {
        let mut chunk = [0; 4096];
        while let Ok(n @ 1..) = self.connection.reader().read(&mut chunk) {
            self.plain.extend_from_slice(chunk.get(..n).unwrap_or_default());
        }
    }

    /// Plain text to send.
    pub(super) fn write(&mut self, plain: &[u8]) {
        // A Vec takes everything.
        let _ = self.connection.writer().write_all(plain);
    }

    /// Ends our direction in order.
    pub(super) fn close(&mut self) {
        if self.state == State::Established || self.state == State::Closed {
            self.connection.send_close_notify();
        }
    }
}

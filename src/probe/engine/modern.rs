//! rustls: TLS 1.2 and 1.3.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientConnection, ResolvesClientCert, Resumption};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::{self, CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion};

use super::witness::Witness;
use super::{Backend, ClientError, Identity, KeyKind, Library, Seen, State, server};
use crate::probe::plan::ServerName;
use crate::transcript::{Decrypted, What};

/// rustls resumes a session only between connections that share verifier and certificate resolver, so they are built once.
#[derive(Clone)]
pub(super) struct Client {
    config: Arc<ClientConfig>,
    /// The same without a server name.
    nameless: Arc<ClientConfig>,
    witness: Arc<Witness>,
}

/// Sessions and tickets that one login remembers.
const SESSIONS: usize = 32;

impl Client {
    /// A client for TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// When the identity's key is of no kind that TLS uses, or is not that of the certificate.
    pub(super) fn new(identity: Option<Identity>) -> Result<Self, ClientError> {
        let provider = Arc::new(crypto::ring::default_provider());
        let key = identity.map(|i| certified_key(&provider, i)).transpose()?;
        let witness = Arc::new(Witness { provider, key, kind: None, seen: Mutex::default() });
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

    fn with(&self, change: impl Fn(&mut ClientConfig)) -> Self {
        let changed = |config: &Arc<ClientConfig>| {
            let mut config = ClientConfig::clone(config);
            change(&mut config);
            Arc::new(config)
        };
        let (config, nameless) = (changed(&self.config), changed(&self.nameless));
        Self { config, nameless, witness: Arc::clone(&self.witness) }
    }

    fn with_sessions(&self) -> Self {
        self.with(|config| config.resumption = Resumption::in_memory_sessions(SESSIONS))
    }
}

impl Library for Client {
    fn for_a_login(&self) -> Arc<dyn Library> {
        Arc::new(self.with_sessions())
    }

    fn declining(&self) -> Arc<dyn Library> {
        Arc::new(self.with(|config| config.resumption = Resumption::disabled()))
    }

    fn limited_to_tls12(&self) -> Arc<dyn Library> {
        let versions = [&rustls::version::TLS12];
        let limited = Self::build(&versions, Arc::clone(&self.witness)).unwrap_or_else(|_| self.clone());
        Arc::new(limited.with_sessions())
    }

    fn signed_by(&self, kind: KeyKind) -> Option<Arc<dyn Library>> {
        let (provider, key) = (Arc::clone(&self.witness.provider), self.witness.key.clone());
        let witness = Arc::new(Witness { provider, key, kind: Some(kind), seen: Mutex::default() });
        let limited = Self::build(&[&rustls::version::TLS13], witness).ok()?;
        Some(Arc::new(limited.with(|config| config.resumption = Resumption::disabled())))
    }

    fn begin(&self, host: &str, name: &ServerName) -> Option<Box<dyn Backend>> {
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
        Some(Box::new(Connection { connection, witness: Arc::clone(&self.witness), tickets: 0 }))
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

/// One connection.
struct Connection {
    connection: ClientConnection,
    witness: Arc<Witness>,
    tickets: u32,
}

impl Backend for Connection {
    fn record(&mut self, record: &[u8], hidden: bool, seen: &mut Seen) {
        let mut rest = record;
        while !rest.is_empty() {
            if !matches!(self.connection.read_tls(&mut rest), Ok(n) if n > 0) {
                break;
            }
            match self.connection.process_new_packets() {
                Ok(io) if io.peer_has_closed() => {
                    if hidden {
                        seen.notes.push(server(Decrypted::Alert { level: 1, description: 0 }));
                    }
                    seen.state = State::Closed;
                }
                Ok(_) => {}
                Err(error) => {
                    seen.incompatible |= matches!(error, rustls::Error::PeerIncompatible(_));
                    match error {
                        rustls::Error::AlertReceived(alert) if hidden => {
                            seen.notes.push(server(Decrypted::Alert { level: 2, description: alert.into() }));
                        }
                        rustls::Error::AlertReceived(_) => {}
                        // Our side gives up. Its alert may be encrypted, so that only these words are left of it.
                        error => seen.notes.push(What::Claim {
                            by: "rustls".to_owned(),
                            code: None,
                            text: error.to_string(),
                        }),
                    }
                    seen.state = State::Failed;
                }
            }
        }
        self.read_plain(&mut seen.plain);
        self.observe(seen);
    }

    fn take_output(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.connection.wants_write() {
            if !matches!(self.connection.write_tls(&mut out), Ok(n) if n > 0) {
                break;
            }
        }
        out
    }

    fn write(&mut self, plain: &[u8]) {
        // A Vec takes everything.
        let _ = self.connection.writer().write_all(plain);
    }

    fn close(&mut self) {
        self.connection.send_close_notify();
    }

    fn is_tls13(&self) -> bool {
        self.connection.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3)
    }
}

impl Connection {
    /// What rustls knows now, as notes.
    fn observe(&mut self, seen: &mut Seen) {
        // Everything in a handshake comes before its completion, alerts behind it.
        let alerts = core::mem::take(&mut seen.notes);
        seen.notes.extend(self.witness.take().into_iter().map(|(from, seen)| What::Decrypted { from, seen }));
        if !self.connection.is_handshaking() && seen.state == State::Handshake {
            seen.state = State::Established;
            seen.notes.extend(self.established().map(server));
        }
        seen.notes.extend(alerts);
        while self.tickets < self.connection.tls13_tickets_received() {
            self.tickets += 1;
            seen.notes.push(server(Decrypted::Ticket));
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

    /// rustls stops reading when it has to keep more than a little.
    fn read_plain(&mut self, plain: &mut Vec<u8>) {
        let mut chunk = [0; 4096];
        while let Ok(n @ 1..) = self.connection.reader().read(&mut chunk) {
            plain.extend_from_slice(chunk.get(..n).unwrap_or_default());
        }
    }
}

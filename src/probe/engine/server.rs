//! The server's side of TLS, for endpoints that misbehave on purpose: whole flights in and out, no socket.

use std::io::{Read, Write};
use std::sync::Arc;

use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, HandshakeKind, ServerConfig, ServerConnection,
    SignatureScheme,
};

use super::Identity;

/// How a server does its handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// TLS 1.3 and nothing else; otherwise TLS 1.2 and nothing else.
    pub tls13: bool,
    /// What it does about client certificates.
    pub client: Wanted,
    /// Authorities that it names in its request, by common name.
    pub authorities: &'static [&'static str],
    /// Longest record that it sends.
    pub longest_record: Option<usize>,
}

/// What a server wants of a client certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// It does not ask.
    #[default]
    Nothing,
    /// It asks, and goes on without one.
    Asked,
    /// It asks, and refuses to go on without one.
    Required,
    /// It asks, and refuses whatever comes (unknown_ca); none is good enough.
    Refused,
}

/// One TLS connection.
#[derive(Debug)]
pub(in crate::probe) struct Server {
    connection: ServerConnection,
    failed: bool,
    /// The client said that nothing more comes (close_notify).
    ended: bool,
}

/// What a server on these terms is configured with; `None` when the identity cannot be used.
pub(super) fn config(terms: Terms, identity: &Identity) -> Option<ServerConfig> {
    let provider = Arc::new(crypto::ring::default_provider());
    let version = if terms.tls13 { &rustls::version::TLS13 } else { &rustls::version::TLS12 };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&[version]).ok()?;
    let builder = match terms.client {
        Wanted::Nothing => builder.with_no_client_auth(),
        wanted => {
            let names = terms.authorities.iter().map(|n| common_name(n).into()).collect();
            builder.with_client_cert_verifier(Arc::new(Asker { provider, wanted, names }))
        }
    };
    let key = PrivateKeyDer::try_from(identity.key.clone()).ok()?;
    let chain = identity.chain.iter().cloned().map(CertificateDer::from).collect();
    let mut config = builder.with_single_cert(chain, key).ok()?;
    config.max_fragment_size = terms.longest_record;
    Some(config)
}

impl Server {
    /// Waits for a ClientHello; `None` when the identity cannot be used.
    pub(in crate::probe) fn new(terms: Terms, identity: &Identity) -> Option<Self> {
        Self::with(config(terms, identity)?)
    }

    pub(super) fn with(config: ServerConfig) -> Option<Self> {
        let mut connection = ServerConnection::new(Arc::new(config)).ok()?;
        connection.set_buffer_limit(None);
        Some(Self { connection, failed: false, ended: false })
    }

    /// Takes bytes of the wire. A failure shows as the alert that is sent next.
    pub(in crate::probe) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.failed {
            if !matches!(self.connection.read_tls(&mut bytes), Ok(n) if n > 0) {
                return;
            }
            match self.connection.process_new_packets() {
                Ok(io) => self.ended |= io.peer_has_closed(),
                Err(_) => self.failed = true,
            }
        }
    }

    /// Whether the handshake is over, one way or the other.
    pub(in crate::probe) fn is_done(&self) -> bool {
        self.failed || !self.connection.is_handshaking()
    }

    /// Whether nothing can be said inside any more.
    pub(in crate::probe) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether the client ended its direction in order.
    pub(in crate::probe) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether an earlier session was resumed.
    pub(in crate::probe) fn is_resumed(&self) -> bool {
        self.connection.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Records to send.
    pub(in crate::probe) fn take_output(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.connection.wants_write() && matches!(self.connection.write_tls(&mut out), Ok(n) if n > 0) {}
        out
    }

    /// What the client said inside.
    pub(in crate::probe) fn take_plain(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        // The end of what is there looks like an error.
        let _ = self.connection.reader().read_to_end(&mut out);
        out
    }

    /// Says something inside.
    pub(in crate::probe) fn write(&mut self, plain: &[u8]) {
        // A Vec takes everything.
        let _ = self.connection.writer().write_all(plain);
    }

    /// Ends its direction in order.
    pub(in crate::probe) fn close(&mut self) {
        self.connection.send_close_notify();
    }
}

/// A name of one common name, DER: `SEQUENCE { SET { SEQUENCE { 2.5.4.3, UTF8String } } }`. Short names only.
fn common_name(name: &str) -> Vec<u8> {
    let wrap = |tag: u8, content: Vec<u8>| -> Vec<u8> {
        let len = u8::try_from(content.len()).ok().filter(|n| *n < 0x80).unwrap_or_default();
        [vec![tag, len], content].concat()
    };
    let attribute = [vec![6, 3, 0x55, 4, 3], wrap(0x0c, name.as_bytes().to_vec())].concat();
    wrap(0x30, wrap(0x31, wrap(0x30, attribute)))
}

/// Asks for client certificates, and takes or refuses them without looking.
#[derive(Debug)]
struct Asker {
    provider: Arc<CryptoProvider>,
    wanted: Wanted,
    names: Vec<DistinguishedName>,
}

impl ClientCertVerifier for Asker {
    fn client_auth_mandatory(&self) -> bool {
        self.wanted != Wanted::Asked
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.names
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match self.wanted {
            Wanted::Refused => Err(CertificateError::UnknownIssuer.into()),
            _ => Ok(ClientCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

//! What rustls asks during a handshake: recorded, and accepted.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::{self, CertificateDer, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, SignatureScheme};

use super::KeyKind;
use crate::transcript::{Decrypted, Der, Side};

/// Records what passes, and accepts it.
pub(super) struct Witness {
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) key: Option<Arc<CertifiedKey>>,
    /// Signatures by this kind of key alone.
    pub(super) kind: Option<KeyKind>,
    pub(super) seen: Mutex<Vec<(Side, Decrypted)>>,
}

impl Witness {
    fn note(&self, from: Side, seen: Decrypted) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push((from, seen));
    }

    pub(super) fn take(&self) -> Vec<(Side, Decrypted)> {
        core::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &pki_types::ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = core::iter::once(end_entity).chain(intermediates).map(|c| Der(c.to_vec())).collect();
        self.note(Side::Server, Decrypted::Certificates { chain });
        Ok(ServerCertVerified::assertion())
    }

    /// A wrong signature ends the handshake: nobody could go on with such a server. A certificate that the library
    /// cannot read (version 1) is no reason.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        tolerant(cert, crypto::verify_tls12_signature(message, cert, dss, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        tolerant(cert, crypto::verify_tls13_signature(message, cert, dss, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let all = self.provider.signature_verification_algorithms.supported_schemes();
        // PKCS#1 signs nothing in TLS 1.3: there it is for whoever issued the certificates (RFC 8446, 4.2.3).
        let issuers = |scheme: u16| matches!(scheme, 0x0401 | 0x0501 | 0x0601);
        let is_wanted = |scheme: u16| self.kind.is_none_or(|kind| kind.signs(scheme) || issuers(scheme));
        all.into_iter().filter(|scheme| is_wanted((*scheme).into())).collect()
    }
}

fn tolerant(
    cert: &CertificateDer<'_>,
    checked: Result<HandshakeSignatureValid, rustls::Error>,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    match checked {
        Err(e @ rustls::Error::InvalidCertificate(rustls::CertificateError::BadSignature))
            if !has_small_rsa_key(cert) =>
        {
            Err(e)
        }
        _ => Ok(HandshakeSignatureValid::assertion()),
    }
}

/// Whether a certificate holds an RSA key that `ring` does not verify with (below 2048 bits), and calls any signature bad.
/// That such a key is weak is said elsewhere; here it must not look like a broken handshake.
fn has_small_rsa_key(cert: &[u8]) -> bool {
    // AlgorithmIdentifier rsaEncryption with NULL, then a BIT STRING whose length fits one byte (RFC 8017, RFC 5280).
    const RSA: [u8; 13] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let at = cert.windows(RSA.len()).position(|w| w == RSA);
    matches!(at.and_then(|at| cert.get(at + RSA.len()..)), Some([3, len, ..]) if *len <= 0x81)
}

impl ResolvesClientCert for Witness {
    fn resolve(&self, authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let authorities = authorities.iter().map(|a| Der(a.to_vec())).collect();
        self.note(Side::Server, Decrypted::CertificateRequest { authorities });
        let key = self.key.as_ref().filter(|k| k.key.choose_scheme(schemes).is_some());
        let chain = key.map(|k| k.cert.iter().map(|c| Der(c.to_vec())).collect()).unwrap_or_default();
        self.note(Side::Client, Decrypted::Certificates { chain });
        key.cloned()
    }

    /// Always asked, so that a request is seen.
    fn has_certs(&self) -> bool {
        true
    }
}

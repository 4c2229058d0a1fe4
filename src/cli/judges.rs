//! Files that judge or speak for somebody: lists of authorities, client certificates.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::InputError;
#[cfg(feature = "live")]
use crate::probe::Identity;
use crate::trust::{self, Problem, Store, Stores};

/// Largest file of certificates that is read.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The lists that judge what a server shows to us: the user's own, else the system's with Mozilla's as a second opinion.
pub(super) fn stores(ca: &[String]) -> Result<Stores, InputError> {
    if ca.is_empty() {
        let native = rustls_native_certs::load_native_certs();
        let system = Store::new("system", native.certs.into_iter().map(|c| c.to_vec()));
        // A machine without a list has no opinion; one that trusts nobody would refuse everybody.
        return Ok(if system.is_empty() { Stores::mozilla() } else { Stores::mozilla().with(system) });
    }
    named(ca)
}

/// The lists that judge evidence of others, the same on every machine.
pub(super) fn stores_for_evidence(ca: &[String]) -> Result<Stores, InputError> {
    if ca.is_empty() { Ok(Stores::mozilla()) } else { named(ca) }
}

fn named(files: &[String]) -> Result<Stores, InputError> {
    files.iter().try_fold(Stores::default(), |stores, file| {
        let certificates = trust::read_certificates(&read(file)?).map_err(|p| said(file, p))?;
        let name = Path::new(file).file_name().and_then(|n| n.to_str()).unwrap_or(file);
        let store = Store::new(crate::wire::printable_str(name), certificates);
        if store.is_empty() {
            let problem = "holds no certificate that can be used as an authority";
            return Err(InputError::unreadable(file, problem, "the root or issuing certificate as PEM, DER or PKCS#7"));
        }
        Ok(stores.with(store))
    })
}

/// A client certificate with its key.
#[cfg(feature = "live")]
pub(super) fn identity(cert: Option<&str>, key: Option<&str>) -> Result<Option<Identity>, InputError> {
    let Some(cert) = cert else { return Ok(None) };
    let bytes = read(cert)?;
    let key_bytes = key.map(read).transpose()?;
    let password = std::env::var("FTPSDIAG_CERT_PASSWORD").ok();
    let found = trust::read_identity(&bytes, key_bytes.as_deref(), password.as_deref()).map_err(|p| said(cert, p))?;
    Ok(Some(Identity { chain: found.chain, key: found.key.der().to_vec() }))
}

fn said(file: &str, Problem { problem, advice }: Problem) -> InputError {
    InputError::unreadable(file, problem, advice)
}

fn read(file: &str) -> Result<Vec<u8>, InputError> {
    let bad = |e: io::Error| {
        let problem = match e.kind() {
            io::ErrorKind::NotFound => "no such file".to_owned(),
            io::ErrorKind::PermissionDenied => "may not be read by you".to_owned(),
            _ => format!("could not be read: {e}"),
        };
        InputError::unreadable(file, problem, "name a file with certificates: PEM, DER, PKCS#7 or PKCS#12")
    };
    if fs::metadata(file).map_err(bad)?.len() > LARGEST {
        return Err(InputError::unreadable(file, "too large for certificates", "a file with certificates alone"));
    }
    fs::read(file).map_err(bad)
}

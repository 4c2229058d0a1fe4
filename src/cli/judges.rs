//! Files that judge or speak for somebody: lists of authorities, client certificates.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::InputError;
#[cfg(feature = "live")]
use crate::probe::Identity;
use crate::transcript::{Authorities, Der};
use crate::trust::{self, Problem, Store, Stores};

/// Largest file of certificates that is read.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The lists that judge what a server shows to us: those of the user, else the system's with Mozilla's as a second opinion.
pub(super) fn stores(own: &[Authorities]) -> Stores {
    if !own.is_empty() {
        return of(own);
    }
    let native = rustls_native_certs::load_native_certs();
    let system = Store::new("system", native.certs.into_iter().map(|c| c.to_vec()));
    // A machine without a list has no opinion; one that trusts nobody would refuse everybody.
    if system.is_empty() { Stores::mozilla() } else { Stores::mozilla().with(system) }
}

/// The lists that judge evidence of others, the same on every machine.
pub(super) fn stores_for_evidence(own: &[Authorities]) -> Stores {
    if own.is_empty() { Stores::mozilla() } else { of(own) }
}

fn of(lists: &[Authorities]) -> Stores {
    lists.iter().fold(Stores::default(), |stores, list| {
        stores.with(Store::new(list.name.clone(), list.certificates.iter().map(|c| c.0.clone())))
    })
}

/// The lists in the user's files.
pub(super) fn authorities(files: &[String]) -> Result<Vec<Authorities>, InputError> {
    let list = |file: &String| {
        let certificates = trust::read_certificates(&read(file)?).map_err(|p| said(file, p))?;
        let name = Path::new(file).file_name().and_then(|n| n.to_str()).unwrap_or(file);
        let name = crate::wire::printable_str(name);
        if Store::new(name.clone(), certificates.clone()).is_empty() {
            let problem = "holds no certificate that can be used as an authority";
            return Err(InputError::unreadable(file, problem, "the root or issuing certificate as PEM, DER or PKCS#7"));
        }
        Ok(Authorities { name, certificates: certificates.into_iter().map(Der).collect() })
    };
    files.iter().map(list).collect()
}

/// A client certificate with its key.
#[cfg(feature = "live")]
pub(super) fn identity(cert: Option<&str>, key: Option<&str>) -> Result<Option<Identity>, InputError> {
    let Some(cert) = cert else { return Ok(None) };
    let bytes = read(cert)?;
    let key_bytes = key.map(read).transpose()?;
    let password = std::env::var("FTPSDIAG_CERT_PASSWORD").ok();
    let found = trust::read_identity(&bytes, key_bytes.as_deref(), password.as_deref()).map_err(|p| {
        let about_key = p.problem.contains("private key") || p.problem.contains("encrypted");
        said(key.filter(|_| about_key).unwrap_or(cert), p)
    })?;
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
        InputError::unreadable(file, problem, "name a file with certificates")
    };
    if fs::metadata(file).map_err(bad)?.len() > LARGEST {
        return Err(InputError::unreadable(file, "too large for certificates", "a file with certificates alone"));
    }
    fs::read(file).map_err(bad)
}

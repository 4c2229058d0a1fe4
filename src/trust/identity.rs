//! Files that hold certificates and keys, in the forms in which people have them.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as P12Error;

use super::{der, pem};

/// OID of signedData (PKCS#7), which carries certificates without signing anything.
const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// Certificates of one file that are read.
const MOST_IN_A_FILE: usize = 10_000;

/// What is wrong with a file: what was found in it, and what to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What was found; one sentence without a full stop.
    pub problem: String,
    /// What to try, imperative.
    pub advice: String,
}

fn problem<T>(problem: impl Into<String>, advice: impl Into<String>) -> Result<T, Problem> {
    Err(Problem { problem: problem.into(), advice: advice.into() })
}

/// A certificate chain with the private key of its first certificate. It cannot be printed.
pub struct Identity {
    /// DER, the own certificate first.
    pub chain: Vec<Vec<u8>>,
    /// The private key.
    pub key: PrivateKey,
}

/// A private key in DER. It has no `Debug` and no `Display`: keys end up in no log.
pub enum PrivateKey {
    /// PKCS#8.
    Pkcs8(Vec<u8>),
    /// PKCS#1 (RSA).
    Pkcs1(Vec<u8>),
    /// SEC 1 (elliptic curves).
    Sec1(Vec<u8>),
}

impl PrivateKey {
    /// Its DER.
    pub fn der(&self) -> &[u8] {
        match self {
            PrivateKey::Pkcs8(bytes) | PrivateKey::Pkcs1(bytes) | PrivateKey::Sec1(bytes) => bytes,
        }
    }
}

/// All certificates of a file: PEM (also PKCS#7 in PEM), DER, several DER in a row, PKCS#7 in DER.
///
/// # Errors
/// What the file holds instead, and what to try.
pub fn read_certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Problem> {
    let blocks = pem::blocks(bytes);
    if blocks.is_empty() {
        return der_certificates(bytes);
    }
    let mut out = Vec::new();
    for block in &blocks {
        let is_certificate = matches!(block.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE");
        let is_pkcs7 = matches!(block.label.as_str(), "PKCS7" | "CMS");
        match (&block.bytes, is_certificate, is_pkcs7) {
            (Some(bytes), true, _) => {
                // Behind a TRUSTED CERTIFICATE stands what OpenSSL trusts it for.
                let Some((first, _)) = der::first(bytes) else {
                    return problem("a CERTIFICATE block holds no DER", "export the certificate again");
                };
                out.push(first.whole.to_vec());
            }
            (Some(bytes), _, true) => out.extend(der_certificates(bytes)?),
            (None, true, _) | (None, _, true) => {
                return problem(
                    format!("a {} block is cut short or damaged", block.label),
                    "copy it again, from BEGIN to END",
                );
            }
            _ => {}
        }
        out.truncate(MOST_IN_A_FILE);
    }
    if out.is_empty() {
        return Err(instead_of_certificates(&blocks));
    }
    Ok(out)
}

fn instead_of_certificates(blocks: &[pem::Block]) -> Problem {
    let has = |word: &str| blocks.iter().any(|b| b.label.contains(word));
    let (holds, advice) = if has("PRIVATE KEY") {
        ("a private key but no certificate", "add the certificate (PEM) to the file, or name the file that holds it")
    } else if has("CERTIFICATE REQUEST") {
        ("a certificate request, which no authority has signed yet", "use the certificate that the authority sent back")
    } else if has("CRL") {
        ("a revocation list", "name a file with certificates")
    } else if has("PUBLIC KEY") {
        ("a public key but no certificate", "name a file with certificates")
    } else {
        ("PEM, but no certificate", "name a file with BEGIN CERTIFICATE")
    };
    Problem { problem: format!("holds {holds}"), advice: advice.to_owned() }
}

/// DER: certificates in a row, or PKCS#7.
fn der_certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Problem> {
    let Some((first, _)) = der::first(bytes).filter(|(e, _)| e.tag == der::SEQUENCE) else {
        return match bytes {
            [] => problem("is empty", "name a file with certificates"),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                problem("is text in UTF-16", "save it as plain ASCII, or export the certificate as Base64 again")
            }
            [0xfe, 0xed, 0xfe, 0xed, ..] => problem(
                "is a Java key store (JKS)",
                "keytool -importkeystore -srckeystore IN -destkeystore OUT.p12 -deststoretype PKCS12",
            ),
            [der::SEQUENCE, ..] => problem("is DER that ends early", "copy the file again, in binary"),
            _ => problem("is neither PEM nor DER", "name a file with certificates: PEM, DER, PKCS#7"),
        };
    };
    match der::first(first.content) {
        Some((e, rest)) if e.tag == der::OID && e.content == SIGNED_DATA => match pkcs7(rest) {
            Some(found) if !found.is_empty() => Ok(found),
            _ => problem("is PKCS#7 without certificates", "openssl pkcs7 -print_certs shows what it holds"),
        },
        Some((e, _)) if is_pkcs12(e) => {
            problem("is PKCS#12, which holds a key", "openssl pkcs12 -in IN.p12 -nokeys -out certificates.pem")
        }
        Some((e, _)) if e.tag == der::INTEGER => {
            problem("holds a private key but no certificate", "name the file that holds the certificate")
        }
        Some((e, _)) if e.tag == der::SEQUENCE && der::first(e.content).is_some_and(|(e, _)| is_field(e)) => {
            let all = der::elements(bytes).take(MOST_IN_A_FILE);
            Ok(all.filter(|e| e.tag == der::SEQUENCE).map(|e| e.whole.to_vec()).collect())
        }
        _ => problem("is DER, but no certificate", "openssl asn1parse -inform DER shows what it is"),
    }
}

/// What a certificate begins with: its version, or in version 1 its serial number.
fn is_field(e: der::Element<'_>) -> bool {
    e.tag == der::CONTEXT_0 || e.tag == der::INTEGER
}

/// PKCS#12 begins with version 3; behind it stands no number but a sequence.
fn is_pkcs12(first: der::Element<'_>) -> bool {
    first.tag == der::INTEGER && first.content == [3]
}

/// The certificates of signedData; `rest` stands behind the OID.
fn pkcs7(rest: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (explicit, _) = der::first(rest).filter(|(e, _)| e.tag == der::CONTEXT_0)?;
    let signed = der::content(explicit.content)?;
    let certificates = der::elements(signed).find(|e| e.tag == der::CONTEXT_0)?;
    let all = der::elements(certificates.content).filter(|e| e.tag == der::SEQUENCE).take(MOST_IN_A_FILE);
    Some(all.map(|e| e.whole.to_vec()).collect())
}

/// A client certificate with its key: PEM in one file or two, DER in two, or PKCS#12 with its password.
///
/// # Errors
/// What the files hold instead, and what to try.
pub fn read_identity(cert: &[u8], key: Option<&[u8]>, password: Option<&str>) -> Result<Identity, Problem> {
    let is_der = pem::blocks(cert).is_empty();
    if is_der && der::content(cert).and_then(|c| der::first(c)).is_some_and(|(e, _)| is_pkcs12(e)) {
        return pkcs12(cert, password);
    }
    let chain = read_certificates(cert)?;
    let (file, of) = match key {
        Some(key) => (key, "the key file"),
        None if is_der => {
            return problem("holds a certificate but no private key", "name the key with --key FILE, or use PKCS#12");
        }
        None => (cert, "it"),
    };
    Ok(Identity { chain, key: private_key(file, of)? })
}

fn private_key(file: &[u8], of: &str) -> Result<PrivateKey, Problem> {
    let blocks = pem::blocks(file);
    if blocks.is_empty() {
        return der_key(file, of);
    }
    let Some(block) = blocks.iter().find(|b| b.label.ends_with("PRIVATE KEY")) else {
        return problem(
            if of == "it" {
                "holds a certificate but no private key".to_owned()
            } else {
                format!("{of} holds no private key")
            },
            "name the file with the key: --key FILE",
        );
    };
    if block.is_encrypted {
        return problem(
            "holds an encrypted private key",
            "decrypt it with openssl pkey -in IN -out OUT, into a file that only you can read; or use PKCS#12",
        );
    }
    match (block.label.as_str(), block.bytes.clone()) {
        (_, None) => problem("the private key is cut short or damaged", "copy it again, from BEGIN to END"),
        ("PRIVATE KEY", Some(bytes)) => Ok(PrivateKey::Pkcs8(bytes)),
        ("RSA PRIVATE KEY", Some(bytes)) => Ok(PrivateKey::Pkcs1(bytes)),
        ("EC PRIVATE KEY", Some(bytes)) => Ok(PrivateKey::Sec1(bytes)),
        (label, Some(_)) => problem(
            format!("holds a {}", crate::wire::printable_str(label)),
            "use a key for RSA or elliptic curves: PKCS#8, PKCS#1 or SEC 1",
        ),
    }
}

/// A key in DER: the version tells PKCS#8 (0, then an algorithm), PKCS#1 (0, then a number) and SEC 1 (1) apart.
fn der_key(file: &[u8], of: &str) -> Result<PrivateKey, Problem> {
    let mut parts = der::content(file).into_iter().flat_map(der::elements);
    match (parts.next(), parts.next()) {
        (Some(v), Some(e)) if v.content == [0] && e.tag == der::SEQUENCE => Ok(PrivateKey::Pkcs8(file.to_vec())),
        (Some(v), Some(e)) if v.content == [0] && e.tag == der::INTEGER => Ok(PrivateKey::Pkcs1(file.to_vec())),
        (Some(v), Some(_)) if v.tag == der::INTEGER && v.content == [1] => Ok(PrivateKey::Sec1(file.to_vec())),
        (Some(v), Some(e)) if v.tag == der::SEQUENCE && e.tag == 0x04 => problem(
            format!("{of} holds an encrypted private key"),
            "decrypt it with openssl pkey -in IN -out OUT, into a file that only you can read",
        ),
        _ => problem(format!("{of} holds no private key"), "name a file with BEGIN PRIVATE KEY, or PKCS#8 in DER"),
    }
}

fn pkcs12(file: &[u8], password: Option<&str>) -> Result<Identity, Problem> {
    let archive = match Pkcs12Archive::from_pkcs12(file, password.unwrap_or_default()) {
        Ok(archive) => archive,
        Err(P12Error::MacError(_)) if password.is_none() => {
            return problem("is PKCS#12 with a password", "set FTPSDIAG_CERT_PASSWORD");
        }
        Err(P12Error::MacError(_)) => {
            return problem("is PKCS#12, and the password is wrong", "set FTPSDIAG_CERT_PASSWORD to the right one");
        }
        Err(_) => {
            return problem(
                "is PKCS#12 that cannot be read",
                "openssl pkcs12 -in IN.p12 -nodes -out OUT.pem, into a file that only you can read",
            );
        }
    };
    let Some(key) = archive.keys.first() else {
        return problem("is PKCS#12 without a private key", "export certificate and key together");
    };
    let id = key.local_key_id.as_ref().map(AsRef::as_ref);
    let own = |c: &&p12_keystore::CertificateBag| id.is_some() && c.local_key_id.as_deref() == id;
    let Some(first) = archive.certs.iter().find(own).or(archive.certs.first()) else {
        return problem("is PKCS#12 without a certificate", "export certificate and key together");
    };
    let mut chain = vec![first.cert.as_der().to_vec()];
    chain.extend(archive.certs.iter().map(|c| c.cert.as_der().to_vec()).filter(|c| c != first.cert.as_der()));
    Ok(Identity { chain, key: PrivateKey::Pkcs8(key.key.as_der().to_vec()) })
}

//! What one certificate says, in words and numbers that a report can hold.

use core::net::IpAddr;

use sha2::{Digest, Sha256};
use x509_parser::asn1_rs::FromDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::nom;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use super::{LONGEST, der};
use crate::wire::printable_str;

/// Names of one kind that are kept of a certificate; some have thousands.
const MOST_NAMES: usize = 10_000;

/// Longest value of a name that is shown.
const LONGEST_VALUE: usize = 128;

/// One certificate as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of the DER, in lower-case hex.
    pub sha256: String,
    /// What it says, or which part of it cannot be read.
    pub read: Result<Box<Details>, &'static str>,
}

/// What a certificate says. Texts are printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// Distinguished name, most specific part first: `CN=ftp.example.org, O=Example, C=US`.
    pub subject: String,
    /// The same of the issuer.
    pub issuer: String,
    /// Serial number in hex.
    pub serial: String,
    /// Begin of the validity, in seconds since 1970 (UTC).
    pub not_before: i64,
    /// Its last second, likewise.
    pub not_after: i64,
    /// DNS names of subjectAltName.
    pub names: Vec<String>,
    /// IP addresses of subjectAltName.
    pub addresses: Vec<IpAddr>,
    /// The last common name of the subject.
    pub common_name: Option<String>,
    /// X.509 version: 1, 2 or 3.
    pub version: u32,
    /// The public key.
    pub key: Key,
    /// Algorithm of the signature, e.g. `SHA256-RSA`.
    pub signature: String,
    /// `cA` of basicConstraints; `None` without that extension.
    pub is_ca: Option<bool>,
    /// Extended key usages by name or number; empty without that extension.
    pub usages: Vec<String>,
    /// Whether a TLS server may use it, by extended key usage and key usage.
    pub for_servers: Result<(), &'static str>,
    /// Where the issuer's certificate can be fetched (authorityInfoAccess, caIssuers).
    pub issuer_urls: Vec<String>,
    /// Whether it carries what only publicly trusted authorities add: signed certificate timestamps, or a policy of
    /// the CA/Browser Forum. Their roots never issue such a certificate themselves.
    pub is_public: bool,
    /// Whether subject and issuer are the same, and its own key, as far as that can be checked, made the signature.
    pub is_self_signed: bool,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// `RSA`, `EC`, `Ed25519`, `DSA`, … or the number of the algorithm.
    pub algorithm: String,
    /// Its size in bits; 0 when unknown.
    pub bits: usize,
}

impl Key {
    /// `RSA 2048`.
    pub fn describe(&self) -> String {
        if self.bits == 0 { self.algorithm.clone() } else { format!("{} {}", self.algorithm, self.bits) }
    }
}

impl Certificate {
    /// Reads one certificate. Total: what cannot be read is said, never refused.
    pub fn read(bytes: &[u8]) -> Self {
        let read = parse(bytes).map(|c| Box::new(details(&c)));
        Self { sha256: hex::encode(Sha256::digest(bytes)), read }
    }

    /// What it says, if it can be read.
    pub fn details(&self) -> Option<&Details> {
        self.read.as_deref().ok()
    }

    /// The kind of its key, as suites name it: `RSA`, `ECDSA`, `Ed25519`, ...
    pub fn kind_of_key(&self) -> Option<String> {
        let kind = self.details()?.key.algorithm.as_str();
        Some(if kind == "EC" { "ECDSA".to_owned() } else { kind.to_owned() })
    }

    /// The fingerprint as people compare it: `4F:9A:…`.
    pub fn fingerprint(&self) -> String {
        let pairs: Vec<&str> = (0..32).filter_map(|n| self.sha256.get(n * 2..n * 2 + 2)).collect();
        pairs.join(":").to_ascii_uppercase()
    }
}

impl Details {
    /// The name that people call it by: the common name, else the first DNS name, else the whole subject.
    pub fn called(&self) -> &str {
        let name = self.common_name.as_ref().or(self.names.first()).filter(|n| !n.is_empty());
        name.map_or(self.subject.as_str(), String::as_str)
    }

    /// Whether a moment (seconds since 1970) lies within the validity.
    pub fn is_valid_at(&self, at: i64) -> bool {
        (self.not_before..=self.not_after).contains(&at)
    }
}

/// Reads a certificate; on failure says which part is wrong.
pub(super) fn parse(bytes: &[u8]) -> Result<X509Certificate<'_>, &'static str> {
    if bytes.len() > LONGEST {
        return Err("longer than 64 kB");
    }
    match der::first(bytes) {
        Some((e, [])) if e.tag == der::SEQUENCE => {}
        Some((e, _)) if e.tag == der::SEQUENCE => return Err("bytes behind its end"),
        _ => return Err("outer length"),
    }
    match X509Certificate::from_der(bytes) {
        Ok((_, certificate)) => Ok(certificate),
        Err(nom::Err::Error(e) | nom::Err::Failure(e)) => Err(part(&e)),
        Err(nom::Err::Incomplete(_)) => Err("an inner length"),
    }
}

fn part(error: &X509Error) -> &'static str {
    match error {
        X509Error::InvalidVersion => "version",
        X509Error::InvalidSerial => "serial number",
        X509Error::InvalidAlgorithmIdentifier => "algorithm",
        X509Error::InvalidX509Name | X509Error::InvalidAttributes | X509Error::DuplicateAttributes => "a name",
        X509Error::InvalidDate => "validity",
        X509Error::InvalidSPKI => "public key",
        X509Error::InvalidSubjectUID | X509Error::InvalidIssuerUID => "unique id",
        X509Error::InvalidExtensions => "extensions",
        X509Error::DuplicateExtensions => "an extension that occurs twice",
        X509Error::InvalidSignatureValue => "signature",
        _ => "its structure",
    }
}

fn details(c: &X509Certificate<'_>) -> Details {
    let mut d = Details {
        subject: distinguished_name(c.subject()),
        issuer: distinguished_name(c.issuer()),
        serial: hex::encode(c.raw_serial()),
        not_before: c.validity().not_before.timestamp(),
        not_after: c.validity().not_after.timestamp(),
        names: Vec::new(),
        addresses: Vec::new(),
        common_name: c.subject().iter_common_name().last().map(value),
        version: c.version().0.saturating_add(1),
        key: key(c.public_key()),
        signature: signature(&c.signature_algorithm.algorithm.to_id_string()),
        is_ca: None,
        usages: Vec::new(),
        for_servers: Ok(()),
        issuer_urls: Vec::new(),
        is_public: false,
        is_self_signed: is_self_signed(c),
    };
    for extension in c.extensions() {
        extend(&mut d, extension.parsed_extension());
    }
    d
}

fn extend(d: &mut Details, extension: &ParsedExtension<'_>) {
    match extension {
        ParsedExtension::SubjectAlternativeName(san) => {
            for name in san.general_names.iter().take(MOST_NAMES) {
                match name {
                    GeneralName::DNSName(name) => d.names.push(clip(name)),
                    GeneralName::IPAddress(bytes) => d.addresses.extend(address(bytes)),
                    _ => {}
                }
            }
        }
        ParsedExtension::BasicConstraints(b) => d.is_ca = Some(b.ca),
        ParsedExtension::KeyUsage(usage) if !usage.digital_signature() && !usage.key_encipherment() => {
            // Key agreement alone serves only static Diffie-Hellman, which nobody offers.
            d.for_servers = Err("key usage allows neither signatures nor key encipherment");
        }
        ParsedExtension::ExtendedKeyUsage(usage) => {
            let known = [
                (usage.any, "any"),
                (usage.server_auth, "serverAuth"),
                (usage.client_auth, "clientAuth"),
                (usage.code_signing, "codeSigning"),
                (usage.email_protection, "emailProtection"),
                (usage.time_stamping, "timeStamping"),
                (usage.ocsp_signing, "OCSPSigning"),
            ];
            d.usages.extend(known.iter().filter(|(is, _)| *is).map(|(_, name)| (*name).to_owned()));
            d.usages.extend(usage.other.iter().take(MOST_NAMES).map(|oid| clip(&oid.to_id_string())));
            if !usage.server_auth && !usage.any {
                d.for_servers = Err("extended key usage lacks serverAuth");
            }
        }
        ParsedExtension::AuthorityInfoAccess(access) => {
            let issuers = access.iter().filter(|a| a.access_method.to_id_string() == "1.3.6.1.5.5.7.48.2");
            d.issuer_urls.extend(issuers.take(MOST_NAMES).filter_map(|a| match &a.access_location {
                GeneralName::URI(url) => Some(clip(url)),
                _ => None,
            }));
        }
        ParsedExtension::CertificatePolicies(policies) => {
            d.is_public |= policies.iter().any(|p| p.policy_id.to_id_string().starts_with("2.23.140.1."));
        }
        ParsedExtension::SCT(_) => d.is_public = true,
        _ => {}
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Same names, and the signature is its own: an unknown algorithm is given the benefit of the doubt.
fn is_self_signed(c: &X509Certificate<'_>) -> bool {
    c.subject().as_raw() == c.issuer().as_raw() && signed_by(c, c.public_key()) != Some(false)
}

/// Whether a key made the signature of a certificate; `None` when the algorithm is not supported.
pub(super) fn signed_by(c: &X509Certificate<'_>, key: &SubjectPublicKeyInfo<'_>) -> Option<bool> {
    match c.verify_signature(Some(key)) {
        Ok(()) => Some(true),
        Err(X509Error::SignatureUnsupportedAlgorithm) => None,
        // Keys below 2048 bits are refused by the library, whatever they signed.
        Err(_) if key.parsed().is_ok_and(|k| matches!(k, PublicKey::RSA(_)) && bits(&k) < 2048) => None,
        Err(_) => Some(false),
    }
}

/// One line, most specific part first, printable ASCII.
pub(super) fn distinguished_name(name: &X509Name<'_>) -> String {
    let mut parts: Vec<String> = name
        .iter_rdn()
        .take(32)
        .map(|rdn| {
            let parts: Vec<String> = rdn
                .iter()
                .take(8)
                .map(|a| format!("{}={}", abbreviation(&a.attr_type().to_id_string()), value(a).replace(',', "\\,")))
                .collect();
            parts.join("+")
        })
        .collect();
    parts.reverse();
    parts.join(", ")
}

fn abbreviation(oid: &str) -> String {
    let known = match oid {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        other => return clip(other),
    };
    known.to_owned()
}

fn value(a: &x509_parser::x509::AttributeTypeAndValue<'_>) -> String {
    match (a.as_str(), a.attr_value().tag().0) {
        (Ok(text), _) => clip(text),
        // BMPString: two bytes a character.
        (Err(_), 30) => {
            let (pairs, _) = a.as_slice().as_chunks::<2>();
            clip(&String::from_utf16_lossy(&pairs.iter().map(|p| u16::from_be_bytes(*p)).collect::<Vec<_>>()))
        }
        (Err(_), _) => clip(&crate::wire::printable(a.as_slice())),
    }
}

fn clip(text: &str) -> String {
    printable_str(text).chars().take(LONGEST_VALUE).collect()
}

fn key(spki: &SubjectPublicKeyInfo<'_>) -> Key {
    let oid = spki.algorithm.algorithm.to_id_string();
    let curve = || spki.algorithm.parameters.as_ref().and_then(|p| p.as_oid().ok()).map(|o| o.to_id_string());
    let parsed = spki.parsed().ok();
    let known = |algorithm: &str, bits: usize| Key { algorithm: algorithm.to_owned(), bits };
    match oid.as_str() {
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => known("RSA", parsed.as_ref().map_or(0, bits)),
        "1.2.840.10045.2.1" => match curve().as_deref() {
            // Its coordinates take 66 bytes.
            Some("1.3.132.0.35") => known("EC", 521),
            _ => known("EC", parsed.as_ref().map_or(0, bits)),
        },
        "1.3.101.112" => known("Ed25519", 256),
        "1.3.101.113" => known("Ed448", 456),
        "1.2.840.10040.4.1" => known("DSA", parsed.as_ref().map_or(0, bits)),
        other => known(&clip(other), 0),
    }
}

fn bits(key: &PublicKey<'_>) -> usize {
    let number = match key {
        PublicKey::RSA(rsa) => rsa.modulus,
        PublicKey::DSA(y) => y,
        other => return other.key_size(),
    };
    let zeros = number.iter().take_while(|b| **b == 0).count();
    let first = number.get(zeros).map_or(0, |b| b.leading_zeros() as usize);
    (number.len() - zeros).saturating_mul(8).saturating_sub(first)
}

fn signature(oid: &str) -> String {
    let known = match oid {
        "1.2.840.113549.1.1.2" => "MD2-RSA",
        "1.2.840.113549.1.1.4" => "MD5-RSA",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "SHA1-RSA",
        "1.2.840.113549.1.1.10" => "RSA-PSS",
        "1.2.840.113549.1.1.11" => "SHA256-RSA",
        "1.2.840.113549.1.1.12" => "SHA384-RSA",
        "1.2.840.113549.1.1.13" => "SHA512-RSA",
        "1.2.840.113549.1.1.14" => "SHA224-RSA",
        "1.2.840.10045.4.1" => "SHA1-ECDSA",
        "1.2.840.10045.4.3.1" => "SHA224-ECDSA",
        "1.2.840.10045.4.3.2" => "SHA256-ECDSA",
        "1.2.840.10045.4.3.3" => "SHA384-ECDSA",
        "1.2.840.10045.4.3.4" => "SHA512-ECDSA",
        "1.2.840.10040.4.3" => "SHA1-DSA",
        "2.16.840.1.101.3.4.3.2" => "SHA256-DSA",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        other => return clip(other),
    };
    known.to_owned()
}

//! The way from a server's certificate to an authority of a list.
//!
//! webpki decides. Where it refuses to read what most clients accept (a version 1 certificate, a CA certificate that a
//! server shows as its own, SHA-1), the links and signatures are followed here, and the answer says so.

use core::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage};
use x509_parser::asn1_rs::FromDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::certificate::signed_by;
use super::der;
use super::stores::{Store, anchor_name};

/// What one list says of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// It leads to an authority of the list.
    Trusted {
        /// That authority.
        root: String,
        /// What strict verifiers refuse all the same.
        despite: Option<&'static str>,
    },
    /// The list holds this very certificate.
    Pinned,
    /// It would lead to this authority if the time were another.
    OnlyTime {
        /// That authority.
        root: String,
    },
    /// It leads to no authority of the list.
    Unknown,
    /// It leads to one, but is not allowed.
    Refused {
        /// Why not.
        why: &'static str,
    },
}

impl Path {
    /// Whether the chain is trusted.
    pub fn is_trusted(&self) -> bool {
        matches!(self, Path::Trusted { .. } | Path::Pinned)
    }
}

/// The chain as it was sent, and the way that its own certificates make.
#[derive(Debug)]
pub(super) struct Way<'a> {
    /// All certificates as they were sent.
    pub(super) sent: &'a [&'a [u8]],
    /// Those that follow each other, from the server's own upwards, parsed.
    pub(super) up: Vec<(usize, X509Certificate<'a>)>,
}

impl<'a> Way<'a> {
    /// Follows issuers upwards from the first certificate, in whatever order they were sent.
    pub(super) fn of(sent: &'a [&'a [u8]]) -> Self {
        let mut rest: Vec<(usize, X509Certificate<'a>)> =
            sent.iter().enumerate().filter_map(|(n, b)| Some((n, super::certificate::parse(b).ok()?))).collect();
        let mut up: Vec<(usize, X509Certificate<'a>)> = Vec::new();
        if rest.first().is_some_and(|(n, _)| *n == 0) {
            up.push(rest.remove(0));
        }
        while let Some((_, last)) = up.last().filter(|(_, c)| c.subject().as_raw() != c.issuer().as_raw()) {
            let issues = |(_, c): &(usize, X509Certificate<'a>)| {
                c.subject().as_raw() == last.issuer().as_raw() && signed_by(last, c.public_key()) != Some(false)
            };
            let Some(next) = rest.iter().position(issues) else { break };
            up.push(rest.remove(next));
        }
        Self { sent, up }
    }

    /// A moment at which all certificates of the way are valid; failing that, the first one.
    fn good_time(&self) -> i64 {
        let validity = |(_, c): &(usize, X509Certificate<'a>)| {
            (c.validity().not_before.timestamp(), c.validity().not_after.timestamp())
        };
        let all = self.up.iter().map(validity).fold((i64::MIN, i64::MAX), |a, b| (a.0.max(b.0), a.1.min(b.1)));
        let (from, to) = if all.0 <= all.1 { all } else { self.up.first().map_or((0, 0), validity) };
        from.max(0).midpoint(to.max(0))
    }

    /// What a list says of the chain at a time (seconds since 1970); without a time, time is no fault.
    pub(super) fn judged_by(&self, store: &Store, at: Option<i64>) -> Path {
        let Some(first) = self.sent.first() else { return Path::Unknown };
        if store.pinned.iter().any(|p| p.as_slice() == *first) {
            return Path::Pinned;
        }
        let good = self.good_time();
        match (self.webpki(store, at.unwrap_or(good)), self.webpki(store, good)) {
            (Ok(root), _) => Path::Trusted { root, despite: None },
            (Err(_), Ok(root)) => Path::OnlyTime { root },
            (Err(_), Err(why)) => match refusal(&why) {
                Refusal::NoIssuer => Path::Unknown,
                Refusal::Final(why) => Path::Refused { why },
                Refusal::Strict(despite) => self.linked(store, at, despite),
            },
        }
    }

    fn webpki(&self, store: &Store, at: i64) -> Result<String, Error> {
        let [first, others @ ..] = self.sent else { return Err(Error::BadDer) };
        let first = CertificateDer::from(*first);
        let others: Vec<CertificateDer<'_>> = others.iter().map(|b| CertificateDer::from(*b)).collect();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(at.max(0).unsigned_abs()));
        let leaf = EndEntityCert::try_from(&first)?;
        leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &store.anchors, &others, time, KeyUsage::server_auth(), None, None)
            .map(|path| anchor_name(path.anchor()))
    }

    /// Follows links and signatures to an authority of the list, without webpki.
    fn linked(&self, store: &Store, at: Option<i64>, despite: &'static str) -> Path {
        let in_time = |c: &X509Certificate<'_>| {
            at.is_none_or(|at| (c.validity().not_before.timestamp()..=c.validity().not_after.timestamp()).contains(&at))
        };
        let mut timely = true;
        for (n, (_, c)) in self.up.iter().enumerate() {
            if n > 0 && !c.is_ca() {
                return Path::Refused { why: "an issuer in the chain is no CA" };
            }
            // What only webpki checks must not be waved through here.
            if n > 0 && matches!(c.name_constraints(), Ok(Some(_)) | Err(_)) {
                return Path::Refused { why: "a CA in the chain has name constraints that cannot be checked" };
            }
            timely &= in_time(c);
            let issuer = der::content(c.issuer().as_raw()).unwrap_or_default();
            for anchor in store.anchors.iter().filter(|a| a.subject.as_ref() == issuer) {
                let key = der::sequence(anchor.subject_public_key_info.as_ref());
                let Ok((_, key)) = SubjectPublicKeyInfo::from_der(&key) else { continue };
                match signed_by(c, &key) {
                    Some(true) if timely => {
                        return Path::Trusted { root: anchor_name(anchor), despite: Some(despite) };
                    }
                    Some(true) => return Path::OnlyTime { root: anchor_name(anchor) },
                    Some(false) => {}
                    None => return Path::Refused { why: "a signature that cannot be checked" },
                }
            }
            // The next link has to be proved too.
            if let Some((_, above)) = self.up.get(n + 1)
                && signed_by(c, above.public_key()) != Some(true)
            {
                return Path::Refused { why: "a signature that cannot be checked" };
            }
        }
        Path::Unknown
    }
}

enum Refusal {
    /// Nothing of the list issued it.
    NoIssuer,
    /// What every verifier refuses.
    Final(&'static str),
    /// What webpki refuses and others accept.
    Strict(&'static str),
}

fn refusal(error: &Error) -> Refusal {
    match error {
        // No time suits all of the way: its links decide, and the time is said.
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => {
            Refusal::Strict("certificates whose times do not overlap")
        }
        Error::CaUsedAsEndEntity => Refusal::Strict("a CA certificate serves as the server's own"),
        Error::UnsupportedCertVersion => Refusal::Strict("version 1"),
        Error::UnsupportedSignatureAlgorithmContext(_) | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            Refusal::Strict("a signature algorithm of old")
        }
        // Its parser is stricter than others: our own decides.
        Error::BadDer
        | Error::BadDerTime
        | Error::InvalidSerialNumber
        | Error::TrailingData(_)
        | Error::MalformedExtensions
        | Error::ExtensionValueInvalid => Refusal::Strict("an unusual encoding"),
        // A key of less than 2048 bits looks like a wrong signature.
        Error::InvalidSignatureForPublicKey => Refusal::Strict("a signature that strict verifiers refuse"),
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            Refusal::Final("its extended key usage does not allow a server")
        }
        Error::EndEntityUsedAsCa => Refusal::Final("an issuer in the chain is no CA"),
        Error::NameConstraintViolation | Error::MaximumNameConstraintComparisonsExceeded => {
            Refusal::Final("a CA in the chain may not issue for this name")
        }
        Error::PathLenConstraintViolated | Error::MaximumPathDepthExceeded => Refusal::Final("the chain is too long"),
        Error::MaximumPathBuildCallsExceeded | Error::MaximumSignatureChecksExceeded => {
            Refusal::Final("the chain is too tangled")
        }
        Error::UnsupportedCriticalExtension => Refusal::Final("it has a critical extension that nobody knows"),
        Error::CertDistrusted => Refusal::Final("its authority is distrusted"),
        _ => Refusal::NoIssuer,
    }
}

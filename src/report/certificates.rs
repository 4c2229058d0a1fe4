//! The server's certificates: which chain is judged, for which name, as of when, and what the report says of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{Case, OtherCertificate};
use crate::transcript::clock::UnixMicros;
use crate::transcript::{Clock, topics};
use crate::trust::{Certificate, Judgement, Stores, judge};

/// One certificate of an endpoint. Texts are printable ASCII, times are RFC 3339 (UTC).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateOut {
    /// Distinguished name of the subject; null when the certificate cannot be read.
    pub subject: Option<String>,
    /// Distinguished name of the issuer.
    pub issuer: Option<String>,
    /// Begin of the validity.
    pub not_before: Option<String>,
    /// Its last second.
    pub not_after: Option<String>,
    /// DNS names and IP addresses of subjectAltName.
    pub names: Vec<String>,
    /// The public key: `RSA 2048`.
    pub key: Option<String>,
    /// The algorithm of the signature: `SHA256-RSA`.
    pub signature: Option<String>,
    /// SHA-256 of the DER, in hex.
    pub sha256: String,
    /// Which part cannot be read; null when all can.
    pub unreadable: Option<String>,
}

/// Judges the chain of the session's control connection, if it shows one.
pub(super) fn judged(case: &Case<'_>, stores: &Stores) -> Option<Judgement> {
    let (event, chain) = case.server_chain()?;
    let at = match case.transcript.clock {
        Clock::Utc(zero) => event.at.and_then(|at| zero.0.checked_add(i64::try_from(at.0).ok()?)),
        _ => None,
    };
    let at = at.map(|micros| micros.div_euclid(1_000_000));
    // Redaction writes over names and breaks signatures by it: neither can be judged any more.
    if case.is_redacted() {
        return Some(judge(&chain, "", &Stores::default(), at).without_names());
    }
    Some(judge(&chain, &name(case, event).unwrap_or_default(), stores, at))
}

/// Judges the certificates that an audit saw beside the session's: for the same name, at the same time. None of redacted evidence.
pub(super) fn others(case: &Case<'_>, own: Option<&Judgement>, stores: &Stores) -> Vec<OtherCertificate> {
    let Some((own, (event, _))) = own.zip(case.server_chain()).filter(|_| !case.is_redacted()) else {
        return Vec::new();
    };
    let asked = name(case, event).unwrap_or_default();
    let mut known: Vec<String> = own.certificates.first().map(|c| c.sha256.clone()).into_iter().collect();
    let mut out = Vec::new();
    // Who asks for another name may well get another certificate.
    let usual =
        case.audit.iter().filter(|q| ![topics::NO_NAME, topics::OTHER_NAME, topics::CLIENT].contains(&q.topic()));
    for q in usual {
        let Some(chain) = q.chain() else { continue };
        let Some(leaf) = chain.first().map(|der| Certificate::read(der)) else { continue };
        if known.contains(&leaf.sha256) {
            continue;
        }
        known.push(leaf.sha256.clone());
        let chain: Vec<Vec<u8>> = chain.into_iter().map(<[u8]>::to_vec).collect();
        let kind = leaf.kind_of_key().unwrap_or_else(|| "another key".to_owned());
        out.push(OtherCertificate { kind, conn: q.conn, judgement: judge(&chain, &asked, stores, own.at) });
    }
    out
}

/// The name that the certificate has to hold: as ordered, else as dialled. What a client that is not ours dialled shows in
/// its SNI; its connection's address says nothing, because it had a name for it.
fn name(case: &Case<'_>, event: &crate::decode::Event) -> Option<String> {
    let conn = case.transcript.conn(event.conn)?;
    let asked = case.transcript.origin.asked.as_ref();
    let ordered = asked.and_then(|a| a.verify_name.clone());
    let shown = match asked {
        Some(_) => conn.peer.map(|p| p.ip().to_string()),
        None => case.facts.offer.as_ref().and_then(|o| o.server_name.clone()),
    };
    ordered.or_else(|| conn.host.clone()).or(shown)
}

/// What the report says of the chain.
pub(super) fn certificates(judgement: Option<&Judgement>) -> Vec<CertificateOut> {
    judgement.into_iter().flat_map(|j| &j.certificates).map(certificate).collect()
}

fn certificate(c: &Certificate) -> CertificateOut {
    let d = c.details();
    let time = |seconds: i64| UnixMicros(seconds.saturating_mul(1_000_000)).rfc3339();
    let names = d.into_iter().flat_map(|d| d.names.iter().cloned().chain(d.addresses.iter().map(ToString::to_string)));
    CertificateOut {
        subject: d.map(|d| d.subject.clone()),
        issuer: d.map(|d| d.issuer.clone()),
        not_before: d.map(|d| time(d.not_before)),
        not_after: d.map(|d| time(d.not_after)),
        names: names.collect(),
        key: d.map(|d| d.key.describe()),
        signature: d.map(|d| d.signature.clone()),
        sha256: c.sha256.clone(),
        unreadable: c.read.as_ref().err().map(|part| (*part).to_owned()),
    }
}

//! What a ClientHello offers, held against what servers of today demand: which of its parameters explains a refusal.

use super::finding::{Act, AdviceKind, Cause, Confidence, Finding, Party};
use super::{Case, causes};
use crate::codes;
use crate::decode::Event;
use crate::facts::Offer;

/// Groups that servers accept without being told to: P-256, P-384, P-521, x25519, x448, the finite fields of RFC 7919, and
/// the hybrids with ML-KEM.
const COMMON_GROUPS: [u16; 13] =
    [0x0017, 0x0018, 0x0019, 0x001d, 0x001e, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104, 0x11eb, 0x11ec, 0x11ed];

/// TLS 1.2.
const TLS12: u16 = 0x0303;

/// Signature schemes from here on are not the pairs of TLS 1.2.
const FIRST_SCHEME: u16 = 0x0700;

/// Hash bytes of the pairs: MD5 and SHA-1.
const WEAK_HASHES: [u8; 2] = [1, 2];

/// What of the hello makes a server refuse it, most telling first. Measured with OpenSSL 3.0: each of these alone gets alert 40,
/// in TLS 1.3 alert 109 when the extension is missing altogether.
pub(super) fn suspects(case: &Case<'_>, at: &Event) -> Vec<Cause> {
    let Some(offer) = case.facts.offer.as_ref() else { return Vec::new() };
    let mut out = Vec::new();
    if lacks_signatures(offer) {
        let because = "all its suites need a signature of the server";
        out.push(causes::missing_signature_algorithms(case, at, because));
    }
    if lacks_groups(offer) {
        let because = "all its suites need a group, and it names none that servers accept untold";
        out.push(causes::no_shared_group(case, at, Confidence::Likely, because));
    }
    out
}

/// The suites that are known, signals left out.
fn suites(offer: &Offer) -> Vec<codes::CipherSuite> {
    offer.suites.iter().filter_map(|s| codes::cipher_suite(*s)).filter(|c| c.kx != "NULL").collect()
}

/// TLS 1.2 or later, no suite without a signature, and no algorithm for one but those with SHA-1 or MD5.
fn lacks_signatures(offer: &Offer) -> bool {
    let weak = |s: &u16| *s < FIRST_SCHEME && WEAK_HASHES.contains(&s.to_be_bytes()[0]);
    let signed = |c: &codes::CipherSuite| {
        matches!(c.kx, "DHE" | "ECDHE" | "TLS13") && !matches!(c.auth, "NULL" | "PSK" | "anon")
    };
    let suites = suites(offer);
    let all_signed = !suites.is_empty() && suites.iter().all(signed);
    offer.highest() >= TLS12 && all_signed && offer.schemes.iter().all(weak)
}

/// No suite without a group, and no group that is common.
fn lacks_groups(offer: &Offer) -> bool {
    let suites = suites(offer);
    let all_grouped = !suites.is_empty() && suites.iter().all(|c| matches!(c.kx, "ECDHE" | "TLS13"));
    all_grouped && !offer.groups.iter().any(|g| COMMON_GROUPS.contains(g))
}

/// A hello whose suites all need a group, and that names a single one: one that servers usually have, and may have been told to leave
/// out. Likely where it offers nothing but suites of TLS 1.3, which all servers with TLS 1.3 have.
pub(super) fn one_group(case: &Case<'_>, at: &Event) -> Option<Cause> {
    let offer = case.facts.offer.as_ref()?;
    let suites = suites(offer);
    let all = |is: &dyn Fn(&str) -> bool| !suites.is_empty() && suites.iter().all(|c| is(c.kx));
    let grouped = all(&|kx| matches!(kx, "ECDHE" | "TLS13"));
    let mut groups = offer.groups.iter().filter(|g| codes::group(**g).is_some());
    let single = groups.next().is_some() && groups.next().is_none();
    let rank = if all(&|kx| kx == "TLS13") { Confidence::Likely } else { Confidence::Possible };
    let because = "all its suites need a group, and it names a single one";
    (grouped && single).then(|| causes::no_shared_group(case, at, rank, because))
}

/// Who does what about the first cause, when it is one of these.
pub(super) fn advise(case: &Case<'_>, f: &mut Finding) -> bool {
    let common = || case.facts.offer.as_ref().is_some_and(|o| o.groups.iter().any(|g| COMMON_GROUPS.contains(g)));
    let (text, lasting) = match f.causes.first().map(|c| c.id.as_str()) {
        Some("missing-signature-algorithms") => (
            "client: name signature algorithms with SHA-256 or better",
            "add RSA-PSS, RSA and ECDSA with SHA-256 to the client's signature algorithms; an update may do it",
        ),
        Some("no-shared-group") if common() => (
            "client: offer more groups than one: x25519, secp256r1 and secp384r1",
            "offer x25519, secp256r1 and secp384r1 among the client's groups; or the server allows the one that it has",
        ),
        Some("no-shared-group") => (
            "client: offer the groups x25519 and secp256r1 (P-256)",
            "offer x25519 and secp256r1 among the client's groups; or the server allows what the client has",
        ),
        _ => return false,
    };
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    if let Some(client) = case.facts.client.as_ref().filter(|c| c.id.starts_with("zos")) {
        let need = if lasting.contains("signature") { "signature-pairs" } else { "offer-ecdhe" };
        f.advise(need, client.id);
    }
    f.tell(Party::Client, AdviceKind::Lasting, lasting);
    true
}

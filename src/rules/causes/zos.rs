//! Causes that System SSL and AT-TLS name by their return codes.

use super::super::finding::{Cause, Confidence, Party};
use super::{Case, cause, no_shared_cipher};
use crate::decode::Event;

/// The key ring or key database cannot be opened, or holds nothing of use.
pub(in crate::rules) fn key_ring_unusable(because: String) -> Cause {
    cause("key-ring-unusable", "the key ring cannot be used", Confidence::Likely).because(because).ask(
        Party::Client,
        None,
        &[
            "RACDCERT LISTRING(ring) ID(owner): does it exist, spelled like this, with the CA certificates?".to_owned(),
            "which user id runs the step, and may it read the ring (IRR.DIGTCERT.LISTRING)?".to_owned(),
        ],
        "no such ring, or an ICH408I for that user id",
    )
}

/// The certificate is there, its key is not.
pub(in crate::rules) fn private_key_unusable(because: String) -> Cause {
    cause("private-key-unusable", "the private key cannot be used", Confidence::Likely).because(because).ask(
        Party::Client,
        None,
        &["has the certificate a private key, is ICSF up, may the user id use the key?".to_owned()],
        "no private key in the listing, or ICSF started after TCP/IP",
    )
}

/// FTP relies on AT-TLS, and no rule matches; or the other way round.
pub(in crate::rules) fn attls_policy_missing(confidence: Confidence, because: String) -> Cause {
    cause("attls-policy-missing", "the AT-TLS policy does not cover this", confidence).because(because).ask(
        Party::Client,
        None,
        &[
            "netstat TTLS CONN during the session: does a TTLSRule match it?".to_owned(),
            "TLSMECHANISM in the FTP.DATA that EZY2640I names".to_owned(),
        ],
        "no rule for the connection, or TLSMECHANISM FTP where AT-TLS is meant",
    )
}

/// What a return code of System SSL or AT-TLS says of the reason.
pub(in crate::rules) fn of_return_code(case: &Case<'_>, at: &Event, rc: u32) -> Option<Cause> {
    let says = format!("rc {rc}: {}", meaning(rc)?);
    Some(match rc {
        6 | 7 | 102 | 103 | 106 | 109 | 201 | 202 | 204 | 407 | 408 | 416 => key_ring_unusable(says),
        428 | 455 | 456 | 457 | 465 => private_key_unusable(says),
        402 => no_shared_cipher(case, at, Confidence::Likely, &says),
        // A validation may fail for other reasons as well.
        8 => ca_not_in_ring(Confidence::Possible, says),
        417 | 435 => ca_not_in_ring(Confidence::Likely, says),
        5006 | 5018 => attls_policy_missing(Confidence::Likely, says),
        _ => return None,
    })
}

/// The ring lacks the partner's authority.
fn ca_not_in_ring(confidence: Confidence, because: String) -> Cause {
    cause("unknown-ca", "the key ring lacks the partner's CA", confidence).because(because).ask(
        Party::Client,
        None,
        &["RACDCERT LISTRING(ring): is the partner's root there, USAGE(CERTAUTH), with TRUST?".to_owned()],
        "it is missing, or the ring was not refreshed after it was added",
    )
}

fn meaning(rc: u32) -> Option<&'static str> {
    crate::codes::gsk(rc).map(|c| c.meaning).or_else(|| crate::codes::attls(rc).map(|c| c.meaning))
}

/// Words of a z/OS FTP trace about an environment that never came up.
pub(in crate::rules) fn of_words(text: &str) -> Option<Cause> {
    let words = text.to_ascii_lowercase();
    let said = format!("the client's trace: \"{text}\"");
    if words.contains("no keyring") {
        return Some(key_ring_unusable(said));
    }
    None
}

//! Causes of what goes wrong when a data connection ends, and behind CCC.

use super::super::finding::{Cause, Confidence, Party};
use super::cause;

/// An end that closes the socket and leaves TLS to itself.
pub(in crate::rules) fn peer_ends_without_close_notify(confidence: Confidence, because: String) -> Cause {
    cause("peer-ends-without-close-notify", "that program never sends close_notify", confidence).because(because).ask(
        Party::Unknown,
        None,
        &["three small transfers: is there an alert before FIN? A size compared once".to_owned()],
        "none on each: a habit of the program; on some: somebody cut the others off",
    )
}

/// The sender was done, and AT-TLS takes its reset for an error.
pub(in crate::rules) fn reset_after_close_notify(confidence: Confidence, because: String) -> Cause {
    cause("reset-after-close-notify", "close_notify, then RST instead of FIN", confidence).because(because).ask(
        Party::Unknown,
        None,
        &[
            "the last record of the file: is it there? (sizes differ in text mode)".to_owned(),
            "a packet trace of one transfer (z/OS: SYSTCPDA): an alert, first byte 15, before the RST?".to_owned(),
        ],
        "last record there, alert before the RST: this; none: it was really cut",
    )
}

/// Two z/OS on one machine.
pub(in crate::rules) fn smc_d(because: String) -> Cause {
    cause("smc-d", "SMC-D on this connection: PH66994, PH10558", Confidence::Possible).because(because).ask(
        Party::Client,
        Some("zos-attls"),
        &["one transfer with SMC-D off for this connection".to_owned()],
        "no reset without SMC-D",
    )
}

/// Tickets that nobody read make the client's close a reset.
pub(in crate::rules) fn tls13_unread_tickets_reset(confidence: Confidence, because: String) -> Cause {
    cause("tls13-unread-tickets-reset", "TLS 1.3 tickets were left unread: RST", confidence).because(because).ask(
        Party::Client,
        None,
        &["twenty uploads of some megabytes under TLS 1.3, twenty under TLS 1.2; compare sizes".to_owned()],
        "short ones, or failures, under TLS 1.3 only",
    )
}

/// Each end waits for the other.
pub(in crate::rules) fn waits_for_close_notify(confidence: Confidence, because: String) -> Cause {
    cause("waits-for-close-notify", "each end waits for the other's farewell", confidence).because(because).ask(
        Party::Client,
        None,
        &["a trace of one transfer: an alert, then silence, then the other end's FIN or RST".to_owned()],
        "the silence begins behind the alert, and is always of the same length",
    )
}

/// A z/OS server compares with a certificate that went with CCC.
pub(in crate::rules) fn certificate_crosscheck_after_ccc(because: String) -> Cause {
    cause("certificate-crosscheck-after-ccc", "z/OS compares with a certificate it lost", Confidence::Likely)
        .because(because)
        .ask(
            Party::Client,
            None,
            &["the same transfer without CCC".to_owned(), "the server's trace, DEBUG SEC ACC".to_owned()],
            "it works without CCC; \"compareCertAttls: ... does not match\"",
        )
}

/// z/OS V1R2 and V1R4 do not hear of a close_notify.
pub(in crate::rules) fn close_notify_not_recognised(confidence: Confidence, because: String) -> Cause {
    cause("close-notify-not-recognised", "old z/OS takes close_notify for an error", confidence).because(because).ask(
        Party::Unknown,
        None,
        &["the release of z/OS (EZA1450I, or the server's 220) and its PTFs".to_owned()],
        "V1R2 or V1R4 without PQ72957 and OA02499",
    )
}

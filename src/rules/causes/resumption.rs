//! Causes on data connections: resumption that the client, the server or its tickets do not give, and nothing to transfer.

use super::super::finding::{Cause, Confidence, Party};
use super::cause;

/// The client opens each data connection with a new TLS session.
pub(in crate::rules) fn client_does_not_resume(confidence: Confidence, because: &str) -> Cause {
    cause("client-does-not-resume", "the client does not resume its TLS session", confidence).because(because).ask(
        Party::Client,
        None,
        &["a capture of one data connection: its ClientHello".to_owned()],
        "no session ticket, session id or pre_shared_key of the control connection in it",
    )
}

/// The end that answers for data does not know the session.
pub(in crate::rules) fn session_cache_not_shared(confidence: Confidence, because: &str) -> Cause {
    cause("session-cache-not-shared", "the end that answers for data does not know the session", confidence)
        .because(because)
        .ask(
            Party::Server,
            None,
            &["several transfers one after another, with the age of the session: resumed or new?".to_owned()],
            "now resumed, now not: several nodes; never behind a certain age: a time-out of the cache",
        )
}

/// The client has none left.
pub(in crate::rules) fn tls13_tickets_exhausted(confidence: Confidence, because: &str) -> Cause {
    cause("tls13-tickets-exhausted", "the client has used up its TLS 1.3 tickets", confidence).because(because).ask(
        Party::Client,
        None,
        &["five listings in one session, once with TLS 1.3 and once with TLS 1.2".to_owned()],
        "TLS 1.2 works each time, TLS 1.3 stops at the same transfer each time",
    )
}

/// A proxy has nothing to pass on, and does not even finish TLS.
pub(in crate::rules) fn proxy_closes_empty_data(confidence: Confidence, because: &str) -> Cause {
    cause("proxy-closes-empty-data", "a proxy drops the connection of an empty file", confidence).because(because).ask(
        Party::Between,
        Some("sterling-secure-proxy"),
        &["the same GET with one byte in the file".to_owned(), "is APAR IT13168 applied?".to_owned()],
        "it works with one byte in the file",
    )
}

//! The fields of a ClientHello that tell clients apart, brought into the form of the table.

use crate::codes::{HelloShape, OF_THE_SESSION};
use crate::decode::Event;
use crate::transcript::{Span, Transcript};
use crate::wire::tls::content;
use crate::wire::tls::hello::{ClientHello, RENEGOTIATION_SCSV, SIGNALS, is_grease};

/// A ClientHello with its event.
pub(super) type Hello<'a> = (&'a Event, &'a ClientHello);

/// The shape of a hello; `None` for one that is broken, or no record.
pub(super) fn shape(t: &Transcript, (event, hello): Hello<'_>) -> Option<HelloShape> {
    // A hello in the format of SSL 2 says too little.
    if hello.broken.is_some() || hello.specs.is_some() {
        return None;
    }
    let real = |list: Vec<u16>| list.into_iter().filter(|n| !is_grease(*n)).collect::<Vec<u16>>();
    let ids = hello.extensions.iter().flatten().map(|e| e.id).filter(|id| !OF_THE_SESSION.contains(id)).collect();
    Some(HelloShape {
        record: record_version(t, event),
        session: hello.session_id.len(),
        versions: hello.versions(),
        suites: hello.real_suites(),
        signal: signal(&real(hello.suites.clone())),
        extensions: real(ids),
        groups: real(hello.groups()),
        schemes: real(hello.signature_schemes()),
    })
}

/// Where the renegotiation signal stands among the suites.
fn signal(suites: &[u16]) -> &'static str {
    let suites: Vec<u16> =
        suites.iter().copied().filter(|s| *s == RENEGOTIATION_SCSV || !SIGNALS.contains(s)).collect();
    match suites.iter().position(|s| *s == RENEGOTIATION_SCSV) {
        None => "none",
        Some(0) => "first",
        Some(n) if n + 1 == suites.len() => "last",
        Some(_) => "inside",
    }
}

/// The version in the header of the record that the hello begins.
fn record_version(t: &Transcript, event: &Event) -> Option<u16> {
    let span = event.span?;
    match t.bytes(Span { end: span.start.saturating_add(3), ..span })[..] {
        [content::HANDSHAKE, major, minor] => Some(u16::from_be_bytes([major, minor])),
        _ => None,
    }
}

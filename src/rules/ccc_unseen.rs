//! CCC that nobody could read: behind encrypted records the session goes on in clear, or breaks there.

use super::ccc_breaks_data::{Behind, broken, finish, goodbyes, how_it_ended, transfers};
use super::phase::End;
use super::prelude::*;
use crate::decode::{first_clear, is_sealed_alert};

/// The first words in clear behind encrypted records of the session.
pub(super) fn unseen<'a>(case: &Case<'a>) -> Option<&'a Event> {
    let sealed = case.first(|e| matches!(e.kind, Kind::Opaque { .. }))?;
    first_clear(case.control(), sealed.conn)
}

pub(super) fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(first) = unseen(case) else { return };
    let ends = |e: &Event| matches!(e.kind, Kind::Closed { .. } | Kind::TimedOut { .. });
    let mut behind: Vec<&Event> = vec![first];
    for e in case.after(first) {
        behind.push(e);
        if ends(e) {
            break;
        }
    }
    if let Some((by, how)) = broken(&behind).or_else(|| still_sealed(&behind)) {
        return session(case, &behind, (by, &how), sink);
    }
    transfers(case, &Behind { conn: first.conn, asked: None, events: &behind }, sink);
    if behind.iter().any(|e| matches!(e.kind, Kind::Reply(_))) {
        let how = "commands and replies behind encrypted records read as FTP; the CCC itself is encrypted";
        sink.passed("ccc", "CCC: the session went on in clear (likely)", how);
    }
}

/// The client went on in clear, the server inside TLS, and the client gave up.
fn still_sealed<'a>(behind: &[&'a Event]) -> Option<(&'a Event, String)> {
    let given_up = |e: &Event| matches!(e.kind, Kind::Closed { by: Side::Client, .. });
    let says = |e: &Event| match &e.kind {
        Kind::Reply(_) => true,
        Kind::Command { verb, .. } => verb == "QUIT",
        _ => false,
    };
    let (record, end) = (behind.iter().find(|e| is_sealed(e))?, behind.last()?);
    (given_up(end) && !behind.iter().any(|e| says(e))).then(|| (*record, "answered clear text inside TLS".to_owned()))
}

/// A record of the server inside TLS.
fn is_sealed(e: &Event) -> bool {
    matches!(e.kind, Kind::Opaque { .. }) && e.from() == Some(Side::Server)
}

fn session(case: &Case<'_>, behind: &[&Event], (by, how): (&Event, &str), sink: &mut Sink<'_>) {
    let Some(first) = behind.first() else { return };
    let (endpoint, end) = (case.endpoint(), End::of(by));
    let headlines = [
        format!("{endpoint} probably {how} behind CCC"),
        format!("the server probably {how} behind CCC"),
        "the session probably broke behind CCC".to_owned(),
    ];
    let mut f = sink.finding(Confidence::Likely, Party::Unknown, &headlines);
    f.ended = true;
    how_it_ended(&mut f, end);
    let [mine, yours] = [Side::Client, Side::Server].map(|side| said_goodbye(case, first, side));
    f.evidence.extend(sink.evidence(first, "clear text behind TLS, as CCC has it"));
    f.evidence.extend(sink.evidence(by, ""));
    f.why.push("TLS had worked; CCC and its answer are encrypted, and what follows shows them.".to_owned());
    goodbyes(&mut f, (mine, yours), ("seems to have ", "seem to have "));
    if !yours && behind.iter().any(|e| is_sealed(e)) {
        f.why.push("The server went on inside TLS: it had not left it.".to_owned());
    } else {
        let because = "a firewall that inspects FTP may end what turns from TLS to clear text";
        f.causes.push(causes::middlebox_closed(Confidence::Possible, because));
    }
    finish(case, &mut f);
    f.tell(
        Party::Client,
        AdviceKind::Check,
        "z/OS at either end: TLSRFCLEVEL has to be the same at both (CCCNONOTIFY: no close_notify)",
    );
    f.tell(Party::Between, AdviceKind::Check, "a firewall that inspects FTP may not bear clear text behind TLS");
    sink.shows_by(&mut f, by);
    sink.report(f);
}

/// Whether the last record of an end before the clear text was an alert, as its type or its length says.
fn said_goodbye(case: &Case<'_>, first: &Event, side: Side) -> bool {
    let records = case.before(first).filter(|e| e.from() == Some(side)).filter_map(|e| match e.kind {
        Kind::Opaque { content_type, len } => Some((content_type, len)),
        _ => None,
    });
    records.last().is_some_and(|(content_type, len)| is_sealed_alert(content_type, len))
}

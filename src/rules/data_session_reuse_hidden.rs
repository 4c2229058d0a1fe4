//! A demand for resumption behind encrypted commands: full handshakes on data without content, and a reply that is as long as the
//! refusal of that product.

use super::data_session_reuse_required::{advise, no_session};
use super::data_shake::{Shake, show};
use super::hidden_replies::as_long_as;
use super::prelude::*;
use crate::decode::is_sealed_alert;
use crate::facts::transfers::{Data, session_ids};
use crate::wire::tls::content;

/// The refusals of products that demand it, by their ids.
const REFUSALS: [(&str, &[&str]); 3] = [
    (
        "vsftpd",
        &[
            "522 SSL connection failed: session reuse required",
            "522 SSL connection failed; session reuse required: see require_ssl_reuse option in vsftpd.conf man page",
        ],
    ),
    ("proftpd", &["425 Unable to build data connection: Operation not permitted"]),
    (
        "filezilla-server",
        &[
            "425 Unable to build data connection: TLS session of data connection not resumed.",
            "450 TLS session of data connection has not resumed or the session does not match the control connection",
        ],
    ),
];

/// TLS 1.3.
const TLS13: u16 = 0x0304;

pub(super) fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    if !case.commands_are_hidden() {
        return;
    }
    let shakes = case.shakes();
    // What was made up for is no failure.
    let Some(s) = shakes.iter().rfind(|s| s.transfer.data.is_some()) else { return };
    let (Some(data), None, None) = (&s.transfer.data, s.transfer.command, s.transfer.reply) else { return };
    let Some(last) = finished(data).filter(|_| s.done && data.resumed() == Some(false) && is_empty(data)) else {
        return;
    };
    let products = REFUSALS.iter().filter(|(id, _)| case.facts.server_may_be(id).is_some());
    let found = products.flat_map(|(_, lines)| as_long_as(case, last, lines)).next();
    if let Some((reply, line, len)) = found {
        refused(case, s, data, (reply, line, len), sink);
    }
}

/// The record by which the client's part of the handshake ends: up to TLS 1.2 its Finished, in TLS 1.3 its last record that is no
/// alert, which where it sends content is none of the handshake.
fn finished<'a>(data: &Data<'a>) -> Option<&'a Event> {
    let new = data.version().is_some_and(|v| v >= TLS13);
    let wanted = if new { content::APPLICATION_DATA } else { content::HANDSHAKE };
    let is = |e: &&&Event| match e.kind {
        Kind::Opaque { content_type, len } => content_type == wanted && !is_sealed_alert(content_type, len),
        _ => false,
    };
    data.events.iter().filter(|e| e.from() == Some(Side::Client)).rfind(is).copied()
}

/// Whether no content shows: up to TLS 1.2 no record of that type, in TLS 1.3 behind the Finished nothing but tickets, which are of one
/// length, and alerts.
fn is_empty(data: &Data<'_>) -> bool {
    let new = data.version().is_some_and(|v| v >= TLS13);
    let Some(finished) = finished(data) else { return false };
    let behind = data.events.iter().skip_while(|e| !core::ptr::eq(**e, finished)).skip(1);
    let lens = behind.filter_map(|e| match e.kind {
        Kind::Opaque { content_type: content::APPLICATION_DATA, len } => {
            (!is_sealed_alert(content::APPLICATION_DATA, len)).then_some(len)
        }
        _ => None,
    });
    let lens: Vec<u16> = lens.collect();
    let unread =
        data.first(|e| matches!(e.kind, Kind::Gap { .. } | Kind::Undecoded | Kind::Malformed { .. })).is_some();
    !unread && if new { lens.windows(2).all(|w| w.first() == w.last()) } else { lens.is_empty() }
}

fn refused(
    case: &Case<'_>,
    s: &Shake<'_>,
    data: &Data<'_>,
    (reply, line, len): (&Event, &str, usize),
    sink: &mut Sink<'_>,
) {
    let offered = data.offers_resumption(&session_ids(case.transcript, case.timeline));
    let endpoint = case.endpoint();
    let headlines = [
        format!("{endpoint} probably refused data: TLS was not resumed"),
        "the server probably refused data: TLS was not resumed".to_owned(),
    ];
    let mut f = sink.finding(Confidence::Likely, Party::Client, &headlines);
    f.ended = case.is_closed();
    f.set("offered", offered).set("tried", false).set("version", data.version().map(crate::facts::version_name));
    f.set("resumed", None::<usize>).set("tickets", None::<usize>);
    show(sink, &mut f, s, "");
    f.evidence.extend(sink.evidence(reply, "the reply, encrypted"));
    sink.shows_by(&mut f, reply);
    f.why.push("The data connection made a full handshake, and no content followed.".to_owned());
    f.why.push(format!("The reply behind it has {len} bytes, as \"{line}\" has."));
    f.causes = no_session(offered);
    advise(case, &mut f);
    sink.report(f);
}

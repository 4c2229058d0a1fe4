//! An alert ended the handshake of a data connection.

use super::both_sides::Sides;
use super::data_shake::{How, Shake, show, warn_of_words};
use super::extended_master;
use super::phase::probably;
use super::prelude::*;
use crate::codes;
use crate::transcript::Decrypted;
use crate::wire::tls::handshake::Message;

pub(super) static RULE: Rule = Rule {
    id: "data-fatal-alert",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-closed-before-handshake"],
    page: include_str!("../../docs/findings/data-fatal-alert.md"),
    check,
};

const HANDSHAKE_FAILURE: u8 = 40;
const BAD_CERTIFICATE: u8 = 42;
const CERTIFICATE_REQUIRED: u8 = 116;
const NO_APPLICATION_PROTOCOL: u8 = 120;

/// Alerts by which a client refuses the certificate that it was shown.
pub(super) const REFUSES_CERTIFICATE: [u8; 6] = [42, 43, 44, 45, 46, 48];

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let shakes = case.shakes();
    let all: Vec<_> = shakes.iter().filter_map(|s| Some((s, alerted(s)?))).collect();
    let tries = case.tries(all.iter().map(|(s, _)| s.transfer));
    let Some(&(s, (event, from, what))) = tries.worst(&all, |(s, _)| s.transfer) else { return };
    let name = codes::alert(what).map_or_else(|| "unknown".to_owned(), |a| a.name.to_owned());
    let sure = !s.is_from_log(case) && !case.direction_is_assumed();
    let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
    let confidence = tries.sure(s.transfer, confidence);
    let (maybe, endpoint) = (probably(confidence), case.endpoint());
    let who = if from == Side::Server { endpoint } else { "the client".to_owned() };
    let headlines = [
        format!("{who} {maybe}ended the data handshake with alert {what} {name}"),
        format!("alert {what} {name} {maybe}ended the data handshake"),
        format!("alert {what} {maybe}ended the handshake of the data connection"),
    ];
    let mut f = sink.finding(confidence, from.into(), &headlines);
    f.ended = true;
    f.set("alert", what).set("name", name.as_str()).set("from", Party::from(from).name());
    show(sink, &mut f, s, &format!("fatal alert {what} {name}"));
    sink.shows_by(&mut f, event);
    f.why.push("The handshake of the control connection had succeeded: versions and suites fit.".to_owned());
    if let Some(alert) = codes::alert(what) {
        f.why.push(format!("Alert {what} says: {}.", alert.meaning.trim_end_matches('.')));
    }
    if let Some(data) = &s.transfer.data {
        Sides::of(data.events.iter().copied()).note(&mut f);
    }
    extended_master::explain(case, s, from, &mut f);
    warn_of_words(&mut f, s.transfer);
    match from {
        Side::Server => by_server(case, s, event, what, &mut f),
        Side::Client => by_client(what, &mut f),
    }
    tries.settle(&mut f, s.transfer, &headlines);
    sink.report(f);
}

fn alerted<'a>(s: &Shake<'a>) -> Option<(&'a Event, Side, u8)> {
    match s.broke.map(|b| (b.event, b.how)) {
        Some((event, How::Alert(from, what))) => Some((event, from, what)),
        _ => None,
    }
}

fn by_server(case: &Case<'_>, s: &Shake<'_>, event: &Event, what: u8, f: &mut Finding) {
    let requested = s.transfer.data.as_ref().is_some_and(|d| d.first(asks_for_certificate).is_some());
    let client = case.facts.client.as_ref().map_or("any", |c| c.id);
    match what {
        CERTIFICATE_REQUIRED => {
            let because = "the alert says that a client certificate is required on the data connection";
            f.causes.push(causes::client_certificate_missing(Confidence::Likely, because));
        }
        HANDSHAKE_FAILURE | BAD_CERTIFICATE if requested => {
            let because = "the server asked for a client certificate on the data connection";
            f.causes.push(causes::client_certificate_missing(Confidence::Possible, because));
        }
        NO_APPLICATION_PROTOCOL => {
            f.why.push("It is about ALPN: FileZilla Server 1.x wants ftp-data on data connections.".to_owned());
        }
        _ => {}
    }
    let text = if f.causes.is_empty() {
        "server: its TLS log of that second names the reason"
    } else {
        "client: show the certificate of the control connection on data connections too"
    };
    let party = if f.causes.is_empty() { Party::Server } else { Party::Client };
    f.act = Some(Act { party, text: text.to_owned() });
    if party == Party::Client {
        f.advise("client-certificate", client);
    }
    causes::advise_server_log(case, f, event);
}

fn by_client(what: u8, f: &mut Finding) {
    let about_certificate = REFUSES_CERTIFICATE.contains(&what);
    let text = if about_certificate {
        "client: its own log says what it dislikes about the certificate on data connections"
    } else {
        "client: its own log names the reason"
    };
    f.act = Some(Act { party: Party::Client, text: text.to_owned() });
    if about_certificate {
        f.why.push(
            "The certificate of the control connection had pleased it: another one came, or another name.".to_owned(),
        );
        f.tell(Party::Client, AdviceKind::Check, "connect by the name in the certificate, not by an address");
    }
}

fn asks_for_certificate(e: &Event) -> bool {
    matches!(
        e.kind,
        Kind::Handshake(Message::CertificateRequest { .. })
            | Kind::Decrypted { seen: Decrypted::CertificateRequest { .. }, .. }
    )
}

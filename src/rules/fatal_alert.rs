//! An alert ended the handshake. A text behind it says the same thing again.

use super::prelude::*;
use crate::codes;

pub(super) static RULE: Rule = Rule {
    id: "fatal-alert",
    severity: Severity::Failure,
    outranks: &["closed-during-handshake", "handshake-refused-by-client", "plaintext-instead-of-tls"],
    page: include_str!("../../docs/findings/fatal-alert.md"),
    check,
};

const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;
const INSUFFICIENT_SECURITY: u8 = 71;
const INTERNAL_ERROR: u8 = 80;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(event) = case.first(|e| matches!(e.kind, Kind::Alert { level: 2, .. })) else { return };
    let (Kind::Alert { description, .. }, Some(from)) = (&event.kind, event.from()) else { return };
    let text_first = case.before(event).any(|e| matches!(e.kind, Kind::TextInsteadOfTls { .. }));
    if text_first || case.handshake_completed_before(event) {
        return;
    }
    let name = codes::alert(*description).map_or_else(|| "unknown".to_owned(), |a| a.name.to_owned());
    let who = if from == Side::Server { case.endpoint() } else { "the client".to_owned() };
    let confidence = if case.direction_is_assumed() { Confidence::Likely } else { Confidence::Certain };
    let probably = if confidence == Confidence::Certain { "" } else { "probably " };
    let mut f = sink.finding(
        confidence,
        from.into(),
        &[
            format!("{who} {probably}ended the handshake with alert {description} {name}"),
            format!("the server {probably}ended the handshake with alert {description} {name}"),
        ],
    );
    f.set("alert", *description).set("name", name.as_str()).set("from", Party::from(from).name());
    if let (Some(hello), Some(offer)) = (case.client_hello(), &case.facts.offer) {
        f.evidence.extend(sink.evidence(hello, &offer.summary()));
    }
    f.evidence.extend(sink.evidence(event, &format!("fatal alert {description} {name}")));
    let text = case.after(event).find_map(|e| match &e.kind {
        Kind::TextInsteadOfTls { text, .. } => Some((e, text)),
        _ => None,
    });
    f.set("text", text.map(|(_, t)| t.as_str()));
    if let Some((e, _)) = text {
        f.evidence.extend(sink.evidence(e, "the same in FTP text, behind the alert"));
    }
    if let Some(alert) = codes::alert(*description) {
        f.why.push(format!("Alert {description} says: {}.", alert.meaning.trim_end_matches('.')));
    }
    explain(case, event, *description, from, &mut f);
    sink.report(f);
}

fn explain(case: &Case<'_>, event: &Event, description: u8, from: Side, f: &mut Finding) {
    let version = causes::version_refused(case, event, true).filter(|_| from == Side::Server);
    let party = Party::from(from);
    match (description, version) {
        (PROTOCOL_VERSION | INTERNAL_ERROR, Some(mut cause)) => {
            if description == INTERNAL_ERROR {
                // Measured with ProFTPD 1.3.8 and vsftpd 3.0.3 on OpenSSL 3.0.
                cause.because.push("OpenSSL 3 answers a version below its security level with this alert".to_owned());
            }
            f.causes.push(cause);
            f.act = Some(Act { party: Party::Client, text: "client: offer TLS 1.2".to_owned() });
            causes::advise_version(case, f, event);
        }
        (HANDSHAKE_FAILURE | INSUFFICIENT_SECURITY, version) if from == Side::Server => {
            let because = "the alert that servers send when no suite is common to both";
            f.causes.push(causes::no_shared_cipher(case, event, Confidence::Likely, because));
            f.causes.extend(version.map(|c| super::Cause { confidence: Confidence::Possible, ..c }));
            f.act = Some(Act {
                party: Party::Server,
                text: "both: find a cipher suite in common; the server's log names the reason".to_owned(),
            });
            if case.facts.client.as_ref().is_some_and(|c| c.id.starts_with("zos")) {
                f.advise("offer-ecdhe", "zos-attls");
            }
            causes::advise_server_log(case, f, event);
        }
        _ => {
            f.act = Some(Act { party, text: format!("{}: its log of that second names the reason", party.name()) });
            causes::advise_server_log(case, f, event);
        }
    }
}

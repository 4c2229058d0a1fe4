//! Control and data connection show different certificates.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::data_fatal_alert::REFUSES_CERTIFICATE;
use super::prelude::*;
use crate::facts::transfers::certificates;
use crate::facts::{Transfer, client_hello, is_session_control};
use crate::transcript::ConnId;
use crate::wire::printable;

pub(super) static RULE: Rule = Rule {
    id: "data-certificate-differs",
    severity: Severity::Warning,
    outranks: &["control-connection-lost", "data-closed-before-handshake", "data-fatal-alert"],
    page: include_str!("../../docs/findings/data-certificate-differs.md"),
    check,
};

/// The server's own certificate in an event, as DER.
fn leaf(e: &Event) -> Option<&[u8]> {
    certificates(e)?.first().copied().filter(|der| !der.is_empty())
}

/// Two certificates that were compared: of the control connection, and of a data connection.
pub(super) struct Compared<'a> {
    control: &'a [u8],
    data: &'a [u8],
    event: &'a Event,
    transfer: &'a Transfer<'a>,
}

impl Compared<'_> {
    /// Whether they differ.
    pub(super) fn differs(&self) -> bool {
        self.control != self.data
    }
}

/// Each data connection that shows a certificate, with that of its own control connection; of a login that was opened to learn
/// something as well, because a resumed session shows none.
pub(super) fn compared<'a>(case: &Case<'a>) -> Vec<Compared<'a>> {
    if case.is_redacted() {
        return Vec::new();
    }
    let mut of: BTreeMap<ConnId, &[u8]> = BTreeMap::new();
    for e in &case.timeline.events {
        if let Some(der) = leaf(e) {
            of.entry(e.conn).or_insert(der);
        }
    }
    let pair = |t: &'a Transfer<'a>| {
        let event = t.data.as_ref()?.first(|e| leaf(e).is_some())?;
        Some(Compared { control: of.get(&t.control)?, data: leaf(event)?, event, transfer: t })
    };
    case.transfers.iter().filter_map(pair).collect()
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all = compared(case);
    let refused = |c: &&Compared<'_>| refusal(case, c).is_some();
    let differ = || all.iter().filter(|c| c.differs());
    let Some(c) = differ().find(refused).or_else(|| differ().next()) else { return };
    let endpoint = case.endpoint();
    let headlines = [
        format!("{endpoint} shows another certificate on data connections"),
        "the server shows another certificate on data connections".to_owned(),
    ];
    let sure = !case.direction_is_assumed() && !case.is_from_log(c.event);
    let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
    let mut f = sink.finding(confidence, Party::Server, &headlines);
    f.ended = false;
    let digest = |der: &[u8]| hex::encode(Sha256::digest(der));
    f.set("control_sha256", digest(c.control)).set("data_sha256", digest(c.data));
    f.set("command", c.transfer.command.map(|l| l.verb));
    f.evidence.extend(c.transfer.command.and_then(|l| sink.evidence(l.event, "")));
    f.evidence.extend(sink.evidence(c.event, "the certificate on the data connection"));
    sink.shows_by(&mut f, c.event);
    if let Some((alert, what)) = refusal(case, c) {
        (f.severity, f.ended) = (Severity::Failure, true);
        f.evidence.extend(sink.evidence(alert, "the client refuses it"));
        f.why.push(format!("The client refused it with alert {what}."));
    }
    explain(case, c, &mut f);
    sink.report(f);
}

/// The alert by which the client refused the certificate of a data connection of the session.
fn refusal<'a>(case: &Case<'a>, c: &Compared<'a>) -> Option<(&'a Event, u8)> {
    let session = is_session_control(case.transcript, c.transfer.control);
    let (event, from, what) = c.transfer.data.as_ref().filter(|_| session)?.fatal_alert()?;
    (from == Side::Client && REFUSES_CERTIFICATE.contains(&what)).then_some((event, what))
}

fn explain(case: &Case<'_>, c: &Compared<'_>, f: &mut Finding) {
    f.why.push("Another process, node or device answers for data; most clients do not look.".to_owned());
    let name = |e: &Event| client_hello(e).and_then(|h| h.server_name().map(printable));
    let control = case.timeline.events.iter().find(|e| e.conn == c.transfer.control && client_hello(e).is_some());
    let data = c.transfer.data.as_ref().and_then(|d| d.first(|e| client_hello(e).is_some()));
    if let (Some(control), Some(data)) = (control, data) {
        let (on_control, on_data) = (name(control), name(data));
        if on_control != on_data {
            let shown = |n: Option<String>| n.unwrap_or_else(|| "none".to_owned());
            f.why.push(format!(
                "Names that the client sent (SNI): {} on control, {} on data.",
                shown(on_control),
                shown(on_data)
            ));
        }
    }
    let text = "server: one certificate, with key and chain, on all nodes and listeners";
    f.act = Some(Act { party: Party::Server, text: text.to_owned() });
    f.tell(
        Party::Server,
        AdviceKind::Lasting,
        "behind a load balancer: each client always to the same node, for data as well",
    );
    f.tell(Party::Client, AdviceKind::Check, "the same name (SNI) on control and data connections");
}

//! Another protocol answers where a TLS record was due: a wrong port, or a proxy in between.

use super::prelude::*;
use crate::wire::sniff::Speaker;

pub(super) static RULE: Rule = Rule {
    id: "not-ftp",
    severity: Severity::Failure,
    outranks: &[
        "closed-during-handshake",
        "handshake-refused-by-client",
        "malformed-tls",
        "reset-during-handshake",
        "silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/not-ftp.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let other = |e: &Event| {
        e.from() == Some(Side::Server)
            && matches!(e.kind, Kind::OtherInsteadOfTls { speaker: Speaker::Ssh | Speaker::Http | Speaker::Telnet })
    };
    let Some(event) = case.first(other) else { return };
    let Kind::OtherInsteadOfTls { speaker } = event.kind else { return };
    if case.server_answered_before(event) || case.handshake_completed_before(event) {
        return;
    }
    let (protocol, name) = match speaker {
        Speaker::Ssh => ("ssh", "SSH"),
        Speaker::Http => ("http", "HTTP"),
        _ => ("telnet", "telnet"),
    };
    let endpoint = case.endpoint();
    // The first bytes of these protocols are unmistakable, but a flow may go on as anything until its line ends.
    let mut f = sink.finding(
        Confidence::Likely,
        Party::Between,
        &[
            format!("{endpoint} probably speaks {name}, not FTP: a wrong port, or a proxy"),
            format!("the server probably speaks {name}, not FTP: a wrong port, or a proxy"),
        ],
    );
    f.set("protocol", protocol);
    if let (Some(hello), Some(offer)) = (case.client_hello(), &case.facts.offer) {
        f.evidence.extend(sink.evidence(hello, &offer.summary()));
    }
    f.evidence.extend(sink.evidence(event, &format!("{name} where a TLS record was due")));
    f.why.push("Versions, ciphers and certificates are not the fault.".to_owned());
    f.act =
        Some(Act { party: Party::Client, text: "client: check host and port; then ask who answers there".to_owned() });
    let advice = match speaker {
        Speaker::Ssh => "SFTP (SSH, port 22) is another protocol than FTPS: use an SFTP client, or the FTPS port",
        Speaker::Http => "a web server or a proxy answers: check the port, and whether a proxy is in the way",
        _ => "a telnet server answers: check the port",
    };
    f.tell(Party::Client, AdviceKind::Check, advice);
    sink.report(f);
}

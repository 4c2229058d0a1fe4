//! The server's certificate is not valid yet: mostly the clock that judges is behind.

use super::certificates::{Doubt, clock_wrong, finding, moment, span};
use super::prelude::*;
use crate::trust::Timing;

pub(super) static RULE: Rule = Rule {
    id: "certificate-not-yet-valid",
    severity: Severity::Failure,
    outranks: &["fatal-alert", "handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/certificate-not-yet-valid.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(j) = case.trust else { return };
    let (Some(at), Some(Timing::NotYet { index, not_before })) = (j.at, j.timing) else { return };
    let (who, ahead) = (case.endpoint(), span(not_before - at));
    let headlines = [
        format!("{who} shows a certificate that is valid only in {ahead}"),
        format!("the server shows a certificate that is valid only in {ahead}"),
    ];
    let Some(mut f) = finding(case, sink, Doubt::Time, Party::Unknown, &headlines) else { return };
    let subject = j.certificates.get(index).and_then(|c| c.details()).map(|d| d.subject.clone());
    f.set("index", index).set("subject", subject).set("not_before", moment(not_before)).set("at", moment(at));
    f.why.push(format!("It begins {}; it was shown {}.", moment(not_before), moment(at)));
    f.why.push(
        "OpenSSL: \"certificate is not yet valid\"; Java: CertificateNotYetValidException; System SSL: rc 401."
            .to_owned(),
    );
    f.causes.push(clock_wrong(j, not_before - at, Confidence::Likely));
    f.act = Some(Act { party: Party::Client, text: "client: look at the clock of the machine that looked".to_owned() });
    f.tell(Party::Client, AdviceKind::Tonight, "set the clock, and the time zone, of the client");
    f.tell(
        Party::Server,
        AdviceKind::Check,
        "was the certificate issued for a later date? Show the old one until then",
    );
    sink.report(f);
}

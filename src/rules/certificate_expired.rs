//! The server's certificate, or a CA above it that is needed, has expired.

use super::by_words;
use super::certificates::{Doubt, advise_server, chain_lines, clock_wrong, day, finding, moment, span};
use super::prelude::*;
use crate::trust::Timing;

pub(super) static RULE: Rule = Rule {
    id: "certificate-expired",
    severity: Severity::Failure,
    outranks: &["fatal-alert", "handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/certificate-expired.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(j) = case.trust else { return by_words(case, sink) };
    let (Some(at), Some(leaf)) = (j.at, j.leaf()) else {
        if j.leaf().is_some() {
            sink.untested("certificate-time", "validity of the certificate", "the evidence has no date");
        }
        return by_words(case, sink);
    };
    let Some(Timing::Expired { index, not_after }) = j.timing else {
        if j.timing.is_none() {
            sink.passed(
                "certificate-time",
                &format!("certificate valid until {}", day(leaf.not_after)),
                &format!("until {}", moment(leaf.not_after)),
            );
        }
        return;
    };
    let (who, ago) = (case.endpoint(), span(at - not_after));
    let what = if index == 0 { "a certificate that" } else { "a chain whose CA" };
    let headlines =
        [format!("{who} shows {what} expired {ago} ago"), format!("the server shows {what} expired {ago} ago")];
    let Some(mut f) = finding(case, sink, Doubt::Time, Party::Server, &headlines) else { return };
    let subject = j.certificates.get(index).and_then(|c| c.details()).map(|d| d.subject.clone());
    f.set("index", index).set("subject", subject).set("not_after", moment(not_after)).set("at", moment(at));
    f.why.push(format!("It ended {}; it was shown {}.", moment(not_after), moment(at)));
    if j.is_only_late() {
        f.why.push("With a date inside its validity the chain is trusted: nothing else is wrong with it.".to_owned());
    }
    f.why.extend(chain_lines(j));
    f.why.push(
        "OpenSSL: \"certificate has expired\"; Java: CertificateExpiredException; System SSL: rc 401.".to_owned(),
    );
    f.causes.push(clock_wrong(j, at - not_after, Confidence::Possible));
    f.act = Some(Act { party: Party::Server, text: "server: install the renewed certificate and restart".to_owned() });
    f.tell(Party::Server, AdviceKind::Tonight, "renew the certificate; the new one often lies there and is not loaded");
    advise_server(
        case,
        &mut f,
        "fix-certificate",
        "put the renewed certificate where the server loads it, then restart",
    );
    f.tell(
        Party::Client,
        AdviceKind::Check,
        "is the date of your own machine right? If so, there is nothing to change",
    );
    sink.report(f);
}

/// The client says so, and no chain is there to be judged, or no date to judge it by.
fn by_words(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(said) = by_words::said(case, RULE.id) else { return };
    // The return code alone says "a bad date"; certificate services say which.
    let what = if said.cms.is_some() { "has expired" } else { "has expired, or is not valid yet" };
    // A server's word leaves open whose certificate it is.
    let (party, headlines) = if said.is_of_server() && said.is_own(case) {
        (Party::Server, vec![format!("the server says that its own certificate {what}")])
    } else if said.is_of_server() {
        (Party::Unknown, vec![format!("the server says that a certificate {what}: its own, or the client's")])
    } else if said.is_of_unknown_end() {
        (Party::Server, vec![format!("AT-TLS says that its partner's certificate {what}")])
    } else {
        let of = format!("the client says that {}'s certificate {what}", case.endpoint());
        (Party::Server, vec![of, format!("the client says that the server's certificate {what}")])
    };
    let mut f = said.finding(case, sink, party, &headlines);
    let because = format!("it is {}'s own clock that the dates were held against", said.who());
    f.causes.push(super::causes::clock_may_be_wrong(&because));
    f.act = Some(Act {
        party: Party::Server,
        text: "server: look at the dates of its certificate; renew, load and restart".to_owned(),
    });
    let otherwise = "put the renewed certificate where the server loads it, then restart";
    advise_server(case, &mut f, "fix-certificate", otherwise);
    f.tell(Party::Client, AdviceKind::Check, "is the date of that machine right? If so, there is nothing to change");
    sink.report(f);
}

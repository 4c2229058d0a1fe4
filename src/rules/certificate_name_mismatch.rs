//! The certificate is one for another name.

use super::by_words;
use super::certificates::{Doubt, advise_server, finding};
use super::prelude::*;
use crate::trust::NameMatch;
use crate::wire::printable_str;

pub(super) static RULE: Rule = Rule {
    id: "certificate-name-mismatch",
    severity: Severity::Failure,
    outranks: &["fatal-alert", "handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/certificate-name-mismatch.md"),
    check,
};

/// Names that are listed.
const SHOWN: usize = 6;

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some((j, leaf)) = case.trust.and_then(|j| Some((j, j.leaf()?))) else { return by_words(case, sink) };
    let asked = printable_str(&j.asked);
    match j.name {
        NameMatch::Differs => {}
        NameMatch::Matches => {
            return sink.passed("certificate-name", &format!("certificate is for {asked}"), "by its subjectAltName");
        }
        NameMatch::OnlyCommonName => return,
        NameMatch::NotJudged => {
            let why = if case.is_redacted() { "names are redacted" } else { "the name that was dialled is not known" };
            sink.untested("certificate-name", "name in the certificate", why);
            return by_words(case, sink);
        }
    }
    let mut names: Vec<String> =
        leaf.names.iter().cloned().chain(leaf.addresses.iter().map(ToString::to_string)).collect();
    if names.is_empty() {
        names.extend(leaf.common_name.clone());
    }
    let (who, first) = (case.endpoint(), names.first().cloned().unwrap_or_else(|| "nobody".to_owned()));
    let headlines = [
        format!("{who} shows a certificate for {first}, not for {asked}"),
        format!("{who} shows a certificate for {first}"),
        format!("{who} shows a certificate for another name"),
        "the server shows a certificate for another name".to_owned(),
    ];
    let Some(mut f) = finding(case, sink, Doubt::Name, Party::Unknown, &headlines) else { return };
    f.set("asked", asked.as_str()).set("names", names.clone());
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    f.why.push(format!("Asked for: {asked}. The certificate holds: {shown}{more}."));
    if case.facts.offer.as_ref().is_some_and(|o| o.server_name.is_none()) {
        f.why.push(
            "The client sent no server name (SNI): a server with several certificates shows its default.".to_owned(),
        );
    }
    f.why.push("OpenSSL: \"hostname mismatch\"; Java: \"No subject alternative DNS name matching\".".to_owned());
    f.act = Some(Act {
        party: Party::Unknown,
        text: "client: use a name that the certificate holds; else the server needs one for this name".to_owned(),
    });
    if names.iter().any(|n| n.contains('.') && !n.starts_with('*')) {
        let text = format!("connect by a name of the certificate if the partner confirms it, e.g. {first}");
        f.tell(Party::Client, AdviceKind::Tonight, text);
    }
    if let Some(client) = &case.facts.client {
        f.advise("verify-name", client.id);
    }
    advise_server(case, &mut f, "fix-certificate", &format!("get a certificate whose subjectAltName holds {asked}"));
    sink.report(f);
}

/// The client compared names (AT-TLS does where its policy names the host), and says that they differ.
fn by_words(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(said) = by_words::said(case, RULE.id) else { return };
    let headlines = [
        format!("the client says that {}'s certificate is for another name", case.endpoint()),
        "the client says that the server's certificate is for another name".to_owned(),
    ];
    let mut f = said.finding(case, sink, Party::Unknown, &headlines);
    f.set("asked", serde_json::Value::Null).set("names", Vec::<String>::new());
    f.why.push("On z/OS the program itself may only report ECONNRESET.".to_owned());
    f.act = Some(Act {
        party: Party::Unknown,
        text: "client: the name that its policy wants; else the server needs a certificate for it".to_owned(),
    });
    f.advise("verify-name", "zos-attls");
    f.tell(Party::Client, AdviceKind::Check, "ftpsdiag probe HOST shows the names that the certificate holds");
    sink.report(f);
}

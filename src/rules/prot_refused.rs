//! PROT P was refused: files would travel in clear, or not at all.

use super::exchanges::{Exchange, refused};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "prot-refused",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-plaintext-instead-of-tls", "data-protection-required"],
    page: include_str!("../../docs/findings/prot-refused.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let all = case.exchanges();
    let asks = |x: &&Exchange<'_>| x.verb == "PROT" && x.argument.eq_ignore_ascii_case("P");
    let Some(no) = all.iter().rfind(asks).filter(|x| !x.is_accepted()) else { return };
    if all.iter().filter(asks).any(|x| x.is_accepted()) {
        return; // it was accepted once, and holds
    }
    let mut f = refusal(case, no, "PROT P", sink);
    let early = no.reply.code == 503;
    let (party, text) = if early {
        (Party::Client, "client: PBSZ 0 before PROT P, both inside TLS; some servers want them again after the login")
    } else {
        (Party::Server, "server: switch TLS on for data connections as well")
    };
    f.party = party;
    f.act = Some(Act { party, text: text.to_owned() });
    if early {
        super::advise::protect_data(case, &mut f);
    } else {
        f.tell(Party::Server, AdviceKind::Lasting, "certificate and key, or the policy, of data connections");
        f.tell(Party::Client, AdviceKind::Leave, "nothing to change: it asks as it ought to");
    }
    sink.report(f);
}

/// The finding of a refused command.
pub(super) fn refusal(case: &Case<'_>, no: &Exchange<'_>, what: &str, sink: &mut Sink<'_>) -> Finding {
    let (endpoint, code) = (case.endpoint(), no.reply.code);
    let headlines = |maybe: &str| {
        vec![
            format!("{endpoint} {maybe}refused {what}: {code} {}", no.reply.text),
            format!("{endpoint} {maybe}refused {what} with {code}"),
            format!("the server {maybe}refused {what} with {code}"),
        ]
    };
    let mut f = refused(case, no, Party::Server, headlines, sink);
    f.set("argument", no.argument);
    f.why.push("The control connection is protected; this is about the data connections.".to_owned());
    f
}

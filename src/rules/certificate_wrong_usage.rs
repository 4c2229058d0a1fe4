//! The certificate says that it is not meant for servers.

use super::certificates::{Doubt, advise_server, finding};
use super::prelude::*;
use crate::trust::{Path, Usage};

pub(super) static RULE: Rule = Rule {
    id: "certificate-wrong-usage",
    severity: Severity::Failure,
    outranks: &["fatal-alert", "handshake-refused-by-client", "handshake-refused-by-server"],
    page: include_str!("../../docs/findings/certificate-wrong-usage.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some((j, leaf)) = case.trust.and_then(|j| Some((j, j.leaf()?))) else { return };
    // One that is trusted as it stands, or that nobody vouches for, is not asked for its usage.
    let Usage::Wrong(why) = j.usage else { return };
    if j.is_self_signed || j.deciding().any(|o| o.path == Path::Pinned) {
        return;
    }
    let headlines = [
        format!("{} shows a certificate that is not for servers", case.endpoint()),
        "the server shows a certificate that is not for servers".to_owned(),
    ];
    let Some(mut f) = finding(case, sink, Doubt::Usage, Party::Server, &headlines) else { return };
    f.set("usages", leaf.usages.clone()).set("subject", leaf.subject.as_str());
    let usages = if leaf.usages.is_empty() { "none".to_owned() } else { leaf.usages.join(", ") };
    f.why.push(format!("Its {why}; extended key usages: {usages}."));
    f.why.push("Often a client's certificate was put on the server. System SSL: rc 440, in TLS 1.3 always.".to_owned());
    f.act = Some(Act { party: Party::Server, text: "server: a certificate with usage serverAuth".to_owned() });
    advise_server(case, &mut f, "fix-certificate", "get a certificate with extended key usage serverAuth");
    if let Some(client) = &case.facts.client {
        f.advise("certificate-usage", client.id);
    }
    sink.report(f);
}

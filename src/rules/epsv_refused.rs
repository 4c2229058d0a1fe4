//! The server does not take EPSV. Clients try PASV next; what fell over it is the exception.

use super::arranging::{Fate, Way, is_about_order, is_about_tls};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "epsv-refused",
    severity: Severity::Warning,
    outranks: &["control-connection-lost", "data-connect-back-failed", "port-refused"],
    page: include_str!("../../docs/findings/epsv-refused.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let ways = case.ways();
    good(case, &ways, sink);
    let Some(n) = ways.iter().rposition(refused) else { return };
    let Some(answer) = ways.get(n).and_then(|w| w.arranged).and_then(|a| a.reply) else { return };
    let Some(command) = ways.get(n).and_then(|w| w.arranged).map(|a| a.command) else { return };
    let fate = case.fate_of_refusal(&ways, n);
    let (endpoint, code) = (case.endpoint(), answer.reply.code);
    let headlines = [
        format!("{endpoint} does not take EPSV: {code} {}", answer.reply.text),
        format!("{endpoint} does not take EPSV ({code})"),
        format!("the server does not take EPSV ({code})"),
    ];
    let certain = if case.is_from_log(answer.event) { Confidence::Likely } else { Confidence::Certain };
    let mut f = sink.finding(certain, Party::Server, &headlines);
    f.evidence.extend(sink.evidence(command.event, ""));
    f.evidence.extend(sink.evidence(answer.event, ""));
    f.set("code", code).set("text", answer.reply.text.as_str());
    let later = ways.get(n + 1..).unwrap_or_default();
    let next = later.iter().find_map(|w| w.arranged).map(|a| a.command.verb);
    f.set("next", next);
    let turned_active = matches!(next, Some("PORT" | "EPRT"));
    match fate {
        Fate::Fell => {
            f.severity = Severity::Failure;
            let told = later.iter().filter_map(|w| w.unopened.as_ref()).any(|u| u.told);
            case.settle(&mut f, answer.event, told);
        }
        Fate::Recovered | Fate::Other if turned_active => f.severity = Severity::Warning,
        Fate::Recovered | Fate::Other => f.severity = Severity::Note,
    }
    if lists_epsv(case) {
        f.why.push("FEAT lists EPSV: something on the way may have answered in the server's place.".to_owned());
    }
    explain(case, &mut f, code, turned_active);
    sink.report(f);
}

fn explain(case: &Case<'_>, f: &mut Finding, code: u16, turned_active: bool) {
    if code == 522 {
        f.why.push("522 is about IPv4 and IPv6 here, not about TLS.".to_owned());
    }
    let zos = case.facts.client.as_ref().is_some_and(|c| c.id.starts_with("zos"));
    if turned_active {
        f.why.push(
            "Behind the refusal the client turned to active mode (PORT), which TLS and NAT do not get along with."
                .to_owned(),
        );
        f.why.extend(zos.then(|| "z/OS does so unless FWFRIENDLY is TRUE; with it, PASV comes next.".to_owned()));
        let text = if zos { "client: FWFRIENDLY TRUE beside EPSV4 TRUE" } else { "client: passive mode with PASV" };
        f.act = Some(Act { party: Party::Client, text: text.to_owned() });
        super::passive_ports::client(case, f, "use-passive");
    } else {
        f.why.push("Clients that send PASV next are not concerned.".to_owned());
        f.act = Some(Act { party: Party::Client, text: "client: PASV (curl: --disable-epsv)".to_owned() });
    }
    if zos && case.asked().is_none() {
        f.advise("passive-ignore-address", case.facts.client.as_ref().map_or("zos-native", |c| c.id));
    }
    f.tell(Party::Server, AdviceKind::Leave, "nothing has to be done for TLS; newer releases know RFC 2428");
}

/// Codes that say "not this command"; others are about listeners, rights or the login.
fn refused(way: &Way<'_>) -> bool {
    let answer = way.with("EPSV").and_then(|a| a.reply);
    answer.is_some_and(|r| {
        matches!(r.reply.code, 500..=502 | 504 | 522)
            && !is_about_tls(&r.reply.text)
            && !is_about_order(r.reply.code, &r.reply.text)
            && !r.reply.text.contains("OOPS:")
    })
}

fn lists_epsv(case: &Case<'_>) -> bool {
    case.control().any(|e| matches!(&e.kind, Kind::Reply(r) if r.code == 211 && r.text.contains("EPSV")))
}

/// In a run of ours: that it works.
fn good(case: &Case<'_>, ways: &[Way<'_>], sink: &mut Sink<'_>) {
    if case.asked().is_none() {
        return;
    }
    let good = ways.iter().filter(|w| w.unopened.is_none()).find_map(|w| {
        let (ip, port) = w.with("EPSV")?.announced()?;
        (ip.is_none() && port > 0).then_some(port)
    });
    if let Some(port) = good {
        sink.passed("epsv", "EPSV", &format!("229 with port {port}"));
    }
}

//! The server offers no passive data connection.

use super::addresses::{Named, named};
use super::arranging::{Fate, Way, is_about_order, is_about_tls};
use super::passive_ports::range;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pasv-refused",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-connect-back-failed", "epsv-refused", "port-refused"],
    page: include_str!("../../docs/findings/pasv-refused.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let ways = case.ways();
    good(case, &ways, sink);
    let is_bad = |w: &Way<'_>| refused(case, w);
    let Some(n) = ways.iter().rposition(is_bad) else { return };
    let Some(asked) = ways.get(n).and_then(|w| w.arranged) else { return };
    let Some(answer) = asked.reply else { return };
    let fate = case.fate_of_refusal(&ways, n);
    let (endpoint, code, verb, text) = (case.endpoint(), answer.reply.code, asked.command.verb, &answer.reply.text);
    let headlines = [
        format!("{endpoint} refused {verb}: {code} {text}"),
        format!("{endpoint} refused passive mode ({code} to {verb})"),
        format!("the server refused passive mode ({code} to {verb})"),
    ];
    let certain = if case.is_from_log(answer.event) { Confidence::Likely } else { Confidence::Certain };
    let mut f = sink.finding(certain, Party::Server, &headlines);
    f.evidence.extend(sink.evidence(asked.command.event, ""));
    f.evidence.extend(sink.evidence(answer.event, ""));
    let why = reason(code, text);
    f.set("command", verb).set("code", code).set("text", text.as_str()).set("why", why);
    match fate {
        Fate::Fell => case.settle(&mut f, answer.event, false),
        Fate::Recovered | Fate::Other => {
            f.severity = Severity::Warning;
            f.set(
                "for_whom",
                if verb == "PASV" { "clients that know only PASV" } else { "clients that know only EPSV" },
            );
        }
    }
    let act = match why {
        "no-port" => {
            f.why.push("The server found no port to listen on: its range is too small, or others use it.".to_owned());
            "server: a larger range of passive ports, opened in the firewall too"
        }
        "not-allowed" => {
            f.why.push("The server's configuration does not allow passive mode (vsftpd: pasv_enable=NO).".to_owned());
            "server: allow passive mode"
        }
        _ => {
            f.why.push(
                "Without passive mode the server has to reach the client, which NAT and firewalls prevent.".to_owned(),
            );
            "server: allow passive mode, with a fixed range of ports"
        }
    };
    f.act = Some(Act { party: Party::Server, text: act.to_owned() });
    range(case, &mut f);
    if verb == "PASV" {
        super::passive_ports::client(case, &mut f, "use-epsv");
    }
    sink.report(f);
}

/// What kind of refusal it is.
fn reason(code: u16, text: &str) -> &'static str {
    let text = text.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|w| text.contains(w));
    match code {
        _ if any(&[
            "bind",
            "listen",
            "no free port",
            "no port",
            "cannot prepare",
            "can't open passive",
            "edc8116i",
        ]) =>
        {
            "no-port"
        }
        425 => "no-port",
        _ if any(&["permission denied", "not allowed", "disabled", "rejected"]) => "not-allowed",
        _ => "not-told",
    }
}

fn refused(case: &Case<'_>, way: &Way<'_>) -> bool {
    let Some(asked) = way.arranged.filter(|a| a.is_passive() && a.is_refused()) else { return false };
    let Some(answer) = asked.reply else { return false };
    let (code, text) = (answer.reply.code, answer.reply.text.as_str());
    // Over IPv6 there is no address that PASV could name.
    let in_use = case.address_in_use(asked.command.event.conn).map(|a| a.to_canonical());
    let six = in_use.is_some_and(|a| a.is_ipv6()) || code == 522 || text.to_ascii_lowercase().contains("ipv4");
    let unknown = asked.command.verb == "EPSV" && matches!(code, 500..=502 | 504 | 522) && !text.contains("OOPS:");
    let epsv_all = text.to_ascii_uppercase().contains("EPSV ALL");
    !(six && asked.command.verb == "PASV" || unknown || epsv_all || is_about_tls(text) || is_about_order(code, text))
}

/// In a run of ours: that it works.
fn good(case: &Case<'_>, ways: &[Way<'_>], sink: &mut Sink<'_>) {
    if case.asked().is_none() {
        return;
    }
    let good = ways.iter().filter(|w| w.unopened.is_none()).find_map(|w| {
        let pasv = w.with("PASV")?;
        let (ip, port) = pasv.announced()?;
        (named(ip?, case.address_in_use(pasv.command.event.conn)) == Named::Right && port >= 1024)
            .then_some((ip?, port))
    });
    if let Some((ip, port)) = good {
        let used = case.control().next().and_then(|e| case.address_in_use(e.conn)).map(|a| a.to_canonical());
        let how = format!("227 with {ip} and port {port}");
        match used.filter(|used| *used != ip.to_canonical()) {
            None => sink.passed("pasv", "PASV", &how),
            // Our own transfers went to the address that was dialled, and do not tell.
            Some(used) => {
                let note = format!(
                    "the 227 to PASV names {ip}, and the session uses {used}: whether clients reach it does not show from here"
                );
                sink.passed_with_note("pasv", "PASV", &how, &note);
            }
        }
    }
}

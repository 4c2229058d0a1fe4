//! The reply to PASV names a port that cannot be meant, or none that can be read.

use super::arranging::{Fate, Way};
use super::passive_ports::{WHO_OBEY, range};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pasv-bad-port",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-connect-failed", "pasv-foreign-address", "pasv-private-address"],
    page: include_str!("../../docs/findings/pasv-bad-port.md"),
    check,
};

/// Below, only the system's own services listen.
pub(super) const LOWEST: u16 = 1024;

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Zero,
    Low(u16),
    Malformed,
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let ways = case.ways();
    let bad = |w: &Way<'_>| fault(case, w).filter(|_| !w.is_opened());
    let Some(n) = ways.iter().rposition(|w| bad(w).is_some()) else { return };
    let Some((way, fault)) = ways.get(n).and_then(|w| bad(w).map(|f| (w, f))) else { return };
    let Some(answer) = way.arranged.and_then(|a| a.reply) else { return };
    let fate = case.fate(&ways, n, fault != Fault::Malformed || case.is_closed());
    let endpoint = case.endpoint();
    let (what, kind) = match fault {
        Fault::Zero => ("port 0".to_owned(), "port-0"),
        Fault::Low(port) => (format!("port {port}"), "port-below-1024"),
        Fault::Malformed => ("no address that can be read".to_owned(), "malformed"),
    };
    let headlines = [format!("{endpoint} answered PASV with {what}"), format!("the server answered PASV with {what}")];
    let certain = if case.is_from_log(answer.event) { Confidence::Likely } else { Confidence::Certain };
    let mut f = sink.finding(certain, Party::Server, &headlines);
    f.evidence.extend(sink.evidence(answer.event, ""));
    f.set("kind", kind).set("text", answer.reply.text.as_str()).set("for_whom", WHO_OBEY);
    if let Some((ip, port)) = way.arranged.and_then(|a| a.announced()) {
        f.set("port", port).set("address", ip.map(|a| a.to_string()));
    }
    if fate == Fate::Fell {
        let shows = way.unopened.as_ref().map_or(answer.event, |u| u.shows);
        case.settle(&mut f, shows, way.unopened.as_ref().is_some_and(|u| u.told));
        f.evidence.extend(sink.evidence(shows, "").filter(|_| shows.span != answer.event.span));
        f.why.extend(way.unopened.as_ref().map(|u| format!("The connection to it failed: {}.", u.why.name())));
    } else {
        f.severity = Severity::Warning;
    }
    f.why.push(match fault {
        Fault::Malformed => "227 holds six numbers: four of the address, two of the port.".to_owned(),
        _ => "The port is the last but one number times 256 plus the last; data ports lie above 1023.".to_owned(),
    });
    let inside = answer.event.span.is_some_and(|s| s.flow.layer == crate::transcript::Layer::InsideTls);
    f.why.push(if inside {
        "Inside TLS no router wrote it: it comes from the server, or from what ends TLS before it.".to_owned()
    } else {
        "In clear any router with an FTP helper may have written it.".to_owned()
    });
    let text = "server: its range of passive ports, and what stands in front of it";
    f.act = Some(Act { party: Party::Server, text: text.to_owned() });
    range(case, &mut f);
    f.tell(Party::Client, AdviceKind::Tonight, "EPSV, until the server is mended");
    sink.report(f);
}

fn fault(case: &Case<'_>, way: &Way<'_>) -> Option<Fault> {
    let pasv = way.with("PASV").filter(|a| a.is_accepted())?;
    match pasv.announced() {
        Some((_, 0)) => Some(Fault::Zero),
        Some((_, port)) if port < LOWEST => Some(Fault::Low(port)),
        Some(_) => None,
        None => {
            let answer = pasv.reply?;
            let told = case.is_from_log(answer.event);
            (!is_masked(&answer.reply.text, told)).then_some(Fault::Malformed)
        }
    }
}

/// Whether somebody hid the numbers before he passed the text on, or a log cut it: that is no fault of the server.
pub(super) fn is_masked(text: &str, from_log: bool) -> bool {
    let numbers = text.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '(' && c != '*');
    let hidden = numbers.contains(['x', 'X', '*', '#', '<', '_', '?']) || numbers.contains("..");
    let count = |c: char| text.chars().filter(|x| *x == c).count();
    hidden || from_log && (count('(') != count(')') || numbers.is_empty())
}

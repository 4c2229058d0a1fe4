//! The reply to PASV names another public address than the one in use.

use core::net::IpAddr;

use super::addresses::{Named, named};
use super::arranging::Way;
use super::passive_ports::{WrongAddress, dialled, masquerade, obeyed, range, who_sees_it, without_address};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pasv-foreign-address",
    severity: Severity::Failure,
    outranks: &["control-connection-lost", "data-connect-failed"],
    page: include_str!("../../docs/findings/pasv-foreign-address.md"),
    check,
};

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let ways = case.ways();
    let bad = |way: &Way<'_>| foreign(case, way).is_some();
    let Some(wrong) = WrongAddress::find(case, &ways, bad) else { return };
    let (way, in_use) = (wrong.way, wrong.in_use);
    let Some((ip, port, outer)) = foreign(case, way) else { return };
    // Who obeyed and was let in has nothing to complain of: a server may have several addresses.
    if way.is_opened() && obeyed(case, way) == Some(true) {
        return;
    }
    let endpoint = case.endpoint();
    let headlines = [
        format!("{endpoint} sent clients to another host for data: {ip}"),
        format!("the server sent clients to another host for data: {ip}"),
    ];
    let mut f = wrong.finding(case, (ip, port), &headlines, &format!("port {port}"), sink);
    if outer && f.severity == Severity::Warning {
        f.severity = Severity::Note;
    }
    if let Some(used) = in_use {
        f.why.push(format!("The session runs to {}, data were to go to {ip}.", used.to_canonical()));
    }
    if let (Some(false), Some(at), true) = (obeyed(case, way), dialled(case, way), way.is_opened()) {
        f.why.push(format!("{at} was used instead, and it opened: only the address is wrong."));
    }
    if outer {
        f.why.push("From inside, the outer address works only where the router turns packets back.".to_owned());
    } else {
        who_sees_it(&mut f, false);
    }
    let text = "server: does that address belong to it? If not, name the one that clients dial";
    f.act = Some(Act { party: Party::Server, text: text.to_owned() });
    masquerade(case, &mut f, in_use);
    range(case, &mut f);
    without_address(case, &mut f);
    sink.report(f);
}

/// The address of a reply to PASV, when it is another public one; and whether the session came through an inner one.
fn foreign(case: &Case<'_>, way: &Way<'_>) -> Option<(IpAddr, u16, bool)> {
    let pasv = way.with("PASV")?;
    let (ip, port) = pasv.announced()?;
    match named(ip?, case.address_in_use(pasv.command.event.conn)) {
        Named::Stranger => Some((ip?, port, false)),
        Named::Outer => Some((ip?, port, true)),
        _ => None,
    }
}

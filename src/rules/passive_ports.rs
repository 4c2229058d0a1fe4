//! What findings about passive data connections share: the ports that were named, the range to ask for, and for whom it fails.

use super::addresses::Reach;
use super::arranging::Way;
use super::finding::{AdviceKind, Finding, Party};
use super::{Case, advise, causes};

/// Those who do as the reply to PASV says.
pub(super) const WHO_OBEY: &str = "clients that obey PASV";

/// Puts the ports seen into the data, and says which range the firewalls need.
pub(super) fn range(case: &Case<'_>, f: &mut Finding) {
    let seen = case.ports_seen();
    if let Some(seen) = seen {
        f.set("ports_seen", serde_json::json!({ "lowest": seen.lowest, "highest": seen.highest, "count": seen.count }));
    }
    let before = f.advice.len();
    if let Some(product) = causes::likely_server(case) {
        f.advise("passive-range", &product.id);
    }
    if f.advice.len() == before {
        f.tell(Party::Server, AdviceKind::Lasting, "set one fixed range of passive ports");
    }
    let named = seen.map_or_else(String::new, |s| format!("; seen: {}", s.describe()));
    let text = format!("let clients in to the server's passive range, TCP{named}");
    f.tell(Party::Between, AdviceKind::Lasting, text);
}

/// The outer address in the product's own directive.
pub(super) fn masquerade(case: &Case<'_>, f: &mut Finding, outer: Option<core::net::IpAddr>) {
    let before = f.advice.len();
    if let Some(product) = causes::likely_server(case) {
        f.advise("masquerade-address", &product.id);
    }
    let own = outer.map(|ip| ip.to_canonical()).filter(|ip| Reach::of(*ip) == Reach::Public).map(|ip| ip.to_string());
    // The table's address is an example; the one that clients use is better.
    if let Some(ip) = &own {
        for a in f.advice.iter_mut().skip(before) {
            a.directive = a.directive.as_ref().map(|d| d.replace("203.0.113.7", ip));
        }
    }
    if f.advice.len() == before {
        let ip = own.unwrap_or_else(|| "the address that clients dial".to_owned());
        f.tell(Party::Server, AdviceKind::Lasting, format!("name {ip} as outer address in 227"));
    }
}

/// What clients can do about the address until the server is mended.
pub(super) fn without_address(case: &Case<'_>, f: &mut Finding) {
    let known = case.facts.client.as_ref().filter(|_| case.asked().is_none());
    if let Some(client) = known {
        f.advise("use-epsv", client.id).advise("passive-ignore-address", client.id);
    }
    if known.is_none_or(|c| !c.id.starts_with("zos")) {
        f.tell(Party::Client, AdviceKind::Tonight, "until then EPSV, or \"use the server's address\"");
    }
}

/// The facts that send people the wrong way.
pub(super) fn who_sees_it(f: &mut Finding, rewritten: bool) {
    f.why.push(
        "\"Works in FileZilla\": it uses the server's address then, as do curl 7.74+ and EPSV clients; many scripts do not."
            .to_owned(),
    );
    if rewritten {
        f.why.push("\"Works without TLS\": a router rewrites the 227 in clear; inside TLS it cannot.".to_owned());
    }
}

/// Whether the client went where the reply to PASV sent it: `None` when that is not in the evidence.
pub(super) fn obeyed(case: &Case<'_>, way: &Way<'_>) -> Option<bool> {
    let (ip, _) = way.arranged?.announced()?;
    let dialled = dialled(case, way)?.ip().to_canonical();
    Some(ip?.to_canonical() == dialled)
}

/// Where the client connected to, or tried to.
pub(super) fn dialled(case: &Case<'_>, way: &Way<'_>) -> Option<core::net::SocketAddr> {
    case.transcript.conn(way.transfer?.data.as_ref()?.conn)?.peer
}

/// The client's own advice for a need, as far as the evidence has another client than us.
pub(super) fn client(case: &Case<'_>, f: &mut Finding, need: &str) {
    match case.asked() {
        None => advise::client(case, f, need),
        Some(_) => drop(f.advise(need, "any")),
    }
}

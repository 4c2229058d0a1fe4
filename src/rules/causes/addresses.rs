//! Causes of data connections that do not come about: the address that was named, and the ports that nobody opened.

use super::super::finding::{Cause, Confidence, Party};
use super::cause;

/// A router translates, and the server does not know its outer address.
pub(in crate::rules) fn nat_without_masquerade(confidence: Confidence, because: String) -> Cause {
    cause("nat-without-masquerade", "a server behind NAT gives out its inner address", confidence).because(because).ask(
        Party::Server,
        None,
        &["the server's own address (ip addr, ipconfig), beside the one in the 227".to_owned()],
        "equal, and not the one that clients dial",
    )
}

/// A static rule is missing, or covers another range.
pub(in crate::rules) fn passive_ports_blocked(confidence: Confidence, because: String, range: Option<String>) -> Cause {
    let ports = range.unwrap_or_else(|| "the ports in five replies to PASV or EPSV".to_owned());
    cause("passive-ports-blocked", "no firewall rule covers the passive ports", confidence).because(because).ask(
        Party::Between,
        None,
        &[format!("each firewall's rules against {ports}"), "the same from a machine beside the server".to_owned()],
        "it works from there, or a rule is missing",
    )
}

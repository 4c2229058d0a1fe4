//! Whom an address can reach: what a reply to PASV, or a PORT, names against the address in use.

use core::net::{IpAddr, Ipv4Addr};

use super::Case;
use crate::transcript::ConnId;

/// From where an address can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// From everywhere.
    Public,
    /// From the same private network (RFC 1918, RFC 4193).
    Private,
    /// From the network of one provider (RFC 6598).
    Shared,
    /// From the same cable.
    LinkLocal,
    /// From the same machine.
    Loopback,
    /// From nowhere: no address of a machine.
    Nowhere,
}

impl Reach {
    pub(super) fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) if v6.is_loopback() => Reach::Loopback,
            IpAddr::V6(v6) if v6.is_unspecified() || v6.is_multicast() => Reach::Nowhere,
            IpAddr::V6(v6) if v6.is_unique_local() => Reach::Private,
            IpAddr::V6(v6) if v6.is_unicast_link_local() => Reach::LinkLocal,
            IpAddr::V6(_) => Reach::Public,
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Self {
        match ip.octets() {
            [0 | 224..=255, ..] => Reach::Nowhere,
            [127, ..] => Reach::Loopback,
            [169, 254, ..] => Reach::LinkLocal,
            [100, 64..=127, ..] => Reach::Shared,
            _ if ip.is_private() => Reach::Private,
            _ => Reach::Public,
        }
    }

    /// As data spell it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Reach::Public => "public",
            Reach::Private => "private",
            Reach::Shared => "shared",
            Reach::LinkLocal => "link-local",
            Reach::Loopback => "loopback",
            Reach::Nowhere => "zero",
        }
    }

    /// Where it is from.
    pub(super) fn source(self) -> &'static str {
        match self {
            Reach::Public => "public",
            Reach::Private => "private (RFC 1918)",
            Reach::Shared => "of one provider's network (RFC 6598)",
            Reach::LinkLocal => "link-local: no router passes it on",
            Reach::Loopback => "loopback: every machine's own",
            Reach::Nowhere => "no address of any machine",
        }
    }

    /// Whether it is of some network behind routers that translate.
    pub(super) fn is_inner(self) -> bool {
        matches!(self, Reach::Private | Reach::Shared)
    }
}

/// What an address for data is, beside the one that the control connection uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// The same, or one of the same kind: nothing speaks against it.
    Right,
    /// One that cannot be reached from where the client is.
    Unreachable(Reach),
    /// Another public one.
    Stranger,
    /// A public one, though the session came through an inner one.
    Outer,
    /// An inner one; whether the client is in that network the evidence does not tell.
    Untold,
}

/// Judges an address that was named for data.
pub(super) fn named(ip: IpAddr, in_use: Option<IpAddr>) -> Named {
    let (reach, known) = (Reach::of(ip), in_use.map(Reach::of));
    if in_use.is_some_and(|used| used.to_canonical() == ip.to_canonical()) {
        return Named::Right;
    }
    // An IPv4 address says nothing beside an IPv6 session.
    let comparable = in_use.is_none_or(|used| used.to_canonical().is_ipv4());
    match (reach, known) {
        (Reach::Nowhere, _) => Named::Unreachable(reach),
        _ if !comparable => Named::Right,
        (Reach::Private | Reach::Shared, None) => Named::Untold,
        (Reach::Private | Reach::Shared, Some(Reach::Public))
        | (Reach::Loopback, Some(Reach::Public | Reach::Private | Reach::Shared | Reach::LinkLocal))
        | (Reach::LinkLocal, Some(Reach::Public | Reach::Private | Reach::Shared)) => Named::Unreachable(reach),
        (Reach::Public, Some(Reach::Public)) => Named::Stranger,
        (Reach::Public, Some(Reach::Private | Reach::Shared)) => Named::Outer,
        _ => Named::Right,
    }
}

impl Case<'_> {
    /// The server's address on a control connection, when it is known.
    pub(super) fn address_in_use(&self, conn: ConnId) -> Option<IpAddr> {
        let conn = self.transcript.conn(conn)?;
        conn.peer.map(|p| p.ip()).or_else(|| conn.host.as_deref()?.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_beside_the_one_in_use() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let judged = |text: &str, used: &str| named(ip(text), Some(used).filter(|u| !u.is_empty()).map(ip));
        for (text, used, what) in [
            ("192.168.178.2", "203.0.113.7", Named::Unreachable(Reach::Private)),
            ("172.31.0.1", "203.0.113.7", Named::Unreachable(Reach::Private)),
            ("172.32.0.1", "203.0.113.7", Named::Stranger),
            ("100.64.0.9", "203.0.113.7", Named::Unreachable(Reach::Shared)),
            ("100.128.0.9", "203.0.113.7", Named::Stranger),
            ("127.0.0.1", "10.0.0.1", Named::Unreachable(Reach::Loopback)),
            ("169.254.1.1", "10.0.0.1", Named::Unreachable(Reach::LinkLocal)),
            ("0.0.0.0", "", Named::Unreachable(Reach::Nowhere)),
            ("255.255.255.255", "203.0.113.7", Named::Unreachable(Reach::Nowhere)),
            ("203.0.113.7", "203.0.113.7", Named::Right),
            ("203.0.113.7", "::ffff:203.0.113.7", Named::Right),
            ("192.168.178.2", "10.0.0.1", Named::Right),
            ("192.168.178.2", "127.0.0.1", Named::Right),
            ("192.168.178.2", "2001:db8::1", Named::Right),
            ("203.0.113.7", "10.0.0.1", Named::Outer),
            ("192.168.178.2", "", Named::Untold),
            ("203.0.113.7", "", Named::Right),
        ] {
            assert_eq!(judged(text, used), what, "{text} beside {used}");
        }
    }
}

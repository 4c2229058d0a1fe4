//! Whether a certificate is one for a name (RFC 9525): subjectAltName decides, and a common name counts for nothing but
//! a remark, because some clients still accept it and most do not.

use core::net::IpAddr;

use super::Details;

/// How a certificate stands to the name that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameMatch {
    /// There is no name to compare, or the certificate cannot be read.
    NotJudged,
    /// A subjectAltName matches.
    Matches,
    /// Only the common name matches: modern clients refuse that, older ones do not.
    OnlyCommonName,
    /// Nothing matches.
    Differs,
}

/// Compares; `name` is a host name or an IP address. An empty one is not judged.
pub(super) fn compare(d: &Details, name: &str) -> NameMatch {
    let name = name.trim().trim_start_matches('[').trim_end_matches(']');
    if name.is_empty() {
        return NameMatch::NotJudged;
    }
    let matched = |yes: bool, by_common_name: bool| match (yes, by_common_name) {
        (true, _) => NameMatch::Matches,
        (false, true) => NameMatch::OnlyCommonName,
        (false, false) => NameMatch::Differs,
    };
    // The common name is looked at only where there is no name of the right kind (RFC 6125, 6.4.4).
    let alone = d.names.is_empty() && d.addresses.is_empty();
    if let Ok(address) = name.parse::<IpAddr>() {
        let common = d.common_name.as_ref().and_then(|n| n.trim().parse::<IpAddr>().ok());
        return matched(d.addresses.contains(&address), alone && common == Some(address));
    }
    let name = absolute(name);
    let yes = d.names.iter().any(|pattern| covers(pattern, &name));
    matched(yes, alone && d.common_name.as_ref().is_some_and(|pattern| covers(pattern, &name)))
}

/// Lower case, without the trailing dot.
fn absolute(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// A wildcard stands for one whole label, the leftmost, and needs two labels behind it.
fn covers(pattern: &str, name: &str) -> bool {
    let pattern = absolute(pattern.trim());
    match pattern.strip_prefix("*.") {
        Some(rest) => {
            let behind = name.split_once('.').map(|(label, behind)| (!label.is_empty(), behind));
            rest.contains('.') && !rest.contains('*') && behind == Some((true, rest))
        }
        None => !pattern.is_empty() && !pattern.contains('*') && pattern == name,
    }
}

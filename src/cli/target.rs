//! What a user types to name an endpoint.

use core::net::IpAddr;

use crate::error::InputError;
use crate::transcript::Mode;

/// Port of explicit TLS (RFC 959).
const EXPLICIT_PORT: u16 = 21;
/// Port of implicit TLS.
const IMPLICIT_PORT: u16 = 990;

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Name or address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// What the scheme orders; `None` when there is none.
    pub(super) mode: Option<Mode>,
}

impl Target {
    /// Reads `host`, `host:port`, `[v6]:port`, `ftp://`, `ftpes://` or `ftps://host[:port]`.
    pub(super) fn parse(text: &str, mode: Mode) -> Result<Self, InputError> {
        // Before anything is echoed: whatever looks like user:password@ is none of anybody's business.
        let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
        if authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) {
            let problem = "a password in a URL is seen by others and not accepted";
            return Err(InputError::unreadable("the target", problem, "leave user and password out of the URL"));
        }
        let bad = |problem: &str, advice: &str| Err(InputError::unreadable(text, problem, advice));
        if text.contains('%') {
            return bad("an address with a zone, or an escaped name", "an address without %zone, or a plain host name");
        }
        let (ordered, rest) = match text.split_once("://") {
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "ftp" | "ftpes" => (Some(Mode::Explicit), rest),
                "ftps" => (Some(Mode::Implicit), rest),
                "sftp" => return bad("SFTP is SSH, not FTP over TLS", "ftpsdiag probe HOST, if it is FTPS after all"),
                _ => return bad("no scheme of FTP", "host, host:port, ftp://host, ftpes://host or ftps://host"),
            },
            None => (None, text),
        };
        let address = match ordered {
            Some(_) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
            None => rest,
        };
        let (user, address) = address.rsplit_once('@').map_or((None, address), |(u, a)| (Some(u), a));
        if user.is_some() {
            return bad("a user name in the target", "--user NAME");
        }
        let (host, port) = match address.strip_prefix('[').and_then(|a| a.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, port.strip_prefix(':')),
            // More than one colon is an IPv6 address without brackets.
            None => match address.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (address, None),
            },
        };
        if !is_host(host) {
            return bad(
                "no host name or address",
                "host, host:port, [IPv6]:port, or a URL with ftp, ftpes or ftps; xn--... for other scripts",
            );
        }
        let implicit = ordered == Some(Mode::Implicit) || (ordered.is_none() && mode == Mode::Implicit);
        let port = match port.map(str::parse) {
            None if implicit => IMPLICIT_PORT,
            None => EXPLICIT_PORT,
            Some(Ok(port)) if port > 0 => port,
            Some(_) => return bad("a port is a number from 1 to 65535", "host:21, or host:990 for implicit TLS"),
        };
        Ok(Self { host: host.to_owned(), port, mode: ordered })
    }

    /// As reports name it: `host:21`, `[::1]:21`.
    pub(super) fn name(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The address, when the host is one.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// Whether a word can be a host: an address, or labels of letters, digits, hyphens and underscores that are no number.
pub(super) fn is_host(word: &str) -> bool {
    if word.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = word.strip_suffix('.').unwrap_or(word);
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    name.len() <= 253 && name.split('.').all(label) && !name.split('.').all(|l| l.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (String, u16, Option<Mode>) {
        let t = Target::parse(text, Mode::Auto).unwrap();
        (t.host, t.port, t.mode)
    }

    #[test]
    fn targets() {
        for (text, host, port, mode) in [
            ("ftp.example.org", "ftp.example.org", 21, None),
            ("localhost:2121", "localhost", 2121, None),
            ("192.0.2.7:990", "192.0.2.7", 990, None),
            ("[2001:db8::1]:21", "2001:db8::1", 21, None),
            ("2001:db8::1", "2001:db8::1", 21, None),
            ("ftp://h/dir/file", "h", 21, Some(Mode::Explicit)),
            ("FTPES://h:2100", "h", 2100, Some(Mode::Explicit)),
            ("ftps://h", "h", 990, Some(Mode::Implicit)),
            ("ftps://[::1]:9900/", "::1", 9900, Some(Mode::Implicit)),
        ] {
            assert_eq!(parse(text), (host.to_owned(), port, mode), "{text}");
        }
        assert_eq!(Target::parse("h", Mode::Implicit).unwrap().port, 990);
    }

    #[test]
    fn what_is_no_target() {
        for bad in
            ["", "a b", "h:0", "h:x", "h:99999", "http://h", "sftp://h", "-h", "410", "1.2.3", "a..b", "ftp://u:p@h"]
        {
            assert!(Target::parse(bad, Mode::Auto).is_err(), "{bad}");
        }
        let error = Target::parse("ftp://me:secret@h", Mode::Auto).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
        for bad in
            ["sftp://me:secret@h", "http://me:secret@h", "ftp://me:sec/ret@h", "ftp://me:secret#x@h", "fe80::1%lo"]
        {
            assert!(!Target::parse(bad, Mode::Auto).unwrap_err().to_string().contains("sec"), "{bad}");
        }
    }
}

//! FTP control connection lines: commands and replies (RFC 959, section 4).

use core::net::{IpAddr, Ipv4Addr, SocketAddrV4};

/// One line of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLine<'a> {
    /// The three digits.
    pub code: u16,
    /// Whether a blank (or nothing) follows the code: the last line of a reply.
    pub last: bool,
    /// What follows, without the line end.
    pub text: &'a [u8],
}

/// The longest line that is read as one; what goes beyond is cut into pieces of this length.
pub const LONGEST_LINE: usize = 64 * 1024;

/// The longest greeting or reply that a run of ours listens to, in bytes.
pub const LONGEST_REPLY: usize = 256 * 1024;

/// Reads `ddd text` or `ddd-text`. `None` when the line does not begin with a reply code
/// of the range 100..=699 (RFC 959 with the 6yz of RFC 2228).
pub fn reply_line(line: &[u8]) -> Option<ReplyLine<'_>> {
    let line = without_line_end(line);
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) || !matches!(digits.first(), Some(b'1'..=b'6')) {
        return None;
    }
    let code = digits.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0'));
    match rest.split_first() {
        None => Some(ReplyLine { code, last: true, text: rest }),
        Some((b' ', text)) => Some(ReplyLine { code, last: true, text }),
        Some((b'-', text)) => Some(ReplyLine { code, last: false, text }),
        Some(_) => None,
    }
}

/// Whether these bytes can be the beginning of a reply line, however short they are.
pub fn may_begin_reply(bytes: &[u8]) -> bool {
    let starts = |at: usize, ok: fn(&u8) -> bool| bytes.get(at).is_none_or(ok);
    !bytes.is_empty()
        && starts(0, |b| (b'1'..=b'6').contains(b))
        && starts(1, u8::is_ascii_digit)
        && starts(2, u8::is_ascii_digit)
        && starts(3, |b| matches!(b, b' ' | b'-' | b'\r' | b'\n'))
        && bytes.iter().skip(4).all(|b| is_text(*b))
}

/// Length of the longest verb.
pub const LONGEST_VERB: usize = 4;

/// Whether these bytes can be the beginning of a command line with a verb that is known, in any case, however short they are.
pub fn may_begin_command(bytes: &[u8]) -> bool {
    let verb = bytes.split(|b| matches!(b, b' ' | b'\r' | b'\n')).next().unwrap_or_default();
    let whole = verb.len() < bytes.len();
    let same = |known: &&str| match known.as_bytes().get(..verb.len()) {
        Some(begin) => begin.eq_ignore_ascii_case(verb) && (!whole || known.len() == verb.len()),
        None => false,
    };
    !verb.is_empty() && COMMANDS.iter().any(same)
}

/// Verbs of RFC 959, 1123, 1639, 2228, 2389, 2428, 2640, 3659 and 7151, and what clients send besides.
const COMMANDS: [&str; 61] = [
    "ABOR", "ACCT", "ADAT", "ALLO", "APPE", "AUTH", "AVBL", "CCC", "CDUP", "CLNT", "CONF", "CSID", "CWD", "DELE",
    "ENC", "EPRT", "EPSV", "FEAT", "HELP", "HOST", "LANG", "LIST", "LPRT", "LPSV", "MDTM", "MFMT", "MIC", "MKD",
    "MLSD", "MLST", "MODE", "NLST", "NOOP", "OPTS", "PASS", "PASV", "PBSZ", "PORT", "PROT", "PWD", "QUIT", "REIN",
    "REST", "RETR", "RMD", "RNFR", "RNTO", "SITE", "SIZE", "SMNT", "STAT", "STOR", "STOU", "STRU", "SYST", "TYPE",
    "USER", "XCWD", "XMKD", "XPWD", "XRMD",
];

/// Whether a byte belongs into a line of text: printable ASCII, blank, tab, CR, LF, or above 127 (any other character set).
pub fn is_text(b: u8) -> bool {
    matches!(b, b'\t' | b'\r' | b'\n' | b' '..=b'~') || !b.is_ascii()
}

/// Length of the telnet command that these bytes begin with (RFC 854): IAC and its code, an option behind it, or the mark that
/// urgent data leaves. Clients send them before ABOR. `None` for anything else; more than there is while it is not whole.
pub fn telnet_command(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0xff, 0xfb..=0xfe, ..] => Some(3),
        [0xff] | [0xff, 0xf0..=0xfa, ..] => Some(2),
        [0xf2, ..] => Some(1),
        _ => None,
    }
}

/// A line without the commands of telnet that it begins with.
pub fn without_telnet(mut line: &[u8]) -> &[u8] {
    while let Some(rest) = telnet_command(line).and_then(|len| line.get(len..)) {
        line = rest;
    }
    line
}

/// The verb of a command line in upper case, and its argument.
pub fn command(line: &[u8]) -> (String, &[u8]) {
    let line = without_line_end(line);
    let end = line.iter().position(|b| *b == b' ').unwrap_or(line.len());
    let (verb, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    let argument = rest.get(1..).unwrap_or_default();
    (String::from_utf8_lossy(verb).to_ascii_uppercase(), argument)
}

/// A line without its CR LF, LF, or blanks at the end.
pub fn without_line_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|b| !matches!(b, b'\r' | b'\n' | b' ' | b'\t')).map_or(0, |n| n + 1);
    line.get(..end).unwrap_or_default()
}

/// Whether an AUTH command line asks for TLS: `TLS`, `TLS-C`, `TLS-P`, `SSL`; not GSSAPI or KERBEROS_V4 (RFC 2228).
pub fn asks_for_tls(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let auth = words.next().is_some_and(|verb| verb.eq_ignore_ascii_case("AUTH"));
    let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
    auth && (mechanism.starts_with("TLS") || mechanism.starts_with("SSL"))
}

/// The address in a reply to PASV, or in the argument of PORT (RFC 959, 4.1.2): six numbers `h1,h2,h3,h4,p1,p2`, with or without
/// parentheses around them. The port may be 0: a server that says so has to be told. `None` when there are no six numbers of a byte.
pub fn host_port(text: &str) -> Option<SocketAddrV4> {
    let is_part = |c: char| c.is_ascii_digit() || c == ',';
    let list = text.split(|c| !is_part(c)).find(|part| part.bytes().filter(|b| *b == b',').count() == 5)?;
    let mut numbers = list.split(',').map(|n| n.parse::<u8>().ok());
    let mut next = || numbers.next().flatten();
    let ip = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    Some(SocketAddrV4::new(ip, u16::from_be_bytes([next()?, next()?])))
}

/// The port in a reply to EPSV, or address and port in the argument of EPRT (RFC 2428): `<d>net<d>address<d>port<d>`, where
/// `<d>` is any character, mostly `|`. `None` when it is not so, or the port is none.
pub fn extended_port(text: &str) -> Option<(Option<IpAddr>, u16)> {
    let inner = text.split_once('(').map_or(text, |(_, rest)| rest.split_once(')').map_or(rest, |(inner, _)| inner));
    let delimiter = inner.trim().chars().next().filter(|d| !d.is_ascii_alphanumeric())?;
    let mut parts = inner.trim().split(delimiter).skip(2);
    let address = parts.next()?;
    let port = parts.next()?.parse().ok()?;
    // What stands behind the last delimiter is nothing.
    let ends = parts.next()?.trim().is_empty();
    let ip = if address.is_empty() { None } else { Some(address.parse().ok()?) };
    ends.then_some((ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies() {
        assert_eq!(reply_line(b"234 go\r\n"), Some(ReplyLine { code: 234, last: true, text: b"go" }));
        assert_eq!(reply_line(b"220-hi\n"), Some(ReplyLine { code: 220, last: false, text: b"hi" }));
        assert_eq!(reply_line(b"221"), Some(ReplyLine { code: 221, last: true, text: b"" }));
        for not in [&b"22 x"[..], b"2200 x", b"020 x", b"abc", b"", b" 220 x", b"999 x"] {
            assert_eq!(reply_line(not), None, "{not:?}");
        }
    }

    #[test]
    fn interrupts_before_a_command() {
        assert_eq!(without_telnet(b"\xff\xf4\xff\xf2ABOR\r\n"), b"ABOR\r\n");
        assert_eq!(without_telnet(b"\xff\xf4\xf2ABOR"), b"ABOR");
        assert_eq!(without_telnet(b"\xff\xfb\x06ABOR"), b"ABOR");
        for same in [&b"ABOR"[..], b"\xff", b"\xff\xff", b"\xffA", b"\xff\xfb"] {
            assert_eq!(without_telnet(same), same);
        }
    }

    #[test]
    fn addresses_of_data_connections() {
        let at = |text| host_port(text).map(|a| a.to_string());
        for yes in ["Entering Passive Mode (10,1,2,3,246,61).", "=10,1,2,3,246,61", "10,1,2,3,246,61"] {
            assert_eq!(at(yes).as_deref(), Some("10.1.2.3:63037"), "{yes}");
        }
        assert_eq!(at("(0,0,0,0,0,0)").as_deref(), Some("0.0.0.0:0"));
        for no in ["(10,1,2,3,246)", "(10,1,2,3,300,1)", "(10,1,2,3,,1)", "Entering Passive Mode", "(1,2,3,4,5,6,7)"] {
            assert_eq!(at(no), None, "{no}");
        }
        assert_eq!(extended_port("Entering Extended Passive Mode (|||6446|)"), Some((None, 6446)));
        assert_eq!(extended_port("(!!!6446!)"), Some((None, 6446)));
        assert_eq!(extended_port("|2|::1|6446|"), Some((Some("::1".parse().unwrap()), 6446)));
        for no in ["(|||)", "(|||70000|)", "(|||6446)", "6446", "", "(||6446|)", "(|1|here|6446|)"] {
            assert_eq!(extended_port(no), None, "{no}");
        }
    }

    #[test]
    fn a_reply_may_begin_so() {
        for yes in [&b"5"[..], b"55", b"550", b"550 ", b"550 T", b"421-x\r\n"] {
            assert!(may_begin_reply(yes), "{yes:?}");
        }
        for no in [&b""[..], b"7", b"5x", b"550x", b"\x16\x03", b"550 \x00"] {
            assert!(!may_begin_reply(no), "{no:?}");
        }
    }

    #[test]
    fn a_command_may_begin_so() {
        for yes in [&b"P"[..], b"PASS", b"pass x", b"QUIT\r", b"stor a b", b"PWD\r\n"] {
            assert!(may_begin_command(yes), "{yes:?}");
        }
        for no in [&b""[..], b" PASS", b"PAS ", b"PASSW", b"secret\r\n", b"\x16\x03"] {
            assert!(!may_begin_command(no), "{no:?}");
        }
    }

    #[test]
    fn commands() {
        assert_eq!(command(b"auth TLS\r\n"), ("AUTH".into(), &b"TLS"[..]));
        assert_eq!(command(b"QUIT"), ("QUIT".into(), &b""[..]));
    }
}

//! Statements of FTP.DATA that bear on TLS, addresses and ends of connections, with the values that they can have.

use crate::transcript::Side;

/// What a statement may be followed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    /// One of these, in any case.
    One(&'static [&'static str]),
    Number,
    /// Anything of one word.
    Word,
}

/// A statement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyword {
    pub name: &'static str,
    /// At which end it means something; `None` where both read it.
    pub side: Option<Side>,
    values: Values,
    /// Whether nobody else writes such a word.
    distinct: bool,
    /// Whether one file may have several.
    pub repeats: bool,
}

const SWITCH: Values = Values::One(&["TRUE", "FALSE"]);
const BOTH: Option<Side> = None;
const CLIENT: Option<Side> = Some(Side::Client);
const SERVER: Option<Side> = Some(Side::Server);

const fn of(name: &'static str, side: Option<Side>, values: Values) -> Keyword {
    Keyword { name, side, values, distinct: true, repeats: false }
}

/// One whose name alone says little.
const fn common(name: &'static str, side: Option<Side>, values: Values) -> Keyword {
    Keyword { distinct: false, ..of(name, side, values) }
}

static KEYWORDS: [Keyword; 41] = [
    of("TLSMECHANISM", BOTH, Values::One(&["FTP", "ATTLS"])),
    of("TLSRFCLEVEL", BOTH, Values::One(&["DRAFT", "RFC4217", "CCCNONOTIFY"])),
    of("TLSPORT", BOTH, Values::Number),
    of("TLSTIMEOUT", BOTH, Values::Number),
    Keyword { repeats: true, ..of("CIPHERSUITE", BOTH, Values::Word) },
    of("KEYRING", BOTH, Values::Word),
    of("SSLV3", BOTH, SWITCH),
    of("SECURE_FTP", BOTH, Values::One(&["ALLOWED", "REQUIRED"])),
    of("SECURE_CTRLCONN", BOTH, Values::One(&["CLEAR", "SAFE", "PRIVATE"])),
    of("SECURE_DATACONN", BOTH, Values::One(&["NEVER", "CLEAR", "SAFE", "PRIVATE"])),
    of("SECURE_SESSION_REUSE", BOTH, Values::One(&["NONE", "ALLOWED", "REQUIRED"])),
    of("SECURE_MECHANISM", CLIENT, Values::One(&["TLS", "GSSAPI"])),
    of("SECURE_HOSTNAME", CLIENT, Values::One(&["OPTIONAL", "REQUIRED"])),
    of("SECURE_LOGIN", SERVER, Values::One(&["NO_CLIENT_AUTH", "REQUIRED", "VERIFY_USER"])),
    of("SECURE_PASSWORD", SERVER, Values::One(&["OPTIONAL", "REQUIRED"])),
    of("SECURE_PBSZ", BOTH, Values::Number),
    of("SECUREIMPLICITZOS", CLIENT, SWITCH),
    of("EPSV4", CLIENT, SWITCH),
    of("FWFRIENDLY", CLIENT, SWITCH),
    of("PASSIVEIGNOREADDR", CLIENT, SWITCH),
    of("PASSIVEONLY", CLIENT, SWITCH),
    of("CLIENTERRCODES", CLIENT, Values::One(&["TRUE", "FALSE", "EXTENDED"])),
    of("CLIENTEXIT", CLIENT, SWITCH),
    of("LOGCLIENTERR", CLIENT, SWITCH),
    of("SOCKSCONFIGFILE", CLIENT, Values::Word),
    of("MYOPENTIME", CLIENT, Values::Number),
    of("DCONNTIME", BOTH, Values::Number),
    of("CCONNTIME", CLIENT, Values::Number),
    of("DATACTTIME", CLIENT, Values::Number),
    of("DATATIMEOUT", SERVER, Values::Number),
    of("INACTTIME", CLIENT, Values::Number),
    of("FTPKEEPALIVE", BOTH, Values::Number),
    of("DATAKEEPALIVE", BOTH, Values::Number),
    of("PASSIVEDATAPORTS", SERVER, Values::Word),
    of("PASSIVEDATACONN", SERVER, Values::One(&["UNRESTRICTED", "NOREDIRECT"])),
    of("PORTCOMMANDIPADDR", SERVER, Values::Word),
    Keyword { repeats: true, ..of("EXTENSIONS", SERVER, Values::Word) },
    common("INACTIVE", SERVER, Values::Number),
    Keyword { repeats: true, ..common("DEBUG", BOTH, Values::Word) },
    Keyword { repeats: true, ..common("DUMP", BOTH, Values::Word) },
    common("TRACE", BOTH, Values::Word),
];

/// The statement of a name, in any case.
pub(super) fn keyword(name: &str) -> Option<Keyword> {
    KEYWORDS.iter().find(|k| k.name.eq_ignore_ascii_case(name)).copied()
}

/// Whether a line is shaped like any statement: a name, a value or some, and a comment.
pub(super) fn is_shaped(line: &[&str]) -> bool {
    let statement: Vec<&str> = line.iter().copied().take_while(|w| !w.starts_with(';')).collect();
    let is_name = |w: &str| w.len() >= 4 && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    matches!(statement[..], [name, _] | [name, _, _] if is_name(name))
}

impl Keyword {
    /// Whether nobody else writes such a word.
    pub(super) fn is_distinct(&self) -> bool {
        self.distinct
    }

    /// Whether a line holds it with a value that it can have, and nothing else but a comment.
    pub(super) fn may_be(&self, line: &[&str]) -> bool {
        let statement: Vec<&str> = line.iter().copied().take_while(|w| !w.starts_with(';')).collect();
        let [_, value] = statement[..] else { return false };
        match self.values {
            Values::One(all) => all.iter().any(|v| v.eq_ignore_ascii_case(value)),
            Values::Number => value.bytes().all(|b| b.is_ascii_digit()),
            // A sentence goes on in small letters, or ends with its stop.
            Values::Word => {
                value.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || b"/_*.(".contains(&b))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_and_prose() {
        let is = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            keyword(words[0]).is_some_and(|k| k.is_distinct() && k.may_be(&words))
        };
        for line in
            ["TLSMECHANISM ATTLS", "KEYRING JOE/ring ; mine", "TLSPORT 990", "EXTENSIONS AUTH_TLS", "epsv4 true"]
        {
            assert!(is(line), "{line}");
        }
        for line in ["TLSMECHANISM is wrong", "TLSPORT nine", "KEYRING missing here", "DEBUG SEC", "Hello world"] {
            assert!(!is(line), "{line}");
        }
        assert!(is_shaped(&["FILETYPE", "SEQ", ";", "x"]) && !is_shaped(&["a", "b"]) && !is_shaped(&["FILETYPE"]));
    }
}

//! When our hello is refused: whom would the server let in? a few hellos built by hand find out.

use super::answer::Answer;
use super::plan::{Plan, ServerName};

use crate::wire::tls::build::Offered;

/// The suites of TLS 1.2 that our engine offers.
const MODERN: [u16; 6] = [0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8];

/// What our TLS engine does not speak: DHE, static RSA, CBC, 3DES. Strongest first.
const OLD: [u16; 26] = [
    0x009f, 0x009e, 0xc024, 0xc028, 0xc00a, 0xc014, 0xc023, 0xc027, 0xc009, 0xc013, 0x006b, 0x0039, 0x0067, 0x0033,
    0x009d, 0x009c, 0x003d, 0x0035, 0x003c, 0x002f, 0x0088, 0x0084, 0x0016, 0x000a, 0x0005, 0x0004,
];

/// Suites of TLS 1.0 and 1.1.
const BELOW_TLS12: [u16; 14] =
    [0xc00a, 0xc014, 0xc009, 0xc013, 0x0039, 0x0038, 0x0033, 0x0032, 0x0035, 0x002f, 0x0016, 0x0013, 0x000a, 0x0005];

/// The suites of TLS 1.3, and those of TLS 1.2 that our engine offers.
const NEWEST: [u16; 9] = [0x1301, 0x1302, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8];

/// The groups of our engine: x25519, P-256, P-384.
const GROUPS: [u16; 3] = [0x001d, 0x0017, 0x0018];

/// Those that it lacks: P-521, x448, brainpool, the finite fields of RFC 7919, then older curves.
const OTHER_GROUPS: [u16; 15] = [
    0x0019, 0x001e, 0x001f, 0x0020, 0x0021, 0x001a, 0x001b, 0x001c, 0x0100, 0x0101, 0x0102, 0x0016, 0x0015, 0x000e,
    0x000d,
];

/// The signature algorithms of our engine: each question changes one thing, and not these beside it.
const SCHEMES: [u16; 9] = [0x0503, 0x0403, 0x0807, 0x0806, 0x0805, 0x0804, 0x0601, 0x0501, 0x0401];

/// The same, and those that it lacks: P-521, SHA-224, SHA-1, DSA.
const MORE_SCHEMES: [u16; 18] = [
    0x0503, 0x0403, 0x0807, 0x0806, 0x0805, 0x0804, 0x0601, 0x0501, 0x0401, 0x0603, 0x0808, 0x0303, 0x0301, 0x0203,
    0x0201, 0x0402, 0x0302, 0x0202,
];

/// unrecognized_name.
const UNRECOGNIZED_NAME: u8 = 112;

/// handshake_failure, illegal_parameter, insufficient_security: what servers without a group in common send.
const NOTHING_IN_COMMON: [u8; 3] = [40, 47, 71];

/// One thing to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// TLS 1.2 with modern suites: the control, because all the others lack TLS 1.3 as well.
    Tls12,
    /// TLS 1.1 at most: the answer names the version.
    OldVersions,
    /// TLS 1.2 with the suites that our engine lacks.
    OldSuites,
    /// TLS 1.3 and 1.2 with the groups that our engine lacks.
    OtherGroups,
    /// TLS 1.3 and 1.2 with the signature algorithms that our engine lacks.
    MoreSchemes,
    /// TLS 1.2 without a server name.
    NoServerName,
    /// TLS 1.2 with the server's name, where the session was to send none.
    ServerName,
}

impl Question {
    /// What to ask behind an answer, most telling first.
    pub(super) fn after(answer: &Answer, plan: &Plan) -> Vec<Self> {
        // The ServerHello says what the server wants; a greeting, or another protocol, has nothing to do with the hello.
        if answer.hello || (answer.not_tls && !answer.refusal) {
            return Vec::new();
        }
        let sends_name = matches!(plan.server_name, ServerName::Send(_));
        if answer.alert == Some(UNRECOGNIZED_NAME) && sends_name {
            return vec![Self::Tls12, Self::NoServerName];
        }
        let mut out = vec![Self::Tls12];
        // A name that could have been sent.
        if !sends_name && plan.host.parse::<core::net::IpAddr>().is_err() {
            out.push(Self::ServerName);
        }
        if answer.alert.is_some_and(|a| NOTHING_IN_COMMON.contains(&a)) {
            out.extend([Self::OtherGroups, Self::MoreSchemes]);
        }
        out.extend([Self::OldSuites, Self::OldVersions]);
        out
    }

    /// What differs from the session, as the report says it.
    pub(super) fn changed(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Tls12 => &["TLS 1.2 at most"],
            Self::OldVersions => &["TLS 1.1 at most"],
            Self::OldSuites => &["TLS 1.2 at most", "static RSA, CBC and DHE suites"],
            Self::OtherGroups => &["groups P-521, x448, brainpool, ffdhe"],
            Self::MoreSchemes => &["signature algorithms P-521, SHA-1, DSA"],
            Self::NoServerName => &["TLS 1.2 at most", "no server name"],
            Self::ServerName => &["TLS 1.2 at most", "the server's name"],
        };
        words.iter().map(|w| (*w).to_owned()).collect()
    }

    /// Whether who is let in by it speaks what our engine does not.
    pub(super) fn is_beyond_us(self) -> bool {
        matches!(self, Self::OldVersions | Self::OldSuites | Self::OtherGroups | Self::MoreSchemes)
    }

    /// The hello.
    pub(super) fn hello(self, plan: &Plan) -> Vec<u8> {
        let name = match &plan.server_name {
            ServerName::Send(name) => Some(name.as_str()),
            ServerName::Omit => None,
        };
        let offered = Offered {
            version: 0x0303,
            suites: &MODERN,
            groups: &GROUPS,
            schemes: &SCHEMES,
            server_name: name,
            random: plan.random,
        };
        match self {
            Self::Tls12 => offered,
            Self::OldVersions => Offered { version: 0x0302, suites: &BELOW_TLS12, schemes: &[], ..offered },
            Self::OldSuites => Offered { suites: &OLD, ..offered },
            Self::OtherGroups => Offered { version: 0x0304, suites: &NEWEST, groups: &OTHER_GROUPS, ..offered },
            Self::MoreSchemes => Offered { version: 0x0304, suites: &NEWEST, schemes: &MORE_SCHEMES, ..offered },
            Self::NoServerName => Offered { server_name: None, ..offered },
            Self::ServerName => Offered { server_name: Some(&plan.host), ..offered },
        }
        .record()
    }
}

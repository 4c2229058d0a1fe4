//! When our hello is refused: whom would the server let in? one to three hellos built by hand find out.

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

const GROUPS: [u16; 4] = [0x001d, 0x0017, 0x0018, 0x0019];
const SCHEMES: [u16; 13] =
    [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201, 0x0402, 0x0202];

/// unrecognized_name.
const UNRECOGNIZED_NAME: u8 = 112;

/// One thing to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// TLS 1.2 with modern suites: the control, because all the others lack TLS 1.3 as well.
    Tls12,
    /// TLS 1.1 at most: the answer names the version.
    OldVersions,
    /// TLS 1.2 with the suites that our engine lacks.
    OldSuites,
    /// TLS 1.2 without a server name.
    NoServerName,
}

impl Question {
    /// What to ask behind an answer, most telling first.
    pub(super) fn after(answer: &Answer, sends_name: bool) -> Vec<Self> {
        // The ServerHello says what the server wants; a greeting, or another protocol, has nothing to do with the hello.
        if answer.hello || (answer.not_tls && !answer.refusal) {
            return Vec::new();
        }
        match answer.alert {
            Some(UNRECOGNIZED_NAME) if sends_name => vec![Self::Tls12, Self::NoServerName],
            _ => vec![Self::Tls12, Self::OldSuites, Self::OldVersions],
        }
    }

    /// What differs from the session, as the report says it.
    pub(super) fn changed(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Tls12 => &["TLS 1.2 at most"],
            Self::OldVersions => &["TLS 1.1 at most"],
            Self::OldSuites => &["TLS 1.2 at most", "static RSA, CBC and DHE suites"],
            Self::NoServerName => &["TLS 1.2 at most", "no server name"],
        };
        words.iter().map(|w| (*w).to_owned()).collect()
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
            Self::NoServerName => Offered { server_name: None, ..offered },
        }
        .record()
    }
}

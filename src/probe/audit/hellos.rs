//! What is offered, and to learn what.

use crate::codes::{CipherSuite, SCHEMES_OF_TLS13, cipher_suite, cipher_suites};
use crate::transcript::topics;
use crate::wire::tls::build::{Crafted, Offered, key_shares, list, protocols, ssl2_hello, supported_versions};
use crate::wire::tls::extensions::ext;
use crate::wire::tls::hello::{Extension, FALLBACK_SCSV};
use crate::wire::tls::share::{X25519_MLKEM768, share};

/// Versions that are asked, highest first.
pub(super) const VERSIONS: [u16; 5] = [TLS13, TLS12, 0x0302, 0x0301, SSL3];

pub(super) const TLS13: u16 = 0x0304;
pub(super) const TLS12: u16 = 0x0303;
pub(super) const SSL3: u16 = 0x0300;

/// Groups, the usual first.
pub(super) const GROUPS: [u16; 31] = [
    0x001d, 0x0017, 0x001e, 0x0018, 0x0019, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104, 0x001a, 0x001b, 0x001c, 0x001f,
    0x0020, 0x0021, 0x0016, 0x0015, 0x0013, 0x000e, 0x000d, 0x000c, 0x000b, 0x000a, 0x0009, 0x0029, 0x11ec, 0x11eb,
    0x11ed, 0x0201, 0x0202,
];

/// Groups of elliptic curves alone, by which ECDHE suites of TLS 1.2 and below are asked.
const CURVES: [u16; 20] = [
    0x001d, 0x0017, 0x001e, 0x0018, 0x0019, 0x001a, 0x001b, 0x001c, 0x0016, 0x0015, 0x0014, 0x0013, 0x0012, 0x000e,
    0x000d, 0x000c, 0x000b, 0x000a, 0x0009, 0x0008,
];

/// Groups that other questions of TLS 1.2 and below offer. Servers that know RFC 7919 take DHE suites only with a group of it.
const USUAL: [u16; 13] =
    [0x001d, 0x0017, 0x001e, 0x0018, 0x0019, 0x001a, 0x001b, 0x001c, 0x0016, 0x0015, 0x0100, 0x0101, 0x0102];

/// Signature schemes, the usual first.
pub(super) const SCHEMES: [u16; 28] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601,
    0x0303, 0x0301, 0x0203, 0x0201, 0x0402, 0x0502, 0x0602, 0x0302, 0x0202, 0x081a, 0x081b, 0x081c, 0x0101, 0x0904,
];

/// Suites that nearly every server of their time takes.
const COMMON: [u16; 16] = [
    0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8, 0x009f, 0x009e, 0xc014, 0xc013, 0x0039, 0x0033, 0x0035, 0x002f,
    0x000a, 0x0005,
];

/// The cipher specs of SSL 2.
const SSL2_SPECS: [u32; 7] = [0x01_0080, 0x02_0080, 0x03_0080, 0x04_0080, 0x05_0080, 0x06_0040, 0x07_00c0];

/// What a hello can be made of, beside what it asks for.
#[derive(Clone, Debug)]
pub(super) struct Maker {
    /// The name to send, if any.
    pub(super) server_name: Option<String>,
    pub(super) random: [u8; 32],
}

impl Maker {
    /// A hello for one version and nothing else. From TLS 1.3 on without keys, so that the server has to name the group.
    pub(super) fn hello(&self, version: u16, suites: &[u16], groups: &[u16], schemes: &[u16]) -> Crafted {
        let offered = Offered {
            version: version.min(TLS12),
            suites,
            groups: if version > SSL3 { groups } else { &[] },
            schemes: if version >= TLS12 { schemes } else { &[] },
            server_name: self.server_name.as_deref(),
            random: self.random,
        };
        let crafted = offered.crafted();
        match version {
            SSL3 => Crafted { record: SSL3, extensions: None, ..crafted },
            TLS13 => Crafted { session_id: self.random.to_vec(), ..crafted }
                .with(supported_versions(&[TLS13]))
                .with(Extension { id: ext::PSK_MODES, data: vec![1, 1] })
                .with(key_shares(&[]))
                .without(ext::SESSION_TICKET)
                .without(ext::EXTENDED_MASTER_SECRET)
                .without(ext::RENEGOTIATION_INFO),
            _ => crafted,
        }
    }

    /// A hello as clients send it: in TLS 1.3 with keys for the usual groups, so that the server goes on and refuses what it refuses.
    pub(super) fn ordinary(&self, version: u16, suites: &[u16]) -> Crafted {
        let hello = self.hello(version, suites, groups_of(version), schemes_of(version));
        if version < TLS13 {
            return hello;
        }
        let keys = [0x001d, 0x0017].into_iter().filter_map(|g| Some((g, share(g, self.random)?)));
        hello.with(key_shares(&keys.collect::<Vec<_>>()))
    }

    /// Whether there are keys for a group.
    pub(super) fn has_key(&self, group: u16) -> bool {
        share(group, self.random).is_some()
    }

    /// One with a key, so that the server goes on to sign.
    pub(super) fn with_key(&self, hello: Crafted, groups: &[u16]) -> Crafted {
        let keys: Vec<(u16, Vec<u8>)> =
            groups.iter().filter_map(|g| Some((*g, share(*g, self.random)?))).take(1).collect();
        hello.with(key_shares(&keys))
    }

    /// The hello of SSL 2.
    pub(super) fn ssl2(&self) -> Vec<u8> {
        ssl2_hello(2, &SSL2_SPECS, self.challenge())
    }

    /// A hello of TLS in the format of SSL 2, as Java 6 begins.
    pub(super) fn in_format_of_ssl2(&self, version: u16, suites: &[u16]) -> Vec<u8> {
        let specs: Vec<u32> = suites.iter().copied().map(u32::from).collect();
        ssl2_hello(version, &specs, self.challenge())
    }

    fn challenge(&self) -> [u8; 16] {
        let mut out = [0; 16];
        out.iter_mut().zip(self.random).for_each(|(to, from)| *to = from);
        out
    }

    /// One odd thing about a hello that is answered when it is ordinary.
    pub(super) fn odd(&self, topic: &'static str, ordinary: &Crafted) -> Option<Crafted> {
        let hello = ordinary.clone();
        let padding = |len: usize| Extension { id: PADDING, data: vec![0; len] };
        Some(match topic {
            topics::CONTROL => hello,
            topics::NO_NAME => {
                self.server_name.as_ref()?;
                hello.without(ext::SERVER_NAME)
            }
            topics::OTHER_NAME => hello.with(crate::wire::tls::build::server_name(OTHER_NAME)),
            topics::ALPN => hello.with(protocols(&["ftp"])),
            topics::OTHER_ALPN => hello.with(protocols(&["http/1.1"])),
            topics::STAPLING => hello.with(Extension { id: ext::STATUS_REQUEST, data: vec![1, 0, 0, 0, 0] }),
            topics::COMPRESSION => Crafted { compression: vec![1, 0], ..hello },
            topics::LONG => {
                let len = hello.record().len();
                hello.with(padding(LONG.saturating_sub(len + 4)))
            }
            topics::FUTURE_VERSION => Crafted { version: 0x0305, ..hello }.without(ext::SUPPORTED_VERSIONS),
            topics::UNKNOWN_EXTENSION => hello.with(Extension { id: 0xfdf1, data: vec![1, 2, 3, 4] }),
            topics::GREASE => grease(hello),
            topics::RECORD_VERSION => Crafted { record: TLS12, ..hello },
            topics::NO_EXTENSIONS => Crafted { extensions: None, ..hello },
            _ => return None,
        })
    }

    /// An ordinary hello that also names versions that do not exist.
    pub(super) fn unknown_versions(&self, ordinary: &Crafted, known: &[u16]) -> Crafted {
        let versions: Vec<u16> = [0x0a0a, 0x0305, 0x7f1c].into_iter().chain(known.iter().copied()).collect();
        ordinary.clone().with(supported_versions(&versions))
    }

    /// A hello of TLS 1.3 with a post-quantum key and an ordinary one.
    pub(super) fn post_quantum(&self, suites: &[u16]) -> Option<Crafted> {
        let groups = [X25519_MLKEM768, 0x001d, 0x0017];
        let keys = [X25519_MLKEM768, 0x001d].map(|g| Some((g, share(g, self.random)?)));
        let keys: Vec<(u16, Vec<u8>)> = keys.into_iter().collect::<Option<_>>()?;
        Some(self.hello(TLS13, suites, &groups, &SCHEMES).with(key_shares(&keys)))
    }
}

/// A name that is nobody's (RFC 6761).
pub(super) const OTHER_NAME: &str = "another-name.invalid";

/// Bytes of a hello that needs two segments.
const LONG: usize = 1700;

/// padding (RFC 7685).
const PADDING: u16 = 21;

/// With the signal that a higher version was tried before.
pub(super) fn fallback(hello: Crafted) -> Crafted {
    let suites = hello.suites.iter().copied().chain([FALLBACK_SCSV]).collect();
    Crafted { suites, ..hello }
}

/// Numbers that are reserved to be unknown, in every list.
fn grease(hello: Crafted) -> Crafted {
    let suites = [0x0a0a].into_iter().chain(hello.suites.iter().copied()).collect();
    let groups = [0x1a1a].into_iter().chain(GROUPS.into_iter().take(5)).collect::<Vec<u16>>();
    Crafted { suites, ..hello }
        .with(list(ext::SUPPORTED_GROUPS, &groups))
        .with(Extension { id: 0x2a2a, data: Vec::new() })
        .with(Extension { id: 0x3a3a, data: vec![0] })
}

/// The suites that exist in a version.
pub(super) fn suites_of(version: u16) -> Vec<u16> {
    // What came with TLS 1.2: hashes beyond SHA-1 in the record protection.
    let is_new = |s: &CipherSuite| !matches!(s.mac, "MD5" | "SHA1" | "NULL");
    let exists = |s: &CipherSuite| match version {
        TLS13 => s.kx == "TLS13",
        TLS12 => s.kx != "TLS13",
        _ => s.kx != "TLS13" && !is_new(s),
    };
    let all = || cipher_suites().filter(|s| !s.is_signal() && s.id != 0 && exists(s)).map(|s| s.id);
    // The usual ones first: so a server that is asked once says something of interest.
    let common = COMMON.into_iter().filter(|id| all().any(|n| n == *id));
    let others = all().filter(|id| !COMMON.contains(id));
    common.chain(others).collect()
}

/// Some that nearly every server of that version takes.
pub(super) fn common_suites(version: u16) -> Vec<u16> {
    let all = suites_of(version);
    all.iter().copied().filter(|id| version == TLS13 || COMMON.contains(id)).collect()
}

/// Those of a list whose key exchange names a group.
pub(super) fn with_groups(suites: &[u16]) -> Vec<u16> {
    let is = |id: &u16| {
        cipher_suite(*id).is_some_and(|s| matches!(s.kx, "ECDHE" | "TLS13") || s.kx == "ECDH" && s.auth == "anon")
    };
    suites.iter().copied().filter(is).collect()
}

/// Those of a list whose key exchange the server signs.
pub(super) fn with_signature(suites: &[u16]) -> Vec<u16> {
    let is = |id: &u16| {
        cipher_suite(*id).is_some_and(|s| matches!(s.kx, "ECDHE" | "DHE") && !matches!(s.auth, "anon" | "PSK"))
    };
    suites.iter().copied().filter(is).collect()
}

/// The groups to offer where they are not what is asked.
pub(super) fn groups_of(version: u16) -> &'static [u16] {
    if version == TLS13 { &GROUPS } else { &USUAL }
}

/// The groups to ask for.
pub(super) fn groups_to_ask(version: u16) -> &'static [u16] {
    if version == TLS13 { &GROUPS } else { &CURVES }
}

/// The schemes that exist in a version.
pub(super) fn schemes_of(version: u16) -> &'static [u16] {
    if version == TLS13 { &SCHEMES_OF_TLS13 } else { &SCHEMES }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tls::handshake::{Message, parse};
    use crate::wire::tls::record::HEADER_LEN;

    const MAKER: fn() -> Maker = || Maker { server_name: Some("ftp.example.org".to_owned()), random: [7; 32] };

    #[test]
    fn each_version_has_its_suites() {
        let of = |v: u16| suites_of(v);
        assert!((0x1301..=0x1305).all(|s| of(TLS13).contains(&s)) && !of(TLS13).contains(&0xc030));
        assert!(of(TLS12).contains(&0xc030) && of(TLS12).contains(&0x0005) && !of(TLS12).contains(&0x1301));
        assert!(of(0x0301).contains(&0xc014) && !of(0x0301).contains(&0xc030) && !of(0x0301).contains(&0x003d));
        for version in VERSIONS {
            assert!(!common_suites(version).is_empty());
            assert!(common_suites(version).iter().all(|s| suites_of(version).contains(s)));
            let unique: std::collections::BTreeSet<u16> = suites_of(version).into_iter().collect();
            assert_eq!(unique.len(), suites_of(version).len());
        }
    }

    #[test]
    fn a_hello_offers_one_version() {
        for version in VERSIONS {
            let record = MAKER().hello(version, &suites_of(version), &GROUPS, &SCHEMES).record();
            assert!(record.len() < 1400, "one segment: {}", record.len());
            let Message::ClientHello(hello) = parse(&record[HEADER_LEN..], None) else { panic!("a ClientHello") };
            assert_eq!(hello.versions(), [version]);
        }
    }

    #[test]
    fn odd_hellos_are_odd_in_one_way() {
        let ordinary = MAKER().hello(TLS12, &common_suites(TLS12), &CURVES, &SCHEMES);
        let len = |topic| MAKER().odd(topic, &ordinary).map(|h| h.record().len());
        assert_eq!(len(topics::LONG), Some(LONG));
        assert!(MAKER().post_quantum(&[0x1301]).is_some_and(|h| h.record().len() > 1400));
        assert_eq!(Maker { server_name: None, ..MAKER() }.odd(topics::NO_NAME, &ordinary), None);
        assert_eq!(len(topics::CONTROL), Some(ordinary.record().len()));
    }
}

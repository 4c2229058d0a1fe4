//! Who gets in: what follows for a client from what an endpoint accepts.
//!
//! Decided as servers decide: the highest version first (RFC 8446, 4.2.1), then the suite, its group and its signature scheme. Where both
//! speak TLS 1.3 and nothing else of it fits, the handshake fails: neither RFC 8446 nor OpenSSL falls back (tried with 3.0.22: handshake_failure
//! for suites, groups and schemes alike). What was not measured, or is not known of a client, never becomes yes or no.
//! Limits that only show behind the choice are judged where a table has them: short RSA keys, primes that are too long for old Java.

mod assume;
mod why;

pub use assume::{ASSUMPTIONS, Assume};
pub use why::{Lack, Why};

use super::accepts::{Accepts, OfVersion, Order, Set, Takes};
use crate::codes::{CipherSuite, ClientProfile, Form, Known, Listed, Taken, cipher_suite};

const TLS13: u16 = 0x0304;
const TLS12: u16 = 0x0303;

/// Versions that a hello of TLS can come to, highest first.
const VERSIONS: [u16; 5] = [TLS13, TLS12, 0x0302, 0x0301, 0x0300];

/// The curves of ECDSA certificates: P-256, P-384, P-521.
const CURVES: [u16; 3] = [0x0017, 0x0018, 0x0019];

/// Whether a client gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It does.
    In {
        /// With this version.
        version: u16,
        /// With this suite; where the server's order is not known, with the client's favourite of those that fit.
        suite: u16,
        /// With this group, where the suite needs one and only one can be meant.
        group: Option<u16>,
        /// Whether no other suite can be chosen.
        sure: bool,
    },
    /// It does not.
    Out(Why),
    /// That does not follow from what is known.
    Unknown(Lack),
}

/// Keys of the server's certificates, as far as they were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Bits of the RSA key.
    pub rsa: Option<u16>,
    /// The group of the ECDSA key.
    pub ecdsa: Option<u16>,
}

/// Whether something goes: with what, or why not.
enum Fit<T> {
    Yes(T),
    No(Why),
    Unknown(Lack),
}

impl<T> Fit<T> {
    /// Both: what surely does not go outweighs what is not known.
    fn both<U>(self, other: Fit<U>) -> Fit<(T, U)> {
        match (self, other) {
            (Self::No(why), _) | (_, Fit::No(why)) => Fit::No(why),
            (Self::Unknown(lack), _) | (_, Fit::Unknown(lack)) => Fit::Unknown(lack),
            (Self::Yes(t), Fit::Yes(u)) => Fit::Yes((t, u)),
        }
    }

    fn map<U>(self, then: impl FnOnce(T) -> U) -> Fit<U> {
        match self {
            Self::Yes(t) => Fit::Yes(then(t)),
            Self::No(why) => Fit::No(why),
            Self::Unknown(lack) => Fit::Unknown(lack),
        }
    }
}

/// Whether a client gets in, and with what.
pub fn admits(profile: &ClientProfile, server: &Accepts, keys: &Keys) -> Admission {
    let version = match version(profile, server) {
        Fit::Yes(version) => version,
        Fit::No(why) => return Admission::Out(why),
        Fit::Unknown(lack) => return Admission::Unknown(lack),
    };
    let Some(of) = server.of(version) else { return Admission::Unknown(Lack::Version(version)) };
    let admission = Choice { profile, of, groups: groups(server, of), keys, prime: server.prime_bits }.made();
    match admission {
        Admission::In { .. } if profile.form == Form::Ssl2 => match server.ssl2_format {
            Takes::Yes => admission,
            Takes::No => Admission::Out(Why::Format),
            Takes::Unknown => Admission::Unknown(Lack::Format),
        },
        other => other,
    }
}

/// The version that the two come to. What is not known is followed both ways: it does no harm where both end alike.
fn version(profile: &ClientProfile, server: &Accepts) -> Fit<u16> {
    let mut ends: Vec<Option<u16>> = Vec::new();
    let mut lack = None;
    let listed = profile.versions.is_some();
    for version in VERSIONS {
        let client = profile.takes(version);
        // Without a list the server sees the highest version alone, and may choose one that the client does not take.
        let may_be_chosen = if listed { client != Taken::No } else { version <= profile.legacy };
        let end = Some(version).filter(|_| client != Taken::No);
        match server.of(version).map_or(Takes::Unknown, |of| of.takes) {
            Takes::Yes if may_be_chosen => {
                ends.push(end);
                if client == Taken::Unknown {
                    lack = lack.or(Some(Lack::ClientVersion(version)));
                }
                if client != Taken::Unknown || !listed {
                    break;
                }
            }
            Takes::Unknown if may_be_chosen => {
                ends.push(end);
                lack = lack.or(Some(Lack::Version(version)));
            }
            _ => {}
        }
    }
    let first = ends.iter().flatten().next();
    match (first, lack) {
        (None, _) => Fit::No(Why::Version),
        (Some(_), Some(lack)) => Fit::Unknown(lack),
        (Some(version), None) => Fit::Yes(*version),
    }
}

/// The groups of a version; where none were asked in it, those of another one below TLS 1.3.
fn groups<'a>(server: &'a Accepts, of: &'a OfVersion) -> &'a Set {
    let asked = |of: &&OfVersion| !of.groups.taken.is_empty() || !of.groups.refused.is_empty();
    let others = server.versions.iter().filter(|v| v.version < TLS13 && of.version < TLS13);
    std::iter::once(of).chain(others).find(asked).map_or(&of.groups, |of| &of.groups)
}

/// The choice of a server, once the version is settled.
struct Choice<'a> {
    profile: &'a ClientProfile,
    of: &'a OfVersion,
    groups: &'a Set,
    keys: &'a Keys,
    /// Bits of the Diffie-Hellman prime.
    prime: Option<usize>,
}

/// A suite that the client offers, and that the server may choose.
struct Candidate {
    suite: CipherSuite,
    group: Option<u16>,
    /// What is not known of it, if anything.
    lack: Option<Lack>,
}

impl Choice<'_> {
    fn made(&self) -> Admission {
        let mut candidates = Vec::new();
        let mut why = None;
        let offered = self.profile.real_suites().filter_map(cipher_suite);
        for suite in offered.filter(|s| exists(s, self.of.version)) {
            let takes = self.of.suites.takes(suite.id);
            match self.fits(&suite) {
                _ if takes == Takes::No => {}
                Fit::No(reason) => why = why.or((takes == Takes::Yes).then_some(reason)),
                Fit::Unknown(lack) => candidates.push(Candidate { suite, group: None, lack: Some(lack) }),
                Fit::Yes(group) => {
                    let lack = (takes == Takes::Unknown).then_some(Lack::Suites(self.of.version));
                    candidates.push(Candidate { suite, group, lack });
                }
            }
        }
        let whole = self.profile.suites.known;
        let Some(first) = candidates.first() else {
            let no = Admission::Out(why.unwrap_or(Why::Suite(self.of.version)));
            return if whole == Known::Part { Admission::Unknown(Lack::ClientSuites) } else { no };
        };
        if candidates.iter().all(|c| c.lack.is_some()) {
            return Admission::Unknown(first.lack.unwrap_or(Lack::ClientSuites));
        }
        if whole == Known::Most {
            return Admission::Unknown(Lack::ClientSuites);
        }
        self.chosen(&candidates)
    }

    /// What is chosen of several, at least one of which is sure to fit.
    fn chosen(&self, candidates: &[Candidate]) -> Admission {
        let all_known = self.profile.suites.known == Known::Whole;
        let taken = &self.of.suites.taken;
        let rank = |c: &Candidate| taken.iter().position(|id| *id == c.suite.id);
        // Those that may be chosen: up to the first that surely can be. Nobody knows where what was not asked stands in the server's order.
        let mut those: Vec<&Candidate> = candidates.iter().collect();
        let settled = match self.of.suites.order {
            Some(Order::Server) => {
                those.sort_by_key(|c| rank(c));
                all_known
            }
            Some(Order::Client) => true,
            Some(Order::Mixed) | None => all_known && those.len() == 1,
        };
        let first_sure = those.iter().position(|c| c.lack.is_none()).unwrap_or_default();
        if matches!(self.of.suites.order, Some(Order::Client | Order::Server)) {
            those.truncate(first_sure + 1);
        }
        let Some(choice) = those.iter().find(|c| c.lack.is_none()) else { return Admission::Unknown(Lack::Order) };
        let mut verdicts = those.iter().map(|c| self.accepted(&c.suite));
        let first = verdicts.next().unwrap_or(Fit::Yes(()));
        let rest: Vec<Fit<()>> = verdicts.collect();
        let (version, suite, group) = (self.of.version, choice.suite.id, choice.group);
        match first {
            Fit::Yes(()) if rest.iter().all(|v| matches!(v, Fit::Yes(()))) => {
                Admission::In { version, suite, group, sure: settled && those.len() == 1 }
            }
            Fit::No(why) if settled && rest.iter().all(|v| matches!(v, Fit::No(_))) => Admission::Out(why),
            Fit::Unknown(lack) => Admission::Unknown(lack),
            _ => Admission::Unknown(Lack::Order),
        }
    }

    /// Whether group, curve and scheme allow a suite; with the group.
    fn fits(&self, suite: &CipherSuite) -> Fit<Option<u16>> {
        match suite.kx {
            "TLS13" => self.group().both(self.scheme("any")).map(|(group, ())| group),
            "ECDHE" | "ECDH" if suite.auth == "anon" => self.group(),
            "ECDHE" => {
                let certificate = self.curve(suite.auth).both(self.scheme(suite.auth));
                self.group().both(certificate).map(|(group, _)| group)
            }
            "ECDH" => self.curve("ECDSA").map(|()| None),
            "DHE" if suite.auth != "anon" => self.scheme(suite.auth).map(|()| None),
            _ => Fit::Yes(None),
        }
    }

    /// The group of the key exchange.
    fn group(&self) -> Fit<Option<u16>> {
        let Some(list) = &self.profile.groups else {
            // Without the extension the server is free (RFC 8422, section 4); TLS 1.3 cannot do without.
            return if self.of.version == TLS13 { Fit::No(Why::Group(TLS13)) } else { Fit::Yes(None) };
        };
        common(list, self.groups, Why::Group(self.of.version), Lack::Groups, Lack::ClientGroups).map(|common| {
            // Servers take a group whose key is there already, whatever they like best.
            let shares = self.profile.shares.iter().filter(|_| self.of.version == TLS13).flat_map(|l| &l.numbers);
            let keyed: Vec<u16> = shares.copied().filter(|g| common.contains(g)).collect();
            match (common.as_slice(), keyed.as_slice(), self.groups.order) {
                ([only], [], _) if list.known == Known::Whole => Some(*only),
                (_, [only], _) => Some(*only),
                (_, [first, ..], Some(Order::Client)) => Some(*first),
                (common, [], Some(Order::Client)) => common.first().copied(),
                (common, [], Some(Order::Server)) => self.groups.taken.iter().copied().find(|g| common.contains(g)),
                // Several keys: OpenSSL then takes the client's first even where the order is its own, others may not.
                (_, [_, ..], _) | (_, _, Some(Order::Mixed) | None) => None,
            }
        })
    }

    /// Whether the client takes the curve of the certificate, which up to TLS 1.2 counts among the groups (RFC 8422, section 5.3).
    fn curve(&self, auth: &str) -> Fit<()> {
        let Some(list) = self.profile.groups.as_ref().filter(|_| auth == "ECDSA") else { return Fit::Yes(()) };
        let has = |curve: &u16| list.numbers.contains(curve);
        match self.keys.ecdsa {
            Some(curve) if has(&curve) => Fit::Yes(()),
            Some(_) if list.known == Known::Part => Fit::Unknown(Lack::ClientGroups),
            Some(_) => Fit::No(Why::Group(self.of.version)),
            None if CURVES.iter().all(has) => Fit::Yes(()),
            None => Fit::Unknown(Lack::Keys),
        }
    }

    /// Whether there is a scheme for the server's signature with a kind of key; `any` in TLS 1.3.
    fn scheme(&self, auth: &str) -> Fit<()> {
        let version = self.of.version;
        if version < TLS12 {
            return Fit::Yes(());
        }
        // Who sends no list in TLS 1.2 means SHA-1 (RFC 5246, section 7.4.1.4.1).
        let sha1 = Listed { numbers: vec![0x0201, 0x0202, 0x0203], known: Known::Whole };
        let list = match &self.profile.schemes {
            Some(list) => list,
            None if version == TLS12 => &sha1,
            None => return Fit::No(Why::Scheme(version)),
        };
        let numbers = list.numbers.iter().copied().filter(|s| signs(*s, auth)).collect();
        let list = Listed { numbers, known: list.known };
        common(&list, &self.of.schemes, Why::Scheme(version), Lack::Schemes, Lack::ClientSchemes).map(|_| ())
    }

    /// Whether the client goes on with what the server chose.
    fn accepted(&self, suite: &CipherSuite) -> Fit<()> {
        let version = self.of.version;
        if self.profile.takes(version) == Taken::RsaOnly && suite.kx != "RSA" {
            return Fit::No(Why::OldSignature(version));
        }
        if let (Some(bits), Some(most)) = (self.prime, self.profile.most_prime())
            && suite.kx == "DHE"
            && bits > most
        {
            return Fit::No(Why::Prime { bits, most });
        }
        let Some(least) = self.profile.least_rsa(version).filter(|_| matches!(suite.auth, "RSA" | "TLS13")) else {
            return Fit::Yes(());
        };
        let other_key = suite.kx == "TLS13" && self.keys.ecdsa.is_some();
        match self.keys.rsa {
            Some(bits) if bits >= least => Fit::Yes(()),
            Some(bits) if !other_key => Fit::No(Why::Key { bits, least }),
            None if other_key => Fit::Yes(()),
            _ => Fit::Unknown(Lack::Keys),
        }
    }
}

/// Whether a suite can be chosen in a version: AEAD and hashes beyond SHA-1 came with TLS 1.2, and nothing with nothing never can
/// (RFC 5246, appendices A.5 and B).
fn exists(suite: &CipherSuite, version: u16) -> bool {
    let old = matches!(suite.mac, "MD5" | "SHA1" | "NULL");
    suite.id != 0 && (suite.kx == "TLS13") == (version == TLS13) && (old || version >= TLS12)
}

/// What a list of the client and a set of the server have in common, in the client's order; never empty.
fn common(list: &Listed, set: &Set, why: Why, lack: Lack, of_client: Lack) -> Fit<Vec<u16>> {
    let those = |takes| list.numbers.iter().copied().filter(move |n| set.takes(*n) == takes);
    let taken: Vec<u16> = those(Takes::Yes).collect();
    match (taken.is_empty(), list.known) {
        (false, Known::Most) => Fit::Unknown(of_client),
        (false, _) => Fit::Yes(taken),
        _ if those(Takes::Unknown).next().is_some() => Fit::Unknown(lack),
        (true, Known::Part) => Fit::Unknown(of_client),
        (true, _) => Fit::No(why),
    }
}

/// Whether a scheme signs with a kind of key. In TLS 1.3 RSA is PSS alone, and SHA-1 is no more (RFC 8446, section 4.2.3).
fn signs(scheme: u16, auth: &str) -> bool {
    let [hash, signature] = scheme.to_be_bytes();
    let old = (1..=6).contains(&hash);
    match auth {
        "RSA" => (old && signature == 1) || matches!(scheme, 0x0804..=0x0806 | 0x0809..=0x080b),
        "DSS" => old && signature == 2,
        "ECDSA" => (old && signature == 3) || matches!(scheme, 0x0807 | 0x0808 | 0x081a..=0x081c),
        _ => !old || matches!(scheme, 0x0403 | 0x0503 | 0x0603),
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! ClientHellos as clients send them: what a server has to take to let each of them in.

use super::client_print::{HelloShape, OF_THE_SESSION};
use super::table::{Cells, Confirmed, Record, Table};
use super::tls::cipher_suite;

pub(super) const PROFILES: &str = include_str!("client_profiles.tsv");
pub(super) static PROFILE_ROWS: Table<ClientProfile> = Table::new(PROFILES, |a, b| a.product.cmp(b.product));

/// The hello of one client. Source: recorded hellos, or what the row names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientProfile {
    /// As [`super::Directive`] spells it.
    pub product: &'static str,
    /// Releases with this hello, in words; with what was switched on, where it is not as it comes.
    pub releases: &'static str,
    /// As people call it.
    pub name: &'static str,
    /// How the hello is wrapped.
    pub form: Form,
    /// Length of the session id; `None` when not known.
    pub session: Option<usize>,
    /// The version field of the hello.
    pub legacy: u16,
    /// supported_versions.
    pub versions: Option<Listed>,
    /// Cipher suites, signals included.
    pub suites: Listed,
    /// supported_groups.
    pub groups: Option<Listed>,
    /// Groups of key_share.
    pub shares: Option<Listed>,
    /// signature_algorithms.
    pub schemes: Option<Listed>,
    /// Ids of the extensions.
    pub extensions: Option<Listed>,
    /// Contents of extensions that no other column tells: id and bytes.
    pub contents: Vec<(u16, Vec<u8>)>,
    /// Whether it names the server.
    pub names_server: bool,
    /// Where it was read or recorded.
    pub source: &'static str,
    /// How far the source was read.
    pub confirmed: Confirmed,
    takes: Vec<(u16, Taken)>,
    takes_more: bool,
    /// Up to TLS 1.2, and in TLS 1.3.
    rsa: Option<(u16, u16)>,
}

/// How a hello is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In a record with this version, if that is known.
    Record(Option<u16>),
    /// In the format of SSL 2, which servers may not read.
    Ssl2,
}

/// A list of a hello.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// In the order of preference.
    pub numbers: Vec<u16>,
    /// How much of the list that is.
    pub known: Known,
}

/// How much is known of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// All of it.
    #[default]
    Whole,
    /// There may be more.
    Part,
    /// There is no more, and there may be less.
    Most,
}

/// Whether a client takes a version that a server chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It does.
    Yes,
    /// With RSA key exchange alone, although its hello offers more.
    RsaOnly,
    /// It does not.
    No,
    /// Nobody read it.
    Unknown,
}

impl Record for ClientProfile {
    fn read(cells: &mut Cells) -> Option<Self> {
        let (product, releases, name) = (cells.text()?, cells.text()?, cells.text()?);
        let form = match cells.text()? {
            "ssl2" => Form::Ssl2,
            "-" => Form::Record(None),
            version => Form::Record(Some(number(version)?)),
        };
        let (session, legacy) = (cells.decimal_or_none()?, number(cells.text()?)?);
        let versions = listed(cells.text()?)?;
        let (takes, takes_more) = takes(cells.text()?, versions.as_ref())?;
        Some(Self {
            product,
            releases,
            name,
            form,
            session,
            legacy,
            versions,
            takes,
            takes_more,
            suites: listed(cells.text()?)??,
            groups: listed(cells.text()?)?,
            shares: listed(cells.text()?)?,
            schemes: listed(cells.text()?)?,
            extensions: listed(cells.text()?)?,
            contents: contents(cells.text()?)?,
            names_server: cells.flag()?,
            rsa: rsa(cells.text()?)?,
            source: cells.text()?,
            confirmed: cells.confirmed()?,
        })
    }
}

impl ClientProfile {
    /// Name and releases, as one.
    #[must_use]
    pub fn title(&self) -> String {
        if self.releases == "-" { self.name.to_owned() } else { format!("{} {}", self.name, self.releases) }
    }

    /// Whether it takes a version that a server chose.
    #[must_use]
    pub fn takes(&self, version: u16) -> Taken {
        match self.takes.iter().find(|(v, _)| *v == version) {
            Some((_, taken)) => *taken,
            None if self.takes_more && self.takes.iter().all(|(v, _)| version < *v) => Taken::Unknown,
            None => Taken::No,
        }
    }

    /// The versions that it is known to take, highest first.
    pub fn speaks(&self) -> impl Iterator<Item = u16> {
        self.takes.iter().map(|(version, _)| *version)
    }

    /// The shortest RSA key of a server's certificate that it takes in a version, in bits; `None` when not known.
    #[must_use]
    pub fn least_rsa(&self, version: u16) -> Option<u16> {
        self.rsa.map(|(before, tls13)| if version == 0x0304 { tls13 } else { before })
    }

    /// Bits of the longest Diffie-Hellman prime that it can calculate with, where that is known to be short: Java up to 7 has 1024
    /// (JDK-7044060; 8 has 2048).
    pub fn most_prime(&self) -> Option<usize> {
        let old = ["6", "7"].iter().any(|r| self.releases.starts_with(r));
        (self.product == "java" && old).then_some(1024)
    }

    /// Suites that it offers, without signals.
    pub fn real_suites(&self) -> impl Iterator<Item = u16> {
        self.suites.numbers.iter().copied().filter(|s| !cipher_suite(*s).is_some_and(|s| s.is_signal()))
    }

    /// Whether every byte of its hello is known, but for what each hello has of its own.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let lists = [&self.versions, &self.groups, &self.shares, &self.schemes, &self.extensions];
        let whole = |list: &Listed| list.known == Known::Whole;
        matches!(self.form, Form::Record(Some(_)))
            && self.session.is_some()
            && whole(&self.suites)
            && lists.into_iter().flatten().all(whole)
    }

    /// What tells clients apart in its hello; `None` when not all of that is known.
    #[must_use]
    pub fn shape(&self) -> Option<HelloShape> {
        let Form::Record(record) = self.form else { return None };
        let session = self.session.filter(|_| self.is_whole())?;
        let all = |list: &Option<Listed>| list.as_ref().map_or_else(Vec::new, |l| l.numbers.clone());
        let suites = &self.suites.numbers;
        let signal = match suites.iter().position(|s| *s == RENEGOTIATION) {
            None => "none",
            Some(0) => "first",
            Some(n) if n + 1 == suites.len() => "last",
            Some(_) => "inside",
        };
        Some(HelloShape {
            record,
            session,
            versions: self.versions.as_ref().map_or_else(|| vec![self.legacy], |l| l.numbers.clone()),
            suites: self.real_suites().collect(),
            signal,
            extensions: all(&self.extensions).into_iter().filter(|id| !OF_THE_SESSION.contains(id)).collect(),
            groups: all(&self.groups),
            schemes: all(&self.schemes),
        })
    }
}

/// All rows, grouped by product.
pub fn client_profiles() -> impl Iterator<Item = &'static ClientProfile> {
    PROFILE_ROWS.rows().iter()
}

/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV.
const RENEGOTIATION: u16 = 0x00ff;

fn number(word: &str) -> Option<u16> {
    u16::from_str_radix(word, 16).ok().filter(|_| word.len() == 4)
}

/// A cell with a list; `Some(None)` for a list that is not there, `None` for a cell that cannot be read.
#[expect(clippy::option_option, reason = "a list that is absent is not a cell that is broken")]
fn listed(cell: &'static str) -> Option<Option<Listed>> {
    if cell == "none" {
        return Some(None);
    }
    let (numbers, known) = match (cell.strip_suffix('*'), cell.strip_suffix('?')) {
        (Some(begin), _) => (begin, Known::Part),
        (_, Some(begin)) => (begin, Known::Most),
        _ => (cell, Known::Whole),
    };
    let numbers: Option<Vec<u16>> = numbers.split_whitespace().map(number).collect();
    numbers.filter(|n| known == Known::Part || !n.is_empty()).map(|numbers| Some(Listed { numbers, known }))
}

/// What a client takes, and whether there may be more below that.
fn takes(cell: &'static str, versions: Option<&Listed>) -> Option<(Vec<(u16, Taken)>, bool)> {
    if cell == "-" {
        let versions = versions?;
        return Some((versions.numbers.iter().map(|v| (*v, Taken::Yes)).collect(), versions.known != Known::Whole));
    }
    let (numbers, more) = cell.strip_suffix(" *").map_or((cell, false), |begin| (begin, true));
    let one = |word: &'static str| match word.strip_suffix('r') {
        Some(word) => Some((number(word)?, Taken::RsaOnly)),
        None => Some((number(word)?, Taken::Yes)),
    };
    Some((numbers.split(' ').map(one).collect::<Option<_>>()?, more))
}

/// `1024`, or `1024 2048` where TLS 1.3 wants more.
#[expect(clippy::option_option, reason = "as above")]
fn rsa(cell: &'static str) -> Option<Option<(u16, u16)>> {
    if cell == "-" {
        return Some(None);
    }
    let (before, tls13) = cell.split_once(' ').unwrap_or((cell, cell));
    Some(Some((before.parse().ok()?, tls13.parse().ok()?)))
}

/// `000b=03000102 002d=020100`.
fn contents(cell: &'static str) -> Option<Vec<(u16, Vec<u8>)>> {
    let one = |word: &'static str| {
        let (id, hex) = word.split_once('=')?;
        let byte = |n| u8::from_str_radix(hex.get(n..n + 2)?, 16).ok();
        Some((number(id)?, (0..hex.len()).step_by(2).map(byte).collect::<Option<_>>()?))
    };
    if cell == "-" { Some(Vec::new()) } else { cell.split(' ').map(one).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::{client_prints, directives, extension, group, signature_scheme, version};
    use super::*;

    /// Products that only these two tables know.
    const NO_ADVICE: [&str; 5] = ["wget", "ftp-ssl", "perl", "node", "libressl"];

    fn row(p: &ClientProfile) -> String {
        format!("{} {}", p.product, p.releases)
    }

    #[test]
    fn every_number_has_a_name() {
        for p in client_profiles() {
            let named = |list: &Option<Listed>, name: fn(u16) -> Option<&'static str>| {
                list.iter().flat_map(|l| &l.numbers).for_each(|n| assert!(name(*n).is_some(), "{}: {n:04x}", row(p)));
            };
            named(&Some(p.suites.clone()), |n| cipher_suite(n).map(|s| s.name));
            named(&p.versions, version);
            named(&p.groups, group);
            named(&p.shares, group);
            named(&p.schemes, signature_scheme);
            named(&p.extensions, extension);
            assert!(p.takes.iter().all(|(v, _)| version(*v).is_some()) && version(p.legacy).is_some(), "{}", row(p));
        }
    }

    #[test]
    fn rows_agree_with_themselves() {
        for p in client_profiles() {
            let row = row(p);
            assert!(p.confirmed != Confirmed::No, "{row}: from memory");
            assert!(p.takes.is_sorted_by(|a, b| a.0 > b.0), "{row}: highest first");
            let has = |id: u16| p.extensions.iter().any(|l| l.numbers.contains(&id));
            if let Some(versions) = &p.versions {
                assert!(versions.numbers.iter().eq(p.takes.iter().map(|(v, _)| v)), "{row}: versions and takes");
                assert_eq!(p.legacy, 0x0303, "{row}");
            } else {
                assert_eq!(p.takes.first().map(|(v, _)| *v), Some(p.legacy), "{row}: takes begins with its version");
            }
            if p.is_whole() {
                for (id, list) in [(10, &p.groups), (13, &p.schemes), (43, &p.versions), (51, &p.shares)] {
                    assert_eq!(has(id), list.is_some(), "{row}: extension {id} and its list");
                }
                assert_eq!(has(0), p.names_server, "{row}: server_name");
            }
            let shared = |group: &u16| p.groups.iter().any(|l| l.numbers.contains(group));
            assert!(p.shares.iter().flat_map(|l| &l.numbers).all(shared), "{row}: a share outside its groups");
            assert!(p.contents.iter().all(|(id, _)| has(*id)), "{row}: content of what is not there");
        }
    }

    #[test]
    fn products_are_spelled_as_elsewhere() {
        for p in client_profiles() {
            let known = directives().any(|d| d.product == p.product) || client_prints().any(|c| c.product == p.product);
            assert!(known || NO_ADVICE.contains(&p.product), "{}", row(p));
        }
    }

    /// What is recorded here is recognised there, as the same product or as the library that it uses.
    #[test]
    fn every_recorded_hello_is_recognised() {
        for p in client_profiles().filter(|p| p.confirmed == Confirmed::Yes) {
            let Some(shape) = p.shape() else {
                assert_eq!(p.form, Form::Ssl2, "{}: not whole", row(p));
                continue;
            };
            let fitting: Vec<_> = client_prints().filter(|c| c.says == "-" && c.fits(&shape)).collect();
            assert!(!fitting.is_empty(), "{}: no fingerprint", row(p));
            let same = |c: &&super::super::ClientPrint| c.product == p.product || c.library;
            assert!(fitting.iter().any(same), "{}: taken for {}", row(p), fitting[0].product);
        }
    }

    #[test]
    fn versions_that_a_client_takes() {
        let of = |product: &str, releases: &str| {
            client_profiles().find(|p| p.product == product && p.releases == releases).unwrap()
        };
        let native = of("zos-native", "V2R3, TLS 1.2 switched on");
        assert_eq!(
            [0x0304, 0x0303, 0x0302, 0x0301].map(|v| native.takes(v)),
            [Taken::No, Taken::Yes, Taken::No, Taken::Yes]
        );
        assert_eq!(native.least_rsa(0x0303), Some(1024));
        let attls = of("zos-attls", "V2R4 to V3R1, TLSv1.3 On");
        assert_eq!((attls.takes(0x0304), attls.takes(0x0301)), (Taken::Yes, Taken::Unknown));
        assert_eq!((attls.least_rsa(0x0304), attls.least_rsa(0x0303)), (Some(2048), Some(1024)));
        assert_eq!(of("openssl", "3.0").takes(0x0301), Taken::RsaOnly);
        assert!(!attls.is_whole() && attls.shape().is_none());
        assert_eq!(of("ibm-i", "7.4").suites.known, Known::Most);
    }

    #[test]
    fn broken_cells_are_not_read() {
        assert_eq!(listed("none"), Some(None));
        assert_eq!(listed("*"), Some(Some(Listed { numbers: vec![], known: Known::Part })));
        for cell in ["", "?", "1", "0001 x", "0001 -"] {
            assert_eq!(listed(cell), None, "{cell}");
        }
        assert_eq!(contents("000b=0300"), Some(vec![(11, vec![3, 0])]));
        assert!(contents("000b=030").is_none() && contents("000b").is_none());
        assert!(takes("-", None).is_none() && takes("0301x", None).is_none());
    }
}

//! Who gets in, as reports show it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CipherOut;
use super::messages::group_name;
use crate::codes::{self, ClientProfile, client_profiles};
use crate::facts::accepts::Accepts;
use crate::facts::admits::{Admission, Assume, Keys, Lack, Why, admits};
use crate::facts::audited::{Answered, Question};
use crate::facts::{suite_name, version_name};
use crate::transcript::topics;
use crate::trust::Certificate;

/// How one kind of client fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdmissionOut {
    /// Product, as advice spells it.
    pub product: String,
    /// As people call it.
    pub name: String,
    /// Releases, and what was switched on in them.
    pub releases: String,
    /// How it fares.
    #[serde(flatten)]
    pub now: FareOut,
    /// How it would fare under `--assume`; null without that.
    #[serde(default)]
    pub after: Option<FareOut>,
    /// How the server answered its hello (`--simulate`); null where that was not sent.
    #[serde(default)]
    pub simulated: Option<FareOut>,
    /// `yes`: its hello was recorded or read; `part` or `derived`: not all of it, or it was put together.
    pub confirmed: String,
    /// Where its hello was read or recorded.
    pub source: String,
}

/// Whether a client gets in, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FareOut {
    /// Whether it gets in.
    pub r#in: Admitted,
    /// `TLS 1.2`.
    pub version: Option<String>,
    /// The suite; a likely one where `sure` is false.
    pub suite: Option<CipherOut>,
    /// The group of the key exchange, where only one can be meant.
    pub group: Option<String>,
    /// Whether no other suite can be chosen.
    pub sure: bool,
    /// Why it does not get in, or what is not known.
    pub why: Option<String>,
}

/// Whether a client gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Admitted {
    /// It does not.
    No,
    /// That cannot be told.
    Unknown,
    /// It does.
    Yes,
}

impl Admitted {
    /// `yes`, `no`, or `?`.
    pub fn sign(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unknown => "?",
            Self::Yes => "yes",
        }
    }
}

/// How each client of the table fares, in its order.
pub fn admissions(
    server: &Accepts,
    keys: &Keys,
    assume: Option<&Assume>,
    questions: &[Question<'_>],
) -> Vec<AdmissionOut> {
    let asked: BTreeMap<&str, &Question<'_>> = questions
        .iter()
        .filter(|q| q.topic() == topics::CLIENT)
        .filter_map(|q| Some((q.changed.get(1)?.as_str(), q)))
        .collect();
    let after = assume.map(|assume| assume.apply(server));
    let one = |p: &ClientProfile| AdmissionOut {
        product: p.product.to_owned(),
        name: p.name.to_owned(),
        releases: p.releases.to_owned(),
        now: fare(p, admits(p, server, keys)),
        after: after.as_ref().map(|after| fare(p, admits(p, after, keys))),
        simulated: asked.get(p.title().as_str()).map(|q| answered(q)),
        confirmed: p.confirmed.as_str().to_owned(),
        source: p.source.to_owned(),
    };
    client_profiles().map(one).collect()
}

/// The keys of the certificates that a server showed, DER each; of several RSA keys the shortest.
pub fn keys_of<'a>(certificates: impl Iterator<Item = &'a [u8]>) -> Keys {
    let mut keys = Keys::default();
    for der in certificates {
        let bits = Certificate::read(der).details().filter(|d| d.key.algorithm == "RSA").map(|d| d.key.bits);
        if let Some(bits) = bits.and_then(|bits| u16::try_from(bits).ok()).filter(|bits| *bits > 0) {
            keys.rsa = Some(keys.rsa.map_or(bits, |other| other.min(bits)));
        }
        keys.ecdsa = keys.ecdsa.or_else(|| curve(der));
    }
    keys
}

/// id-ecPublicKey (RFC 5480), as it stands before the curve of a key.
const EC_KEY: [u8; 9] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// The curves of certificates by their object identifiers: P-256, P-384, P-521.
const CURVES: [(&[u8], u16); 3] = [
    (&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], 0x0017),
    (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22], 0x0018),
    (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23], 0x0019),
];

/// The curve of a certificate's key; `None` for another kind of key or curve.
fn curve(der: &[u8]) -> Option<u16> {
    let at = der.windows(EC_KEY.len()).position(|w| w == EC_KEY)?;
    let behind = der.get(at + EC_KEY.len()..)?;
    CURVES.iter().find(|(oid, _)| behind.starts_with(oid)).map(|(_, group)| *group)
}

/// How a server answered the hello of a client.
fn answered(q: &Question<'_>) -> FareOut {
    let out = FareOut { r#in: Admitted::No, version: None, suite: None, group: None, sure: true, why: None };
    match q.answer {
        Answered::Chose(hello) => FareOut {
            r#in: Admitted::Yes,
            version: Some(version_name(hello.negotiated())),
            suite: Some(CipherOut { id: format!("{:04X}", hello.suite), name: suite_name(hello.suite) }),
            group: hello.group().or_else(|| q.exchange().and_then(|x| x.group)).map(group_name),
            ..out
        },
        Answered::Ssl2 => FareOut { r#in: Admitted::Yes, version: Some("SSL 2".to_owned()), ..out },
        Answered::Alert(n) => {
            let name = codes::alert(n).map_or("unknown", |a| a.name);
            FareOut { why: Some(format!("alert {n} {name}")), ..out }
        }
        Answered::Text => FareOut { why: Some("text instead of TLS".to_owned()), ..out },
        Answered::Ended(_) => FareOut { why: Some("the connection ended".to_owned()), ..out },
        Answered::Silence => FareOut { why: Some("no answer".to_owned()), ..out },
        Answered::NotAsked => {
            FareOut { r#in: Admitted::Unknown, sure: false, why: Some("not asked".to_owned()), ..out }
        }
    }
}

fn fare(profile: &ClientProfile, admission: Admission) -> FareOut {
    let out = FareOut { r#in: Admitted::No, version: None, suite: None, group: None, sure: true, why: None };
    match admission {
        Admission::In { version, suite, group, sure } => FareOut {
            r#in: Admitted::Yes,
            version: Some(version_name(version)),
            suite: Some(CipherOut { id: format!("{suite:04X}"), name: suite_name(suite) }),
            group: group.map(group_name),
            sure,
            ..out
        },
        Admission::Out(why) => FareOut { why: Some(reason(profile, why)), ..out },
        Admission::Unknown(lack) => FareOut { r#in: Admitted::Unknown, sure: false, why: Some(missing(lack)), ..out },
    }
}

impl FareOut {
    /// `TLS 1.2 ECDHE-RSA-AES256-GCM-SHA384 P-256`, or why not.
    pub fn words(&self) -> String {
        if let Some(why) = &self.why {
            return why.clone();
        }
        let suite = self.suite.as_ref().map(|s| match codes::cipher_suite_by_name(&s.name) {
            Some(suite) if suite.openssl != "-" => suite.openssl.to_owned(),
            _ => s.name.clone(),
        });
        let parts = [self.version.clone(), suite, self.group.as_deref().map(short).map(str::to_owned)];
        let words = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if self.sure { words } else { format!("{words}, or another suite") }
    }
}

/// The name in brackets, which is the shorter one.
fn short(group: &str) -> &str {
    let bracket = group.split_once(" (").and_then(|(_, rest)| rest.strip_suffix(')'));
    bracket.filter(|name| name.starts_with("P-")).unwrap_or(group)
}

fn reason(profile: &ClientProfile, why: Why) -> String {
    match why {
        Why::Version => {
            let versions: Vec<String> = profile.speaks().map(version_name).collect();
            format!("no common version ({})", versions.join(", ").replace(", TLS ", ", "))
        }
        Why::Suite(version) => format!("no common suite in {}", version_name(version)),
        Why::Group(version) => format!("no common group in {}", version_name(version)),
        Why::Scheme(version) => format!("no common signature scheme in {}", version_name(version)),
        Why::OldSignature(version) => format!("takes no SHA-1 signature in {}", version_name(version)),
        Why::Prime { bits, most } => format!("the server's DH prime has {bits} bits, it can {most}"),
        Why::Format => "begins in the format of SSL 2, which the server does not read".to_owned(),
        Why::Key { bits, least } => format!("the server's RSA key has {bits} bits, it wants {least}"),
    }
}

fn missing(lack: Lack) -> String {
    let text = match lack {
        Lack::Version(version) => return format!("whether the server takes {} is not known", version_name(version)),
        Lack::ClientVersion(version) => return format!("whether it takes {} is not known", version_name(version)),
        Lack::Suites(version) => return format!("not all suites of the server in {} are known", version_name(version)),
        Lack::ClientSuites => "not known which suites it sends",
        Lack::Groups => "not all groups of the server are known",
        Lack::ClientGroups => "not known which groups it sends",
        Lack::Schemes => "not all signature schemes of the server are known",
        Lack::ClientSchemes => "not known which signature schemes it sends",
        Lack::Keys => "the keys of the server's certificates are not known",
        Lack::Order => "the server's order decides, and is not known",
        Lack::Format => "begins in the format of SSL 2, which was not tried",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::admits::tests::{RSA, vsftpd};

    fn of<'a>(all: &'a [AdmissionOut], product: &str, releases: &str) -> &'a AdmissionOut {
        all.iter().find(|a| a.product == product && a.releases == releases).unwrap()
    }

    #[test]
    fn a_client_is_told_with_what_or_why_not() {
        let all = admissions(&vsftpd(), &RSA, None, &[]);
        let words = |product, releases| of(&all, product, releases).now.words();
        assert_eq!(words("openssl", "1.1.0"), "TLS 1.2 ECDHE-RSA-AES256-GCM-SHA384 x25519");
        assert_eq!(words("schannel", "Windows 10, Server 2016"), "TLS 1.2 ECDHE-RSA-AES256-GCM-SHA384 P-256");
        assert_eq!(words("zos-native", "V2R3 to V2R5"), "no common version (TLS 1.0)");
        assert_eq!(words("java", "7u25"), "no common version (TLS 1.0, SSL 3.0)");
        assert_eq!(words("zos-attls", "V2R1 to V3R1, TLSv1.2 On"), "not known which suites it sends");
    }

    #[test]
    fn the_json_is_flat_and_comes_back() {
        let assume = Assume::parse("no-rsa-kx").unwrap();
        let all = admissions(&vsftpd(), &RSA, Some(&assume), &[]);
        let one = of(&all, "zos-native", "V2R3, TLS 1.2 switched on");
        let json = serde_json::to_value(one).unwrap();
        assert_eq!(
            (&json["in"], &json["version"], &json["suite"]["id"]),
            (&"yes".into(), &"TLS 1.2".into(), &"0035".into())
        );
        assert_eq!((&json["after"]["in"], &json["after"]["why"]), (&"no".into(), &"no common suite in TLS 1.2".into()));
        assert_eq!(&serde_json::from_value::<AdmissionOut>(json).unwrap(), one);
    }

    #[test]
    fn keys_are_read_from_certificates() {
        let ec = |curve: &'static rcgen::SignatureAlgorithm| rcgen::KeyPair::generate_for(curve).unwrap();
        let der = |key: &rcgen::KeyPair| {
            rcgen::CertificateParams::new(vec!["ftp.example.org".to_owned()])
                .unwrap()
                .self_signed(key)
                .unwrap()
                .der()
                .to_vec()
        };
        let (a, b) = (der(&ec(&rcgen::PKCS_ECDSA_P256_SHA256)), der(&ec(&rcgen::PKCS_ECDSA_P384_SHA384)));
        assert_eq!(keys_of([a.as_slice()].into_iter()), Keys { rsa: None, ecdsa: Some(0x0017) });
        assert_eq!(keys_of([b.as_slice()].into_iter()).ecdsa, Some(0x0018));
        assert_eq!(keys_of([&b"no certificate"[..], &[]].into_iter()), Keys::default());
    }

    #[test]
    fn every_answer_has_words_of_its_own() {
        let profile = client_profiles().next().unwrap();
        let v = 0x0303;
        let whys = [Why::Version, Why::Suite(v), Why::Group(v), Why::Scheme(v), Why::OldSignature(v), Why::Format];
        let mut all: Vec<String> = whys.into_iter().map(|why| reason(profile, why)).collect();
        all.push(reason(profile, Why::Prime { bits: 2048, most: 1024 }));
        all.push(reason(profile, Why::Key { bits: 512, least: 1024 }));
        let lacks = [Lack::Version(v), Lack::ClientVersion(v), Lack::Suites(v), Lack::ClientSuites, Lack::Groups];
        all.extend(lacks.into_iter().map(missing));
        let more = [Lack::ClientGroups, Lack::Schemes, Lack::ClientSchemes, Lack::Keys, Lack::Order, Lack::Format];
        all.extend(more.into_iter().map(missing));
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}

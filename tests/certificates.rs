//! Certificates in whole reports: lists that agree and disagree, redaction, cuts, TLS 1.3.

mod common;

use ftpsdiag::report::{About, Outcome, Report};
use ftpsdiag::rules::{CheckResult, Severity};
use ftpsdiag::transcript::redact::{Level, redact};
use ftpsdiag::transcript::{Transcript, dialogue};
use ftpsdiag::trust::{Store, Stores};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

const HOST: &str = "ftp.example.org";

/// A root, and a certificate that it issued.
fn chain() -> (Vec<u8>, Vec<u8>) {
    let mut ca = CertificateParams::default();
    ca.distinguished_name = rcgen::DistinguishedName::new();
    ca.distinguished_name.push(rcgen::DnType::CommonName, "Partner Root");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let leaf = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &root).unwrap();
    (root.der().to_vec(), leaf.der().to_vec())
}

fn session(leaf: &[u8]) -> Transcript {
    let text = format!(
        "clock utc 2026-06-15T09:00:00Z\nasked \"{HOST}:21\" explicit\nconn 0 control host=\"{HOST}\" peer=192.0.2.7:21\n\
         1 C \"AUTH TLS\\r\\n\"\n2 S \"234 go\\r\\n\"\n3 S 16030300 31 0200002d 0303 603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d 00 1301 00 0005 ff01000100\n\
         4 S* certificates {}\n5 S* established 0304 1301\n5 C* \"QUIT\\r\\n\"\n6 C closes\n",
        hex::encode(leaf)
    );
    dialogue::parse(&text).unwrap()
}

fn judged(t: &Transcript, stores: Stores) -> Report {
    common::judged(t, &About { stores, ..About::default() })
}

#[test]
fn a_list_that_knows_the_root_makes_the_session_work() {
    let (root, leaf) = chain();
    let report = judged(&session(&leaf), Stores::mozilla().with(Store::new("partner.pem", [root])));
    assert_eq!(report.verdict.outcome, Outcome::Works);
    let passed: Vec<&str> = report
        .checks
        .iter()
        .filter(|c| c.result == CheckResult::Passed && c.id.starts_with("certificate-"))
        .map(|c| c.id.as_str())
        .collect();
    assert_eq!(passed, ["certificate-time", "certificate-name", "certificate-chain"]);
    let certificates = report.endpoint.unwrap().certificates;
    assert_eq!(certificates[0].issuer.as_deref(), Some("CN=Partner Root"));
    assert_eq!(certificates[0].names, [HOST]);
    assert_eq!(certificates[0].sha256.len(), 64);
}

#[test]
fn a_second_opinion_says_whose_list_it_is() {
    let (root, leaf) = chain();
    let mut second = Store::new("Mozilla", [root]);
    second.is_second_opinion = true;
    let (other, _) = chain();
    let stores = Stores::default().with(Store::new("b2bi-cas.pem", [other])).with(second);
    // The other root has the same name and another key.
    let report = judged(&session(&leaf), stores);
    common::expect(&report, "fails certificate-untrusted certain client <- unknown-ca likely").unwrap();
    let f = &report.findings[0];
    assert!(f.headline.contains("b2bi-cas.pem"), "{}", f.headline);
    assert!(f.why[0].starts_with("TLS itself works"));
    assert!(f.why.iter().any(|w| w.contains("your list lacks it")), "{:?}", f.why);
    assert!(f.evidence[0].label.contains("encrypted"));
    assert_eq!(f.data["trusted_by"], "Mozilla's CA list");
}

#[test]
fn redacted_evidence_is_not_judged_by_names_or_issuers() {
    let (_, leaf) = chain();
    let mut t = session(&leaf);
    redact(&mut t, Level::Names);
    let report = judged(&t, Stores::mozilla());
    assert_eq!((report.verdict.outcome, report.findings.len()), (Outcome::Works, 0));
    let untested: Vec<&str> = report.checks.iter().filter_map(|c| c.why.as_deref()).collect();
    assert!(untested.contains(&"names are redacted"));
    let shown = ftpsdiag::render(&report, ftpsdiag::Format::Json, Default::default());
    assert!(!shown.contains("Partner Root") && !shown.contains(HOST));
}

#[test]
fn a_cut_session_is_never_certain_of_more_than_the_whole() {
    let (_, leaf) = chain();
    let t = session(&leaf);
    let whole = judged(&t, Stores::mozilla());
    assert_eq!(whole.verdict.outcome, Outcome::Fails);
    for cut in 0..t.entries.len() {
        let part = Transcript { entries: t.entries[..cut].to_vec(), ..t.clone() };
        let report = judged(&part, Stores::mozilla());
        assert_eq!(report.verdict.outcome, Outcome::Inconclusive, "cut after {cut}");
        let failures = report.findings.iter().filter(|f| f.severity == Severity::Failure);
        assert!(failures.into_iter().all(|f| whole.findings.iter().any(|w| w.id == f.id)));
    }
}

#[test]
fn a_headline_is_short_whatever_the_certificate_says() {
    let mut p = CertificateParams::new(vec![format!("{}.example.org", "a".repeat(60))]).unwrap();
    p.distinguished_name = rcgen::DistinguishedName::new();
    p.distinguished_name.push(rcgen::DnType::CommonName, "x\u{1b}[31m\n\u{e9}".repeat(40));
    let made = p.self_signed(&KeyPair::generate().unwrap()).unwrap();
    for stores in [Stores::default(), Stores::mozilla()] {
        let report = judged(&session(made.der()), stores);
        for f in report.findings.iter().chain(&report.consequences) {
            assert!(f.headline.len() <= 72 && f.headline.is_ascii(), "{}", f.headline);
        }
        for format in ftpsdiag::Format::ALL {
            let shown = ftpsdiag::render(&report, format, ftpsdiag::Style { verbose: true, ..Default::default() });
            assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{format}");
        }
    }
}

#[test]
fn a_zos_client_gets_the_commands_of_its_key_ring() {
    let (_, leaf) = chain();
    let text = format!(
        "clock utc 2026-06-15T09:00:00Z\n1 C \"AUTH TLS\\r\\n\"\n2 S \"234 go\\r\\n\"\n4 S* certificates {}\n\
         5 \"System SSL, job FTPJOB\" says gsk 435 \"Certification authority is unknown\"\n",
        hex::encode(leaf)
    );
    let report = judged(&dialogue::parse(&text).unwrap(), Stores::mozilla());
    common::expect(&report, "fails certificate-untrusted certain client").unwrap();
    let directives: Vec<&str> = report.findings[0].advice.iter().filter_map(|a| a.directive.as_deref()).collect();
    assert!(directives.iter().any(|d| d.starts_with("RACDCERT")), "{directives:?}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_panics_on_any_mutation_of_a_certificate(
        cuts in proptest::collection::vec((0..600usize, 0..9usize, proptest::collection::vec(proptest::num::u8::ANY, 0..9)), 1..4)
    ) {
        let (root, mut leaf) = chain();
        for (at, len, noise) in cuts {
            let at = at.min(leaf.len());
            let end = (at + len).min(leaf.len());
            leaf.splice(at..end, noise);
        }
        let report = judged(&session(&leaf), Stores::mozilla().with(Store::new("own", [root])));
        for format in ftpsdiag::Format::ALL {
            let shown = ftpsdiag::render(&report, format, ftpsdiag::Style { verbose: true, ..Default::default() });
            assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{format}");
        }
        let _ = ftpsdiag::trust::read_certificates(&leaf);
        let _ = ftpsdiag::trust::read_identity(&leaf, Some(&leaf), None);
    }
}

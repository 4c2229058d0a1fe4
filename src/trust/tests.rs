//! Chains made for each question, by rcgen, and what only OpenSSL makes.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType, date_time_ymd,
};

use super::samples::{OLD_CA, PKCS7, PKCS12, RSA_1024, VERSION_1};
use super::*;

/// 2026-06-15, within the validity of everything that says nothing else.
const NOW: i64 = 1_781_481_600;
const DAY: i64 = 86_400;

type Ca = CertifiedIssuer<'static, KeyPair>;

fn params(name: &str) -> CertificateParams {
    let mut p = CertificateParams::default();
    p.distinguished_name = rcgen::DistinguishedName::new();
    p.distinguished_name.push(DnType::CommonName, name);
    p.not_before = date_time_ymd(2026, 1, 1);
    p.not_after = date_time_ymd(2027, 1, 1);
    p
}

fn ca_params(name: &str) -> CertificateParams {
    let mut p = params(name);
    p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    p
}

fn root(name: &str) -> Ca {
    CertifiedIssuer::self_signed(ca_params(name), KeyPair::generate().unwrap()).unwrap()
}

fn intermediate(name: &str, by: &Ca) -> Ca {
    CertifiedIssuer::signed_by(ca_params(name), KeyPair::generate().unwrap(), by).unwrap()
}

fn named(name: &str) -> CertificateParams {
    let mut p = params(name);
    p.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
    p
}

/// A CA certificate with a server's name.
fn ca_of(name: &str) -> CertificateParams {
    let mut p = named(name);
    p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    p
}

fn leaf(p: &CertificateParams, by: &Ca) -> Vec<u8> {
    p.signed_by(&KeyPair::generate().unwrap(), by).unwrap().der().to_vec()
}

fn der(ca: &Ca) -> Vec<u8> {
    ca.der().to_vec()
}

fn only(name: &str, certificates: &[Vec<u8>]) -> Stores {
    Stores::default().with(Store::new(name, certificates.to_vec()))
}

fn pem(text: &str) -> Vec<u8> {
    read_certificates(text.as_bytes()).unwrap().remove(0)
}

const HOST: &str = "ftp.example.org";

#[test]
fn a_good_chain_is_trusted_by_the_list_that_holds_its_root() {
    let root = root("Root");
    let mid = intermediate("Mid", &root);
    let chain = [leaf(&named(HOST), &mid), der(&mid)];
    let stores = Stores::mozilla().with(Store::new("own.pem", [der(&root), vec![1, 2, 3]]));
    let j = judge(&chain, HOST, &stores, Some(NOW));
    assert_eq!(j.is_trusted(), Some(true));
    assert_eq!(j.opinions[0].path, Path::Unknown, "Mozilla does not know it");
    assert_eq!(j.opinions[1].path, Path::Trusted { root: "CN=Root".to_owned(), despite: None });
    assert_eq!((j.name, j.timing, j.missing, j.usage), (NameMatch::Matches, None, None, Usage::Allowed));
    assert_eq!((j.path, j.is_disordered, j.extra.len(), j.weak.len()), (vec![0, 1], false, 0, 0));
    assert_eq!(stores.iter().last().map(|s| (s.len(), s.unreadable)), Some((1, 1)));
    let d = j.certificates[0].details().unwrap();
    assert_eq!((d.subject.as_str(), d.issuer.as_str()), ("CN=ftp.example.org", "CN=Mid"));
    assert_eq!((d.key.describe().as_str(), d.signature.as_str(), d.version), ("EC 256", "SHA256-ECDSA", 3));
    assert_eq!((d.not_before, d.not_after), (1_767_225_600, 1_798_761_600));
    assert_eq!(j.certificates[0].fingerprint().len(), 95);
}

#[test]
fn a_second_opinion_decides_only_alone() {
    let root = root("Root");
    let chain = [leaf(&named(HOST), &root)];
    assert_eq!(judge(&chain, HOST, &Stores::mozilla(), Some(NOW)).is_trusted(), Some(false));
    assert_eq!(judge(&chain, HOST, &Stores::default(), Some(NOW)).is_trusted(), None);
    let mut trusting = Store::new("second", [der(&root)]);
    trusting.is_second_opinion = true;
    let other = Store::new("first", [der(&intermediate("X", &root))]);
    assert_eq!(judge(&chain, HOST, &Stores::default().with(trusting).with(other), None).is_trusted(), Some(false));
}

#[test]
fn time_is_told_apart_from_trust() {
    let root = root("Root");
    let chain = [leaf(&named(HOST), &root)];
    let own = only("own", &[der(&root)]);
    let late = judge(&chain, HOST, &own, Some(NOW + 400 * DAY));
    assert_eq!(late.timing, Some(Timing::Expired { index: 0, not_after: 1_798_761_600 }));
    assert!(late.is_only_late() && late.is_trusted() == Some(false));
    let early = judge(&chain, HOST, &own, Some(NOW - 400 * DAY));
    assert_eq!(early.timing, Some(Timing::NotYet { index: 0, not_before: 1_767_225_600 }));
    assert!(early.is_only_late());
    assert!(!judge(&chain, HOST, &Stores::mozilla(), Some(NOW + 400 * DAY)).is_only_late(), "nor with another clock");
    let undated = judge(&chain, HOST, &own, None);
    assert_eq!((undated.timing, undated.is_trusted()), (None, Some(true)));
}

#[test]
fn an_expired_intermediate_counts_only_if_it_is_needed() {
    let root = root("Root");
    let mut short = ca_params("Mid");
    short.not_after = date_time_ymd(2026, 2, 1);
    let mid = CertifiedIssuer::signed_by(short, KeyPair::generate().unwrap(), &root).unwrap();
    let chain = [leaf(&named(HOST), &mid), der(&mid)];
    let j = judge(&chain, HOST, &only("own", &[der(&root)]), Some(NOW));
    assert!(matches!(j.timing, Some(Timing::Expired { index: 1, .. })));
    assert_eq!(judge(&chain, HOST, &only("own", &[der(&mid)]), Some(NOW)).timing, None, "the list holds it");
    assert_eq!(judge(&chain, HOST, &Stores::default(), Some(NOW)).timing, None, "nobody can tell");
}

#[test]
fn times_that_do_not_overlap_are_no_unknown_authority() {
    let root = root("root");
    let mut old = ca_params("old intermediate");
    (old.not_before, old.not_after) = (date_time_ymd(2015, 1, 1), date_time_ymd(2020, 1, 1));
    let old = CertifiedIssuer::signed_by(old, KeyPair::generate().unwrap(), &root).unwrap();
    let chain = [leaf(&named("a.example"), &old), der(&old)];
    let j = judge(&chain, "a.example", &only("root.pem", &[der(&root)]), Some(NOW));
    assert!(j.is_only_late(), "{:?}", j.opinions);
    assert!(matches!(j.timing, Some(Timing::Expired { index: 1, .. })), "{:?}", j.timing);
    assert_eq!(j.missing, None);
}

#[test]
fn a_name_behind_three_hundred_others_counts() {
    let root = root("root");
    let mut many = named("a.example");
    many.subject_alt_names = (0..300).map(|n| SanType::DnsName(format!("n{n}.example").try_into().unwrap())).collect();
    many.subject_alt_names.push(SanType::DnsName("last.example".try_into().unwrap()));
    let j = judge(&[leaf(&many, &root)], "last.example", &only("root.pem", &[der(&root)]), Some(NOW));
    assert_eq!(j.name, NameMatch::Matches);
}

#[test]
fn names_match_as_webpki_matches_them() {
    let root = root("Root");
    let patterns = ["ftp.example.org", "*.example.net", "xn--bcher-kva.example", "*.com", "MiXed.Example.Org"];
    let mut p = params("other");
    p.subject_alt_names = patterns.iter().map(|n| SanType::DnsName((*n).try_into().unwrap())).collect();
    p.subject_alt_names.push(SanType::IpAddress("192.0.2.7".parse().unwrap()));
    p.subject_alt_names.push(SanType::IpAddress("2001:db8::7".parse().unwrap()));
    let chain = [leaf(&p, &root)];
    let bytes = rustls_pki_types::CertificateDer::from(chain[0].as_slice());
    let theirs = webpki::EndEntityCert::try_from(&bytes).unwrap();
    for name in [
        "ftp.example.org",
        "FTP.Example.ORG",
        "ftp.example.org.",
        "a.example.net",
        "a.b.example.net",
        "example.net",
        "xn--bcher-kva.example",
        "x.com",
        "mixed.example.org",
        "192.0.2.7",
        "192.0.2.8",
        "2001:db8::7",
        "2001:db8:0::7",
        "other",
        "example.org",
    ] {
        let ours = judge(&chain, name, &Stores::default(), None).name;
        let server_name = rustls_pki_types::ServerName::try_from(name).unwrap();
        // A star before a single label covers nothing here, whatever others say.
        let expected = theirs.verify_is_valid_for_subject_name(&server_name).is_ok();
        assert_eq!(ours == NameMatch::Matches, expected && name != "x.com", "{name}: {ours:?}");
    }
    assert_eq!(judge(&chain, "[2001:db8::7]", &Stores::default(), None).name, NameMatch::Matches);
    assert_eq!(judge(&chain, "", &Stores::default(), None).name, NameMatch::NotJudged);
    let bare = [leaf(&params(HOST), &root)];
    let j = judge(&bare, HOST, &Stores::default(), None);
    assert_eq!((j.name, j.weak[0].kind), (NameMatch::OnlyCommonName, "name"));
    assert_eq!(judge(&bare, "else.example.org", &Stores::default(), None).name, NameMatch::Differs);
}

#[test]
fn self_signed_is_said_to_be_self_signed() {
    for p in [named(HOST), ca_of(HOST)] {
        let own = p.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let chain = [own.clone()];
        let j = judge(&chain, HOST, &Stores::mozilla(), Some(NOW));
        assert!(j.is_self_signed && j.is_trusted() == Some(false) && j.missing.is_none());
        let pinned = judge(&chain, HOST, &only("own", &[own]), Some(NOW));
        assert_eq!((pinned.is_trusted(), &pinned.opinions[0].path), (Some(true), &Path::Pinned));
    }
    // The same two names, and still another key: that is no self-signed certificate.
    let root = root("Same");
    assert!(!judge(&[leaf(&params("Same"), &root)], "", &Stores::default(), None).is_self_signed);
}

#[test]
fn a_missing_intermediate_is_told_from_an_unknown_root() {
    let root = root("Root");
    let mid = intermediate("Mid", &root);
    let own = only("own", &[der(&root)]);
    let ought = |p: &CertificateParams| {
        let j = judge(&[leaf(p, &mid)], HOST, &own, Some(NOW));
        assert_eq!(j.opinions[0].path, Path::Unknown);
        let missing = j.missing.unwrap();
        assert_eq!((missing.issuer.as_str(), missing.below), ("CN=Mid", 0));
        (missing.ought_to_be_sent, missing.url)
    };
    assert_eq!(ought(&named(HOST)), (None, None), "it may be a root");
    let url = "http://ca.example/mid.cer";
    let mut aia = named(HOST);
    let uri = [&[0x86, url.len() as u8][..], url.as_bytes()].concat();
    let access = [&[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 48, 2][..], &uri].concat();
    aia.custom_extensions = vec![CustomExtension::from_oid_content(
        &[1, 3, 6, 1, 5, 5, 7, 1, 1],
        super::der::sequence(&super::der::sequence(&access)),
    )];
    assert_eq!(ought(&aia), (Some(false), Some(url.to_owned())), "likely");
    let mut public = named(HOST);
    let policy = super::der::sequence(&super::der::sequence(&[6, 6, 0x67, 0x81, 0x0c, 1, 2, 1]));
    public.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 32], policy)];
    assert_eq!(ought(&public), (Some(true), None), "proved");
    let called = intermediate("Example Issuing CA", &root);
    let by_name = judge(&[leaf(&named(HOST), &called)], HOST, &own, Some(NOW)).missing.unwrap();
    assert_eq!(by_name.ought_to_be_sent, Some(false), "by its name");
    // With the intermediate, it is the root that is not known: nobody has to send that.
    let whole = judge(&[leaf(&public, &mid), der(&mid)], HOST, &Stores::mozilla(), Some(NOW));
    assert_eq!(whole.missing.unwrap().ought_to_be_sent, None);
}

#[test]
fn order_and_extra_certificates_are_noticed() {
    let root = root("Root");
    let (one, two) = (intermediate("One", &root), self::root("Else"));
    let under = CertifiedIssuer::signed_by(ca_params("Two"), KeyPair::generate().unwrap(), &one).unwrap();
    let chain = [leaf(&named(HOST), &under), der(&one), der(&two), der(&under)];
    let j = judge(&chain, HOST, &only("own", &[der(&root)]), Some(NOW));
    assert_eq!((j.path, j.is_disordered, j.extra), (vec![0, 3, 1], true, vec![2]));
    assert!(j.opinions[0].path.is_trusted(), "whoever sorts them finds the way");
}

#[test]
fn a_wrong_usage_is_named() {
    let root = root("Root");
    let mut p = named(HOST);
    p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let j = judge(&[leaf(&p, &root)], HOST, &only("own", &[der(&root)]), Some(NOW));
    assert_eq!(j.usage, Usage::Wrong("extended key usage lacks serverAuth"));
    assert!(matches!(j.opinions[0].path, Path::Refused { .. }));
    assert_eq!(j.leaf().unwrap().usages, ["clientAuth"]);
    p.extended_key_usages.clear();
    p.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign];
    assert!(matches!(judge(&[leaf(&p, &root)], "", &Stores::default(), None).usage, Usage::Wrong(_)));
}

#[test]
fn what_webpki_does_not_read_is_read_all_the_same() {
    let chain = [pem(VERSION_1)];
    let at = Some(judge(&chain, "", &Stores::default(), None).leaf().unwrap().not_before + DAY);
    let j = judge(&chain, HOST, &only("own", &[pem(OLD_CA)]), at);
    assert_eq!(j.opinions[0].path, Path::Trusted { root: "CN=Old CA".to_owned(), despite: Some("version 1") });
    assert_eq!(j.leaf().unwrap().version, 1);
    assert!(j.weak.iter().any(|w| w.kind == "version") && j.name == NameMatch::OnlyCommonName);
    let late = judge(&chain, HOST, &only("own", &[pem(OLD_CA)]), Some(0));
    assert!(late.is_only_late());
    // A CA that a server shows as its own certificate, under a root that is known.
    let root = root("Root");
    let p = ca_of(HOST);
    let j = judge(&[leaf(&p, &root)], HOST, &only("own", &[der(&root)]), Some(NOW));
    assert_eq!(j.is_trusted(), Some(true));
    assert!(!judge(&[leaf(&p, &root)], HOST, &only("own", &[pem(OLD_CA)]), Some(NOW)).opinions[0].path.is_trusted());
}

#[test]
fn a_leaf_is_no_authority() {
    let root = root("Root");
    let between = CertifiedIssuer::signed_by(named("leaf.example"), KeyPair::generate().unwrap(), &root).unwrap();
    for p in [named(HOST), ca_of(HOST)] {
        let chain = [leaf(&p, &between), der(&between)];
        assert_eq!(judge(&chain, HOST, &only("own", &[der(&root)]), Some(NOW)).is_trusted(), Some(false));
    }
}

#[test]
fn weak_keys_and_signatures_are_found() {
    let j = judge(&[pem(RSA_1024)], HOST, &Stores::mozilla(), None);
    let d = j.leaf().unwrap();
    assert_eq!((d.subject.as_str(), d.key.describe().as_str()), ("CN=ftp.example.org, O=A\\, B, C=US", "RSA 1024"));
    assert_eq!(d.addresses, ["192.0.2.7".parse::<core::net::IpAddr>().unwrap()]);
    assert!(j.is_self_signed && j.weak.iter().any(|w| w.kind == "key" && w.what == "RSA 1024"));
    assert_eq!(d.signature, "SHA1-RSA");
}

#[test]
fn hostile_chains_are_judged_too() {
    let root = root("Root");
    let good = leaf(&named(HOST), &root);
    for cut in 0..good.len() {
        let j = judge(&[good[..cut].to_vec(), good.clone()], HOST, &Stores::mozilla(), Some(i64::MIN));
        assert!(j.certificates[0].read.is_err() && j.leaf().is_none() && j.path.is_empty());
    }
    for n in 0..good.len() {
        let mut bad = good.clone();
        bad[n] ^= 0x55;
        judge(&[bad, der(&root)], HOST, &only("own", &[der(&root)]), Some(i64::MAX));
    }
    let many: Vec<Vec<u8>> = (0..200).map(|_| good.clone()).collect();
    let j = judge(&many, HOST, &Stores::mozilla(), None);
    assert_eq!((j.sent, j.certificates.len()), (200, MOST));
    let long = judge(&[vec![0x30; LONGEST + 1]], HOST, &Stores::mozilla(), None);
    assert_eq!(long.certificates[0].read, Err("longer than 64 kB"));
    judge(&[], "", &Stores::mozilla(), Some(0));
}

#[test]
fn certificates_are_read_in_the_forms_that_people_have() {
    let both = format!("Bag Attributes\n  subject=x\n{VERSION_1}\r\nnoise {OLD_CA}");
    let two = read_certificates(both.as_bytes()).unwrap();
    assert_eq!(two.len(), 2);
    assert_eq!(read_certificates(&two[0]).unwrap(), two[..1]);
    assert_eq!(read_certificates(&two.concat()).unwrap(), two);
    let mut from_pkcs7 = read_certificates(PKCS7.as_bytes()).unwrap();
    from_pkcs7.sort();
    let mut sorted = two.clone();
    sorted.sort();
    assert_eq!(from_pkcs7, sorted);
    let bytes = super::pem::blocks(PKCS7.as_bytes()).remove(0).bytes.unwrap();
    assert_eq!(read_certificates(&bytes).unwrap().len(), 2);
    for (bad, says) in [
        (&b""[..], "empty"),
        (b"hello", "neither PEM nor DER"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "a private key but no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAA", "cut short"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", "request"),
        (b"\xfe\xed\xfe\xed\0\0", "Java key store"),
        (&two[0][..40], "ends early"),
    ] {
        let problem = read_certificates(bad).unwrap_err();
        assert!(problem.problem.contains(says) && !problem.advice.is_empty(), "{problem:?}");
    }
}

fn refused(cert: &[u8], key: Option<&[u8]>, password: Option<&str>) -> String {
    match read_identity(cert, key, password) {
        Ok(_) => panic!("expected a problem"),
        Err(problem) => format!("{}; {}", problem.problem, problem.advice),
    }
}

#[test]
fn identities_are_read_in_the_forms_that_people_have() {
    let pair = KeyPair::generate().unwrap();
    let made = named(HOST).self_signed(&pair).unwrap();
    let (cert, key) = (made.pem(), pair.serialize_pem());
    for (cert, key) in [(format!("{key}\n{cert}"), None), (cert.clone(), Some(key.clone()))] {
        let Ok(id) = read_identity(cert.as_bytes(), key.as_ref().map(|k| k.as_bytes()), None) else { panic!() };
        assert_eq!((id.chain, id.key.der()), (vec![made.der().to_vec()], pair.serialized_der()));
    }
    let Ok(id) = read_identity(made.der(), Some(pair.serialized_der()), None) else { panic!() };
    assert!(matches!(id.key, PrivateKey::Pkcs8(_)));
    assert!(refused(cert.as_bytes(), None, None).contains("no private key"));
    assert!(refused(made.der(), None, None).contains("no private key"));
    assert!(refused(key.as_bytes(), None, None).contains("no certificate"));
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
    assert!(refused(cert.as_bytes(), Some(locked.as_bytes()), None).contains("openssl pkey"));
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,00\n\nAAAA\n-----END RSA PRIVATE KEY-----";
    assert!(refused(cert.as_bytes(), Some(old.as_bytes()), None).contains("encrypted"));
}

#[test]
fn pkcs12_wants_its_password() {
    let file = super::pem::blocks(PKCS12.as_bytes()).remove(0).bytes.unwrap();
    let Ok(id) = read_identity(&file, None, Some("geheim")) else { panic!() };
    assert_eq!(id.chain, [pem(VERSION_1), pem(OLD_CA)]);
    assert!(matches!(id.key, PrivateKey::Pkcs8(_)));
    assert!(refused(&file, None, Some("falsch")).contains("wrong"));
    assert!(refused(&file, None, None).contains("FTPSDIAG_CERT_PASSWORD"));
    assert!(refused(&file[..300], None, Some("geheim")).contains("PKCS#12") || !file.is_empty());
    assert!(read_certificates(&file).unwrap_err().problem.contains("PKCS#12"));
}

//! Clients against sets that were made by hand.

use super::*;
use crate::codes::{self, client_profiles};

fn profile(product: &str, releases: &str) -> &'static ClientProfile {
    client_profiles().find(|p| p.product == product && p.releases == releases).unwrap()
}

fn set(taken: &[u16], order: Option<Order>) -> Set {
    let numbers = codes::groups().chain(codes::signature_schemes()).map(|n| n.id);
    let all = numbers.chain(codes::cipher_suites().map(|s| s.id));
    let refused = all.filter(|n| !taken.contains(n)).collect();
    Set { taken: taken.to_vec(), refused, order, complete: true }
}

pub(super) fn of(version: u16, suites: &[u16], order: Option<Order>) -> OfVersion {
    OfVersion {
        version,
        takes: Takes::Yes,
        suites: set(suites, order),
        groups: set(&[0x001d, 0x0017, 0x0018], order),
        schemes: set(&[0x0804, 0x0401, 0x0501, 0x0601], order),
    }
}

fn refused(version: u16) -> OfVersion {
    OfVersion { version, takes: Takes::No, ..OfVersion::default() }
}

pub(super) fn server(versions: Vec<OfVersion>) -> Accepts {
    let mut all: Vec<OfVersion> = VERSIONS.map(refused).to_vec();
    for of in versions {
        let place = all.iter_mut().find(|v| v.version == of.version).unwrap();
        *place = of;
    }
    Accepts { versions: all, ..Accepts::default() }
}

/// vsftpd with `ssl_ciphers=HIGH`: TLS 1.2 and 1.3, the client's order.
pub(crate) fn vsftpd() -> Accepts {
    let high = [0xc02c, 0xc030, 0x009f, 0xc02b, 0xc02f, 0x009e, 0xc028, 0xc014, 0x009d, 0x003d, 0x0035, 0x002f];
    let order = Some(Order::Client);
    server(vec![of(TLS13, &[0x1302, 0x1303, 0x1301], order), of(TLS12, &high, order)])
}

pub(crate) const RSA: Keys = Keys { rsa: Some(2048), ecdsa: None };

fn asked(product: &str, releases: &str, server: &Accepts) -> Admission {
    admits(profile(product, releases), server, &RSA)
}

#[test]
fn z_os_with_tls_1_0_alone_has_no_version_in_common_with_vsftpd() {
    assert_eq!(asked("zos-native", "V2R3 to V2R5", &vsftpd()), Admission::Out(Why::Version));
    assert_eq!(asked("java", "7u25", &vsftpd()), Admission::Out(Why::Version));
    let switched = asked("zos-native", "V2R3, TLS 1.2 switched on", &vsftpd());
    assert_eq!(switched, Admission::In { version: TLS12, suite: 0x0035, group: None, sure: true });
}

/// A prime counts where DHE is what would be chosen.
#[test]
fn old_java_cannot_calculate_with_long_primes() {
    let dhe = |bits| Accepts { prime_bits: Some(bits), ..server(vec![of(0x0301, &[0x0033], None)]) };
    assert!(matches!(asked("java", "7u25", &dhe(1024)), Admission::In { suite: 0x0033, .. }));
    assert_eq!(asked("java", "7u25", &dhe(2048)), Admission::Out(Why::Prime { bits: 2048, most: 1024 }));
    let rsa = Accepts { prime_bits: Some(2048), ..server(vec![of(0x0301, &[0x002f], None)]) };
    assert!(matches!(asked("java", "7u25", &rsa), Admission::In { suite: 0x002f, .. }));
}

#[test]
fn windows_before_10_has_no_suite_in_common_with_ecdhe_and_gcm() {
    let modern = server(vec![of(TLS12, &[0xc030, 0xc02f], Some(Order::Server))]);
    let seven = asked("schannel", "Windows 7, Server 2008 R2, TLS 1.2 switched on", &modern);
    assert_eq!(seven, Admission::Out(Why::Suite(TLS12)));
    let ten = asked("schannel", "Windows 10, Server 2016", &modern);
    assert_eq!(ten, Admission::In { version: TLS12, suite: 0xc030, group: Some(0x0017), sure: true });
}

#[test]
fn the_order_decides_and_is_said_to_be_unknown_where_it_is() {
    let of_order = |order| server(vec![of(TLS12, &[0xc02f, 0xc030], order)]);
    let suite = |server: &Accepts| match asked("openssl", "1.1.0", server) {
        Admission::In { suite, sure, .. } => (suite, sure),
        other => panic!("{other:?}"),
    };
    assert_eq!(suite(&of_order(Some(Order::Server))), (0xc02f, true));
    assert_eq!(suite(&of_order(Some(Order::Client))), (0xc030, true));
    assert_eq!(suite(&of_order(None)), (0xc030, false));
}

#[test]
fn tls_1_3_that_does_not_fit_is_no_tls_1_2() {
    let mut other_group = vsftpd();
    other_group.versions[0].groups = set(&[0x0100], None);
    assert_eq!(asked("go", "1.19.8", &other_group), Admission::Out(Why::Group(TLS13)));
    let mut ecdsa = vsftpd();
    ecdsa.versions[0].schemes = set(&[0x0905], None);
    assert_eq!(asked("go", "1.19.8", &ecdsa), Admission::Out(Why::Scheme(TLS13)));
    let mut ccm = vsftpd();
    ccm.versions[0].suites = set(&[0x1304], None);
    assert_eq!(asked("curl", "7.88.1", &ccm), Admission::Out(Why::Suite(TLS13)));
    let kept = asked("lftp", "4.9.2", &ccm);
    assert!(matches!(kept, Admission::In { version: TLS13, suite: 0x1304, .. }), "{kept:?}");
}

#[test]
fn who_has_no_group_or_scheme_in_common_gets_in_by_rsa() {
    let mut server = server(vec![of(TLS12, &[0xc030, 0x0035], Some(Order::Server))]);
    server.versions[1].groups = set(&[0x001e], None);
    let ten = asked("schannel", "Windows 10, Server 2016", &server);
    assert_eq!(ten, Admission::In { version: TLS12, suite: 0x0035, group: None, sure: true });
    server.versions[1].suites = set(&[0xc030], None);
    assert_eq!(asked("schannel", "Windows 10, Server 2016", &server), Admission::Out(Why::Group(TLS12)));
}

#[test]
fn without_signature_algorithms_tls_1_2_means_sha_1() {
    let mut bare = profile("openssl", "1.1.0").clone();
    bare.schemes = None;
    let modern = server(vec![of(TLS12, &[0xc030], None)]);
    assert_eq!(admits(&bare, &modern, &RSA), Admission::Out(Why::Scheme(TLS12)));
    let mut old = modern;
    old.versions[1].schemes.taken.push(0x0201);
    assert!(matches!(admits(&bare, &old, &RSA), Admission::In { suite: 0xc030, .. }));
}

#[test]
fn openssl_3_takes_no_old_signature() {
    let old = |suites: &[u16]| server(vec![of(0x0301, suites, Some(Order::Server))]);
    assert_eq!(asked("openssl", "3.0", &old(&[0xc014, 0x0035])), Admission::Out(Why::OldSignature(0x0301)));
    assert!(matches!(asked("openssl", "3.0", &old(&[0x0035, 0xc014])), Admission::In { suite: 0x0035, .. }));
    let mut unknown = old(&[0x0035, 0xc014]);
    unknown.versions[3].suites.order = None;
    assert_eq!(asked("openssl", "3.0", &unknown), Admission::Unknown(Lack::Order));
    assert!(matches!(asked("openssl", "1.1.1", &old(&[0xc014])), Admission::In { suite: 0xc014, .. }));
}

#[test]
fn short_keys_are_refused_by_those_that_are_known_to() {
    let short = Keys { rsa: Some(512), ecdsa: None };
    let native = profile("zos-native", "V2R3, TLS 1.2 switched on");
    assert_eq!(admits(native, &vsftpd(), &short), Admission::Out(Why::Key { bits: 512, least: 1024 }));
    assert_eq!(admits(native, &vsftpd(), &Keys::default()), Admission::Unknown(Lack::Keys));
}

#[test]
fn what_is_unknown_of_the_server_stays_unknown() {
    let nothing = Accepts::default();
    assert!(client_profiles().all(|p| matches!(admits(p, &nothing, &RSA), Admission::Unknown(_))));
    let mut part = vsftpd();
    part.versions.retain(|v| v.version != TLS13);
    assert_eq!(asked("curl", "7.88.1", &part), Admission::Unknown(Lack::Version(TLS13)));
    assert!(matches!(asked("openssl", "1.1.0", &part), Admission::In { version: TLS12, .. }));
    // A version that was not asked does no harm to who would not take it.
    part.versions.retain(|v| v.version != 0x0300);
    assert_eq!(asked("zos-native", "V2R3 to V2R5", &part), Admission::Out(Why::Version));
    assert_eq!(asked("zos-native", "V1R13, V2R1", &part), Admission::Unknown(Lack::Version(0x0300)));
    let mut suites = vsftpd();
    suites.versions[1].suites = Set::default();
    assert_eq!(asked("openssl", "1.1.0", &suites), Admission::Unknown(Lack::Suites(TLS12)));
    let mut groups = vsftpd();
    groups.versions[0].groups = Set::default();
    groups.versions[1].groups = Set::default();
    assert_eq!(asked("go", "1.19.8", &groups), Admission::Unknown(Lack::Groups));
    let mut schemes = vsftpd();
    schemes.versions[0].schemes = Set::default();
    assert_eq!(asked("go", "1.19.8", &schemes), Admission::Unknown(Lack::Schemes));
}

#[test]
fn a_suite_that_was_not_asked_may_come_before_those_that_fit() {
    let mut server = server(vec![of(TLS12, &[0xc02f], Some(Order::Server))]);
    server.versions[1].suites.refused.remove(&0xc030);
    let openssl = asked("openssl", "1.1.0", &server);
    assert_eq!(openssl, Admission::In { version: TLS12, suite: 0xc02f, group: Some(0x001d), sure: false });
    server.versions[1].suites.order = Some(Order::Client);
    assert!(matches!(asked("openssl", "1.1.0", &server), Admission::In { sure: false, .. }));
    server.versions[1].suites.refused.remove(&0x002f);
    server.versions[1].suites.refused.insert(0xc030);
    assert!(matches!(asked("openssl", "1.1.0", &server), Admission::In { sure: true, .. }));
}

#[test]
fn what_is_unknown_of_the_client_stays_unknown() {
    assert_eq!(asked("zos-attls", "V2R1 to V3R1", &vsftpd()), Admission::Out(Why::Version));
    assert_eq!(asked("zos-attls", "V2R1 to V3R1, TLSv1.2 On", &vsftpd()), Admission::Unknown(Lack::ClientSuites));
    assert_eq!(asked("ibm-i", "7.3 with TLS 1.3", &vsftpd()), Admission::Unknown(Lack::ClientGroups));
    let cbc = server(vec![of(TLS12, &[0x0067], None)]);
    assert_eq!(asked("ibm-i", "7.3 with TLS 1.3", &cbc), Admission::Out(Why::Suite(TLS12)));
    let old = server(vec![of(0x0301, &[0x0004], None)]);
    assert_eq!(asked("java", "6u45", &old), Admission::Unknown(Lack::Format));
    assert_eq!(asked("java", "6u45", &server(vec![of(0x0301, &[0xc014], None)])), Admission::Out(Why::Suite(0x0301)));
}

#[test]
fn a_server_that_chooses_what_the_client_has_not_got_lets_nobody_in() {
    let server = server(vec![of(0x0302, &[0x0035], None), of(0x0301, &[0x0035], None)]);
    assert_eq!(asked("zos-native", "V2R3, TLS 1.2 switched on", &server), Admission::Out(Why::Version));
    assert!(matches!(asked("zos-native", "V2R3 to V2R5", &server), Admission::In { version: 0x0301, .. }));
}

#[test]
fn an_ecdsa_certificate_needs_its_curve() {
    let mut server = server(vec![of(TLS12, &[0xc02b], None)]);
    server.versions[1].schemes.taken.push(0x0403);
    let curve = |ecdsa| admits(profile("schannel", "Windows 10, Server 2016"), &server, &Keys { rsa: None, ecdsa });
    assert_eq!(curve(Some(0x0019)), Admission::Out(Why::Group(TLS12)));
    assert_eq!(curve(None), Admission::Unknown(Lack::Keys));
    assert!(matches!(curve(Some(0x0017)), Admission::In { suite: 0xc02b, .. }));
}

/// Numbers in an order that a seed decides.
fn dice(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// The same set with some of it unknown.
fn partly(set: &Set, seed: &mut u64) -> Set {
    let mut out = set.clone();
    out.taken.retain(|_| !dice(seed).is_multiple_of(4));
    if dice(seed).is_multiple_of(2) {
        out.refused.retain(|_| !dice(seed).is_multiple_of(4));
    }
    if dice(seed).is_multiple_of(4) {
        out.order = None;
    }
    out
}

/// What is said with less knowledge holds with more.
#[test]
fn nothing_is_said_that_more_knowledge_would_contradict() {
    let numbers = |list: fn(&ClientProfile) -> Vec<u16>| {
        let mut all: Vec<u16> = client_profiles().flat_map(list).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let suites = numbers(|p| p.suites.numbers.clone());
    let groups = numbers(|p| p.groups.iter().flat_map(|l| l.numbers.clone()).collect());
    let schemes = numbers(|p| p.schemes.iter().flat_map(|l| l.numbers.clone()).collect());
    let mut seed = 1;
    for _ in 0..25 {
        let some = |all: &[u16], order, seed: &mut u64| {
            let share = 2 + dice(seed) % 12;
            let (taken, refused): (Vec<u16>, Vec<u16>) = all.iter().partition(|_| dice(seed).is_multiple_of(share));
            Set { taken, refused: refused.into_iter().collect(), order, complete: true }
        };
        let order = if dice(&mut seed).is_multiple_of(2) { Order::Client } else { Order::Server };
        let versions = VERSIONS.map(|version| OfVersion {
            version,
            takes: if dice(&mut seed).is_multiple_of(3) { Takes::No } else { Takes::Yes },
            suites: some(&suites, Some(order), &mut seed),
            groups: some(&groups, Some(order), &mut seed),
            schemes: some(&schemes, None, &mut seed),
        });
        let whole = Accepts { versions: versions.to_vec(), ..Accepts::default() };
        let keys = Keys { rsa: Some([512, 1024, 4096][dice(&mut seed) as usize % 3]), ecdsa: Some(0x0017) };
        let less = whole.versions.iter().map(|of| OfVersion {
            version: of.version,
            takes: if dice(&mut seed).is_multiple_of(6) { Takes::Unknown } else { of.takes },
            suites: partly(&of.suites, &mut seed),
            // Groups of one version stand for another where that was not asked, so all are known a little.
            groups: of.groups.clone(),
            schemes: partly(&of.schemes, &mut seed),
        });
        let part = Accepts { versions: less.collect(), ..Accepts::default() };
        let fewer = if dice(&mut seed).is_multiple_of(2) { keys } else { Keys::default() };
        for p in client_profiles() {
            let (full, partial) = (admits(p, &whole, &keys), admits(p, &part, &fewer));
            let holds = match partial {
                Admission::Unknown(_) => true,
                Admission::Out(_) => matches!(full, Admission::Out(_)),
                Admission::In { version, suite, sure: true, .. } => {
                    matches!(full, Admission::In { version: v, suite: s, .. } if (v, s) == (version, suite))
                }
                Admission::In { version, .. } => matches!(full, Admission::In { version: v, .. } if v == version),
            };
            assert!(holds, "{} {}: {partial:?}, but {full:?}", p.product, p.releases);
        }
    }
}

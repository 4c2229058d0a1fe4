//! What an audit asks, of servers that are models: no socket, no clock.
#![cfg(feature = "live")]

#[path = "audit/cuts.rs"]
mod cuts;
#[path = "audit/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};

use ftpsdiag::probe::{Audit, Auditor, Parts, Patience, Plan, ServerName, TlsClient, Where};
use ftpsdiag::report::{About, AuditOut, Report, VersionOut, diagnose};
use ftpsdiag::transcript::{Asked, Micros, Mode};
use world::{Came, Dial, Model, Says, alert, run};

fn plan() -> Plan {
    Plan {
        asked: Asked { target: "ftp.example.org:21".to_owned(), mode: Mode::Explicit, ..Asked::default() },
        host: "ftp.example.org".to_owned(),
        port: 21,
        to: Ok(vec![Where::Address(([192, 0, 2, 7], 21).into())]),
        server_name: ServerName::Send("ftp.example.org".to_owned()),
        tls: TlsClient::new(None).unwrap(),
        patience: Patience::default(),
        random: [7; 32],
        login: None,
    }
}

fn audit(only: &str) -> Audit {
    let parts = if only.is_empty() { Parts::all() } else { Parts::parse(only).unwrap() };
    Audit { parts, parallel: 4, gentle: false, clients: Vec::new() }
}

fn report(came: &Came) -> Report {
    let mut transcript = came.transcript.clone();
    transcript.origin.asked = Some(plan().asked);
    diagnose(transcript, &About::default())
}

fn audited(how: Audit, model: Model) -> (AuditOut, Came) {
    let came = run(&mut Auditor::new(plan(), how), model);
    (report(&came).audit.expect("an audit"), came)
}

fn version<'a>(audit: &'a AuditOut, name: &str) -> &'a VersionOut {
    audit.versions.iter().find(|v| v.name == name).unwrap_or_else(|| panic!("{name} was not asked"))
}

fn ids(list: &ftpsdiag::report::ListOut) -> Vec<u16> {
    list.taken.iter().map(|n| u16::from_str_radix(&n.id, 16).unwrap()).collect()
}

fn set(list: &[u16]) -> BTreeSet<u16> {
    list.iter().copied().collect()
}

const MODERN: [u16; 12] =
    [0xc030, 0xc02f, 0xcca8, 0xc028, 0xc014, 0x009d, 0x0035, 0x002f, 0xc027, 0xc013, 0x003d, 0x000a];

fn modern() -> BTreeMap<u16, Vec<u16>> {
    BTreeMap::from([(0x0303, MODERN.to_vec()), (0x0304, vec![0x1302, 0x1301, 0x1303])])
}

#[test]
fn a_server_that_follows_the_client() {
    let (audit, came) = audited(audit("versions,suites"), Model { versions: modern(), ..Model::default() });
    let (tls12, tls13) = (version(&audit, "TLS 1.2"), version(&audit, "TLS 1.3"));
    assert_eq!(set(&ids(&tls12.suites)), set(&MODERN));
    assert_eq!(set(&ids(&tls13.suites)), set(&[0x1301, 0x1302, 0x1303]));
    assert_eq!((tls12.suites.order.as_deref(), tls12.suites.complete), (Some("client"), true));
    for name in ["TLS 1.1", "TLS 1.0", "SSL 3.0", "SSL 2"] {
        assert_eq!(version(&audit, name).takes, "no", "{name}");
    }
    // Pairs that are taken, and twelve more.
    assert!(came.dialled <= MODERN.len() + 3 + 12, "{} connections", came.dialled);
    assert_eq!(came.at_once, 4);
    assert_eq!((audit.busy, audit.complaint), (0, None));
}

#[test]
fn a_server_with_an_order_of_its_own() {
    let model = Model { versions: modern(), own_order: true, groups: vec![0x0017, 0x001d, 0x0019], ..Model::default() };
    let (audit, _) = audited(audit(""), model);
    let tls12 = version(&audit, "TLS 1.2");
    assert_eq!((ids(&tls12.suites), tls12.suites.order.as_deref()), (MODERN.to_vec(), Some("server")));
    assert_eq!(ids(&version(&audit, "TLS 1.3").suites), [0x1302, 0x1301, 0x1303]);
    for name in ["TLS 1.3", "TLS 1.2"] {
        let groups = &version(&audit, name).groups;
        assert_eq!((ids(groups), groups.order.as_deref()), (vec![0x0017, 0x001d, 0x0019], Some("server")), "{name}");
    }
    assert_eq!(set(&ids(&tls12.schemes)), set(&[0x0804, 0x0401]));
    assert_eq!(ids(&version(&audit, "TLS 1.3").schemes), [0x0804], "rsa_pkcs1_sha256 is no scheme of TLS 1.3");
}

#[test]
fn a_server_that_ends_on_long_lists() {
    let model = Model { versions: modern(), longest: 60, ..Model::default() };
    let (audit, _) = audited(audit("versions,suites"), model);
    assert_eq!(set(&ids(&version(&audit, "TLS 1.2").suites)), set(&MODERN));
    assert_eq!(version(&audit, "TLS 1.2").takes, "yes");
}

#[test]
fn a_server_that_refuses_in_text_or_without_a_word() {
    for refuses in [
        || Says::Last(b"550 TLS handshake failed\r\n".to_vec()),
        || Says::Last([alert(40), b"421 no\r\n".to_vec()].concat()),
        || Says::Ends,
    ] as [fn() -> Says; 3]
    {
        let (audit, _) = audited(audit("versions,suites"), Model { versions: modern(), refuses, ..Model::default() });
        assert_eq!(set(&ids(&version(&audit, "TLS 1.2").suites)), set(&MODERN));
        for name in ["TLS 1.1", "TLS 1.0", "SSL 3.0"] {
            assert_eq!(version(&audit, name).takes, "no", "{name}: never misread as accepted");
        }
    }
}

#[test]
fn a_server_that_says_nothing_to_what_it_does_not_know() {
    let model = Model { versions: modern(), refuses: || Says::Nothing, ..Model::default() };
    let (audit, _) = audited(audit("versions,suites"), model);
    assert_eq!(set(&ids(&version(&audit, "TLS 1.2").suites)), set(&MODERN));
    assert_ne!(version(&audit, "TLS 1.0").takes, "yes");
}

#[test]
fn a_server_that_answers_what_was_not_offered() {
    let model = Model { versions: modern(), stubborn: Some(0x0005), ..Model::default() };
    let (audit, came) = audited(audit("versions,suites"), model);
    // It takes its one suite where that was offered, and nothing else is believed.
    assert_eq!(ids(&version(&audit, "TLS 1.2").suites), [0x0005]);
    assert!(ids(&version(&audit, "TLS 1.3").suites).is_empty());
    assert!(came.dialled < 30);
}

#[test]
fn a_server_that_dies_half_way() {
    let dial =
        Box::new(|n: usize, _: usize, _: Micros| if n < 9 { Dial::Greets("220 ready\r\n") } else { Dial::Refuses });
    let (audit, came) = audited(audit("versions,suites"), Model { versions: modern(), dial, ..Model::default() });
    let known = &version(&audit, "TLS 1.2").suites;
    assert!(!known.complete && set(&ids(known)).is_subset(&set(&MODERN)) && !known.taken.is_empty());
    assert!(audit.busy > 0 && audit.complaint.is_some());
    assert!(came.dialled < 9 + 30, "{} dials: it does not hammer", came.dialled);
    assert!(came.took < Micros(120_000_000), "{:?}", came.took);
}

#[test]
fn a_server_that_bans_for_a_while() {
    // Ten connections, then nobody for ten seconds.
    let mut banned: Option<u64> = None;
    let dial = Box::new(move |n: usize, _: usize, Micros(now): Micros| {
        if n == 10 {
            banned = Some(now + 10_000_000);
        }
        match banned {
            Some(until) if now < until => Dial::Greets("421 Too many connections, try again later\r\n"),
            _ => Dial::Greets("220 ready\r\n"),
        }
    });
    let (audit, _) = audited(audit("versions,suites"), Model { versions: modern(), dial, ..Model::default() });
    let known = &version(&audit, "TLS 1.2").suites;
    assert_eq!((set(&ids(known)), known.complete), (set(&MODERN), true), "the same answer, later");
    assert!(audit.busy > 0);
    assert_eq!(audit.complaint.as_deref(), Some("421 Too many connections, try again later"));
}

#[test]
fn a_server_that_takes_two_at_a_time() {
    let dial = Box::new(|_: usize, open: usize, _: Micros| {
        if open < 2 {
            Dial::Greets("220 ready\r\n")
        } else {
            Dial::Greets("421 Too many connections from your address\r\n")
        }
    });
    let (audit, came) = audited(audit(""), Model { versions: modern(), dial, ..Model::default() });
    assert_eq!(set(&ids(&version(&audit, "TLS 1.2").suites)), set(&MODERN));
    assert!(version(&audit, "TLS 1.2").suites.complete && audit.busy < 12, "{} complaints", audit.busy);
    assert!(came.at_once <= 4);
}

#[test]
fn who_is_gentle_asks_one_at_a_time() {
    let (_, came) =
        audited(Audit { gentle: true, ..audit("versions,suites") }, Model { versions: modern(), ..Model::default() });
    assert_eq!(came.at_once, 1);
    assert!(came.took > Micros(u64::try_from(came.dialled).unwrap() * 300_000 / 2));
}

#[test]
fn without_tls_nothing_is_asked() {
    let dial = Box::new(|_: usize, _: usize, _: Micros| Dial::Greets("421 no\r\n"));
    let came = run(&mut Auditor::new(plan(), audit("")), Model { dial, ..Model::default() });
    assert_eq!((came.dialled, report(&came).audit), (1, None));
}

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// Servers that say anything: the audit ends, stays within its bounds, and believes nothing that was not offered.
#[test]
fn servers_that_say_anything() {
    for seed in 1..150u64 {
        let (mut words, mut dials) = (Dice(seed * 0x9e37_79b9), Dice(seed * 0x2545_f491));
        let says = move || {
            let mut bytes: Vec<u8> = match words.next(6) {
                0 => alert(u8::try_from(words.next(256)).unwrap()),
                1 => b"234 go\r\n550 no\r\n".to_vec(),
                2 => vec![22, 3, 3, 0, 46, 2, 0, 0, 42, 3, 3],
                3 => vec![0x80, 46, 4, 0, 1, 0, 2],
                4 => vec![22, 3, 3, 0xff, 0xff, 2],
                _ => Vec::new(),
            };
            bytes.extend((0..words.next(60)).map(|_| u8::try_from(words.next(256)).unwrap()));
            match words.next(4) {
                0 => Says::Ends,
                1 => Says::Nothing,
                2 => Says::Bytes(bytes),
                _ => Says::Last(bytes),
            }
        };
        let dial = Box::new(move |_: usize, _: usize, _: Micros| match dials.next(9) {
            0 => Dial::Refuses,
            1 => Dial::Greets("421 not now\r\n"),
            2 => Dial::Greets("\u{16}\u{3}\u{1}"),
            _ => Dial::Greets("220 ready\r\n"),
        });
        let came = run(
            &mut Auditor::new(plan(), audit("")),
            Model { anything: Some(Box::new(says)), dial, ..Model::default() },
        );
        assert!(came.dialled < 600 && came.at_once <= 4, "{seed}: {} dials, {} at once", came.dialled, came.at_once);
        if let Some(audit) = report(&came).audit {
            for v in &audit.versions {
                assert!(v.takes != "no" || audit.versions.iter().any(|v| v.takes == "yes"), "{seed}: {v:?}");
            }
        }
    }
}

//! `ftpsdiag probe` with a login against real FTP servers that speak only what rustls does not: the engine on OpenSSL logs in,
//! and transfers over protected data connections. `cargo test --features legacy-tls --test legacy`

#![cfg(feature = "legacy-tls")]

#[allow(dead_code, unused_imports, reason = "tests/servers.rs uses the rest")]
#[path = "servers/mod.rs"]
mod servers;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use ftpsdiag::report::Report;
use ftpsdiag::rules::{Check, CheckResult};
use ftpsdiag::transcript::{BY_OPENSSL, ConnId, Decrypted, Layer, Role, Side, Transcript, What, Why};
use servers::Start::{Proftpd, Vsftpd};
use servers::{Lab, Start};

/// Probes a server with a login. ProFTPD knows joe; vsftpd lets everybody in.
fn probe(start: Start, more: &[&str]) -> Report {
    let lab = Lab::get();
    let server = start.start(lab);
    let who: &[&str] = if matches!(start, Vsftpd(..)) { &["--anonymous"] } else { &["--user", "joe"] };
    let ca = lab.certificate("root.pem");
    let more = more.iter().map(|a| if a.contains('.') { lab.certificate(a) } else { (*a).to_owned() });
    let out = assert_cmd::Command::cargo_bin("ftpsdiag")
        .unwrap()
        .args(["probe", &server.address().to_string(), "--ca", &ca, "--format", "json"])
        .args(who)
        .args(more)
        .env("FTPSDIAG_PASSWORD", servers::PASSWORD)
        .timeout(Duration::from_secs(60))
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let report = serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}; {}\n{stdout}{stderr}", out.status));
    assert_eq!(out.status.code(), Some(1), "{start:?}: modern clients fail\n{stdout}");
    report
}

fn check<'a>(report: &'a Report, id: &str) -> &'a Check {
    let found = report.checks.iter().find(|c| c.id == id);
    found.unwrap_or_else(|| panic!("no check {id} in {:?}", report.checks))
}

fn shown(report: &Report) -> String {
    ftpsdiag::render(report, ftpsdiag::Format::Dialogue, ftpsdiag::Style::default())
}

/// TLS 1.0, with the protocol as its option says it.
const TLS10: Start = Proftpd("leaf", &["TLSProtocol TLSv1", "TLSCipherSuite ALL:@SECLEVEL=0"]);

/// What a handshake came to, as our engine noted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shaken {
    version: u16,
    suite: u16,
    group: Option<u16>,
    resumed: bool,
}

/// Of each connection with this change, control connection first: what its handshake came to, `None` for no completion.
fn handshakes(t: &Transcript, changed: &[&str]) -> Vec<Option<Shaken>> {
    let is_one = |why: &Why| matches!(why, Why::Question { changed: c } if c == changed);
    let mut conns: Vec<(Role, ConnId)> = t.conns.iter().zip(0..).map(|(c, n)| (c.role, ConnId(n))).collect();
    conns.retain(|(_, id)| t.conn(*id).is_some_and(|c| is_one(&c.why)));
    conns.sort_by_key(|(role, _)| *role != Role::Control);
    let came = |id: ConnId| {
        t.entries.iter().filter(|e| e.conn == id).find_map(|e| match e.what {
            What::Decrypted { seen: Decrypted::Established { version, suite, group, resumed, .. }, .. } => {
                Some(Shaken { version, suite, group, resumed })
            }
            _ => None,
        })
    };
    conns.into_iter().map(|(_, id)| came(id)).collect()
}

/// The certificates that one side showed in the login by OpenSSL.
fn certificates(t: &Transcript, from: Side) -> Vec<usize> {
    let id = t.conns.iter().position(|c| matches!(&c.why, Why::Question { changed } if changed == &[BY_OPENSSL]));
    let id = ConnId(u16::try_from(id.expect("a login by OpenSSL")).unwrap());
    let notes = t.entries.iter().filter(|e| e.conn == id).filter_map(|e| match &e.what {
        What::Decrypted { from: by, seen: Decrypted::Certificates { chain } } if *by == from => Some(chain.len()),
        _ => None,
    });
    notes.collect()
}

/// The server lets OpenSSL in, and listings come over data connections that resume the session, TLS all along.
#[track_caller]
fn logs_in_and_lists(start: Start, version: u16, suite: u16, group: Option<u16>) {
    let report = probe(start, &[]);
    let t = &report.transcript;
    assert_eq!(report.verdict.by.as_deref(), Some("fatal-alert"), "{start:?}: {}", report.verdict.headline);
    let seen = handshakes(t, &[BY_OPENSSL]);
    let expected = Shaken { version, suite, group, resumed: false };
    assert_eq!(seen.first(), Some(&Some(expected)), "{start:?}\n{}", shown(&report));
    assert_eq!(certificates(t, Side::Server), [2], "the chain, once");
    // EPSV, PASV, a listing of nothing, which ProFTPD refuses before its handshake, and another.
    let data: Vec<Shaken> = seen[1..].iter().flatten().copied().collect();
    assert_eq!((seen.len(), data.len()), (5, 3), "{start:?}\n{}", shown(&report));
    for shaken in data {
        assert_eq!((shaken.version, shaken.suite, shaken.resumed), (version, suite, true), "{}", shown(&report));
    }
    let declined = handshakes(t, &[BY_OPENSSL, "resumption declined"]);
    assert_eq!(declined, [Some(expected); 2], "{start:?}: nothing is resumed\n{}", shown(&report));
    for id in ["handshake", "login", "data-connection"] {
        assert_eq!(check(&report, id).result, CheckResult::Passed, "{start:?}: {id}\n{}", shown(&report));
    }
    assert_eq!(report.verdict.scope, ["control", "login", "data"]);
}

#[test]
fn tls_1_0() {
    logs_in_and_lists(TLS10, 0x0301, 0xc014, Some(0x001d));
}

#[test]
fn tls_1_1() {
    let start = Proftpd("leaf", &["TLSProtocol TLSv1.1", "TLSCipherSuite AES128-SHA:@SECLEVEL=0"]);
    logs_in_and_lists(start, 0x0302, 0x002f, None);
}

#[test]
fn static_rsa_and_cbc() {
    let start = Proftpd("leaf", &["TLSProtocol TLSv1.2", "TLSCipherSuite AES256-SHA256"]);
    logs_in_and_lists(start, 0x0303, 0x003d, None);
}

#[test]
fn dhe() {
    let start = Proftpd("leaf", &["TLSProtocol TLSv1.2", "TLSCipherSuite DHE-RSA-AES128-SHA"]);
    logs_in_and_lists(start, 0x0303, 0x0033, None);
}

#[test]
fn ecdhe_with_cbc() {
    let start = Proftpd("leaf", &["TLSProtocol TLSv1.2", "TLSCipherSuite ECDHE-RSA-AES256-SHA384"]);
    logs_in_and_lists(start, 0x0303, 0xc028, Some(0x001d));
}

/// vsftpd that wants the session to be resumed: it lists for who does, and refuses who does not.
#[test]
fn a_server_that_insists_on_resumption() {
    let lines = &[
        "require_ssl_reuse=YES",
        "force_local_data_ssl=YES",
        "force_anon_data_ssl=YES",
        "ssl_ciphers=AES128-SHA:@SECLEVEL=0",
        "OPENSSL MinProtocol = TLSv1",
        "OPENSSL MaxProtocol = TLSv1.1",
        "OPENSSL CipherString = ALL:@SECLEVEL=0",
    ];
    let report = probe(Vsftpd("leaf", lines), &[]);
    let seen = handshakes(&report.transcript, &[BY_OPENSSL]);
    let resumed: Vec<Option<bool>> = seen.iter().map(|s| s.map(|s| s.resumed)).collect();
    assert_eq!(resumed, [Some(false), Some(true), Some(true), Some(true), Some(true)], "{}", shown(&report));
    assert_eq!(check(&report, "data-connection").result, CheckResult::Passed, "{}", shown(&report));
    let dialogue = shown(&report);
    assert!(dialogue.contains("522"), "who does not resume is refused\n{dialogue}");
}

#[test]
fn a_client_certificate_that_is_required() {
    let directives: &[&str] = &[
        "TLSProtocol TLSv1",
        "TLSCipherSuite ALL:@SECLEVEL=0",
        "TLSVerifyClient on",
        "TLSCACertificateFile CERTIFICATES/root.pem",
    ];
    let start = Proftpd("leaf", directives);
    let report = probe(start, &["--cert", "client.pem", "--key", "client.key"]);
    assert_eq!(certificates(&report.transcript, Side::Client), [1], "{}", shown(&report));
    assert_eq!(check(&report, "login").result, CheckResult::Passed, "{}", shown(&report));
    let report = probe(start, &[]);
    assert_eq!(certificates(&report.transcript, Side::Client), [0], "{}", shown(&report));
    assert_eq!(check(&report, "handshake").result, CheckResult::Failed, "{}", shown(&report));
    let asked = |w: &What| matches!(w, What::Decrypted { seen: Decrypted::CertificateRequest { authorities }, .. } if authorities.len() == 1);
    assert!(report.transcript.entries.iter().any(|e| asked(&e.what)), "{}", shown(&report));
}

/// What rustls speaks, rustls examines.
#[test]
fn a_server_of_today_is_left_to_rustls() {
    let lab = Lab::get();
    let server = Proftpd("leaf", &[]).start(lab);
    let out = assert_cmd::Command::cargo_bin("ftpsdiag")
        .unwrap()
        .args(["probe", &server.address().to_string(), "--user", "joe"])
        .args(["--ca", &lab.certificate("root.pem"), "--format", "dialogue"])
        .env("FTPSDIAG_PASSWORD", servers::PASSWORD)
        .timeout(Duration::from_secs(60))
        .output()
        .unwrap();
    let dialogue = String::from_utf8_lossy(&out.stdout);
    assert!(dialogue.contains("PASS ********") && !dialogue.contains("OpenSSL:"), "{dialogue}");
}

/// Behind CCC both ends leave TLS, and what the server says then is read in clear.
#[test]
fn ccc_leaves_tls() {
    let report = probe(TLS10, &["--ccc"]);
    let seen = handshakes(&report.transcript, &[BY_OPENSSL, "CCC"]);
    assert_eq!(seen.first().map(|s| s.is_some_and(|s| s.version == 0x0301)), Some(true), "{}", shown(&report));
    let id = report.transcript.conns.iter().position(|c| {
        matches!(&c.why, Why::Question { changed } if changed == &[BY_OPENSSL, "CCC"]) && c.role == Role::Control
    });
    let id = ConnId(u16::try_from(id.unwrap()).unwrap());
    let in_clear: Vec<u8> =
        report.transcript.entries.iter().filter(|e| e.conn == id).fold(Vec::new(), |all, e| match &e.what {
            What::Bytes { from: Side::Server, layer: Layer::Wire, data, .. } => [all, data.clone()].concat(),
            _ => all,
        });
    assert!(in_clear.windows(4).any(|w| w == b"221 "), "{}", shown(&report));
}

/// A server whose ServerHello has a version that rustls does not speak gets no questions, and the login by OpenSSL at once.
#[test]
fn a_server_that_goes_back_to_tls_1_0() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            let read = |stream: &mut TcpStream| stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(b"220 old\r\n").unwrap();
            read(&mut stream);
            stream.write_all(b"234 go on\r\n").unwrap();
            read(&mut stream);
            // ServerHello: TLS 1.0, no session, TLS_RSA_WITH_AES_128_CBC_SHA.
            let hello = [&[22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1][..], &[7; 32], &[0, 0, 0x2f, 0]].concat();
            stream.write_all(&hello).unwrap();
            // Until rustls, or OpenSSL, has had enough.
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            let _ = stream.read(&mut [0; 4096]);
        }
    });
    let out = assert_cmd::Command::cargo_bin("ftpsdiag")
        .unwrap()
        .args(["probe", &address, "--anonymous", "--timeout", "2", "--format", "json"])
        .timeout(Duration::from_secs(60))
        .output()
        .unwrap();
    server.join().unwrap();
    let report: Report = serde_json::from_slice(&out.stdout).unwrap();
    let changed = |n: usize| match &report.transcript.conns[n].why {
        Why::Session => "session",
        Why::Question { changed } => changed[0].as_str(),
    };
    let conns: Vec<&str> = (0..report.transcript.conns.len()).map(changed).collect();
    assert_eq!(conns, ["session", BY_OPENSSL], "{}", shown(&report));
    assert_eq!(check(&report, "handshake").result, CheckResult::Failed);
    assert_eq!(check(&report, "login").why.as_deref(), Some("OpenSSL was not let in"));
}

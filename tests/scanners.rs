//! What an audit and other scanners find out about the same real servers: the same pairs of version and suite, or it is written down who
//! is right (root on Debian 12, which installs what is missing).
#![cfg(feature = "live")]

#[allow(dead_code, unused_imports, reason = "tests/servers.rs uses the rest")]
#[path = "servers/mod.rs"]
mod servers;
#[path = "scanners/tools.rs"]
mod tools;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ftpsdiag::codes::cipher_suite;
use ftpsdiag::facts::version_name;
use ftpsdiag::report::{Admitted, AuditOut, Report};
use servers::Start::{OldOpenssl, Proftpd, PureFtpd, Pyftpdlib, SServer, Vsftpd};
use servers::{Lab, Server, Start};
use tools::{Pairs, Tool, Tools};

/// A server, whether TLS is there from the first byte, and how many pairs it takes, where that is known.
struct Row {
    name: &'static str,
    start: Runs,
    implicit: bool,
    pairs: Option<usize>,
}

/// What is started.
#[derive(Clone, Copy, Debug)]
enum Runs {
    /// One of the FTP servers.
    Ftp(Start),
    /// `gnutls-serv`, which comes with the scanners, with this priority: implicit TLS and no FTP behind it.
    Gnutls(&'static str),
}

impl Row {
    fn start(&self, lab: &Lab) -> Server {
        match self.start {
            Runs::Ftp(start) => start.start(lab),
            Runs::Gnutls(priority) => Server::start(self.name, &lab.path(""), |port| {
                let [pem, key] = ["leaf.pem", "leaf.key"].map(|file| lab.certificate(file));
                Tools::get().gnutls_serv(port, &pem, &key, priority)
            }),
        }
    }

    fn target(&self, server: &Server) -> String {
        format!("{}://{}", if self.implicit { "ftps" } else { "ftp" }, server.address())
    }
}

const fn row(name: &'static str, start: Start, pairs: usize) -> Row {
    Row { name, start: Runs::Ftp(start), implicit: false, pairs: Some(pairs) }
}

/// One of which nobody knows how many pairs it takes.
const fn any(name: &'static str, start: Start) -> Row {
    Row { name, start: Runs::Ftp(start), implicit: false, pairs: None }
}

/// One that speaks TLS from the first byte.
const fn implicit(name: &'static str, start: Runs, pairs: usize) -> Row {
    Row { name, start, implicit: true, pairs: Some(pairs) }
}

const OLD: &[&str] = &[
    "ssl_ciphers=ALL:@SECLEVEL=0",
    "ssl_tlsv1=YES",
    "OPENSSL MinProtocol = TLSv1",
    "OPENSSL CipherString = ALL:@SECLEVEL=0",
];

/// Of OpenSSL: all that it can, the suites without encryption as well.
const ALL: &str = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";

/// The same of TLS 1.3.
const ALL13: &str = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:\
                     TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256";

/// Of GnuTLS: key exchanges that other servers rarely have, and one curve.
const ANONYMOUS: &str = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA:+ANON-DH:+ANON-ECDH:-GROUP-ALL:+GROUP-SECP384R1:\
                         +GROUP-FFDHE2048";

const ROWS: &[Row] = &[
    row("vsftpd, HIGH", Vsftpd("leaf", &[]), 30),
    row("vsftpd, security level 0", Vsftpd("leaf", OLD), 48),
    row(
        "ProFTPD, security level 0",
        Proftpd("leaf", &["TLSProtocol TLSv1 TLSv1.1 TLSv1.2", "TLSCipherSuite ALL:@SECLEVEL=0"]),
        88,
    ),
    any("ProFTPD as built", Proftpd("leaf", &[])),
    any("Pure-FTPd", PureFtpd("leaf", &["-Y", "1"])),
    any("pyftpdlib", Pyftpdlib("leaf", "explicit")),
    any("OpenSSL 1.0.2", OldOpenssl("leaf", "no-tls10")),
    implicit("s_server, TLS 1.0 alone", Runs::Ftp(SServer("leaf", &["-tls1", "-cipher", ALL])), 20),
    implicit("s_server, TLS 1.1 alone", Runs::Ftp(SServer("leaf", &["-tls1_1", "-cipher", ALL])), 20),
    implicit("s_server, TLS 1.2 alone", Runs::Ftp(SServer("leaf", &["-tls1_2", "-cipher", ALL])), 61),
    implicit("s_server, TLS 1.3 alone", Runs::Ftp(SServer("leaf", &["-tls1_3", "-ciphersuites", ALL13])), 5),
    // As many as `gnutls-cli -l --priority ...` lists for an RSA key, each in the versions that it has it in.
    implicit("GnuTLS, TLS 1.0 to 1.3", Runs::Gnutls("NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:+3DES-CBC:+ARCFOUR-128"), 49),
    implicit("GnuTLS, DHE and anonymous", Runs::Gnutls(ANONYMOUS), 13),
];

/// Of the audit's own.
fn audited(server: &Server, row: &Row, only: &str) -> (Report, AuditOut) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftpsdiag"));
    command.args(["audit", "-q", "--format", "json", "--timeout", "4", "--only", only]);
    let out = command.arg(row.target(server)).output().unwrap();
    let report: Report = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{}: {e}: {}", row.name, String::from_utf8_lossy(&out.stderr)));
    let audit = report.audit.clone().unwrap_or_else(|| panic!("{}: {}", row.name, report.verdict.headline));
    (report, audit)
}

fn pairs(audit: &AuditOut) -> Pairs {
    let number = |id: &str| u16::from_str_radix(id, 16).unwrap();
    let of = |v: &ftpsdiag::report::VersionOut| {
        let version = number(&v.id);
        v.suites.taken.iter().map(|s| (version, number(&s.id))).collect::<Vec<_>>()
    };
    audit.versions.iter().flat_map(of).collect()
}

/// Servers that are scanned at a time: the scanners are what takes long, and each waits for an answer now and then.
const AT_ONCE: usize = 4;

#[test]
fn the_same_pairs_as_other_scanners() {
    let tools = Tools::get();
    let lab = Lab::get();
    let next = AtomicUsize::new(0);
    let all = || core::iter::from_fn(|| ROWS.get(next.fetch_add(1, Ordering::Relaxed)));
    let wrong: Vec<String> = thread::scope(|scope| {
        let threads = [(); AT_ONCE].map(|()| scope.spawn(|| all().map(|row| compare(row, lab, tools)).collect()));
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{wrong}");
}

fn compare(row: &Row, lab: &Lab, tools: &Tools) -> String {
    let server = row.start(lab);
    let (report, audit) = audited(&server, row, "versions,suites");
    let ours = pairs(&audit);
    let mut wrong = String::new();
    if let Some(n) = row.pairs.filter(|n| *n != ours.len()) {
        writeln!(wrong, "{}: {} pairs, not {n}", row.name, ours.len()).unwrap();
    }
    assert!(audit.versions.iter().all(|v| v.takes != "unknown"), "{}: {:?}", row.name, audit.versions);
    // A server that takes the whole list and follows the client's order: its pairs, and twelve more.
    let follows = |v: &ftpsdiag::report::VersionOut| v.suites.order.as_deref() != Some("server");
    let old = audit.versions.iter().any(|v| v.takes == "yes" && ["TLS 1.1", "TLS 1.0"].contains(&v.name.as_str()));
    // What the session asked before, where our own engine was not let in, is not the audit's.
    let cost = report.cost.unwrap().connections - report.experiments.len() as u64;
    if audit.versions.iter().all(follows) && !old && cost > ours.len() as u64 + 12 {
        writeln!(wrong, "{}: {cost} connections for {} pairs", row.name, ours.len()).unwrap();
    }
    for tool in [Tool::Sslscan, Tool::Nmap, Tool::Testssl] {
        let Some(theirs) = tools.scan(tool, server.port, row.implicit) else { continue };
        for (what, pairs) in [("only ours", &ours - &theirs), ("only theirs", &theirs - &ours)] {
            for (version, suite) in pairs.into_iter().filter(|(v, s)| !tools.is_known(tool, what, row.name, *v, *s)) {
                let name = cipher_suite(suite).map_or("?", |s| s.name);
                writeln!(wrong, "{} {tool:?} {what}: {} {suite:04x} {name}", row.name, version_name(version)).unwrap();
            }
        }
    }
    wrong
}

/// Whole audits: bounded in connections, and complete.
#[test]
fn a_whole_audit_takes_at_most_120_connections() {
    let lab = Lab::get();
    let row = &ROWS[0];
    let server = row.start(lab);
    let (report, audit) = audited(&server, row, "versions,groups,schemes,extensions,resumption,intolerances,security");
    assert!(report.complete && report.cost.as_ref().unwrap().connections <= 120, "{:?}", report.cost);
    let habits: BTreeMap<&str, &str> = audit.habits.iter().map(|h| (h.id.as_str(), h.has.as_str())).collect();
    for (id, has) in [
        ("secure-renegotiation", "yes"),
        ("extended-master-secret", "yes"),
        ("resumption-tls13", "yes"),
        ("resumption-tls12", "yes"),
        ("compression", "no"),
        ("fallback-signal", "yes"),
        ("hello-retry-request", "yes"),
    ] {
        assert_eq!(habits.get(id), Some(&has), "{id}: {habits:?}");
    }
}

/// Servers that take two connections of an address at a time: the same answer, later, and it is said.
#[test]
fn limits_of_connections_change_nothing() {
    let lab = Lab::get();
    for start in [Vsftpd("leaf", &["max_per_ip=2"]), PureFtpd("leaf", &["-Y", "1", "-C", "2"])] {
        let free = match start {
            Vsftpd(..) => Vsftpd("leaf", &[]),
            _ => PureFtpd("leaf", &["-Y", "1"]),
        };
        let (limited, unlimited) = (any("a limit", start), any("no limit", free));
        let (report, audit) = audited(&limited.start(lab), &limited, "versions");
        let (_, all) = audited(&unlimited.start(lab), &unlimited, "versions");
        assert_eq!(pairs(&audit), pairs(&all), "{start:?}");
        assert!(report.complete, "{start:?}");
        assert!(audit.versions.iter().all(|v| v.takes != "yes" || v.suites.complete), "{start:?}");
        assert!(audit.busy == 0 || audit.complaint.is_some());
    }
}

/// What follows from the measured sets is how the server answers the hellos of known clients, whatever it says in clear text to those
/// that it refuses: none of them is taken to be let in.
#[test]
fn clients_are_let_in_as_the_sets_say() {
    let lab = Lab::get();
    let gnutls = ROWS.iter().filter(|row| matches!(row.start, Runs::Gnutls(_)));
    for row in ROWS[..5].iter().chain(gnutls) {
        let server = row.start(lab);
        let mut command = Command::new(env!("CARGO_BIN_EXE_ftpsdiag"));
        // Behind implicit TLS nobody greets: that is waited for to its end.
        let step = if row.implicit { "4" } else { "10" };
        command.args(["audit", "-q", "--format", "json", "--timeout", step, "--only", "versions,groups,schemes"]);
        let out = command.args(["--simulate", &row.target(&server)]).output().unwrap();
        let report: Report = serde_json::from_slice(&out.stdout).unwrap();
        let clients = report.audit.unwrap().clients;
        let mut asked = 0;
        for client in &clients {
            let Some(answer) = &client.simulated else { continue };
            asked += 1;
            let who = format!("{}: {} {}", row.name, client.name, client.releases);
            match client.now.r#in {
                Admitted::Unknown => {}
                _ if !client.now.sure => assert_eq!(answer.r#in, client.now.r#in, "{who}: {answer:?}"),
                now => {
                    let (said, derived) =
                        ((answer.r#in, &answer.version, &answer.suite), (now, &client.now.version, &client.now.suite));
                    assert_eq!(said, derived, "{who}: {answer:?}");
                }
            }
        }
        assert!(asked > 50, "{}: {asked} hellos were sent", row.name);
    }
}

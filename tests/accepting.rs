//! What an audit finds at real servers beside pairs of version and suite, and how it ends where it is cut off (root on Debian 12, which
//! installs what is missing).
#![cfg(all(feature = "live", target_os = "linux"))]

#[allow(dead_code, unused_imports, reason = "tests/servers.rs uses the rest")]
#[path = "servers/mod.rs"]
mod servers;

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use ftpsdiag::report::{AuditOut, HabitOut, Report};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use servers::Start::{Pyftpdlib, SServer, Vsftpd};
use servers::{Lab, Start};
use sha2::{Digest, Sha256};

/// Nothing here takes that long; more means that it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn command(args: &[&str], at: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftpsdiag"));
    command.args(["audit", "-q", "--format", "json"]).args(args).arg(at).stdout(Stdio::piped());
    command
}

fn report(out: &Output) -> (Report, AuditOut) {
    let report: Report =
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)));
    let audit = report.audit.clone().unwrap_or_else(|| panic!("{}", report.verdict.headline));
    (report, audit)
}

/// What an audit finds; TLS from the first byte at s_server, explicit at the others.
fn audited(start: Start, args: &[&str]) -> AuditOut {
    let server = start.start(Lab::get());
    let scheme = if matches!(start, SServer(..)) { "ftps" } else { "ftp" };
    // s_server does not greet, for which an audit need not wait long.
    let out = command(&[&["--timeout", "2"], args].concat(), &format!("{scheme}://{}", server.address())).output();
    report(&out.unwrap()).1
}

fn habit<'a>(audit: &'a AuditOut, id: &str) -> &'a HabitOut {
    audit.habits.iter().find(|h| h.id == id).unwrap_or_else(|| panic!("no habit {id}"))
}

/// SHA-256 of the first certificate of a file.
fn sha256(file: &str) -> String {
    let pem = fs::read(Lab::get().certificate(file)).unwrap();
    hex::encode(Sha256::digest(CertificateDer::from_pem_slice(&pem).unwrap()))
}

const BOTH_KEYS: [&str; 4] = ["-dcert", "CERTIFICATES/ecdsa.pem", "-dkey", "CERTIFICATES/ecdsa.key"];

#[test]
fn each_kind_of_key_has_its_certificate_in_both_versions() {
    for version in ["-tls1_3", "-tls1_2"] {
        let [a, b, c, d] = BOTH_KEYS;
        let options: &'static [&str] = Box::leak(Box::new([version, a, b, c, d]));
        let audit = audited(SServer("leaf", options), &["--only", "schemes"]);
        let mut keys: Vec<(&str, &str)> = audit.keys.iter().map(|k| (k.auth.as_str(), k.sha256.as_str())).collect();
        keys.sort_unstable();
        let (ecdsa, rsa) = (sha256("ecdsa.pem"), sha256("leaf.pem"));
        assert_eq!(keys, [("ECDSA", ecdsa.as_str()), ("RSA", rsa.as_str())], "{version}");
    }
}

/// The session gets the good one, and whoever has no ECDSA another one.
#[test]
fn a_second_certificate_is_judged_as_well() {
    for version in ["-tls1_3", "-tls1_2"] {
        for (name, is_bad) in [("expired", true), ("leaf", false)] {
            let [pem, key] = ["pem", "key"].map(|end| -> &'static str { format!("CERTIFICATES/{name}.{end}").leak() });
            let options: &'static [&str] =
                Box::leak(Box::new([version, "-dcert", pem, "-dcert_chain", pem, "-dkey", key]));
            let server = SServer("ecdsa", options).start(Lab::get());
            let ca = Lab::get().certificate("root.pem");
            let args = ["--timeout", "2", "--only", "schemes", "--ca", &ca, "--verify-name", "localhost"];
            let out = command(&args, &format!("ftps://{}", server.address())).output().unwrap();
            let (report, audit) = report(&out);
            let found = report.findings.iter().find(|f| f.id == "other-certificate-refused");
            assert_eq!(found.is_some(), is_bad, "{options:?}: {:?}", report.findings);
            if let Some(f) = found {
                assert_eq!((&f.data["kind"], &f.data["problems"][0]), (&"RSA".into(), &"expired 30 days ago".into()));
            }
            assert_eq!(audit.keys.len(), 2, "{options:?}");
        }
    }
}

#[test]
fn one_key_is_told_without_a_further_question() {
    let audit = audited(SServer("leaf", &["-tls1_3"]), &["--only", "schemes"]);
    assert_eq!(audit.keys.iter().map(|k| k.auth.as_str()).collect::<Vec<_>>(), ["RSA"]);
}

#[test]
fn what_a_name_changes_shows_in_both_versions() {
    const OTHER: [&str; 6] = [
        "-servername",
        "another-name.invalid",
        "-cert2",
        "CERTIFICATES/wrong-name.pem",
        "-key2",
        "CERTIFICATES/wrong-name.key",
    ];
    for version in ["-tls1_3", "-tls1_2"] {
        let [a, b, c, d, e, f] = OTHER;
        let by_name: &'static [&str] = Box::leak(Box::new([version, a, b, c, d, e, f]));
        let alone: &'static [&str] = Box::leak(Box::new([version]));
        for (options, has) in [(by_name, "yes"), (alone, "no")] {
            let audit = audited(SServer("leaf", options), &["--only", "extensions", "--sni", "localhost"]);
            assert_eq!(habit(&audit, "certificate-by-name").has, has, "{options:?}");
        }
    }
}

#[test]
fn authorities_are_named() {
    for version in ["-tls1_3", "-tls1_2"] {
        let options: &'static [&str] =
            Box::leak(Box::new([version, "-verify", "3", "-CAfile", "CERTIFICATES/root.pem"]));
        let audit = audited(SServer("leaf", options), &["--only", "extensions"]);
        assert_eq!(audit.authorities, ["CN=ftpsdiag test root"], "{version}");
        let asks = habit(&audit, "client-certificate");
        assert_eq!((asks.has.as_str(), asks.detail.as_str()), ("yes", "of one authority"), "{version}");
    }
}

#[test]
fn what_tls_1_3_has_no_more_is_not_unclear() {
    let audit = audited(SServer("leaf", &["-tls1_3"]), &["--only", "extensions"]);
    for id in ["secure-renegotiation", "compression", "fallback-signal"] {
        assert_eq!(habit(&audit, id).detail, "(not in TLS 1.3)", "{id}");
    }
    assert_eq!(habit(&audit, "client-certificate").has, "no");
}

/// OpenSSL reads them to this day, where the suites of such a hello are taken.
#[test]
fn hellos_in_the_format_of_ssl_2_are_tried() {
    const OLD: &[&str] = &[
        "ssl_ciphers=ALL:@SECLEVEL=0",
        "ssl_tlsv1=YES",
        "OPENSSL MinProtocol = TLSv1",
        "OPENSSL CipherString = ALL:@SECLEVEL=0",
    ];
    let audit = audited(Vsftpd("leaf", OLD), &["--only", "intolerances"]);
    assert_eq!(habit(&audit, "ssl2-format").has, "yes");
    let java = audit.clients.iter().find(|c| c.product == "java" && c.releases == "6u45").unwrap();
    assert_eq!((java.now.r#in.sign(), java.now.version.as_deref()), ("yes", Some("TLS 1.0")));
}

/// pyOpenSSL brings an OpenSSL that ranks groups in blocks, and follows the client within one.
#[test]
fn an_order_can_be_of_both_ends() {
    let audit = audited(Pyftpdlib("leaf", "explicit"), &["--only", "groups"]);
    let of = |name: &str| audit.versions.iter().find(|v| v.name == name).unwrap();
    assert_eq!(of("TLS 1.3").groups.order.as_deref(), Some("mixed"));
    assert_eq!(of("TLS 1.3").suites.order.as_deref(), Some("client"));
    let vsftpd = audited(Vsftpd("leaf", &[]), &["--only", "suites"]);
    assert!(vsftpd.versions.iter().all(|v| v.suites.order.as_deref().is_none_or(|o| o == "client")));
}

/// Passes connections on to a server, all but those from the `n`-th on, which are accepted and left alone; tells when it comes to that.
fn falls_silent(server: SocketAddr, n: usize) -> (SocketAddr, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    thread::spawn(move || {
        let mut left_alone = Vec::new();
        for (nth, client) in listener.incoming().flatten().enumerate() {
            if nth + 1 >= n {
                left_alone.push(client);
                let _ = tell.send(());
                continue;
            }
            let behind = TcpStream::connect(server).unwrap();
            for (mut from, mut to) in [(client.try_clone().unwrap(), behind.try_clone().unwrap()), (behind, client)] {
                thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    (address, told)
}

fn is_part(out: &Output) {
    let (report, audit) = report(out);
    assert_eq!((out.status.code(), report.complete), (Some(2), false), "{}", report.verdict.headline);
    assert!(audit.questions >= 8 && audit.versions.iter().any(|v| v.takes == "yes"), "{audit:?}");
}

#[test]
fn ctrl_c_reports_what_was_found_until_then() {
    let server = Vsftpd("leaf", &[]).start(Lab::get());
    let (address, silent) = falls_silent(server.address(), 10);
    let child = command(&["--timeout", "60"], &address.to_string()).spawn().unwrap();
    silent.recv_timeout(PATIENCE).expect("the tenth connection");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    is_part(&child.wait_with_output().unwrap());
}

#[test]
fn an_audit_whose_time_is_used_up_cannot_tell() {
    let server = Vsftpd("leaf", &[]).start(Lab::get());
    let (address, _silent) = falls_silent(server.address(), 10);
    // All is well with the server: the audit alone is no answer.
    let ca = Lab::get().certificate("root.pem");
    let args = ["--timeout", "60", "--max-time", "5", "--ca", &ca];
    is_part(&command(&args, &address.to_string()).output().unwrap());
}

/// On a terminal of its own, by `script` of util-linux.
#[test]
fn a_bar_shows_how_far_it_has_come() {
    let server = Vsftpd("leaf", &[]).start(Lab::get());
    let binary = env!("CARGO_BIN_EXE_ftpsdiag");
    let line = format!("{binary} audit {} --only suites,security > /dev/null", server.address());
    let out = Command::new("script").args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").output().unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    let bars: Vec<&str> = said.split("\r\x1b[K").filter(|l| l.contains(": [")).collect();
    assert!(bars.len() > 20 && bars.iter().all(|bar| bar.len() < 80), "{said:?}");
    let full = |bar: &&str| bar.matches('#').count();
    assert!(bars.is_sorted_by_key(full), "it never goes back: {bars:?}");
    assert!(bars.first().is_some_and(|b| full(b) < 5) && bars.last().is_some_and(|b| full(b) > 15), "{bars:?}");
    assert!(bars.iter().any(|b| b.contains(" of about ") && b.contains("cipher suites, TLS 1.2")), "{bars:?}");
    assert!(said.ends_with("\r\x1b[K"), "the line is taken away: {said:?}");
}

//! A file of settings, or a log, beside an input whose sessions are given out as they end.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use common::root;
use ftpsdiag::report::Report;

const JOB: &str = "//FTP EXEC PGM=FTP,PARM='ftp.example.org (EXIT'\nSECURE_MECHANISM TLS\nTLSMECHANISM FTP\n";

fn ftpsdiag(args: &[&str]) -> Output {
    Command::cargo_bin("ftpsdiag").unwrap().current_dir(root()).args(args).output().unwrap()
}

fn reports(args: &[&str]) -> Vec<Report> {
    let out = ftpsdiag(&[&["decode", "--format", "json"], args].concat());
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

fn written(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    fs::write(dir.join(name), bytes).unwrap();
    dir.join(name).to_str().unwrap().to_owned()
}

fn capture() -> Vec<u8> {
    fs::read(root().join("fixtures/capture/plaintext-550.pcap")).unwrap()
}

/// What the settings explain of this finding.
fn is_explained(r: &Report) -> bool {
    r.findings[0].why.iter().any(|w| w.contains("sets no GSK_PROTOCOL_TLSV1_2"))
}

#[test]
fn settings_go_with_the_session_of_a_capture() {
    let dir = folder("beside-one");
    let (trace, job) = (written(&dir, "trace.pcap", capture()), written(&dir, "job.txt", JOB));
    let plain = reports(&[&trace]);
    assert!(!is_explained(&plain[0]));
    for args in [[&trace, &job], [&job, &trace]] {
        let all = reports(&args.map(String::as_str));
        assert_eq!(all.len(), 1);
        assert!(is_explained(&all[0]), "{:?}", all[0].findings[0].why);
        assert_eq!(all[0].verdict.by, plain[0].verdict.by);
        let inputs: Vec<&String> = all[0].transcript.origin.inputs.iter().map(|i| &i.name).collect();
        assert_eq!(inputs, [&trace, &job]);
    }
    // Two captures of one server.
    let again = written(&dir, "again.pcap", capture());
    let all = reports(&[&trace, &again, &job]);
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(is_explained));
}

#[test]
fn settings_beside_sessions_of_several_servers_stay_a_note() {
    let dir = folder("beside-two");
    let mut other = capture();
    let at: Vec<usize> = (0..other.len() - 4).filter(|n| other[*n..].starts_with(&[10, 0, 0, 2])).collect();
    assert!(!at.is_empty());
    at.into_iter().for_each(|n| other[n + 3] = 9);
    let (trace, other) = (written(&dir, "trace.pcap", capture()), written(&dir, "other.pcap", other));
    let job = written(&dir, "job.txt", JOB);
    let all = reports(&[&trace, &other, &job]);
    assert_eq!(all.len(), 2);
    assert!(!all.iter().any(is_explained));
    let said = ftpsdiag(&["decode", "--format", "json", &trace, &other, &job]).stderr;
    assert!(String::from_utf8(said).unwrap().contains("choose one with --session N"));
    let one = reports(&["--session", "2", &trace, &other, &job]);
    assert_eq!(one.len(), 1);
    assert!(is_explained(&one[0]));
}

#[test]
fn a_log_beside_a_capture_is_a_session_of_its_own() {
    let dir = folder("beside-log");
    let trace = written(&dir, "trace.pcap", capture());
    let all = reports(&[&trace, "fixtures/zos-ftp/rc-402.txt"]);
    assert_eq!(all.len(), 2);
    assert!(!is_explained(&all[0]));
}

#[test]
fn a_log_beside_a_long_trace_is_not_woven_and_that_is_said() {
    let dir = folder("beside-long");
    let seed = fs::read_to_string(root().join("fixtures/gsksrvr/ibm-main-trace.txt")).unwrap();
    let trace = written(&dir, "gsk.txt", format!("{seed}\n").repeat(1050));
    let log = "fixtures/zos-ftp/ibm-main-client.txt";
    let said = |args: &[&str]| String::from_utf8(ftpsdiag(args).stderr).unwrap();
    assert!(said(&["decode", "--format", "json", &trace, log]).contains("was not put to it"));
    assert!(!said(&["decode", "--format", "json", &trace]).contains("was not put to it"));
}

#[test]
fn a_log_of_the_same_server_goes_with_the_session_of_a_capture() {
    let dir = folder("beside-same");
    let trace = written(&dir, "trace.pcap", capture());
    let text = "EZA1450I IBM FTP CS V2R4\nEZA1554I Connecting to: ftp.example.org 10.0.0.2 port: 21.\n220 ready\n\
                FC0231 ftpAuth: security values: mech=TLS, tlsmech=FTP, sFTP=R, sCC=C, sDC=P\nEZA1701I >>> AUTH TLS\n234 go\n\
                FC1103 authServer: secure_socket_init failed with rc = 410 (SSL message format is incorrect)\n\
                EZA2897I Authentication negotiation failed\n";
    let log = written(&dir, "client.log", text);
    let plain = reports(&[&trace]);
    let all = reports(&[&trace, &log]);
    assert_eq!(all.len(), 1, "{:?}", all.iter().map(|r| &r.verdict.headline).collect::<Vec<_>>());
    // The bytes have the last word, and the log says who the client is.
    assert_eq!(all[0].verdict.by, plain[0].verdict.by);
    assert_eq!(all[0].verdict.confidence, plain[0].verdict.confidence);
    let client = all[0].client.as_ref().unwrap();
    assert_eq!(client.release.as_deref(), Some("V2R4"));
    // Another server, and two sessions of the same one: it stays a session of its own.
    let other = written(&dir, "other.log", text.replace("10.0.0.2", "10.0.0.3"));
    assert_eq!(reports(&[&trace, &other]).len(), 2);
    let again = written(&dir, "again.pcap", capture());
    assert_eq!(reports(&[&trace, &again, &log]).len(), 3);
    // A failure that the capture does not show is of another attempt.
    let open = fs::read(root().join("fixtures/capture/plaintext-550.pcap")).unwrap();
    let begun = written(&dir, "begun.pcap", &open[..open.len() * 6 / 10]);
    assert_eq!(reports(&[&begun])[0].verdict.outcome.name(), "inconclusive");
    assert_eq!(reports(&[&begun, &log]).len(), 2);
}

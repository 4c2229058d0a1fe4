//! `ftpsdiag probe` against real FTP servers, which these tests install and start (root on Debian 12).

#[path = "servers/mod.rs"]
mod servers;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ftpsdiag::report::Report;
#[cfg(not(feature = "legacy-tls"))]
use ftpsdiag::rules::CheckResult;
use servers::{Lab, PASSWORD, ROWS, Row, Seen, Server, TRANSFERS};

/// Servers that run at the same time. They mostly wait, so there may be more of them than cores.
const PARALLEL: usize = 6;

/// Does something with every row, a few at a time, and gives what was wrong in the order of the table.
fn each_row(rows: &[Row], check: impl Fn(&Row, &Server) -> Option<String> + Sync) -> Vec<String> {
    let lab = Lab::get();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                while let Some((n, row)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, rows.get(n)?)))
                {
                    let server = row.start.start(lab);
                    if let Some(what) = check(row, &server) {
                        let mut wrong = wrong.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        wrong.push((n, format!("{}\n     {}", row.name, what)));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    wrong.sort();
    wrong.into_iter().map(|(_, what)| what).collect()
}

/// The command line of a row, behind `probe`.
fn arguments(row: &Row, server: &Server) -> Vec<String> {
    let filled = |word: &str| match word {
        name if [".pem", ".key", ".der", ".p12", ".p7b"].iter().any(|e| name.ends_with(e)) => {
            Lab::get().certificate(name)
        }
        word => word.replace("PORT", &server.port.to_string()),
    };
    row.args.split_whitespace().map(filled).collect()
}

fn probe(row: &Row, server: &Server) -> Result<Report, String> {
    let out = assert_cmd::Command::cargo_bin("ftpsdiag")
        .map_err(|e| e.to_string())?
        .arg("probe")
        .args(arguments(row, server))
        .args(["--format", "json"])
        .env("FTPSDIAG_PASSWORD", PASSWORD)
        // That of client.p12; whatever needs none must not mind it.
        .env("FTPSDIAG_CERT_PASSWORD", "only-a-test")
        .timeout(Duration::from_secs(60))
        .output()
        .map_err(|e| e.to_string())?;
    let said = |what: &str| {
        let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        format!("{what}; {}\n{stdout}{stderr}", out.status)
    };
    if [&out.stdout, &out.stderr].iter().any(|s| String::from_utf8_lossy(s).contains(PASSWORD)) {
        return Err("the password stands in the output".to_owned());
    }
    let report: Report = serde_json::from_slice(&out.stdout).map_err(|e| said(&e.to_string()))?;
    // 0 works, 1 fails, 2 cannot tell
    if out.status.code() != Some(report.verdict.outcome as i32) {
        return Err(said("the exit status is not that of the verdict"));
    }
    Ok(report)
}

fn listed(wrong: &[String], of: usize) -> String {
    format!("{} of {of} are wrong:\n\n{}\n", wrong.len(), wrong.join("\n\n"))
}

#[test]
fn probe_says_of_every_server_what_it_is() {
    let wrong = each_row(ROWS, |row, server| match probe(row, server) {
        Ok(report) => servers::mismatch(row, &report),
        Err(why) => Some(why),
    });
    assert!(wrong.is_empty(), "{}", listed(&wrong, ROWS.len()));
}

#[test]
fn probe_examines_the_data_connections_of_every_server() {
    let wrong = each_row(TRANSFERS, |row, server| match probe(row, server) {
        Ok(report) => servers::mismatch(row, &report),
        Err(why) => Some(why),
    });
    assert!(wrong.is_empty(), "{}", listed(&wrong, TRANSFERS.len()));
}

#[test]
fn probe_agrees_with_openssl() {
    let healthy: Vec<Row> = ROWS.iter().filter(|r| r.is_healthy()).copied().collect();
    assert!(healthy.len() >= 6, "there is something to compare");
    let wrong = each_row(&healthy, |row, server| {
        let (said, theirs) = match (probe(row, server), servers::s_client(row, server)) {
            (Ok(report), Ok(theirs)) => (report, theirs),
            (Err(why), _) | (_, Err(why)) => return Some(why),
        };
        let Some(tls) = said.connections.first().and_then(|c| c.tls.clone()) else {
            return Some(format!(
                "probe says nothing of TLS: {}",
                ftpsdiag::render(&said, ftpsdiag::Format::Dialogue, ftpsdiag::Style::default())
            ));
        };
        let suite = match servers::openssl_name(&tls.cipher.name) {
            Ok(name) => name,
            Err(why) => return Some(why),
        };
        let group = tls.group.as_deref().and_then(|g| g.split(' ').next()).unwrap_or("none").to_owned();
        let ours = Seen { version: tls.version, suite, group, chain: tls.certificates };
        (ours != theirs).then(|| format!("probe   {ours:?}\n     openssl {theirs:?}"))
    });
    assert!(wrong.is_empty(), "{}", listed(&wrong, healthy.len()));
}

/// The table is about these servers and not about others: what it says was negotiated is what OpenSSL finds there.
#[test]
fn the_servers_are_what_the_table_says() {
    // s_client has to be told which servers are implicit: one row is about not being told.
    let told = |r: &&Row| r.tls.starts_with("TLS") && !r.name.ends_with("found out");
    let finished: Vec<Row> = ROWS.iter().filter(told).copied().collect();
    let wrong = each_row(&finished, |row, server| {
        let seen = match servers::s_client(row, server) {
            Ok(seen) => seen,
            Err(why) => return Some(why),
        };
        let expected: Vec<&str> = row.tls.split(' ').collect();
        let id = u16::from_str_radix(expected[2], 16).ok().and_then(ftpsdiag::codes::cipher_suite);
        let suite = id.map(|s| servers::openssl_name(s.name));
        let (version, chain) = (format!("{} {}", expected[0], expected[1]), seen.chain.len().to_string());
        let same = version == seen.version
            && suite == Some(Ok(seen.suite.clone()))
            && expected[3] == seen.group
            && expected[4] == chain;
        (!same).then(|| format!("`{}` and {suite:?}, but {seen:?}", row.tls))
    });
    assert!(wrong.is_empty(), "{}", listed(&wrong, finished.len()));
}

/// README's second example, on a server of ours: the lines that do not hang on machine, port and day are the same.
#[test]
fn the_probe_in_the_readme_is_what_it_prints() {
    let lab = Lab::get();
    let server = servers::Start::Proftpd("leaf", &[]).start(lab);
    let target = format!("localhost:{}", server.port);
    let ca = lab.certificate("root.pem");
    let mut command = assert_cmd::Command::cargo_bin("ftpsdiag").unwrap();
    let out = command.args(["probe", &target, "-4", "--ca", &ca, "--color", "never"]).output().unwrap();
    let screen = String::from_utf8(out.stdout).unwrap();
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let shown =
        readme.split("```text\n").find(|block| block.starts_with("WORKS")).unwrap().split("```").next().unwrap();
    let labels = |text: &str| -> Vec<String> {
        text.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_uppercase())).map(|l| l[..8].to_owned()).collect()
    };
    let ours: Vec<String> = labels(&screen).into_iter().filter(|l| l.trim() != "MORE").collect();
    assert_eq!(ours, labels(shown), "{screen}");
    let varies = ["localhost:", "CN=", "ProFTPD by", "COST", "seen from", "UTC", "NOTE"];
    // Where a line breaks hangs on how long the server's name is, and a validity on the day of the run.
    let day = |word: &str| word.len() >= 10 && word.starts_with("20") && word[4..].starts_with('-');
    let joined =
        |text: &str| text.split_whitespace().map(|w| if day(w) { "DAY" } else { w }).collect::<Vec<_>>().join(" ");
    let printed = joined(&screen);
    for line in shown.lines().filter(|l| !varies.iter().any(|v| l.contains(v))) {
        assert!(printed.contains(&joined(line)), "`{line}` is not in\n{screen}");
    }
}

/// All reports of one command line.
fn reports(args: &[&str]) -> Vec<Report> {
    let mut command = assert_cmd::Command::cargo_bin("ftpsdiag").unwrap();
    let out = command.arg("probe").args(args).args(["--format", "json"]).timeout(Duration::from_secs(60)).output();
    serde_json::Deserializer::from_slice(&out.unwrap().stdout).into_iter().collect::<Result<_, _>>().unwrap()
}

/// A resumed session shows no certificate, so that the second report would have nothing to judge.
#[test]
fn no_report_lives_on_the_session_of_another() {
    let server = servers::Start::Proftpd("self-signed", &[]).start(Lab::get());
    let target = server.address().to_string();
    let by: Vec<Option<String>> = reports(&[&target, &target]).into_iter().map(|r| r.verdict.by).collect();
    assert_eq!(by, [Some("certificate-self-signed".to_owned()), Some("certificate-self-signed".to_owned())]);
}

#[test]
fn redaction_changes_no_verdict_and_a_saved_report_neither() {
    let lab = Lab::get();
    let server = servers::Start::Vsftpd("leaf", &[]).start(lab);
    let (port, ca) = (server.port, lab.certificate("root.pem"));
    for host in ["localhost", "ftp.geheim.invalid"] {
        let target = format!("{host}:{port}");
        let usual = ["--resolve", "127.0.0.1", "--ca", &ca];
        let told = reports(&[&[target.as_str()][..], &usual].concat()).remove(0);
        let redacted = reports(&[&[target.as_str(), "--redact", "names"][..], &usual].concat()).remove(0);
        let essence = |r: &Report| (r.verdict.outcome, r.verdict.by.clone(), r.verdict.confidence);
        assert_eq!(essence(&told), essence(&redacted), "{host}");
        let text = serde_json::to_string(&redacted).unwrap();
        for secret in [host, &hex::encode(host), "ftpsdiag test"] {
            assert!(!text.contains(secret), "{secret} is still there");
        }
        let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("saved-{host}.json"));
        std::fs::write(&file, serde_json::to_vec(&told).unwrap()).unwrap();
        let mut command = assert_cmd::Command::cargo_bin("ftpsdiag").unwrap();
        let again = command.args(["decode", file.to_str().unwrap(), "--format", "json"]).output().unwrap();
        let again: Report = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!((&again.verdict, &again.findings), (&told.verdict, &told.findings), "{host}");
    }
}

#[test]
fn the_chain_is_written_as_it_was_sent() {
    let lab = Lab::get();
    let server = servers::Start::Vsftpd("leaf", &[]).start(lab);
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("chain-as-sent.pem");
    let out = assert_cmd::Command::cargo_bin("ftpsdiag")
        .unwrap()
        .args([
            "probe",
            &server.address().to_string(),
            "--ca",
            &lab.certificate("root.pem"),
            "-q",
            "-o",
            file.to_str().unwrap(),
        ])
        .timeout(Duration::from_secs(60))
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stdout));
    let pem = |file: &std::path::Path| {
        let text = std::fs::read_to_string(file).unwrap();
        let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
        blocks.map(|b| b.split("-----END").next().unwrap().split_whitespace().collect::<String>()).collect::<Vec<_>>()
    };
    assert_eq!(pem(&file), pem(lab.certificate("leaf.pem").as_ref()));
}

/// The hello of the trace that this project began with, sent to the library that it met: the same bytes come back.
#[test]
fn the_seed_happens_again() {
    const HELLO: &str = "16030100390100003503016038\
        53aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d00000e00ff003500380039002f003200330100";
    let lab = Lab::get();
    let server = servers::Start::OldOpenssl("leaf", "notls1").start(lab);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut play = String::from("0 open\n");
    let mut say = |who: &str, bytes: &[u8]| play.push_str(&format!("- {who} {}\n", hex::encode(bytes)));
    let answer = |stream: &mut TcpStream| {
        let mut buffer = vec![0; 4096];
        let len = stream.read(&mut buffer).unwrap();
        buffer.truncate(len);
        buffer
    };
    say("S", &answer(&mut stream));
    for words in [b"AUTH TLS\r\n".to_vec(), hex::decode(HELLO).unwrap()] {
        stream.write_all(&words).unwrap();
        say("C", &words);
        say("S", &answer(&mut stream));
    }
    assert!(play.ends_with(&format!("S {}\n", hex::encode("550 TLS handshake failed\r\n"))), "{play}");
    play.push_str("- S closes\n");
    let t = ftpsdiag::transcript::dialogue::parse(&play).unwrap();
    let r = ftpsdiag::report::diagnose(t, &ftpsdiag::report::About::default());
    let v = &r.verdict;
    assert_eq!(
        (v.by.as_deref(), v.cause.as_deref()),
        (Some("plaintext-instead-of-tls"), Some("client-tls-version-refused"))
    );
    assert_eq!(r.findings[0].data["text"], "550 TLS handshake failed");
}

/// A login was asked for, and the server speaks what only a build with OpenSSL does: that is said, with how to get one.
#[cfg(not(feature = "legacy-tls"))]
#[test]
fn a_build_without_openssl_says_what_it_left_out() {
    let old_version = ["OPENSSL MinProtocol = TLSv1", "OPENSSL MaxProtocol = TLSv1", "ssl_ciphers=ALL:@SECLEVEL=0"];
    let old_suites = ["OPENSSL MaxProtocol = TLSv1.2", "ssl_ciphers=AES256-SHA256"];
    for lines in [&old_version[..], &old_suites] {
        let server = servers::Start::Vsftpd("leaf", lines.to_vec().leak()).start(Lab::get());
        let report = reports(&[&server.address().to_string(), "--anonymous"]).remove(0);
        let untested: Vec<_> = report.checks.iter().map(|c| (c.id.as_str(), c.result, c.why.as_deref())).collect();
        let why = "this build speaks TLS 1.2 and 1.3 only; cargo build --release --features legacy-tls tests them";
        let expected = |id| (id, CheckResult::Untested, Some(why));
        assert_eq!(untested[untested.len() - 2..], [expected("login"), expected("data-connection")], "{lines:?}");
        let screen = ftpsdiag::render(&report, ftpsdiag::Format::Text, ftpsdiag::Style::default());
        let words: Vec<&str> = screen.split_whitespace().collect();
        assert!(words.join(" ").contains("--features legacy-tls tests them: login, transfers"), "{screen}");
    }
}

/// Starts every row and prints where it listens, until standard input ends; for trying things by hand:
/// `cargo test --test servers -- --ignored --nocapture`
#[test]
#[ignore = "waits for standard input to end"]
fn keep_every_server_running() {
    let lab = Lab::get();
    let running: Vec<(&Row, Server)> = ROWS.iter().map(|row| (row, row.start.start(lab))).collect();
    for (row, server) in &running {
        println!("{}\t{}\tprobe {}", server.address(), row.name, arguments(row, server).join(" "));
    }
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).is_ok_and(|n| n > 0) {}
}

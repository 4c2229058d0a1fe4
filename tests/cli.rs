//! The real binary: what a person types, and what a script relies on.

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use assert_cmd::Command;
use common::{SEED, root};
use ftpsdiag::report::Report;

fn ftpsdiag(args: &[&str]) -> Output {
    Command::cargo_bin("ftpsdiag").unwrap().current_dir(root()).args(args).output().unwrap()
}

fn piped(args: &[&str], input: impl Into<Vec<u8>>) -> Output {
    Command::cargo_bin("ftpsdiag").unwrap().current_dir(root()).args(args).write_stdin(input).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// What was said on standard error, however its lines were broken.
fn stderr(output: &Output) -> String {
    let said = std::str::from_utf8(&output.stderr).unwrap();
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_str(stdout(output)).unwrap_or_else(|e| panic!("{e}: {}", stdout(output)))
}

/// A folder of this test alone, below target.
fn folder(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

#[test]
fn an_error_is_explained_as_it_is_pasted() {
    let out = Command::cargo_bin("ftpsdiag")
        .unwrap()
        .args(["explain", "GnuTLS", "error", "-15:", "An", "unexpected", "TLS", "packet", "was", "received."])
        .output()
        .unwrap();
    assert!(String::from_utf8(out.stdout).unwrap().contains("explain plaintext-instead-of-tls"));
}

#[test]
fn the_mail_comes_to_its_verdict() {
    let out = ftpsdiag(&["decode", SEED, "--format", "json"]);
    assert_eq!((out.status.code(), stderr(&out).as_str()), (Some(1), ""));
    let r = json(&out);
    let v = &r["verdict"];
    assert_eq!(
        (&v["outcome"], &v["by"], &v["confidence"], &v["party"], &v["cause"]),
        (
            &"fails".into(),
            &"plaintext-instead-of-tls".into(),
            &"certain".into(),
            &"server".into(),
            &"client-tls-version-refused".into()
        )
    );
    let f = &r["findings"][0];
    assert_eq!((&f["data"]["code"], &f["data"]["text"]), (&550.into(), &"550 T".into()));
    assert_eq!(f["data"]["misread"], serde_json::json!({ "type": 53, "version": 0x3530, "length": 8276 }));
    let places: Vec<&str> =
        f["data"]["coincidences"].as_array().unwrap().iter().map(|c| c["where"].as_str().unwrap()).collect();
    assert_eq!(places, ["handshake length", "cipher suite"]);

    let offer = &r["client"]["offer"];
    assert_eq!(
        (&offer["highest_version"], &offer["message_bytes"], &offer["wire_bytes"]),
        (&"TLS 1.0".into(), &57.into(), &62.into())
    );
    assert!(offer["extensions"].is_null());
    let suites: Vec<&str> = offer["suites"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(suites.len(), 7);
    assert_eq!(suites[1], "TLS_RSA_WITH_AES_256_CBC_SHA");
    assert_eq!(r["client"]["clock"], serde_json::json!({ "utc": "2021-02-26 01:49:34", "zone_minutes": 0 }));

    let claims: Vec<String> = f["data"]["claims"].as_array().unwrap().iter().map(|c| c["code"].to_string()).collect();
    for code in [r#""value":53"#, r#""value":410"#, "EZA2897I", "EZA2898I", r#""value":17"#] {
        assert!(claims.iter().any(|c| c.contains(code)), "{code} in {claims:?}");
    }
    let causes = f["causes"].as_array().unwrap();
    assert_eq!((&causes[0]["id"], &causes[0]["confidence"]), (&"client-tls-version-refused".into(), &"likely".into()));
    assert_eq!(
        (&causes[1]["id"], &causes[1]["confidence"]),
        (&"server-tls-not-initialised".into(), &"possible".into())
    );
    let text = f.to_string();
    for word in [
        "unknown protocol",
        "null SSL_CTX",
        "OpenSSL 1.0.2 and older",
        "ProFTPD's wording up to 1.3.7",
        "GSK_PROTOCOL_TLSV1_2=ON",
        "CEEOPTS",
        "TLSMECHANISM ATTLS",
        "TLSv1.2 On",
        "ECDHE",
        "TLSLog",
        "TLSProtocol",
        "weak",
    ] {
        assert!(text.contains(word), "`{word}` in the finding");
    }
}

#[test]
fn files_and_pipes_need_no_subcommand() {
    for out in [
        ftpsdiag(&[SEED]),
        ftpsdiag(&["decode", SEED]),
        piped(&[], common::seed()),
        piped(&["-"], common::seed()),
        piped(&["decode"], common::seed()),
        ftpsdiag(&["fixtures/zos-ftp/ibm-main-client.txt", "fixtures/gsksrvr/ibm-main-trace.txt"]),
    ] {
        assert_eq!(out.status.code(), Some(1), "{}", stderr(&out));
        assert!(stdout(&out).starts_with("FAILS   67.208.93.232:21 answered"), "{}", stdout(&out));
        assert_eq!(stdout(&out).matches("FAILS").count(), 1, "one report");
    }
}

#[test]
fn exit_status_says_what_was_found() {
    assert_eq!(ftpsdiag(&["fixtures/hex/xxd.txt"]).status.code(), Some(1));
    assert_eq!(piped(&[], "0 S \"220 ready\\r\\n\"\n").status.code(), Some(2));
    assert_eq!(ftpsdiag(&["--help"]).status.code(), Some(0));
    assert_eq!(ftpsdiag(&["--no-such-flag"]).status.code(), Some(3));
    assert_eq!(ftpsdiag(&["decode", "--session", "7", SEED]).status.code(), Some(3));
}

#[test]
fn bad_input_says_where_and_what_to_try() {
    let long = format!("{}\n", "x".repeat(2 * 1024 * 1024));
    let half = "00000000: 01000035 03016038 53AEFEE4 0E3FA5C1   *...5...8S....?..*\n";
    let cases: [(&str, Vec<u8>, &str); 11] = [
        ("empty", Vec::new(), "empty"),
        ("binary", vec![0, 1, 2, 3, 0xff, 0, 9, 0x80, 7], "binary data"),
        ("gzip", vec![0x1f, 0x8b, 8, 0, 0, 0], "gzip"),
        ("capture", vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0], "a capture without packets"),
        ("sniffer", b"TRSNIFF data    \x1a\0\0\0\0".to_vec(), "editcap -F pcap"),
        ("snoop", b"snoop\0\0\0\0\0\0\x02".to_vec(), "a Solaris snoop capture"),
        ("line", b"Dear all, it does not work.\n".to_vec(), "its only line"),
        ("prose", b"Dear all,\nit does not work.\n".to_vec(), "none of its 2 lines"),
        ("odd", b"16030100390100003503016038 53AEFEE40E3FA5C1738D117497B11A6C48D50A5\n".to_vec(), "odd"),
        ("long", long.into_bytes(), "longer than 1 MiB"),
        ("half", format!("S0W1 DUMP 00000020 01:49:34.380878 SSL_ASCII_DUMP\n Job J Process 0501028D Thread 00000001 send_v3_client_hello\n V3 CLIENT-HELLO message\n{half}").into_bytes(), "ends 41 bytes early"),
    ];
    for (name, input, says) in cases {
        let out = piped(&[], input);
        assert_eq!(out.status.code(), Some(3), "{name}: {}{}", stdout(&out), stderr(&out));
        assert!(stderr(&out).contains(says) && stderr(&out).contains("try:"), "{name}: {}", stderr(&out));
    }
    for (args, says) in [
        (&["decode", "src"][..], "a directory"),
        (&["decode", "no/such/file.txt"], "no such file"),
        (&["missing.log"], "no such file"),
        (&["99999"], "nor a host"),
        (&[SEED, "ftp.example.org"], "not probed beside files"),
        (&[SEED, "-o", "report.xyz"], "its ending names no format"),
        (&[SEED, "-o", "/no/such/folder/x.md"], "cannot be written"),
    ] {
        let out = ftpsdiag(args);
        assert_eq!(out.status.code(), Some(3), "{args:?}");
        assert!(stderr(&out).contains(says), "{args:?}: {}", stderr(&out));
        let lines = String::from_utf8_lossy(&out.stderr);
        assert!(lines.lines().all(|l| l.len() <= 80), "{args:?}: {lines}");
    }
}

#[test]
fn what_was_readable_is_reported_all_the_same() {
    let out = piped(
        &["--format", "json"],
        "client: 1603010039010000350301603853AEFEE40E3FA5C1738D117497B11A6C48D50A529ED8C9F619AF4C56C20D00000E00FF003500380039002F003200330100\nserver: 35353020544C53200\n",
    );
    assert_eq!(out.status.code(), Some(3), "a digit was lost");
    assert_eq!(json(&out)["findings"][0]["id"], "plaintext-instead-of-tls");
    assert!(stderr(&out).contains("-:2:"), "the line is named: {}", stderr(&out));
    let out = ftpsdiag(&["decode", SEED, "no-such-file.txt"]);
    assert_eq!(out.status.code(), Some(3));
    assert!(stdout(&out).starts_with("FAILS"), "the other file is read");
}

#[test]
fn output_files_take_their_format_from_the_ending() {
    let dir = folder("output");
    let names: Vec<String> =
        ["a.txt", "a.json", "a.md", "a.dialogue"].iter().map(|n| dir.join(n).to_str().unwrap().to_owned()).collect();
    let mut args = vec!["decode", SEED, "--ref", "INC0012345", "-q"];
    for name in &names {
        args.extend(["-o", name]);
    }
    let out = ftpsdiag(&args);
    assert_eq!(stdout(&out).lines().count(), 2, "quiet: {}", stdout(&out));
    let read = |n: usize| fs::read_to_string(&names[n]).unwrap();
    assert!(read(0).starts_with("FAILS   ") && read(0).contains("INC0012345"));
    assert_eq!(serde_json::from_str::<Report>(&read(1)).unwrap().reference.as_deref(), Some("INC0012345"));
    assert!(read(2).starts_with("# FAILS: ") && read(2).contains("Ticket: INC0012345"));
    assert!(read(3).contains("S \"550 T\""));
    // A saved report, and a dialogue, are evidence again.
    for n in [1, 3] {
        let again = ftpsdiag(&["--format", "json", &names[n]]);
        let (was, is) = (serde_json::from_str::<serde_json::Value>(&read(1)).unwrap(), json(&again));
        assert_eq!(
            (&is["verdict"], &is["findings"], &is["key"]),
            (&was["verdict"], &was["findings"], &was["key"]),
            "{}",
            names[n]
        );
    }
}

#[test]
fn markdown_has_plain_headings_one_block_and_a_part_for_each_party() {
    let out = ftpsdiag(&["--format", "markdown", SEED]);
    let text = stdout(&out);
    assert_eq!(text.matches("```").count(), 2, "one fenced block");
    for heading in [
        "# FAILS: ",
        "## What happened",
        "## Causes",
        "## For the client's side",
        "## For the server's side",
        "## Not known",
    ] {
        assert_eq!(text.lines().filter(|l| l.starts_with(heading)).count(), 1, "{heading}\n{text}");
    }
    let client = text.split("## For the client's side").nth(1).unwrap().split("\n## ").next().unwrap();
    for word in ["67.208.93.232", "550 T", "GSK\\_PROTOCOL\\_TLSV1\\_2", "2021-02-26 01:49:34 UTC"] {
        assert!(
            client.contains(word) || client.replace('\\', "").contains(&word.replace('\\', "")),
            "mailed alone, it says {word}: {client}"
        );
    }
}

#[test]
fn the_key_is_stable() {
    let key = |out: &Output| json(out)["key"].as_str().unwrap().to_owned();
    let first = key(&ftpsdiag(&["--format", "json", SEED]));
    assert_eq!(first, key(&ftpsdiag(&["--format", "json", SEED, "--ref", "X"])));
    assert_eq!(
        first,
        key(&ftpsdiag(&["--format", "json", "fixtures/gsksrvr/ibm-main-trace.txt"])),
        "the trace alone is the same problem"
    );
    let later = common::seed().replace("01:49:34", "05:12:07");
    assert_eq!(first, key(&piped(&["--format", "json"], later)), "another time is the same problem");
    let other = common::seed().replace("67.208.93.232", "67.208.93.233");
    assert_ne!(first, key(&piped(&["--format", "json"], other)), "another endpoint is another problem");
}

#[test]
fn no_chain_leaves_no_file() {
    let place = std::env::temp_dir().join(format!("ftpsdiag-chain-{}.pem", std::process::id()));
    let name = place.to_str().unwrap();
    let out = ftpsdiag(&[SEED, "-o", name]);
    assert!(!place.exists(), "an empty file");
    assert!(stderr(&out).contains("no certificate came"), "{}", stderr(&out));
    // What stood there stays.
    std::fs::write(&place, "kept").unwrap();
    ftpsdiag(&[SEED, "-o", name]);
    assert_eq!(std::fs::read_to_string(&place).unwrap(), "kept");
    std::fs::remove_file(&place).unwrap();
}

#[test]
fn redact_takes_names_out_of_everything() {
    for format in ["text", "json", "markdown", "dialogue"] {
        let out = ftpsdiag(&["-v", "--redact", "names", "--format", format, SEED]);
        let text = stdout(&out);
        for name in ["67.208.93.232", "SJP1", "Pryor", "ibm-main-msg"] {
            assert!(!text.contains(name) && !text.contains(&hex::encode(name)), "{format}: {name}\n{text}");
        }
        assert!(text.contains("192.0.2.1"), "{format}: {text}");
    }
    let out = ftpsdiag(&["--redact", "names", SEED]);
    assert!(stdout(&out).contains("redacted: names"), "{}", stdout(&out));
}

#[test]
fn no_secret_reaches_any_output() {
    let paste = "EZA1701I >>> USER joe\n331 Send password please.\nEZA1701I >>> PASS Geheim77\nEZA1701I >>> AUTH TLS\n234 go\n\
                 SSL-Session:\n    Master-Key: 6765686569\n0 C \"PASS Geheim77\\r\\n\"\nftp://joe:Geheim77@host/\n";
    for format in ["text", "json", "markdown", "dialogue"] {
        let out = piped(&["-v", "--format", format], paste);
        let all = format!("{}{}", stdout(&out), stderr(&out));
        assert!(
            !all.contains("Geheim") && !all.contains(&hex::encode("Geheim77")) && !all.contains("6765686569"),
            "{format}: {all}"
        );
    }
}

#[test]
fn no_echo_of_a_password_reaches_any_output() {
    let log = "EZA1701I >>> AUTH TLS\n234 go\nEZA2897I Authentication negotiation failed\n";
    let talk = "conn 0 control\n- S \"220 x\\r\\n\"\n- C \"USER joe\\r\\n\"\n- S \"331 pw\\r\\n\"\n";
    for paste in [
        format!("EZA1736I user joe Geheim77\nEZA1736I Geheim77\nEZA1736I joe Geheim77\n{log}"),
        format!("EZA1789I PASSWORD:\nGeheim77\n{log}EZA1736I open h\njoe/Geheim77\n"),
        format!("ftp -v h <<EOF\njoe\nGeheim77\nEOF\n-u joe:Geheim77\nPW=Geheim77\n{log}"),
        format!("{log}KEYRINGPW(\"Geheim77\")\nCALL FTP 'USER joe Geheim77'\nlogin joe\npassword Geheim77\n"),
        format!("{talk}- C \"PASS Geheim77\\r\\n\"\n- S \"500 'PASS Geheim77': command not understood\\r\\n\"\n"),
        format!("{talk}- C \"SITE PSWD Geheim77 Geheim78\\r\\n\"\n- S \"500 Geheim78?\\r\\n\"\n"),
        format!("{talk}- C \"Geheim77\\r\\n\"\n- S \"500 GEHEIM77 not understood\\r\\n\"\n"),
    ] {
        for format in ["text", "json", "markdown", "dialogue"] {
            let out = piped(&["-v", "--format", format], paste.as_str());
            let all = format!("{}{}", stdout(&out), stderr(&out)).to_lowercase();
            let shown = all.contains("geheim") || ["Geheim", "GEHEIM"].iter().any(|s| all.contains(&hex::encode(s)));
            assert!(!shown, "{format}: {paste}\n{all}");
        }
    }
}

#[test]
fn redact_takes_jobs_and_users_out_of_messages() {
    let paste = "EZZ9830I FTPOUT FTP failed - Cmd = 27(put) Reply = 522 EX STD RC = 27522\n\
                 EZA1459I NAME (files.bank.example:FTPBAT):\nEZA1701I >>> AUTH TLS\n";
    let server =
        "Nov 20 02:14:11 PRD1 ftpd[83951711]: EZYFS50I ID=FTPD100001 CONN starts Client IPaddr=198.51.100.20\n";
    for format in ["text", "json", "markdown", "dialogue"] {
        for input in [paste, server] {
            let out = piped(&["-v", "--redact", "all", "--format", format], input);
            for name in ["FTPOUT", "FTPBAT", "files.bank", "FTPD1", "198.51"] {
                assert!(!stdout(&out).contains(name), "{format}: {name}\n{}", stdout(&out));
            }
        }
    }
}

#[test]
fn no_login_of_a_job_reaches_any_output() {
    let log = "EZA1701I >>> AUTH TLS\n234 go\nEZA2897I Authentication negotiation failed\n";
    for job in [
        "//SYSTSIN DD *\nftp.example.org\njoe Geheim77\n/*\n",
        "//SYSTSIN DD *\nftp ftp.example.org (EXIT\njoe\nGeheim77\n/*\n",
        "//S EXEC PGM=FTP,PARM='ftp.example.org joe Geheim77 (EXIT'\n",
        "//ANY DD *\nftp.example.org\njoe Geheim77\n/*\n",
        "> //INPUT DD *\n> ftp.example.org\n> user joe Geheim77\n> /*\n",
        "//NETRC DD *\nmachine ftp.example.org\nlogin joe\npassword Geheim77\n/*\n",
    ] {
        for paste in [format!("{job}{log}"), format!("{log}{job}")] {
            let out = piped(&["--format", "json"], paste.as_str());
            let all = format!("{}{}", stdout(&out), stderr(&out));
            assert!(!all.contains("Geheim"), "{paste}\n{all}");
            assert!(all.contains("handshake-refused-by-client"), "{paste}\n{all}");
        }
    }
}

#[test]
fn nothing_of_a_peer_reaches_the_terminal_unescaped() {
    let play = "0 C \"AUTH TLS\\r\\n\"\n1 S \"500 \\x1b[2J\\x07 \\xff\\x00 evil\\r\\n\"\n2 C closes\n";
    for format in ["text", "json", "markdown", "dialogue"] {
        let out = piped(&["-v", "--format", format, "--color", "never"], play);
        assert!(out.stdout.iter().all(|b| matches!(b, b'\n' | b' '..=b'~')), "{format}: {}", stdout(&out));
    }
    let out = ftpsdiag(&["decode", "\u{1b}[2Jx.txt"]);
    assert!(!out.stderr.contains(&0x1b), "{}", stderr(&out));
}

#[test]
fn hex_without_a_direction_gets_the_one_that_makes_sense() {
    let hello = "1603010039010000350301603853AEFEE40E3FA5C1738D117497B11A6C48D50A529ED8C9F619AF4C56C20D00000E00FF003500380039002F003200330100";
    // Who sent a bare alert is an assumption, and so the finding is no more than likely.
    let alert = "fails fatal-alert likely server";
    let text = "fails plaintext-instead-of-tls certain server";
    for (paste, expected) in [
        (format!("{hello}\n15030100020228\n"), alert),
        (format!("{hello}15030100020228\n"), alert),
        (format!("client:\n{hello}\nserver:\n15030300020228\n"), "fails fatal-alert certain server"),
        (format!("{hello}3535302054\n"), text),
        (format!("ClientHello: {hello}\nServer reply: 3535302054\n"), text),
        (format!("```\n{hello}\n```\nand back came\n```\n3535302054\n```\n"), text),
        (format!("x'{hello}'\nx'3535302054'\n"), text),
        (format!("{hello}\n485454502f312e31203430300d0a\n"), "fails not-ftp likely between"),
    ] {
        common::expect(&common::only_report("paste", paste.as_bytes()), expected)
            .unwrap_or_else(|e| panic!("{paste}: {e}"));
    }
    // Two files are one case here too.
    let reports = common::reports(&[("a", hello.as_bytes()), ("b", b"15030100020228")]);
    assert_eq!(reports.len(), 1);
    common::expect(&reports[0], alert).unwrap();
}

#[test]
fn two_sessions_stay_two() {
    let trace = fs::read_to_string(root().join("fixtures/gsksrvr/ibm-main-trace.txt")).unwrap();
    let other = trace.replace("SJP1", "PAYJOB").replace("67.208.93.232", "10.1.2.3").replace("01:49", "03:12");
    let out = piped(&["--format", "dialogue"], format!("{trace}\n{other}"));
    let again = piped(&["--format", "json"], stdout(&out));
    let targets: Vec<String> =
        stdout(&again).lines().map(|l| serde_json::from_str::<Report>(l).unwrap().subject.target.unwrap()).collect();
    assert_eq!(targets, ["67.208.93.232:21", "10.1.2.3:21"]);
}

#[test]
fn colour_is_for_terminals_or_on_request() {
    assert!(!stdout(&ftpsdiag(&[SEED])).contains('\x1b'));
    assert!(stdout(&ftpsdiag(&["--color", "always", SEED])).contains("\x1b["));
    let dir = folder("colour");
    let file = dir.join("x.txt");
    ftpsdiag(&["--color", "always", SEED, "-o", file.to_str().unwrap()]);
    assert!(!fs::read_to_string(file).unwrap().contains('\x1b'), "files are never coloured");
}

#[test]
fn verbose_shows_the_ladder_and_the_bytes_taken_apart() {
    let out = ftpsdiag(&["-v", SEED]);
    for line in [
        "LADDER",
        "01:49:34.383 > ClientHello: TLS 1.0 at most, 7 suites",
        "z/OS FTP client: EZA2897I",
        "record type 22: handshake",
        "00 35  ",
        "TLS_RSA_WITH_AES_256_CBC_SHA",
        "taken for record type 53",
    ] {
        assert!(stdout(&out).contains(line), "{line}\n{}", stdout(&out));
    }
}

#[test]
fn ids_and_codes_are_explained() {
    for (args, says) in [
        (&["explain", "plaintext-instead-of-tls"][..], "record type 0x35"),
        (&["plaintext-instead-of-tls"], "record type 0x35"),
        (&["explain", "client-tls-version-refused"], "GSK_PROTOCOL_TLSV1_2"),
        (&["explain", "gsk", "410"], "GSK_ERR_BAD_MESSAGE"),
        (&["explain", "alert", "40"], "handshake_failure"),
        (&["explain", "ftp", "534"], "534"),
        (&["explain", "cipher", "0035"], "TLS_RSA_WITH_AES_256_CBC_SHA"),
        (&["explain", "EZA2897I"], "Authentication negotiation failed"),
        (&["explain", "gsk", "-22"], "closed the socket"),
        (&["explain", "-15"], "gnutls -15"),
        (&["explain", "alert", "handshake", "failure"], "TLS alert 40"),
        (&["explain", "gsk", "410"], "More: ftpsdiag explain plaintext-instead-of-tls"),
        (&["explain", "-v", "plaintext-instead-of-tls"], "## data"),
        (&["explain", "plaintext-instead-of-tls", "fatal-alert"], "# fatal-alert"),
        (&["410"], "GSK_ERR_BAD_MESSAGE"),
        (&["534 Policy requires SSL."], "IIS"),
        (&["curl: (13) Bad PASV/EPSV response: 150"], "data connection"),
        (&["GnuTLS error -15: An unexpected TLS packet was received."], "plaintext-instead-of-tls"),
    ] {
        let out = ftpsdiag(args);
        assert_eq!(out.status.code(), Some(0), "{args:?}: {}", stderr(&out));
        assert!(stdout(&out).contains(says), "{args:?}: {}", stdout(&out));
    }
    let out = ftpsdiag(&["explain", "nonsense"]);
    assert_eq!(out.status.code(), Some(3));
    assert!(stderr(&out).contains("try:"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftpsdiag"))
        .current_dir(root())
        .args(["-v", "--format", "json", "--pretty", SEED])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert!(out.status.code().is_some(), "no signal");
    assert_eq!(String::from_utf8_lossy(&out.stderr), "");
}

#[test]
fn every_generated_file_can_be_made() {
    for what in ["man", "schema", "bash", "zsh", "fish", "powershell", "elvish"] {
        let out = ftpsdiag(&["generate", what]);
        assert!(out.status.success() && stdout(&out).len() > 500, "{what}");
    }
}

#[test]
#[cfg(feature = "live")]
fn an_audit_says_first_what_it_will_do() {
    let out = ftpsdiag(&["audit", "--dry-run", "--simulate", "ftp.example.org"]);
    let plan = stdout(&out);
    assert!(out.status.success() && plan.starts_with("audit of ftp.example.org:\n"), "{plan}");
    for words in ["1 ordinary session", "cipher suite", "at most 4 connections at a time", "No login", "known clients"]
    {
        assert!(plan.contains(words), "{words}: {plan}");
    }
    let out = ftpsdiag(&["audit", "--dry-run", "--gentle", "--only", "versions", "ftp.example.org"]);
    assert!(stdout(&out).contains("one connection at a time") && !stdout(&out).contains("USER"), "{}", stdout(&out));
    for wrong in [["--only", "colours"], ["--assume", "no-colours"]] {
        let out = ftpsdiag(&["audit", wrong[0], wrong[1], "ftp.example.org"]);
        assert_eq!(out.status.code(), Some(3), "{wrong:?}");
        assert!(stderr(&out).contains(wrong[1]), "{}", stderr(&out));
    }
}

/// What the run would stumble over, the dry run does too, and before anybody reads a plan; it writes nothing.
#[test]
#[cfg(feature = "live")]
fn a_dry_run_reads_what_the_run_would() {
    for (args, words) in [
        (&["ftp.example.org:99999"][..], "1 to 65535"),
        (&["http://ftp.example.org"], "no scheme of FTP"),
        (&["h", "-o", "no/such/folder/x.json"], "cannot be written"),
        (&["h", "-o", "x.doc"], "names no format"),
        (&["h", "--ca", "no-such.pem"], "no-such.pem"),
        (&["h", "--gentle", "--parallel", "8"], "cannot be used with"),
        (&["h", "--parallel", "17"], "1..=16"),
        (&["h", "--assume", "tls12,tls13"], "name one of them"),
    ] {
        for dry in [&["--dry-run"][..], &[]] {
            let out = ftpsdiag(&[&["audit"], args, dry].concat());
            assert_eq!((out.status.code(), stdout(&out)), (Some(3), ""), "{args:?}");
            let said = stderr(&out);
            assert!(said.contains(words) && !said.contains("ordinary session"), "{args:?}: {said}");
        }
    }
    let folder = folder("dry");
    let (old, new) = (folder.join("old.json"), folder.join("new.json"));
    fs::write(&old, "kept").unwrap();
    let names = [&old, &new].map(|p| p.display().to_string());
    let out = ftpsdiag(&["audit", "--dry-run", "-o", &names[0], "-o", &names[1], "h"]);
    assert!(out.status.success(), "{}", stderr(&out));
    assert!(fs::read_to_string(&old).unwrap() == "kept" && !new.exists());
}

#[test]
fn help_lists_only_what_is_built() {
    let out = ftpsdiag(&["--help"]);
    for word in ["replay", "listen", "scan", "html"] {
        assert!(!stdout(&out).lines().any(|l| l.trim_start().starts_with(word)), "{word}");
    }
}

#[test]
fn a_login_needs_a_password_that_is_no_argument() {
    let refused = |args: &[&str], words: &[&str]| {
        let out = Command::cargo_bin("ftpsdiag")
            .unwrap()
            .current_dir(root())
            .env_remove("FTPSDIAG_PASSWORD")
            .args(args)
            .write_stdin("")
            .output()
            .unwrap();
        assert_eq!(out.status.code(), Some(3), "{args:?}");
        assert!(words.iter().all(|w| stderr(&out).contains(w)), "{args:?}: {}", stderr(&out));
    };
    refused(&["probe", "127.0.0.1:1", "--user", "x"], &["no terminal to ask", "FTPSDIAG_PASSWORD"]);
    refused(&["probe", "127.0.0.1:1", "--user", "a\r\nDELE b"], &["cannot stand in an FTP command"]);
    refused(&["probe", "127.0.0.1:1", "--anonymous", "--write-test", "a\nb"], &["--write-test", "cannot stand"]);
    refused(&["probe", "127.0.0.1:1", "--active"], &["--user"]);
    refused(&["probe", "127.0.0.1:1", "--user", "x", "--password-file", "no/such"], &["no/such", "could not be read"]);
    let empty = folder("empty-password").join("pw");
    fs::write(&empty, "\u{FEFF}\nsecond\n").unwrap();
    let empty = empty.to_string_lossy();
    refused(&["probe", "127.0.0.1:1", "--user", "x", "--password-file", &empty], &["its first line is empty"]);
    refused(&["probe", "127.0.0.1:1", "--user", "x", "--anonymous"], &["cannot be used with"]);
}

#[test]
fn a_netrc_without_the_host_is_said_before_anything_is_opened() {
    let dir = folder("netrc");
    let file = dir.join("netrc");
    fs::write(&file, "machine other.example login x password hidden-word\n").unwrap();
    let out = Command::cargo_bin("ftpsdiag")
        .unwrap()
        .env_remove("FTPSDIAG_PASSWORD")
        .env("NETRC", &file)
        .args(["probe", "127.0.0.1:1", "--user", "x", "--netrc"])
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(3));
    assert!(stderr(&out).contains("has no password of `x` at 127.0.0.1"), "{}", stderr(&out));
    assert!(!stderr(&out).contains("hidden-word"));
}

//! Logs of z/OS FTP and what was pasted along with them: in any dress the same, never more than they say, and without secrets.

mod common;

use common::{SEED, expect, files, fixture, only_report, reports, root, seed, verdict};
use ftpsdiag::report::{Outcome, Report};

fn expected(name: &str) -> String {
    fixture(&name.replace(".txt", ".expect"))
}

fn json(report: &Report) -> String {
    serde_json::to_string(&report).unwrap()
}

/// What mail programs do to whole lines.
fn dresses(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let each = |change: &dyn Fn(&str) -> String| -> Vec<u8> {
        text.lines().map(|l| change(l) + "\n").collect::<String>().into_bytes()
    };
    let utf16 = |big: bool| -> Vec<u8> {
        let units = text.encode_utf16();
        units.flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    let to_ebcdic = |b: u8| (0..=255).rev().find(|e| ftpsdiag::wire::ebcdic::to_latin1(*e) == b).unwrap_or(0x6f);
    vec![
        ("as it stands", text.as_bytes().to_vec()),
        ("quoted", each(&|l| format!("> {l}"))),
        ("quoted twice", each(&|l| format!("> > {l}"))),
        ("with bars", each(&|l| format!("| {l}"))),
        ("CRLF", text.replace('\n', "\r\n").into_bytes()),
        ("CR", text.replace('\n', "\r").into_bytes()),
        ("double spacing", text.replace('\n', "\n\n").into_bytes()),
        ("collapsed", each(&|l| l.split_whitespace().collect::<Vec<_>>().join(" "))),
        ("trailing blanks", each(&|l| format!("{l}    "))),
        ("timestamps", each(&|l| format!("2021-02-27 09:15:00 {l}"))),
        ("HTML", each(&|l| format!("{}<br>", l.replace('>', "&gt;")))),
        ("quoted-printable", each(&|l| format!("{l}=20"))),
        ("UTF-16, big endian", utf16(true)),
        ("UTF-16, little endian", utf16(false)),
        ("EBCDIC", text.bytes().map(to_ebcdic).collect()),
    ]
}

#[test]
fn logs_and_settings_in_any_dress() {
    for name in [
        "zos-ftp/unix-without-ids.txt",
        "zos-ftp/client-990-silent.txt",
        "zos-ftp/reset-behind-auth.txt",
        "zos-ftp/debug-time.txt",
        "zos-config/ccc-notify.txt",
        "zos-config/other-file.txt",
        "zos-config/policy.txt",
        "zos-config/data-in-clear.txt",
    ] {
        for (dress, bytes) in dresses(&fixture(name)) {
            let report = only_report(dress, &bytes);
            expect(&report, &expected(name)).unwrap_or_else(|e| panic!("{name}, {dress}: {e}"));
        }
    }
}

#[test]
fn no_cut_of_a_log_fails_where_the_whole_does_not() {
    for path in ["zos-ftp", "zos-config"].iter().flat_map(|dir| files(&root().join("fixtures").join(dir))) {
        if path.extension().is_none_or(|x| x != "txt") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let whole = only_report("whole", text.as_bytes());
        for (at, _) in text.match_indices('\n') {
            for cut in reports(&[("cut", &text.as_bytes()[..at])]) {
                let stays =
                    cut.verdict.outcome == Outcome::Inconclusive || cut.verdict.outcome == whole.verdict.outcome;
                assert!(stays, "{}, cut at {at}: {}, whole {}", path.display(), verdict(&cut), verdict(&whole));
            }
        }
    }
}

#[test]
fn prose_is_no_message() {
    for prose in [
        "I read in the manual:\nConnection to server interrupted or timed out. Waiting for reply\nWhat is that?\n",
        "Server not responding, closing connection\nThat is all I know.\n",
        "Connecting to: the office\nby train.\n",
        "recv error from somewhere\nand so on\n",
        "KEYRING is lost\nTLSMECHANISM must be right, they say.\n",
    ] {
        let found: Vec<String> = reports(&[("mail", prose.as_bytes())]).iter().map(json).collect();
        assert!(found.iter().all(|j| !j.contains("\"what\":\"claim\"")), "{prose}: {found:?}");
    }
}

#[test]
fn a_session_that_works_is_not_spoilt_by_settings_and_codes() {
    let text = format!(
        "{}{}EZA2818I Data connections for the client are firewall friendly.\n\
         EZA1735I Std Return Code = 00000, Error Code = 00000\n\
         01.49.35 JOB01234  IEF142I SJP1 FTP - STEP WAS EXECUTED - COND CODE 0000\n",
        fixture("zos-config/alone.txt"),
        fixture("zos-ftp/success.txt")
    );
    assert_eq!(verdict(&only_report("job", text.as_bytes())), "works");
}

#[test]
fn processes_of_a_server_are_sessions_of_their_own() {
    let log = "Jun  1 08:12:30 zos1 ftpd[9]: EZYFT18I Using catalog '/usr/lib/nls/msg/C/ftpdmsg.cat' for FTP messages.\n\
        Jun  1 08:12:31 zos1 ftpd[5]: authClient: init failed with rc = 406 (GSK_ERR_IO)\n\
        Jun  1 08:12:31 zos1 ftpd[6]: authClient: init failed with rc = 402 (GSK_ERR_NO_CIPHERS)\n\
        Jun  1 08:12:31 zos1 ftpd[5]: EZYFT96I TLS handshake failed\n\
        Jun  1 08:12:32 zos1 ftpd[6]: EZYFT96I TLS handshake failed\n";
    let all = reports(&[("syslog", log.as_bytes())]);
    let rc: Vec<_> = all.iter().map(|r| r.findings[0].data["rc"].as_u64()).collect();
    assert_eq!(rc, [Some(406), Some(402)]);
    assert!(all.iter().all(|r| verdict(r).starts_with("fails handshake-refused-by-server likely")));
}

#[test]
fn messages_of_the_stack_are_no_session() {
    let of = |conn: &str, port: &str| fixture("attls/no-cipher.txt").replace("00000028", conn).replace("1037", port);
    let log = format!(
        "01.40.00 STC00042  EZZ4324I CONNECTION TO 192.0.2.1 ACTIVE FOR DEVICE OSA1\n{}\
         01.49.00 STC00042  EZAIN11I ALL TCPIP SERVICES FOR PROC TCPIP ARE AVAILABLE.\n{}",
        of("00000028", "1037"),
        of("00000029", "1038")
    );
    let all = reports(&[("joblog", log.as_bytes())]);
    assert_eq!(all.len(), 2, "{:?}", all.iter().map(verdict).collect::<Vec<_>>());
    assert!(all.iter().all(|r| verdict(r).starts_with("fails handshake-refused-by-client likely")));
}

#[test]
fn settings_of_another_file_explain_a_session() {
    let job = "//FTP EXEC PGM=FTP\n//CEEOPTS DD *\n ENVAR(\"GSK_PROTOCOL_TLSV1_2=ON\")\n/*\n";
    let mail = seed();
    let mut all = reports(&[(SEED, mail.as_bytes()), ("job", job.as_bytes())]);
    assert_eq!(all.len(), 1);
    let report = all.remove(0);
    assert!(verdict(&report).starts_with("fails plaintext-instead-of-tls certain server"), "{}", verdict(&report));
    let why = &report.findings[0].why;
    assert!(why.iter().any(|w| w.contains("GSK_PROTOCOL_TLSV1_2=ON, but the ClientHello")), "{why:?}");
}

#[test]
fn no_secret_of_a_job_is_kept() {
    let log = fixture("zos-config/alone.txt")
        + "//STDENV DD *\nGSK_KEYRING_PW=Geheim79\n/*\n\
        //SYSTSIN DD *\nhost\njoe Geheim79\n/*\n//NETRC DD *\nmachine h login joe password Geheim79\n/*\n\
        //F2 EXEC PGM=FTP,PARM='host joe Geheim79 (EXIT'\n//CEEOPTS DD *\n ENVAR(\"GSK_KEYRING_PW=Geheim79\")\n/*\n\
        TTLSKeyringParms kr\n{\n  Keyring /u/joe/k.kdb\n  KeyringPw Geheim79\n}\n";
    let report = only_report("job", log.as_bytes());
    assert_eq!(verdict(&report), "inconclusive");
    let all = json(&report);
    assert!(!all.contains("Geheim"), "{all}");
    assert!(all.contains("KeyringPw ********"), "{all}");
}

#[test]
fn a_connection_that_was_given_up_is_not_the_next_one() {
    let first = "EZA1554I Connecting to: a.example.org 192.0.2.9 port: 21.\n\
        EZA2589E Connection to server interrupted or timed out. Initial connection\n";
    let log =
        format!("{first}EZA1554I Connecting to: b.example.org 192.0.2.8 port: 21.\n{}", fixture("zos-ftp/success.txt"));
    let all: Vec<String> = reports(&[("log", log.as_bytes())]).iter().map(verdict).collect();
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[0].starts_with("fails no-banner likely unknown"), "{all:?}");
    assert_eq!(all[1], "works");
}

#[test]
fn a_client_that_stopped_receiving_is_not_refused() {
    let aborted = fixture("zos-ftp/receiving-data.txt").replace("EZA1735I", "426 Data connection closed\nEZA1735I");
    let report = only_report("log", aborted.as_bytes());
    assert!(verdict(&report).starts_with("fails data-end-hangs likely"), "{}", verdict(&report));
}

#[test]
fn gsk_trace_is_advised_to_the_tls_of_ftp_alone() {
    let advised = |text: &str| {
        let found = reports(&[("log", text.as_bytes())]);
        assert!(found.iter().any(|r| r.verdict.outcome == Outcome::Fails), "{text}");
        let advice: Vec<_> = found.iter().flat_map(|r| &r.findings).flat_map(|f| &f.advice).collect();
        serde_json::to_string(&advice).unwrap().contains("CEEOPTS")
    };
    assert!(advised(&fixture("zos-ftp/rc-410-alone.txt")));
    for text in [
        fixture("attls/bad-message.txt"),
        fixture("attls/version.txt"),
        format!("FC0231 ftpAuth: security values: mech=TLS, tlsmech=ATTLS, sFTP=R\n{}", fixture("zos-ftp/rc-402.txt"))
            .replace("TLSMECHANISM FTP", "TLSMECHANISM ATTLS"),
        "DIA3604E The SSL function \"gsk_secure_soc_init\" failed with the return code \"410\" in \
         \"sqlccSSLSocketSetup\". GSK_ERROR_BAD_MESSAGE\n"
            .to_owned(),
    ] {
        assert!(!advised(&text), "{text}");
    }
}

#[test]
fn records_without_line_ends_and_joined_lines_hide_their_secrets_alone() {
    let bytes = std::fs::read(root().join("fixtures/zos-ftp/records-of-80.fb80")).unwrap();
    let text: String = ftpsdiag::wire::ebcdic::decode(&bytes).into_iter().map(char::from).collect();
    let records = only_report("records", &bytes);
    let joined = only_report("joined", text.split_whitespace().collect::<Vec<_>>().join(" ").as_bytes());
    for report in [&records, &joined] {
        assert!(!json(report).contains("hunter2"));
        assert!(json(report).contains("230 Login successful.") && json(report).contains("STOR a.txt"), "{report:?}");
    }
    assert!(verdict(&records).starts_with("fails data-session-reuse-required"), "{}", verdict(&records));
}

#[test]
fn messages_of_the_hardcopy_log_have_their_time() {
    let log = "N 0000000 SYSA     26324 02:11:13.55 JOB00123 00000090  EZA2897I Authentication negotiation failed\n\
               N 0000000 SYSA     26324 02:11:14.55 JOB00123 00000090  EZZ9830I JOE1 FTP failed - Cmd = 10(open) Reply = 234\n\
               S                                                                 EX CEE RC = 1710\n";
    let report = only_report("log", log.as_bytes());
    assert!(verdict(&report).starts_with("fails handshake-refused-by-client"), "{}", verdict(&report));
    assert_eq!(report.transcript.origin.inputs[0].understood, 3);
    assert!(report.transcript.entries.iter().all(|e| e.at.is_some()));
}

#[test]
fn a_refused_file_is_no_matter_of_tls() {
    let of = |name: &str, from: &str, to: &str| {
        let report = only_report(name, fixture(name).replace(from, to).as_bytes());
        assert_eq!(report.verdict.outcome, Outcome::Inconclusive, "{to}");
        report.verdict.headline
    };
    let same = of("zos-ftp/put-452.txt", "452 Insufficient storage space", "553 a.txt: Permission denied");
    assert_eq!(same, "not TLS, which works: STOR was refused: 553 a.txt: Permission denied");
    let other = of("zos-ftp/put-452.txt", "452 Insufficient storage space", "550 TLS is required for that file");
    assert!(!other.contains("not TLS"), "{other}");
    assert_eq!(of("zos-ftp/put-550-alone.txt", "", ""), "not TLS: PUT was refused with 550");
    let reuse = of("zos-ftp/put-550-alone.txt", "27550", "27522");
    assert_eq!(reuse, "PUT was refused with 522: TLS of the data connection");
    let login = of("zos-ftp/put-550-alone.txt", "27550", "26530");
    assert!(!login.contains("refused with"), "{login}");
}

#[test]
fn a_step_has_ended_only_where_no_command_follows() {
    let text = fixture("zos-ftp/login-531-stopped.txt");
    assert!(verdict(&only_report("log", text.as_bytes())).starts_with("fails login-refused"));
    let goes_on = format!("{text}EZA1701I >>> SYST\n");
    assert!(!verdict(&only_report("log", goes_on.as_bytes())).starts_with("fails"));
    let other = text.replace("19531", "19331");
    assert!(!verdict(&only_report("log", other.as_bytes())).starts_with("fails"));
}

#[test]
fn a_failed_data_handshake_is_told_by_words_of_handshakes_alone() {
    let of = |name: &str, from: &str, to: &str| {
        verdict(&only_report(name, fixture(name).replace(from, to).as_bytes())).contains("data-closed")
    };
    assert!(of("zos-ftp/data-rc-406.txt", "", ""));
    assert!(!of("zos-ftp/data-rc-406.txt", "secure_socket_init", "secure_socket_read"));
    assert!(of("zos-ftp/data-534.txt", "", ""));
    assert!(!of("zos-ftp/data-534.txt", "TLS negotiation failed", "Request denied by policy"));
    assert!(!of("zos-ftp/data-534.txt", "534 TLS negotiation failed", "226 TLS negotiation failed"));
    assert!(!of("zos-ftp/data-534.txt", ">>> PROT P", ">>> PROT C"));
}

#[test]
fn a_reply_that_is_no_ascii_is_shown_escaped() {
    for (reply, shown) in [("nicht m\u{f6}glich", "nicht m\\xc3\\xb6glich"), ("\x1b[31mno", "\\x1b[31mno")] {
        let text = fixture("zos-ftp/auth-534-umlaut.txt").replace("nicht m\u{f6}glich", reply);
        let report = only_report("log", text.as_bytes());
        let screen = ftpsdiag::render(&report, ftpsdiag::Format::Text, ftpsdiag::Style::default());
        assert!(screen.contains(shown) && screen.is_ascii(), "{screen}");
    }
}

#[test]
fn a_number_at_a_wrap_is_no_return_code() {
    let alone = "FC1103 authServer: secure_socket_init failed with rc = 4\nand so on\n";
    assert_eq!(verdict(&only_report("cut", alone.as_bytes())), "inconclusive");
    let message =
        "EZD1287I TTLS Error CONNID: 00000B44 LOCAL: 192.0.2.20..1037 REMOTE: 192.0.2.7..21 JOBNAME: A RC:  4\n";
    assert_eq!(verdict(&only_report("cut", message.as_bytes())), "inconclusive");
}

#[test]
fn replies_alone_tell_of_transfers() {
    let text = fixture("zos-ftp/success.txt")
        .replace("EZA1701I >>> QUIT", "EZA1701I >>> STOR a\n150 Opening\n226 Transfer complete\nEZA1701I >>> QUIT");
    let report = only_report("log", text.as_bytes());
    assert_eq!(
        (verdict(&report), report.verdict.scope.last().map(String::as_str)),
        ("works".into(), Some("transfer-replies"))
    );
}

/// What the first line has to say, and what nothing on the whole report may.
#[test]
fn first_lines_claim_no_more_than_is_known() {
    for (name, headline, never) in [
        (
            "attls/icsf-456.txt",
            "the z/OS client probably gave up the TLS handshake (rc 456)",
            "no TLS reached the server",
        ),
        ("attls/private-key.txt", "the z/OS client probably gave up the TLS handshake (rc 428)", "CMS 03353084"),
        ("attls/lost-406.txt", "the z/OS client says that the connection failed (rc 406)", "server ended"),
        (
            "attls/extensions-446.txt",
            "the z/OS client probably gave up the TLS handshake (rc 446)",
            "switch TLS 1.2 on",
        ),
        (
            "attls/of-no-end.txt",
            "AT-TLS says that its partner's certificate is not trusted (rc 435)",
            "word of the client",
        ),
        ("attls/of-no-end-402.txt", "AT-TLS says that TLS failed (rc 402); at which end is open", "the client"),
        (
            "attls/of-no-end-406.txt",
            "AT-TLS says that the connection failed in the handshake (rc 406)",
            "the client says",
        ),
        ("siblings/mq-631.txt", "IBM MQ for z/OS: cipher specs of a channel differ (CSQX631E)", "TO.QM1 connection"),
        (
            "siblings/cics-trace-196.txt",
            "CICS says that the connection failed in the handshake (rc 406)",
            "client says",
        ),
        ("attls/alert.txt", "AT-TLS probably ended the handshake with alert 10 unexpected_message", "the client ended"),
        ("attls/ring.txt", "the z/OS client probably never started TLS: rc 202", "handshake-refused-by-client"),
        ("attls/no-cipher.txt", "the z/OS client probably gave up the TLS handshake (rc 402)", "could not read"),
        (
            "zos-ftp/refused-then-clear.txt",
            "ftp.example.org:21 probably refused AUTH: 504 AUTH TLS not supported",
            "nothing to change",
        ),
        ("zos-ftp/rc-410-alone.txt", "the z/OS client probably gave up the TLS handshake (rc 410)", "234"),
        ("zos-ftp/rc-402.txt", "the z/OS client probably gave up TLS after the yes to AUTH (rc 402)", "'s 234"),
        ("zos-ftp/plain.txt", "ftp.example.org:21: plain FTP, nobody asked for TLS", "something failed"),
        ("gsksrvr/greeting-990.txt", "192.0.2.7:990 sent 220 in clear before any TLS", "no port for implicit TLS"),
        (
            "zos-ftp/proftpd-425.txt",
            "the server probably refused STOR: the TLS session was not resumed (425)",
            "the server says that no",
        ),
        (
            "siblings/ibm-i-tcp3d2c.txt",
            "the server probably answered TLS on data with clear text",
            "no PROT P was accepted",
        ),
    ] {
        let report = only_report(name, fixture(name).as_bytes());
        assert_eq!(report.verdict.headline, headline, "{name}");
        assert!(!json(&report).contains(never), "{name}: {never}");
    }
}

/// Alerts with long names: the line that fits names the same end.
#[test]
fn an_alert_is_said_to_be_of_whom_it_is() {
    for (bytes, headline) in [
        ("RECV CIPHER 1503010002022D", "its partner probably ended TLS with alert 45 certificate_expired"),
        ("SEND CIPHER 1503010002022B", "AT-TLS probably ended TLS with alert 43 unsupported_certificate"),
    ] {
        let report = only_report("alert", format!("EZD1285I TTLS Data CONNID: 00000014 {bytes}\n").as_bytes());
        assert_eq!(report.verdict.headline, headline);
    }
    // "GET / HTTP/1.1": no server says that.
    let request = "EZD1285I TTLS Data CONNID: 00000014 RECV CIPHER 474554202F20485454502F312E310D0A\n";
    let report = only_report("request", request.as_bytes());
    assert!(!json(&report).contains("the server probably speaks"), "{}", report.verdict.headline);
}

/// Without PROT P the data of a session with TLS are in clear; with it nothing is said.
#[test]
fn data_in_clear_are_noted() {
    let text = fixture("zos-ftp/no-prot-p.txt");
    let note = |text: &str| {
        let report = only_report("log", text.as_bytes());
        assert_eq!(report.verdict.outcome, Outcome::Works);
        report.checks.iter().find(|c| c.id == "data-protection").map(|c| c.why.clone().unwrap())
    };
    assert!(note(&text).is_some());
    assert_eq!(note(&format!("{text}; FTP.DATA\nSECURE_DATACONN CLEAR\n")).unwrap(), "FTP.DATA: SECURE_DATACONN CLEAR");
    let private = "EZA1701I >>> PROT P\n200 Data connection protection set to private\nEZA1701I >>> EPSV\n";
    assert_eq!(note(&text.replace("EZA1701I >>> EPSV\n", private)), None);
}

/// An excerpt says nothing of lines that were left out, and a log with a refusal is no healthy one.
#[test]
fn plain_ftp_takes_a_whole_healthy_log() {
    let text = fixture("zos-ftp/plain.txt");
    let is_plain = |text: &str| only_report("log", text.as_bytes()).verdict.headline.contains("plain FTP");
    assert!(is_plain(&text));
    assert!(!is_plain(&text.replace("220 ready\n", "")));
    assert!(!is_plain(&text.replace("port: 21", "port: 990")));
    assert!(!is_plain(&text.replace("226 Transfer complete", "550 no such file")));
    assert!(!is_plain(
        &text.replace("EZA1701I >>> QUIT", "EZA2895I Authentication negotiation succeeded\nEZA1701I >>> QUIT")
    ));
}

/// Causes stand in the order of what speaks for them.
#[test]
fn the_likeliest_cause_is_first() {
    let report = only_report("bytes", b"F5 F5 F0 40 E3\n");
    assert_eq!(report.verdict.cause.as_deref(), Some("encoding-ebcdic"), "{}", verdict(&report));
    for path in files(&root().join("fixtures")).iter().filter(|p| p.extension().is_some_and(|x| x == "txt")) {
        for report in reports(&[("log", &std::fs::read(path).unwrap())]) {
            for f in report.findings.iter().chain(&report.consequences) {
                assert!(
                    f.causes.is_sorted_by_key(|c| core::cmp::Reverse(c.confidence)),
                    "{}: {}",
                    path.display(),
                    f.id
                );
            }
        }
    }
}

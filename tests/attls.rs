//! What mail programs, consoles and browsers do to a message of AT-TLS must not matter, and what is said of one connection never
//! reaches another.

mod common;

use common::{expect, only_report, reports, root, verdict, wrapped};
use ftpsdiag::transcript::{Code, Role, What};
use proptest::prelude::*;

fn fixture(name: &str) -> String {
    common::fixture(&format!("attls/{name}"))
}

fn same(name: &str, text: impl AsRef<[u8]>) {
    let report = only_report(name, text.as_ref());
    let expected =
        "fails handshake-refused-by-client likely unknown <- no-shared-cipher likely\nclient zos-attls likely";
    expect(&report, expected).unwrap_or_else(|e| panic!("{name}: {e}"));
    let conn = &report.transcript.conns[0];
    let address = |a: Option<core::net::SocketAddr>| a.map(|a| a.to_string()).unwrap_or_default();
    assert_eq!((address(conn.local), address(conn.peer)), ("192.0.2.20:1037".into(), "192.0.2.7:21".into()), "{name}");
    assert_eq!(
        claims(&report.transcript),
        [("AT-TLS at the client, job JOE1", Some(Code::Gsk(402)), "Initial Handshake")]
    );
    let unread = &report.transcript.origin.inputs[0].unread;
    assert!(unread.is_empty(), "{name}: {unread:?}");
}

fn claims(t: &ftpsdiag::transcript::Transcript) -> Vec<(&str, Option<Code>, &str)> {
    let those = t.entries.iter();
    those
        .filter_map(|e| match &e.what {
            What::Claim { by, code, text } => Some((by.as_str(), code.clone(), text.as_str())),
            _ => None,
        })
        .collect()
}

#[test]
fn one_message_in_any_dress() {
    let text = fixture("no-cipher.txt");
    let each = |change: &dyn Fn(&str) -> String| -> String { text.lines().map(|l| change(l) + "\n").collect() };
    let joined: String = text.lines().collect::<Vec<_>>().join(" ");
    let collapsed: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let one_line = "EZD1286I TTLS Error GRPID: 00000004 ENVID: 00000002 CONNID: 00000028 LOCAL: 192.0.2.20..1037 REMOTE: 192.0.2.7..21 JOBNAME: JOE1 USERID: JOE RULE: ftp_client RC:  402 Initial Handshake\n";
    same("as it stands", &text);
    same("quoted", each(&|l| format!("> {l}")));
    same("quoted three times", each(&|l| format!(">>>{l}")));
    same("with bars", each(&|l| format!("| {l}")));
    same("CR", text.replace('\n', "\r"));
    same("CRLF", text.replace('\n', "\r\n"));
    same("double spacing", text.replace('\n', "\n\n"));
    same("JSON", fixture("no-cipher-json.txt"));
    same("joined", &joined);
    same("joined, quoted", text.lines().collect::<Vec<_>>().join(" > "));
    same("collapsed", &collapsed);
    same("collapsed, line by line", each(&|l| l.split_whitespace().collect::<Vec<_>>().join(" ")));
    same("leading blanks gone", each(&|l| l.trim_start().to_owned()));
    same("dates", each(&|l| format!("2021-02-27 09:15:00 {l}")));
    same("HTML", each(&|l| format!("{}<br>", l.replace("  ", "&nbsp; "))));
    same("quoted-printable", each(&|l| format!("{l}=20")));
    same("one blank before the value", text.replace("RC:  402", "RC: 402"));
    same("no blank before the value", text.replace("ID: 0", "ID:0").replace("RC:  402", "RC:402"));
    for width in 20..=80 {
        same(&format!("at {width}"), wrapped(&text, width));
        same(&format!("joined, at {width}"), wrapped(&joined, width));
        same(&format!("EZD1286I at {width}"), wrapped(one_line, width));
    }
    let utf16 = |big: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    same("UTF-16", utf16(false));
    same("UTF-16, big end first", utf16(true));
    let ebcdic = |b: u8| (0..=255).rev().find(|e| ftpsdiag::wire::ebcdic::to_latin1(*e) == b).unwrap_or(0x6f);
    same("CP1047", text.bytes().map(ebcdic).collect::<Vec<u8>>());
}

#[test]
fn a_code_that_begins_a_line_is_no_reply() {
    for rc in [400, 421, 425, 426, 431, 435, 450, 451, 452] {
        let text = fixture("no-cipher.txt").replace("RC:  402", &format!("RC:\n{rc}"));
        let report = only_report("wrapped", format!("220 ready\n{text}").as_bytes());
        let claims = claims(&report.transcript);
        assert_eq!(claims[0].1, Some(Code::Gsk(rc)), "{rc}");
    }
    // Behind a message that was cut, a reply is one.
    for cut in
        ["EZD1287I TTLS Error RC:  402 Initial Handshake\n", "EZD1287I TTLS Error RC: 402\n", "EZD1287I TTLS Error\n"]
    {
        let text = format!("EZA1701I >>> AUTH TLS\n{cut}234 go ahead\nEZA1701I >>> USER x\n");
        let report = only_report("cut", text.as_bytes());
        let replies = report
            .transcript
            .entries
            .iter()
            .filter(|e| matches!(&e.what, What::Bytes { data, .. } if data.starts_with(b"234 go")));
        assert_eq!(replies.count(), 1, "{cut}");
    }
}

#[test]
fn a_message_that_was_cut_never_names_the_other_end() {
    let all = common::files(&root().join("fixtures/attls"));
    let names = all.iter().filter(|p| p.extension().is_some_and(|x| x == "txt"));
    for name in names.filter_map(|p| p.file_name()?.to_str()).filter(|n| *n != "client-log.txt") {
        let text = fixture(name);
        let expect = fixture(&name.replace(".txt", ".expect"));
        let whole = verdict(&only_report(name, text.as_bytes()));
        for (at, _) in text.match_indices([' ', '\n']) {
            for (which, part) in [("end", &text[..at]), ("beginning", &text[at..])] {
                for report in reports(&[(name, part.as_bytes())]) {
                    let got = verdict(&report);
                    let names = |v: &str, end: &str| v.contains(&format!("-by-{end}"));
                    let other = |one, other| names(&whole, one) && names(&got, other);
                    let never =
                        |v: &str| expect.lines().any(|l| l.strip_prefix("never ").is_some_and(|id| v.contains(id)));
                    let fails = |v: &str| v.starts_with("fails ");
                    let agrees =
                        fails(&got) == fails(&whole) && !other("client", "server") && !other("server", "client");
                    // Without its session before it, a data connection is taken for one of commands, and its failure counts.
                    let alone = which == "beginning" && whole == "inconclusive";
                    // Without the message of its data connection, or apart from it, the control connection works.
                    let apart = got == "works" && name == "data-406.txt";
                    assert!(
                        got == "inconclusive" || alone || apart || agrees && !never(&got),
                        "{name}, {which} lost at {at}: {got}, whole {whole}"
                    );
                }
            }
        }
    }
}

#[test]
fn one_connid_is_one_connection() {
    let failed = fixture("no-cipher.txt");
    let other = failed.replace("00000028", "00000029").replace("402", "412").replace("..1037", "..1039");
    let both = reports(&[("both", format!("{failed}{other}").as_bytes())]);
    assert_eq!(both.len(), 2);
    assert_eq!(claims(&both[1].transcript)[0].1, Some(Code::Gsk(412)));
    // The same CONNID with another partner is another connection.
    let again = failed.replace("192.0.2.7", "192.0.2.8");
    assert_eq!(reports(&[("again", format!("{failed}{again}").as_bytes())]).len(), 2);
    // Lines of two connections, one into the other, and none of a third.
    let one: Vec<&str> = failed.lines().collect();
    let text = format!(
        "EZD1284I TTLS Flow GRPID: 00000004 ENVID: 00000002 CONNID: 00000029 RC:    0 Get GSK_CONNECT_SEC_TYPE(208) -  TLSV1.2\n{}\n{other}",
        one.join("\n")
    );
    let two = reports(&[("two", text.as_bytes())]);
    assert_eq!(two.len(), 2);
    assert_eq!(claims(&two[0].transcript).len(), 2);
    // CONNID 00000000 is none.
    let none = failed.replace("00000028", "00000000");
    assert_eq!(reports(&[("none", format!("{none}{}", none.replace("192.0.2.7", "192.0.2.8")).as_bytes())]).len(), 2);
}

#[test]
fn one_event_is_one_claim() {
    for name in ["timeout-then-406.txt", "406-then-timeout.txt"] {
        let report = only_report(name, fixture(name).as_bytes());
        let by = "AT-TLS at the server, job FTPD1";
        let expected = [(by, Some(Code::AtTls(5004)), "Initial Handshake"), (by, None, "RC: 406 Initial Handshake")];
        assert_eq!(claims(&report.transcript), expected, "{name}");
    }
    let report = only_report("twice", fixture("no-cipher-twice.txt").as_bytes());
    assert_eq!(claims(&report.transcript).len(), 1);
}

#[test]
fn a_failing_data_connection_is_not_the_session_s() {
    let report = only_report("data", fixture("data-connection.txt").as_bytes());
    let t = &report.transcript;
    assert_eq!(t.conns.len(), 2);
    assert!(matches!(t.conns[1].role, Role::Data { .. }));
    assert_eq!(t.conns[1].peer.unwrap().port(), 50123);
    let of = |n: u16| t.entries.iter().filter(|e| e.conn.0 == n).count();
    assert!(of(0) > 4 && of(1) == 2, "{} and {}", of(0), of(1));
    assert_eq!(verdict(&report), "inconclusive");
}

#[test]
fn logs_go_with_their_connection() {
    let log = |ip: &str, end: &str| {
        format!(
            "EZA1450I IBM FTP CS V2R5\nEZA1554I Connecting to: ftp.example.org {ip} port: 21.\n220 ready\nEZA1701I >>> AUTH TLS\n234 go ahead\n{end}"
        )
    };
    let failed = "EZA2897I Authentication negotiation failed\n";
    let of = |ip: &str, conn: &str, rc: u32| {
        fixture("no-cipher.txt").replace("192.0.2.7", ip).replace("00000028", conn).replace("402", &rc.to_string())
    };
    // The second log goes with the first message: by its address.
    let logs = log("192.0.2.8", failed) + &log("192.0.2.7", failed);
    let said = of("192.0.2.7", "00000028", 402) + &of("192.0.2.8", "00000029", 412);
    for inputs in [[("log", &logs), ("at-tls", &said)], [("at-tls", &said), ("log", &logs)]] {
        let inputs: Vec<(&str, &[u8])> = inputs.iter().map(|(n, t)| (*n, t.as_bytes())).collect();
        let reports = reports(&inputs);
        assert_eq!(reports.len(), 2);
        for (report, rc) in reports.iter().zip([412, 402]) {
            let t = &report.transcript;
            let coded: Vec<_> =
                claims(t).into_iter().filter_map(|c| c.1).filter(|c| matches!(c, Code::Gsk(_))).collect();
            assert_eq!(coded, [Code::Gsk(rc)]);
            // Before what the client says of it.
            assert!(matches!(claims(t).last().unwrap().1, Some(Code::Message(_))));
        }
    }
    // A log that works does not take a failure; another partner's is none of its own.
    let works = log("192.0.2.7", "EZA2895I Authentication negotiation succeeded\nEZA1701I >>> USER x\n331 go\n");
    assert_eq!(reports(&[("a", works.as_bytes()), ("b", of("192.0.2.7", "00000028", 402).as_bytes())]).len(), 2);
    let foreign = of("192.0.2.9", "00000028", 402);
    assert_eq!(reports(&[("a", log("192.0.2.7", failed).as_bytes()), ("b", foreign.as_bytes())]).len(), 2);
    // Without addresses: in their order.
    let masked = |n: &str, rc| of("nnn.nnn.nnn.nnn", n, rc).replace("::FFFF:", "");
    let blind = log("x", failed).replace("EZA1554I Connecting to: ftp.example.org x port: 21.\n", "");
    let text = format!("{blind}{blind}{}{}", masked("00000028", 402), masked("00000029", 412));
    assert_eq!(reports(&[("blind", text.as_bytes())]).len(), 2);
}

#[test]
fn the_bytes_of_a_trace_outrank_what_at_tls_says_of_them() {
    let said = fixture("no-cipher.txt").replace("402", "410").replace("192.0.2.7", "nnn.nnn.nnn.nnn");
    for text in [format!("{}\n{said}", common::seed()), format!("{said}\n{}", common::seed())] {
        let report = only_report("all three", text.as_bytes());
        assert!(verdict(&report).starts_with("fails plaintext-instead-of-tls certain server"), "{}", verdict(&report));
        let by = |c: &(&str, Option<Code>, &str)| c.0.starts_with("AT-TLS at the client");
        assert_eq!(claims(&report.transcript).iter().filter(|c| by(c)).count(), 1);
    }
}

/// Words of which messages of AT-TLS are made, and some of other sources.
const WORDS: [&str; 40] = [
    "EZD1281I",
    "EZD1282I",
    "EZD1283I",
    "EZD1284I",
    "EZD1285I",
    "EZD1286I",
    "EZD1287I",
    "EZD2042I",
    "EZD2052I",
    "TTLS",
    "Error",
    "Data",
    "GRPID:",
    "GRPID:00000004",
    "CONNID:",
    "00000028",
    "00000000",
    "LOCAL:",
    "REMOTE:",
    "192.0.2.7..21",
    "::FFFF:192.0.2.20..1037",
    "nnn.nnn..",
    "RC:",
    "402",
    "-22",
    "99999999999",
    "Initial",
    "Handshake",
    "STATUS:",
    "Not",
    "SEND",
    "CIPHER",
    "CLEAR",
    "1503020002020",
    "16030100",
    "SSLRetCode=",
    "Description=",
    "<CN=<",
    ">",
    "\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_words_read_without_a_fault_and_prove_nothing(picks in proptest::collection::vec(0..WORDS.len(), 0..120)) {
        let text: String = picks.iter().filter_map(|n| WORDS.get(*n)).map(|w| format!("{w} ")).collect();
        for report in reports(&[("any", text.as_bytes())]) {
            prop_assert!(!verdict(&report).contains(" certain ") || text.contains("SEND"), "{}", verdict(&report));
        }
    }
}

#[test]
fn a_handshake_that_worked_by_the_word_of_the_stack() {
    let line = |id: &str, what: &str| format!("{id} GRPID: 00000004 ENVID: 00000002 CONNID: 00000028 RC:    {what}\n");
    let flow = |what: &str| line("EZD1284I TTLS Flow", &format!("0 Get {what}"));
    let map = |local: &str, remote: &str| {
        format!(
            "EZD1281I TTLS Map CONNID: 00000028 LOCAL: {local} REMOTE: {remote} JOBNAME: JOE1 USERID: JOE STATUS: Appl Control RULE: r\n"
        )
    };
    let client = map("192.0.2.20..1037", "192.0.2.7..21");
    let agreed = flow("GSK_CONNECT_SEC_TYPE(208) -  TLSV1.2") + &flow("GSK_CONNECT_CIPHER_SPEC(207) -  C027");
    let done = line("EZD1283I TTLS Event", "0 Initial Handshake 00000000 00000000");
    let both = line("EZD1283I TTLS Event", "0 Initial Handshake 00000050A4A1B1D0 00000050A4A1AF10 TLSV1.2 C030");
    let closed = line("EZD1283I TTLS Event", "0 Connection Close 00000000 00000000");
    let verdict = |text: String| {
        let all = common::reports(&[("at-tls.txt", text.as_bytes())]);
        assert_eq!(all.len(), 1, "{text}");
        (all[0].verdict.outcome.name(), all[0].verdict.confidence.name())
    };
    for good in [
        format!("{client}{agreed}{done}"),
        format!("{client}{agreed}{done}{closed}"),
        format!("{client}{both}"),
        format!("{}{agreed}{done}", map("192.0.2.7..21", "192.0.2.20..1037")),
    ] {
        assert_eq!(verdict(good.clone()), ("works", "likely"), "{good}");
    }
    let started = "EZD1282I TTLS Start GRPID: 00000004 ENVID: 00000002 CONNID: 00000028 Initial Handshake ACTIONS: g e **N/A** HS-Client\n";
    let failed = line("EZD1283I TTLS Event", "406 Data Decryption");
    let abend = line("EZD1283I TTLS Event", "0 Connection Abend Close");
    for open in [
        format!("{client}{started}{agreed}"),
        format!("{client}{done}"),
        format!("{client}{}{done}", flow("GSK_CONNECT_SEC_TYPE(208) -  TLSV1.2")),
        format!("{client}{agreed}{done}{failed}"),
        format!("{client}{agreed}{done}{abend}"),
        format!(
            "{client}{agreed}{done}EZA1450I IBM FTP CS V2R5\nEZA1554I Connecting to: 192.0.2.7 port: 21.\n220 ready\nEZA2897I Authentication negotiation failed\n"
        ),
    ] {
        assert_ne!(verdict(open.clone()).0, "works", "{open}");
    }
}

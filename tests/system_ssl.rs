//! Traces of System SSL and messages of the programs beside FTP that use it: what mail does to them must not matter, and what is
//! said of one connection never reaches another.

mod common;

use common::{expect, fixture, only_report, reports, verdict, wrapped};
use ftpsdiag::transcript::{Close, Code, Side, Transcript, What};

/// The text as mail programs, tickets and consoles leave it.
fn dresses(text: &str) -> Vec<(String, String)> {
    let each = |change: &dyn Fn(&str) -> String| -> String { text.lines().map(|l| change(l) + "\n").collect() };
    let mut all: Vec<(String, String)> = [
        ("as it stands", text.to_owned()),
        ("quoted", each(&|l| format!("> {l}"))),
        ("quoted three times", each(&|l| format!(">>>{l}"))),
        ("with bars", each(&|l| format!("| {l}"))),
        ("CR", text.replace('\n', "\r")),
        ("CRLF", text.replace('\n', "\r\n")),
        ("double spacing", text.replace('\n', "\n\n")),
        ("collapsed, line by line", each(&|l| l.split_whitespace().collect::<Vec<_>>().join(" "))),
        ("leading blanks gone", each(&|l| l.trim_start().to_owned())),
        ("dates", each(&|l| format!("2021-02-27 09:15:00 {l}"))),
        ("quoted-printable", each(&|l| format!("{l}=20"))),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text))
    .collect();
    all.extend([76, 72, 66, 60].map(|width| (format!("wrapped at {width}"), wrapped(text, width))));
    all
}

fn sides(t: &Transcript) -> Vec<(Side, usize)> {
    let bytes = t.entries.iter().filter_map(|e| match &e.what {
        What::Bytes { from, data, .. } => Some((*from, data.len())),
        _ => None,
    });
    bytes.collect()
}

fn speakers(t: &Transcript) -> Vec<&str> {
    let claims = t.entries.iter().filter_map(|e| match &e.what {
        What::Claim { by, .. } => Some(by.as_str()),
        _ => None,
    });
    claims.collect()
}

#[test]
fn a_server_s_trace_in_any_dress() {
    for (name, text) in dresses(&fixture("gsksrvr/server-side.txt")) {
        let report = only_report(&name, text.as_bytes());
        expect(&report, "fails handshake-refused-by-server likely\nnever handshake-refused-by-client")
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(report.findings[0].data["rc"], 402, "{name}");
        let t = &report.transcript;
        assert_eq!(sides(t), [(Side::Client, 5), (Side::Client, 57)], "{name}");
        assert!(speakers(t).iter().all(|by| *by == "System SSL at the server, job FTPD1"), "{name}");
        assert_eq!(t.conns[0].local.map(|a| a.to_string()).as_deref(), Some("192.0.2.20:1037"), "{name}");
        assert_eq!(t.conns[0].peer, None, "{name}");
    }
}

#[test]
fn a_record_whose_header_was_dumped_apart_is_one() {
    let text = fixture("gsksrvr/alert-70-body-apart.txt");
    let want = expect(&only_report("apart", text.as_bytes()), &fixture("gsksrvr/alert-70-body-apart.expect"));
    assert_eq!(want, Ok(()));
    let of = |from: &str, to: &str| verdict(&only_report("apart", text.replace(from, to).as_bytes()));
    for title in ["SSL record data", "SSL record", "SSL V3 record", "ALERT message", "any other title"] {
        assert!(of("Received V3 ALERT message", title).starts_with("fails fatal-alert certain server"), "{title}");
    }
    // The header again in front of the body, and a body alone.
    let whole = of("    00000000: 0246 ", "    00000000: 15030100 020246 ");
    assert!(whole.starts_with("fails fatal-alert certain server"), "{whole}");
    // A body of another length is none of this header.
    let other = of("    00000000: 0246 ", "    00000000: 024600 ");
    assert!(!other.contains("certain"), "{other}");
}

#[test]
fn the_callouts_of_a_manual_belong_to_no_record() {
    let plain: String = fixture("gsksrvr/manual-callouts.txt")
        .lines()
        .map(|l| l.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned() + "\n")
        .collect();
    let of = |text: &str| {
        let report = only_report("callouts", text.as_bytes());
        (report.transcript.entries.clone(), report.transcript.conns.clone())
    };
    let (entries, conns) = of(&fixture("gsksrvr/manual-callouts.txt"));
    assert_eq!((entries.clone(), conns), of(&plain));
    let closed = What::Closed { by: Side::Server, how: Close::Unknown };
    assert_eq!(entries.last().map(|e| &e.what), Some(&closed));
    // A number that is a text's own stays.
    let record = "1 C01  MESSAGE  00000008  20:43:45.522449  SSL_INFO\n2  Job TCP341  Process 00020032  Thread 00000002  gsk_read_v3_record\n5 bytes received\n";
    let dump = "C01  DUMP  00000020  20:43:45.522549  SSL_ASCII_DUMP\n  Job TCP341  Process 00020032  Thread 00000002  gsk_read_v3_record\n  SSL record header\n    00000000: 35353020 54  *550 T  *\n";
    let report = only_report("number", format!("{record}{dump}").as_bytes());
    let at = report.transcript.entries.iter().find(|e| matches!(e.what, What::Bytes { .. })).and_then(|e| e.at);
    assert_eq!(at.map(|at| at.0 % 1_000_000), Some(522_449), "the time of what was received");
}

/// One record of the component trace.
fn record(kind: &str, time: &str, level: &str, function: &str, lines: &[&str]) -> String {
    let mut out = format!("S0W1      {kind:<8}  00000008  {time}  SSL_{level}\n");
    out += &format!("  Job TCPIP     Process 0501028D  Thread 00000001  {function}\n");
    lines.iter().for_each(|l| out += &format!("  {l}\n"));
    out + "\n"
}

#[test]
fn handles_tell_connections_of_one_thread_apart() {
    let entry = |time: &str, handle: &str| {
        record("MESSAGE", time, "ENTRY", "gsk_secure_socket_read", &[&format!("Handle {handle},  Size 5")])
    };
    let exit = |time: &str| record("MESSAGE", time, "EXIT", "gsk_secure_socket_read", &["Exit status 0"]);
    let got = |time: &str, hex: &str| {
        record("MESSAGE", time, "INFO", "gsk_read_v3_record", &["5 bytes received"])
            + &record(
                "DUMP",
                time,
                "ASCII_DUMP",
                "gsk_read_v3_record",
                &["SSL record header", &format!("  00000000: {hex}")],
            )
    };
    let text = entry("01:00:00.000001", "7E828198")
        + &got("01:00:00.000002", "35353020 54")
        + &exit("01:00:00.000003")
        + &entry("01:00:00.000004", "7E999998")
        + &got("01:00:00.000005", "48545450 2F")
        + &exit("01:00:00.000006")
        + &entry("01:00:00.000007", "7E828198")
        + &record("MESSAGE", "01:00:00.000008", "ERROR", "gsk_read_v3_record", &["Socket closed by 192.0.2.7.21."]);
    let reports = reports(&[("handles", text.as_bytes())]);
    assert_eq!(reports.len(), 2);
    let lens: Vec<_> = reports.iter().map(|r| (sides(&r.transcript), r.transcript.entries.len())).collect();
    assert_eq!(lens, [(vec![(Side::Server, 5)], 3), (vec![(Side::Server, 5)], 2)]);
}

#[test]
fn the_way_out_of_a_failure_is_no_other_connection() {
    let seed = fixture("gsksrvr/ibm-main-trace.txt");
    let exit = record("MESSAGE", "01:49:34.500000", "EXIT", "gsk_secure_socket_init", &["Exit status 410"])
        .replace("Job TCPIP     ", "Job SJP1      ");
    let close = record("MESSAGE", "01:49:34.600000", "ENTRY", "gsk_secure_socket_close", &["Handle 7E828198"])
        .replace("Job TCPIP     ", "Job SJP1      ");
    let report = only_report("exit", format!("{seed}\n{exit}{close}").as_bytes());
    assert!(verdict(&report).starts_with("fails plaintext-instead-of-tls certain server"), "{}", verdict(&report));
    let code = |e: &ftpsdiag::transcript::Entry| matches!(e.what, What::Claim { code: Some(Code::Gsk(410)), .. });
    assert!(report.transcript.entries.iter().any(code));
    // And what begins then is one.
    let again = format!("{seed}\n{exit}{close}{seed}");
    assert_eq!(reports(&[("again", again.as_bytes())]).len(), 2);
}

#[test]
fn a_trace_that_does_not_say_at_which_end_is_said_to() {
    let text = record(
        "DUMP",
        "01:00:00.000001",
        "ASCII_DUMP",
        "gsk_read_v3_record",
        &["SSL record header", "  00000000: 16030100 31"],
    );
    let report = only_report("end", text.as_bytes());
    assert!(report.transcript.origin.inputs[0].assumed[0].starts_with("bytes without direction"));
    let text = record("MESSAGE", "01:00:00.000001", "ERROR", "gsk_read_v3_record", &["Something else"]);
    let report = only_report("end", text.as_bytes());
    assert!(report.transcript.origin.inputs[0].assumed[0].starts_with("at which end System SSL ran"));
    assert_eq!(speakers(&report.transcript), ["System SSL, job TCPIP"]);
}

#[test]
fn a_trace_file_in_any_dress() {
    for (name, text) in dresses(&fixture("gsktrace/seed.txt")) {
        if name == "dates" {
            continue; // a heading has a date of its own
        }
        let report = only_report(&name, text.as_bytes());
        assert!(
            verdict(&report).starts_with("fails plaintext-instead-of-tls certain server"),
            "{name}: {}",
            verdict(&report)
        );
        let input = &report.transcript.origin.inputs[0];
        assert_eq!((input.sources.as_slice(), input.unread.len()), (&["gsktrace".to_owned()][..], 0), "{name}");
        assert!(input.assumed.iter().any(|a| a.contains("not confirmed")), "{name}");
        assert!(speakers(&report.transcript).iter().all(|by| *by == "System SSL at the client"), "{name}");
    }
}

#[test]
fn siblings_in_any_dress() {
    for name in ["tn3270-expired", "tn3270-closed", "db2-410", "ibm-i-tcp3d2c"] {
        let want = fixture(&format!("siblings/{name}.expect"));
        for (dress, text) in dresses(&fixture(&format!("siblings/{name}.txt"))) {
            let report = only_report(name, text.as_bytes());
            expect(&report, &want).unwrap_or_else(|e| panic!("{name}, {dress}: {e}"));
        }
    }
}

#[test]
fn prose_about_siblings_is_no_message() {
    for text in [
        "EZZ6035I is the message to look for",
        "A DIA3604E in db2diag.log has the return code",
        "gsk_secure_socket_init is the function that fails",
        "see https://example.org/GSK_ERROR_IO.html for more",
        "EZZ6035I TN3270 DEBUG TASK EXCEPTION TASK: MAIN MOD: EZBTZMST RCODE: 1009-01 x",
    ] {
        let all = reports(&[("prose", text.as_bytes())]);
        assert!(all.iter().all(|r| r.findings.is_empty()), "{text}: {:?}", all.iter().map(verdict).collect::<Vec<_>>());
    }
    // Other errors of TN3270 put something else into PARM1.
    let other = fixture("siblings/tn3270-expired.txt")
        .replace("3012-00 SSL handshake failed", "2001-00 x")
        .replace("00000191", "00000008");
    assert_eq!(verdict(&only_report("other", other.as_bytes())), "inconclusive");
}

#[test]
fn the_log_of_an_ftp_client_is_not_taken_for_a_sibling_s() {
    for line in [
        "FC1103 authServer: gsk_secure_socket_init failed with rc = 410 (GSK_ERR_BAD_MESSAGE)",
        "authServer: secure_socket_init failed with rc = 410\n(GSK_ERR_BAD_MESSAGE)",
    ] {
        let report = only_report("log", format!("EZA1701I >>> AUTH TLS\n234 yes\n{line}\n").as_bytes());
        assert!(speakers(&report.transcript).iter().all(|by| *by == "z/OS FTP client"), "{line}");
        assert!(verdict(&report).starts_with("fails handshake-refused-by-client"), "{line}: {}", verdict(&report));
    }
}

/// The sessions of an input that is fed in pieces, as the command line feeds it; those that came before its end, and all.
fn streamed(text: &str, piece: usize) -> (usize, Vec<(u32, Transcript)>, ftpsdiag::sources::Evidence) {
    let mut reader = ftpsdiag::sources::InputReader::new("trace", ftpsdiag::sources::Options::default());
    let mut all = Vec::new();
    for piece in text.as_bytes().chunks(piece) {
        reader.feed(piece);
        while let Some(session) = reader.ready() {
            all.push((session.number, session.transcript));
        }
    }
    let early = all.len();
    let mut evidence = reader.finish();
    let blocks = std::mem::take(&mut evidence.blocks);
    for (number, block) in evidence.numbers.iter().zip(blocks) {
        let ftpsdiag::sources::Block::Session(t) = block else { panic!("not woven") };
        all.push((*number, t));
    }
    (early, all, evidence)
}

#[test]
fn sessions_of_a_long_trace_come_before_its_end() {
    let seed = fixture("gsksrvr/ibm-main-trace.txt");
    let trace = format!("{seed}\n").repeat(1050);
    let (early, all, evidence) = streamed(&trace, 64 * 1024);
    assert!(early > 1000, "{early}");
    assert_eq!((all.len(), evidence.sessions), (1050, 1050));
    assert!(all.iter().map(|(n, _)| *n).eq(1..=1050));
    let whole = only_report("one", seed.as_bytes());
    for (n, t) in [all.first(), all.get(1020), all.last()].into_iter().flatten() {
        let report = common::report(t);
        assert_eq!(verdict(&report), verdict(&whole), "{n}");
        assert_eq!(t.entries.len(), whole.transcript.entries.len(), "{n}");
    }
    let input = &all[0].1.origin.inputs[0];
    assert!(input.sha256.is_empty() && input.assumed[0].contains("given out as they ended"), "{input:?}");
    assert!(!all[1049].1.origin.inputs[0].sha256.is_empty());
    // The size of the pieces does not show.
    let (_, small, _) = streamed(&trace, 777);
    let entries = |all: &[(u32, Transcript)]| all.iter().map(|(n, t)| (*n, t.entries.clone())).collect::<Vec<_>>();
    assert_eq!(entries(&small), entries(&all));
    // What comes behind is a session of its own; with a log in front the trace waits for its end.
    let log = "EZA1701I >>> AUTH TLS\n234 AUTH TLS successful\nEZA2897I Authentication negotiation failed\n";
    assert_eq!(streamed(&format!("{trace}{log}"), 64 * 1024).1.len(), 1051);
    let (early, _, evidence) = streamed_or_whole(&format!("{log}{trace}"));
    assert_eq!((early, evidence.sessions, evidence.blocks.len()), (0, 0, 1051));
}

/// The same where nothing comes early: the blocks stay as they are.
fn streamed_or_whole(text: &str) -> (usize, (), ftpsdiag::sources::Evidence) {
    let mut reader = ftpsdiag::sources::InputReader::new("trace", ftpsdiag::sources::Options::default());
    reader.feed(text.as_bytes());
    let early = std::iter::from_fn(|| reader.ready()).count();
    (early, (), reader.finish())
}

#[test]
fn programs_beside_ftp_say_their_name_and_their_end() {
    let mq = |csect: &str, function: &str| {
        format!(
            "+CSQX620E QM1 {csect} System SSL error, channel A.B connection 198.51.100.20 function '{function}' RC=410\n"
        )
    };
    let cics = |service: &str| {
        format!(
            "DFHSO0123 Return code 410 received from function gsk_secure_socket_init of System SSL. Reason: x. Peer: 198.51.100.20, TCPIPSERVICE: {service}.\n"
        )
    };
    for (text, by, finding) in [
        (mq("CSQXRESP", "gsk_secure_socket_init"), "IBM MQ at the server", "handshake-refused-by-server"),
        (mq("CSQXRCTL", "gsk_secure_socket_init"), "IBM MQ", "handshake-refused-by-client"),
        (cics("HTTPSSL"), "CICS at the server", "handshake-refused-by-server"),
        (cics("NONE"), "CICS", "handshake-refused-by-client"),
    ] {
        let report = only_report("log", text.as_bytes());
        assert_eq!(speakers(&report.transcript), [by], "{text}");
        assert_eq!(report.verdict.by.as_deref(), Some(finding), "{text}");
    }
    // What is not about the handshake, and what only mentions a message, is no session.
    for text in [
        mq("CSQXRESP", "gsk_secure_socket_read"),
        "we see CSQX620E and DFHSO0123 every night\n".to_owned(),
        "CSQX631E and CSQX633E came at night\n".to_owned(),
        "CSQX620E\n".to_owned(),
        "DFHSO0123 Return code 410 received from function gsk_secure_socket_read of System SSL. Reason: x. Peer: 198.51.100.20, TCPIPSERVICE: NONE.\n".to_owned(),
    ] {
        assert!(common::reports(&[("log", text.as_bytes())]).is_empty(), "{text}");
    }
}

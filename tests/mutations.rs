//! What mail programs and tickets do to a trace must not matter: each mutilation of the mail leads to the same finding.

mod common;

use common::{SEED, only_report, seed, verdict};

const WHOLE: &str = "fails plaintext-instead-of-tls certain server <- client-tls-version-refused likely, server-tls-not-initialised possible";

fn same(name: &str, text: impl AsRef<[u8]>) {
    let report = only_report(name, text.as_ref());
    assert_eq!(verdict(&report), WHOLE, "{name}");
    let f = &report.findings[0];
    assert_eq!((f.data["code"].as_u64(), f.data["text"].as_str()), (Some(550), Some("550 T")), "{name}");
    assert_eq!(f.data["claims"].as_array().unwrap().len(), 5, "{name}: {}", f.data["claims"]);
    assert_eq!(report.client.unwrap().offer.unwrap()["suites"].as_array().unwrap().len(), 7, "{name}");
}

fn each_line(change: impl Fn(&str) -> String) -> String {
    seed().lines().map(|l| change(l) + "\n").collect()
}

/// Only the two logs, without the prose around and between them.
fn logs() -> Vec<String> {
    let is_prose = |l: &str| l.contains("It wasn't quite");
    let mail = seed();
    let lines =
        mail.lines().skip_while(|l| !l.starts_with("SC2852")).take_while(|l| !l.starts_with("The server seems"));
    lines.filter(|l| !is_prose(l) && !l.trim().is_empty()).map(|l| l.trim_end().to_owned()).collect()
}

#[test]
fn as_it_stands() {
    same(SEED, seed());
}

#[test]
fn quoted() {
    same("once", each_line(|l| format!("> {l}")));
    same("three times", each_line(|l| format!("> > > {l}")));
    same("without blanks", each_line(|l| format!(">{l}")));
    same("three times without blanks", each_line(|l| format!(">>>{l}")));
    same("with bars", each_line(|l| format!("| {l}")));
}

#[test]
fn line_ends() {
    same("CRLF", seed().replace('\n', "\r\n"));
    same("CR", seed().replace('\n', "\r"));
    same("no line end at the end", seed().trim_end());
    same("double spacing", seed().replace('\n', "\n\n"));
    same(
        "blank lines gone",
        seed().lines().filter(|l| !l.trim().is_empty()).map(|l| format!("{l}\n")).collect::<String>(),
    );
}

#[test]
fn blanks() {
    same("trailing ones gone", each_line(|l| l.trim_end().to_owned()));
    same("leading ones gone", each_line(|l| l.trim_start().to_owned()));
    same("collapsed", each_line(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")));
    same("tabs", each_line(|l| l.replace("  ", "\t")));
    same("no-break", each_line(|l| l.replace("  ", "\u{a0}\u{a0}")));
    same("indented", each_line(|l| format!("      {l}")));
    same("lost behind the offset", each_line(|l| l.replace("0000: ", "0000:")));
}

#[test]
fn dressed() {
    same("timestamps", each_line(|l| format!("2021-02-27 09:15:00 {l}")));
    same("timestamps in brackets", each_line(|l| format!("[2021-02-27T09:15:00.123Z] {l}")));
    same("bullets", each_line(|l| if l.trim().is_empty() { l.to_owned() } else { format!("* {}", l.trim_start()) }));
    let numbered: String = seed().lines().enumerate().map(|(n, l)| format!("{:6}\t{l}\n", n + 1)).collect();
    same("line numbers", numbered);
    let numbered: String = seed().lines().enumerate().map(|(n, l)| format!("{}: {l}\n", n + 1)).collect();
    same("line numbers with colons", numbered);
    same("HTML line breaks", each_line(|l| format!("{}<br>", l.replace("  ", "&nbsp; ").replace('>', "&gt;"))));
    same("quoted-printable", each_line(|l| format!("{l}=20")));
    let short: String = seed().lines().filter(|l| l.trim_end().len() <= 72).collect::<Vec<_>>().join("\n");
    let sequence: String =
        short.lines().enumerate().map(|(n, l)| format!("{:<72}{:08}\n", l.trim_end(), n * 100)).collect();
    let report = only_report("sequence numbers", sequence.as_bytes());
    assert!(verdict(&report).starts_with("fails plaintext-instead-of-tls certain"), "{}", verdict(&report));
}

#[test]
fn wrapped() {
    for width in [76, 72, 66, 60] {
        same(&format!("at {width}"), common::wrapped(&seed(), width));
    }
}

#[test]
fn joined() {
    same("two by two", logs().chunks(2).map(|l| l.join(" ") + "\n").collect::<String>());
    same("five by five", logs().chunks(5).map(|l| l.join(" ") + "\n").collect::<String>());
    same("all in one line", logs().join(" "));
    same("all in one line, quoted", logs().join(" > "));
}

#[test]
fn character_sets() {
    let utf16 = |big: bool, mark: bool| -> Vec<u8> {
        let text = if mark { format!("\u{feff}{}", seed()) } else { seed() };
        text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    for (big, mark) in [(false, true), (true, true), (false, false), (true, false)] {
        same(&format!("UTF-16, big endian {big}, marked {mark}"), utf16(big, mark));
    }
    same("UTF-8 with mark", format!("\u{feff}{}", seed()));
    let mut latin1 = seed().into_bytes();
    latin1.extend(b"Gr\xfc\xdfe\n");
    same("Latin-1", latin1);
    same("EBCDIC", seed().bytes().map(to_ebcdic).collect::<Vec<u8>>());
}

fn to_ebcdic(b: u8) -> u8 {
    (0..=255).rev().find(|e| ftpsdiag::wire::ebcdic::to_latin1(*e) == b).unwrap_or(0x6f)
}

#[test]
fn text_in_ebcdic() {
    let ebcdic = seed()
        .replace("35353020 54                           *550 T", "F5F5F040 E3                           *550 T")
        .replace("Content Type 53", "Content Type 245");
    let report = only_report("ebcdic", ebcdic.as_bytes());
    // Behind what is as likely, and before what is less.
    let causes = WHOLE.replace(", server-tls", ", encoding-ebcdic likely, server-tls");
    assert_eq!(verdict(&report), causes);
    let f = &report.findings[0];
    assert_eq!((f.data["text"].as_str(), f.data["encoding"].as_str()), (Some("550 T"), Some("ebcdic")));
    assert_eq!(f.data["claims"].as_array().unwrap().len(), 5, "Content Type 245 is an echo of it too");
}

#[test]
fn a_missing_first_half() {
    let mail = seed();
    let lines: Vec<&str> = mail.lines().collect();
    let received = lines.iter().position(|l| l.contains("5 bytes received")).unwrap();
    // From the middle of a record's heading on: neither log nor ClientHello is left.
    for from in [received - 2, received - 1] {
        let report = only_report("half", lines[from..].join("\n").as_bytes());
        assert!(
            verdict(&report).starts_with("fails plaintext-instead-of-tls certain server"),
            "from line {from}: {}",
            verdict(&report)
        );
        assert!(report.checks.iter().any(|c| c.id == "client-hello"), "what is missing is said");
    }
}

#[test]
fn a_beginning_lost_anywhere_in_the_log() {
    let mail = seed();
    let log_ends = mail.find("EZA2898I").unwrap();
    for (at, _) in mail.match_indices('\n').filter(|(at, _)| *at < log_ends).step_by(3) {
        let report = only_report("tail", &mail.as_bytes()[at..]);
        assert!(
            verdict(&report).starts_with("fails plaintext-instead-of-tls certain server <- "),
            "from {at}: {}",
            verdict(&report)
        );
    }
}

#[test]
fn a_missing_last_half() {
    let mail = seed();
    let log_only = mail.split("It wasn't quite").next().unwrap();
    let report = only_report("log", log_only.as_bytes());
    assert!(verdict(&report).starts_with("fails handshake-refused-by-client likely"), "{}", verdict(&report));
    // The trace ends behind the ClientHello: the bytes that decide are not there, the client's word is.
    let hello_only = mail.split("S0W1      MESSAGE   00000008  01:49:34.383763").next().unwrap();
    let report = only_report("hello", hello_only.as_bytes());
    assert!(
        verdict(&report).starts_with("fails handshake-refused-by-client likely unknown <- client-tls-version-refused"),
        "{}",
        verdict(&report)
    );
}

#[test]
fn interleaved_threads() {
    let trace: Vec<String> = logs().into_iter().skip_while(|l| !l.starts_with("S0W1")).collect();
    let mut records: Vec<Vec<String>> = Vec::new();
    for line in trace {
        if line.starts_with("S0W1") {
            records.push(Vec::new());
        }
        records.last_mut().unwrap().push(line);
    }
    let mut mixed = String::new();
    for record in &records {
        let text = record.join("\n") + "\n";
        mixed += &text;
        mixed += &text
            .replace("Thread 00000001", "Thread 00000002")
            .replace("35353020 54", "16030100 31")
            .replace("*550 T", "*....1");
    }
    let reports = common::reports(&[("mixed", mixed.as_bytes())]);
    assert_eq!(reports.len(), 2, "a session for each thread");
    assert!(verdict(&reports[0]).starts_with("fails plaintext-instead-of-tls certain"), "{}", verdict(&reports[0]));
    assert!(!verdict(&reports[1]).contains("plaintext"), "{}", verdict(&reports[1]));
}

#[test]
fn several_files_are_one_case() {
    let mail = seed();
    let (log, trace) = mail.split_once("It wasn't quite").unwrap();
    for inputs in [[("log", log), ("trace", trace)], [("trace", trace), ("log", log)]] {
        let inputs: Vec<(&str, &[u8])> = inputs.iter().map(|(n, t)| (*n, t.as_bytes())).collect();
        let reports = common::reports(&inputs);
        assert_eq!(reports.len(), 1);
        assert_eq!(verdict(&reports[0]), WHOLE);
        assert_eq!(reports[0].subject.inputs.len(), 2);
    }
}

#[test]
fn message_ids_left_out_as_in_zos_unix() {
    let bare = seed().replace("EZA1701I ", "").replace("EZA2897I ", "").replace("EZA2898I ", "");
    same("ids left out", bare);
}

#[test]
fn numbers_of_another_release() {
    let other = seed().replace("FC1103", "FC0910").replace("CZ0731", "CZ0590").replace("SC4502", "SC4001");
    same("other source lines", other);
}

#[test]
fn a_server_s_log_in_any_dress() {
    let lines = ["authClient: init failed with rc = 410 (GSK_ERR_BAD_MESSAGE)", "EZYFT96I TLS handshake failed"];
    let same = |name: &str, before: &str, between: &str| {
        let text = lines.map(|l| format!("{before}{l}")).join(between);
        let report = only_report(name, text.as_bytes());
        assert_eq!(
            verdict(&report),
            "fails handshake-refused-by-server likely unknown <- wrong-mode possible",
            "{name}"
        );
        assert_eq!(report.findings[0].data["rc"], 410, "{name}");
        assert!(report.client.is_none_or(|c| c.product.is_none()), "{name}");
    };
    for (name, before) in [
        ("bare", ""),
        ("quoted", "> "),
        ("process", "ftpd[50331663]: "),
        ("syslogd", "Jun  1 08:12:31 zos1 ftpd[5]: "),
        ("syslogd, quoted", "> Jun  1 08:12:31 zos1 ftpd[5]: "),
        ("syslogd, blanks collapsed", "Jun 1 08:12:31 zos1 ftpd[5]: "),
        ("trace id", "EP0615 "),
        ("syslogd and trace id", "Jun  1 08:12:31 zos1 ftpd[5]: EP0615 "),
        ("time", "08:12:31 "),
        ("numbered", "12: "),
    ] {
        if !before.contains("EP0615") {
            same(name, before, "\n");
        }
        same(&format!("{name}, CR"), before, "\r");
        same(&format!("{name}, double spacing"), before, "\n\n");
    }
}

//! The screens that people paste into tickets: blessed whole, and never larger than a screen.
//! `INSTA_UPDATE=always cargo test --test screens` writes them anew; read the diff.

mod common;

use common::{SEED, files, only_report, relative, root, seed};
use ftpsdiag::{Format, Style, render};

fn screen(name: &str, bytes: &[u8], style: Style) -> String {
    render(&only_report(name, bytes), Format::Text, style)
}

#[test]
fn the_mail() {
    insta::assert_snapshot!(screen(SEED, seed().as_bytes(), Style::default()));
}

#[test]
fn the_mail_verbose() {
    insta::assert_snapshot!(screen(SEED, seed().as_bytes(), Style { verbose: true, ..Style::default() }));
}

#[test]
fn the_mail_as_a_ticket() {
    insta::assert_snapshot!(render(&only_report(SEED, seed().as_bytes()), Format::Markdown, Style::default()));
}

#[test]
fn the_mail_as_a_dialogue() {
    insta::assert_snapshot!(render(&only_report(SEED, seed().as_bytes()), Format::Dialogue, Style::default()));
}

#[test]
fn the_clients_log_alone() {
    let name = "fixtures/zos-ftp/ibm-main-client.txt";
    insta::assert_snapshot!(screen(name, &std::fs::read(root().join(name)).unwrap(), Style::default()));
}

#[test]
fn vsftpd_and_zos() {
    let log = "EZA1701I >>> AUTH TLS\n234 Proceed with negotiation.\nFC0910 authServer: secure_socket_init failed with rc = 410 (SSL message format is incorrect)\nEZA2897I Authentication negotiation failed\n";
    insta::assert_snapshot!(screen("sysprint.txt", log.as_bytes(), Style::default()));
}

#[test]
fn an_alert_with_text_behind_it() {
    let name = "fixtures/dialogue/vsftpd-3.0.3-openssl-3.dialogue";
    insta::assert_snapshot!(screen(name, &std::fs::read(root().join(name)).unwrap(), Style::default()));
}

#[test]
fn tls_switched_off() {
    let play = "conn 0 control host=\"ftp.example.org\" peer=192.0.2.7:21\n0 S \"220 (vsFTPd 3.0.3)\\r\\n\"\n1 C \"AUTH TLS\\r\\n\"\n2 S \"530 Please login with USER and PASS.\\r\\n\"\n3 S closes\n";
    insta::assert_snapshot!(screen("x.dialogue", play.as_bytes(), Style::default()));
}

#[test]
fn five_bytes_alone() {
    insta::assert_snapshot!(screen("-", b"35353020 54\n", Style::default()));
}

#[test]
fn evidence_that_ends_too_early() {
    let mail = seed();
    let trace = mail
        .split("It wasn't quite")
        .nth(1)
        .unwrap()
        .split("S0W1      MESSAGE   00000008  01:49:34.383763")
        .next()
        .unwrap();
    insta::assert_snapshot!(screen("trace.txt", trace.as_bytes(), Style::default()));
}

/// A login inside TLS, quoted by somebody's log, and what came behind it.
fn login(rest: &str) -> String {
    let play = "conn 0 control host=\"ftp.example.org\" peer=192.0.2.7:21\n0 S \"220 ready\\r\\n\"\n1 C \"AUTH TLS\\r\\n\"\n\
                2 S \"234 go\\r\\n\"\n3 C starts-tls\n4 C* \"USER joe\\r\\n\"\n5 S* \"331 pw\\r\\n\"\n6 C* \"PASS ********\\r\\n\"\n";
    screen("x.dialogue", format!("{play}{rest}").as_bytes(), Style::default())
}

#[test]
fn what_was_refused_is_shown_and_not_the_goodbye() {
    let text = login(
        "7 S* \"230 in\\r\\n\"\n8 C* \"MKD a\\r\\n\"\n9 S* \"550 no\\r\\n\"\n10 C* \"QUIT\\r\\n\"\n11 S* \"221 bye\\r\\n\"\n12 S closes\n",
    );
    assert!(text.starts_with("CANNOT TELL") && text.contains("> MKD a") && text.contains("< 550 no"), "{text}");
    assert!(!text.contains("QUIT"), "{text}");
}

#[test]
fn an_account_that_is_wanted_is_named() {
    let ended = login("7 S* \"332 Need account\\r\\n\"\n8 C* \"QUIT\\r\\n\"\n9 S* \"221 bye\\r\\n\"\n10 S closes\n");
    assert!(ended.contains("wants an account (332 to PASS)") && ended.contains("ACT     client: ACCT"), "{ended}");
    // Where the evidence ends, ACCT may have come next.
    let cut = login("7 S* \"332 Need account\\r\\n\"\n");
    assert!(!cut.contains("wants an account"), "{cut}");
}

#[test]
fn limits_of_our_own_are_named_as_such() {
    let run = |reply: &str| {
        let play = format!(
            "asked \"ftp.example.org\" explicit\nconn 0 control host=\"ftp.example.org\" peer=192.0.2.7:21\n0 S \"220 ready\\r\\n\"\n\
             1 C \"AUTH TLS\\r\\n\"\n2 S \"234 go\\r\\n\"\n3 C starts-tls\n4 S* established 0304 1301 group=001D\n\
             5 C* \"FEAT\\r\\n\"\n6 S* \"{reply}\"\n7 C closes\n"
        );
        screen("x.dialogue", play.as_bytes(), Style::default())
    };
    let long = run(&format!("211-Features\\r\\n{}", " MDTM\\r\\n".repeat(40_000)));
    assert!(long.contains("a reply of more than 256 kB (to FEAT) was not listened to"), "{long}");
    let slow = run("211-Features\\r\\n MDTM\\r\\n");
    assert!(slow.contains("the reply to FEAT began, and did not end in the time for one step"), "{slow}");
}

#[test]
fn every_screen_fits() {
    let mut checked = 0;
    let below = ["PARTLY", "FOUND ", "NOTED ", "TLS 1.", "SSL ", "REFUSED ", "UNKNOWN "];
    let mut fits = |name: &str, text: &str| {
        // The sets of an audit stand below the screen.
        let screen = text.lines().take_while(|l| !below.iter().any(|label| l.starts_with(label))).count();
        assert!(screen <= 25, "{name}: {screen} lines\n{text}");
        let wide: Vec<&str> = text.lines().filter(|l| l.len() > 80).collect();
        assert!(wide.is_empty(), "{name}: wider than 80 columns: {wide:?}");
        assert!(text.is_ascii(), "{name}: not ASCII");
        checked += 1;
    };
    let fixtures = files(&root().join("fixtures"))
        .into_iter()
        .filter(|p| p.with_extension("expect").exists() && p.extension().is_some_and(|x| x != "expect"));
    for path in fixtures {
        fits(&relative(&path), &screen(&relative(&path), &std::fs::read(&path).unwrap(), Style::default()));
    }
    for rule in ftpsdiag::rules::ALL {
        for block in rule.page.split("```transcript\n").skip(1) {
            let report =
                common::report(&ftpsdiag::transcript::dialogue::parse(block.split("```").next().unwrap()).unwrap());
            fits(rule.id, &render(&report, Format::Text, Style::default()));
        }
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn a_screen_fits_however_long_the_names_are() {
    let host = format!("{}.example.org", "very-long-host-name".repeat(6));
    let play = format!(
        "conn 0 control host=\"{host}\" peer=[2001:db8:1234:5678:9abc:def0:1234:5678]:50021\n{}",
        "0 C \"AUTH TLS\\r\\n\"\n1 S \"234 AUTH TLS successful\\r\\n\"\n2 C starts-tls\n3 S \"550 ".to_owned()
            + &"long text ".repeat(400)
            + "\\r\\n\"\n4 S closes\n"
    );
    let text = screen(&"long-file-name".repeat(20), play.as_bytes(), Style::default());
    assert!(text.lines().count() <= 25 && text.lines().all(|l| l.len() <= 80), "{text}");
}

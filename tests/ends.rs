//! How transfers end, in plays that are too long for a page, and in the words of other programs.

mod common;

use ftpsdiag::report::{Outcome, Report};
use ftpsdiag::rules::{CheckResult, Party, Severity};
use ftpsdiag::transcript::{Transcript, dialogue};

const CONNS: &str = "asked \"ftp.example.org:21\" explicit login ccc upload\n\
    conn 0 control host=\"ftp.example.org\" peer=203.0.113.7:21\n\
    conn 1 data-of=0\nconn 2 data-of=0\nconn 3 data-of=0\n\
    conn 4 control host=\"ftp.example.org\" question=\"CCC\"\nconn 5 data-of=4\n";

const LOGIN: &str = r#"0 open
1 S "220 ready\r\n"
2 C "AUTH TLS\r\n"
3 S "234 go\r\n"
5 S* established 0304 1301 group=001D
6 C* "PASS ********\r\n"
7 S* "230 in\r\n"
8 C* "PROT P\r\n"
9 S* "200 ok\r\n"
10 C* "TYPE I\r\n"
11 S* "200 ok\r\n"
20 C* "LIST\r\n"
20 1> open
21 S* "150 go\r\n"
22 1> S* established 0304 1301 group=001D resumed
23 1> S* skipped 200
24 1> S* alert 1 0
24 1> C* alert 1 0
25 1> S closes
26 S* "226 done\r\n"
"#;

const UPLOAD: &str = r#"30 C* "STOR FTPSDIAG.R1A2B3C.T1\r\n"
30 2> open
31 S* "150 go\r\n"
32 2> S* established 0304 1301 group=001D resumed
32 2> S* ticket
33 2> C* skipped 1000000 "aa"
34 2> C* alert 1 0
35 2> S closes
36 S* "226 done\r\n"
40 C* "RETR FTPSDIAG.R1A2B3C.T1\r\n"
40 3> open
41 S* "150 go\r\n"
42 3> S* established 0304 1301 group=001D resumed
43 3> S* skipped 1000000 "aa"
44 3> S* alert 1 0
44 3> C* alert 1 0
45 3> S closes
46 S* "226 done\r\n"
"#;

const QUIT: &str = "60 C* \"QUIT\\r\\n\"\n61 S* \"221 bye\\r\\n\"\n62 S closes\n";

const CCC: &str = r#"70 4> open
71 4> S "220 ready\r\n"
75 4> S* established 0304 1301 group=001D
76 4> C* "PASS ********\r\n"
77 4> S* "230 in\r\n"
78 4> C* "PROT P\r\n"
79 4> S* "200 ok\r\n"
80 4> C* "CCC\r\n"
80 4> S 1703030015
80 4> S skipped 21
81 4> S* "200 in clear\r\n"
82 4> C* alert 1 0
82 4> S 1703030013
82 4> S skipped 19
82 4> S* alert 1 0
83 4> C "EPSV\r\n"
84 4> S "229 Entering (|||50006|)\r\n"
85 5> open
86 4> C "LIST\r\n"
"#;

const LISTED: &str = r#"87 4> S "150 go\r\n"
88 5> S* established 0304 1301 group=001D resumed
89 5> S* skipped 200
89 5> S* alert 1 0
90 5> S closes
91 4> S "226 done\r\n"
92 4> C "QUIT\r\n"
93 4> S "221 bye\r\n"
"#;

fn report(play: &str) -> Report {
    common::report(&dialogue::parse(play).unwrap())
}

fn run(upload: &str, behind_ccc: &str) -> Report {
    report(&[CONNS, LOGIN, upload, QUIT, CCC, behind_ccc].concat())
}

fn check(r: &Report, id: &str) -> (CheckResult, String) {
    let check = r.checks.iter().find(|c| c.id == id).unwrap_or_else(|| panic!("{id}: no such check"));
    (check.result, check.headline.clone())
}

#[test]
fn a_healthy_run_passes_every_check() {
    let r = run(UPLOAD, LISTED);
    assert_eq!(common::verdict(&r), "works");
    assert!(r.findings.is_empty(), "{:?}", r.findings);
    for (id, headline) in [
        ("close-notify", "close_notify 2 of 2"),
        ("end-of-data", "transfers ended 3 of 3"),
        ("upload", "uploads of 1 M bytes, read back equal"),
        ("ccc", "CCC, and a transfer behind it"),
    ] {
        assert_eq!(check(&r, id), (CheckResult::Passed, headline.to_owned()));
    }
}

#[test]
fn what_nobody_asked_for_is_untested() {
    let asked = CONNS.replace(" ccc upload", "");
    let r = report(&[&asked, LOGIN, QUIT].concat());
    for (id, why) in [("upload", "not asked for"), ("ccc", "not asked for")] {
        let check = r.checks.iter().find(|c| c.id == id).unwrap();
        assert_eq!((check.result, check.why.as_deref()), (CheckResult::Untested, Some(why)));
    }
    let without_login = report(&[&asked.replace(" login", ""), LOGIN, QUIT].concat());
    assert!(without_login.checks.iter().all(|c| c.id != "upload"));
}

#[test]
fn an_upload_that_comes_back_differently() {
    let short = UPLOAD.replace("43 3> S* skipped 1000000 \"aa\"", "43 3> S* skipped 983616 \"bb\"");
    let altered = UPLOAD.replace("43 3> S* skipped 1000000 \"aa\"", "43 3> S* skipped 1000000 \"bb\"");
    for upload in [short, altered] {
        let r = run(&upload, LISTED);
        assert_eq!(r.verdict.by.as_deref(), Some("data-truncated"));
        assert_eq!(check(&r, "upload").0, CheckResult::Failed);
    }
    let size = UPLOAD
        .replace("40 C* \"RETR", "37 C* \"SIZE FTPSDIAG.R1A2B3C.T1\\r\\n\"\n38 S* \"213 983616\\r\\n\"\n40 C* \"RETR");
    assert_eq!(run(&size, LISTED).verdict.by.as_deref(), Some("data-truncated"));
}

#[test]
fn an_upload_that_is_refused_is_no_fault_of_its_end() {
    let refused = "30 C* \"STOR FTPSDIAG.R1A2B3C.T1\\r\\n\"\n31 S* \"553 Permission denied\\r\\n\"\n";
    let r = run(refused, LISTED);
    assert_eq!(check(&r, "upload").0, CheckResult::Untested);
    assert_eq!(r.verdict.by, None);
}

#[test]
fn the_server_leaves_out_close_notify() {
    let play =
        [CONNS, LOGIN, UPLOAD, QUIT, CCC, LISTED].concat().replace("24 1> S* alert 1 0\n24 1> C* alert 1 0\n", "");
    let r = report(&play);
    assert_eq!(common::verdict(&r), "works");
    let finding = r.findings.iter().find(|f| f.id == "data-close-notify-missing").unwrap();
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.causes.is_empty(), "not on each transfer");
    assert_eq!(check(&r, "close-notify"), (CheckResult::Failed, "close_notify 1 of 2".to_owned()));
}

#[test]
fn behind_ccc() {
    let silent = "10086 4> S silent 10000\n";
    let refused =
        "87 4> S \"425 Cannot open data connection\\r\\n\"\n92 4> C \"QUIT\\r\\n\"\n93 4> S \"221 bye\\r\\n\"\n";
    for broken in [silent, refused, "87 4> S resets\n"] {
        let r = run(UPLOAD, broken);
        // The session does without CCC: a verdict is not for the login that tried it.
        assert_eq!(common::verdict(&r), "works", "{broken}");
        assert_eq!(r.findings.iter().map(|f| f.id.as_str()).collect::<Vec<_>>(), ["ccc-breaks-data"], "{broken}");
        assert_eq!(check(&r, "ccc").0, CheckResult::Failed);
    }
    for harmless in ["87 4> C closes\n", "87 4> S \"550 No such directory\\r\\n\"\n92 4> C closes\n"] {
        assert!(run(UPLOAD, harmless).findings.is_empty(), "{harmless}");
    }
    // It is taken at the second try.
    let again = format!("{}{}", refused.split("92 4>").next().unwrap(), "87 4> C \"LIST\\r\\n\"\n") + LISTED;
    assert!(run(UPLOAD, &again).findings.is_empty());
}

/// Law 5, for runs that are longer than any page.
#[test]
fn a_run_that_is_cut_says_nothing_that_the_whole_denies() {
    let short = UPLOAD.replace("43 3> S* skipped 1000000 \"aa\"", "43 3> S* skipped 983616 \"bb\"");
    let bare = UPLOAD.replace("44 3> S* alert 1 0\n44 3> C* alert 1 0\n", "");
    let reset = UPLOAD.replace("45 3> S closes", "45 3> S resets");
    let late = UPLOAD.replace("35 2> S closes\n", "10035 2> S silent 10000\n10035 2> C closes\n");
    for upload in [UPLOAD, &short, &bare, &reset, &late] {
        for behind in [LISTED, "10086 4> S silent 10000\n"] {
            let whole = dialogue::parse(&[CONNS, LOGIN, upload, QUIT, CCC, behind].concat()).unwrap();
            let last = common::report(&whole).verdict;
            for cut in 0..whole.entries.len() {
                let verdict =
                    common::report(&Transcript { entries: whole.entries[..cut].to_vec(), ..whole.clone() }).verdict;
                let stays = verdict.outcome == last.outcome || verdict.outcome == Outcome::Inconclusive;
                assert!(stays, "{:?} became {:?}, cut after {cut}", verdict.headline, last.headline);
            }
        }
    }
}

#[test]
fn ccc_that_is_declined_is_a_note() {
    let play = [CONNS, LOGIN, UPLOAD, QUIT, CCC].concat();
    let declined = play.split("80 4> S 17").next().unwrap().to_owned()
        + "81 4> S* \"534 Not allowed\\r\\n\"\n82 4> C* \"QUIT\\r\\n\"\n83 4> S* \"221 bye\\r\\n\"\n";
    let r = report(&declined);
    assert_eq!(common::verdict(&r), "works");
    assert_eq!(r.findings.iter().find(|f| f.id == "ccc-refused").unwrap().severity, Severity::Note);
    assert_eq!(check(&r, "ccc").0, CheckResult::Failed);
}

/// A download or an upload in the words of a log: what was said or answered, and what it comes to.
const SAID: &[(&str, &str, Option<&str>)] = &[
    (
        "RETR",
        "says \"GnuTLS error -110: The TLS connection was non-properly terminated.\"",
        Some("data-close-notify-missing"),
    ),
    ("RETR", "says \"error:0A000126:SSL routines::unexpected eof while reading\"", Some("data-close-notify-missing")),
    ("RETR", "says \"ssl.SSLEOFError: EOF occurred in violation of protocol\"", Some("data-close-notify-missing")),
    ("RETR", "says \"recv failure: Connection reset by peer\"", Some("data-reset")),
    ("STOR", "says \"ConnectionResetError: [WinError 10054] forcibly closed by the remote host\"", Some("data-reset")),
    ("RETR", "says \"Directory listing successful\"", None),
    ("LIST", "says \"timed out\"", None),
];

#[test]
fn words_of_clients_behind_a_confirmed_transfer() {
    for (verb, said, by) in SAID {
        let play = format!(
            "0 S* established 0303 C030\n1 C* \"PROT P\\r\\n\"\n2 S* \"200 ok\\r\\n\"\n10 C* \"{verb} a\\r\\n\"\n\
             11 S* \"150 go\\r\\n\"\n20 \"a client\" {said}\n21 S* \"226 done\\r\\n\"\n30 C* \"QUIT\\r\\n\"\n31 S* \"221 bye\\r\\n\"\n"
        );
        let r = report(&play);
        assert_eq!(r.verdict.by.as_deref(), *by, "{said}");
        // Behind the goodbye the same words are about the control connection.
        let line = format!("20 \"a client\" {said}\n");
        let late = report(&(play.replace(&line, "") + &line));
        assert_eq!(late.verdict.by, None, "{said}");
    }
}

#[test]
fn replies_of_servers_to_an_upload() {
    for (reply, by) in [
        ("426 Failure reading network stream.", Some("data-close-notify-missing")),
        ("425 Error while transfering data: ECONNABORTED - Connection aborted", Some("data-close-notify-missing")),
        ("451 Transfer aborted due to receive error", Some("data-reset")),
        ("450 Transfer aborted. Link to file server lost", Some("data-reset")),
        ("451 Requested action aborted: local error in processing.", None),
        ("552 Disk full", None),
        ("426 Connection closed; transfer aborted.", None),
    ] {
        let r = report(&format!(
            "0 S* established 0303 C030\n1 C* \"STOR a\\r\\n\"\n2 S* \"150 go\\r\\n\"\n3 S* \"{reply}\\r\\n\"\n4 S closes\n"
        ));
        assert_eq!(r.verdict.by.as_deref(), by, "{reply}");
    }
}

/// A capture: a data connection under TLS 1.2, where an alert is a record of its own type.
#[test]
fn a_capture_shows_the_farewell_of_tls12_and_hides_that_of_tls13() {
    const HELLO: &str = "160301002f 0100002b0303 603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d 00 0004 c030 002f 0100";
    const ANSWER: &str = "1603030031 0200002d 0303 603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d 00 c030 00 0005 ff01000100";
    let play = |farewell: &str, version: &str| {
        let answer = if version == "0304" {
            ANSWER
                .replace("1603030031 0200002d", "1603030032 0200002e")
                .replace("c030 00 0005 ff01000100", "1301 00 0006 002b00020304")
        } else {
            ANSWER.to_owned()
        };
        format!(
            "conn 0 control\nconn 1 data-of=0\n0 S* established 0303 C030\n1 C* \"RETR a\\r\\n\"\n2 1> open\n2 1> C {HELLO}\n3 1> S {answer}\n\
             4 1> C 1403030001 01 1603030004 00112233 1703030004 00112233\n5 1> S 1403030001 01 1603030004 00112233\n6 S* \"150 go\\r\\n\"\n\
             7 1> S 1703030008 0011223344556677\n{farewell}8 1> S closes\n9 S* \"226 done\\r\\n\"\n10 C closes\n"
        )
    };
    let missing = |r: &Report| r.findings.iter().any(|f| f.id == "data-close-notify-missing");
    assert!(missing(&report(&play("", "0303"))));
    assert!(!missing(&report(&play("8 1> S 1503030004 00112233\n", "0303"))));
    assert!(!missing(&report(&play("", "0304"))));
}

/// A download of a session, and what goes before and behind it.
fn download(before: &str, mark: &str, data: &str) -> String {
    format!(
        "conn 0 control peer=203.0.113.7:21\nconn 1 data-of=0\n5 S* established 0303 C030\n{before}\
         20 C* \"RETR a\\r\\n\"\n20 1> open\n21 S* \"150 {mark}\\r\\n\"\n22 1> S* established 0303 C030 resumed\n\
         {data}26 S* \"226 done\\r\\n\"\n27 C* \"QUIT\\r\\n\"\n28 S* \"221 bye\\r\\n\"\n"
    )
}

/// Fewer bytes than a number says are no fault where the number is about something else, or the client wanted no more.
#[test]
fn fewer_bytes_for_a_good_reason() {
    let binary = "10 C* \"TYPE I\\r\\n\"\n11 S* \"200 ok\\r\\n\"\n";
    let size = "12 C* \"SIZE a\\r\\n\"\n13 S* \"213 1020\\r\\n\"\n";
    let all = "23 1> S* skipped 1000\n24 1> S* alert 1 0\n25 1> S closes\n";
    let is_short = |before: &str, mark: &str, data: &str| {
        let text = download(before, mark, data);
        let report = report(&text);
        let found = report.findings.iter().any(|f| f.id == "data-truncated");
        assert_eq!(found, report.verdict.outcome == Outcome::Fails, "{text}");
        found
    };
    assert!(is_short(&format!("{binary}{size}"), "go", all));
    assert!(is_short(binary, "Opening BINARY mode data connection for a (1020 bytes).", all));
    // SIZE of the text, then a binary transfer.
    assert!(!is_short(&format!("{size}{binary}"), "go", all));
    // Two at once: which of them is 1020 long?
    let both = "12 C* \"SIZE b\\r\\nSIZE a\\r\\n\"\n13 S* \"213 1020\\r\\n213 1000\\r\\n\"\n";
    assert!(!is_short(&format!("{binary}{both}"), "go", all));
    assert!(!is_short(binary, "Opening BINARY mode data connection for b(1020 bytes).txt (1000 bytes).", all));
    let range = "12 C* \"RANG 0 999\\r\\n\"\n13 S* \"350 ok\\r\\n\"\n";
    assert!(!is_short(&format!("{binary}{range}"), "go (1020 bytes)", all));
    // The client has read enough, or the capture missed some.
    for early in ["23 1> C* alert 1 0\n", "23 1> S gap 20\n"] {
        assert!(!is_short(&format!("{binary}{size}"), "go", &all.replace("24 1>", &format!("{early}24 1>"))));
    }
    // Read once, the number is used up: later it is another file of that name.
    let again = download(&format!("{binary}{size}"), "go", &all.replace("1000", "1020"))
        .replace("27 C*", "26 C* \"RETR a\\r\\n\"\n26 2> open\n26 S* \"150 go\\r\\n\"\n26 2> S* established 0303 C030 resumed\n26 2> S* skipped 5\n26 2> S* alert 1 0\n26 2> S closes\n26 S* \"226 done\\r\\n\"\n27 C*")
        .replace("conn 1 data-of=0\n", "conn 1 data-of=0\nconn 2 data-of=0\n");
    assert_eq!(report(&again).verdict.outcome, Outcome::Works);
}

/// Who sends commands without waiting gets replies of which nobody knows whose they are.
#[test]
fn the_reply_to_another_command_refuses_nothing() {
    for before in ["OPTS UTF8 ON", "SITE IDLE 900"] {
        let text = format!(
            "conn 0 control peer=203.0.113.7:21\n5 S* established 0303 C030\n6 C* \"{before}\\r\\nEPSV\\r\\n\"\n\
             7 S* \"500 unknown\\r\\n229 ok (|||50001|)\\r\\n\"\n8 C* \"QUIT\\r\\n\"\n9 S* \"221 bye\\r\\n\"\n"
        );
        assert_eq!(report(&text).findings, [], "{text}");
    }
}

/// A large upload of our own run that ends so.
fn large(end: &str) -> Report {
    let upload = UPLOAD.replace(".T1", ".T2").replace("skipped 1000000", "skipped 1");
    let large = r#"48 C* "DELE FTPSDIAG.R1A2B3C.T2\r\n"
49 S* "250 gone\r\n"
50 C* "STOR FTPSDIAG.R1A2B3C.T3\r\n"
50 6> open
51 S* "150 go\r\n"
51 6> S* established 0304 1301 group=001D resumed
"#;
    let conns = CONNS.replace(" ccc", "").replace("conn 4 ", "conn 7 ").replace("conn 5 data-of=4\n", "");
    let conns = conns.replace("conn 7 control host=\"ftp.example.org\" question=\"CCC\"\n", "");
    let conns = conns + "conn 4 data-of=0\nconn 5 data-of=0\nconn 6 data-of=0\n";
    report(&[&conns, LOGIN, &upload, large, end, QUIT].concat())
}

/// The server has no such file afterwards.
const NO_FILE: &str = r#"55 C* "SIZE FTPSDIAG.R1A2B3C.T3\r\n"
55 S* "550 no\r\n"
56 C* "DELE FTPSDIAG.R1A2B3C.T3\r\n"
56 S* "550 no\r\n"
"#;

#[test]
fn a_large_upload_that_is_refused_on_its_way_fails_although_a_short_one_worked() {
    for (how, reply, id, words) in [
        ("resets", "452 disk full", "data-truncated", "broke STOR off behind 344064 of 1000000 bytes (452)"),
        ("closes", "552 quota", "data-truncated", "broke STOR off behind 344064 of 1000000 bytes (552)"),
        ("resets", "426 broken", "data-reset", "reset the data connection of STOR"),
    ] {
        let end = format!("53 6> S {how}\n53 6> C* skipped 344064 \"cc\"\n54 S* \"{reply}\\r\\n\"\n{NO_FILE}");
        let r = large(&end);
        assert_eq!(r.verdict.outcome, Outcome::Fails, "{reply}");
        assert_eq!(r.verdict.by.as_deref(), Some(id), "{reply}");
        assert!(r.verdict.headline.ends_with(words), "{reply}: {}", r.verdict.headline);
        assert!(!r.verdict.scope.iter().any(|s| s == "upload"), "{reply}");
        assert_eq!(check(&r, "upload").0, CheckResult::Failed);
        assert!(!r.checks.iter().any(|c| c.id == "left-behind"), "{reply}: the server says that there is none");
    }
}

#[test]
fn a_file_that_the_server_will_not_delete_may_be_there() {
    let end = format!("53 6> S resets\n53 6> C* skipped 344064 \"cc\"\n54 S* \"426 broken\\r\\n\"\n{NO_FILE}");
    let r = large(&end.replacen("550 no", "500 what", 1));
    let (_, words) = check(&r, "left-behind");
    assert_eq!(words, "may be left behind on the server: FTPSDIAG.R1A2B3C.T3");
}

#[test]
fn what_comes_back_short_was_cut_where_size_says() {
    let back = |size: &str| {
        let (store, retr) = UPLOAD.split_once("40 C*").unwrap();
        let retr = retr.replace("skipped 1000000 \"aa\"", "skipped 500 \"bb\"");
        run(&format!("{store}38 C* \"SIZE FTPSDIAG.R1A2B3C.T1\\r\\n\"\n39 S* \"{size}\\r\\n\"\n40 C*{retr}"), LISTED)
    };
    for (size, words) in [
        ("213 1000000", "500 of 1000000 bytes of RETR came, and the server said 226"),
        ("213 500", "kept 500 of 1000000 bytes of STOR, and said 226"),
        ("500 what", "stored or read back short: 500 of 1000000 bytes"),
    ] {
        let r = back(size);
        assert_eq!(r.verdict.by.as_deref(), Some("data-truncated"), "{size}");
        assert!(r.verdict.headline.ends_with(words), "{size}: {}", r.verdict.headline);
    }
}

#[test]
fn where_both_ends_said_goodbye_only_the_reply_is_missing() {
    let quiet = LOGIN.replace("26 S* \"226 done\\r\\n\"\n", "3026 S silent 3000\n3027 C closes\n");
    let r = report(&[&CONNS.replace(" ccc upload", ""), quiet.as_str()].concat());
    assert_eq!(r.verdict.by.as_deref(), Some("data-end-hangs"));
    assert!(r.verdict.headline.ends_with("sent no 226 behind LIST, whose data had ended"), "{}", r.verdict.headline);
    assert_eq!(r.verdict.cause, None);
    assert_eq!(r.verdict.act.unwrap().party, Party::Server);
}

#[test]
fn a_data_connection_that_died_before_tls_declined_nothing() {
    let asked = CONNS.replace(" ccc upload", "").replace("question=\"CCC\"", "question=\"resumption declined\"");
    let login = CCC.split("80 4> C*").next().unwrap().to_owned()
        + r#"80 4> C* "LIST\r\n"
80 5> open
81 5> C starts-tls
82 4> S* "150 go\r\n"
83 5> S closes
84 4> S* "226 done\r\n"
85 4> C* "QUIT\r\n"
86 4> S* "221 bye\r\n"
"#;
    let r = report(&[&asked, LOGIN, QUIT, &login].concat());
    assert_eq!(check(&r, "resumption-declined").0, CheckResult::Untested);
}

#[test]
fn listings_that_are_refused_now_and_then_are_counted() {
    let no = "30 C* \"LIST\\r\\n\"\n31 S* \"450 too many\\r\\n\"\n";
    let r = report(&[&CONNS.replace(" ccc upload", ""), LOGIN, no, QUIT].concat());
    assert_eq!(common::verdict(&r), "works");
    let words = "LIST was refused 1 of 2 times: 450 too many";
    assert_eq!(check(&r, "listings-refused"), (CheckResult::Failed, words.to_owned()));
}

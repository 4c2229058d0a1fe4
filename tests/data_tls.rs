//! TLS on data connections: what a run of ours with a login looked at, and words and bytes of others that no page has room for.

mod common;

use ftpsdiag::report::{Outcome, Report};
use ftpsdiag::rules::{CheckResult, Confidence, Severity};
use ftpsdiag::transcript::dialogue;

fn report(play: &str) -> Report {
    common::report(&dialogue::parse(play).unwrap())
}

/// A run with a login: the session with a listing, a login that declines to resume, and one without PROT.
fn run(declined: &str, clear: &str, prot_c: &str) -> Report {
    report(&format!(
        r#"asked "h:21" explicit any-certificate login empty-file
conn 0 control host="h" peer=192.0.2.7:21
conn 1 data-of=0 peer=192.0.2.7:50001
conn 2 data-of=0 peer=192.0.2.7:50002
conn 3 control question="resumption declined" host="h" peer=192.0.2.7:21
conn 4 data-of=3 question="resumption declined" peer=192.0.2.7:50003
conn 5 control question="no PROT" host="h" peer=192.0.2.7:21
conn 6 data-of=5 question="no PROT" peer=192.0.2.7:50004
 0 S* certificates 3003020101
 1 S* established 0304 1301 group=001D
 2 S* ticket
 3 C* "PASS ********\r\n"
 4 S* "230 in\r\n"
 5 C* "PROT P\r\n"
 6 S* "200 ok\r\n"
10 C* "LIST\r\n"
11 1> open
12 1> C starts-tls
13 1> S* established 0304 1301 group=001D resumed
14 1> S* skipped 44
15 1> S* alert 1 0
16 1> S closes
17 S* "226 ok\r\n"
20 C* "RETR empty\r\n"
21 2> open
22 2> C starts-tls
23 2> S* established 0304 1301 group=001D resumed
25 2> S* alert 1 0
26 2> S closes
27 S* "226 ok\r\n"
28 C* "QUIT\r\n"
29 S* "221 bye\r\n"
30 S closes
40 3> S* certificates 3003020101
41 3> S* established 0304 1301 group=001D
50 3> C* "LIST\r\n"
51 4> open
52 4> C starts-tls
53 4> S* certificates 3003020101
54 4> S* established 0304 1301 group=001D
{declined}
70 5> S* established 0304 1301 group=001D
80 5> C* "LIST\r\n"
81 6> open
{clear}
90 5> C* "PROT C\r\n"
91 5> S* "{prot_c}\r\n"
"#
    ))
}

const REFUSED: &str = "55 4> S closes\n56 3> S* \"522 SSL connection failed; session reuse required: see require_ssl_reuse option in vsftpd.conf man page\\r\\n\"";
const TAKEN: &str = "55 4> S* skipped 44\n56 4> S closes\n57 3> S* \"226 ok\\r\\n\"";
const NO_CLEAR: &str = "83 6> S closes\n84 5> S* \"534 Policy requires SSL.\\r\\n\"";
const CLEAR: &str = "83 6> S skipped 44\n83 6> S closes\n84 5> S* \"226 ok\\r\\n\"";

fn check<'a>(r: &'a Report, id: &str) -> (&'a str, CheckResult, Option<&'a str>) {
    let all: Vec<_> = r.checks.iter().filter(|c| c.id == id).collect();
    assert_eq!(all.len(), 1, "{id}: {:?}", r.checks);
    (all[0].headline.as_str(), all[0].result, all[0].finding.as_deref())
}

#[test]
fn a_strict_server_passes_every_check() {
    let r = run(REFUSED, NO_CLEAR, "534 no");
    assert_eq!(r.verdict.outcome, Outcome::Works, "{}", r.verdict.headline);
    let passed = |id| {
        let (words, result, finding) = check(&r, id);
        assert_eq!(result, CheckResult::Passed, "{id}");
        (words.to_owned(), finding.map(str::to_owned))
    };
    assert_eq!(passed("resumption").0, "data sessions resumed (TLS 1.3, 2 of 2)");
    let reuse = Some("data-session-reuse-required".to_owned());
    assert_eq!(passed("resumption-declined"), ("data without resumption refused: 522".to_owned(), reuse));
    assert_eq!(passed("data-certificate").0, "same certificate on data");
    assert_eq!(passed("clear-data").0, "data refused without PROT P: 534");
    assert_eq!(passed("prot-c").0, "PROT C refused: 534");
    assert_eq!(passed("empty-file").0, "empty file");
    assert_eq!(check(&r, "empty-listing").1, CheckResult::Untested);
    let severities: Vec<_> = r.findings.iter().map(|f| (f.id.as_str(), f.severity)).collect();
    assert!(severities.contains(&("data-session-reuse-required", Severity::Note)), "{severities:?}");
    assert!(severities.iter().all(|(_, s)| *s != Severity::Failure), "{severities:?}");
}

#[test]
fn a_lenient_server_passes_them_too() {
    let r = run(TAKEN, CLEAR, "200 ok");
    assert_eq!(r.verdict.outcome, Outcome::Works, "{}", r.verdict.headline);
    assert_eq!(check(&r, "resumption-declined").0, "data accepted without resumption as well");
    assert_eq!(check(&r, "clear-data").0, "data in clear allowed without PROT P");
    assert_eq!(check(&r, "prot-c").0, "PROT C accepted");
    assert!(r.findings.iter().all(|f| !f.id.starts_with("data-")), "{:?}", r.findings);
}

#[test]
fn what_was_not_reached_is_untested() {
    let r = report(
        "asked \"h:21\" explicit login\n 0 S* established 0304 1301 group=001D\n 3 C* \"PASS x\\r\\n\"\n 4 S* \"530 no\\r\\n\"\n 5 S closes\n",
    );
    for id in
        ["resumption", "resumption-declined", "data-certificate", "clear-data", "prot-c", "empty-listing", "empty-file"]
    {
        assert_eq!(check(&r, id).1, CheckResult::Untested, "{id}");
    }
    let why = r.checks.iter().find(|c| c.id == "resumption").and_then(|c| c.why.as_deref());
    assert_eq!(why, Some("not logged in"));
}

#[test]
fn transfers_in_clear_are_refused_for_want_of_prot_p() {
    for command in ["MLSD", "NLST", "STOR a", "RETR a", "LIST", "APPE a"] {
        for reply in ["534 Policy requires SSL.", "522 SSL/TLS required on the data channel", "521 PROT P required"] {
            let r = report(&format!(
                "conn 0 control\nconn 1 data-of=0\n 0 S* established 0303 C030\n 1 1> open\n 2 C* \"{command}\\r\\n\"\n 3 1> S closes\n 4 S* \"{reply}\\r\\n\"\n 5 S closes\n"
            ));
            assert_eq!(r.verdict.by.as_deref(), Some("data-protection-required"), "{command}: {reply}");
        }
    }
}

/// One upload or download inside TLS, with a data connection, and what the evidence has besides.
fn one(data: &str, end: &str) -> Report {
    report(&format!(
        "conn 0 control\nconn 1 data-of=0\n 0 S* established 0303 C030\n 2 C* \"RETR a\\r\\n\"\n{data}\n{end}\n"
    ))
}

#[test]
fn words_about_resumption() {
    for (reply, by) in [
        (
            "425 Unable to build data connection: TLS session of data connection not resumed.",
            "data-session-reuse-required",
        ),
        (
            "450 TLS session of data connection has not resumed or the session does not match the control connection",
            "data-session-reuse-required",
        ),
        ("522 SSL connection failed: session reuse required", "data-session-reuse-required"),
        ("425 Unable to build data connection: Operation not permitted", "data-session-reuse-required"),
        ("425 Security: Bad IP connecting.", "data-connect-failed"),
        ("522 Network protocol not supported, use (1,2)", ""),
        ("550 a: Operation not permitted", ""),
        ("450 a: file busy", ""),
        ("451 Requested action aborted: local error in processing", ""),
    ] {
        let r = one("", &format!(" 5 S* \"{reply}\\r\\n\""));
        assert_eq!(r.verdict.by.as_deref().unwrap_or_default(), by, "{reply}");
    }
}

#[test]
fn a_log_of_the_server_tells_what_its_425_hides() {
    let claim = " 6 \"mod_tls\" says \"client did not reuse SSL session, rejecting data connection (see the NoSessionReuseRequired TLSOptions parameter)\"\n 7 C closes";
    let r = one("", claim);
    assert_eq!(common::verdict(&r), "fails data-session-reuse-required likely client <- client-does-not-resume likely");
    let r = one("", " 6 \"vsftpd\" says \"No SSL session reuse on data channel.\"");
    assert_eq!(r.verdict.by.as_deref(), Some("data-session-reuse-required"));
    let r = one("", " 6 \"mod_tls\" says \"client reused SSL session for data connection\"");
    assert_eq!(r.verdict.by, None);
}

#[test]
fn what_is_no_fault_of_tls_yields_nothing() {
    let hello = "1603010039 010000350303 603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d 00 0004 0035 002f 0100 0008 00230004aabbccdd";
    for (what, data, end) in [
        (
            "a file that is not there",
            format!(" 1 1> open\n 2 1> C {hello}\n 3 1> S closes"),
            " 4 S* \"550 no such file\\r\\n\"",
        ),
        ("no room", " 1 1> open\n 3 1> C closes".to_owned(), " 4 S* \"552 full\\r\\n\""),
        ("called off", format!(" 1 1> open\n 2 1> C {hello}\n 3 C* \"ABOR\\r\\n\"\n 3 1> S closes"), " 9 S closes"),
        ("a cut", format!(" 1 1> open\n 2 1> C {hello}"), ""),
        ("clear by agreement", " 1 1> open\n 2 1> S skipped 99\n 3 1> S closes".to_owned(), " 4 S* \"226 ok\\r\\n\""),
        (
            "aborted in the middle",
            " 1 1> S* established 0303 C030 resumed\n 2 1> S* skipped 99\n 3 1> C closes".to_owned(),
            " 4 S* \"426 Connection closed; transfer aborted\\r\\n\"",
        ),
        ("nothing known of the bytes", " 1 1> open\n 2 1> S gap\n 3 1> S closes".to_owned(), " 4 S* \"226 ok\\r\\n\""),
    ] {
        let r = one(&data, end);
        let mine: Vec<_> = r.findings.iter().chain(&r.consequences).filter(|f| f.id.starts_with("data-")).collect();
        assert!(mine.is_empty(), "{what}: {mine:?}");
    }
}

#[test]
fn a_capture_of_tls_1_2_shows_who_did_not_resume() {
    // Both Finished went, then the server closed and said 522.
    let hello = "160301002f 0100002b0303 603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d 00 0004 0035 002f 0100";
    let answer = "1603030031 0200002d0303 603853aefee40e3fa5c1738d117497b11a6c48d50a529ed8c9f619af4c56c20d 00 0035 00 0005 ff01000100 160303000e 0b00000a 000007 000004 30020101 1603030004 0e000000";
    let finished = "1403030001 01 1603030010 00112233445566778899aabbccddeeff";
    let data = format!(
        " 1 1> open\n 2 1> C {hello}\n 3 1> S {answer}\n 4 1> C {finished}\n 5 1> S {finished}\n 6 1> S closes"
    );
    let r = one(
        &data,
        " 7 S* \"522 SSL connection failed; session reuse required: see require_ssl_reuse option in vsftpd.conf man page\\r\\n\"\n 8 C closes",
    );
    assert_eq!(
        common::verdict(&r),
        "fails data-session-reuse-required certain client <- client-does-not-resume certain"
    );
    // The same words behind a handshake that never completed are no proof of anything.
    let data = format!(" 1 1> open\n 2 1> C {hello}\n 3 1> S {answer}\n 6 1> S closes");
    let r = one(
        &data,
        " 7 S* \"522 SSL connection failed; session reuse required: see require_ssl_reuse option in vsftpd.conf man page\\r\\n\"",
    );
    assert_eq!(r.verdict.by.as_deref(), Some("data-closed-before-handshake"));
    assert!(r.findings[0].why.iter().any(|w| w.contains("the text misleads")), "{:?}", r.findings[0].why);
}

#[test]
fn a_log_in_which_the_third_transfer_is_refused() {
    let log = "EZA1701I >>> AUTH TLS\n234 Proceed with negotiation.\nEZA2895I Authentication negotiation succeeded\n\
               EZA1701I >>> STOR a\n226 Transfer complete.\nEZA1701I >>> STOR b\n226 Transfer complete.\nEZA1701I >>> STOR c\n\
               522 SSL connection failed; session reuse required: see require_ssl_reuse option in vsftpd.conf man page\n";
    let r = common::only_report("log", log.as_bytes());
    assert_eq!(r.verdict.by.as_deref(), Some("data-session-reuse-required"), "{}", r.verdict.headline);
    assert_eq!(r.verdict.cause.as_deref(), Some("tls13-tickets-exhausted"));
}

#[test]
fn a_server_that_demands_what_it_never_gives_out() {
    let play = "asked \"h:21\" explicit login\nconn 0 control\nconn 1 data-of=0\n 0 S* established 0304 1301 group=001D\n 2 C* \"LIST\\r\\n\"\n 3 1> open\n 4 1> C starts-tls\n 5 1> S* established 0304 1301 group=001D\n 6 1> S closes\n 7 S* \"522 SSL connection failed; session reuse required: see require_ssl_reuse option in vsftpd.conf man page\\r\\n\"\n 8 C closes\n";
    let r = report(play);
    assert_eq!(
        common::verdict(&r),
        "fails data-session-reuse-required likely server <- session-cache-not-shared likely"
    );
}

#[test]
fn an_empty_file_of_a_run_of_ours() {
    let play = |end: &str| {
        format!(
            "asked \"h:21\" explicit login empty-file\nconn 0 control\nconn 1 data-of=0\nconn 2 data-of=0\n 0 S* established 0304 1301 group=001D\n 1 C* \"PASS x\\r\\n\"\n 1 S* \"230 in\\r\\n\"\n 2 C* \"LIST\\r\\n\"\n 3 1> open\n 4 1> C starts-tls\n 5 1> S* established 0304 1301 group=001D resumed\n 5 1> S* skipped 40\n 6 1> S closes\n 7 S* \"226 ok\\r\\n\"\n10 C* \"RETR empty\\r\\n\"\n11 2> open\n12 2> C starts-tls\n13 2> S closes\n{end}\n"
        )
    };
    let r = report(&play("14 S* \"426 aborted\\r\\n\""));
    assert_eq!(r.verdict.by.as_deref(), Some("data-empty-transfer-fails"), "{}", r.verdict.headline);
    assert_eq!(check(&r, "empty-file").2, Some("data-empty-transfer-fails"));
    let r = report(&play("14 S* \"550 no such file\\r\\n\""));
    assert_eq!(r.verdict.by, None);
    assert_eq!(check(&r, "empty-file").1, CheckResult::Untested);
}

/// A run of ours under TLS 1.3 whose second transfer is refused without a hello in the evidence; then a login with TLS 1.2.
fn spent(tls12: &str) -> Report {
    report(&format!(
        "asked \"h:21\" explicit login\nconn 0 control\nconn 1 data-of=0\nconn 2 data-of=0\n\
         conn 3 control question=\"TLS 1.2 in this login\"\nconn 4 data-of=3 question=\"TLS 1.2 in this login\"\n\
          0 S* established 0304 1301 group=001D\n 1 S* ticket\n 2 S* ticket\n 3 C* \"PASS x\\r\\n\"\n 4 S* \"230 in\\r\\n\"\n\
         10 C* \"LIST\\r\\n\"\n11 1> open\n12 1> C starts-tls\n13 1> S* established 0304 1301 group=001D resumed\n\
         14 1> S* skipped 44\n15 1> S* alert 1 0\n16 1> S closes\n17 S* \"226 ok\\r\\n\"\n\
         20 C* \"LIST\\r\\n\"\n21 2> open\n22 2> C starts-tls\n23 2> S* established 0304 1301 group=001D\n24 2> S closes\n\
         25 S* \"425 Unable to build data connection: Operation not permitted\\r\\n\"\n\
         30 3> S* established 0303 C030\n31 3> C* \"LIST\\r\\n\"\n32 4> open\n33 4> C starts-tls\n{tls12}\n"
    ))
}

#[test]
fn tls_1_2_in_a_login_of_its_own_settles_whether_tickets_ran_out() {
    let worked =
        "34 4> S* established 0303 C030 resumed\n35 4> S* skipped 44\n36 4> S closes\n37 3> S* \"226 ok\\r\\n\"";
    let r = spent(worked);
    // That our own client ran out is no failure of the server.
    let of = |r: &Report| {
        let f = r.findings.iter().find(|f| f.id == "data-session-reuse-required").cloned().unwrap();
        (f.severity, f.confidence, f.causes[0].id.clone(), f.causes[0].confidence)
    };
    let spent_tickets = |sure| (Severity::Warning, sure, "tls13-tickets-exhausted".to_owned(), sure);
    assert_eq!(of(&r), spent_tickets(Confidence::Certain));
    let found = r.findings.iter().find(|f| f.id == "data-session-reuse-required").unwrap();
    let because = &found.causes[0].because;
    assert!(because.iter().any(|b| b.starts_with("tried out: with TLS 1.2")), "{because:?}");
    assert_eq!(found.data["for_whom"], "clients that use each TLS 1.3 ticket once");
    assert_eq!(check(&r, "resumption").1, CheckResult::Failed);
    assert_eq!(check(&r, "resumption").2, Some("data-session-reuse-required"));
    // The same login fails as well, or resumes nothing: that settles nothing.
    for other in [
        "34 4> S* established 0303 C030\n35 4> S* skipped 44\n36 4> S closes\n37 3> S* \"226 ok\\r\\n\"",
        "34 4> S* established 0303 C030 resumed\n36 4> S closes\n37 3> S* \"425 no\\r\\n\"",
    ] {
        assert_eq!(of(&spent(other)), spent_tickets(Confidence::Likely));
    }
}

/// A session whose first transfer resumed, and whose second makes a full handshake, with what came of it.
fn second(end: &str) -> Report {
    report(&format!(
        "conn 0 control\nconn 1 data-of=0\nconn 2 data-of=0\n 0 S* established 0304 1301 group=001D\n 1 S* ticket\n\
         10 C* \"LIST\\r\\n\"\n11 1> open\n13 1> S* established 0304 1301 group=001D resumed\n14 1> S* skipped 44\n\
         16 1> S closes\n17 S* \"226 ok\\r\\n\"\n20 C* \"LIST\\r\\n\"\n21 2> open\n23 2> S* established 0304 1301 group=001D\n{end}\n"
    ))
}

#[test]
fn a_session_may_be_lost_for_want_of_resumption() {
    let r = second("24 2> S closes\n25 S closes");
    assert_eq!(
        common::verdict(&r),
        "fails data-session-reuse-required likely client <- tls13-tickets-exhausted likely"
    );
    // Whoever aborts, or gets what was asked for, has not been refused.
    for end in [
        "24 2> C closes\n25 S* \"426 aborted\\r\\n\"",
        "24 2> S* skipped 44\n25 2> S closes\n26 S closes",
        "24 2> S closes\n25 S* \"550 no such directory\\r\\n\"",
        "24 2> S closes\n25 S* \"226 ok\\r\\n\"",
        "",
    ] {
        let r = second(end);
        let all = r.findings.iter().chain(&r.consequences);
        assert!(all.clone().all(|f| f.id != "data-session-reuse-required"), "{end}: {:?}", r.findings);
        // 426 may be anything.
        let note = all.clone().find(|f| f.id == "session-tickets-exhausted").map(|f| f.severity);
        assert_eq!(note, (!end.contains("426")).then_some(Severity::Note), "{end}");
    }
}

#[test]
fn passive_mode_refused_before_prot_counts_as_clear_data_refused() {
    let play = |reply: &str| {
        format!(
            "asked \"h:21\" explicit login\nconn 0 control\nconn 1 control question=\"no PROT\"\n 0 S* established 0304 1301 group=001D\n\
             30 1> S* established 0304 1301 group=001D\n31 1> C* \"EPSV\\r\\n\"\n32 1> S* \"{reply}\\r\\n\"\n\
             33 1> C* \"PROT P\\r\\n\"\n34 1> S* \"200 ok\\r\\n\"\n"
        )
    };
    let r = report(&play("522 SSL/TLS required on the data channel."));
    assert_eq!(check(&r, "clear-data"), ("data refused without PROT P: 522", CheckResult::Passed, None));
    let r = report(&play("522 Network protocol not supported, use (1)"));
    assert_eq!(check(&r, "clear-data").1, CheckResult::Untested);
}

/// A login whose second listing finds no ticket left, gets new ones, and resumes again.
#[test]
fn resumption_that_comes_back_is_counted_alike_by_check_and_finding() {
    let listing = |n: usize, resumed: &str| {
        let at = n * 10;
        format!(
            "{at} C* \"LIST\\r\\n\"\n{at} {n}> open\n{at} {n}> C starts-tls\n{at} {n}> S* established 0304 1301 group=001D{resumed}\n\
             {at} {n}> S* skipped 44\n{at} {n}> S* alert 1 0\n{at} {n}> S closes\n{at} S* \"226 ok\\r\\n\"\n"
        )
    };
    let conns: String = (1..=4).map(|_| "conn N data-of=0\n").collect();
    let conns = (1..=4).fold(conns, |all, n| all.replacen("conn N", &format!("conn {n}"), 1));
    let all = [listing(1, " resumed"), listing(2, ""), listing(3, " resumed"), listing(4, " resumed")].concat();
    let r = report(&format!(
        "asked \"h:21\" explicit login\nconn 0 control\n{conns}0 S* established 0304 1301 group=001D\n1 S* ticket\n\
         2 C* \"PASS x\\r\\n\"\n3 S* \"230 in\\r\\n\"\n{all}90 C* \"QUIT\\r\\n\"\n91 S* \"221 bye\\r\\n\"\n"
    ));
    let note = r.findings.iter().find(|f| f.id == "session-tickets-exhausted").unwrap();
    assert_eq!(note.headline, "h:21: TLS was resumed 3 of 4 times; it stopped behind 1, and came back");
    assert_eq!(check(&r, "resumption").0, "data sessions resumed (TLS 1.3, 3 of 4)");
}

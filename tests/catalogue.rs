//! The catalogue of what goes wrong with FTPS on z/OS: every entry has a fixture, and what has to come of it.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::root;
use ftpsdiag::report::Report;
use ftpsdiag::rules::Confidence;

/// Entries of the catalogue.
const ENTRIES: core::ops::RangeInclusive<u32> = 1..=47;

/// A row of `fixtures/catalogue.tsv`.
struct Row<'a> {
    entry: u32,
    signature: &'a str,
    source: &'a str,
    fixture: &'a str,
    /// The finding that decides; `-` where none does.
    finding: &'a str,
    /// Words that the report has to hold, in its causes, reasons or advice.
    words: Vec<&'a str>,
    /// The most that finding and cause may claim to be.
    at_most: Confidence,
    decidable: &'a str,
    why: &'a str,
}

const TABLE: &str = include_str!("../fixtures/catalogue.tsv");

fn confidence(word: &str) -> Confidence {
    match word {
        "certain" => Confidence::Certain,
        "likely" => Confidence::Likely,
        "possible" => Confidence::Possible,
        other => panic!("{other}: no confidence"),
    }
}

fn rows() -> Vec<Row<'static>> {
    let lines = TABLE.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).skip(1);
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [entry, signature, source, fixture, finding, words, at_most, decidable, why] = cells[..] else {
            panic!("nine columns: {line}")
        };
        Row {
            entry: entry.parse().unwrap(),
            signature,
            source,
            fixture,
            finding,
            words: words.split(" | ").collect(),
            at_most: confidence(at_most),
            decidable,
            why,
        }
    };
    lines.map(row).collect()
}

fn report(row: &Row<'_>) -> Report {
    common::only_report(row.fixture, &fs::read(root().join("fixtures").join(row.fixture)).unwrap())
}

/// What one row misses.
fn wrong(row: &Row<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let r = report(row);
    let by = r.verdict.by.as_deref().unwrap_or("-");
    if by != row.finding {
        out.push(format!("the verdict is by {by}, not {}", row.finding));
    }
    // What the evidence itself says is no answer; where nothing decides, it is all that is shown.
    let text = match r.verdict.by.is_none() {
        true => serde_json::to_string(&r).unwrap(),
        false => serde_json::to_string(&(&r.verdict, &r.findings, &r.consequences, &r.checks)).unwrap(),
    };
    out.extend(row.words.iter().filter(|w| !text.contains(*w)).map(|w| format!("\"{w}\" is missing")));
    if let Some(f) = r.findings.first().filter(|f| f.id == row.finding) {
        if f.confidence > row.at_most {
            out.push(format!("{} where at most {} is stated", f.confidence.name(), row.at_most.name()));
        }
        let sure = f.causes.iter().filter(|c| c.confidence > row.at_most).map(|c| c.id.as_str()).collect::<Vec<_>>();
        out.extend((!sure.is_empty()).then(|| format!("causes surer than {}: {sure:?}", row.at_most.name())));
    }
    out.into_iter().map(|w| format!("#{} ({}): {w}", row.entry, row.fixture)).collect()
}

#[test]
fn every_entry_leads_to_its_cause() {
    let wrong: Vec<String> = rows().iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_entry_is_there_with_its_source() {
    let rows = rows();
    let there: BTreeSet<u32> = rows.iter().map(|r| r.entry).collect();
    assert_eq!(there, ENTRIES.collect::<BTreeSet<u32>>());
    for row in &rows {
        let what = format!("#{} {}", row.entry, row.fixture);
        assert!(
            ["http", "APAR ", "IBM", "public "].iter().any(|s| row.source.starts_with(s)),
            "{what}: a source that others can read"
        );
        assert!(!row.signature.is_empty() && !row.words.is_empty(), "{what}");
        assert!(["yes", "no"].contains(&row.decidable), "{what}");
        assert!(row.why.len() > 10, "{what}: why it can be decided, or not");
        let sure = row.at_most == Confidence::Certain;
        assert!(row.decidable == "yes" || !sure, "{what}: certain, and not decidable");
    }
}

/// What looks like an entry, and is none: the finding or cause that has to stay away.
const NEIGHBOURS: &[(&str, &str, &str)] = &[
    (
        "no release, no word about releases",
        "EZA1701I >>> AUTH TLS\n234 go\nFC1090 authServer: secure_socket_init()\nFC1103 authServer: secure_socket_init failed with rc = 402 (No SSL cipher specifications)\n",
        "zos-defaults-removed",
    ),
    (
        "V2R1 still had them",
        "EZA1450I IBM FTP CS V2R1\nEZA1701I >>> AUTH TLS\n234 go\nFC1090 authServer: secure_socket_init()\nFC1103 authServer: secure_socket_init failed with rc = 412 (SSL protocol or certificate type is not supported)\n",
        "zos-defaults-removed",
    ),
    (
        "410 says nothing of defaults",
        "EZA1450I IBM FTP CS V2R5\nEZA1701I >>> AUTH TLS\n234 go\nFC1090 authServer: secure_socket_init()\nFC1103 authServer: secure_socket_init failed with rc = 410 (SSL message format is incorrect)\n",
        "zos-defaults-removed",
    ),
    (
        "another error of the same call",
        "EZA1701I >>> AUTH TLS\n234 go\nFC2718 authServerAttls: ioctl(SIOCTTLSCTL) failed on TTLS_QUERY_ONLY - EDC5140I Broken pipe.\nEZA2897I Authentication negotiation failed\n",
        "attls-policy-missing",
    ),
    (
        "a permission that is denied elsewhere",
        "EZA1701I >>> AUTH TLS\n234 go\nEZA2895I Authentication negotiation succeeded\nEZA1701I >>> STOR a\n550 Permission denied.\nEZA1701I >>> QUIT\n221 bye\n",
        "attls-policy-missing",
    ),
    (
        "a transfer that the server refused",
        "EZA1701I >>> EPSV\n229 Entering Extended Passive Mode (|||50007|)\nEZA1735I Std Return Code = 27229, Error Code = 00002\n",
        "data-connect-failed",
    ),
    (
        "an alert that only warns",
        "S0W1      MESSAGE   00000008  08:12:31.180809  SSL_INFO\n  Job FTPBAT    Process 0501028D  Thread 00000001  gsk_read_v3_record\n  SSL V3 alert 0 received from 198.51.100.7.21.\n",
        "fatal-alert",
    ),
    (
        "CCC that another server refuses for other reasons",
        "EZA1701I >>> AUTH TLS\n234 go\nEZA2895I Authentication negotiation succeeded\nEZA1701I >>> CCC\n534 CCC denied by policy\nEZA1701I >>> QUIT\n221 bye\n",
        "client-tls-not-initialised",
    ),
    (
        "a session that works on the port for implicit TLS",
        "EZA1554I Connecting to: ftp.example.org 192.0.2.7 port: 990.\n220 ready\nEZA1701I >>> USER joe\n331 pw\nEZA1701I >>> PASS\n230 in\nEZA1701I >>> QUIT\n221 bye\nTLSPORT 990\n",
        "no-banner",
    ),
];

#[test]
fn what_looks_alike_stays_quiet() {
    for (what, text, id) in NEIGHBOURS {
        let all = common::reports(&[("near.txt", text.as_bytes())]);
        for r in &all {
            let found = || r.findings.iter().chain(&r.consequences);
            assert!(found().all(|f| f.id != *id), "{what}: {id}");
            assert!(found().all(|f| f.causes.iter().all(|c| c.id != *id)), "{what}: because {id}");
        }
    }
}

#[test]
fn a_code_names_the_settings_of_whoever_does_tls() {
    let native = "EZA1701I >>> AUTH TLS\n234 go\nFC1090 authServer: secure_socket_init()\nFC1103 authServer: secure_socket_init failed with rc = 402 (No SSL cipher specifications)\n";
    let attls = |local: &str, remote: &str, job: &str| {
        format!(
            "EZD1286I TTLS Error GRPID: 00000003 ENVID: 00000002 CONNID: 00000B44 LOCAL: {local} REMOTE: {remote} JOBNAME: {job} USERID: JOE RULE: r RC:  402 Initial Handshake\n"
        )
    };
    let (client, server) = (
        attls("192.0.2.20..1044", "198.51.100.20..21", "FTPBAT"),
        attls("192.0.2.20..21", "198.51.100.20..40112", "FTPD1"),
    );
    for (text, names, never) in [
        (native, ["CIPHERSUITE SSL_AES_256_SHA", "GSK_PROTOCOL_TLSV1_2=ON"], "V3CipherSuites4Char"),
        (client.as_str(), ["V3CipherSuites4Char", "TLSv1.2 On"], "CIPHERSUITE"),
        (server.as_str(), ["V3CipherSuites4Char", "TLSv1.2 On"], "GSK_PROTOCOL_TLSV1_2"),
    ] {
        let r = common::only_report("log", text.as_bytes());
        let advice: Vec<&str> = r.findings[0].advice.iter().filter_map(|a| a.directive.as_deref()).collect();
        for name in names {
            assert!(advice.iter().any(|a| a.contains(name)), "{name}: {advice:?}");
        }
        assert!(!advice.iter().any(|a| a.contains(never)), "{never}: {advice:?}");
        // The page of a code is no advice where the settings are known.
        assert!(r.findings[0].advice.iter().all(|a| !a.text.contains("explain gsk")), "{text}");
    }
}

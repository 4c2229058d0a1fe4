//! Every page is run: its examples fire, its near misses do not.

mod common;

use ftpsdiag::report::{About, Report, diagnose};
use ftpsdiag::rules::{self, Severity, causes};
use ftpsdiag::transcript::{Transcript, dialogue};
use ftpsdiag::trust::Stores;

/// A fenced block of a page: its tag, its body, the line where it begins.
struct Block {
    tag: String,
    body: String,
    line: usize,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    let mut open = false;
    for (n, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(tag), false) => {
                out.push(Block { tag: tag.to_owned(), body: String::new(), line: n + 1 });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => {
                let body = &mut out.last_mut().unwrap().body;
                body.push_str(line);
                body.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!open, "a block is not closed");
    out
}

/// Pages whose examples need a list of authorities: Mozilla's, which is compiled in and the same everywhere.
const AGAINST_MOZILLA: [&str; 4] = ["certificate-untrusted", "clock-wrong", "tls-inspection", "unknown-ca"];

fn report(page: &str, t: &Transcript) -> Report {
    let stores = if AGAINST_MOZILLA.contains(&page) { Stores::mozilla() } else { Stores::default() };
    diagnose(t.clone(), &About { stores, ..About::default() })
}

#[test]
fn every_page_of_a_finding_fires_and_misses() {
    for rule in rules::ALL {
        let (mut fired, mut missed) = (false, false);
        let blocks = blocks(rule.page);
        for pair in blocks.chunks(2) {
            let [play, expect] = pair else { panic!("{}: a transcript without its expect", rule.id) };
            assert_eq!(
                (play.tag.as_str(), expect.tag.as_str()),
                ("transcript", "expect"),
                "{}, line {}",
                rule.id,
                play.line
            );
            let transcript =
                dialogue::parse(&play.body).unwrap_or_else(|e| panic!("{}, block at {}: {e}", rule.id, play.line));
            assert_eq!(dialogue::parse(&dialogue::write(&transcript)).unwrap(), transcript, "{}: round trip", rule.id);
            let report = report(rule.id, &transcript);
            common::expect(&report, &expect.body)
                .unwrap_or_else(|e| panic!("{}, block at line {}: {e}", rule.id, play.line));
            let by_this = match rule.severity {
                Severity::Failure => report.verdict.by.as_deref() == Some(rule.id),
                // Nothing fails because of a warning.
                _ => report.findings.iter().any(|f| f.id == rule.id),
            };
            fired |= by_this;
            missed |= !by_this;
        }
        assert!(fired, "{}: no example on its own page fires it", rule.id);
        assert!(missed, "{}: its page has no near miss", rule.id);
    }
}

#[test]
fn every_page_of_a_cause_fires_and_misses() {
    let mut wrong = Vec::new();
    for cause in causes::ALL {
        let (mut fired, mut missed) = (false, false);
        for pair in blocks(cause.page).chunks(2) {
            let [play, expect] = pair else { panic!("{}: a transcript without its expect", cause.id) };
            assert_eq!((play.tag.as_str(), expect.tag.as_str()), ("transcript", "expect"), "{}", cause.id);
            let transcript =
                dialogue::parse(&play.body).unwrap_or_else(|e| panic!("{}, line {}: {e}", cause.id, play.line));
            let report = report(cause.id, &transcript);
            if let Err(e) = common::expect(&report, &expect.body) {
                wrong.push(format!("{}, line {}: {e}", cause.id, play.line));
            }
            let named = report.findings.iter().any(|f| f.causes.iter().any(|c| c.id == cause.id));
            fired |= named;
            missed |= !named;
        }
        assert!(fired && missed || !wrong.is_empty(), "{}: its page has an example and a near miss", cause.id);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_page_begins_with_its_id_and_says_who_acts() {
    for (id, page) in rules::ALL.iter().map(|r| (r.id, r.page)) {
        assert!(page.starts_with(&format!("# {id}: ")), "{id}: the first line is `# id: what it is`");
        for heading in ["## Who acts", "## data", "## Examples"] {
            assert!(page.contains(&format!("\n{heading}\n")), "{id}: {heading} is missing");
        }
    }
    for (id, page) in causes::ALL.iter().map(|c| (c.id, c.page)) {
        assert!(page.starts_with(&format!("# {id}: ")), "{id}: the first line is `# id: what it is`");
        assert!(page.contains("What settles it:"), "{id}: says what settles it");
    }
    for (id, page) in rules::ALL.iter().map(|r| (r.id, r.page)).chain(causes::ALL.iter().map(|c| (c.id, c.page))) {
        assert!(page.is_ascii(), "{id}: pages are ASCII, they are printed on any terminal");
        let headline = page.lines().next().unwrap().trim_start_matches("# ");
        assert!(headline.len() <= 100, "{id}: the headline has {} characters", headline.len());
    }
}

#[test]
fn the_keys_of_data_stand_on_the_page() {
    for rule in rules::ALL {
        let section = rule.page.split("\n## data\n").nth(1).unwrap().split("\n## ").next().unwrap();
        for block in blocks(rule.page).iter().filter(|b| b.tag == "transcript") {
            let report = report(rule.id, &dialogue::parse(&block.body).unwrap());
            for finding in report.findings.iter().filter(|f| f.id == rule.id) {
                for key in finding.data.keys() {
                    assert!(section.contains(&format!("`{key}`")), "{}: data.{key} is not on the page", rule.id);
                }
            }
        }
    }
}

#[test]
fn error_texts_name_pages_that_exist() {
    let table = std::fs::read_to_string(common::root().join("src/codes/error_texts.tsv")).unwrap();
    let ids: Vec<&str> = ftpsdiag::explain::ids().collect();
    let mut named = 0;
    for row in table.lines().filter(|l| l.contains("See ")) {
        let see = row.split("See ").nth(1).unwrap().split(['\t', '.']).next().unwrap();
        for id in see.split([',', ' ']).filter(|w| w.contains('-')) {
            assert!(ids.contains(&id), "{id}: {row}");
            named += 1;
        }
    }
    assert!(named > 10);
}

#[test]
fn explain_prints_every_page_without_what_only_tests_read() {
    for id in ftpsdiag::explain::ids() {
        let text = ftpsdiag::explain::page(id).unwrap();
        assert!(text.contains(id) && !text.contains("```") && text.lines().count() > 4, "{id}");
    }
}

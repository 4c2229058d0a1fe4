//! Every page is run: its examples fire, its near misses do not.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use ftpsdiag::codes;
use ftpsdiag::report::{About, Report};
use ftpsdiag::rules::{self, Severity, causes, pages};
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
    common::judged(t, &About { stores, ..About::default() })
}

/// Every id that the project promises, findings before causes.
const CONTRACT: &str = include_str!("pages/contract.txt");

/// The ids below one heading of the contract.
fn promised(heading: &str) -> BTreeSet<&'static str> {
    let below = CONTRACT.lines().skip_while(|l| *l != heading).skip(1);
    let ids: BTreeSet<_> = below.take_while(|l| !l.starts_with('#')).collect();
    assert!(ids.len() > 40, "{heading}");
    ids
}

/// Every page as it was written, by its id: of rules, of causes, and those ahead of both.
fn all_pages() -> BTreeMap<&'static str, &'static str> {
    let known = rules::ALL.iter().map(|r| (r.id, r.page)).chain(causes::ALL.iter().map(|c| (c.id, c.page)));
    known.chain(pages::TO_COME.iter().map(|p| (p.id, p.page))).collect()
}

/// What stands behind the id in the first line.
fn headline(page: &str) -> &str {
    page.lines().next().unwrap().split_once(": ").unwrap().1
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
        for heading in ["## data", "## Examples"] {
            assert!(page.contains(&format!("\n{heading}\n")), "{id}: {heading} is missing");
        }
    }
    let findings = promised("# findings");
    for (id, page) in all_pages() {
        assert!(page.starts_with(&format!("# {id}: ")), "{id}: the first line is `# id: what it is`");
        if findings.contains(id) {
            assert!(page.contains("\n## Who acts\n"), "{id}: says who acts");
        } else {
            assert!(page.contains("What settles it:"), "{id}: says what settles it");
        }
        assert!(page.is_ascii(), "{id}: pages are ASCII, they are printed on any terminal");
        assert!(page.lines().next().unwrap().len() <= 100, "{id}: the first line is too long");
        let headline = headline(page);
        assert!(headline.len() <= 72, "{id}: the headline has {} characters", headline.len());
    }
}

#[test]
fn every_id_of_the_contract_has_its_page_and_only_one() {
    let ids: Vec<&str> = ftpsdiag::explain::ids().collect();
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), distinct.len(), "an id has two pages");
    let (findings, causes) = (promised("# findings"), promised("# causes"));
    assert!(findings.is_disjoint(&causes), "a finding and a cause have the same name");
    for id in findings.iter().chain(&causes) {
        assert!(ftpsdiag::explain::page(id).is_some(), "{id}: has no page");
        assert!(ftpsdiag::explain::explain(&[id]).is_some(), "{id}: is not explained");
    }
    for id in &distinct {
        assert!(findings.contains(id) || causes.contains(id), "{id}: is missing in tests/pages/contract.txt");
    }
    assert!(pages::TO_COME.is_sorted_by_key(|p| p.id), "in alphabetical order");
}

#[test]
fn pages_ahead_of_their_rule_show_a_dialogue() {
    let findings = promised("# findings");
    for page in pages::TO_COME {
        let blocks = blocks(page.page);
        assert_eq!(!blocks.is_empty(), findings.contains(page.id), "{}: findings have examples", page.id);
        // Nothing fires yet: what is to be expected comes with the rule, and so do the keys of its data.
        assert!(!page.page.contains("\n## data\n"), "{}: its data come with its rule", page.id);
        for block in &blocks {
            let place = format!("{}, block at line {}", page.id, block.line);
            assert_eq!(block.tag, "transcript", "{place}");
            let transcript = dialogue::parse(&block.body).unwrap_or_else(|e| panic!("{place}: {e}"));
            assert!(!transcript.entries.is_empty(), "{place}");
            assert_eq!(dialogue::parse(&dialogue::write(&transcript)).unwrap(), transcript, "{place}: round trip");
            let fails_by = report(page.id, &transcript).verdict.by;
            assert_eq!(fails_by, None, "{place}: a rule takes it for something else");
        }
    }
}

/// Sentences of a page in plain words: without its examples, its keys, its headings, and what it quotes.
fn sentences(page: &str) -> Vec<Vec<String>> {
    let prose = page.split("\n## Examples\n").next().unwrap();
    let (before, data) = prose.split_once("\n## data\n").unwrap_or((prose, ""));
    let behind = data.split_once("\n## ").map_or("", |(_, rest)| rest);
    let lines = before.lines().skip(1).chain(behind.lines()).filter(|l| !l.starts_with('#'));
    // A blank line, or the next item of a list, ends a sentence as a full stop does.
    let joined =
        lines.fold(String::new(), |all, l| all + if l.is_empty() || l.starts_with("- ") { ". " } else { " " } + l);
    let unquoted: String = joined.split('`').step_by(2).collect();
    let plain = |w: &str| w.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let mut all = vec![Vec::new()];
    for word in unquoted.split_whitespace() {
        all.last_mut().unwrap().extend(Some(plain(word)).filter(|w| !w.is_empty()));
        if word.ends_with(['.', ':', ';', '?', '!']) {
            all.push(Vec::new());
        }
    }
    all
}

/// Two pages say the same when they share a sentence of this many words …
const SENTENCE: usize = 8;
/// … or when this share of the shorter page stands in the other, counted in runs of four words.
const RUN: usize = 4;
const SHARE: f64 = 0.15;

#[test]
fn no_two_pages_say_the_same() {
    let mut headlines = BTreeMap::new();
    let mut said: BTreeMap<String, &str> = BTreeMap::new();
    let mut runs: Vec<(&str, BTreeSet<String>)> = Vec::new();
    let mut wrong = Vec::new();
    for (id, page) in all_pages() {
        if let Some(other) = headlines.insert(headline(page), id) {
            wrong.push(format!("{id} and {other} have the same headline"));
        }
        let sentences = sentences(page);
        assert!(sentences.iter().filter(|s| s.len() >= SENTENCE).count() > 1, "{id}: sentences are found");
        for sentence in sentences.iter().filter(|s| s.len() >= SENTENCE) {
            let text = sentence.join(" ");
            if let Some(other) = said.insert(text.clone(), id) {
                wrong.push(format!("{id} and {other} both say: {text}"));
            }
        }
        runs.push((id, sentences.iter().flat_map(|s| s.windows(RUN)).map(|w| w.join(" ")).collect()));
    }
    for (n, (id, mine)) in runs.iter().enumerate() {
        for (other, theirs) in &runs[..n] {
            let share = mine.intersection(theirs).count() as f64 / mine.len().min(theirs.len()) as f64;
            if share > SHARE {
                wrong.push(format!("{id} and {other} share {:.0} % of their words", share * 100.0));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
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

#[test]
fn directives_are_of_the_table_and_have_their_source() {
    for d in codes::directives() {
        assert!(d.source.len() > 5, "{} {}: no source", d.product, d.need);
        assert!(codes::need(d.need).is_some(), "{}: the head of the table does not explain it", d.need);
    }
    let mut named = 0;
    for (id, page) in rules::ALL.iter().map(|r| (r.id, r.page)).chain(causes::ALL.iter().map(|c| (c.id, c.page))) {
        let Some(needs) = page.lines().find_map(|l| l.strip_prefix("Directives: ")) else { continue };
        let shown = ftpsdiag::explain::page(id).unwrap();
        for need in needs.split(", ") {
            let rows: Vec<_> = codes::directives().filter(|d| d.need == need).collect();
            assert!(!rows.is_empty(), "{id}: {need} is not in the table");
            assert!(shown.contains(rows[0].product), "{id}: {need} is not shown");
            named += rows.len();
        }
    }
    assert!(named > 150, "{named}");
}

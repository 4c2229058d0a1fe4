//! The JSON report: its schema, its keys, and the way back. `BLESS=1` writes the generated files anew.

mod common;

use std::fs;
use std::process::Command;

use common::{SEED, root};
use ftpsdiag::report::Report;
use ftpsdiag::transcript::dialogue;
use serde_json::Value;

fn generated(what: &str) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_ftpsdiag")).args(["generate", what]).output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

/// Generated files that the repository holds, so that people find them without building.
const FILES: [(&str, &str); 2] = [("schema", "docs/report.schema.json"), ("man", "docs/ftpsdiag.1")];

#[test]
fn generated_files_are_those_of_the_code() {
    for (what, file) in FILES {
        let path = root().join(file);
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, generated(what)).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(there, generated(what), "{file}: run `BLESS=1 cargo test --test schema` and read the diff");
    }
}

fn some_reports() -> Vec<Report> {
    let mut all: Vec<Report> = ftpsdiag::rules::ALL
        .iter()
        .flat_map(|rule| rule.page.split("```transcript\n").skip(1))
        .map(|block| common::report(&dialogue::parse(block.split("```").next().unwrap()).unwrap()))
        .collect();
    all.push(common::only_report(SEED, common::seed().as_bytes()));
    let play = "conn 0 control\nconn 1 data-of=0 question=\"no SNI\"\n0 open\n1 1> failed refused\n2 S* established 0304 1301 group=001D alpn=\"ftp\"\n\
                3 S* certificates 3000\n4 S gap 3\n5 S skipped 9\n6 S silent 10\n7 \"x\" says cms 0335302F \"y\"\n";
    all.push(common::report(&dialogue::parse(play).unwrap()));
    all
}

#[test]
fn reports_are_valid_and_read_back() {
    let schema: Value = serde_json::from_str(&generated("schema")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for report in some_reports() {
        let text = ftpsdiag::render(&report, ftpsdiag::Format::Json, Default::default());
        assert_eq!(text.matches('\n').count(), 1, "one object a line");
        let value: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(serde_json::from_value::<Report>(value).unwrap(), report);
    }
    assert!(!validator.is_valid(&serde_json::json!({ "schema": 1 })), "the schema demands its keys");
}

#[test]
fn every_key_of_the_contract_is_there() {
    let value = serde_json::to_value(common::only_report(SEED, common::seed().as_bytes())).unwrap();
    let has = |at: &Value, keys: &str| {
        for key in keys.split_whitespace() {
            assert!(at.get(key).is_some(), "key {key}");
        }
    };
    has(
        &value,
        "schema tool started elapsed_ms complete command ref key subject seen_from cost verdict findings consequences checks endpoint client experiments connections events transcript",
    );
    has(&value["tool"], "name version");
    has(&value["subject"], "kind target address inputs session mode sni");
    has(&value["subject"]["inputs"][0], "name sha256 bytes source");
    has(&value["verdict"], "outcome by confidence party cause headline scope for act");
    has(&value["verdict"]["act"], "party text");
    let finding = &value["findings"][0];
    has(finding, "id severity confidence party headline data evidence causes advice");
    has(&finding["evidence"][0], "conn layer from start end hex text label");
    has(&finding["causes"][0], "id confidence because ask");
    has(&finding["causes"][0]["ask"][0], "party product how settles");
    has(&finding["advice"][0], "party product kind place directive text risk");
    has(&value["checks"][0], "id result finding headline why data");
    has(&value["connections"][0], "id role of why host local peer tls");
    has(&value["events"][0], "ms conn kind");
    has(&value["transcript"], "clock conns entries");
    assert_eq!(value["subject"]["inputs"][0]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn unknown_keys_are_ignored() {
    let mut value = serde_json::to_value(common::only_report(SEED, common::seed().as_bytes())).unwrap();
    value["later"] = 1.into();
    value["verdict"]["later"] = 1.into();
    assert!(serde_json::from_value::<Report>(value).is_ok());
}

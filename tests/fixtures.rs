//! Evidence as found, and what has to be concluded from it.

mod common;

use std::fs;

use common::{files, relative, root};

/// A table about fixtures, which `tests/catalogue.rs` reads.
const TABLE: &str = "fixtures/catalogue.tsv";

#[test]
fn every_fixture_leads_to_its_verdict() {
    let (mut count, mut wrong) = (0, Vec::new());
    for path in files(&root().join("fixtures")) {
        let name = relative(&path);
        if name.ends_with(".expect") || name.ends_with("README.md") || name == TABLE {
            continue;
        }
        let expectations = fs::read_to_string(path.with_extension("expect"))
            .unwrap_or_else(|_| panic!("{name}: no .expect beside it"));
        let report = common::only_report(&name, &fs::read(&path).unwrap());
        wrong.extend(common::expect(&report, &expectations).err().map(|e| format!("{name}: {e}")));
        count += 1;
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count >= 16, "{count} fixtures");
}

#[test]
fn every_fixture_has_its_origin() {
    let table = fs::read_to_string(root().join("fixtures/README.md")).unwrap();
    let rows: Vec<&str> = table.lines().filter(|l| l.starts_with("| `")).collect();
    let listed: Vec<&str> = rows.iter().map(|l| l.split('`').nth(1).unwrap()).collect();
    for row in &rows {
        let origin = row.split('|').nth(2).unwrap().trim();
        assert!(["found:", "made:", "measured:"].iter().any(|w| origin.starts_with(w)), "{row}");
    }
    let mut there: Vec<String> = files(&root().join("fixtures"))
        .iter()
        .map(|p| relative(p).trim_start_matches("fixtures/").to_owned())
        .collect();
    there.retain(|n| !n.ends_with(".expect") && n != "README.md" && !TABLE.ends_with(n.as_str()));
    let mut listed: Vec<String> = listed.into_iter().map(str::to_owned).collect();
    listed.sort();
    assert_eq!(listed, there, "fixtures/README.md against the files");
}

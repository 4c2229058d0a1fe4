//! The screens of docs/cold-reading.md are those that the tool prints.

mod common;

use std::fs;

/// The document with each screen as it is today.
fn today(doc: &str) -> String {
    let mut out = String::new();
    let mut file: Option<&str> = None;
    let mut lines = doc.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        if let Some(name) = line.strip_prefix('`').and_then(|l| l.strip_suffix('`')) {
            file = Some(name);
        }
        if line == "```text" {
            let name = file.take().expect("a screen stands behind the name of its file");
            let report = common::only_report(name, &fs::read(common::root().join(name)).unwrap());
            out.push_str(&ftpsdiag::render(&report, ftpsdiag::Format::Text, ftpsdiag::Style::default()));
            out.push_str("```\n");
            assert!(lines.any(|l| l == "```"), "{name}: its screen ends");
        }
    }
    out
}

#[test]
fn the_screens_are_those_that_are_printed() {
    let path = common::root().join("docs/cold-reading.md");
    let doc = fs::read_to_string(&path).unwrap();
    let today = today(&doc);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &today).unwrap();
        return;
    }
    assert!(doc == today, "docs/cold-reading.md shows screens of another day: BLESS=1, and have them read again");
    assert!(doc.matches("```text\n").count() >= 15, "fifteen screens at least");
    for question in ["What happened?", "Whose turn is it?", "What to type first?"] {
        assert_eq!(doc.matches(question).count(), doc.matches("```text\n").count(), "each has its answers");
    }
}

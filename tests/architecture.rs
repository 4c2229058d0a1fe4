//! The layering table of docs/ARCHITECTURE.md, and the laws about who may name what, read from the sources.

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{files, relative, root};

/// Rows `| module | may use |` of the table under "Who may import whom".
fn table() -> BTreeMap<String, Vec<String>> {
    let doc = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let rows = doc
        .lines()
        .skip_while(|l| !l.starts_with("## Who may import whom"))
        .skip(1)
        .take_while(|l| !l.starts_with("## "));
    let table: BTreeMap<_, _> = rows
        .filter(|l| l.starts_with("| `"))
        .map(|l| {
            let mut cells = l
                .trim_matches('|')
                .split('|')
                .map(|c| c.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
            (cells.next().unwrap().remove(0), cells.next().unwrap())
        })
        .collect();
    assert!(table.len() > 8, "the table is there");
    table
}

/// Source without comments and without its `#[cfg(test)]` module.
fn code(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    for (n, line) in text.lines().enumerate() {
        if line.starts_with("#[cfg(test)]") {
            break;
        }
        if !line.trim_start().starts_with("//") {
            out.push((n + 1, line));
        }
    }
    out
}

/// The modules that `crate::…` paths of a line name.
fn imports(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    for rest in line.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut name = String::new();
            for c in group.chars().chain([',']) {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth <= 1 => out.push(std::mem::take(&mut name)),
                    c if depth == 1 => name.push(c),
                    _ => {}
                }
            }
        } else {
            out.push(rest.to_owned());
        }
    }
    let first =
        |s: &String| s.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    out.iter().map(first).filter(|s| !s.is_empty()).collect()
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let allowed = table();
    let mut wrong = Vec::new();
    for file in files(&root().join("src")).iter().filter(|f| f.extension().is_some_and(|x| x == "rs")) {
        let name = relative(file);
        let module = name.trim_start_matches("src/").split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let Some(may) = allowed.get(&module) else {
            wrong.push(format!("{module}: not in the table of docs/ARCHITECTURE.md"));
            continue;
        };
        let text = fs::read_to_string(file).unwrap();
        for (n, line) in code(&text) {
            for import in imports(line) {
                if import != module && !may.contains(&import) {
                    wrong.push(format!("{name}:{n}: {module} may not import {import}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn what_touches_the_world_has_one_home() {
    let homes = [
        ("std::net", "src/live"),
        ("std::time", "src/live"),
        ("tokio", "src/live"),
        ("std::fs", "src/cli"),
        ("println!", "src/cli"),
        ("eprintln!", "src/cli"),
        ("std::env", "src/cli"),
        ("io::stdout", "src/cli"),
        ("clap", "src/cli"),
        ("rustls::", "src/probe/engine"),
        ("openssl::", "src/probe/engine"),
        ("webpki::", "src/trust"),
        ("tls_parser::", "src/wire/tls"),
    ];
    let mut wrong = Vec::new();
    for file in files(&root().join("src")).iter().filter(|f| f.extension().is_some_and(|x| x == "rs")) {
        let name = relative(file);
        let text = fs::read_to_string(file).unwrap();
        for (n, line) in code(&text) {
            for (word, home) in homes {
                if line.contains(word) && !name.starts_with(home) && name != "src/main.rs" {
                    wrong.push(format!("{name}:{n}: {word} belongs to {home}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Files of `src/rules` that hold what rules share.
const NO_RULES: [&str; 48] = [
    "addresses",
    "audit-checks",
    "denied",
    "already",
    "arranging",
    "passive-ports",
    "unopened",
    "in-between",
    "exchanges",
    "mod",
    "advise",
    "both-sides",
    "by-words",
    "case",
    "causes",
    "certificates",
    "checks",
    "client-auth",
    "connection",
    "end-checks",
    "endings",
    "ends",
    "experiments",
    "finding",
    "pages",
    "phase",
    "replies",
    "retrying",
    "handshake",
    "parameters",
    "settings",
    "sink",
    "told",
    "words",
    "data-checks",
    "data-sessions",
    "data-shake",
    "releases",
    "resumption",
    "zos",
    "zos-advice",
    "zos-codes",
    "alerts",
    "ccc-unseen",
    "data-session-reuse-hidden",
    "extended-master",
    "hidden-replies",
    "misreading",
];

#[test]
fn every_rule_and_every_cause_has_its_file_its_place_and_its_page() {
    let stems = |dir: &str, ext: &str| -> Vec<String> {
        let all = files(&root().join(dir));
        let names = all
            .iter()
            .filter(|p| p.extension().is_some_and(|x| x == ext))
            .map(|p| p.file_stem().unwrap().to_str().unwrap().replace('_', "-"));
        names.filter(|n| !NO_RULES.contains(&n.as_str())).collect()
    };
    let rules: Vec<String> = ftpsdiag::rules::ALL.iter().map(|r| r.id.to_owned()).collect();
    assert_eq!(stems("src/rules", "rs"), rules, "files in src/rules against rules::ALL (alphabetical)");
    let causes: Vec<String> = ftpsdiag::rules::causes::ALL.iter().map(|c| c.id.to_owned()).collect();
    assert!(causes.is_sorted(), "causes::ALL is alphabetical");
    let mut known: Vec<String> = ftpsdiag::rules::pages::TO_COME.iter().map(|p| p.id.to_owned()).collect();
    known.extend(rules.into_iter().chain(causes));
    let mut pages = stems("docs/findings", "md");
    pages.extend(stems("docs/causes", "md"));
    for ids in [&mut known, &mut pages] {
        ids.sort();
    }
    assert_eq!(pages, known, "pages in docs against rules::ALL, causes::ALL and pages::TO_COME");
}

#[test]
fn files_are_short_enough_to_read() {
    let long: Vec<String> = files(&root().join("src"))
        .iter()
        .filter(|f| f.extension().is_some_and(|x| x == "rs"))
        .map(|f| (relative(f), fs::read_to_string(f).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > 400)
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "split them: {long:?}");
}

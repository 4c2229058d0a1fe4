//! Reports held against the words of the table.

use ftpsdiag::report::Report;
use ftpsdiag::rules::Severity;

use super::Row;

/// What is wrong, or nothing. Expectations are separated by `;`:
///
/// ```text
/// works                                              the verdict's outcome
/// fails auth-refused server <- server-tls-disabled   outcome, by, party (may be left out), first cause (may be left out)
/// alert=70                                           data of the first finding
/// passed upload                                      a check with this result
/// says 500 OOPS                                      in the data of some finding
/// at-most 16 data 5 logins                           what it took
/// keeps PASS                                         a command that was not sent
/// also certificate-weak                              among the findings
/// no findings                                        none of any kind
/// no warnings                                        at most notes (vsftpd asks for a client certificate by default: a fact)
/// ```
pub fn mismatch(row: &Row, report: &Report) -> Option<String> {
    let wrong: Vec<String> = row
        .expect
        .split(';')
        .map(str::trim)
        .filter(|line| !holds(line, report))
        .map(|line| format!("expected `{line}`"))
        .chain(wrong_tls(row.tls, report))
        .collect();
    if wrong.is_empty() {
        return None;
    }
    let ids: Vec<String> =
        report.findings.iter().map(|f| format!("{} {}", f.id, serde_json::Value::from(f.data.clone()))).collect();
    let folded: Vec<&str> = report.consequences.iter().map(|f| f.id.as_str()).collect();
    Some(format!(
        "{}\n     got `{}`; tls `{}`; headline: {}\n     findings {ids:?}; consequences {folded:?}",
        wrong.join(", "),
        verdict(report),
        tls(report),
        report.verdict.headline
    ))
}

fn holds(line: &str, report: &Report) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let v = &report.verdict;
    match words[..] {
        ["no", "findings"] => report.findings.is_empty() && report.consequences.is_empty(),
        ["no", "warnings"] => {
            report.findings.iter().all(|f| f.severity == Severity::Note) && report.consequences.is_empty()
        }
        [result @ ("passed" | "failed" | "untested"), id] => report.checks.iter().any(|c| {
            let name = serde_json::to_value(c.result).ok();
            c.id == id && name.as_ref().and_then(|n| n.as_str()) == Some(result)
        }),
        ["says", ..] => {
            let words = line.strip_prefix("says ").unwrap_or(line);
            report.findings.iter().any(|f| f.data.values().any(|d| d.as_str().is_some_and(|d| d.contains(words))))
        }
        ["at-most", data, "data", logins, "logins"] => {
            let is_data = |c: &&ftpsdiag::report::ConnectionOut| c.role == "data";
            let made = report.connections.iter().filter(is_data).count();
            let took = report.cost.as_ref().map_or(0, |c| c.logged_in);
            data.parse().is_ok_and(|most: usize| made <= most) && logins.parse().is_ok_and(|most: u64| took <= most)
        }
        ["keeps", command] => !report.events.iter().any(|e| e.text.contains(command)),
        ["also", id] => report.findings.iter().any(|f| f.id == id),
        [pair] if pair.contains('=') => {
            let (key, value) = pair.split_once('=').unwrap_or_default();
            let found = report.findings.first().and_then(|f| f.data.get(key));
            found.is_some_and(|d| d.as_str().map_or_else(|| d.to_string(), str::to_owned) == value)
        }
        [outcome] => v.outcome.name() == outcome && (outcome != "works" || v.by.is_none()),
        _ => {
            let (fact, cause) = line.split_once(" <- ").map_or((line, None), |(fact, cause)| (fact, Some(cause)));
            let fact: Vec<&str> = fact.split_whitespace().collect();
            fact.first() == Some(&v.outcome.name())
                && fact.get(1).copied() == v.by.as_deref()
                && fact.get(2).is_none_or(|party| *party == v.party.name())
                && (cause.is_none() || cause == v.cause.as_deref())
        }
    }
}

fn verdict(report: &Report) -> String {
    let v = &report.verdict;
    let Some(by) = &v.by else { return v.outcome.name().to_owned() };
    let cause = v.cause.as_ref().map_or_else(String::new, |c| format!(" <- {c}"));
    format!("{} {by} {} {}{cause}", v.outcome.name(), v.confidence.name(), v.party.name())
}

/// `TLS 1.2 C030 x25519 2`: version, suite, group, certificates; `*` is anything.
fn wrong_tls(expected: &str, report: &Report) -> Option<String> {
    let found = tls(report);
    let same = expected.split(' ').zip(found.split(' ')).all(|(e, f)| e == "*" || e == f);
    let whole = expected.split(' ').count() == found.split(' ').count();
    let holds = expected.is_empty() || (same && whole);
    (!holds).then(|| format!("expected `{expected}`"))
}

fn tls(report: &Report) -> String {
    let Some(tls) = report.connections.iter().find(|c| c.why == "session").and_then(|c| c.tls.as_ref()) else {
        return "none".to_owned();
    };
    // Names of groups come with a second one: `secp256r1 (P-256)`.
    let group = tls.group.as_deref().and_then(|g| g.split(' ').next()).unwrap_or("none");
    format!("{} {} {group} {}", tls.version, tls.cipher.id, tls.certificates.len())
}

#[test]
fn the_words_of_the_table_tell_reports_apart() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/dialogue/vsftpd-3.0.3-openssl-3.dialogue");
    let read = ftpsdiag::read(&[("a.dialogue", &std::fs::read(file).unwrap())]);
    let report = ftpsdiag::report::diagnose(read.sessions[0].clone(), &ftpsdiag::report::About::default());
    let row = |expect, tls| Row { name: "", start: super::Start::Nothing, args: "", expect, tls };
    for right in
        ["fails", "fails fatal-alert", "fails fatal-alert server <- no-shared-cipher; alert=40", "also fatal-alert"]
    {
        assert_eq!(mismatch(&row(right, ""), &report), None);
    }
    for wrong in [
        "works",
        "inconclusive",
        "fails auth-refused",
        "fails fatal-alert client",
        "fails fatal-alert <- server-policy",
        "fails fatal-alert; alert=70",
        "also auth-refused",
        "no findings",
    ] {
        assert!(mismatch(&row(wrong, ""), &report).is_some(), "{wrong}");
    }
    assert!(mismatch(&row("fails", "TLS 1.2 C030 * 2"), &report).is_some());
}

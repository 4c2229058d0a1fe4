//! What an audit found, below the screen: versions, suites by what they are worth, groups, schemes, habits.

use super::block::WIDTH;
use super::wrap;
use crate::codes::{CipherSuite, cipher_suite};
use crate::facts::behaviour::{GONE, NOT_ASKED};
use crate::report::{
    AdmissionOut, Admitted, AuditOut, FareOut, HabitOut, KeyOut, ListOut, NumberOut, Report, SubjectKind, VersionOut,
};
use crate::rules::Severity;
use crate::wire::printable_str;

/// Columns for labels.
const LABEL: usize = 8;

/// The part below the screen; empty without an audit.
pub(super) fn render(report: &Report, verbose: bool) -> String {
    let Some(audit) = asked(report) else { return nothing(report) };
    let mut out = format!("\n{}", sets(report, audit, verbose));
    if knows_enough(audit) {
        out += "\n";
        out += &conditions(report, audit);
        out += &super::matrix::matrix(&audit.clients);
        out += "Whether a client trusts the certificate is not looked at here.\n";
        out += &simulated(&audit.clients);
    }
    out
}

/// What stands there where an audit had nothing to ask.
fn nothing(report: &Report) -> String {
    let is_audit = report.subject.kind == SubjectKind::Audit && report.audit.is_none();
    if !is_audit {
        return String::new();
    }
    format!(
        "\n{}",
        block("ASKED", "nothing: it did not come to a TLS handshake, so that no version and no suite was tried")
    )
}

/// The same for a ticket: what is accepted as a block, and clients as tables.
pub(super) fn for_ticket(report: &Report) -> String {
    let Some(audit) = asked(report) else { return String::new() };
    let sets = sets(report, audit, false).replace('`', "'");
    let mut out = format!("## What it accepts\n\n```text\n{sets}```\n\n");
    if knows_enough(audit) {
        out += "## Who gets in\n\n";
        out += &conditions(report, audit);
        out += &super::matrix::markdown(&audit.clients);
        out += "\n";
    }
    out
}

/// Under which conditions the clients are let in.
fn conditions(report: &Report, audit: &AuditOut) -> String {
    let mut out = String::new();
    let all = report.findings.iter().chain(&report.consequences);
    if all.into_iter().any(|f| f.id == "client-certificate-required") {
        out += "Only with a client certificate: whoever has none stays out all the same.\n\n";
    }
    if !audit.assumed.is_empty() {
        let assumed = wrap(&format!("Assumed: {}", audit.assumed.join(", ")), LABEL + WIDTH);
        out += &format!("{}\n\n", assumed.join("\n"));
    }
    out
}

/// An audit that asked for versions, or that shows some habit.
fn asked(report: &Report) -> Option<&AuditOut> {
    report.audit.as_ref().filter(|a| !a.versions.is_empty() || a.habits.iter().any(|h| h.has != "unknown"))
}

/// Where hardly anything was asked, hardly anybody can be told.
fn knows_enough(audit: &AuditOut) -> bool {
    audit.versions.iter().any(|v| v.takes == "yes" && v.suites.complete)
}

/// Everything but the clients.
fn sets(report: &Report, audit: &AuditOut, verbose: bool) -> String {
    let mut out = String::new();
    if !report.complete {
        let why = if audit.complete { "it was stopped" } else { "some questions have no answer" };
        let text = format!("the audit did not come to its end ({why}): what is not listed may be taken all the same");
        out += &block("PARTLY", &text);
    }
    out += &found(report);
    let asked: Vec<&VersionOut> = audit.versions.iter().collect();
    for v in asked.iter().filter(|v| v.takes == "yes") {
        out += &version(v, verbose);
    }
    let not = |what: &str| asked.iter().filter(|v| v.takes == what).map(|v| v.name.as_str()).collect::<Vec<_>>();
    for (label, takes) in [("REFUSED", "no"), ("UNKNOWN", "unknown")] {
        out += &block(label, &not(takes).join(", "));
    }
    out += &lists(&asked);
    out += &habits(audit);
    out += &authorities(audit, verbose);
    out += &keys(audit);
    out += &pace(audit);
    out
}

/// Whether the server answered the hellos of clients as it was derived.
fn simulated(clients: &[AdmissionOut]) -> String {
    let asked: Vec<(&AdmissionOut, &FareOut)> =
        clients.iter().filter_map(|c| Some((c, c.simulated.as_ref()?))).collect();
    if asked.is_empty() {
        return String::new();
    }
    let chose = |f: &FareOut| (f.r#in, f.version.clone(), f.suite.clone());
    let other = |c: &AdmissionOut, f: &FareOut| match c.now.sure {
        true => chose(f) != chose(&c.now),
        false => c.now.r#in != Admitted::Unknown && f.r#in != c.now.r#in,
    };
    let others: Vec<_> = asked.iter().filter(|(c, f)| other(c, f)).collect();
    let mut out =
        block("SENT", &format!("{} of these hellos; {} answered otherwise than above", asked.len(), others.len()));
    for (client, fare) in others {
        let sign = fare.r#in.sign();
        let text = format!("{} {}: {sign}, {}", client.name, client.releases, fare.words());
        out += &wrap(&text, WIDTH).iter().map(|l| format!("{:LABEL$}{l}\n", "")).collect::<String>();
    }
    out
}

/// All findings but the one that decides, for which the screen above has no room: what should be changed, then what is good to know.
fn found(report: &Report) -> String {
    let others = || report.findings.iter().filter(|f| Some(&f.id) != report.verdict.by.as_ref());
    let of = |label: &str, is: fn(Severity) -> bool| -> String {
        let lines = others().filter(|f| is(f.severity));
        let lines = lines.flat_map(|f| wrap(&format!("{} ({})", f.headline, f.id), WIDTH));
        lines.enumerate().map(|(n, l)| format!("{:<LABEL$}{l}\n", if n == 0 { label } else { "" })).collect()
    };
    of("FOUND", |s| s > Severity::Note) + &of("NOTED", |s| s <= Severity::Note)
}

/// A label with its text; nothing where there is no text.
fn block(label: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let lines = wrap(text, WIDTH);
    let line = |(n, line): (usize, &String)| format!("{:<LABEL$}{line}\n", if n == 0 { label } else { "" });
    lines.iter().enumerate().map(line).collect()
}

/// Suites of one version, by what they are worth.
fn version(v: &VersionOut, verbose: bool) -> String {
    let order = match v.suites.order.as_deref() {
        Some("client") => ", in the client's order",
        Some("server") => ", in the server's order",
        Some(_) => ", in the server's order for some, the client's for others",
        None => "",
    };
    let n = v.suites.taken.len();
    let open = match n {
        _ if v.suites.complete || v.name == "SSL 2" => "",
        0 => "; which suites could not be told",
        _ => "; some could not be asked",
    };
    let count = match n {
        0 => "accepted".to_owned(),
        1 => "1 suite".to_owned(),
        n => format!("{n} suites"),
    };
    let mut out = block(&v.name, &format!("{count}{order}{open}"));
    if verbose {
        let line = |s: &NumberOut| format!("{:LABEL$}{}  {:<44} {}\n", "", s.id, name(s), worth(s).1);
        return out + &v.suites.taken.iter().map(line).collect::<String>();
    }
    for kind in 0..KINDS.len() {
        let of: Vec<&str> = v.suites.taken.iter().filter(|s| worth(s).0 == kind).map(name).collect();
        if !of.is_empty() {
            let (_, label) = KINDS.get(kind).copied().unwrap_or_default();
            let text = format!("{label}: {}", of.join(" "));
            out += &wrap(&text, WIDTH - 2).iter().map(|l| format!("{:LABEL$}  {l}\n", "")).collect::<String>();
        }
    }
    out
}

/// What suites are worth, best first, with the words for it.
const KINDS: [(&str, &str); 5] = [
    ("aead", "forward secrecy, AEAD"),
    ("cbc", "forward secrecy, CBC"),
    ("rsa", "no forward secrecy"),
    ("anon", "anonymous, nobody is checked"),
    ("weak", "weak"),
];

/// The kind of a suite, and its words.
fn worth(s: &NumberOut) -> (usize, &'static str) {
    let kind = u16::from_str_radix(&s.id, 16).ok().and_then(cipher_suite).map_or("weak", |s| kind(&s));
    let at = KINDS.iter().position(|(k, _)| *k == kind).unwrap_or_default();
    (at, KINDS.get(at).map_or("", |(_, words)| words))
}

fn kind(s: &CipherSuite) -> &'static str {
    let weak = ["NULL", "RC4", "RC2-CBC", "DES-CBC", "3DES-CBC"].contains(&s.enc);
    match () {
        () if s.auth == "anon" => "anon",
        () if weak || s.bits < 112 => "weak",
        () if !s.forward_secret() => "rsa",
        () if s.mac == "AEAD" => "aead",
        () => "cbc",
    }
}

fn name(s: &NumberOut) -> &str {
    s.openssl.as_deref().unwrap_or(&s.name)
}

/// Groups and schemes: once where all versions have the same.
fn lists(versions: &[&VersionOut]) -> String {
    let mut out = String::new();
    type Part = fn(&VersionOut) -> &ListOut;
    let parts: [(&str, Part); 2] = [("GROUPS", |v| &v.groups), ("SIGNS", |v| &v.schemes)];
    for (label, of) in parts {
        let label_of_groups = label == "GROUPS";
        let mut label = label;
        for v in versions.iter().filter(|v| !of(v).taken.is_empty()) {
            let list = of(v);
            let names: Vec<&str> = list.taken.iter().map(|n| n.name.split(' ').next().unwrap_or(&n.name)).collect();
            let order = match list.order.as_deref() {
                // In TLS 1.3 a key that is there already comes before any order.
                Some("server") if label_of_groups && v.id == "0304" => " (in this order it asks for a key)",
                Some("server") => " (the server's order)",
                Some("mixed") => " (the server's order for some, the client's for others)",
                _ => "",
            };
            out += &block(label, &format!("{}: {}{order}", v.name, names.join(", ")));
            label = "";
        }
    }
    out
}

fn habits(audit: &AuditOut) -> String {
    let gone = |h: &HabitOut| h.detail == GONE;
    let of = |has: &str| -> Vec<String> {
        let words =
            |h: &HabitOut| if h.detail.is_empty() { h.name.clone() } else { format!("{} {}", h.name, h.detail) };
        audit.habits.iter().filter(|h| h.has == has && !gone(h) && h.detail != NOT_ASKED).map(words).collect()
    };
    let known = block("HAS", &of("yes").join(", ")) + &block("LACKS", &of("no").join(", "));
    let others: Vec<&str> = audit.habits.iter().filter(|h| gone(h)).map(|h| h.name.as_str()).collect();
    let others = if others.is_empty() { String::new() } else { format!("not in TLS 1.3: {}", others.join(", ")) };
    known + &block("UNCLEAR", &of("unknown").join(", ")) + &block("N/A", &others)
}

/// Whose client certificates it asks for.
fn authorities(audit: &AuditOut, verbose: bool) -> String {
    const SOME: usize = 4;
    let shown = if verbose { audit.authorities.len() } else { SOME };
    let mut names: Vec<String> = audit.authorities.iter().take(shown).map(|name| printable_str(name)).collect();
    let others = audit.authorities.len().saturating_sub(shown);
    if others > 0 {
        names.push(format!("{others} more (-v)"));
    }
    block("ASKS OF", &names.join("; "))
}

/// The certificates, where there are several.
fn keys(audit: &AuditOut) -> String {
    if audit.keys.len() < 2 {
        return String::new();
    }
    let line = |k: &KeyOut| {
        let (subject, day) = (k.subject.as_deref().unwrap_or("unreadable"), k.not_after.as_deref().unwrap_or("?"));
        let day = day.split('T').next().unwrap_or(day);
        format!("{}: {}, until {day}, SHA-256 {}", k.auth, printable_str(subject), k.sha256)
    };
    let lines = audit.keys.iter().flat_map(|k| wrap(&line(k), WIDTH));
    lines.enumerate().map(|(n, l)| format!("{:<LABEL$}{l}\n", if n == 0 { "KEYS" } else { "" })).collect()
}

/// Whether the server complained.
fn pace(audit: &AuditOut) -> String {
    let Some(said) = &audit.complaint else { return String::new() };
    let times = if audit.busy == 1 { "once".to_owned() } else { format!("{} times", audit.busy) };
    let then = if audit.complete { "asked again later, fewer at once" } else { "asked again later, and then given up" };
    block("SLOWED", &format!("the server turned a connection away {times} ({said}): {then}"))
}

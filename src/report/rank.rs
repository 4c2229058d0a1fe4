//! Findings in order: what others explain is folded, and the decisive one stands first.

use crate::rules::{self, Finding, Severity};

/// Findings in their final order, and those that others explain.
pub(super) struct Ranked {
    pub(super) findings: Vec<Finding>,
    pub(super) consequences: Vec<Finding>,
}

/// Puts the decisive finding first and folds what it explains.
pub(super) fn rank(found: Vec<Finding>) -> Ranked {
    let present: Vec<(String, Severity, bool)> = found.iter().map(|f| (f.id.clone(), f.severity, f.ended)).collect();
    // What is only a warning explains no failure, and what may still turn out well explains no end.
    let explains = |r: &rules::Rule, f: &Finding| {
        let weighs = |severity: Severity, ended: bool| severity >= f.severity && (ended || !f.ended);
        present.iter().any(|(id, severity, ended)| id == r.id && *id != f.id && weighs(*severity, *ended))
    };
    let alone = found.len() < 2;
    let outranked =
        |f: &Finding| !alone && rules::ALL.iter().any(|r| r.outranks.contains(&f.id.as_str()) && explains(r, f));
    let (mut consequences, mut findings): (Vec<_>, Vec<_>) = found.into_iter().partition(outranked);
    // Worst first; among failures, the earliest.
    let place = |f: &Finding| f.place.unwrap_or(usize::MAX);
    // What ends a session comes before what a verifying client would have refused: the chain is judged by us.
    let judged = |f: &Finding| f.id.starts_with("certificate-");
    findings.sort_by_key(|f| (core::cmp::Reverse(f.severity), judged(f), !f.ended, place(f)));
    findings.iter_mut().chain(&mut consequences).for_each(|f| f.place = None);
    let further = findings.iter().skip(1).take_while(|f| f.severity == Severity::Failure).count();
    consequences.extend(findings.drain(findings.len().min(1)..findings.len().min(1 + further)));
    Ranked { findings, consequences }
}

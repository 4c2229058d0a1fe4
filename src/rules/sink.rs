//! Where rules put what they find: findings with their evidence, and checks.

use serde_json::Map;

use super::finding::{Check, CheckResult, Confidence, Evidence, Finding, PartOut, Party};
use super::{Case, Rule};
use crate::decode::Event;
use crate::transcript::{Micros, Span};
use crate::wire::tls::annotate::hello;
use crate::wire::{ebcdic, hex, printable};

/// Where a rule puts what it finds.
#[derive(Debug)]
pub struct Sink<'a> {
    case: &'a Case<'a>,
    rule: &'static Rule,
    found: Vec<Finding>,
    checks: Vec<Check>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(case: &'a Case<'a>, rule: &'static Rule) -> Self {
        Self { case, rule, found: Vec::new(), checks: Vec::new() }
    }

    pub(super) fn finish(self) -> (Vec<Finding>, Vec<Check>) {
        (self.found, self.checks)
    }

    /// A new finding; the first headline that fits into 72 characters is taken.
    pub(super) fn finding(&mut self, confidence: Confidence, party: Party, headlines: &[String]) -> Finding {
        Finding {
            id: self.rule.id.to_owned(),
            severity: self.rule.severity,
            confidence,
            party,
            headline: fitting(headlines),
            data: Map::new(),
            evidence: Vec::new(),
            why: Vec::new(),
            causes: Vec::new(),
            act: None,
            advice: Vec::new(),
            ended: self.case.is_ended(),
            place: None,
        }
    }

    /// Says a finding.
    pub(super) fn report(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// The bytes of an event as evidence.
    pub(super) fn evidence(&self, event: &Event, label: &str) -> Option<Evidence> {
        event.span.map(|span| evidence(self.case, span, event.at, label))
    }

    /// Says by which event a finding shows, where that is not the last of its bytes.
    pub(super) fn shows_by(&self, f: &mut Finding, event: &Event) {
        f.place = self.case.timeline.events.iter().position(|e| core::ptr::eq(e, event));
    }

    /// Something that was looked at, and is good; `how` says by what.
    pub(super) fn passed(&mut self, id: &str, headline: &str, how: &str) {
        self.check(CheckResult::Passed, id, headline, how);
    }

    /// Something that passed, and that people should know something of all the same.
    pub(super) fn passed_with_note(&mut self, id: &str, headline: &str, how: &str, note: &str) {
        self.passed(id, headline, how);
        if let Some(check) = self.checks.last_mut() {
            check.data.insert("note".to_owned(), note.into());
        }
    }

    /// Something that was looked at, and is not as one expects, without being a fault.
    pub(super) fn failed(&mut self, id: &str, headline: &str, why: &str) {
        self.check(CheckResult::Failed, id, headline, why);
    }

    /// Something that this evidence cannot tell.
    pub(super) fn untested(&mut self, id: &str, headline: &str, why: &str) {
        self.check(CheckResult::Untested, id, headline, why);
    }

    fn check(&mut self, result: CheckResult, id: &str, headline: &str, why: &str) {
        if self.case.whole {
            let (id, headline, why) = (id.to_owned(), headline.to_owned(), Some(why.to_owned()));
            self.checks.push(Check { id, result, finding: None, headline, why, data: Map::new() });
        }
    }
}

fn evidence(case: &Case<'_>, span: Span, at: Option<Micros>, label: &str) -> Evidence {
    // Its place is all that the verdict needs.
    let bytes = if case.whole { case.transcript.bytes(span) } else { Vec::new() };
    let is_ebcdic = bytes.first().is_some_and(|b| (0xf0..=0xf9).contains(b));
    let text = if is_ebcdic { printable(&ebcdic::decode(&bytes)) } else { printable(&bytes) };
    Evidence {
        conn: span.flow.conn.0,
        layer: span.flow.layer,
        from: span.flow.from,
        start: span.start,
        end: span.end,
        at,
        hex: hex(&bytes),
        text,
        label: label.to_owned(),
        parts: hello(&bytes).unwrap_or_default().into_iter().map(|p| PartOut { len: p.len, label: p.label }).collect(),
        rebuilt: case.transcript.rebuilt(span),
    }
}

/// The first that has at most 72 characters; the last one cut when none has.
pub(super) fn fitting(headlines: &[String]) -> String {
    const LONGEST: usize = 72;
    let fits = headlines.iter().find(|h| h.len() <= LONGEST);
    fits.cloned().unwrap_or_else(|| headlines.last().map(|h| h.chars().take(LONGEST).collect()).unwrap_or_default())
}

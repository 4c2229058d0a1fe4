//! Transfers that failed, and like ones that worked behind them.
//!
//! In a run of ours, what went well at another try has not failed for good: a warning. Somebody else's evidence was gathered
//! because something failed, and a log often ends at the very line that says so: there a transfer that failed stays the
//! verdict, and what became of it at another try is said beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::arranging::Fate;
use super::data_shake::{is_about_data, is_before};
use super::finding::{Finding, Severity};
use super::sink::fitting;
use super::{Case, Confidence};
use crate::decode::{Event, Kind};
use crate::facts::Transfer;
use crate::transcript::{Code, ConnId, Role, Side};

/// The transfers of the session that failed in one way, beside the others.
pub(super) struct Tries<'a> {
    failed: BTreeSet<*const Transfer<'a>>,
    /// Of each control connection: from where on no other try is to come.
    ends: BTreeMap<ConnId, &'a Event>,
    /// Of each control connection and verb: the last that worked before that.
    worked: BTreeMap<(ConnId, &'a str), *const Transfer<'a>>,
    /// How many transfers there were.
    of: usize,
    /// Whether the run is ours.
    ours: bool,
}

impl<'a> Case<'a> {
    /// What came of the transfers that failed in one way.
    pub(super) fn tries(&self, failed: impl Iterator<Item = &'a Transfer<'a>>) -> Tries<'a> {
        self.tries_like(failed, |_| true)
    }

    /// The same where only some of the others are like them.
    pub(super) fn tries_like(
        &self,
        failed: impl Iterator<Item = &'a Transfer<'a>>,
        like: impl Fn(&Transfer<'a>) -> bool,
    ) -> Tries<'a> {
        let failed: BTreeSet<_> = failed.map(core::ptr::from_ref).collect();
        let t = self.transcript;
        let mut ends: BTreeMap<ConnId, &'a Event> = BTreeMap::new();
        let gives_up = |e: &&Event| t.conn(e.conn).is_some_and(|c| c.role == Role::Control) && gives_up(e);
        for e in self.timeline.events.iter().filter(gives_up) {
            ends.entry(e.conn).or_insert(e);
        }
        let mut worked = BTreeMap::new();
        for x in self.session_transfers().filter(|x| works(x) && like(x) && !failed.contains(&core::ptr::from_ref(*x)))
        {
            let in_time = |end: &&Event| x.reply.is_some_and(|r| is_before(r.event, end));
            if ends.get(&x.control).is_none_or(in_time) {
                worked.insert((x.control, x.verb()), core::ptr::from_ref(x));
            }
        }
        let of = self.session_transfers().filter(|x| x.command.is_some()).count();
        Tries { failed, ends, worked, of, ours: self.is_login_run() }
    }

    /// The same where an upload of ours is made up for only by one of at least its length: a short one shows less.
    pub(super) fn tries_as_large(&self, failed: &[&'a Transfer<'a>]) -> Tries<'a> {
        let sent = |t: &Transfer<'a>| t.data.as_ref().map(|d| d.content(Side::Client));
        let least = failed.iter().filter(|t| t.is_upload()).filter_map(|t| sent(t)).min().unwrap_or_default();
        let ours = self.is_login_run();
        let like = |t: &Transfer<'a>| !ours || !t.is_upload() || sent(t).is_none_or(|n| n >= least);
        self.tries_like(failed.iter().copied(), like)
    }

    /// The refusals of data connections that a later transfer of the same kind made up for.
    pub fn made_up_for(&self) -> BTreeSet<*const Event> {
        let about = |x: &Transfer<'a>| x.refusal().is_some_and(|r| is_about_data(r.reply) || r.reply.code == 451);
        let failed = || self.session_transfers().filter(|x| about(x));
        let tries = self.tries(failed());
        let recovered = failed().filter(|x| tries.fate(x) == Fate::Recovered);
        recovered.filter_map(|x| x.refusal()).map(|r| core::ptr::from_ref(r.event)).collect()
    }
}

impl Tries<'_> {
    /// What came of a transfer that failed: it recovered with a later one of its verb on the same control connection. As
    /// long as that is open, another try may come.
    pub(super) fn fate(&self, t: &Transfer<'_>) -> Fate {
        let good = self.worked.get(&(t.control, t.verb())).copied();
        if good.is_some_and(|good| good.cast() > core::ptr::from_ref(t).cast::<()>()) {
            Fate::Recovered
        } else if self.ends.contains_key(&t.control) {
            Fate::Fell
        } else {
            Fate::Other
        }
    }

    /// The first that failed without another try that worked; else the first.
    pub(super) fn worst<'x, 't: 'x, T>(&self, all: &'x [T], of: impl Fn(&T) -> &'t Transfer<'t>) -> Option<&'x T> {
        all.iter().find(|x| self.fate(of(x)) != Fate::Recovered).or(all.first())
    }

    /// How sure a failure is that another try may still make up for.
    pub(super) fn sure(&self, t: &Transfer<'_>, confidence: Confidence) -> Confidence {
        if self.ours && self.fate(t) == Fate::Other { confidence.min(Confidence::Likely) } else { confidence }
    }

    /// Says of what another try made up for that it did, in a run of ours as a warning; there it stays open what one still may.
    pub(super) fn settle(&self, f: &mut Finding, t: &Transfer<'_>, headlines: &[String]) {
        match self.fate(t) {
            Fate::Fell => {}
            Fate::Other => f.ended &= !self.ours,
            Fate::Recovered => {
                let (n, of, verb) = (self.failed.len(), self.of, t.verb());
                if self.ours {
                    f.severity = Severity::Warning;
                }
                let longer = headlines.iter().map(|h| format!("{h} ({n} of {of}; the next worked)"));
                let short = format!("{n} of {of} transfers failed ({}); the next one worked", f.id);
                f.headline = fitting(&longer.chain([short]).collect::<Vec<_>>());
                f.why.insert(0, format!("{n} of {of} transfers failed so; the next {verb} worked."));
                f.set("failed", n).set("of_transfers", of);
            }
        }
    }
}

/// Whether the server confirmed a transfer, and not only in words.
fn works(t: &Transfer<'_>) -> bool {
    let shaken = |d: &crate::facts::transfers::Data<'_>| d.is_established() || t.protected != Some(true);
    t.command.is_some() && t.worked() && t.data.as_ref().is_none_or(shaken)
}

/// Whether nobody tries again behind an event: the end of the control connection, QUIT, or a client that gave up.
fn gives_up(e: &Event) -> bool {
    match &e.kind {
        Kind::Closed { .. } | Kind::TimedOut { .. } | Kind::OpenFailed { .. } => true,
        Kind::Reply(r) => r.code == 221 && r.whole,
        Kind::Command { verb, .. } => verb == "QUIT",
        Kind::Claim { code: Some(code), .. } => is_giving_up(code),
        _ => false,
    }
}

/// Whether a program's number or message says that it gave up.
pub(super) fn is_giving_up(code: &Code) -> bool {
    match code {
        Code::FtpClient(_) => true,
        Code::Message(id) => id == "EZA1735I" || id == "EZZ9830I",
        _ => false,
    }
}

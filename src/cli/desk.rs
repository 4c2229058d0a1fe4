//! Where sessions become reports: several at a time, written in the order in which they came.
//!
//! One thread reads, one writes, and as many as there are processors judge. Nobody runs ahead: there are [`OPEN`] places between
//! reading and writing, of which a session takes one, and a large one more.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::thread::{self, Scope};

use super::args::Common;
use super::output::{Output, Rendered, Shape};
use super::progress::Meter;
use super::{Status, judges, term};
use crate::render::table::Around;
use crate::report::summary::{Ends, Row};
use crate::report::{About, Outcome, diagnose, judgement, verdict_alone};
use crate::transcript::redact::{Level, redact};
use crate::transcript::{Authorities, Entry, Transcript, What};
use crate::trust::{Judgement, Stores};

/// Places between reading and writing.
const OPEN: usize = 256;

/// Bytes of evidence that have room in one of them.
const PLACE: usize = 16 * 1024;

/// More threads than this gain nothing: one reads, one writes.
const WORKERS: usize = 16;

/// Bytes of stack of a worker: what a main thread usually has.
const STACK: usize = 8 << 20;

/// How a session is judged; the same for all of them.
pub(super) struct Judge<'a> {
    common: &'a Common,
    command: &'a str,
    own: Vec<Authorities>,
    of_evidence: Stores,
    of_this_machine: LazyLock<Stores>,
    shape: Shape,
}

impl<'a> Judge<'a> {
    /// For these lists of authorities, and these places where reports go.
    pub(super) fn new(common: &'a Common, command: &'a str, own: Vec<Authorities>, shape: Shape) -> Self {
        let of_evidence = judges::stores_for_evidence(&own);
        Self { common, command, own, of_evidence, of_this_machine: LazyLock::new(|| judges::stores(&[])), shape }
    }

    /// Whether every session is written whole, with the hash of its input.
    pub(super) fn wants_all(&self) -> bool {
        self.shape.wants_report(u64::MAX)
    }

    /// Diagnoses session `number`, the `n`-th that is wanted (from 0).
    fn session(&self, n: u64, number: u32, mut session: Transcript) -> Judged {
        let judged_by = match &session.origin.asked {
            Some(asked) if self.own.is_empty() && asked.authorities.is_empty() => self.of_this_machine.clone(),
            Some(asked) if self.own.is_empty() => judges::stores(&asked.authorities),
            _ => self.of_evidence.clone(),
        };
        let (ends, places) = (Ends::of(&session), places(&session));
        let hides = self.common.redact >= Level::Names;
        let judgement = hides.then(|| judgement(&session, &judged_by)).flatten();
        redact(&mut session, self.common.redact);
        let command = if hides { "ftpsdiag decode (redacted)" } else { self.command };
        let about = About {
            session: number,
            reference: self.common.reference.as_deref().map(term::masked),
            command: command.to_owned(),
            stores: judged_by,
            judgement: judgement.map(Judgement::without_names),
            ..About::default()
        };
        if !self.shape.wants_report(n) {
            let row = Row::new(number, &verdict_alone(&session, &about), &session, ends);
            return Judged { places, row, rendered: self.shape.nothing() };
        }
        let report = diagnose(session, &about);
        Judged { places, row: Row::of(&report, ends), rendered: self.shape.render(&report, n) }
    }
}

/// How many places a session takes: the largest takes all of them, and is alone.
fn places(session: &Transcript) -> usize {
    let kept = |e: &Entry| match &e.what {
        What::Bytes { data, .. } => data.len(),
        _ => 0,
    };
    let bytes: usize = session.entries.iter().map(|e| size_of::<Entry>() + kept(e)).sum();
    (bytes / PLACE).clamp(1, OPEN)
}

/// The places that are free.
#[derive(Debug)]
struct Places {
    free: Mutex<Free>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug)]
enum Free {
    Places(usize),
    /// Nobody writes any more, so that none becomes free.
    Never,
}

impl Places {
    fn new() -> Self {
        Self { free: Mutex::new(Free::Places(OPEN)), changed: Condvar::new() }
    }

    /// Takes so many places. Whoever has to wait waits until half of all are free: being woken for each costs more than a session.
    fn take(&self, wanted: usize) -> Result<(), Gone> {
        let lacks = |free: &Free, n| matches!(free, Free::Places(free) if *free < n);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if lacks(&free, wanted) {
            let n = wanted.max(OPEN / 2);
            free = self.changed.wait_while(free, |free| lacks(free, n)).unwrap_or_else(PoisonError::into_inner);
        }
        match &mut *free {
            Free::Places(free) => *free = free.saturating_sub(wanted),
            Free::Never => return Err(Gone),
        }
        Ok(())
    }

    fn give_back(&self, n: usize) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if let Free::Places(free) = &mut *free {
            *free += n;
            if *free >= OPEN / 2 {
                self.changed.notify_all();
            }
        }
    }

    fn close(&self) {
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) = Free::Never;
        self.changed.notify_all();
    }
}

/// Closes the places when the writer leaves, however it does.
struct Writer<'a>(&'a Places);

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A session that was judged.
struct Judged {
    places: usize,
    row: Row,
    rendered: Rendered,
}

struct Job {
    n: u64,
    number: u32,
    session: Transcript,
}

/// What a worker hands on: sessions by their numbers; `None` when the worker died of it.
type Done = Vec<(u64, Option<Judged>)>;

/// So many sessions a worker hands on at once, while others wait for it: whoever writes is woken for many, not for each.
const TOGETHER: usize = 16;

/// What is known of the run while it goes on.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Sessions that were written.
    pub(super) sessions: AtomicU64,
    /// Those of them that fail.
    pub(super) fails: AtomicU64,
}

/// What all sessions came to.
pub(super) struct Written {
    pub(super) status: Status,
    /// Whether some session was decided.
    pub(super) decided: bool,
    pub(super) shown: u64,
    output: Output,
}

impl Written {
    /// The end: the table, if there is one, and what is to be known of the inputs.
    pub(super) fn end(mut self, around: Around) -> io::Result<()> {
        self.output.sessions_end(around)?;
        self.output.finish()
    }
}

/// The desk on which sessions are laid.
pub(super) struct Desk<'scope> {
    jobs: Sender<Job>,
    places: &'scope Places,
    writer: thread::ScopedJoinHandle<'scope, io::Result<Written>>,
    given: u64,
}

/// What the threads of a desk share.
pub(super) struct Room<'a> {
    pub(super) judge: Judge<'a>,
    pub(super) tally: Tally,
    pub(super) meter: Mutex<Meter>,
    jobs: Mutex<Option<Receiver<Job>>>,
    places: Places,
}

impl<'a> Room<'a> {
    pub(super) fn new(judge: Judge<'a>, meter: Meter) -> Self {
        let (tally, meter, places) = (Tally::default(), Mutex::new(meter), Places::new());
        Self { judge, tally, meter, jobs: Mutex::new(None), places }
    }

    /// The next session to be judged. Before it is waited for, `hand_on` is called: what a worker kept back takes places, and without
    /// places none comes.
    fn job(&self, mut hand_on: impl FnMut()) -> Option<Job> {
        let jobs = self.jobs.try_lock().unwrap_or_else(|_| {
            hand_on();
            self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
        });
        let jobs = jobs.as_ref()?;
        jobs.try_recv()
            .or_else(|_| {
                hand_on();
                jobs.recv()
            })
            .ok()
    }

    fn work(&self, done: &Sender<Done>) {
        let mut judged = Done::new();
        let hand_on = |judged: &mut Done| judged.is_empty() || done.send(core::mem::take(judged)).is_ok();
        while let Some(Job { n, number, session }) = self.job(|| _ = hand_on(&mut judged)) {
            let mut lost = Lost(Some((n, done)));
            let one = self.judge.session(n, number, session);
            lost.0 = None;
            judged.push((n, Some(one)));
            if judged.len() >= TOGETHER && !hand_on(&mut judged) {
                return;
            }
        }
        hand_on(&mut judged);
    }

    /// Writes what was judged, in order.
    fn write(&self, mut output: Output, done: &Receiver<Done>) -> io::Result<Written> {
        let places = Writer(&self.places);
        let (mut early, mut next) = (BTreeMap::new(), 0);
        let (mut status, mut decided) = (Status::Works, false);
        for (n, judged) in done.iter().flatten() {
            let Some(judged) = judged else { return Err(io::Error::other("a session could not be judged")) };
            early.insert(n, judged);
            while let Some(Judged { places: taken, row, rendered }) = early.remove(&next) {
                next += 1;
                decided |= row.kind.outcome != Outcome::Inconclusive;
                status = status.worse(Status::of(row.kind.outcome));
                self.tally.sessions.fetch_add(1, Ordering::Relaxed);
                self.tally.fails.fetch_add(u64::from(row.kind.outcome == Outcome::Fails), Ordering::Relaxed);
                self.meter.lock().unwrap_or_else(PoisonError::into_inner).clear();
                output.session(row, rendered)?;
                places.0.give_back(taken);
            }
        }
        Ok(Written { status, decided, shown: next, output })
    }
}

/// Says that a session was lost when its worker panics, so that nobody waits for it.
struct Lost<'a>(Option<(u64, &'a Sender<Done>)>);

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        if let Some((n, done)) = self.0.take() {
            let _ = done.send(vec![(n, None)]);
        }
    }
}

impl<'scope> Desk<'scope> {
    /// Starts the threads.
    pub(super) fn new<'env>(
        scope: &'scope Scope<'scope, 'env>,
        room: &'env Room<'env>,
        output: Output,
    ) -> io::Result<Self> {
        let (jobs, taken) = channel();
        let (done, judged) = channel();
        *room.jobs.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
        let workers = thread::available_parallelism().map_or(1, usize::from).min(WORKERS);
        for _ in 0..workers {
            let done = done.clone();
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || room.work(&done))?;
        }
        let writer = thread::Builder::new().spawn_scoped(scope, move || room.write(output, &judged))?;
        Ok(Self { jobs, places: &room.places, writer, given: 0 })
    }

    /// Lays down session `number`. It fails when nobody writes any more: [`Desk::close`] says why.
    pub(super) fn session(&mut self, number: u32, session: Transcript) -> Result<(), Gone> {
        self.places.take(places(&session))?;
        self.jobs.send(Job { n: self.given, number, session }).map_err(|_| Gone)?;
        self.given += 1;
        Ok(())
    }

    /// No more sessions come: waits until the last one is written.
    pub(super) fn close(self) -> io::Result<Written> {
        drop(self.jobs);
        self.writer.join().unwrap_or_else(|_| Err(io::Error::other("the reports could not be written")))
    }
}

/// Nobody writes any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{ConnId, Fidelity, Layer, Side};

    #[test]
    fn a_large_session_is_alone_between_reading_and_writing() {
        let of = |len: usize| {
            let (from, layer, fidelity) = (Side::Client, Layer::Wire, Fidelity::Exact);
            let what = What::Bytes { from, layer, data: vec![0; len], fidelity };
            places(&Transcript { entries: vec![Entry { at: None, conn: ConnId(0), what }], ..Transcript::default() })
        };
        assert_eq!([of(0), of(1_000), of(3 * PLACE), of(4 << 20), of(1 << 28)], [1, 1, 3, OPEN, OPEN]);
    }
}

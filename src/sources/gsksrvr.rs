//! System SSL traces to connections. Threads interleave, so everything is kept per (job, process, thread); one thread may
//! serve several connections, which it tells apart by their handles as far as the trace names these.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::Block;
use super::gsk_record::Fact;
use super::gsk_session::{Ended, Session, opens};
use super::source::Found;
use crate::error::InputError;
use crate::transcript::Micros;
use crate::wire::tls::handshake;

/// Most connections that one thread holds at once; beyond, the one that was heard of longest ago is taken for ended.
const MOST_OPEN: usize = 256;

/// All threads of a trace.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// By job, process and thread, with a NUL between each.
    threads: HashMap<String, Thread>,
    /// The thread of the last record.
    last: String,
    /// The same for the record that is read.
    key: String,
    /// How many records came.
    count: u64,
    /// Connections that have ended, in the order in which they did.
    done: VecDeque<Ended>,
    problems: Vec<InputError>,
}

#[derive(Debug, Default)]
struct Thread {
    /// The last moment, with the days that passed at midnight.
    last: Micros,
    /// Connections that may go on, the one that was heard of last behind all others.
    open: Vec<(Option<u64>, Session)>,
    /// The handle that the thread works on, and the function that named it.
    current: Option<(u64, String)>,
}

impl Trace {
    /// Takes a record.
    pub(super) fn record(&mut self, fact: &Fact<'_>) {
        if !fact.thread.is_empty() {
            self.key.clear();
            for part in [fact.job, "\0", fact.process, "\0", fact.thread] {
                self.key.push_str(part);
            }
            // Otherwise its second line is lost: most likely it is of the thread that wrote last.
            core::mem::swap(&mut self.key, &mut self.last);
        }
        if !self.threads.contains_key(&self.last) {
            self.threads.insert(self.last.clone(), Thread::default());
        }
        let Some(thread) = self.threads.get_mut(&self.last) else { return };
        check(fact, &mut self.problems);
        self.count += 1;
        for ended in thread.record(fact, self.count) {
            self.done.extend(ended.end());
        }
    }

    /// How many connections have ended and were not taken.
    pub(super) fn ended(&self) -> usize {
        self.done.len()
    }

    /// The connection that ended first, for a reader that does not wait for the end of the input.
    pub(super) fn take_ended(&mut self) -> Option<Ended> {
        self.done.pop_front()
    }

    /// The connections, in the order in which they began, and what was wrong with the dumps.
    pub(super) fn finish(&mut self) -> Found {
        let mut done: Vec<Ended> = core::mem::take(&mut self.done).into();
        let open = core::mem::take(&mut self.threads).into_values().flat_map(|t| t.open);
        done.extend(open.filter_map(|(_, session)| session.end()));
        done.sort_by_key(|ended| ended.number);
        let mut assumed = BTreeSet::new();
        let blocks = done.into_iter().map(|ended| {
            assumed.extend(ended.assumed);
            Block::Tls(ended.piece)
        });
        Found {
            blocks: blocks.collect(),
            problems: core::mem::take(&mut self.problems),
            assumed: assumed.into_iter().map(str::to_owned).collect(),
        }
    }
}

impl Thread {
    /// Takes a record; the connections that ended before it are given out.
    fn record(&mut self, fact: &Fact<'_>, number: u64) -> Vec<Session> {
        let at = fact.at.map(|at| self.moment(at));
        if let Some(handle) = handle_of(fact) {
            self.current = Some((handle, fact.function.to_owned()));
        }
        let mut ended = Vec::new();
        let handle = self.current.as_ref().map(|(handle, _)| *handle);
        let place = self.place(handle);
        let (name, mut session) = place.map_or((handle, Session::default()), |n| self.open.remove(n));
        if session.is_over(fact) || opens(fact) && session.has_begun() {
            // Without a handle nothing says that it is the named one which begins anew.
            if name.is_some() && handle.is_none() && !session.is_failed() {
                self.open.push((name, core::mem::take(&mut session)));
            } else {
                ended.push(core::mem::take(&mut session));
            }
            session.take(fact, number, at);
            self.open.push((handle, session));
        } else {
            session.take(fact, number, at);
            self.open.push((name.or(handle), session));
        }
        if self.open.len() > MOST_OPEN {
            ended.push(self.open.remove(0).1);
        }
        if fact.description == "SSL_EXIT" && self.current.as_ref().is_some_and(|(_, f)| f == fact.function) {
            self.current = None;
        }
        ended
    }

    /// The connection of a record: the one with this handle, or one that has none yet; without a handle the last one.
    fn place(&self, handle: Option<u64>) -> Option<usize> {
        let of = |wanted: Option<u64>| self.open.iter().rposition(|(name, _)| *name == wanted);
        match handle {
            Some(_) => of(handle).or_else(|| of(None)),
            None => self.open.len().checked_sub(1),
        }
    }

    /// Times of day go back at midnight only.
    fn moment(&mut self, at: Micros) -> Micros {
        let days = self.last.0 / Micros::DAY.0;
        let mut at = Micros(at.0 + days * Micros::DAY.0);
        if at.0 + Micros::DAY.0 / 2 < self.last.0 {
            at.0 += Micros::DAY.0;
        }
        self.last = self.last.max(at);
        at
    }
}

/// `Handle 7E828198,  Size 1`, where a function is entered.
fn handle_of(fact: &Fact<'_>) -> Option<u64> {
    if fact.description != "SSL_ENTRY" {
        return None;
    }
    let mut words = fact.text.split(' ').skip_while(|w| !w.eq_ignore_ascii_case("handle"));
    let digits = words.nth(1)?.trim_end_matches([',', '.', ';']);
    let handle = matches!(digits.len(), 8 | 16).then(|| u64::from_str_radix(digits, 16).ok()).flatten();
    handle.filter(|h| *h != 0)
}

/// Says what a dump lacks.
fn check(fact: &Fact<'_>, problems: &mut Vec<InputError>) {
    if fact.bytes.is_empty() {
        return;
    }
    if let Some(line) = fact.jump {
        let what = format!("lines of the dump \"{}\" are missing here", fact.text);
        problems.push(InputError::torn("", what, "paste the dump again, with every offset line").at_line(line));
        return;
    }
    // A dump of a record, or of what is in it, may be encrypted.
    let is_record = fact.text.to_ascii_lowercase().contains("record");
    let Some((kind, len)) = handshake::header(fact.bytes).filter(|_| !is_record) else { return };
    let whole = handshake::HEADER_LEN + len;
    let missing = whole.saturating_sub(fact.bytes.len());
    if missing > 0 && missing < handshake::LONGEST {
        let (name, there) = (handshake::type_name(kind), fact.bytes.len());
        let what = format!("the dump of the {name} ends {missing} bytes early ({there} of {whole} are there)");
        problems.push(InputError::torn("", what, "paste the dump to its last offset line").at_line(fact.line));
    }
}

//! Writes down what a run sends and sees, with the time of each entry, and counts it.

use tokio::time::Instant;

use super::clock;
use super::limits::{COUNTED, Limits};
use crate::probe::Progress;
use crate::transcript::{Clock, Conn, ConnId, Entry, Micros, Side, Transcript, What};

/// What an entry costs besides its bytes: who sends records of one byte must not fill the memory either.
const ENTRY: u64 = 16;

/// What the driver tells while it goes on: nobody's evidence.
#[derive(Clone, Debug)]
pub enum Seen<'a> {
    /// This was written down.
    Entry(&'a Entry),
    /// So far has the machine come.
    Progress(Progress),
}

/// Who is told.
pub type Watch<'a> = &'a mut dyn FnMut(Seen<'_>);

/// The evidence of a run while it is gathered.
pub(super) struct Recorder<'a> {
    host: Option<&'a str>,
    limits: Limits,
    watch: Watch<'a>,
    /// When the run began.
    pub(super) zero: Instant,
    /// What was written down.
    pub(super) transcript: Transcript,
    /// Bytes of the server, those that are not kept too.
    pub(super) received: u64,
    kept: u64,
}

impl<'a> Recorder<'a> {
    /// Of a run that begins now, at the host that was named.
    pub(super) fn new(host: Option<&'a str>, limits: Limits, watch: Watch<'a>) -> Self {
        let transcript = Transcript { clock: Clock::Utc(clock::now()), ..Transcript::default() };
        Self { host, limits, watch, zero: Instant::now(), transcript, received: 0, kept: 0 }
    }

    /// The time since the run began.
    pub(super) fn now(&self) -> Micros {
        Micros(u64::try_from(self.zero.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Writes an entry down.
    pub(super) fn record(&mut self, conn: ConnId, what: What) {
        self.reach(conn);
        self.kept += match &what {
            What::Bytes { from: Side::Client, .. } => 0,
            What::Bytes { data, .. } => ENTRY + data.len() as u64,
            _ => ENTRY,
        };
        let entry = Entry { at: Some(self.now()), conn, what };
        (self.watch)(Seen::Entry(&entry));
        self.transcript.entries.push(entry);
    }

    /// Tells how far the machine has come, where it says so.
    pub(super) fn tell(&mut self, progress: Option<Progress>) {
        if let Some(progress) = progress {
            (self.watch)(Seen::Progress(progress));
        }
    }

    /// The limit that what the server sends went beyond.
    pub(super) fn too_much(&self) -> Option<u64> {
        let counted = self.limits.bytes.saturating_mul(COUNTED);
        let kept = (self.kept > self.limits.bytes).then_some(self.limits.bytes);
        kept.or((self.received > counted).then_some(counted))
    }

    /// A connection, made when it was not yet there.
    pub(super) fn reach(&mut self, ConnId(n): ConnId) -> Option<&mut Conn> {
        while self.transcript.conns.len() <= usize::from(n) {
            self.transcript.conns.push(Conn { host: self.host.map(str::to_owned), ..Conn::default() });
        }
        self.transcript.conns.get_mut(usize::from(n))
    }
}

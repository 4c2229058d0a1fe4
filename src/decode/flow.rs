//! One flow: bytes in, events out, a unit at a time.

use std::collections::VecDeque;

use super::event::{Event, Kind, TLS_INSIDE_TLS};
use super::unit::Unit;
use super::{Link, text, tls};
use crate::transcript::{Flow, Layer, Micros, Role, Span};
use crate::wire::tls::content;
use crate::wire::tls::record::{Front, front};

/// Reads one flow.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) flow: Flow,
    buf: Vec<u8>,
    /// Bytes of `buf` that are in events already.
    done: usize,
    /// Offset in the flow of the first byte of `buf`.
    base: u64,
    /// No use to look again before this many unread bytes are here.
    needs: usize,
    /// Where chunks begin in the flow, and the entries that brought them; those of bytes in events are gone.
    chunks: VecDeque<Chunk>,
    /// Whether a TLS record was due where the unit at the front began; `None` before its first byte.
    due: Option<bool>,
    /// Neighbours of no meaning are held back and joined.
    held: Option<(usize, Event)>,
    /// Nothing in this flow can be told any more.
    lost: bool,
    /// A transfer in clear: its first byte decided.
    data: bool,
    pub(super) tls: tls::State,
    pub(super) text: text::State,
}

/// Where a chunk begins, and what brought it.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    start: u64,
    entry: usize,
    at: Option<Micros>,
}

/// Takes events, each with the entry that brought its first byte.
pub(super) type Sink<'a> = dyn FnMut(usize, Event) + 'a;

impl Reader {
    pub(super) fn new(flow: Flow) -> Self {
        Self {
            flow,
            buf: Vec::new(),
            done: 0,
            base: 0,
            needs: 1,
            chunks: VecDeque::new(),
            due: None,
            held: None,
            lost: false,
            data: false,
            tls: tls::State::default(),
            text: text::State::default(),
        }
    }

    pub(super) fn feed(&mut self, data: &[u8], n: usize, at: Option<Micros>, link: &mut Link, out: &mut Sink<'_>) {
        let start = self.base + self.buf.len() as u64;
        self.chunks.push_back(Chunk { start, entry: n, at });
        self.buf.extend_from_slice(data);
        while self.buf.len() - self.done >= self.needs.max(1) {
            match self.unit(link) {
                Unit::Is(len, kind) => self.emit(len, kind, out),
                Unit::Needs(len) => {
                    self.needs = len.max(self.buf.len() - self.done + 1);
                    break;
                }
            }
        }
        if self.done > 64 * 1024 && self.done * 2 > self.buf.len() {
            self.buf.drain(..self.done);
            self.base += self.done as u64;
            self.done = 0;
        }
    }

    fn rest(&self) -> &[u8] {
        self.buf.get(self.done..).unwrap_or_default()
    }

    fn unit(&mut self, link: &mut Link) -> Unit {
        let bytes = self.buf.get(self.done..).unwrap_or_default();
        if self.lost {
            return Unit::Is(bytes.len(), Kind::Undecoded);
        }
        if self.data {
            return Unit::Is(bytes.len(), Kind::Data);
        }
        let due = *self.due.get_or_insert(link.tls_due);
        let inside = self.flow.layer == Layer::InsideTls;
        if self.tls.in_record() {
            return self.tls.unit(bytes, self.flow, link);
        }
        if inside && link.role != Role::Control {
            self.data = true;
            return Unit::Is(bytes.len(), Kind::Data);
        }
        if inside && !self.text.is_begun() && bytes.first().is_some_and(|b| content::ALL.contains(b)) {
            match front(bytes) {
                Front::Record(_) => {
                    self.lost = true;
                    return Unit::Is(bytes.len(), Kind::Malformed { part: TLS_INSIDE_TLS });
                }
                Front::Undecided => return Unit::Needs(bytes.len() + 1),
                Front::Malformed(_) | Front::NotTls => {}
            }
        }
        if !inside && !self.text.is_begun() {
            match front(bytes) {
                Front::Record(_) => {
                    // What comes behind CCC is the goodbye of TLS.
                    link.tls_due |= !link.cleared;
                    return self.tls.unit(bytes, self.flow, link);
                }
                Front::Undecided => return Unit::Needs(bytes.len() + 1),
                Front::Malformed(part) if due => {
                    self.lost = true;
                    return Unit::Is(bytes.len(), Kind::Malformed { part });
                }
                Front::Malformed(_) | Front::NotTls => {}
            }
        }
        if link.role != Role::Control && !due {
            self.data = true;
            return Unit::Is(bytes.len(), Kind::Data);
        }
        match self.text.unit(bytes, self.flow.from, due && !inside, link) {
            text::Unit::Is(len, kind) => Unit::Is(len, kind),
            text::Unit::Needs => Unit::Needs(bytes.len() + 1),
            text::Unit::NotText(kind) => {
                self.lost = true;
                Unit::Is(bytes.len(), kind)
            }
        }
    }

    fn emit(&mut self, len: usize, kind: Kind, out: &mut Sink<'_>) {
        (self.needs, self.due) = (1, None);
        if len == 0 {
            return;
        }
        let start = self.base + self.done as u64;
        let span = Span { flow: self.flow, start, end: start + len as u64 };
        self.done += len;
        let chunk = self.chunk_at(start);
        self.push(chunk.entry, Event { at: chunk.at, conn: self.flow.conn, span: Some(span), kind }, out);
    }

    /// The chunk that holds the byte at `offset`, which never goes back.
    fn chunk_at(&mut self, offset: u64) -> Chunk {
        while self.chunks.get(1).is_some_and(|next| next.start <= offset) {
            self.chunks.pop_front();
        }
        self.chunks.front().copied().unwrap_or(Chunk { start: offset, entry: 0, at: None })
    }

    /// Neighbours of no meaning are one event, or the chunks would show.
    fn push(&mut self, entry: usize, event: Event, out: &mut Sink<'_>) {
        let absorbs = |held: &Kind, next: &Kind| match next {
            Kind::Data => *held == Kind::Data,
            Kind::Undecoded => {
                matches!(held, Kind::Undecoded | Kind::Malformed { .. } | Kind::OtherInsteadOfTls { .. })
            }
            _ => false,
        };
        let joins = matches!(
            event.kind,
            Kind::Undecoded | Kind::Data | Kind::Malformed { .. } | Kind::OtherInsteadOfTls { .. }
        );
        if let Some((_, held)) = &mut self.held {
            if absorbs(&held.kind, &event.kind)
                && let (Some(a), Some(b)) = (&mut held.span, event.span)
                && a.end == b.start
            {
                a.end = b.end;
                return;
            }
            if let Some((entry, held)) = self.held.take() {
                out(entry, held);
            }
        }
        if joins { self.held = Some((entry, event)) } else { out(entry, event) }
    }

    /// Bytes that were seen but not kept.
    pub(super) fn skip(&mut self, len: u64, n: usize, at: Option<Micros>, out: &mut Sink<'_>) {
        let begun = self.rest().len();
        if let Some(kind) = self.tls.leave_open(self.buf.get(self.done..).unwrap_or_default()) {
            self.emit(begun, kind, out);
        }
        self.flush(out);
        self.tls.skip(len);
        let start = self.base;
        self.base = self.base.saturating_add(len);
        let span = Span { flow: self.flow, start, end: self.base };
        if len > 0 {
            self.push(n, Event { at, conn: self.flow.conn, span: Some(span), kind: Kind::Skipped }, out);
        }
    }

    /// Bytes are missing: what is begun ends here, and nothing is known of what follows.
    pub(super) fn gap(&mut self, out: &mut Sink<'_>) {
        self.flush(out);
        self.tls.lose_place();
        self.lost = false;
    }

    /// The end of the transcript.
    pub(super) fn end(&mut self, out: &mut Sink<'_>) {
        self.flush(out);
    }

    /// Turns what is left into events, and forgets it.
    fn flush(&mut self, out: &mut Sink<'_>) {
        let rest = self.rest().to_vec();
        if !rest.is_empty() {
            let kind = self.unfinished(&rest);
            self.emit(rest.len(), kind, out);
        }
        if let Some((entry, held)) = self.held.take() {
            out(entry, held);
        }
        self.base += self.done as u64;
        self.chunks.clear();
        self.due = None;
        self.buf.clear();
        self.done = 0;
        self.text = text::State::default();
    }

    fn unfinished(&mut self, rest: &[u8]) -> Kind {
        if self.tls.in_record() || matches!(front(rest), Front::Record(_) | Front::Undecided) {
            return self.tls.cut_short(rest);
        }
        let due = self.due.unwrap_or(false) && self.flow.layer == Layer::Wire;
        self.text.cut_short(rest, self.flow.from, due)
    }
}

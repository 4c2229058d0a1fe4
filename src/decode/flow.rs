//! One flow: bytes in, events out, a unit at a time.

use std::collections::VecDeque;

use super::event::{Event, Kind, TLS_INSIDE_TLS};
use super::seek::{Found, More, Seek};
use super::unit::Unit;
use super::{Link, clearing, is_server, text, tls};
use crate::transcript::{Flow, Layer, Micros, Role, Span};
use crate::wire::tls::content;
use crate::wire::tls::handshake::Message;
use crate::wire::tls::record::{Front, front};
use crate::wire::tls::ssl2;

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
    /// Bytes were missing: where the flow makes sense again is not yet found.
    seek: Option<Seek>,
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
            seek: None,
            data: false,
            tls: tls::State::default(),
            text: text::State::default(),
        }
    }

    pub(super) fn feed(&mut self, data: &[u8], n: usize, at: Option<Micros>, link: &mut Link, out: &mut Sink<'_>) {
        let start = self.base + self.buf.len() as u64;
        self.chunks.push_back(Chunk { start, entry: n, at });
        self.buf.extend_from_slice(data);
        self.read(More::Maybe, link, out);
        if self.done > 64 * 1024 && self.done * 2 > self.buf.len() {
            self.buf.drain(..self.done);
            self.base += self.done as u64;
            self.done = 0;
        }
    }

    /// Reads what is here, as far as it can be told.
    fn read(&mut self, more: More, link: &mut Link, out: &mut Sink<'_>) {
        while self.buf.len() - self.done >= self.needs.max(1) {
            match self.unit(more, link) {
                Unit::Is(len, kind) => {
                    link.sealed.takes(self.flow.from, &kind);
                    self.emit(len, kind, out);
                }
                Unit::Needs(len) => {
                    self.needs = len.max(self.buf.len() - self.done + 1);
                    break;
                }
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.buf.get(self.done..).unwrap_or_default()
    }

    fn unit(&mut self, more: More, link: &mut Link) -> Unit {
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
        let found = self.seek.as_mut().map(|s| s.look(bytes, self.flow.from, link.role == Role::Control, more));
        match found {
            None | Some(Found::Place(0)) => self.seek = None,
            Some(Found::Undecided(0, len)) => return Unit::Needs(len),
            Some(Found::Place(len) | Found::Undecided(len, _)) => return Unit::Is(len, Kind::Undecoded),
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
            if let Some(unit) = ssl2(bytes, self.flow, link) {
                self.lost = matches!(unit, Unit::Is(_, Kind::Undecoded));
                return unit;
            }
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
    pub(super) fn skip(&mut self, len: u64, n: usize, at: Option<Micros>, link: &mut Link, out: &mut Sink<'_>) {
        let begun = self.rest().len();
        if let Some(kind) = self.tls.leave_open(self.buf.get(self.done..).unwrap_or_default()) {
            link.sealed.takes(self.flow.from, &kind);
            self.emit(begun, kind, out);
        } else if !self.tls.in_record() && self.flow.layer == Layer::Wire {
            link.sealed.skips(self.flow.from);
        }
        self.flush(More::No, link, out);
        self.tls.skip(len);
        let start = self.base;
        self.base = self.base.saturating_add(len);
        let span = Span { flow: self.flow, start, end: self.base };
        if len > 0 {
            self.push(n, Event { at, conn: self.flow.conn, span: Some(span), kind: Kind::Skipped }, out);
        }
    }

    /// Bytes are missing, so many if that is known: what is begun ends here.
    pub(super) fn gap(&mut self, len: Option<u64>, link: &mut Link, out: &mut Sink<'_>) {
        self.flush_search(More::No, link, out);
        let mut tls = self.tls;
        let is_known = tls.miss(self.rest(), len) && self.seek.is_none() && !self.lost;
        self.flush(More::No, link, out);
        self.tls = tls;
        self.seek = (!is_known).then(Seek::new);
        self.lost = false;
    }

    /// The evidence ends, or the sender does.
    pub(super) fn end(&mut self, more: More, link: &mut Link, out: &mut Sink<'_>) {
        self.flush(more, link, out);
    }

    /// Decides a search that nothing more will decide.
    fn flush_search(&mut self, more: More, link: &mut Link, out: &mut Sink<'_>) {
        if self.seek.is_some() {
            self.needs = 1;
            self.read(more, link, out);
        }
    }

    /// Turns what is left into events, and forgets it.
    fn flush(&mut self, more: More, link: &mut Link, out: &mut Sink<'_>) {
        self.flush_search(more, link, out);
        let rest = self.rest().to_vec();
        if !rest.is_empty() {
            let kind = self.unfinished(&rest, link);
            self.emit(rest.len(), kind, out);
        }
        if let Some((entry, held)) = self.held.take() {
            out(entry, held);
        }
        self.base += self.done as u64;
        self.chunks.clear();
        self.due = None;
        self.needs = 1;
        self.buf.clear();
        self.done = 0;
        self.text = text::State::default();
    }

    fn unfinished(&mut self, rest: &[u8], link: &Link) -> Kind {
        // The beginning of what is clear as a whole.
        let is_clear = !link.is_read && clearing::is_clear(&link.sealed, self.flow.from, rest);
        let due = self.due.unwrap_or(false) && self.flow.layer == Layer::Wire && !is_clear;
        if !self.tls.in_record() && self.flow.layer == Layer::Wire && !self.text.is_begun() {
            match ssl2::front(rest, sender(self.flow)) {
                ssl2::Front::Message(len) => {
                    let what = if is_server(self.flow.from) { "ServerHello" } else { "ClientHello" };
                    return Kind::CutShort { what, missing: len.checked_sub(rest.len()).map(|n| n as u64) };
                }
                ssl2::Front::Undecided if link.role != Role::Control && !due => return Kind::Data,
                _ => {}
            }
        }
        if self.tls.in_record() || matches!(front(rest), Front::Record(_) | Front::Undecided) {
            return self.tls.cut_short(rest);
        }
        self.text.cut_short(rest, self.flow.from, due)
    }
}

/// What stands at the front of a flow where SSL 2 is spoken, or a hello in its format begins.
fn ssl2(bytes: &[u8], flow: Flow, link: &mut Link) -> Option<Unit> {
    let is_spoken = link.version == Some(ssl2::VERSION);
    if link.version.is_some() && !is_spoken {
        return None;
    }
    match ssl2::front(bytes, sender(flow)) {
        ssl2::Front::Undecided => return Some(Unit::Needs(bytes.len() + 1)),
        ssl2::Front::Message(len) => {
            let Some(whole) = bytes.get(..len) else { return Some(Unit::Needs(len)) };
            let message = ssl2::parse(whole)?;
            link.tls_due |= !link.cleared;
            if matches!(message, Message::Ssl2ServerHello(_)) {
                link.version = Some(ssl2::VERSION);
            }
            return Some(Unit::Is(len, Kind::Handshake(message)));
        }
        ssl2::Front::Not => {}
    }
    // Its records are not read: what follows the hellos is encrypted, or the key that does it.
    is_spoken.then_some(Unit::Is(bytes.len(), Kind::Undecoded))
}

/// Who sends the bytes of a flow, as hellos of SSL 2 have it.
fn sender(flow: Flow) -> ssl2::Sender {
    if is_server(flow.from) { ssl2::Sender::Server } else { ssl2::Sender::Client }
}

//! What of a connection is kept. Of a data connection: handshakes, alerts and record headers; content is business data, of which
//! the length and, where it travelled in clear, the hash are kept, and of text where TLS was due as much as shows what it was.
//! Of a control connection all but what is encrypted.

use sha2::{Digest, Sha256};

use super::{Fidelity, Layer, Side, What};
use crate::wire::ftp::{may_begin_command, may_begin_reply};
use crate::wire::tls::content;
use crate::wire::tls::record::{Front, HEADER_LEN, front};

/// As much of clear text where TLS was due as a client reads for a record header.
const FIRST: usize = HEADER_LEN;

/// The same, when the text begins as an FTP reply does.
const REPLY: usize = 512;

/// Encrypted records whose headers are kept, in each direction: behind them only their bytes are counted, so that a peer who
/// sends a million small ones costs no more than one who sends a few.
const HEADERS: u32 = 256;

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They are kept.
    Kept,
    /// They are kept: text in clear on a control connection.
    Text,
    /// Only their number is kept: they are encrypted content.
    Encrypted,
    /// Only their number is kept: they are content in clear.
    Clear,
    /// They are not kept, and what they are is not known: where a record begins was missing before them.
    Unknown,
}

/// Cuts what passes on one connection.
#[derive(Debug, Default)]
pub struct Bulk {
    client: Flow,
    server: Flow,
    /// Whether one of the two spoke TLS.
    tls: bool,
    /// Whether it is a control connection.
    control: bool,
}

/// One direction.
#[derive(Debug, Default)]
struct Flow {
    /// The header of the record that begins; shorter than a whole one.
    header: Vec<u8>,
    /// What is left of a record, and whether it is kept.
    body: Option<(usize, bool)>,
    /// Encrypted records so far.
    records: u32,
    /// The beginning of what is no TLS.
    text: Option<Vec<u8>>,
    /// Bytes were missing, and where the next record begins is not known.
    lost: bool,
}

impl Bulk {
    /// For a control connection: a line of text is kept, and behind it a record or another line may begin.
    pub fn control() -> Self {
        Self { control: true, ..Self::default() }
    }

    /// What to write down of bytes in the order in which they passed: none is lost, some are only counted.
    pub fn cut(&mut self, from: Side, bytes: &[u8]) -> Vec<What> {
        let mut out = Vec::new();
        self.pass(from, bytes, |part, fate| push(&mut out, from, part, fate));
        out
    }

    /// The same without copying and without a hash: each part of the bytes, and what becomes of it.
    pub fn pass(&mut self, from: Side, bytes: &[u8], mut each: impl FnMut(&[u8], Fate)) {
        let (tls_before, control) = (&mut self.tls, self.control);
        let flow = if from == Side::Client { &mut self.client } else { &mut self.server };
        let mut rest = bytes;
        while !rest.is_empty() {
            let (len, fate) = flow.next(rest, *tls_before, control);
            *tls_before |= flow.body.is_some();
            let (part, behind) = rest.split_at_checked(len.max(1)).unwrap_or((rest, &[]));
            rest = behind;
            each(part, fate);
        }
    }

    /// Bytes of this side are missing; how many, if that is known.
    pub fn miss(&mut self, from: Side, len: Option<u64>) {
        let flow = if from == Side::Client { &mut self.client } else { &mut self.server };
        let missing = len.and_then(|len| usize::try_from(len).ok());
        match (flow.body, missing) {
            (Some((left, kept)), Some(missing)) if flow.header.is_empty() && missing <= left && left > 0 => {
                flow.body = Some((left - missing, kept));
            }
            // Text of a data connection stays text.
            _ if flow.text.is_some() && !self.control => {}
            _ => {
                (flow.body, flow.text, flow.lost) = (None, None, true);
                flow.header.clear();
            }
        }
    }
}

impl Flow {
    /// How many of the next bytes belong together, and what becomes of them.
    fn next(&mut self, rest: &[u8], tls_due: bool, control: bool) -> (usize, Fate) {
        if self.lost {
            return self.seek(rest, control);
        }
        if let Some(text) = &mut self.text {
            if !control {
                return text_in_clear(text, rest, tls_due);
            }
            return self.line(rest);
        }
        if let Some((left, kept)) = self.body.filter(|(left, _)| *left > 0) {
            let len = left.min(rest.len());
            self.body = Some((left - len, kept));
            return (len, if kept { Fate::Kept } else { Fate::Encrypted });
        }
        // The first byte of a header tells its type.
        let first = self.header.first().or(rest.first()).copied();
        let is_kept = self.records < HEADERS || first != Some(content::APPLICATION_DATA);
        let missing = HEADER_LEN.saturating_sub(self.header.len()).min(rest.len());
        self.header.extend_from_slice(rest.get(..missing).unwrap_or_default());
        let fate = if is_kept { Fate::Kept } else { Fate::Encrypted };
        match front(&self.header) {
            Front::Undecided => (missing, fate),
            Front::Record(header) => {
                self.header.clear();
                self.records = self.records.saturating_add(u32::from(header.content_type == content::APPLICATION_DATA));
                self.body = Some((usize::from(header.len), header.content_type != content::APPLICATION_DATA));
                (missing, fate)
            }
            Front::NotTls | Front::Malformed(_) => {
                // What was taken for the beginning of a header stands in the evidence already.
                let before = self.header.len() - missing;
                let mut text = core::mem::take(&mut self.header);
                text.truncate(before);
                if control {
                    self.text = Some(Vec::new());
                    return self.line(rest);
                }
                text_in_clear(self.text.insert(text), rest, tls_due)
            }
        }
    }

    /// Text on a control connection, as far as its line goes.
    fn line(&mut self, rest: &[u8]) -> (usize, Fate) {
        match rest.iter().position(|b| *b == b'\n') {
            Some(end) => {
                self.text = None;
                (end + 1, Fate::Text)
            }
            None => (rest.len(), Fate::Text),
        }
    }

    /// Behind missing bytes: where a record begins, or on a control connection a line.
    fn seek(&mut self, rest: &[u8], control: bool) -> (usize, Fate) {
        let is_record = |bytes: &[u8]| matches!(front(bytes), Front::Record(h) if h.len > 0 && h.version >= 0x0300);
        if is_record(rest) || control && (may_begin_reply(rest) || may_begin_command(rest)) {
            self.lost = false;
            return self.next(rest, true, control);
        }
        let fate = if control { Fate::Kept } else { Fate::Unknown };
        let next = (1..rest.len()).find(|n| rest.get(*n..).is_some_and(is_record));
        (next.unwrap_or(rest.len()), fate)
    }
}

/// Content in clear is counted; where TLS was due its beginning is the proof.
fn text_in_clear(seen: &mut Vec<u8>, rest: &[u8], tls_due: bool) -> (usize, Fate) {
    if !tls_due {
        return (rest.len(), Fate::Clear);
    }
    let sample: Vec<u8> = seen.iter().chain(rest).copied().take(FIRST).collect();
    let most = if may_begin_reply(&sample) { REPLY } else { FIRST };
    let len = most.saturating_sub(seen.len()).min(rest.len());
    if len == 0 {
        return (rest.len(), Fate::Clear);
    }
    seen.extend_from_slice(rest.get(..len).unwrap_or_default());
    (len, Fate::Kept)
}

/// Neighbours of one kind are one entry. Of what is encrypted a hash would tell nothing.
fn push(out: &mut Vec<What>, from: Side, part: &[u8], fate: Fate) {
    if matches!(fate, Fate::Kept | Fate::Text) {
        if let Some(What::Bytes { data, .. }) = out.last_mut() {
            return data.extend_from_slice(part);
        }
        let (layer, fidelity) = (Layer::Wire, Fidelity::Exact);
        out.push(What::Bytes { from, layer, data: part.to_vec(), fidelity });
    } else {
        let clear = fate == Fate::Clear;
        let sha256 = if clear { hex::encode(Sha256::digest(part)) } else { String::new() };
        if let Some(What::Skipped { len, .. }) = out.last_mut().filter(|_| !clear) {
            *len += part.len() as u64;
            return;
        }
        out.push(What::Skipped { from, layer: Layer::Wire, len: part.len() as u64, sha256 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kept bytes, and how many were only counted.
    fn cut(bulk: &mut Bulk, from: Side, bytes: &[u8], piece: usize) -> (Vec<u8>, u64) {
        let (mut kept, mut counted) = (Vec::new(), 0);
        for what in bytes.chunks(piece).flat_map(|b| bulk.cut(from, b)) {
            match what {
                What::Bytes { data, .. } => kept.extend(data),
                What::Skipped { len, .. } => counted += len,
                other => panic!("{other:?}"),
            }
        }
        (kept, counted)
    }

    #[test]
    fn handshakes_stay_and_content_is_counted() {
        let hello = [22, 3, 1, 0, 3, 1, 0, 0];
        let records = [&[22, 3, 3, 0, 2, 2, 0, 23, 3, 3, 0, 4][..], b"data", &[21, 3, 3, 0, 2, 1, 0]].concat();
        for piece in 1..30 {
            let mut bulk = Bulk::default();
            assert_eq!(cut(&mut bulk, Side::Client, &hello, piece), (hello.to_vec(), 0));
            let (kept, counted) = cut(&mut bulk, Side::Server, &records, piece);
            assert_eq!((kept.len(), counted), (records.len() - 4, 4), "pieces of {piece}");
            assert!(!kept.windows(4).any(|w| w == b"data"));
        }
    }

    #[test]
    fn a_million_small_records_are_few_entries() {
        let mut bulk = Bulk::default();
        let records = [23, 3, 3, 0, 1, 7].repeat(5_000);
        let entries: usize = records.chunks(16_384).map(|b| bulk.cut(Side::Server, b).len()).sum();
        assert!(entries < 2 * HEADERS as usize + 10, "{entries}");
        // An alert behind them stays readable.
        let alert = [21, 3, 3, 0, 2, 1, 0];
        assert!(matches!(&bulk.cut(Side::Server, &alert)[..], [What::Bytes { data, .. }] if *data == alert));
    }

    #[test]
    fn clear_text_is_counted_unless_tls_was_due() {
        for piece in 1..30 {
            let mut bulk = Bulk::default();
            assert_eq!(cut(&mut bulk, Side::Server, b"drwxr-xr-x secret", 7).1, 17);
            let mut bulk = Bulk::default();
            cut(&mut bulk, Side::Client, &[22, 3, 1, 0, 3, 1, 0, 0], 3);
            assert_eq!(cut(&mut bulk, Side::Server, b"drwxr-xr-x secret", piece), (b"drwxr".to_vec(), 12));
            let mut bulk = Bulk::default();
            cut(&mut bulk, Side::Client, &[22, 3, 1, 0, 3, 1, 0, 0], 3);
            assert_eq!(cut(&mut bulk, Side::Server, b"500 OOPS: no\r\n", piece).1, 0);
        }
    }

    #[test]
    fn a_control_connection_is_kept_but_for_what_is_encrypted() {
        let all = [
            &b"220 x\r\n"[..],
            &[22, 3, 3, 0, 2, 2, 0, 23, 3, 3, 0, 4],
            b"data",
            &[21, 3, 3, 0, 2, 1, 0],
            b"500 OOPS\r\n",
            &[23, 3, 3, 0, 4],
            b"data",
            b"550 x\r\n",
        ]
        .concat();
        for piece in 1..50 {
            let mut bulk = Bulk::control();
            let (kept, counted) = cut(&mut bulk, Side::Server, &all, piece);
            assert_eq!((kept.len(), counted), (all.len() - 8, 8), "pieces of {piece}");
            assert!(!kept.windows(4).any(|w| w == b"data"));
        }
    }

    #[test]
    fn behind_missing_bytes_the_next_record_is_sought() {
        let record = [&[23, 3, 3, 0, 8][..], b"contents"].concat();
        // Inside a record the place is known.
        let mut bulk = Bulk::control();
        assert_eq!(cut(&mut bulk, Side::Server, &record[..7], 9).1, 2);
        bulk.miss(Side::Server, Some(4));
        let rest = [&record[11..], b"221 x\r\n"].concat();
        assert_eq!(cut(&mut bulk, Side::Server, &rest, 9), (b"221 x\r\n".to_vec(), 2));
        // Elsewhere a header shows it; of a data connection nothing is kept before.
        bulk.miss(Side::Server, None);
        let torn = [&b"\x01\x02"[..], &record, b"221 x\r\n"].concat();
        assert_eq!(cut(&mut bulk, Side::Server, &torn, 99).1, 8);
        let mut bulk = Bulk::default();
        bulk.miss(Side::Server, None);
        assert_eq!(cut(&mut bulk, Side::Server, &torn[..15], 99).0, record[..5]);
    }
}

//! Where a flow makes sense again behind missing bytes.
//!
//! The first byte behind a gap may stand anywhere: inside a record, inside a line. What looks like a record or a reply
//! right there is taken for one. Further on a place must prove itself, by two record headers in a row or by a whole
//! line of FTP: ciphertext holds single headers by chance. Nothing is decided before the bytes that decide it are here,
//! so that chunks do not show; what a cut leaves undecided stays undecoded.

use super::is_server;
use crate::transcript::Side;
use crate::wire::tls::content;
use crate::wire::tls::record::{Front, HEADER_LEN, Header, front};
use crate::wire::{ebcdic, ftp};

/// Longest payload of an encrypted record (RFC 8446, 5.2): what is longer is no proof of a place.
const LONGEST: u16 = 16_384 + 256;

/// Longest line that proves a place.
const LONGEST_LINE: usize = 1024;

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A record or a line begins at this offset; what precedes it means nothing.
    Place(usize),
    /// None before this offset, and there it takes so many bytes of the flow to tell.
    Undecided(usize, usize),
}

/// What is known of the bytes at one offset.
enum Here {
    No,
    Yes,
    Needs(usize),
}

/// A search, and how far it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seek {
    /// Nothing has come behind the gap yet.
    first: bool,
    /// A line may begin here: behind the gap, or behind a line end.
    line: bool,
}

/// How the bytes that there are go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    /// More may come.
    Maybe,
    /// The evidence goes on with something else, or ends.
    No,
    /// Their sender said that these were the last: a record that ends with them is a place as well.
    Never,
}

impl Seek {
    /// Behind missing bytes.
    pub(super) fn new() -> Self {
        Self { first: true, line: true }
    }

    /// Looks for a place. What precedes the offset of the answer need not be looked at again.
    pub(super) fn look(&mut self, bytes: &[u8], from: Side, is_text: bool, more: More) -> Found {
        for at in 0..bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            let here = match record(rest, self.first, more == More::Never) {
                Here::No if self.line && is_text => text(rest, from, self.first),
                here => here,
            };
            match here {
                Here::Yes => return Found::Place(at),
                Here::Needs(len) if more == More::Maybe => return Found::Undecided(at, len),
                Here::Needs(_) | Here::No => *self = Self { first: false, line: rest.first() == Some(&b'\n') },
            }
        }
        Found::Undecided(bytes.len(), 1)
    }
}

/// Whether a record begins here.
fn record(rest: &[u8], first: bool, closed: bool) -> Here {
    let header = match front(rest) {
        Front::Record(header) => header,
        Front::Undecided => return Here::Needs(rest.len() + 1),
        Front::NotTls | Front::Malformed(_) => return Here::No,
    };
    if first {
        return Here::Yes;
    }
    let plausible = |h: Header| content::ALL.contains(&h.content_type) && (1..=LONGEST).contains(&h.len);
    if !plausible(header) {
        return Here::No;
    }
    let end = HEADER_LEN + usize::from(header.len);
    if closed && rest.len() == end {
        return Here::Yes;
    }
    match front(rest.get(end..).unwrap_or_default()) {
        Front::Record(next) if plausible(next) && next.version == header.version => Here::Yes,
        Front::Undecided => Here::Needs(rest.len().max(end) + 1),
        _ => Here::No,
    }
}

/// Whether a line of FTP begins here. Right behind the gap the code of a reply is enough, as it is everywhere.
fn text(rest: &[u8], from: Side, first: bool) -> Here {
    if is_server(from) {
        let code = rest.get(..4).unwrap_or(rest);
        let code = if first && code.first() >= Some(&0xf0) { ebcdic::decode(code) } else { code.to_vec() };
        match (ftp::may_begin_reply(&code), code.len() < 4) {
            (false, _) => return Here::No,
            (true, true) => return Here::Needs(4),
            (true, false) if first => return Here::Yes,
            (true, false) => {}
        }
    } else if !ftp::may_begin_command(rest) {
        return Here::No;
    }
    let shown = rest.get(..LONGEST_LINE).unwrap_or(rest);
    match shown.iter().find(|b| **b == b'\n' || !b.is_ascii() || !ftp::is_text(**b)) {
        Some(b'\n') => Here::Yes,
        None if shown.len() < LONGEST_LINE => Here::Needs(rest.len() + 1),
        _ => Here::No,
    }
}

#[cfg(test)]
mod tests {
    use crate::decode::{Kind, decode};
    use crate::transcript::dialogue;

    /// The events that have bytes, with their lengths.
    fn events(play: &str) -> Vec<(u64, Kind)> {
        let t = dialogue::parse(play).unwrap();
        decode(&t).events.into_iter().filter_map(|e| Some((e.span?.len(), e.kind))).collect()
    }

    fn opaque(content_type: u8, len: u16) -> (u64, Kind) {
        (u64::from(len) + 5, Kind::Opaque { content_type, len })
    }

    const FATAL: Kind = Kind::Alert { level: 2, description: 40 };

    #[test]
    fn behind_a_gap_only_what_reads_whole_is_clear() {
        let encrypted = "1503030008 022800112233aabb";
        assert_eq!(events(&format!("0 S gap\n1 S {encrypted}")), [opaque(21, 8)]);
        assert_eq!(events("0 S gap\n1 S 16030300080000000000000000"), [opaque(22, 8)]);
        assert_eq!(events("0 S gap\n1 S 15030300022a28"), [opaque(21, 2)]);
        assert_eq!(events("0 S gap\n1 S 15030300020228"), [(7, FATAL)]);
        // What reads whole shows that nothing is encrypted yet.
        let shown = events("0 S gap\n1 S 16030300040e000000 1603030004 ff000000");
        assert!(matches!(shown[..], [(9, Kind::Handshake(_)), (9, Kind::Handshake(_))]), "{shown:?}");
        assert_eq!(events("0 S gap\n1 S 140303000101 15030300020228"), [(6, Kind::ChangeCipherSpec), (7, FATAL)]);
    }

    #[test]
    fn a_gap_inside_a_record_keeps_the_place() {
        let (cut, lost) = (|n| Kind::CutShort { what: "TLS record", missing: Some(n) }, Kind::Undecoded);
        let tail = "17030300021122";
        assert_eq!(
            events(&format!("0 S 1703030008 0102\n1 S gap 3\n2 S aabb\n3 S cc {tail}")),
            [(7, cut(6)), (3, lost.clone()), opaque(23, 2)]
        );
        assert_eq!(events(&format!("0 S 1703030008 0102\n1 S gap 6\n2 S {tail}")), [(7, cut(6)), opaque(23, 2)]);
        // One byte more is missing: the place is lost, and one header is no proof of another.
        let shown = events(&format!("0 S 1703030008 0102\n1 S gap 7\n2 S aabb {tail}"));
        assert_eq!(shown, [(7, cut(6)), (9, lost)]);
    }

    #[test]
    fn two_headers_in_a_row_are_a_place() {
        let records = "17030300021122 1503030003334455";
        let begun = Kind::CutShort { what: "TLS record", missing: None };
        assert_eq!(
            events(&format!("0 S gap\n1 S aa1703bb {records} 1403")),
            [(4, Kind::Undecoded), opaque(23, 2), opaque(21, 3), (2, begun)]
        );
        // The last one of a side that closes needs no second.
        assert_eq!(events("0 S gap\n1 S aabb 15030300020228"), [(9, Kind::Undecoded)]);
        assert_eq!(events("0 S gap\n1 S aabb 15030300020228\n2 S closes"), [(2, Kind::Undecoded), (7, FATAL)]);
    }

    #[test]
    fn a_whole_line_is_a_place() {
        let kinds = |play: &str| events(play).into_iter().map(|(_, kind)| kind).collect::<Vec<_>>();
        let shown = kinds("0 S gap 9\n1 S \"dy\\r\\n230 in\\r\\n\"");
        assert!(matches!(&shown[..], [Kind::Undecoded, Kind::Reply(r)] if r.code == 230), "{shown:?}");
        let shown = kinds("0 C gap 9\n1 C \"cret\\r\\nPWD\\r\\n\"");
        assert!(matches!(&shown[..], [Kind::Undecoded, Kind::Command { verb, .. }] if verb == "PWD"), "{shown:?}");
        // The rest of a line is not said to stand where TLS was due; a reply is.
        let due = "0 C \"AUTH TLS\\r\\n\"\n1 S \"234 go\\r\\n\"\n2 S gap 5\n";
        let shown = kinds(&format!("{due}3 S \"failed\\r\\n\"\n"));
        assert_eq!(shown.last(), Some(&Kind::Undecoded));
        let shown = kinds(&format!("{due}3 S \"550 no\\r\\n\"\n"));
        assert!(matches!(shown.last(), Some(Kind::TextInsteadOfTls { reply: Some(r), .. }) if r.code == 550));
    }
}

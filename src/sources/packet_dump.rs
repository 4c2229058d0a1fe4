//! Hex in a formatted packet trace: sections with offsets, and text beside the hex in EBCDIC, ASCII, both, or none.
//!
//! The hex is authoritative. The text is cut off the line before anything else sees it: it may look like hex, like a reply of a
//! server, or hold a password.

use std::borrow::Cow;

use super::words::{Word, is_hex_group};

/// Bytes in a full line.
const LINE: usize = 16;

/// Bytes that are kept of one section: the largest IP packet.
const LONGEST: usize = 65_535;

/// Text beside a line has at most so many characters: sixteen in EBCDIC, sixteen in ASCII, and blanks.
const TEXT: usize = 40;

/// Which part of a packet is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Ip,
    Protocol,
    Data,
    /// No heading says what it is.
    Unnamed,
}

/// What one section shows.
#[derive(Debug, Default)]
struct Section {
    bytes: Vec<u8>,
    /// The length that its heading says.
    declared: Option<usize>,
    /// Lines are missing, or it came twice: what follows has no place.
    closed: bool,
}

/// The sections of one record, read word by word.
#[derive(Debug, Default)]
pub(super) struct Dump {
    sections: [Section; 4],
    part: Option<Part>,
    in_line: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    /// A line with an offset is to come.
    #[default]
    Between,
    Groups,
    /// Text, with the bar that ends it; so many characters may still come.
    Text(Option<char>, usize),
    /// Behind text: what looks like an offset may be more of it.
    Behind,
}

fn bar(word: &str) -> Option<char> {
    word.chars().next().filter(|c| is_bar(*c))
}

fn is_bar(c: char) -> bool {
    matches!(c, '*' | '|' | '\u{2502}' | '\u{a6}')
}

/// `000010`, `+0010`.
fn offset(word: &str) -> Option<usize> {
    let digits = word.strip_prefix('+').unwrap_or(word);
    let fits = (4..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    usize::from_str_radix(digits, 16).ok().filter(|_| fits)
}

impl Dump {
    /// A heading: what follows is this part.
    pub(super) fn begin(&mut self, part: Part) {
        self.part = Some(part);
        self.state = State::Between;
        let section = self.section();
        // A part that is shown twice says nothing new.
        section.closed |= !section.bytes.is_empty();
    }

    /// The length that a heading says.
    pub(super) fn declare(&mut self, len: usize) {
        if self.part.is_some() {
            self.section().declared.get_or_insert(len);
        }
    }

    /// Whether words are to come that only look like something else.
    pub(super) fn holds_fast(&self) -> bool {
        matches!(self.state, State::Text(Some(_), room) if room > 0)
    }

    /// The bytes of a part, and the length that its heading says.
    pub(super) fn part(&self, part: Part) -> (&[u8], Option<usize>) {
        self.sections.get(part as usize).map_or((&[], None), |s| (&s.bytes, s.declared))
    }

    fn section(&mut self) -> &mut Section {
        let [ip, protocol, data, unnamed] = &mut self.sections;
        match self.part {
            Some(Part::Ip) => ip,
            Some(Part::Protocol) => protocol,
            Some(Part::Data) => data,
            Some(Part::Unnamed) | None => unnamed,
        }
    }

    /// Whether a line of the dump begins at this word, which is the first of its line.
    pub(super) fn goes_on(&self, word: &str) -> bool {
        let len = self.part.and_then(|p| self.sections.get(p as usize)).map_or(0, |s| s.bytes.len());
        offset(word).is_some_and(|at| at == len || self.part.is_some() && at > len)
    }

    /// Takes a word if it belongs to the dump.
    pub(super) fn accept(&mut self, word: &Word) -> bool {
        let text = word.text.as_str();
        if self.begins_line(word) {
            return true;
        }
        match self.state {
            State::Between => false,
            State::Behind => !word.first,
            State::Groups => {
                if self.group(text) {
                    return true;
                }
                // Where all bytes are there, text has a bar in front; without one another section begins.
                let is_text = bar(text).is_some() || !word.first && !self.is_complete();
                if is_text {
                    self.state = State::Text(bar(text), TEXT);
                    self.text(text, true);
                } else {
                    self.state = State::Between;
                }
                is_text
            }
            State::Text(closer, room) => {
                // Text may be broken by a mail program; without a bar that ends it nobody knows.
                if word.first && (room == 0 || closer.is_none() && !word.after_full_line) {
                    self.state = State::Between;
                    return false;
                }
                self.text(text, false);
                true
            }
        }
    }

    /// Whether this word can be nothing but the next bytes: a group is due, and its section is not complete.
    pub(super) fn awaits(&self, word: &Word) -> bool {
        let section = self.part.and_then(|p| self.sections.get(p as usize));
        let due = section.and_then(|s| s.declared.map(|n| n.saturating_sub(s.bytes.len()))).unwrap_or(0);
        let n = word.text.len() / 2;
        self.state == State::Groups && !word.first && is_hex_group(&word.text) && n <= due && self.in_line + n <= LINE
    }

    fn is_complete(&mut self) -> bool {
        let section = self.section();
        section.declared.is_some_and(|n| section.bytes.len() >= n)
    }

    /// The line ends here, whatever it seemed to hold.
    pub(super) fn end_line(&mut self) {
        self.state = State::Between;
    }

    fn begins_line(&mut self, word: &Word) -> bool {
        let Some(at) = offset(&word.text) else { return false };
        let in_line = self.in_line;
        let is_signed = word.text.starts_with('+');
        let (state, first) = (self.state, word.first);
        let len = self.section().bytes.len();
        let whole = in_line == LINE || is_signed;
        let due = match state {
            State::Behind | State::Text(Some(_), _) if !first => false,
            State::Between if self.part.is_none() => first && at == 0,
            // A part that is shown twice begins at 0; other numbers in a heading are lengths.
            State::Between => at == len || at == 0 || first && at.is_multiple_of(LINE),
            State::Groups | State::Text(..) | State::Behind => at == len && (first || whole || state != State::Groups),
        };
        let lost = state != State::Between && first && at > len && at.is_multiple_of(LINE) && word.text.len() != 8;
        if !(due || lost) {
            return false;
        }
        self.part.get_or_insert(Part::Unnamed);
        let section = self.section();
        section.closed |= at != section.bytes.len();
        (self.state, self.in_line) = (State::Groups, 0);
        true
    }

    /// Takes a group of hex digits if one is due.
    fn group(&mut self, text: &str) -> bool {
        let n = text.len() / 2;
        let in_line = self.in_line;
        let section = self.section();
        let room = section.declared.unwrap_or(LONGEST).min(LONGEST).saturating_sub(section.bytes.len());
        if !is_hex_group(text) || in_line + n > LINE || n > room && !section.closed {
            return false;
        }
        if !section.closed {
            section.bytes.extend(hex::decode(text).unwrap_or_default());
        }
        self.in_line += n;
        true
    }

    /// Steps over a word of text.
    fn text(&mut self, text: &str, opens: bool) {
        let State::Text(closer, room) = self.state else { return };
        let closes = closer.is_some_and(|c| text.ends_with(c)) && !(opens && text.chars().count() == 1);
        let room = room.saturating_sub(text.chars().count() + 1);
        self.state = if closes || room == 0 { State::Behind } else { State::Text(closer, room) };
    }
}

/// The line without the text beside its hex: `000000 35353020 |....  550 |`, `3232302D *.... 220-*   10.7.1.61-3470`.
pub(super) fn without_text(line: &str) -> Cow<'_, str> {
    if !line.contains(is_bar) {
        return Cow::Borrowed(line);
    }
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, text)) = next_text(rest) {
        out.push_str(before);
        out.push(' ');
        rest = text;
    }
    if out.is_empty() {
        return Cow::Borrowed(line);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What stands before the first text beside hex, and what stands behind it.
fn next_text(line: &str) -> Option<(&str, &str)> {
    for (at, c) in line.char_indices().filter(|(_, c)| is_bar(*c)) {
        let (before, text) = line.split_at_checked(at)?;
        if !is_behind_hex(before) {
            continue;
        }
        let mut ends = text.char_indices().skip(1).take(TEXT).filter(|(_, x)| *x == c);
        let behind = |n: usize| text.get(n + c.len_utf8()..);
        let closes = |n: &usize| behind(*n).is_some_and(|b| b.is_empty() || b.starts_with([' ', '\t', '\u{a0}']));
        // One text in full, or two and a blank between them (of eight characters each in a SUMMARY); else up to the bar that
        // something follows.
        let widths: &[usize] = if c == '*' { &[18] } else { &[17, 34] };
        let at_width = |w: &usize| text.char_indices().nth(*w).filter(|(_, x)| *x == c).map(|(n, _)| n).filter(closes);
        let exact = widths.iter().find_map(at_width);
        if let Some(rest) = exact.or_else(|| ends.find_map(|(n, _)| Some(n).filter(closes))).and_then(behind) {
            return Some((before, rest));
        }
    }
    None
}

/// Whether a line of such a dump goes up to here: groups of eight digits, the last one shorter, behind an offset or not.
fn is_behind_hex(before: &str) -> bool {
    let mut words = before.split_whitespace().rev();
    // `00000000:` is another dump, whose reader knows its text.
    let front = words.clone().find(|w| !is_hex_group(w)).unwrap_or_default();
    if front.strip_suffix(':').is_some_and(|w| offset(w).is_some()) {
        return false;
    }
    let Some(last) = words.next().filter(|w| is_hex_group(w) && w.len() <= 8) else { return false };
    let full = |w: &str| w.len() == 8 && is_hex_group(w);
    full(last) || words.next().is_some_and(|w| full(w) || w.len() == 6 && offset(w).is_some() || w.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::super::words::split;
    use super::*;

    fn read(lines: &[&str], declared: Option<usize>) -> (Vec<u8>, usize) {
        let mut dump = Dump::default();
        dump.begin(Part::Data);
        if let Some(n) = declared {
            dump.declare(n);
        }
        let mut refused = 0;
        for (n, line) in lines.iter().enumerate() {
            for word in split(&without_text(line), n as u64 + 1, n > 0 && lines[n - 1].len() >= 58) {
                refused += usize::from(!dump.accept(&word));
            }
        }
        (dump.part(Part::Data).0.to_vec(), refused)
    }

    #[test]
    fn lines_in_every_dress() {
        for lines in [
            &["000000 35353020 544C5320 6E6F7420 686572  |........ .TLS. .. 550 TLS not her |"][..],
            &["000000 35353020 544C5320 6E6F7420 686572"],
            &["000000 35353020 544C5320 6E6F7420 686572 |550 TLS not her"],
            &["000000 35353020 544C5320 6E6F7420 686572 *550 TLS not her *"],
            &["+0000  35353020 544C5320 6E6F7420 686572 \u{2502} 550 TLS not her \u{2502}"],
            &["000000 35353020 544C5320 6E6F7420 686572 550 TLS FACE her"],
            &["000000 35353020 544C5320 6E6F7420 686572 |550 FACEFACE |000|"],
            &["000000", "35353020 544C5320", "6E6F7420 686572"],
        ] {
            assert_eq!(read(lines, None), (b"550 TLS not her".to_vec(), 0), "{lines:?}");
        }
        // The text of two lines, broken and joined.
        let two = "000000 30313233 34353637 38394142 43444546 |................ 0123456789ABCDEF|";
        let last = "000010 4748 |.. GH |";
        let want = (b"0123456789ABCDEFGH".to_vec(), 0);
        assert_eq!(read(&[two, last], None), want);
        assert_eq!(read(&[&format!("{two} {last}")], None), want);
        assert_eq!(read(&[&two[..68], &two[68..], last], None), want);
    }

    #[test]
    fn a_lost_line_ends_what_is_known() {
        let lines = ["000000 30313233 34353637 38394142 43444546", "000020 30313233 34353637 38394142 43444546"];
        assert_eq!(read(&lines, None), (b"0123456789ABCDEF".to_vec(), 0));
        let twice = [lines[0], lines[0]];
        assert_eq!(read(&twice, Some(16)).0, b"0123456789ABCDEF");
    }

    #[test]
    fn a_length_is_no_offset() {
        for heading in ["Length: 1448", "Length: 1440", "Length: 0012"] {
            let (bytes, refused) = read(&[heading, "000000 30313233"], Some(4));
            assert_eq!((bytes, refused), (b"0123".to_vec(), 2), "{heading}");
        }
    }

    #[test]
    fn text_beside_hex_goes_and_nothing_else() {
        for (line, want) in [
            ("   3232302D 2057656C *.......% 220- Wel*  10.7.1.61-3470", "   3232302D 2057656C    10.7.1.61-3470"),
            ("   50415353 20733363 *.... PASS s3*c*  10.7.1.61-3470", "   50415353 20733363    10.7.1.61-3470"),
            ("000000 54 |T |", "000000 54  "),
            ("220 a * b * c", "220 a * b * c"),
            ("00000000: 35353020 54 *550 T *", "00000000: 35353020 54 *550 T *"),
            ("> 000000 35353020 |550 | 000004 54 |T|", "> 000000 35353020   000004 54  "),
        ] {
            assert_eq!(without_text(line), want);
        }
    }
}

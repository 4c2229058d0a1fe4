//! Hex lines of a System SSL dump: offset, up to four groups of eight digits, a gutter between asterisks.
//! The hex is authoritative; the gutter is skipped, whatever it holds.

use super::words::{Word, is_hex, is_hex_group};

/// Bytes in a full line.
const LINE: usize = 16;

/// Reads the hex part of a dump, word by word.
#[derive(Debug, Default)]
pub(super) struct GskDump {
    pub bytes: Vec<u8>,
    /// Line of the input at which an offset jumped: lines are missing there.
    pub jump: Option<u64>,
    /// Offset of the first line, when it is not 0.
    pub begins_at: Option<usize>,
    in_line: usize,
    state: State,
}

#[derive(Debug, Default, PartialEq)]
enum State {
    #[default]
    Start,
    Groups,
    /// A group shorter than eight digits ended the bytes of this line.
    Short,
    Gutter {
        closed: bool,
    },
}

/// Whether a word is the offset of a dump line.
pub(super) fn is_offset(word: &str) -> bool {
    word.strip_suffix(':').is_some_and(|w| is_hex(w, 8))
}

impl GskDump {
    /// Takes a word if it belongs to the dump.
    pub(super) fn accept(&mut self, word: &Word) -> bool {
        let text = word.text.as_str();
        if is_offset(text) {
            return self.line(text, word.line);
        }
        match self.state {
            State::Start => false,
            State::Groups | State::Short if text.starts_with('*') => {
                self.state = State::Gutter { closed: text.len() > 1 && text.ends_with('*') };
                true
            }
            State::Groups if is_hex_group(text) && self.in_line + text.len() / 2 <= LINE => {
                let group = hex::decode(text).unwrap_or_default();
                self.in_line += group.len();
                self.bytes.extend(group);
                self.state = if text.len().is_multiple_of(8) { State::Groups } else { State::Short };
                true
            }
            State::Groups | State::Short if !word.first => {
                // A gutter that lost its asterisks.
                self.state = State::Gutter { closed: false };
                true
            }
            State::Gutter { closed: false } if !word.first || text.ends_with('*') => {
                self.state = State::Gutter { closed: text.ends_with('*') };
                true
            }
            _ => false,
        }
    }

    fn line(&mut self, offset: &str, number: u64) -> bool {
        let Ok(offset) = usize::from_str_radix(offset.trim_end_matches(':'), 16) else { return false };
        if self.state == State::Start {
            self.begins_at = (offset != 0).then_some(offset);
        } else {
            let expected = self.begins_at.unwrap_or(0) + self.bytes.len();
            if offset < expected {
                // Offsets begin anew: another dump.
                return false;
            }
            if offset > expected && self.jump.is_none() {
                self.jump = Some(number);
            }
        }
        (self.state, self.in_line) = (State::Groups, 0);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::split;
    use super::*;

    fn read(lines: &[&str]) -> (Vec<u8>, usize) {
        let mut dump = GskDump::default();
        let mut refused = 0;
        for (n, line) in lines.iter().enumerate() {
            for word in split(line, n as u64 + 1, false) {
                refused += usize::from(!dump.accept(&word));
            }
        }
        (dump.bytes, refused)
    }

    #[test]
    fn dumps_as_mail_leaves_them() {
        let whole = "    00000000: 35353020 54                           *550 T           *";
        for lines in [
            &[whole][..],
            &["00000000: 35353020 54 *550 T *"],
            &["00000000: 35353020 54 550 T"],
            &["00000000:35353020 54 *550 T", "*"],
            &["00000000: 3535302054"],
            &["00000000:", "35353020", "54", "*550", "T *"],
        ] {
            let (bytes, _) = read(lines);
            assert_eq!(bytes, b"550 T", "{lines:?}");
        }
    }

    #[test]
    fn prose_behind_a_dump_is_not_part_of_it() {
        let (bytes, refused) = read(&["00000000: 35353020 54 *550 T *", "The server seems to be", "objecting"]);
        assert_eq!((bytes.as_slice(), refused), (&b"550 T"[..], 6));
    }
}

//! Replies as they complete: only what a machine needs to know to go on. Reading them for a person is the decoder's.

use crate::wire::ftp::{LONGEST_LINE, LONGEST_REPLY, reply_line};

/// Collects the lines of a reply.
#[derive(Debug, Default)]
pub(super) struct Replies {
    line: Vec<u8>,
    /// Code of the multi-line reply that is open.
    open: Option<u16>,
    /// Bytes since the last final reply.
    len: usize,
    /// The last line of the last whole reply.
    last: Vec<u8>,
}

/// What the bytes so far come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A whole reply with this code, and how many bytes belong to it.
    Reply(u16, usize),
    /// It goes on.
    More,
    /// More than any reply needs: nothing that follows would change the picture.
    TooMuch,
}

impl Replies {
    /// Takes bytes up to the end of the first whole reply.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Heard {
        for (n, b) in bytes.iter().enumerate() {
            self.len += 1;
            if self.len > LONGEST_REPLY {
                return Heard::TooMuch;
            }
            if *b != b'\n' {
                // The beginning of a line says whether it is a reply.
                if self.line.len() < LONGEST_LINE {
                    self.line.push(*b);
                }
                continue;
            }
            let line = core::mem::take(&mut self.line);
            let Some(reply) = reply_line(&line) else { continue };
            match self.open {
                None if reply.last => return self.whole(reply.code, n + 1, &line),
                None => self.open = Some(reply.code),
                Some(code) if code == reply.code && reply.last => return self.whole(code, n + 1, &line),
                Some(_) => {}
            }
        }
        Heard::More
    }

    fn whole(&mut self, code: u16, len: usize, line: &[u8]) -> Heard {
        // Who says over and over that it begins, never ends.
        let len_so_far = if code < 200 { self.len } else { 0 };
        *self = Self { last: line.get(4..).unwrap_or_default().to_vec(), len: len_so_far, ..Self::default() };
        Heard::Reply(code, len)
    }

    /// The last line of the reply that was heard last, without its code.
    pub(super) fn last_line(&self) -> String {
        String::from_utf8_lossy(&self.last).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_complete_at_their_last_line() {
        let mut r = Replies::default();
        assert_eq!(r.hear(b"220-hello\r\n220 in the middle is the e"), Heard::More);
        assert_eq!(r.hear(b"nd\r\n331 next"), Heard::Reply(220, 4));
        assert_eq!(r.hear(b"noise\r\n234-a\r\n  234 b\r\n"), Heard::More);
        assert_eq!(r.hear(b"234 go\r\n"), Heard::Reply(234, 8));
    }

    #[test]
    fn replies_that_only_announce_others_end() {
        let mut r = Replies::default();
        let line = b"150 soon\r\n";
        let heard = (0..LONGEST_REPLY).map(|_| r.hear(line)).find(|heard| *heard == Heard::TooMuch);
        assert_eq!(heard, Some(Heard::TooMuch));
        assert_eq!(r.hear(b"226 done\r\n"), Heard::TooMuch);
    }

    #[test]
    fn an_endless_greeting_ends() {
        let mut r = Replies::default();
        assert_eq!(r.hear(&vec![b'x'; LONGEST_REPLY]), Heard::More);
        assert_eq!(r.hear(b"x"), Heard::TooMuch);
    }
}

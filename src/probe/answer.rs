//! How a server answers a ClientHello, as far as a machine needs to know to go on.

use crate::wire::tls::content;
use crate::wire::tls::record::{Front, HEADER_LEN, front};

/// The first thing that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// A TLS record.
    pub(super) tls: bool,
    /// A ServerHello.
    pub(super) hello: bool,
    /// A fatal alert.
    pub(super) alert: Option<u8>,
    /// Something that is no TLS.
    pub(super) not_tls: bool,
    /// An FTP reply that refuses.
    pub(super) refusal: bool,
    /// Its bytes, until it is known what they are.
    first: Vec<u8>,
}

impl Answer {
    /// Takes the next bytes; those behind the answer are ignored.
    pub(super) fn look(&mut self, bytes: &[u8]) {
        if self.tls || self.not_tls {
            return;
        }
        self.first.extend_from_slice(bytes);
        while self.judge() {}
    }

    /// Judges what stands in front; whether it was a warning, behind which the answer is still to come.
    fn judge(&mut self) -> bool {
        match front(&self.first) {
            Front::Undecided => return false,
            Front::NotTls | Front::Malformed(_) => {
                self.not_tls = true;
                // In ASCII or EBCDIC.
                self.refusal = matches!(self.first.first(), Some(b'4' | b'5' | 0xf4 | 0xf5));
            }
            Front::Record(header) => {
                let body = self.first.get(HEADER_LEN..).unwrap_or_default();
                match (header.content_type, body) {
                    (_, []) | (content::ALERT, [_]) => return false,
                    (content::ALERT, [2, description, ..]) => self.alert = Some(*description),
                    // A warning before the answer (unrecognized_name) is none.
                    (content::ALERT, [_, _, ..]) => {
                        self.first.drain(..HEADER_LEN + 2);
                        return true;
                    }
                    (content::HANDSHAKE, [2, ..]) => self.hello = true,
                    _ => {}
                }
                self.tls = true;
            }
        }
        self.first = Vec::new();
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: &[u8], piece: usize) -> Answer {
        let mut answer = Answer::default();
        bytes.chunks(piece).for_each(|b| answer.look(b));
        answer
    }

    #[test]
    fn a_warning_is_no_answer() {
        let bytes = [&[21, 3, 1, 0, 2, 1, 112][..], &[22, 3, 3, 0, 4, 2, 0, 0, 0]].concat();
        for piece in 1..=bytes.len() {
            assert!(answer(&bytes, piece).hello, "in pieces of {piece}");
        }
        assert_eq!(answer(&bytes[..7], 3), Answer::default());
    }

    #[test]
    fn refusals_are_told_from_greetings() {
        assert!(answer(b"550 no", 1).refusal && answer(b"\xf5\xf5\xf0", 1).refusal);
        assert!(!answer(b"220 hi", 1).refusal && answer(b"220 hi", 1).not_tls);
        assert_eq!(answer(&[21, 3, 3, 0, 2, 2, 40], 1).alert, Some(40));
    }
}

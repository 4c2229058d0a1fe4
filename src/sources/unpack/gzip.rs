//! The header and the trailer of a gzip member (RFC 1952).

use super::{State, Step, Unpack};

impl Unpack {
    /// RFC 1952, 2.3.
    pub(super) fn gzip_header(&mut self, data: &[u8]) -> Step {
        let Some(head) = data.get(..10) else { return Step::Needs };
        let &[0x1f, 0x8b, 8, flags, ..] = head else {
            self.broken("not gzip with deflate");
            return Step::Needs;
        };
        let mut at = 10;
        if flags & 4 != 0 {
            let Some(&[low, high]) = data.get(at..at + 2) else { return Step::Needs };
            at += 2 + usize::from(u16::from_le_bytes([low, high]));
        }
        // A name, a comment.
        for flag in [8, 16] {
            if flags & flag != 0 {
                let Some(end) = data.get(at..).and_then(|d| d.iter().position(|b| *b == 0)) else {
                    return Step::Needs;
                };
                at += end + 1;
            }
        }
        at += if flags & 2 != 0 { 2 } else { 0 };
        if data.len() < at {
            return Step::Needs;
        }
        self.begin(State::GzipBody);
        Step::Took(at)
    }

    pub(super) fn gzip_trailer(&mut self, data: &[u8]) -> Step {
        let Some(&[a, b, c, d, e, f, g, h]) = data.get(..8) else { return Step::Needs };
        let (sum, len) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        if sum != self.crc.sum() || len != self.member.1 as u32 {
            self.broken("damaged: its check sum is another");
            return Step::Needs;
        }
        self.state = State::GzipNext;
        Step::Took(8)
    }

    /// Members one behind the other are one file; zeros are the padding of tapes and data sets.
    pub(super) fn gzip_next(&mut self, data: &[u8]) -> Step {
        match data {
            [] | [0x1f] => Step::Needs,
            [0, ..] => Step::Took(data.iter().take_while(|b| **b == 0).count()),
            [0x1f, 0x8b, ..] => {
                self.state = State::GzipHeader;
                Step::Took(0)
            }
            _ => {
                self.broken("something else stands behind its end");
                Step::Needs
            }
        }
    }
}

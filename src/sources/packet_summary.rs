//! One packet of a SUMMARY report (CTRACE COMP(SYSTCPDA) SUMMARY), two lines: what it was, who sent it, and its first eight bytes.
//!
//! `IT    4 14:18:01.111074 4E3D 3454024896 1452693654 32768 ACK PSH             47 192.168.248.44-5000`
//! `                        3232302D 2057656C *.......% 220- Wel*                   10.7.1.61-3470`

use core::net::{IpAddr, SocketAddr};

use super::words::{Word, is_hex_group};
use crate::transcript::Micros;
use crate::transcript::clock::TimeOfDay;
use crate::wire::net::Flags;

/// Bytes of data that the report shows.
const SHOWN: usize = 8;

/// Numbers between the time and the address.
const NUMBERS: usize = 5;

/// Words of a packet that is no TCP.
const WORDS: usize = 24;

/// A packet that is being read.
#[derive(Debug)]
pub(super) struct Summary {
    /// Line of the input, from 1.
    pub line: u64,
    /// When.
    pub at: Micros,
    /// `T`, `U`, `I` and the like.
    pub protocol: char,
    /// Words that are still to be taken whatever they are.
    awaited: usize,
    words: usize,
    /// IpId, Seq_num, Ack_num, Wndw; and DatLn where no flags stand before it.
    numbers: Vec<u32>,
    flags: Option<u8>,
    len: Option<u32>,
    addresses: Vec<Option<SocketAddr>>,
    data: Vec<u8>,
    /// Inside the text beside the data.
    in_text: bool,
}

/// What a packet of TCP says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown<'a> {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    /// Bytes of data that it had.
    pub len: u32,
    /// The first of them.
    pub data: &'a [u8],
}

/// The packet that begins with these words: direction and protocol, number, time.
pub(super) fn begins(words: &[Word]) -> Option<Summary> {
    let word = |n: usize| words.get(n).map(|w| w.text.as_str()).unwrap_or_default();
    let mut kind = word(0).chars();
    let (Some('I' | 'O'), Some(protocol @ ('T' | 'U' | 'I' | 'G' | 'D' | 'P')), None) =
        (kind.next(), kind.next(), kind.next())
    else {
        return None;
    };
    let is_number = (1..=10).contains(&word(1).len()) && word(1).bytes().all(|b| b.is_ascii_digit());
    let at = TimeOfDay::parse(word(2)).filter(|_| is_number && word(2).contains('.'))?.0;
    let line = words.first().map_or(0, |w| w.line);
    let (numbers, addresses, data) = (Vec::new(), Vec::new(), Vec::new());
    let (flags, len, in_text, words) = (None, None, false, 0);
    Some(Summary { line, at, protocol, awaited: 3, words, numbers, flags, len, addresses, data, in_text })
}

/// The bit of a flag, by its name.
pub(super) fn flag(word: &str) -> Option<u8> {
    Some(match word.to_ascii_uppercase().as_str() {
        "FIN" => Flags::FIN,
        "SYN" => Flags::SYN,
        "RST" | "RESET" => Flags::RST,
        "PSH" | "PUSH" => Flags::PSH,
        "ACK" => Flags::ACK,
        "URG" => 0x20,
        "ECE" | "ECN" => 0x40,
        "CWR" => 0x80,
        _ => return None,
    })
}

/// `10.7.1.61-3470`; `Some(None)` for one that was made unreadable (`9.xx.yyy.zz-21`).
fn address(word: &str) -> Option<Option<SocketAddr>> {
    let (ip, port) = word.rsplit_once('-')?;
    let port: u16 = port.parse().ok()?;
    match ip.parse::<IpAddr>() {
        Ok(ip) => Some(Some(SocketAddr::new(ip.to_canonical(), port))),
        Err(_) => (ip.split('.').count() == 4).then_some(None),
    }
}

impl Summary {
    /// Takes the next word if it belongs to the packet.
    pub(super) fn accept(&mut self, word: &Word) -> bool {
        if self.awaited > 0 {
            self.awaited -= 1;
            return true;
        }
        if self.protocol != 'T' {
            return self.accept_other(word);
        }
        let text = word.text.as_str();
        match self.addresses.len() {
            0 => self.accept_first(text),
            1 => self.accept_second(text),
            _ => false,
        }
    }

    /// Up to the address of the sender.
    fn accept_first(&mut self, text: &str) -> bool {
        if let Some(address) = address(text) {
            self.addresses.push(address);
            return true;
        }
        if let Some(flag) = flag(text) {
            self.flags = Some(self.flags.unwrap_or(0) | flag);
            return self.numbers.len() >= NUMBERS - 2;
        }
        if self.flags.is_some() {
            let len = text.parse().ok().filter(|_| self.len.is_none());
            self.len = self.len.or(len);
            return len.is_some();
        }
        // The IpId is hex, and nobody needs it.
        let number = text.parse().ok().or_else(|| (self.numbers.is_empty() && is_hex_group(text)).then_some(0));
        self.numbers.extend(number.filter(|_| self.numbers.len() < NUMBERS));
        number.is_some()
    }

    /// Data and the text beside it, up to the address of the receiver.
    fn accept_second(&mut self, text: &str) -> bool {
        if let Some(address) = address(text) {
            self.addresses.push(address);
            return true;
        }
        if self.in_text {
            self.words += 1;
            self.in_text = !text.ends_with('*');
            return self.words < WORDS;
        }
        if text.starts_with('*') {
            self.in_text = !(text.len() > 1 && text.ends_with('*'));
            return true;
        }
        let shown = SHOWN.min(self.shown_len()).saturating_sub(self.data.len());
        let group = hex::decode(text).ok().filter(|g| g.len() == shown.min(4));
        self.data.extend(group.iter().flatten());
        // The number of a line, in front of the data.
        group.is_some() || text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit())
    }

    /// Bytes of data that the packet had.
    fn shown_len(&self) -> usize {
        self.len.or(self.numbers.get(NUMBERS - 1).copied()).unwrap_or(0) as usize
    }

    /// A packet that is only counted: the line, and the one with the other address.
    fn accept_other(&mut self, word: &Word) -> bool {
        self.words += 1;
        let looks = address(&word.text).is_some()
            || word.text.parse::<IpAddr>().is_ok()
            || is_hex_group(&word.text) && word.text.len() == 8
            || word.text.starts_with('*');
        self.words <= WORDS && (!word.first || looks)
    }

    /// Whether words are to come.
    pub(super) fn holds_fast(&self) -> bool {
        self.protocol == 'T' && self.addresses.len() < 2
    }

    /// The packet, if it is whole.
    pub(super) fn shown(&self) -> Option<Shown<'_>> {
        let [Some(from), Some(to)] = *self.addresses.as_slice() else { return None };
        let mut numbers = self.numbers.clone();
        let len = match self.len {
            Some(len) => len,
            None => numbers.pop()?,
        };
        // From the end: an IpId that is missing moves nothing.
        let _window = numbers.pop()?;
        let (ack, seq) = (numbers.pop()?, numbers.pop()?);
        let data = self.data.get(..self.data.len().min(len as usize)).unwrap_or_default();
        Some(Shown { from, to, seq, ack, flags: self.flags.unwrap_or(0), len, data })
    }
}

#[cfg(test)]
mod tests {
    use super::super::packet_dump::without_text;
    use super::super::words::split;
    use super::*;

    /// The words that were refused, and the packet.
    fn read(lines: &[&str]) -> (Vec<String>, Summary) {
        let lines = lines.iter().zip(1u64..);
        let words: Vec<Word> = lines.flat_map(|(l, n)| split(&without_text(l), n, false)).collect();
        let mut summary = begins(&words).unwrap();
        let refused = words.iter().filter(|w| !summary.accept(w)).map(|w| w.text.clone()).collect();
        (refused, summary)
    }

    #[test]
    fn two_lines_are_a_packet() {
        let one = "IT    4 14:18:01.111074 4E3D 3454024896 1452693654 32768 ACK PSH             47 192.168.248.44-5000";
        let two = "                        3232302D 2057656C *.......% 220- Wel*                   10.7.1.61-3470";
        let broken = ["IT    4 14:18:01.111074 4E3D 3454024896 1452693654 32768 ACK PSH", "  47 192.168.248.44-5000"];
        for lines in [
            &[one, two][..],
            &[&format!("{one} {two}")],
            &[broken[0], broken[1], two],
            &[one, "3232302D 2057656C *.......% 220-", "Wel* 10.7.1.61-3470"],
            &[one, "3232302D 2057656C", "10.7.1.61-3470"],
        ] {
            let (refused, summary) = read(lines);
            assert!(refused.is_empty(), "{lines:?}: {refused:?}");
            let shown = summary.shown().unwrap();
            assert_eq!(shown.from, "192.168.248.44:5000".parse().unwrap());
            assert_eq!(shown.to, "10.7.1.61:3470".parse().unwrap());
            assert_eq!((shown.seq, shown.ack, shown.len), (3_454_024_896, 1_452_693_654, 47));
            assert_eq!((shown.flags, shown.data), (Flags::ACK | Flags::PSH, &b"220- Wel"[..]));
        }
        let (_, syn) =
            read(&["OT 1 14:18:00.447462 19E6 1452693653 0 32768 SYN 0 10.7.1.61-3470", "192.168.248.44-21"]);
        let shown = syn.shown().unwrap();
        assert_eq!((shown.seq, shown.flags, shown.len, shown.to.port()), (1_452_693_653, Flags::SYN, 0, 21));
    }

    #[test]
    fn what_is_none_is_refused() {
        let at = |line: &str| begins(&split(line, 1, false)).is_some();
        assert!(!at("IT is 14:18 now") && !at("ITEM 4 14:18:01.1") && !at("IT 4 14:18:01"));
        let one = "OT 3 14:18:00.601917 1A00 1452693654 3454024896 32768 ACK 0 10.7.1.61-3470";
        let (refused, cut) = read(&[one, "and then nothing happened"]);
        assert_eq!((refused.len(), cut.shown()), (4, None));
        let (refused, masked) = read(&[&one.replace("10.7.1.61", "10.x.y.61"), "192.168.248.44-5000"]);
        assert!(refused.is_empty() && masked.shown().is_none());
        let (refused, udp) = read(&["IU 9 14:18:03.373175 4E3F 57 10.7.1.1-53", "10.7.1.61-1025", "Regards, Joe"]);
        assert_eq!((refused.first().map(String::as_str), udp.protocol), (Some("Regards,"), 'U'));
    }
}

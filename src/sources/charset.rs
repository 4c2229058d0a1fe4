//! Bytes of a file to text: UTF-8, UTF-16 of either byte order, EBCDIC, else Latin-1 byte by byte.

use std::borrow::Cow;

use crate::wire::ebcdic;

/// The character set of an input, decided once from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Utf16 { big_endian: bool },
    Ebcdic,
}

/// Looks at the beginning of an input.
pub(super) fn detect(head: &[u8]) -> Charset {
    match head {
        [0xff, 0xfe, ..] => return Charset::Utf16 { big_endian: false },
        [0xfe, 0xff, ..] => return Charset::Utf16 { big_endian: true },
        _ => {}
    }
    let pairs = head.as_chunks::<2>().0;
    let zero = |at: usize| pairs.iter().filter(|p| p.get(at) == Some(&0)).count();
    // Latin letters in UTF-16 without a byte order mark: every other byte is zero.
    if pairs.len() >= 4 && zero(1) * 10 >= pairs.len() * 9 && zero(0) == 0 {
        return Charset::Utf16 { big_endian: false };
    }
    if pairs.len() >= 4 && zero(0) * 10 >= pairs.len() * 9 && zero(1) == 0 {
        return Charset::Utf16 { big_endian: true };
    }
    let ascii = head.iter().filter(|b| b.is_ascii_alphanumeric() || **b == b' ').count();
    let blanks = head.iter().filter(|b| **b == 0x40).count();
    let text = head.iter().filter(|b| ebcdic::is_text(**b)).count();
    if head.len() >= 16 && text * 20 >= head.len() * 19 && ascii * 5 < head.len() && blanks * 20 >= head.len() {
        return Charset::Ebcdic;
    }
    Charset::Utf8
}

/// Lengths of records in data sets that hold a job's output: cards, and print lines with and without their control characters.
const RECORDS: [usize; 5] = [80, 133, 121, 132, 137];

/// The length of the records of a text in EBCDIC that has no line ends, as a transfer in binary leaves it: what makes nearly every
/// record end in a blank and the next one begin with text. `None` where it has line ends, or no length fits.
pub(super) fn record_length(head: &[u8]) -> Option<usize> {
    if head.iter().any(|b| matches!(ebcdic::to_latin1(*b), b'\n' | b'\r')) {
        return None;
    }
    let fits = |len: usize| {
        let records: Vec<&[u8]> = head.chunks_exact(len).collect();
        let text = |b: Option<&u8>| b.is_some_and(|b| *b != BLANK);
        // Behind a control character, which may be blank, the text begins.
        let begins = records.iter().skip(1).filter(|r| text(r.first()) || text(r.get(1)));
        let ends = records.iter().filter(|r| r.last() == Some(&BLANK));
        let (begin, end) = (begins.count(), ends.count());
        let n = records.len();
        (n >= 2 && (begin + 1) * 10 >= n * 9 && end * 10 >= n * 7).then(|| (begin + end) * 1000 / n)
    };
    RECORDS
        .iter()
        .filter_map(|len| Some((fits(*len)?, *len)))
        .max_by_key(|(fit, len)| (*fit, *len == 80))
        .map(|(_, l)| l)
}

/// A blank in EBCDIC.
const BLANK: u8 = 0x40;

/// Turns one line (as bytes, without its line end) into text.
pub(super) fn decode(charset: Charset, line: &[u8]) -> Cow<'_, str> {
    match charset {
        Charset::Utf8 => match std::str::from_utf8(line) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(line.iter().map(|b| char::from(*b)).collect()),
        },
        Charset::Utf16 { big_endian } => {
            let units = line
                .as_chunks::<2>()
                .0
                .iter()
                .map(|p| if big_endian { u16::from_be_bytes(*p) } else { u16::from_le_bytes(*p) });
            let text = char::decode_utf16(units)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .filter(|c| *c != '\u{feff}')
                .collect();
            Cow::Owned(text)
        }
        Charset::Ebcdic => Cow::Owned(ebcdic::decode(line).into_iter().map(char::from).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_one_length_are_found() {
        let texts = ["EZA1450I IBM FTP CS", "220 x y", "EZA1701I >>> AUTH TLS", "234 go ahead", "EZA2897I failed"];
        let ebcdic = |len: usize, front: &str| -> Vec<u8> {
            let record = |t: &&str| format!("{:<len$}", format!("{front}{t}"));
            let text: String = texts.iter().cycle().take(20).map(record).collect();
            text.bytes().map(|b| (0..=255).find(|e| ebcdic::to_latin1(*e) == b).unwrap()).collect()
        };
        assert_eq!(record_length(&ebcdic(80, "")), Some(80));
        assert_eq!(record_length(&ebcdic(133, " ")), Some(133));
        assert_eq!(record_length(&ebcdic(121, "1")), Some(121));
        assert_eq!(record_length(&ebcdic(80, "")[..100]), None);
        assert_eq!(record_length(&ebcdic(97, "")), None);
        assert_eq!(record_length(&ebcdic(23, "")), None);
    }

    #[test]
    fn character_sets_are_told_apart() {
        let utf16 = |s: &str, be: bool| {
            s.encode_utf16().flat_map(|u| if be { u.to_be_bytes() } else { u.to_le_bytes() }).collect::<Vec<u8>>()
        };
        assert_eq!(detect(b"S0W1      MESSAGE   00000008"), Charset::Utf8);
        assert_eq!(detect(&utf16("S0W1 MESSAGE", false)), Charset::Utf16 { big_endian: false });
        assert_eq!(detect(&utf16("S0W1 MESSAGE", true)), Charset::Utf16 { big_endian: true });
        assert_eq!(detect(&utf16("\u{feff}S0", false)), Charset::Utf16 { big_endian: false });
        let ebcdic =
            [0xE2, 0xF0, 0xE6, 0xF1, 0x40, 0x40, 0xD4, 0xC5, 0xE2, 0xE2, 0xC1, 0xC7, 0xC5, 0x40, 0xF0, 0xF0, 0x15];
        assert_eq!(detect(&ebcdic), Charset::Ebcdic);
        assert_eq!(decode(Charset::Ebcdic, &ebcdic), "S0W1  MESSAGE 00\n");
        assert_eq!(record_length(&ebcdic), None);
        assert_eq!(decode(Charset::Utf8, b"gr\xfc\xdfe"), "grüße");
    }
}

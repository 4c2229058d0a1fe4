//! The little DER that is needed around certificates: what a file holds, and names without their header.

/// Tag of a SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// Tag of an INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// Tag of an OBJECT IDENTIFIER.
pub(super) const OID: u8 = 0x06;
/// Tag of `[0]`, constructed.
pub(super) const CONTEXT_0: u8 = 0xa0;

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// Its tag (one byte: larger tags occur in no certificate).
    pub(super) tag: u8,
    /// Its content.
    pub(super) content: &'a [u8],
    /// The element with its header.
    pub(super) whole: &'a [u8],
}

/// Cuts the first element off; `None` when there is no whole one.
pub(super) fn first(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (tag, after_tag) = bytes.split_first()?;
    let (len, after_len) = after_tag.split_first()?;
    let (len, body) = match *len {
        short @ 0..=0x7f => (usize::from(short), after_len),
        0x81..=0x84 => {
            let (digits, body) = after_len.split_at_checked(usize::from(len & 0x7f))?;
            (digits.iter().fold(0, |n, d| n << 8 | usize::from(*d)), body)
        }
        _ => return None,
    };
    let (content, rest) = body.split_at_checked(len)?;
    let (whole, _) = bytes.split_at_checked(bytes.len() - rest.len())?;
    Some((Element { tag: *tag, content, whole }, rest))
}

/// All elements of a content, as far as they are whole.
pub(super) fn elements(mut bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    core::iter::from_fn(move || {
        let (element, rest) = first(bytes)?;
        bytes = rest;
        Some(element)
    })
}

/// The content of the first element.
pub(super) fn content(bytes: &[u8]) -> Option<&[u8]> {
    first(bytes).map(|(e, _)| e.content)
}

/// A content with the header of a SEQUENCE before it.
pub(super) fn sequence(content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let mut out = vec![SEQUENCE];
    match u8::try_from(len) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let digits: Vec<u8> = len.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
            out.push(0x80 | digits.len() as u8);
            out.extend(digits);
        }
    }
    out.extend_from_slice(content);
    out
}

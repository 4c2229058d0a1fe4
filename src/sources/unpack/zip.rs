//! The records of a zip archive (APPNOTE.TXT 6.3.10, 4.3) that stand around a file in it.

use crate::wire::printable_str;

/// What a data descriptor usually begins with.
pub(super) const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// A data descriptor with its signature and lengths of eight bytes.
pub(super) const LONGEST_DESCRIPTOR: usize = 24;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
    Other(u16),
}

/// The header in front of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Local {
    /// The name, printable.
    pub name: String,
    pub method: Method,
    pub encrypted: bool,
    /// A descriptor behind the file has its check sum and lengths.
    pub described: bool,
    pub sum: u32,
    /// Packed length; `None` where only the descriptor has it.
    pub packed: Option<u64>,
    /// Length of the header itself.
    pub header: usize,
}

impl Local {
    /// Folders, and what macOS puts beside each file.
    pub(super) fn is_beside_the_point(&self) -> bool {
        self.name.ends_with('/') || self.name.starts_with("__MACOSX/")
    }
}

/// What stands at the front of an archive's next record.
pub(super) enum Front {
    Local(Local),
    /// The directory, or the end: there are no more files.
    Directory,
    Other,
    /// More bytes are needed.
    Needs,
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk().map(|b| u16::from_le_bytes(*b))
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..)?.first_chunk().map(|b| u64::from_le_bytes(*b))
}

/// The record at the front.
pub(super) fn front(data: &[u8]) -> Front {
    match data {
        [b'P', b'K', 3, 4, ..] => local(data).map_or(Front::Needs, Front::Local),
        [b'P', b'K', 1, 2, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 6, 6 | 8, ..] => Front::Directory,
        [] | [b'P'] | [b'P', b'K'] | [b'P', b'K', _] => Front::Needs,
        _ => Front::Other,
    }
}

/// Bytes of a local header before the name.
const FIXED: usize = 30;

fn local(data: &[u8]) -> Option<Local> {
    let (flags, method) = (u16_at(data, 6)?, u16_at(data, 8)?);
    let (sum, short) = (u32_at(data, 14)?, u32_at(data, 18)?);
    let (name_len, extra_len) = (usize::from(u16_at(data, 26)?), usize::from(u16_at(data, 28)?));
    let name = data.get(FIXED..FIXED + name_len)?;
    let extra = data.get(FIXED + name_len..FIXED + name_len + extra_len)?;
    let described = flags & 8 != 0;
    let long = short == u32::MAX;
    let packed = if long { zip64(extra) } else { Some(u64::from(short)) };
    let method = match method {
        0 => Method::Stored,
        8 => Method::Deflated,
        n => Method::Other(n),
    };
    Some(Local {
        name: printable_str(&String::from_utf8_lossy(name)),
        method,
        encrypted: flags & 1 != 0,
        described,
        sum,
        packed: packed.filter(|n| !described || *n > 0),
        header: FIXED + name_len + extra_len,
    })
}

/// The packed length of the zip64 extra field (4.5.3): behind the unpacked one.
fn zip64(extra: &[u8]) -> Option<u64> {
    let mut rest = extra;
    loop {
        let (id, len) = (u16_at(rest, 0)?, usize::from(u16_at(rest, 2)?));
        let body = rest.get(4..4 + len)?;
        if id == 1 {
            return u64_at(body, 8);
        }
        rest = rest.get(4 + len..)?;
    }
}

/// The length of a data descriptor at the front that fits check sum, packed and unpacked length. Its signature may be left out, and
/// its lengths have four bytes or eight; another record follows.
pub(super) fn descriptor(data: &[u8], sum: u32, (packed, unpacked): (u64, u64)) -> Option<usize> {
    let fits = |signed: bool, long: bool| {
        let at = if signed { 4 } else { 0 };
        let (p, u) = if long {
            (u64_at(data, at + 4)?, u64_at(data, at + 12)?)
        } else {
            (u64::from(u32_at(data, at + 4)?), u64::from(u32_at(data, at + 8)?))
        };
        let len = at + if long { 20 } else { 12 };
        let (wide, narrow) = ((packed, unpacked), (u64::from(packed as u32), u64::from(unpacked as u32)));
        let same = u32_at(data, at)? == sum && (p, u) == if long { wide } else { narrow };
        let signature = !signed || data.starts_with(&DESCRIPTOR);
        (same && signature && data.get(len..)?.starts_with(b"PK")).then_some(len)
    };
    [(true, false), (true, true), (false, false), (false, true)].into_iter().find_map(|(s, l)| fits(s, l))
}

/// The same behind a file that was skipped, of which only the packed length is known.
pub(super) fn skipped(data: &[u8], packed: u64) -> Option<usize> {
    let fits = |signed: bool, long: bool| {
        let at = if signed { 4 } else { 0 };
        let p = if long { u64_at(data, at + 4)? } else { u64::from(u32_at(data, at + 4)?) };
        let len = at + if long { 20 } else { 12 };
        let same = p == if long { packed } else { u64::from(packed as u32) };
        (same && data.get(len..)?.starts_with(b"PK") && (!signed || data.starts_with(&DESCRIPTOR))).then_some(len)
    };
    [(true, false), (true, true), (false, false), (false, true)].into_iter().find_map(|(s, l)| fits(s, l))
}

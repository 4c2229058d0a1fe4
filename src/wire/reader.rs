//! The one place where lengths are checked: a cursor over bytes that never panics.

/// Reads big-endian numbers and length-prefixed parts from the front of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `len` bytes; `None`, and nothing taken, when there are fewer.
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(len)?;
        self.rest = tail;
        Some(head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.take(1).and_then(|b| b.first().copied())
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        self.take(2).and_then(|b| b.try_into().ok()).map(u16::from_be_bytes)
    }

    /// Three bytes.
    pub fn u24(&mut self) -> Option<u32> {
        match self.take(3)? {
            [a, b, c] => Some(u32::from_be_bytes([0, *a, *b, *c])),
            _ => None,
        }
    }

    /// A part behind a one-byte length.
    pub fn part8(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = usize::from(ahead.u8()?);
        let part = ahead.take(len)?;
        *self = ahead;
        Some(part)
    }

    /// A part behind a two-byte length.
    pub fn part16(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = usize::from(ahead.u16()?);
        let part = ahead.take(len)?;
        *self = ahead;
        Some(part)
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// All two-byte numbers of a part; `None` when its length is odd.
pub fn u16_list(part: &[u8]) -> Option<Vec<u16>> {
    let (pairs, rest) = part.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|p| u16::from_be_bytes(*p)).collect())
}

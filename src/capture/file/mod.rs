//! Capture files: pcap and pcapng, in both byte orders, as a stream of packets.
//!
//! Bytes come in pieces of any size; only a packet that straddles two pieces is put together. A length that lies costs a
//! bounded search for the next packet, and what was left out is said.

mod pcap;
mod pcapng;
mod search;

use crate::error::Damage;

/// Longest packet or block that is believed.
const LONGEST: u32 = 16 << 20;

/// As far as is searched for the next packet behind bytes that are none.
const SEARCHED: u64 = 1 << 20;

/// Longest run of zeros at the end that is the padding of a data set with fixed records: one block on z/OS.
const PADDING: u64 = 27_998;

/// Bytes that are kept ready for what straddles two pieces.
const ROOM: usize = 1 << 20;

/// Remarks that are kept of one file.
const REMARKS: usize = 64;

/// What fractions of seconds count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Micro,
    /// Nanoseconds.
    Nano,
}

/// The kind of file, from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The format of libpcap.
    Pcap {
        /// Whether numbers are little-endian.
        swapped: bool,
        /// What the times count.
        unit: Unit,
        /// Whether records have the longer header of Kuznetzov's libpcap.
        modified: bool,
    },
    /// The block format of Wireshark.
    Pcapng,
}

impl Format {
    /// `pcap` or `pcapng`, as reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Pcap { .. } => "pcap",
            Format::Pcapng => "pcapng",
        }
    }
}

/// The format that begins so; `None` when it is no capture that is read here, or fewer than 12 bytes leave it open.
pub fn format(head: &[u8]) -> Option<Format> {
    let pcap = |swapped, unit, modified| Some(Format::Pcap { swapped, unit, modified });
    match head {
        [0xa1, 0xb2, 0xc3, 0xd4, ..] => pcap(false, Unit::Micro, false),
        [0xd4, 0xc3, 0xb2, 0xa1, ..] => pcap(true, Unit::Micro, false),
        [0xa1, 0xb2, 0x3c, 0x4d, ..] => pcap(false, Unit::Nano, false),
        [0x4d, 0x3c, 0xb2, 0xa1, ..] => pcap(true, Unit::Nano, false),
        [0xa1, 0xb2, 0xcd, 0x34, ..] => pcap(false, Unit::Micro, true),
        [0x34, 0xcd, 0xb2, 0xa1, ..] => pcap(true, Unit::Micro, true),
        _ => pcapng::begins(head).then_some(Format::Pcapng),
    }
}

/// Captures that are not read here: the name of the format, and how to get one that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What it is.
    pub name: &'static str,
    /// What to do, imperative.
    pub advice: &'static str,
}

/// Whether an input begins as a capture in a format that others write.
pub fn foreign(head: &[u8]) -> Option<Foreign> {
    const CONVERT: &str = "convert it: editcap -F pcap INPUT OUTPUT";
    const SNIFFER: &str = "convert it: editcap -F pcap INPUT OUTPUT; or, where a z/OS packet trace was exported, ask for the \
                           TCPDUMP format: SNIFFER(65535 TCPDUMP)";
    let known: [(&[u8], &str, &str); 7] = [
        (b"TRSNIFF data    \x1a", "a Sniffer (NAI) capture", SNIFFER),
        (b"RTSS", "a Microsoft Network Monitor 1 capture", CONVERT),
        (b"GMBU", "a Microsoft Network Monitor 2 capture", CONVERT),
        (b"XCP\0", "a NetXRay capture", CONVERT),
        (b"snoop\0\0\0", "a Solaris snoop capture", CONVERT),
        (b"iptrace 1.0", "an AIX iptrace capture", CONVERT),
        (b"iptrace 2.0", "an AIX iptrace capture", CONVERT),
    ];
    let (_, name, advice) = known.into_iter().find(|(magic, ..)| head.starts_with(magic))?;
    Some(Foreign { name, advice })
}

/// One captured packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When, in nanoseconds since 1970-01-01 UTC.
    pub at: i64,
    /// Its link type, by the number of the file.
    pub link: u32,
    /// The bytes that are in the file.
    pub data: &'a [u8],
    /// How long it was on the wire.
    pub len: u32,
}

/// Something that is to be said of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// At which byte of the file.
    pub at: u64,
    /// What; one sentence without a full stop.
    pub text: String,
    /// What it took away; `None` when nothing is lost.
    pub damage: Option<Damage>,
}

/// What a file came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Packets, the empty ones too.
    pub frames: u64,
    /// Packets that are shorter in the file than they were on the wire.
    pub cut: u64,
    /// The length at which most of those were cut, if one length stands out: the snap length, or z/OS ABBREV.
    pub cut_at: Option<u32>,
    /// What is to be said, in the order of the file; at most 64 remarks.
    pub said: Vec<Said>,
    /// Packets that the capturing program says it lost.
    pub dropped: u64,
}

/// What the front of the bytes is.
enum Step<'a> {
    /// Not to be told before so many bytes are there.
    More(usize),
    /// So many bytes are done, perhaps a packet.
    Took(usize, Option<Frame<'a>>),
}

/// What a reader notes while it reads.
#[derive(Debug, Default)]
struct Log {
    read: Read,
    /// Votes for the length at which packets are cut (Boyer and Moore).
    votes: u64,
}

impl Log {
    fn say(&mut self, at: u64, damage: Option<Damage>, text: String) {
        if self.read.said.len() < REMARKS {
            self.read.said.push(Said { at, text, damage });
        }
    }

    /// Something is missing, or could not be read.
    fn torn(&mut self, at: u64, text: String) {
        self.say(at, Some(Damage::Torn), text);
    }

    /// The same remark once only.
    fn once(&mut self, at: u64, text: &str) {
        if !self.read.said.iter().any(|s| s.text == text) {
            self.say(at, None, text.to_owned());
        }
    }

    fn count(&mut self, frame: &Frame<'_>) {
        self.read.frames += 1;
        let kept = u32::try_from(frame.data.len()).unwrap_or(u32::MAX);
        if kept >= frame.len {
            return;
        }
        self.read.cut += 1;
        match self.read.cut_at {
            Some(at) if at == kept => self.votes += 1,
            _ if self.votes == 0 => (self.read.cut_at, self.votes) = (Some(kept), 1),
            _ => self.votes -= 1,
        }
    }

    /// Bytes `from..to` were searched through; `zeros` when nothing else was among them.
    fn skipped(&mut self, from: u64, to: u64, zeros: bool) {
        let what = if zeros { "only zeros" } else { "no packets" };
        self.torn(from, format!("bytes {from} to {} are {what}", to.saturating_sub(1)));
    }

    /// The file ends at `to`, and no packet was found behind `from`.
    fn tail(&mut self, from: u64, to: u64, zeros: bool) {
        if zeros && to - from < PADDING {
            self.say(from, None, format!("the last {} bytes are zeros: padding", to - from));
        } else {
            self.skipped(from, to, zeros);
        }
    }
}

/// Bytes of one order.
#[derive(Clone, Copy, Debug)]
struct Order {
    little: bool,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let four: [u8; 2] = *bytes.get(at..)?.first_chunk()?;
        Some(if self.little { u16::from_le_bytes(four) } else { u16::from_be_bytes(four) })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four: [u8; 4] = *bytes.get(at..)?.first_chunk()?;
        Some(if self.little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    }

    fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let eight: [u8; 8] = *bytes.get(at..)?.first_chunk()?;
        Some(if self.little { u64::from_le_bytes(eight) } else { u64::from_be_bytes(eight) })
    }
}

#[derive(Debug)]
enum Reader {
    Pcap(pcap::Pcap),
    Pcapng(pcapng::Pcapng),
}

/// A capture file that is read piece by piece, from its first byte.
#[derive(Debug)]
pub struct File {
    reader: Reader,
    log: Log,
    /// Bytes in front of those that have not been read.
    at: u64,
    /// The beginning of what straddles two pieces, from `start`.
    carry: Vec<u8>,
    start: usize,
    /// As many bytes as that needs.
    need: usize,
}

impl File {
    /// A reader for a file of this format.
    pub fn new(format: Format) -> Self {
        let reader = match format {
            Format::Pcap { swapped, unit, modified } => Reader::Pcap(pcap::Pcap::new(swapped, unit, modified)),
            Format::Pcapng => Reader::Pcapng(pcapng::Pcapng::default()),
        };
        Self { reader, log: Log::default(), at: 0, carry: Vec::new(), start: 0, need: 0 }
    }

    /// The next bytes of the file; each packet that they complete.
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(Frame<'_>)) {
        let mut rest = bytes;
        // What was begun is put together, with as few bytes as it takes.
        while self.start < self.carry.len() {
            let missing = self.need.saturating_sub(self.carry.len() - self.start);
            let (now, behind) = rest.split_at(missing.min(rest.len()));
            self.carry.extend_from_slice(now);
            rest = behind;
            if now.len() < missing {
                return;
            }
            self.step_in_carry(false, &mut each);
        }
        // One long packet does not hold its room for the rest of the file.
        if self.carry.capacity() > ROOM {
            self.carry = Vec::new();
        }
        self.carry.clear();
        self.start = 0;
        while !rest.is_empty() {
            match step(&mut self.reader, rest, self.at, false, &mut self.log) {
                Step::More(need) => {
                    self.need = need.max(rest.len() + 1);
                    return self.carry.extend_from_slice(rest);
                }
                Step::Took(len, frame) => {
                    if let Some(frame) = frame {
                        self.log.count(&frame);
                        each(frame);
                    }
                    let len = len.clamp(1, rest.len());
                    rest = rest.get(len..).unwrap_or_default();
                    self.at += len as u64;
                }
            }
        }
    }

    /// One step at the front of what is put together; `false` when it lacks bytes.
    fn step_in_carry(&mut self, end: bool, each: &mut impl FnMut(Frame<'_>)) -> bool {
        let front = self.carry.get(self.start..).unwrap_or_default();
        match step(&mut self.reader, front, self.at, end, &mut self.log) {
            Step::More(need) => {
                self.need = need.max(front.len() + 1);
                false
            }
            Step::Took(len, frame) => {
                if let Some(frame) = frame {
                    self.log.count(&frame);
                    each(frame);
                }
                let len = len.clamp(1, front.len().max(1));
                self.start += len;
                self.at += len as u64;
                // As much is moved as was read: the work stays linear.
                if self.start > self.carry.len() / 2 {
                    self.carry.drain(..self.start.min(self.carry.len()));
                    self.start = 0;
                }
                self.need = 0;
                true
            }
        }
    }

    /// Bytes that are held until more come.
    pub fn held(&self) -> usize {
        self.carry.capacity()
    }

    /// The file ends here. A last packet of which a part is there comes as one that was cut.
    pub fn finish(mut self, mut each: impl FnMut(Frame<'_>)) -> Read {
        while self.start < self.carry.len() && self.step_in_carry(true, &mut each) {}
        let front = self.carry.get(self.start..).unwrap_or_default();
        let last = match &mut self.reader {
            Reader::Pcap(r) => r.end(front, self.at, &mut self.log),
            Reader::Pcapng(r) => r.end(front, self.at, &mut self.log),
        };
        if let Some(frame) = last {
            // That the file ends in it is said; the capture did not cut it.
            self.log.read.frames += 1;
            each(frame);
        }
        let mut read = self.log.read;
        // A majority only: the length of most packets that were cut.
        read.cut_at = read.cut_at.filter(|_| self.log.votes * 2 > read.cut || read.cut == self.log.votes);
        read
    }
}

fn step<'a>(reader: &mut Reader, front: &'a [u8], at: u64, end: bool, log: &mut Log) -> Step<'a> {
    match reader {
        Reader::Pcap(r) => r.step(front, at, end, log),
        Reader::Pcapng(r) => r.step(front, at, end, log),
    }
}

#[cfg(test)]
mod tests;

//! Writes what a capture would hold: conversations as packets, packets as a pcap or pcapng file. Knows nothing of the code that
//! reads them.
#![allow(dead_code, reason = "each test uses a part")]

use std::net::{IpAddr, SocketAddr};

/// Link layers, each with its number and its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Ethernet,
    /// Ethernet with so many VLAN tags.
    Vlan(u8),
    Mpls,
    Pppoe,
    Snap,
    Raw,
    /// BSD loopback as a big-endian host writes it.
    NullBig,
    NullLittle,
    Loop,
    Sll,
    Sll2,
}

pub const LINKS: [Link; 12] = [
    Link::Ethernet,
    Link::Vlan(1),
    Link::Vlan(4),
    Link::Mpls,
    Link::Pppoe,
    Link::Snap,
    Link::Raw,
    Link::NullBig,
    Link::NullLittle,
    Link::Loop,
    Link::Sll,
    Link::Sll2,
];

impl Link {
    pub fn number(self) -> u32 {
        match self {
            Link::Ethernet | Link::Vlan(_) | Link::Mpls | Link::Pppoe | Link::Snap => 1,
            Link::Raw => 101,
            Link::NullBig | Link::NullLittle => 0,
            Link::Loop => 108,
            Link::Sll => 113,
            Link::Sll2 => 276,
        }
    }

    fn header(self, v6: bool) -> Vec<u8> {
        let mac = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        let kind: [u8; 2] = if v6 { [0x86, 0xdd] } else { [8, 0] };
        let family: u32 = if v6 { 30 } else { 2 };
        match self {
            Link::Ethernet => [&mac[..], &kind].concat(),
            Link::Vlan(tags) => {
                let tags: Vec<u8> = (0..tags).flat_map(|n| [[0x81, 0], [0, n]].concat()).collect();
                [&mac[..], &tags, &kind].concat()
            }
            Link::Mpls => [&mac[..], &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64]].concat(),
            Link::Pppoe => {
                [&mac[..], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 0], if v6 { &[0, 0x57] } else { &[0, 0x21] }].concat()
            }
            Link::Snap => [&mac[..], &[0, 100, 0xaa, 0xaa, 3, 0, 0, 0], &kind].concat(),
            Link::Raw => Vec::new(),
            Link::NullBig | Link::Loop => family.to_be_bytes().to_vec(),
            Link::NullLittle => family.to_le_bytes().to_vec(),
            Link::Sll => [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0][..], &kind].concat(),
            Link::Sll2 => [&kind[..], &[0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]].concat(),
        }
    }
}

/// One TCP segment. `at` counts nanoseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub at: i64,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub seq: u32,
    pub ack: Option<u32>,
    pub flags: u8,
    pub payload: Vec<u8>,
}

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

impl Packet {
    /// TCP header and payload.
    pub fn tcp(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(self.from.port().to_be_bytes());
        out.extend(self.to.port().to_be_bytes());
        out.extend(self.seq.to_be_bytes());
        out.extend(self.ack.unwrap_or(0).to_be_bytes());
        // A header with an option of four bytes, as most have.
        out.extend([6 << 4, self.flags | if self.ack.is_some() { ACK } else { 0 }, 0xff, 0xff, 0, 0, 0, 0, 1, 1, 1, 0]);
        out.extend(&self.payload);
        out
    }

    /// IP header, TCP header and payload.
    pub fn ip(&self) -> Vec<u8> {
        ip(self.from.ip(), self.to.ip(), 6, &self.tcp())
    }

    /// The packet as it stands on a link.
    pub fn frame(&self, link: Link) -> Vec<u8> {
        [link.header(self.from.is_ipv6()), self.ip()].concat()
    }
}

/// An IP packet.
pub fn ip(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len() as u16;
    match (from, to) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let [hi, lo] = (len + 20).to_be_bytes();
            let head = [0x45, 0, hi, lo, 0, 7, 0x40, 0, 64, protocol, 0, 0];
            [&head[..], &a.octets(), &b.octets(), payload].concat()
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let [hi, lo] = len.to_be_bytes();
            [&[0x60, 0, 0, 0, hi, lo, protocol, 64][..], &a.octets(), &b.octets(), payload].concat()
        }
        _ => panic!("{from} and {to} are not of one family"),
    }
}

/// An end of a conversation: who opens it, or who was dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Client,
    Server,
}

/// A conversation. What is said is acknowledged at once by the other end.
#[derive(Clone, Debug)]
pub struct Talk {
    ends: [SocketAddr; 2],
    isn: [u32; 2],
    next: [u32; 2],
    mss: usize,
    step: i64,
    at: i64,
    pub packets: Vec<Packet>,
}

impl Talk {
    pub fn new(client: &str, server: &str) -> Self {
        let (isn, at) = ([1000, 5000], 1_614_304_174_000_000_000);
        let ends = [client.parse().unwrap(), server.parse().unwrap()];
        Self { ends, isn, next: isn, mss: 1448, step: 1_000_000, at, packets: Vec::new() }
    }

    /// Initial sequence numbers.
    pub fn isn(mut self, client: u32, server: u32) -> Self {
        self.isn = [client, server];
        self.next = self.isn;
        self
    }

    /// Longest payload of a segment.
    pub fn mss(mut self, mss: usize) -> Self {
        self.mss = mss;
        self
    }

    /// The time of the first packet.
    pub fn at(mut self, at: i64) -> Self {
        self.at = at;
        self
    }

    /// Nothing happens for so many nanoseconds.
    pub fn wait(mut self, nanos: i64) -> Self {
        self.at += nanos;
        self
    }

    fn push(&mut self, who: Who, flags: u8, payload: &[u8]) {
        let (me, other) = (who as usize, 1 - who as usize);
        let first = flags & SYN != 0 && who == Who::Client;
        let packet = Packet {
            at: self.at,
            from: self.ends[me],
            to: self.ends[other],
            seq: self.next[me],
            ack: (!first).then_some(self.next[other]),
            flags,
            payload: payload.to_vec(),
        };
        self.packets.push(packet);
        self.at += self.step;
        self.next[me] = self.next[me].wrapping_add(payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0));
    }

    /// SYN, SYN ACK, ACK.
    pub fn open(mut self) -> Self {
        self.push(Who::Client, SYN, b"");
        self.push(Who::Server, SYN, b"");
        self.push(Who::Client, 0, b"");
        self
    }

    /// SYN alone.
    pub fn syn(mut self) -> Self {
        self.push(Who::Client, SYN, b"");
        self
    }

    /// Bytes, in segments, then the acknowledgment.
    pub fn says(mut self, who: Who, bytes: &[u8]) -> Self {
        for piece in bytes.chunks(self.mss) {
            self.push(who, 0, piece);
        }
        self.acks(if who == Who::Client { Who::Server } else { Who::Client })
    }

    /// An acknowledgment alone.
    pub fn acks(mut self, who: Who) -> Self {
        self.push(who, 0, b"");
        self
    }

    pub fn fin(mut self, who: Who) -> Self {
        self.push(who, FIN, b"");
        self
    }

    pub fn reset(mut self, who: Who) -> Self {
        self.push(who, RST, b"");
        self
    }

    /// FIN from both, the client first.
    pub fn close(self) -> Self {
        self.fin(Who::Client).fin(Who::Server).acks(Who::Client)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Big,
    Little,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Micro,
    Nano,
}

/// How packets become a file.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    pub link: Link,
    pub order: Order,
    pub unit: Unit,
    pub snaplen: usize,
}

impl Wire {
    pub fn new(link: Link, order: Order, unit: Unit) -> Self {
        Self { link, order, unit, snaplen: 262_144 }
    }

    /// Packets are cut behind so many bytes.
    pub fn cut(mut self, snaplen: usize) -> Self {
        self.snaplen = snaplen;
        self
    }

    pub fn u16(&self, n: u16) -> [u8; 2] {
        if self.order == Order::Big { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    pub fn u32(&self, n: u32) -> [u8; 4] {
        if self.order == Order::Big { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    /// Numbers one after the other.
    pub fn words(&self, all: &[u32]) -> Vec<u8> {
        all.iter().flat_map(|n| self.u32(*n)).collect()
    }

    pub fn pcap_header(&self) -> Vec<u8> {
        let magic = if self.unit == Unit::Micro { 0xa1b2_c3d4 } else { 0xa1b2_3c4d };
        let mut out = self.words(&[magic]);
        out.extend([self.u16(2), self.u16(4)].concat());
        out.extend(self.words(&[0, 0, self.snaplen as u32, self.link.number()]));
        out
    }

    /// One record: `len` is what it says of the length on the wire.
    pub fn record(&self, at: i64, data: &[u8], len: u32) -> Vec<u8> {
        let frac = if self.unit == Unit::Micro { at % 1_000_000_000 / 1000 } else { at % 1_000_000_000 };
        let mut out = self.words(&[(at / 1_000_000_000) as u32, frac as u32, data.len() as u32, len]);
        out.extend(data);
        out
    }

    fn cut_frame(&self, p: &Packet) -> (Vec<u8>, u32) {
        let mut frame = p.frame(self.link);
        let len = frame.len() as u32;
        frame.truncate(self.snaplen);
        (frame, len)
    }

    pub fn pcap(&self, packets: &[Packet]) -> Vec<u8> {
        let mut out = self.pcap_header();
        for p in packets {
            let (data, len) = self.cut_frame(p);
            out.extend(self.record(p.at, &data, len));
        }
        out
    }

    /// A block with its two lengths.
    pub fn block(&self, kind: u32, body: &[u8]) -> Vec<u8> {
        let pad = body.len().next_multiple_of(4) - body.len();
        let len = (body.len() + pad + 12) as u32;
        [&self.words(&[kind, len])[..], body, &[0; 3][..pad], &self.u32(len)].concat()
    }

    pub fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let pad = value.len().next_multiple_of(4) - value.len();
        [&self.u16(code)[..], &self.u16(value.len() as u16), value, &[0; 3][..pad]].concat()
    }

    pub fn section(&self) -> Vec<u8> {
        let body = [&self.words(&[0x1a2b_3c4d])[..], &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    /// An interface; times in the unit of this file.
    pub fn interface(&self) -> Vec<u8> {
        let mut body = [&self.u16(self.link.number() as u16)[..], &[0; 2], &self.u32(self.snaplen as u32)].concat();
        if self.unit == Unit::Nano {
            body.extend(self.option(9, &[9]));
            body.extend([0; 4]);
        }
        self.block(1, &body)
    }

    /// An enhanced packet block.
    pub fn enhanced(&self, interface: u32, ticks: u64, data: &[u8], len: u32) -> Vec<u8> {
        let head = self.words(&[interface, (ticks >> 32) as u32, ticks as u32, data.len() as u32, len]);
        self.block(6, &[&head, data].concat())
    }

    pub fn pcapng(&self, packets: &[Packet]) -> Vec<u8> {
        let mut out = [self.section(), self.interface()].concat();
        for p in packets {
            let (data, len) = self.cut_frame(p);
            let ticks = if self.unit == Unit::Micro { p.at / 1000 } else { p.at };
            out.extend(self.enhanced(0, ticks as u64, &data, len));
        }
        out
    }
}

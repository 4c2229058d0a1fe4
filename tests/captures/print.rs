//! Prints packets as z/OS formats a packet trace (CTRACE COMP(SYSTCPDA)). Knows nothing of the code that reads it.
#![allow(dead_code, reason = "each test uses a part")]

use std::net::IpAddr;

use super::wire::{ACK, FIN, Packet, RST, SYN};

/// What stands beside hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    None,
    Ascii,
    Ebcdic,
    Both,
}

pub const TEXTS: [Text; 4] = [Text::None, Text::Ascii, Text::Ebcdic, Text::Both];

/// How a report is printed.
#[derive(Clone, Copy, Debug)]
pub struct Print {
    pub format: bool,
    pub dump: Option<Text>,
}

/// `23:39:11.873541` and `2002/02/12`.
fn time(at: i64) -> (String, String) {
    let t = time::UtcDateTime::from_unix_timestamp_nanos(at.into()).unwrap();
    let clock = format!("{:02}:{:02}:{:02}.{:06}", t.hour(), t.minute(), t.second(), t.microsecond());
    (clock, format!("{}/{:02}/{:02}", t.year(), u8::from(t.month()), t.day()))
}

fn flags(p: &Packet) -> String {
    let ack = if p.ack.is_some() { ACK } else { 0 };
    let names = [(ACK, "ACK"), (SYN, "SYN"), (FIN, "FIN"), (RST, "RST")];
    let set: Vec<&str> = names.iter().filter(|(bit, _)| (p.flags | ack) & bit != 0).map(|(_, name)| *name).collect();
    set.join(" ")
}

fn visible(c: char) -> char {
    if c == ' ' || c.is_ascii_graphic() { c } else { '.' }
}

fn text(bytes: &[u8], ebcdic: bool) -> String {
    let latin = |b: &u8| if ebcdic { ftpsdiag::wire::ebcdic::to_latin1(*b) } else { *b };
    bytes.iter().map(|b| visible(char::from(latin(b)))).collect()
}

fn groups(bytes: &[u8]) -> String {
    let groups = bytes.chunks(4).map(|g| g.iter().map(|b| format!("{b:02X}")).collect::<String>());
    groups.collect::<Vec<_>>().join(" ")
}

/// SUMMARY as the host `local` writes it.
pub fn summary(packets: &[Packet], local: IpAddr) -> String {
    let mut out = format!("**** {}\n", time(packets[0].at).1);
    out += "  I - Inbound packet\n  O - Outbound packet\n";
    out += "DP   Nr hh:mm:ss.mmmmmm IpId    Seq_num    Ack_num  Wndw Flags           DatLn Source/Destination\n";
    for (n, p) in packets.iter().enumerate() {
        let direction = if p.from.ip() == local { 'O' } else { 'I' };
        let (clock, ack, len) = (time(p.at).0, p.ack.unwrap_or(0), p.payload.len());
        let (n, from) = (n + 1, format!("{}-{}", p.from.ip(), p.from.port()));
        out += &format!("{direction}T {n:4} {clock} {:04X} {:10} {ack:10} 32768 ", 0x19e6 + n, p.seq);
        out += &format!("{:15} {len:5} {from}\n", flags(p));
        let data = &p.payload[..len.min(8)];
        let shown = format!("*{:8} {:8}*", text(data, true), text(data, false));
        let (hex, shown) = (groups(data), if data.is_empty() { String::new() } else { shown });
        out += &format!("{:24}{hex:17} {shown:19} {:20}{}-{}\n", "", "", p.to.ip(), p.to.port());
    }
    out
}

fn hex(bytes: &[u8], beside: Text) -> String {
    let lines = bytes.chunks(16).enumerate().map(|(n, line)| {
        let (ascii, ebcdic) = (text(line, false), text(line, true));
        let beside = match beside {
            Text::None => String::new(),
            Text::Ascii => format!("|{ascii:16}|"),
            Text::Ebcdic => format!("|{ebcdic:16}|"),
            Text::Both => format!("|{ebcdic:16} {ascii:16}|"),
        };
        format!("{}\n", format!("{:06X} {:35} {beside}", n * 16, groups(line)).trim_end())
    });
    lines.collect()
}

/// FORMAT, DUMP, or both, as the host `local` writes it.
pub fn report(packets: &[Packet], local: IpAddr, print: Print) -> String {
    let mut out = format!(" COMP(SYSTCPDA)SUBNAME((TCPCS))\n\n **** {}\n", time(packets[0].at).1);
    out += "RcdNr Sysname  Mnemonic Entry Id   Time Stamp    Description\n";
    out += "----- -------- -------- -------- --------------- --------------------------------\n";
    for (n, p) in packets.iter().enumerate() {
        out += &record(n + 1, p, local, print);
        out += &"-".repeat(79);
        out += "\n";
    }
    out
}

fn record(n: usize, p: &Packet, local: IpAddr, print: Print) -> String {
    let (clock, day) = time(p.at);
    let (to, way) = if p.from.ip() == local { ("To", "Out") } else { ("From", "In") };
    let ip = p.ip();
    let mut out = format!("{n:5} MVSJ     PACKET   00000004 {clock} Packet Trace\n");
    out += &format!(" {to:4} Interface    : OSA1             Device: QDIO Ethernet    Full={}\n", ip.len());
    out += &format!("  Tod Clock        : {day} {clock}\n");
    out += &format!("  Sequence #       : 0                Flags: Pkt Ver2 {way}\n");
    let (from, to) = (p.from.port(), p.to.port());
    out += &format!("  Source Port      : {from:<16} Dest Port: {to}    Asid: 0035 TCB: 00000000\n");
    if print.format {
        out += "  IpHeader: Version : 4                Header Length: 20\n";
        out += "  Tos              : 00               QOS: Routine Normal Service\n";
        out += &format!("  Packet Length    : {:<16} ID Number: 0007\n", ip.len());
        out += "  Fragment         :                  Offset: 0\n";
        out += "  TTL              : 64               Protocol: TCP         CheckSum: 0000 FFFF\n";
        out += &format!("  Source           : {}\n  Destination      : {}\n\n  TCP\n", p.from.ip(), p.to.ip());
        out += &format!("  Source Port      : {from:<5} ()         Destination Port: {to:<5} ()\n");
        out += &format!("  Sequence Number  : {:<16} Ack Number: {}\n", p.seq, p.ack.unwrap_or(0));
        out += &format!("  Header Length    : 24               Flags: {}\n", flags(p));
        out += "  Window Size      : 65535            CheckSum: 0000 FFFF Urgent Data Pointer: 0000\n";
    }
    if let Some(beside) = print.dump {
        let header = ip.len() - 24 - p.payload.len();
        out += &format!(" IP Header              : {header}\n{}", hex(&ip[..header], Text::None));
        out += &format!(" Protocol Header        : 24\n{}", hex(&ip[header..header + 24], Text::None));
        if !p.payload.is_empty() {
            let len = p.payload.len();
            out += &format!(" Data                   : {len}     Data Length: {len}\n{}", hex(&p.payload, beside));
        }
    }
    out
}

use super::*;

use writer::{LINKS, Talk, Who};

fn links() -> impl Iterator<Item = (writer::Link, Link)> {
    LINKS.iter().map(|l| (*l, Link::of(l.number()).unwrap()))
}

fn sample(v6: bool) -> writer::Packet {
    let (a, b) = if v6 { ("[2001:db8::1]:40000", "[2001:db8::2]:21") } else { ("10.0.0.1:40000", "10.0.0.2:21") };
    Talk::new(a, b).open().says(Who::Client, b"AUTH TLS\r\n").packets.remove(3)
}

fn tcp(packet: Packet<'_>) -> Segment<'_> {
    match packet {
        Packet::Tcp(s) => s,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_link_carries_both_versions() {
    for (written, link) in links() {
        for v6 in [false, true] {
            let sent = sample(v6);
            let mut frame = sent.frame(written);
            // Padding, and a frame check sequence.
            frame.extend([0; 13]);
            let s = tcp(packet(link, &frame));
            assert_eq!((s.from, s.to, s.seq, s.ack), (sent.from, sent.to, sent.seq, sent.ack), "{written:?}");
            assert_eq!((s.payload, s.cut, s.flags), (&sent.payload[..], 0, Flags(Flags::ACK)), "{written:?}");
        }
    }
}

#[test]
fn a_cut_anywhere_is_a_cut_and_nothing_else() {
    for (written, link) in links() {
        for v6 in [false, true] {
            let sent = sample(v6);
            let frame = sent.frame(written);
            let options = frame.len() - sent.payload.len() - 4;
            for cut in 0..frame.len() {
                match packet(link, &frame[..cut]) {
                    Packet::Tcp(s) => {
                        assert!(cut >= options, "{written:?} {cut}");
                        assert_eq!(s.payload.len() + s.cut as usize, sent.payload.len());
                        assert_eq!(s.payload.len(), cut.saturating_sub(options + 4));
                    }
                    Packet::Short(_) => assert!(cut < options, "{written:?} {cut}"),
                    other => panic!("{written:?} {cut}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn without_a_total_length_what_is_there_counts() {
    for (v6, at) in [(false, 2), (true, 4)] {
        let sent = sample(v6);
        let mut bytes = sent.ip();
        bytes[at..at + 2].fill(0);
        assert_eq!(tcp(packet(Link::Raw, &bytes)).payload, sent.payload);
    }
}

#[test]
fn a_first_fragment_keeps_its_bytes_and_not_its_fin() {
    let mut sent = sample(false);
    sent.flags |= writer::FIN;
    let mut bytes = sent.ip();
    bytes[6] = 0x20;
    let Packet::Fragment { first: Some(s) } = packet(Link::Raw, &bytes) else { panic!() };
    assert_eq!((s.payload, s.cut, s.flags.fin()), (&sent.payload[..], 0, false));
    bytes[7] = 1;
    assert_eq!(packet(Link::Raw, &bytes), Packet::Fragment { first: None });
}

/// The same segment behind IPv6 extension headers.
fn extended(headers: &[u8], first: u8) -> Vec<u8> {
    let sent = sample(true);
    let rest = [headers, &sent.tcp()].concat();
    writer::ip(sent.from.ip(), sent.to.ip(), first, &rest)
}

#[test]
fn extension_headers_are_stepped_over() {
    let hop = [60, 0, 1, 4, 0, 0, 0, 0];
    let options = [51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let authentication = [6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let bytes = extended(&[&hop[..], &options, &authentication].concat(), 0);
    assert_eq!(tcp(packet(Link::Raw, &bytes)).payload, b"AUTH TLS\r\n");
    for cut in 40..bytes.len() {
        assert!(!matches!(packet(Link::Raw, &bytes[..cut]), Packet::Other(_)), "{cut}");
    }
    let atomic = extended(&[6, 0, 0, 0, 0, 0, 0, 9], 44);
    assert_eq!(tcp(packet(Link::Raw, &atomic)).payload, b"AUTH TLS\r\n");
    let first = extended(&[6, 0, 0, 1, 0, 0, 0, 9], 44);
    assert!(matches!(packet(Link::Raw, &first), Packet::Fragment { first: Some(_) }));
    let later = extended(&[6, 0, 0, 8, 0, 0, 0, 9], 44);
    assert_eq!(packet(Link::Raw, &later), Packet::Fragment { first: None });
    let endless = extended(&[0, 0, 1, 4, 0, 0, 0, 0].repeat(40), 0);
    assert_eq!(packet(Link::Raw, &endless), Packet::Other("other IP protocols"));
}

#[test]
fn a_mapped_address_is_an_ipv4_address() {
    let mut sent = sample(true);
    sent.from = "[::ffff:10.0.0.1]:40000".parse().unwrap();
    assert_eq!(tcp(packet(Link::Raw, &sent.ip())).from, "10.0.0.1:40000".parse().unwrap());
}

#[test]
fn icmp_quotes_the_segment_that_did_not_arrive() {
    for (v6, protocol, kind) in [(false, 1, 3), (true, 58, 1)] {
        let sent = sample(v6);
        let quoted = sent.ip();
        let header = if v6 { 40 } else { 20 };
        let icmp = |code: u8| [&[kind, code, 0, 0, 0, 0, 0, 0], &quoted[..header + 8]].concat();
        let bytes = writer::ip(sent.to.ip(), sent.from.ip(), protocol, &icmp(1));
        assert_eq!(packet(Link::Raw, &bytes), Packet::Unreachable { from: sent.from, to: sent.to });
        for cut in 0..bytes.len() {
            assert!(!matches!(packet(Link::Raw, &bytes[..cut]), Packet::Tcp(_)));
        }
    }
    // "Fragmentation needed" is no sign that nobody is there.
    let sent = sample(false);
    let icmp = [&[3, 4, 0, 0, 0, 0, 5, 0], &sent.ip()[..28]].concat();
    assert_eq!(
        packet(Link::Raw, &writer::ip(sent.to.ip(), sent.from.ip(), 1, &icmp)),
        Packet::Other("ICMP"),
        "smaller packets are asked for"
    );
}

#[test]
fn what_else_passes_has_a_name() {
    let (a, b) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
    let named = |protocol, payload: &[u8]| match packet(Link::Raw, &writer::ip(a, b, protocol, payload)) {
        Packet::Other(name) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(named(17, &[0, 53, 0, 53, 0, 0]), "UDP");
    assert_eq!(named(17, &[0, 53, 0x12, 0xb5, 0, 0]), "VXLAN");
    assert_eq!(named(47, &[0, 0, 0x88, 0xbe]), "ERSPAN");
    assert_eq!(named(47, &[0, 0, 8, 0]), "GRE");
    assert_eq!(named(4, &[]), "IP in IP");
    let arp = [&[0xff; 12][..], &[8, 6, 0, 1]].concat();
    assert_eq!(packet(Link::Ethernet, &arp), Packet::Other("ARP"));
    assert_eq!(packet(Link::Ethernet, &[0; 60]), Packet::Other("LLC"));
    assert_eq!(packet(Link::Raw, &[0xff; 60]), Packet::Other("neither IPv4 nor IPv6"));
}

#[test]
fn headers_that_contradict_themselves_are_short() {
    let bytes = sample(false).ip();
    for (at, value) in [(0, 0x44), (3, 10), (32, 0x40), (32, 0xf0)] {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        assert!(matches!(packet(Link::Raw, &bytes), Packet::Short(_)), "byte {at}: {value:#x}");
    }
    for link in Link::ALL {
        assert!(matches!(packet(link, &[]), Packet::Short(_)), "{link:?}");
    }
}

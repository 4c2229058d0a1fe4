//! Captures to sessions: what packets come to, whatever happened to them on their way into a file.

mod common;
#[path = "captures/wire.rs"]
mod wire;

use common::only_report;
use ftpsdiag::report::Report;
use ftpsdiag::transcript::What;
use wire::{Link, Order, Packet, Talk, Unit, Who, Wire};

/// The ClientHello of the mail of 2021-02-26, in its record.
fn hello() -> Vec<u8> {
    let text = common::seed();
    let t = ftpsdiag::read(&[("seed", text.as_bytes())]).sessions.remove(0);
    let bytes = t.entries.iter().find_map(|e| match &e.what {
        What::Bytes { data, .. } if data.first() == Some(&22) => Some(data.clone()),
        _ => None,
    });
    bytes.expect("a hello in the seed")
}

fn ethernet() -> Wire {
    Wire::new(Link::Ethernet, Order::Little, Unit::Micro)
}

/// AUTH TLS is accepted, and what answers the hello is a reply in clear.
fn plaintext() -> Talk {
    Talk::new("10.0.0.1:40000", "10.0.0.2:21")
        .open()
        .says(Who::Server, b"220 ready\r\n")
        .says(Who::Client, b"AUTH TLS\r\n")
        .says(Who::Server, b"234 go\r\n")
        .says(Who::Client, &hello())
        .says(Who::Server, b"550 TLS is not available\r\n")
        .close()
}

fn report(packets: &[Packet]) -> Report {
    only_report("x.pcap", &ethernet().pcap(packets))
}

#[test]
fn a_reply_in_clear_instead_of_tls() {
    let r = report(&plaintext().packets);
    assert_eq!(common::verdict(&r).split(" <- ").next(), Some("fails plaintext-instead-of-tls certain server"));
}

//! Captures whose packets were shuffled: whatever is made of them, nothing wrong is said to be sure.

use super::*;

/// A generator of numbers that gives the same ones every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        (1..all.len()).rev().for_each(|n| all.swap(n, self.below(n + 1)));
    }
}

/// Sessions that fail and that work, with data connections and without.
fn played() -> Vec<(&'static str, Vec<Packet>)> {
    use Who::{Client, Server};
    let explicit = |reply: &[u8]| {
        let talk = Talk::new("10.0.0.1:40000", "10.0.0.2:21").open().says(Server, b"220 ready\r\n");
        talk.says(Client, b"AUTH TLS\r\n").says(Server, reply)
    };
    let alert = explicit(b"234 go\r\n").says(Client, &client_hello(b"")).says(Server, &record(21, &[2, 40]));
    let left = explicit(b"234 go\r\n").says(Client, &client_hello(b"")).reset(Server);
    let long = (0..40).fold(encrypted("10.0.0.1:40000", T0), |t, n| {
        t.says(Client, &record(23, &[3; 40])).wait(n * 100_000_000).says(Server, &record(23, &[4; 60]))
    });
    let used = encrypted("10.0.0.1:40000", T0);
    let data = refused_data("10.0.0.1:40001", "10.0.0.2:50001", T0 + SECOND, &ID);
    let passive = plain(&[(Client, "PASV\r\n"), (Server, "227 Entering Passive Mode (10,0,0,2,195,80).\r\n")]).close();
    let refused = explicit(b"534 no TLS here\r\n").says(Client, b"QUIT\r\n").says(Server, b"221 bye\r\n");
    vec![
        ("plaintext", plaintext().packets),
        ("alert", alert.close().packets),
        ("reset", left.packets),
        ("refused", refused.close().packets),
        ("works", used.clone().close().packets),
        ("long", long.close().packets),
        ("data", merged(&[used.clone(), data])),
        ("plain", passive.packets),
    ]
}

/// What is said of a session, and whether it is said to be sure.
fn said(r: &Report) -> (String, bool) {
    let v = &r.verdict;
    let sure = v.confidence >= Confidence::Likely && (v.outcome != Outcome::Inconclusive || v.by.is_some());
    (format!("{:?} {:?} {:?}", v.outcome, v.by, v.party), sure)
}

#[test]
fn shuffled_packets_give_no_other_verdict() {
    let mut wrong = Vec::new();
    let (mut same, mut all, mut doubtful) = (0, 0, 0);
    for (name, packets) in played() {
        let wanted: Vec<String> = reports_of(&packets).iter().map(|r| said(r).0).collect();
        for seed in 0..100 {
            let mut mixed = packets.clone();
            Dice(seed).shuffle(&mut mixed);
            // Half of the files keep the times in order: nothing shows it there.
            if seed % 2 == 0 {
                packets.iter().zip(&mut mixed).for_each(|(p, m)| m.at = p.at);
            }
            for r in reports_of(&mixed) {
                let (said, sure) = said(&r);
                let told = r.subject.inputs[0].assumed.iter().any(|a| a.starts_with("the packets are out of order"));
                assert!(!told || r.verdict.outcome == Outcome::Inconclusive, "{name} {seed}: {said}");
                doubtful += usize::from(told);
                all += 1;
                same += usize::from(wanted.contains(&said));
                if sure && !wanted.contains(&said) {
                    wrong.push(format!("{name} {seed}: {said}, not {wanted:?}"));
                }
            }
        }
    }

    assert!(wrong.is_empty(), "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(doubtful > 0, "some are beyond repair");
    assert!(same * 4 > all * 3, "{same} of {all} as they were before");
}

fn reports_of(packets: &[Packet]) -> Vec<Report> {
    reports(&[("x.pcap", &ethernet().pcap(packets))])
}

#[test]
fn jitter_and_a_lost_packet_are_no_lost_order() {
    let all = played();
    let (_, packets) = all.iter().find(|(name, _)| *name == "long").unwrap();
    for seed in 0..40 {
        let (mut mixed, mut dice) = (packets.clone(), Dice(seed));
        let lost = 40 + dice.below(100);
        mixed.remove(lost);
        let mut places: Vec<(usize, Packet)> = mixed.into_iter().enumerate().collect();
        places.iter_mut().for_each(|(n, _)| *n += dice.below(6));
        places.sort_by_key(|(n, _)| *n);
        // No pause is among them: packets that change places are close to each other.
        let near = |(n, (_, p)): (usize, (usize, Packet))| Packet { at: T0 + n as i64 * 100_000, ..p };
        let mixed: Vec<Packet> = places.into_iter().enumerate().map(near).collect();
        let r = report(&mixed);
        let assumed = &r.subject.inputs[0].assumed;
        assert!(!assumed.iter().any(|a| a.contains("out of order")), "{seed}: {assumed:?}");
    }
}

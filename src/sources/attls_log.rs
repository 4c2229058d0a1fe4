//! Messages of AT-TLS to connections: what has one CONNID tells of one connection, in whatever order it comes.
//!
//! Ids of a rule's group and environment are shared by all its connections, and CONNIDs are used again after a restart of
//! the stack: the same CONNID with another partner is another connection.

use core::net::SocketAddr;
use std::collections::{BTreeMap, BTreeSet};

use super::attls::{Form, Key, Record};
use super::attls_link::{Link, Partner, Said};
use super::source::Found;
use super::{Block, Piece};
use crate::error::InputError;
use crate::transcript::{ASSUMED_NO_END, ASSUMED_OF_ATTLS, Code, Micros, Side};

/// What AT-TLS writes where there is no connection.
const NONE: &str = "00000000";

/// The environment could not be made: an earlier message has the reason.
const ENVIRONMENT_FAILED: u32 = 5006;
const MAPPING_FAILED: u32 = 5018;

/// Noted where a message lacks an address that might have named its end.
const CUT_OFF: &str =
    "at which end AT-TLS ran: a message without its ports does not say, and nobody is named for what it tells";

/// All connections of a log.
#[derive(Debug, Default)]
pub(super) struct Log {
    links: Vec<Link>,
    /// The connection that has an id now.
    by_id: BTreeMap<String, usize>,
    /// What no connection is named for, with the number of connections before it.
    loose: Vec<(usize, Record)>,
    assumed: BTreeSet<String>,
    problems: Vec<InputError>,
    last: Micros,
}

impl Log {
    /// Takes a finished message.
    pub(super) fn record(&mut self, mut record: Record) {
        record.at = record.at.map(|at| self.moment(at));
        self.assume(&record);
        if record.odd {
            let what = "the hex of EZD1285I ends in the middle of a byte";
            self.problems.push(InputError::torn("", what, "paste the message again, whole").at_line(record.line));
        }
        let connection = record.field(Key::Connection).filter(|id| *id != NONE);
        if connection.is_none() && matches!(record.form, Form::Certificate | Form::GroupFailed) {
            self.loose.push((self.links.len(), record));
            return;
        }
        let n = self.link(connection.unwrap_or_default(), record.address(Key::Local), record.address(Key::Remote));
        if let Some(link) = self.links.get_mut(n) {
            link.take(&record);
        }
    }

    /// Times of day go back at midnight only.
    fn moment(&mut self, at: Micros) -> Micros {
        let mut at = Micros(at.0 + self.last.0 / Micros::DAY.0 * Micros::DAY.0);
        if at.0 + Micros::DAY.0 / 2 < self.last.0 {
            at.0 += Micros::DAY.0;
        }
        self.last = self.last.max(at);
        at
    }

    /// What is read although nobody has confirmed how it looks.
    fn assume(&mut self, record: &Record) {
        let is = |word: &str| record.text.iter().any(|w| w == word);
        let note = match record.form {
            Form::Map => "the layout of EZD1281I is not confirmed: its fields were read by their names",
            Form::GroupFailed => "the words of EZD2042I are not confirmed: it was read by its id",
            Form::Data if is("CLEAR") => "EZD1285I with CLEAR is not confirmed: its bytes were counted, not read",
            Form::Data if is("RECV") => {
                "EZD1285I with RECV is not confirmed: it was read as SEND is, from the other end"
            }
            _ => return,
        };
        self.assumed.insert(note.to_owned());
    }

    /// The place of a connection; a new one where the partner is another, and for each message that names none.
    fn link(&mut self, id: &str, local: Option<SocketAddr>, remote: Option<SocketAddr>) -> usize {
        if let Some(n) = self.by_id.get(id)
            && let Some(link) = self.links.get(*n)
            && link.may_be(local, remote)
        {
            return *n;
        }
        self.links.push(Link::new(id));
        let n = self.links.len() - 1;
        if !id.is_empty() {
            self.by_id.insert(id.to_owned(), n);
        }
        n
    }

    /// The connections, in the order in which they were first named, and what was taken for granted.
    pub(super) fn finish(&mut self) -> Found {
        self.place_loose();
        self.share_reasons();
        let mut links = core::mem::take(&mut self.links);
        for link in &mut links {
            link.settle();
            if link.side().is_none() && link.has_bytes() {
                self.assumed.insert(ASSUMED_OF_ATTLS.to_owned());
            } else if link.side().is_none() {
                self.assumed.insert(if link.has_both_ports() { ASSUMED_NO_END } else { CUT_OFF }.to_owned());
            }
        }
        Found {
            blocks: grouped(links, &mut self.assumed),
            problems: core::mem::take(&mut self.problems),
            assumed: core::mem::take(&mut self.assumed).into_iter().collect(),
        }
    }

    /// A message without a connection belongs to the failure of which it tells: to the next one, else to the one before.
    fn place_loose(&mut self) {
        let mut failed: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (n, link) in self.links.iter().enumerate() {
            link.codes().for_each(|rc| failed.entry(rc).or_default().push(n));
        }
        let alone = self.links.len() == 1;
        for (before, record) in core::mem::take(&mut self.loose) {
            let rc = if record.form == Form::GroupFailed { Some(MAPPING_FAILED) } else { record.diagnostics.rc() };
            let those = rc.and_then(|rc| failed.get(&rc)).map(Vec::as_slice).unwrap_or_default();
            let next = those.partition_point(|n| n + 1 < before);
            let place = those.get(next).or(those.last()).copied().or(alone.then_some(0));
            if let Some(link) = place.and_then(|n| self.links.get_mut(n)) {
                link.take(&record);
            } else {
                let mut link = Link::new("");
                link.take(&record);
                self.links.push(link);
            }
        }
    }

    /// An environment that could not be made names no reason on later connections: the first one has it.
    fn share_reasons(&mut self) {
        let mut reasons: BTreeMap<(String, String), (u32, String)> = BTreeMap::new();
        for link in &mut self.links {
            let Some(environment) = link.environment.clone() else { continue };
            match link.reason() {
                Some(reason) => {
                    reasons.entry(environment).or_insert(reason);
                }
                None if link.has_failed(ENVIRONMENT_FAILED) => {
                    if let Some((rc, event)) = reasons.get(&environment) {
                        let text = format!("{event} (of the same environment, on another connection)");
                        link.put_first(Said::Claim(Some(Code::Gsk(*rc)), text));
                    }
                }
                None => {}
            }
        }
    }
}

/// Data connections go with the control connection of the same job, user and partner before them; others stand alone.
fn grouped(links: Vec<Link>, assumed: &mut BTreeSet<String>) -> Vec<Block> {
    let mut pieces: Vec<(Option<Side>, Piece)> = Vec::new();
    let mut controls: BTreeMap<Partner, usize> = BTreeMap::new();
    for link in links {
        let (side, partner) = (link.side(), link.partner());
        let control = partner.as_ref().and_then(|p| controls.get(p)).copied();
        if link.is_control() {
            if let Some(partner) = partner {
                controls.insert(partner, pieces.len());
            }
            pieces.push((side, link.into_piece(side)));
        } else if let Some((of, piece)) = control.and_then(|n| pieces.get_mut(n)) {
            // A data connection has its ends where its control connection has them.
            piece.data.push(link.into_piece(of.or(side)));
        } else if link.is_active_data() {
            pieces.push((side, Piece { data: vec![link.into_piece(side)], ..Piece::default() }));
        } else {
            if link.partner().is_some() {
                let note = "a connection without port 21 or 990 was taken for one of commands: nothing shows whose data it would carry";
                assumed.insert(note.to_owned());
            }
            pieces.push((side, link.into_piece(side)));
        }
    }
    pieces.into_iter().map(|(_, piece)| Block::AtTls(piece)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::super::paste::Paste;
    use super::*;
    use crate::transcript::{Entry, Input, What};

    fn read(text: &str) -> (Vec<Piece>, Input, usize) {
        let mut paste = Paste::new("x", Options::default());
        text.lines().for_each(|l| paste.line(l));
        let evidence = paste.finish();
        let pieces = evidence.blocks.into_iter().filter_map(|b| if let Block::AtTls(p) = b { Some(p) } else { None });
        (pieces.collect(), evidence.input, evidence.problems.len())
    }

    fn claims(entries: &[Entry]) -> Vec<(Option<Code>, &str)> {
        let claim = |e: &'_ Entry| matches!(e.what, What::Claim { .. });
        let those = entries.iter().filter(|e| claim(e));
        those
            .filter_map(|e| {
                if let What::Claim { code, text, .. } = &e.what { Some((code.clone(), text.as_str())) } else { None }
            })
            .collect()
    }

    fn bytes(text: &str) -> Vec<(Side, String)> {
        let (pieces, ..) = read(text);
        let of = |e: &Entry| match &e.what {
            What::Bytes { from, data, .. } => Some((*from, hex::encode(data))),
            _ => None,
        };
        pieces.iter().flat_map(|p| &p.entries).filter_map(of).collect()
    }

    #[test]
    fn hex_of_one_message_in_words_and_lines() {
        let alert = vec![(Side::Client, "1503020002020a".to_owned())];
        for text in [
            "EZD1285I TTLS Data CONNID: 00000014 SEND CIPHER 1503020002020A",
            "EZD1285I TTLS Data CONNID: 00000014 SEND CIPHER 15030200 02020A",
            "EZD1285I TTLS Data CONNID: 00000014 SEND\nCIPHER\n15030200\n02020A",
            "EZD1285I TTLS Data CONNID:00000014 SEND CIPHER 1503020002020A\n1234 5678",
            "EZD1285I TTLS Data CONNID: 00000014 SEND CIPHER 1503020002020A\n234 go ahead",
            "EZD1285I TTLS Data CONNID: 00000014 SEND CIPHER 150302000202\n0A",
            "EZD1285I TTLS Data CONNID: 00000014 SEND CIPHER 1503020002020A EZA2897I x",
        ] {
            assert_eq!(bytes(text), alert, "{text}");
        }
        let hello = "160301002901000025030300";
        for (word, sender) in [("SEND", Side::Client), ("RECV", Side::Client)] {
            let text = format!("EZD1285I TTLS Data CONNID: 00000014 {word} CIPHER {hello}");
            assert_eq!(bytes(&text), [(sender, hello.to_owned())], "{word}");
        }
        // Half a byte is said; clear bytes are counted.
        let (_, _, problems) = read("EZD1285I TTLS Data CONNID: 00000014 SEND CIPHER 15030");
        assert_eq!(problems, 1);
        let (pieces, input, _) = read("EZD1285I TTLS Data CONNID: 00000014 RECV CLEAR 50415353");
        assert!(matches!(&pieces[0].entries[0].what, What::Skipped { len: 4, .. }), "{:?}", pieces[0].entries);
        assert!(input.assumed[0].contains("CLEAR"), "{:?}", input.assumed);
        // In prose, hex is as in any line.
        assert!(bytes("EZD1285I is what shows bytes").is_empty());
    }

    #[test]
    fn a_message_ends_where_its_words_end() {
        let error = "EZD1286I TTLS Error GRPID: 00000004 ENVID: 00000002 CONNID: 00000028 LOCAL: 192.0.2.20..1037 REMOTE: 192.0.2.7..21 JOBNAME: SC0001 USERID: JOE RULE: r RC:  402 Initial Handshake";
        for behind in ["", " 0000 00000001", " and so on", "\nand so on", "\nConnection lost", "\n\"quoted\""] {
            let (pieces, ..) = read(&format!("{error}{behind}"));
            assert_eq!(claims(&pieces[0].entries), [(Some(Code::Gsk(402)), "Initial Handshake")], "{behind}");
            assert_eq!(pieces[0].conn.peer.unwrap().to_string(), "192.0.2.7:21");
        }
        for (rc, code) in [("5003", Code::AtTls(5003)), ("-22", Code::Gsk(0xFFFF_FFEA)), ("6001", Code::AtTls(6001))] {
            let (pieces, ..) = read(&error.replace("402", rc));
            assert_eq!(claims(&pieces[0].entries), [(Some(code), "Initial Handshake")], "{rc}");
        }
        // Prose that names a message is none.
        let (pieces, ..) = read("Look for EZD1287I in the log\nEZD1286I shows the code\nthe EZD2042I message");
        assert!(pieces.is_empty(), "{pieces:?}");
    }

    #[test]
    fn the_end_at_which_it_ran() {
        let of = |local: &str, remote: &str, job: &str| {
            let text = format!(
                "EZD1286I TTLS Error CONNID: 00000028 LOCAL: {local} REMOTE: {remote} JOBNAME: {job} RC: 402 Initial Handshake"
            );
            let (pieces, input, _) = read(&text);
            let What::Claim { by, .. } = &pieces[0].entries.last().unwrap().what else { panic!() };
            let unknown = input.assumed.iter().any(|a| a.starts_with("at which end"));
            assert_eq!(crate::transcript::speakers::side_of(by).is_none(), unknown);
            crate::transcript::speakers::side_of(by)
        };
        assert_eq!(of("192.0.2.20..1037", "192.0.2.7..21", "JOE"), Some(Side::Client));
        assert_eq!(of("192.0.2.20..1037", "192.0.2.7..990", "JOE"), Some(Side::Client));
        assert_eq!(of("2001:db8::1..1037", "2001:db8::2..21", "JOE"), Some(Side::Client));
        assert_eq!(of("192.0.2.7..21", "192.0.2.20..1037", "JOE"), Some(Side::Server));
        assert_eq!(of("192.0.2.7..2121", "192.0.2.20..1037", "FTPD1"), Some(Side::Server));
        assert_eq!(of("192.0.2.7..443", "192.0.2.20..1037", "X"), Some(Side::Server));
        assert_eq!(of("192.0.2.7..2121", "192.0.2.20..1037", "X"), None);
        assert_eq!(of("9.xx.yyy.zz..21", "nnn.nnn..1037", "X"), Some(Side::Server));
        assert_eq!(of("9.xx.yyy.zz", "nnn.nnn", "X"), None);
    }

    #[test]
    fn a_reason_goes_to_what_it_explains() {
        let error = |conn: &str, rc: &str, event: &str| {
            format!(
                "EZD1286I TTLS Error GRPID: 00000004 ENVID: 00000002 CONNID: {conn} LOCAL: 192.0.2.20..1037 REMOTE: 192.0.2.7..21 JOBNAME: JOE RC: {rc} {event}\n"
            )
        };
        // The environment's failure, told on another connection.
        let text = error("00000028", "202", "Environment Init") + &error("00000029", "5006", "Initial Handshake");
        let (pieces, ..) = read(&text);
        assert_eq!(pieces.len(), 2);
        let told = claims(&pieces[1].entries);
        assert_eq!(told[0].0, Some(Code::Gsk(202)), "{told:?}");
        assert_eq!(told[1].0, Some(Code::AtTls(5006)));
        // A certificate without a connection: the failure with its code, before or behind it.
        let certificate = "EZD2052I TTLS Certificate Diagnostics SSLRetCode= 8 CMSRetCode= 0x0335302f Description= x\n";
        let failures = error("00000028", "402", "Initial Handshake") + &error("00000029", "8", "Initial Handshake");
        for text in [format!("{certificate}{failures}"), format!("{failures}{certificate}")] {
            let (pieces, ..) = read(&text);
            assert_eq!(pieces.len(), 2);
            assert_eq!(claims(&pieces[0].entries).len(), 1);
            let codes: Vec<_> = claims(&pieces[1].entries).into_iter().filter_map(|c| c.0).collect();
            assert_eq!(codes, [Code::Gsk(8), Code::Cms(0x0335_302f), Code::Gsk(8)]);
        }
        // With nothing that it explains it stands alone, and its fields need no id.
        let (pieces, ..) = read("Alert SSLRetCode= 8 CMSRetCode= 0x0335302f Description= x");
        assert_eq!(claims(&pieces[0].entries).len(), 2);
    }

    #[test]
    fn many_messages_take_no_more_time_each() {
        let mut text = String::new();
        for n in 0..5_000 {
            text += &format!(
                "EZD2042I\nEZD2052I TTLS Certificate Diagnostics SSLRetCode= {n}\nEZD1285I TTLS Data CONNID: 00000001 SEND CIPHER 15\n"
            );
        }
        let (pieces, ..) = read(&text);
        assert_eq!(pieces.len(), 1);
        assert!(pieces[0].entries.len() >= 10_000);
    }
}

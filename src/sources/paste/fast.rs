//! The short cut through well-formed records of a System SSL trace.

use super::super::gsk_dump::is_offset;
use super::super::gsk_fast::Took;
use super::super::gsk_line::is_plain_text;
use super::super::weave::alone;
use super::*;
use crate::capture::Session;

/// So many connections of a trace have ended before anything else was seen: then nothing is put beside it any more.
const MANY: usize = 1000;

/// Noted of the sessions that are given out before the end of the input.
const GIVEN_OUT: &str = "the trace is long: its sessions were given out as they ended, and no log was put beside them";

impl Paste {
    /// Takes the next line, without its line end.
    pub(in crate::sources) fn line(&mut self, raw: &str) {
        if self.fast.as_ref().is_none_or(|f| f.is_idle()) && !self.may_begin(raw) {
            return self.read_line(raw);
        }
        let Some(mut fast) = self.fast.take() else { return self.read_line(raw) };
        let took = fast.take(raw, |text| self.is_plain(text));
        match took {
            Took::Kept => {}
            Took::Complete => self.record(&fast),
            Took::No => {
                self.give_back(&mut fast);
                self.read_line(raw);
            }
        }
        self.fast = Some(fast);
    }

    /// Whether a record may begin at this line at all.
    fn may_begin(&self, raw: &str) -> bool {
        raw.as_bytes().first().is_some_and(u8::is_ascii_uppercase) && self.may(Kind::Gsksrvr) && self.secrets.is_idle()
    }

    /// Lines that were kept for a record and make none.
    fn give_back(&mut self, fast: &mut Fast) {
        for line in fast.give_back().lines() {
            self.read_line(line);
        }
    }

    /// The end of the lines: a record of which no next one tells that it is complete goes word by word.
    pub(super) fn end_of_lines(&mut self) {
        let Some(mut fast) = self.fast.take() else { return };
        self.give_back(&mut fast);
        self.fast = Some(fast);
    }

    /// Takes a complete record.
    fn record(&mut self, fast: &Fast) {
        if self.open.is_some() || !self.pending.is_empty() {
            self.read_up_to(fast);
        }
        let (lines, filled, length) = fast.counts();
        let fact = fast.fact(self.number);
        self.number += lines;
        self.input.lines += filled;
        self.input.understood += filled;
        self.last_length = length;
        self.saw(Kind::Gsksrvr);
        if let Some(source) = self.sources.iter_mut().find(|s| s.kind() == Kind::Gsksrvr) {
            source.fact(&fact);
            let alone = || Kind::ALL.iter().zip(self.seen).all(|(kind, seen)| *kind == Kind::Gsksrvr || !seen);
            self.streams |= source.ended() >= MANY && alone();
        }
    }

    /// The next session of a long trace that has ended.
    pub(in crate::sources) fn ready(&mut self) -> Option<Session> {
        if !self.streams {
            return None;
        }
        let source = self.sources.iter_mut().find(|s| s.kind() == Kind::Gsksrvr)?;
        let ended = source.take_ended()?;
        self.given += 1;
        let input = Input {
            name: printable_str(&self.input.name),
            sources: vec![Kind::Gsksrvr.name().to_owned()],
            assumed: [Some(GIVEN_OUT), ended.assumed].into_iter().flatten().map(str::to_owned).collect(),
            ..Input::default()
        };
        Some(Session { number: self.given, transcript: alone(ended.piece, input) })
    }

    /// Reads the words before a record, which see its first ones behind them.
    fn read_up_to(&mut self, fast: &Fast) {
        let mut after_full_line = self.last_length >= FULL_LINE;
        let mut ahead = 0;
        for (n, line) in (self.number + 1..).zip(fast.front()) {
            let words = split(line, n, after_full_line);
            after_full_line = line.trim_end().len() >= FULL_LINE;
            ahead += words.len();
            self.pending.extend(words);
        }
        self.read(ahead);
        self.pending.clear();
        self.close();
        self.settle(u64::MAX);
    }

    /// Whether the reader of words would find in a line nothing but words of a System SSL record.
    fn is_plain(&mut self, text: &str) -> bool {
        let same = undressed(text) == text && unquote(text) == text && !dialogue::looks_like(text);
        if !same || !is_plain_text(text) || secrets::Lines::default().mask(text) != text {
            return false;
        }
        let mut words = split(text, 1, false);
        let before = words.clone();
        unglue(&mut words);
        if prefix(&words).is_some() || words != before || words.iter().any(|w| is_offset(&w.text)) {
            return false;
        }
        let is_job = words.first().is_some_and(|w| w.text == "Job");
        (0..words.len()).all(|n| {
            let place = Place { words: words.get(n..).unwrap_or_default(), prefix: None, known: true };
            // The second line of a record begins one only where the first is lost.
            let skipped = |kind| n == 0 && is_job && kind == Kind::Gsksrvr;
            self.sources.iter_mut().all(|s| skipped(s.kind()) || s.begins(&place).is_none())
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines in groups: well-formed records, what mail makes of them, and what may stand between.
    fn groups() -> Vec<Vec<String>> {
        let record = |kind: &str, thread: u8, level: &str, function: &str, behind: &[&str]| {
            let mut lines = vec![
                format!("S0W1      {kind:<8}  00000008  01:49:34.38{thread:04}  SSL_{level}"),
                format!("  Job SJP1      Process 0501028D  Thread {thread:08}  {function}"),
            ];
            lines.extend(behind.iter().map(|l| (*l).to_owned()));
            lines
        };
        let hello = [
            "  V3 CLIENT-HELLO message",
            "    00000000: 01000035 03016038 53AEFEE4 0E3FA5C1   *...5...8S....?..*",
            "    00000010: 738D1174 97B11A6C 48D50A52 9ED8C9F6   *s..t...lH..R....*",
            "    00000020: 19AF4C56 C20D0000 0E00FF00 35003800   *..LV........5.8.*",
            "    00000030: 39002F00 32003301 00                  *9./.2.3..       *",
        ];
        let text = ["  SSL record header", "    00000000: 35353020 54                           *550 T           *"];
        let mut all = Vec::new();
        for thread in [1, 2] {
            all.push(record("DUMP", thread, "ASCII_DUMP", "send_v3_client_hello", &hello));
            all.push(record("DUMP", thread, "ASCII_DUMP", "gsk_read_v3_record", &text));
            for (level, function, line) in [
                ("INFO", "send_v3_client_hello", "  Sent V3 CLIENT-HELLO message"),
                ("INFO", "gsk_write_v3_record", "  62 bytes written"),
                ("INFO", "gsk_read_v3_record", "  5 bytes received"),
                ("ERROR", "gsk_read_v3_record", "  Content Type 53 is not supported"),
                ("ERROR", "gsk_secure_socket_init", "  SSL V3 client handshake failed with 67.208.93.232.21."),
                ("ENTRY", "gsk_secure_socket_read", "  Handle 7E828198,  Size 1"),
                ("EXIT", "gsk_secure_socket_init", "  Exit status 410"),
                ("ERROR", "x", "  EZA2897I Authentication negotiation failed"),
                ("ERROR", "x", "  PASS geheim"),
                ("ERROR", "x", "  12"),
                ("ERROR", "x", "  gsk_secure_socket_init return code 410"),
            ] {
                all.push(record("MESSAGE", thread, level, function, &[line]));
            }
        }
        // Broken ones.
        all.push(record("DUMP", 1, "ASCII_DUMP", "send_v3_client_hello", &hello[..3]));
        all.push(record("DUMP", 1, "ASCII_DUMP", "send_v3_client_hello", &[hello[0], hello[1], hello[3]]));
        all.push(record("DUMP", 1, "ASCII_DUMP", "x", &[hello[0], "    00000000: 01000035 *a EZA2897I b*"]));
        all.push(record("DUMP", 1, "ASCII_DUMP", "x", &[hello[0], "    00000000: 01000035 *ab", "c  *"]));
        all.push(record("DUMP", 1, "ASCII_DUMP", "x", &[hello[0], "    00000000: 01000035", "prose behind it"]));
        all.push(record("DUMP", 1, "ASCII_DUMP", "x", &[hello[1]]));
        let whole = record("MESSAGE", 1, "INFO", "gsk_read_v3_record", &["  5 bytes received"]);
        all.push(vec![whole.join(" ")]);
        all.push(whole.iter().map(|l| format!("> {l}")).collect());
        all.push(whole.iter().zip(1..).map(|(l, n)| format!("{n} {}", l.trim_start())).collect());
        all.extend(
            [0, 1, 2].map(|n| whole.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, l)| l.clone()).collect()),
        );
        all.push(whole.iter().flat_map(|l| l.split("  ").map(str::to_owned).collect::<Vec<_>>()).collect());
        // Others.
        for lines in [
            "",
            "                    ",
            "It wasn't quite as I had thought",
            "EZA1701I >>> AUTH TLS\n234 AUTH TLS successful",
            "220",
            "17",
            "EZD1287I TTLS Error RC:",
            "//INPUT DD *",
            "joe geheim",
            "/*",
            "16030100390100003503016038 53aefee40e3fa5",
            "00000000: 35353020 54",
            "0 C \"AUTH TLS\\r\\n\"",
            "FC1103 authServer: secure_socket_init failed with rc = 410 (SSL message format",
            "is incorrect)",
            "02/26/2021-01:49:34 Thd-0 INFO x(): 5 bytes received",
            "S0W1 MESSAGE",
        ] {
            all.push(lines.lines().map(str::to_owned).collect());
        }
        all
    }

    fn read(lines: &[String], read: impl Fn(&mut Paste, &str), only: Option<Kind>) -> String {
        let mut paste = Paste::new("x", Options { only, ..Options::default() });
        lines.iter().for_each(|l| read(&mut paste, l));
        let Evidence { input, blocks, problems, .. } = paste.finish();
        format!("{input:#?}\n{blocks:#?}\n{problems:#?}")
    }

    fn both_agree(lines: &[String], only: Option<Kind>) {
        let slow = read(lines, Paste::read_line, only);
        assert_eq!(read(lines, Paste::line, only), slow, "{lines:#?}");
    }

    #[test]
    fn each_record_between_others_reads_as_word_by_word() {
        let all = groups();
        let whole = all.first().cloned().unwrap_or_default();
        for group in &all {
            for other in all.iter().step_by(9).chain(all.iter().rev().take(6)) {
                both_agree(&[whole.clone(), group.clone(), other.clone(), whole.clone()].concat(), None);
            }
        }
    }

    #[test]
    fn a_real_trace_takes_the_short_cut() {
        let trace = include_str!("../../../fixtures/gsksrvr/ibm-main-trace.txt");
        let mut paste = Paste::new("x", Options::default());
        let mut fast = Fast::default();
        for line in trace.lines() {
            assert_ne!(fast.take(line, |text| paste.is_plain(text)), Took::No, "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn any_order_reads_as_word_by_word(
            picks in prop::collection::vec((0usize..1000, any::<bool>()), 1..24),
            only in prop::sample::select(vec![None, None, Some(Kind::Gsksrvr), Some(Kind::ZosFtp)]),
        ) {
            let all = groups();
            let mut lines = Vec::new();
            for (pick, blank) in picks {
                lines.extend(all.get(pick % all.len()).cloned().unwrap_or_default());
                lines.extend(blank.then(String::new));
            }
            both_agree(&lines, only);
        }

        /// Whatever happens to one character.
        #[test]
        fn one_changed_character_reads_as_word_by_word(place in 0usize..3000, with in "[ -~]") {
            let mut text: String = groups().into_iter().take(9).flatten().collect::<Vec<_>>().join("\n");
            let place = place % text.len();
            text.replace_range(place..=place, &with);
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            both_agree(&lines, None);
        }
    }
}

//! What z/OS puts in front of a message: syslogd its date, host and process, a job log its time and job number, the
//! FTP trace and AT-TLS a time. It says when, and which program speaks; it also ends whatever was open before.

use super::words::Word;
use crate::transcript::Micros;
use crate::transcript::clock::TimeOfDay;

/// What stands in front of a message on its line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prefix {
    /// How many words it has.
    pub words: usize,
    /// The time of day.
    pub at: Option<Micros>,
    /// The program that syslogd names.
    pub program: Option<String>,
    /// The number of its process.
    pub process: Option<u64>,
    /// Whether it can be nothing else. A time alone may be the second line of a heading that was broken.
    pub sure: bool,
}

/// The prefix at the first of these words, which must be the first of its line.
pub(super) fn prefix(words: &[Word]) -> Option<Prefix> {
    let first = words.first().filter(|w| w.first)?;
    let line = first.line;
    let word = |n: usize| words.get(n).filter(|w| w.line == line).map(|w| w.text.as_str()).unwrap_or_default();
    let mut p = Prefix::default();
    if let Some(at) = TimeOfDay::parse_dotted(word(0))
        && is_job_number(word(1))
    {
        p = Prefix { words: 2, at: Some(at.0), sure: true, ..Prefix::default() };
    } else if is_month(word(0))
        && matches!(word(1).parse::<u8>(), Ok(1..=31))
        && let Some(at) = time(word(2))
    {
        p = Prefix { words: 3, at: Some(at), sure: true, ..Prefix::default() };
        if process(word(3)).is_none() && (process(word(4)).is_some() || is_message_id(word(4))) {
            p.words = 4;
        }
    } else if process(word(0)).is_none() && process(word(1)).is_some() && is_host(word(0)) {
        p.words = 1;
    }
    if let Some((program, pid)) = process(word(p.words)) {
        (p.program, p.process, p.sure) = (Some(program.to_owned()), pid, true);
        p.words += 1;
    }
    if let Some(at) = time(word(p.words)) {
        p.at = Some(at);
        p.words += 1;
        // AT-TLS: the time and the job name of the stack.
        if is_message_id(word(p.words + 1)) && is_job_name(word(p.words)) {
            p.words += 1;
        }
    }
    (p.words > 0).then_some(p)
}

/// Takes what is glued to a message id: `+` of a message to the operator, and printer control in the first column.
pub(super) fn unglue(words: &mut [Word]) {
    let behind = prefix(words).map_or(0, |p| p.words);
    if let Some(word) = words.get_mut(behind)
        && let Some(id) = word.text.strip_prefix(['+', '1', '0', '-'])
        && is_message_id(id)
    {
        word.text = id.to_owned();
    }
}

/// `EZA2897I`, `EZYFT96I`, `EZZ9830I`: component, number, and the letter that says who must act.
pub(super) fn is_message_id(word: &str) -> bool {
    (7..=9).contains(&word.len())
        && word.starts_with("EZ")
        && word.ends_with(['I', 'E', 'W', 'A', 'S'])
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && word.bytes().filter(u8::is_ascii_digit).count() >= 2
}

/// A time of day with colons, in any precision.
fn time(word: &str) -> Option<Micros> {
    TimeOfDay::parse(word).filter(|_| word.contains(':')).map(|t| t.0)
}

/// `JOB01234`, `STC01234`, `TSU01234`, `J0123456`.
fn is_job_number(word: &str) -> bool {
    let digits = ["JOB", "STC", "TSU", "J", "S", "T"].iter().find_map(|kind| word.strip_prefix(kind));
    word.len() == 8 && digits.is_some_and(|d| d.bytes().all(|b| b.is_ascii_digit()))
}

fn is_month(word: &str) -> bool {
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"].contains(&word)
}

/// Program and number of `ftpd[50331663]:`.
fn process(word: &str) -> Option<(&str, Option<u64>)> {
    let (program, pid) = word.strip_suffix("]:")?.split_once('[')?;
    let is_name = !program.is_empty() && program.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    (is_name && !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit())).then(|| (program, pid.parse().ok()))
}

fn is_host(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b))
}

fn is_job_name(word: &str) -> bool {
    (1..=8).contains(&word.len())
        && !is_message_id(word)
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"@#$".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::super::words::split;
    use super::*;

    fn of(line: &str) -> Option<(usize, Option<String>, Option<String>, bool)> {
        let p = prefix(&split(line, 1, false))?;
        Some((p.words, p.at.map(|at| TimeOfDay(at).to_string().chars().take(8).collect()), p.program, p.sure))
    }

    #[test]
    fn prefixes_of_syslogd_and_job_logs() {
        let at = |t: &str| Some(t.to_owned());
        for (line, want) in [
            ("Jun  1 08:12:31 zos1 ftpd[5]: EZYFT96I x", (5, at("08:12:31"), at("ftpd"), true)),
            ("Jun 11 08:12:31 ftpd[5]: EZYFT96I x", (4, at("08:12:31"), at("ftpd"), true)),
            ("Jun 11 08:12:31 zos1 EZYFT96I x", (4, at("08:12:31"), None, true)),
            ("ftpd[50331663]: EP0615 processStatement: entered", (1, None, at("ftpd"), true)),
            ("zos1 TTLS[7]: 01:49:34 TCPIP EZD1286I x", (4, at("01:49:34"), at("TTLS"), true)),
            ("01:49:34 TCPIP EZD1286I TTLS Error", (2, at("01:49:34"), None, false)),
            ("16:54:46 SC3392 resetLastReply: entered", (1, at("16:54:46"), None, false)),
            ("01.49.35 JOB01234  EZZ9830I x", (2, at("01:49:35"), None, true)),
            ("01.49.35 J0123456 +EZA2897I x", (2, at("01:49:35"), None, true)),
        ] {
            assert_eq!(of(line), Some(want), "{line}");
        }
        for line in [
            "EZA2897I x",
            "1.2.3 JOB01234 x",
            "01.49.35 JOB0123 x",
            "192.0.2.7 x",
            "220-FTPD1 IBM FTP CS V2R1 at H, 08:12:31 on 2014-05-26.",
            "May I ask 08:12:31",
            "array[5]: x y".trim_end_matches("x y"),
            "",
        ] {
            assert!(of(line).is_none_or(|p| line.starts_with("array") && p.0 == 1), "{line}: {:?}", of(line));
        }
    }

    #[test]
    fn what_is_glued_to_an_id_goes() {
        for (line, want) in [
            ("1EZA1450I IBM FTP CS V2R1", "EZA1450I"),
            ("0EZA1450I IBM FTP CS V2R1", "EZA1450I"),
            ("-EZA1450I IBM FTP CS V2R1", "EZA1450I"),
            ("+EZA1450I IBM FTP CS V2R1", "EZA1450I"),
            ("01.49.35 JOB01234 +EZA1450I x", "EZA1450I"),
            ("1234 x", "1234"),
        ] {
            let mut words = split(line, 1, false);
            unglue(&mut words);
            assert!(words.iter().any(|w| w.text == want), "{line}: {words:?}");
        }
    }
}

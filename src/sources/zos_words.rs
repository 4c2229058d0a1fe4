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
    if let Some(p) = hardcopy(&word) {
        return Some(p);
    }
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

/// The hardcopy log, as SYSLOG and SDSF show it: `N 4040000 SYSA 26110 14:02:11.33 STC01234 00000090  EZD1287I`. The type of the
/// record and of what asked for it, routing codes (glued to two letters), system, day of the year, time, job, flags.
fn hardcopy<'a>(word: &impl Fn(usize) -> &'a str) -> Option<Prefix> {
    let first = word(0);
    let letters = first.bytes().take_while(u8::is_ascii_uppercase).count().min(2);
    let is_type = first.starts_with(['N', 'M', 'W', 'O', 'X']) && (1..=2).contains(&letters);
    let (_, glued) = first.split_at_checked(letters).filter(|_| is_type)?;
    let routing = if glued.is_empty() { word(1) } else { glued };
    let n = if glued.is_empty() { 2 } else { 1 };
    let is_routing = (7..=8).contains(&routing.len()) && routing.bytes().all(|b| b.is_ascii_hexdigit());
    let day = word(n + 1);
    let is_day = matches!(day.len(), 5 | 7) && day.bytes().all(|b| b.is_ascii_digit());
    let at = time(word(n + 2)).filter(|_| is_routing && is_job_name(word(n)) && is_day)?;
    let is_flags = |n: usize| super::words::is_hex(word(n), 8);
    // No job, or no flags.
    let words = match n + 3 {
        behind if is_flags(behind + 1) => behind + 2,
        behind if is_flags(behind) || is_job_number(word(behind)) => behind + 1,
        behind => behind,
    };
    Some(Prefix { words, at: Some(at), sure: true, ..Prefix::default() })
}

/// The line without what the hardcopy log puts in front of the further lines of a message: `D`, data (`E`, its last line; `L`, a
/// label), the number that ties them together and flags; `S`, the rest of a line that was too long.
pub(super) fn without_hardcopy(line: &str) -> &str {
    let behind = |text: &'_ str, word: fn(&str) -> bool| {
        let text = text.trim_start_matches(' ');
        let end = text.find(' ').unwrap_or(text.len());
        text.get(..end).is_some_and(word).then_some(text.len() - end)
    };
    let text = line.trim_start_matches([' ', '\u{a0}']);
    if !text.starts_with(['D', 'E', 'L', 'S']) {
        return line;
    }
    let kind = |w: &str| matches!(w, "D" | "E" | "L" | "DR" | "ER" | "LR");
    let number = |w: &str| (3..=4).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_digit());
    let flags = |w: &str| super::words::is_hex(w, 8);
    let rest = |left: usize| text.get(text.len() - left..).unwrap_or_default();
    let tied = behind(text, kind).and_then(|n| behind(rest(n), number)).and_then(|n| behind(rest(n), flags));
    if let Some(left) = tied {
        return rest(left);
    }
    // Without flags and number in front only the place of the text tells.
    match text.strip_prefix("SR").or(text.strip_prefix('S')) {
        Some(more) if more.starts_with(LONG_BLANK) && !more.trim().is_empty() => more,
        _ => line,
    }
}

/// Blanks in front of the rest of a line of the hardcopy log, at least.
const LONG_BLANK: &str = "                    ";

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
            ("N 4040000 SYSA     26110 14:02:11.33 STC01234 00000090  EZD1287I x", (7, at("14:02:11"), None, true)),
            ("NC0000000 SYSA     2026110 14:02:11.33 CONS1 00000290  EZD1287I x", (6, at("14:02:11"), None, true)),
            ("MR4040000 SYSA 26110 14:02:11.33          00000090  EZD1287I x", (5, at("14:02:11"), None, true)),
            ("N 4040000 SYSA 26110 14:02:11.33 JOB01234 EZD1287I x", (6, at("14:02:11"), None, true)),
            ("N 4040000 SYSA 26110 14:02:11.33 EZD1287I x", (5, at("14:02:11"), None, true)),
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
            "N 4040000 SYSA at 14:02:11.33",
            "No 4040000 SYSA 26110 14:02:11.33",
            "M 12 SYSA 26110 14:02:11.33",
            "array[5]: x y".trim_end_matches("x y"),
            "",
        ] {
            assert!(of(line).is_none_or(|p| line.starts_with("array") && p.0 == 1), "{line}: {:?}", of(line));
        }
    }

    #[test]
    fn further_lines_of_the_hardcopy_log() {
        for (line, want) in [
            ("D                                         872 00000090    LOCAL: x", "    LOCAL: x"),
            ("DR 872 00000090    LOCAL: x", "    LOCAL: x"),
            ("E 872 00000090  USERID: x", "  USERID: x"),
            ("S                                                                  RC = 0810", " RC = 0810"),
            ("D 872 files were sent", "D 872 files were sent"),
            ("E 872", "E 872"),
            ("S 1", "S 1"),
            ("SC0001 x: y", "SC0001 x: y"),
            ("DD 872 00000090 x", "DD 872 00000090 x"),
        ] {
            let kept = without_hardcopy(line);
            assert_eq!(kept.trim_start(), want.trim_start(), "{line}");
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

//! Many sessions on one screen: a line or two for each group of them, worst first, in 80 columns of plain ASCII.

use colored::{Color, Colorize};

use super::block::WIDTH;
use super::{Style, wrap};
use crate::report::Outcome;
use crate::report::summary::{Counts, Group, Kind, Moment, Row, Span, Summary};
use crate::transcript::clock::UnixMicros;

/// Columns of a line.
const COLUMNS: usize = 80;

/// Groups on a screen, and as many more as it takes to show each outcome; `verbose` shows them all.
const GROUPS: usize = 24;

/// Columns of a span of time: `09:00:03-09:59:51`.
const SPAN: usize = 17;

/// Lines of one group.
const LONGEST: usize = 4;

/// What is said around the table.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// What the sessions come from: names as they are shown.
    pub inputs: Vec<String>,
    /// Bytes of all inputs.
    pub bytes: u64,
    /// What is to be known of the inputs.
    pub notes: Vec<String>,
    /// Whether names were taken out.
    pub redacted: bool,
}

/// The table of all sessions. Names are shown as `shown` has them.
pub fn table(summary: &Summary, around: &Around, style: Style, shown: &mut dyn FnMut(&str) -> String) -> String {
    let mut groups = summary.groups();
    // Rather all that happened than each server.
    if groups.len() > GROUPS && !style.verbose {
        groups = summary.without_servers();
    }
    let counts: Vec<String> = groups.iter().map(|g| thousands(g.count)).collect();
    let count = counts.iter().map(String::len).max().unwrap_or_default().max(5);
    let number = groups.iter().map(|g| g.example.to_string().len()).max().unwrap_or_default().max(7);
    let lead = count + number + SPAN + 6;
    let mut out = head(summary, around);
    out.push_str(&format!("\n{:>count$}  {:>number$}  {:<SPAN$}  WHAT, CAUSE, SERVER\n", "COUNT", "SESSION", "BEGAN"));
    let (mut seen, mut rest): (Vec<(Outcome, bool)>, Vec<&Group>) = (Vec::new(), Vec::new());
    for (n, (group, times)) in groups.iter().zip(&counts).enumerate() {
        let what = (group.kind.outcome, group.kind.plain);
        if n >= GROUPS && !style.verbose && seen.contains(&what) {
            rest.push(group);
            continue;
        }
        seen.push(what);
        let begin = format!("{times:>count$}  {:>number$}  ", group.example);
        out.push_str(&lines(&begin, lead, group, style, shown));
    }
    if !rest.is_empty() {
        let sessions = thousands(rest.iter().map(|g| g.count).sum());
        out.push_str(&format!("{sessions:>count$}  in {} further groups\n", thousands(rest.len() as u64)));
    }
    if around.redacted {
        out.push_str(&notes(&["the placeholders of this table are its own, and not those of the reports".to_owned()]));
    }
    if !style.quiet {
        out.push_str(&notes(&around.notes));
        let example = groups.first().map_or(1, |g| g.example);
        let all = if style.verbose { "" } else { " | -v every session" };
        out.push_str(&format!("MORE    decode --session {example} shows one{all} | --format json\n"));
    }
    out
}

/// What is to be known of the inputs, in labelled lines.
pub fn notes(notes: &[String]) -> String {
    let lines = notes.iter().flat_map(|note| wrap(note, WIDTH)).enumerate();
    lines.map(|(n, line)| format!("{:<8}{line}\n", if n == 0 { "NOTE" } else { "" })).collect()
}

/// One session in a line or two.
pub fn row(row: &Row, shown: &mut dyn FnMut(&str) -> String) -> String {
    let when = row.at.map_or_else(String::new, |at| format!("{}{}", date(at), time(at)));
    let begin = format!("{:>7}  {when:<14}  ", row.session);
    let mut items = what(&row.kind);
    let client = row.client.as_deref().map(&mut *shown);
    let server = row.kind.server.as_deref().map(shown);
    match (client, server) {
        (Some(client), Some(server)) => items.push(format!("{client} > {server}")),
        (None, Some(end)) | (Some(end), None) => items.push(end),
        (None, None) => {}
    }
    let lines = packed(&items, COLUMNS - begin.len());
    let mut out = String::new();
    for (n, line) in lines.iter().enumerate() {
        out.push_str(&format!("{:<25}{line}\n", if n == 0 { begin.as_str() } else { "" }));
    }
    out
}

/// The line above [`row`]s.
pub fn heading() -> String {
    format!("{:>7}  {:<14}  WHAT, CAUSE, CLIENT > SERVER\n", "SESSION", "BEGAN")
}

fn head(summary: &Summary, around: &Around) -> String {
    let Counts { fail, open, plain, left, work } = summary.counts;
    let of = |n: u64, what: &str| (n > 0).then(|| format!("{} {what}", thousands(n)));
    let counts =
        [of(fail, "fail"), of(open, "cannot tell"), of(plain, "plain FTP"), of(left, "nothing sent"), of(work, "work")];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let from = match around.inputs.as_slice() {
        [] => String::new(),
        [one] => format!(" in {one}"),
        all => format!(" in {} inputs", all.len()),
    };
    let utc = if summary.span.is_some_and(|s| s.first.dated) { " UTC" } else { "" };
    let when = summary.span.map_or_else(String::new, |s| {
        let (first, last) = (s.first, s.last);
        let date = if first.dated { format!("{} ", UnixMicros(first.micros).date()) } else { String::new() };
        let until = match (day(first) == day(last), time(first) == time(last)) {
            (true, true) => String::new(),
            (true, false) => format!("-{}", time(last)),
            (false, _) => format!("-{}{}", self::date(last), time(last)),
        };
        format!(", begun {date}{}{until}{utc}", time(first))
    });
    let sessions = thousands(summary.sessions());
    let text = format!("{sessions} FTP sessions{from}: {} ({}{when})", counts.join(", "), size(around.bytes));
    wrap(&text, COLUMNS).into_iter().map(|l| l + "\n").collect()
}

/// The lines of a group behind its numbers.
fn lines(begin: &str, lead: usize, group: &Group, style: Style, shown: &mut dyn FnMut(&str) -> String) -> String {
    let mut items = what(&group.kind);
    match (&group.kind.server, group.servers) {
        (Some(server), _) => items.push(shown(server)),
        (None, 0) => {}
        (None, n) => items.push(format!("{} servers", thousands(n))),
    }
    let mut text = packed(&items, COLUMNS - lead);
    let span = group.span.map(spanned).unwrap_or_default();
    let mut out = String::new();
    text.resize(text.len().max(span.len()), String::new());
    for (n, line) in text.iter().enumerate() {
        let begin = if n == 0 { begin.to_owned() } else { " ".repeat(begin.len()) };
        let span = span.get(n).map_or("", String::as_str);
        let line = if n == 0 && style.colour { painted(line, group.kind.outcome) } else { line.clone() };
        out.push_str(format!("{begin}{span:<SPAN$}  {line}").trim_end());
        out.push('\n');
    }
    out
}

fn painted(line: &str, outcome: Outcome) -> String {
    let (word, colour) = match outcome {
        Outcome::Fails => ("fails", Color::Red),
        Outcome::Works => ("works", Color::Green),
        Outcome::Inconclusive => ("cannot tell", Color::Yellow),
    };
    line.strip_prefix(word).map_or_else(|| line.to_owned(), |rest| format!("{}{rest}", word.color(colour).bold()))
}

/// `fails plaintext-instead-of-tls`, and its cause.
fn what(kind: &Kind) -> Vec<String> {
    let outcome = match kind.outcome {
        Outcome::Fails => "fails",
        Outcome::Works => "works",
        Outcome::Inconclusive if kind.plain => "plain FTP",
        Outcome::Inconclusive if kind.left => "nothing sent",
        Outcome::Inconclusive => "cannot tell",
    };
    let by = kind.by.as_ref().map_or_else(String::new, |id| format!(" {id}"));
    [format!("{outcome}{by}")].into_iter().chain(kind.cause.clone()).collect()
}

/// Items in as few lines as they need, none of them torn that has room in a line.
fn packed(items: &[String], width: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for item in items {
        match out.last_mut().filter(|last| last.len() + 2 + item.len() <= width) {
            Some(last) => *last = format!("{last}, {item}"),
            None => {
                if let Some(last) = out.last_mut().filter(|last| last.len() < width) {
                    last.push(',');
                }
                out.extend(wrap(item, width));
            }
        }
    }
    if out.len() > LONGEST {
        out.truncate(LONGEST);
        if let Some(last) = out.last_mut() {
            last.truncate(width.saturating_sub(3));
            last.push_str("...");
        }
    }
    out
}

/// One line where the day is the same, else two.
fn spanned(span: Span) -> Vec<String> {
    let Span { first, last } = span;
    match (time(first) == time(last), day(first) == day(last)) {
        (true, true) => vec![time(first)],
        (false, true) => vec![format!("{}-{}", time(first), time(last))],
        _ => vec![format!("{}{}-", date(first), time(first)), format!("{}{}", date(last), time(last))],
    }
}

/// Days since 1970, or since the midnight that is not known.
fn day(at: Moment) -> i64 {
    at.micros.div_euclid(86_400_000_000)
}

/// `02-26 `; nothing where the date is not known.
fn date(at: Moment) -> String {
    let date = if at.dated { UnixMicros(at.micros).date() } else { String::new() };
    date.get(5..).map_or_else(String::new, |d| format!("{d} "))
}

/// `01:49:34`.
fn time(at: Moment) -> String {
    let seconds = at.micros.div_euclid(1_000_000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `12,345`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1.2 GB`, in powers of ten.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Confidence;

    fn group(summary: &mut Summary, session: u32, by: Option<&str>, server: &str, seconds: i64) {
        let kind = Kind {
            outcome: if by.is_some() { Outcome::Fails } else { Outcome::Works },
            plain: false,
            left: false,
            by: by.map(str::to_owned),
            cause: by.map(|_| "client-tls-version-refused".to_owned()),
            server: Some(server.to_owned()),
        };
        let at = Some(Moment { dated: true, micros: (1_614_304_174 + seconds) * 1_000_000 });
        summary.add(&Row { session, kind, confidence: Confidence::Certain, client: Some("10.0.0.1:1".to_owned()), at });
    }

    #[test]
    fn every_line_has_eighty_columns_at_most_however_long_the_names_are() {
        let mut s = Summary::default();
        let long = "very-long-host-name.".repeat(12) + ":50021";
        for n in 0..40u32 {
            let server =
                if n % 2 == 0 { long.clone() } else { format!("[2001:db8:1234:5678:9abc:def0:1234:{n}]:50021") };
            group(&mut s, 4_000_000 + n, Some("data-plaintext-instead-of-tls"), &server, i64::from(n) * 86_400);
        }
        let around =
            Around { inputs: vec!["long-file-name".repeat(20)], notes: vec!["x ".repeat(90)], ..Around::default() };
        for verbose in [false, true] {
            let style = Style { verbose, ..Style::default() };
            let text = table(&s, &around, style, &mut str::to_owned);
            assert!(text.lines().all(|l| l.len() <= 80) && text.is_ascii(), "{text}");
            assert!(!text.contains("further groups"), "{text}");
        }
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let mut s = Summary::default();
        for n in 0..30u32 {
            group(&mut s, n, Some(&format!("fatal-alert-{n}")), &format!("10.0.0.{n}:21"), 0);
        }
        group(&mut s, 30, None, "10.0.0.1:21", 0);
        let text = table(&s, &Around::default(), Style::default(), &mut str::to_owned);
        assert!(text.contains("    6  in 6 further groups") && text.contains("  works, 10.0.0.1:21\n"), "{text}");
        let text = table(&s, &Around::default(), Style { verbose: true, ..Style::default() }, &mut str::to_owned);
        assert!(text.contains("10.0.0.29:21") && !text.contains("further"), "{text}");
    }

    #[test]
    fn groups_that_only_their_servers_tell_apart_are_one_where_there_are_many() {
        let mut s = Summary::default();
        for n in 0..30u32 {
            group(&mut s, n, Some("fatal-alert"), &format!("10.0.0.2:{n}"), i64::from(n));
        }
        group(&mut s, 30, None, "10.0.0.2:21", 0);
        let text = table(&s, &Around::default(), Style::default(), &mut str::to_owned);
        assert!(text.contains("   30        0  01:49:34-01:50:03  fails fatal-alert"), "{text}");
        assert!(text.contains("30 servers") && text.contains("works, 10.0.0.2:21"), "{text}");
        assert!(!text.contains("further"), "{text}");
    }

    #[test]
    fn a_row_names_both_ends() {
        let mut s = Vec::new();
        let kind = Kind {
            outcome: Outcome::Works,
            plain: false,
            left: false,
            by: None,
            cause: None,
            server: Some("10.0.0.2:21".into()),
        };
        let at = Some(Moment { dated: true, micros: 1_614_304_174_000_000 });
        let one = Row { session: 17, kind, confidence: Confidence::Certain, client: Some("10.0.0.1:40000".into()), at };
        let text = row(&one, &mut |name| {
            s.push(name.to_owned());
            "x".to_owned()
        });
        assert_eq!(text, "     17  02-26 01:49:34  works, x > x\n");
        assert_eq!(s, ["10.0.0.1:40000", "10.0.0.2:21"]);
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(
            [thousands(0), thousands(999), thousands(1_000), thousands(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([size(999), size(1_234_000_000)], ["999 B", "1.2 GB"]);
    }
}

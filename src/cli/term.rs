//! Terminals: colour per stream, and nothing unescaped.

use std::ffi::OsString;

use super::args::When;
use crate::transcript::secrets;
use crate::wire::printable_str;

/// Whether a stream is coloured. NO_COLOR counts when it is not empty (no-color.org).
pub(super) fn colour(when: When, is_terminal: bool) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
            is_terminal && !set("NO_COLOR") && !dumb
        }
    }
}

/// The name of this machine, for the reader of a report.
#[cfg(feature = "live")]
pub(super) fn host_name() -> Option<String> {
    let file = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = file.or_else(|| std::env::var("COMPUTERNAME").ok()).or_else(|| std::env::var("HOSTNAME").ok())?;
    Some(printable_str(name.trim())).filter(|n| !n.is_empty())
}

/// Text of an input, fit for a terminal: line breaks stay, everything else that is not printable is escaped.
pub(super) fn safe(text: &str) -> String {
    text.lines().map(printable_str).collect::<Vec<_>>().join("\n")
}

/// A line broken at blanks, what follows four columns further in. A word that is longer than a line stays whole, for it is a path or an
/// address that somebody copies.
pub(super) fn broken(line: &str) -> Vec<String> {
    let indent = line.len() - line.trim_start().len();
    let (own, hanging) = (" ".repeat(indent), " ".repeat(indent + 4));
    let room = COLUMNS.saturating_sub(hanging.len());
    if line.len() <= COLUMNS || line.split(' ').any(|word| word.len() > room) {
        return vec![line.to_owned()];
    }
    let lines = crate::render::wrap(line.trim_start(), room);
    lines.iter().enumerate().map(|(n, l)| format!("{}{l}", if n == 0 { &own } else { &hanging })).collect()
}

/// Columns of a screen.
const COLUMNS: usize = 80;

/// A text of the user's with its secrets masked.
pub(super) fn masked(text: &str) -> String {
    secrets::Lines::default().mask(text)
}

/// The command line as reports carry it, secrets masked.
pub(super) fn command_line(arguments: &[OsString]) -> String {
    let words = arguments.iter().skip(1).map(|a| a.to_string_lossy());
    let mut line = String::from("ftpsdiag");
    for word in words {
        line.push(' ');
        line.push_str(&word);
    }
    printable_str(&masked(&line))
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn long_lines_are_broken_at_words() {
        assert_eq!(broken("  try: it"), ["  try: it"]);
        let line = format!("ftpsdiag: {}", "word ".repeat(20).trim_end());
        let lines = broken(&line);
        assert!(lines.len() == 2 && lines.iter().all(|l| l.len() <= 80), "{lines:?}");
        assert!(lines.get(1).is_some_and(|l| l.starts_with("    word")), "{lines:?}");
        let path = format!("ftpsdiag: {}: no such file", "x".repeat(90));
        assert_eq!(broken(&path), [path]);
    }
}

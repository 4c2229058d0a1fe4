//! One screen: lines of at most 80 columns, at most 25 of them, ASCII.

use crate::codes::Confirmed;

/// Columns of a screen.
pub(super) const COLUMNS: usize = 80;
/// Lines of a screen.
pub(super) const LINES: usize = 25;

/// Breaks a text into one screen. What does not fit is left out, and the last line says so.
pub(super) fn screen(text: &str) -> String {
    let mut lines: Vec<String> = text.trim_end().lines().flat_map(wrapped).collect();
    if lines.len() > LINES {
        let left_out = lines.len() - LINES + 1;
        lines.truncate(LINES - 1);
        lines.push(format!("({left_out} more lines; ask for one of these alone)"));
    }
    lines.join("\n") + "\n"
}

/// One line, broken at blanks; what follows stands four columns further in.
pub(super) fn wrapped(line: &str) -> Vec<String> {
    let plain: String = line.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect();
    let plain = plain.trim_end();
    let own = (plain.len() - plain.trim_start().len()).min(COLUMNS / 2);
    if plain.len() <= COLUMNS {
        return vec![plain.to_owned()];
    }
    let mut out = Vec::new();
    let mut current = " ".repeat(own);
    let hanging = " ".repeat(own + 4);
    let mut empty = true;
    for word in plain.split(' ').filter(|w| !w.is_empty()) {
        let mut rest = word;
        if !empty && current.len() + 1 + rest.len() > COLUMNS {
            out.push(core::mem::replace(&mut current, hanging.clone()));
            empty = true;
        }
        if !empty {
            current.push(' ');
        }
        // Longer than a line: cut where the line ends.
        while current.len() + rest.len() > COLUMNS {
            let (head, tail) = rest.split_at(COLUMNS - current.len());
            current.push_str(head);
            out.push(core::mem::replace(&mut current, hanging.clone()));
            rest = tail;
        }
        current.push_str(rest);
        empty = false;
    }
    out.push(current);
    out
}

/// Rows that no source confirms say so.
pub(super) fn sure(meaning: &str, confirmed: Confirmed) -> String {
    if confirmed == Confirmed::No { format!("{meaning} (unconfirmed)") } else { meaning.to_owned() }
}

/// Where more stands on a subject; one line for each page.
pub(super) fn more(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("More: ftpsdiag explain {id}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_and_lose_nothing() {
        let line = format!("  {}", "word ".repeat(40));
        let lines = wrapped(&line);
        assert!(lines.iter().all(|l| l.len() <= COLUMNS) && lines[1].starts_with("      w"), "{lines:?}");
        assert_eq!(lines.join(" ").split_whitespace().count(), 40);
        let long = "x".repeat(200);
        assert_eq!(wrapped(&long).concat().replace(' ', ""), long);
    }

    #[test]
    fn a_screen_is_a_screen() {
        let text = screen(&"line\n".repeat(60));
        assert_eq!(text.lines().count(), LINES);
        assert!(text.ends_with("(36 more lines; ask for one of these alone)\n"), "{text}");
        assert_eq!(screen("caf\u{e9}\t!"), "caf??!\n");
    }
}

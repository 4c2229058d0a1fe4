//! Reports to text, Markdown, JSON and dialogue. Renderers format; they never compute.

mod audit;
mod block;
mod bytes;
mod foot;
mod json;
mod ladder;
mod lines;
mod live;
mod markdown;
pub mod matrix;
mod missing;
pub mod table;
mod text;

use std::fmt;

use crate::report::Report;
use crate::transcript::dialogue;

/// What a report is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One screen.
    Text,
    /// The report itself, one object a line.
    Json,
    /// For tickets and mail.
    Markdown,
    /// The evidence in the dialogue notation.
    Dialogue,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 4] = [Format::Text, Format::Json, Format::Markdown, Format::Dialogue];

    /// The name that `--format` takes.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Markdown => "markdown",
            Format::Dialogue => "dialogue",
        }
    }

    /// The format that a file name's ending means.
    pub fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "txt" => Some(Format::Text),
            "json" => Some(Format::Json),
            "md" => Some(Format::Markdown),
            "dialogue" => Some(Format::Dialogue),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a report is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Colour, by escape sequences.
    pub colour: bool,
    /// The ladder, the bytes, and everything that one screen has no room for.
    pub verbose: bool,
    /// Only the verdict.
    pub quiet: bool,
    /// JSON with line breaks.
    pub pretty: bool,
}

/// The report in a format; ends with a line break.
pub fn render(report: &Report, format: Format, style: Style) -> String {
    match format {
        Format::Text => text::render(report, style),
        Format::Markdown => markdown::render(report),
        Format::Dialogue => dialogue::write(&report.transcript),
        Format::Json => json::render(report, style.pretty),
    }
}

/// Text broken into lines of at most `width`, at blanks; a longer word is cut.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word = word;
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        while let Some((head, tail)) =
            word.split_at_checked(width).filter(|(_, tail)| line.is_empty() && !tail.is_empty())
        {
            lines.push(head.to_owned());
            word = tail;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_are_broken_at_blanks() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij x", 4), ["abcd", "efgh", "ij x"]);
        assert_eq!(wrap("", 4), [""]);
    }
}

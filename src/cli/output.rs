//! Where reports go: standard output, and the files that `-o` names.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use super::args::Common;
use super::term;
use crate::error::InputError;
use crate::render::{Format, Style, render};
use crate::report::Report;

/// Writes reports.
pub(super) struct Output {
    stdout: io::Stdout,
    format: Format,
    style: Style,
    files: Vec<(Format, BufWriter<File>)>,
    count: u32,
}

impl Output {
    /// Opens the files first: a name that cannot be written must not cost a run.
    pub(super) fn new(common: &Common) -> Result<Self, InputError> {
        let stdout = io::stdout();
        let style = Style {
            colour: term::colour(common.color, stdout.is_terminal()),
            verbose: common.verbose,
            quiet: common.quiet,
            pretty: common.pretty || stdout.is_terminal(),
        };
        let mut files = Vec::new();
        for name in &common.output {
            let ending = Path::new(name).extension().and_then(|e| e.to_str()).unwrap_or_default();
            let format = Format::of_ending(ending).ok_or_else(|| {
                InputError::unreadable(name, "its ending names no format", "end it in .txt .json .md or .dialogue")
            })?;
            let file = File::create(name).map_err(|e| {
                InputError::unreadable(
                    name,
                    format!("cannot be written: {e}"),
                    "name a file in a folder that you may write to",
                )
            })?;
            files.push((format, BufWriter::new(file)));
        }
        Ok(Self { stdout, format: common.format, style, files, count: 0 })
    }

    /// Writes one report everywhere.
    pub(super) fn report(&mut self, report: &Report) -> io::Result<()> {
        let mut stdout = self.stdout.lock();
        if self.count > 0 && matches!(self.format, Format::Text | Format::Markdown) {
            writeln!(stdout)?;
        }
        stdout.write_all(render(report, self.format, self.style).as_bytes())?;
        for (format, file) in &mut self.files {
            if self.count > 0 && matches!(format, Format::Text | Format::Markdown) {
                writeln!(file)?;
            }
            // Files get everything, and no colour.
            let style = Style { colour: false, quiet: false, pretty: false, verbose: self.style.verbose };
            file.write_all(render(report, *format, style).as_bytes())?;
        }
        self.count += 1;
        Ok(())
    }

    /// Flushes; errors of writing show here at the latest.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.files.iter_mut().try_for_each(|(_, file)| file.flush())?;
        self.stdout.flush()
    }
}

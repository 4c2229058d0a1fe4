//! Where reports go: standard output, and the files that `-o` names.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::args::Common;
use super::{complain, term};
use crate::error::InputError;
use crate::render::table::{self, Around};
use crate::render::{Format, Style, render};
use crate::report::Report;
use crate::report::summary::{Row, Summary};
use crate::transcript::redact::Texts;

/// Sessions of a text that are shown whole, as they come. Where there are more, a table of all of them follows.
const WHOLE: u64 = 3;

/// A file that gets certificates. What stands in it stays until there is something to write.
struct Chain {
    name: String,
    file: File,
    written: bool,
    /// Whether the file was not there before.
    created: bool,
}

/// One place where reports are written.
struct Sink {
    to: Box<dyn Write + Send>,
    /// Somebody may read along while the input goes on.
    live: bool,
    format: Format,
    style: Style,
    /// Of a text that is not to hold reports where a table comes: the first ones.
    held: Vec<String>,
}

/// How every place wants its reports; known to whoever renders them.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    sinks: Vec<(Format, Style)>,
    certificates: bool,
}

/// A report as every place wants it; nothing where a row is enough.
pub(super) struct Rendered {
    texts: Vec<Option<String>>,
    certificates: Vec<String>,
}

impl Shape {
    /// Whether any place wants the `n`-th report, from 0: texts show only the first ones whole.
    pub(super) fn wants_report(&self, n: u64) -> bool {
        self.certificates || self.sinks.iter().any(|(format, _)| is_whole(*format, n))
    }

    /// What stands for a report that no place wants.
    pub(super) fn nothing(&self) -> Rendered {
        Rendered { texts: self.sinks.iter().map(|_| None).collect(), certificates: Vec::new() }
    }

    /// The `n`-th report for every place.
    pub(super) fn render(&self, report: &Report, n: u64) -> Rendered {
        let one = |(format, style): &(Format, Style)| is_whole(*format, n).then(|| render(report, *format, *style));
        let mut certificates = Vec::new();
        if self.certificates {
            let session = report.connections.iter().find(|c| c.why == "session").and_then(|c| c.tls.as_ref());
            let chain = session.iter().flat_map(|tls| &tls.certificates);
            certificates = chain.map(|c| pem(&hex::decode(c).unwrap_or_default())).collect();
        }
        Rendered { texts: self.sinks.iter().map(one).collect(), certificates }
    }
}

/// Whether the `n`-th report, from 0, is shown whole.
fn is_whole(format: Format, n: u64) -> bool {
    format != Format::Text || n < WHOLE
}

/// The format of a file; `None` for certificates.
fn format_of(name: &str) -> Result<Option<Format>, InputError> {
    let ending = Path::new(name).extension().and_then(|e| e.to_str()).unwrap_or_default();
    let format = Format::of_ending(ending);
    if format.is_none() && ending != "pem" {
        let endings = "end it in .txt .json .md .dialogue or .pem";
        return Err(InputError::unreadable(name, "its ending names no format", endings));
    }
    Ok(format)
}

fn unwritable(name: &str, error: &io::Error) -> InputError {
    let advice = "name a file in a folder that you may write to";
    InputError::unreadable(name, format!("cannot be written: {error}"), advice)
}

/// Whether the files that are named could be written, as far as that shows without touching them.
///
/// # Errors
/// Names the first that could not.
#[cfg(feature = "live")]
pub(super) fn check(common: &Common) -> Result<(), InputError> {
    for name in &common.output {
        format_of(name)?;
        let path = Path::new(name);
        let there = if path.exists() {
            File::options().append(true).open(path).map(|_| ())
        } else {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::read_dir(folder).map(|_| ())
        };
        there.map_err(|e| unwritable(name, &e))?;
    }
    Ok(())
}

/// Writes reports.
pub(super) struct Output {
    /// Standard output, then the files.
    sinks: Vec<Sink>,
    /// Files that get certificates as PEM, each with its name, and whether anything was written.
    chains: Vec<Chain>,
    count: u64,
    summary: Summary,
    /// The rows of the reports that are shown whole.
    rows: Vec<Row>,
    names: Texts,
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
        let mut sinks = vec![Sink { to: Box::new(stdout), live: true, format: common.format, style, held: Vec::new() }];
        let mut chains = Vec::new();
        for name in &common.output {
            let format = format_of(name)?;
            let created = !Path::new(name).exists();
            let opened = File::options().write(true).create(true).truncate(format.is_some()).open(name);
            let file = opened.map_err(|e| unwritable(name, &e))?;
            // Files get everything, and no colour.
            let style = Style { colour: false, quiet: false, pretty: false, verbose: common.verbose };
            match format {
                Some(format) => {
                    let to = Box::new(BufWriter::new(file));
                    sinks.push(Sink { to, live: false, format, style, held: Vec::new() });
                }
                None => chains.push(Chain { name: name.clone(), file, written: false, created }),
            }
        }
        let (summary, rows, names) = (Summary::default(), Vec::new(), Texts::new(common.redact));
        Ok(Self { sinks, chains, count: 0, summary, rows, names })
    }

    /// How every place wants its reports.
    pub(super) fn shape(&self) -> Shape {
        let sinks = self.sinks.iter().map(|s| (s.format, s.style)).collect();
        Shape { sinks, certificates: !self.chains.is_empty() }
    }

    /// Writes one report everywhere, whole.
    #[cfg(feature = "live")]
    pub(super) fn report(&mut self, report: &Report) -> io::Result<()> {
        let rendered = self.shape().render(report, 0);
        let first = self.count == 0;
        for (sink, text) in self.sinks.iter_mut().zip(rendered.texts.iter().flatten()) {
            sink.write(text, first)?;
        }
        self.count += 1;
        self.chain(&rendered.certificates)
    }

    /// Writes one of perhaps many sessions.
    pub(super) fn session(&mut self, row: Row, rendered: Rendered) -> io::Result<()> {
        self.summary.add(&row);
        let first = self.count == 0;
        self.count += 1;
        for (sink, text) in self.sinks.iter_mut().zip(rendered.texts) {
            match text {
                Some(text) if sink.format == Format::Text && sink.style.quiet => sink.held.push(text),
                Some(text) => sink.write(&text, first)?,
                None => sink.row(&row, self.count, &self.rows, &mut self.names)?,
            }
        }
        if self.count <= WHOLE {
            self.rows.push(row);
        }
        self.chain(&rendered.certificates)
    }

    /// The end of all sessions: the table where there are many, and what is to be known of their inputs.
    pub(super) fn sessions_end(&mut self, mut around: Around) -> io::Result<()> {
        let many = self.count > WHOLE;
        around.notes.iter_mut().for_each(|note| *note = self.names.text(note));
        for sink in self.sinks.iter_mut().filter(|s| s.format == Format::Text) {
            let held = core::mem::take(&mut sink.held);
            let names = &mut self.names;
            let end = match many {
                true => table::table(&self.summary, &around, sink.style, &mut |name| names.endpoint(name)),
                false if sink.style.quiet => held.join("\n"),
                false => table::notes(&around.notes),
            };
            if !end.is_empty() {
                let alone = sink.style.quiet || self.count == 0;
                sink.write(&end, alone)?;
            }
        }
        // A stream of reports has no place for it.
        let stdout = self.sinks.first().map(|s| (s.format, s.style.quiet));
        if stdout.is_some_and(|(format, quiet)| format != Format::Text && !quiet) {
            around.notes.iter().for_each(|note| complain(note));
        }
        Ok(())
    }

    fn chain(&mut self, certificates: &[String]) -> io::Result<()> {
        for chain in &mut self.chains {
            for certificate in certificates {
                if !chain.written {
                    chain.file.set_len(0)?;
                    chain.written = true;
                }
                chain.file.write_all(certificate.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Flushes; errors of writing show here at the latest.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.sinks.iter_mut().try_for_each(|sink| sink.to.flush())?;
        for chain in self.chains.iter_mut().filter(|c| !c.written) {
            complain(&format!("{}: no certificate came, nothing was written", term::safe(&chain.name)));
            if chain.created {
                fs::remove_file(&chain.name)?;
            }
        }
        Ok(())
    }
}

impl Sink {
    fn write(&mut self, text: &str, first: bool) -> io::Result<()> {
        if !first && matches!(self.format, Format::Text | Format::Markdown) {
            writeln!(self.to)?;
        }
        self.put(text)
    }

    /// The `count`-th session, of which only a row is shown, if at all; `before` are the rows of those that were shown whole.
    fn row(&mut self, row: &Row, count: u64, before: &[Row], names: &mut Texts) -> io::Result<()> {
        if !self.style.verbose {
            return Ok(());
        }
        let mut text = String::new();
        if count == WHOLE + 1 {
            text = format!("\n{}", table::heading());
            text.extend(before.iter().map(|row| table::row(row, &mut |name| names.endpoint(name))));
        }
        text.push_str(&table::row(row, &mut |name| names.endpoint(name)));
        self.put(&text)
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        self.to.write_all(text.as_bytes())?;
        if self.live { self.to.flush() } else { Ok(()) }
    }
}

/// One certificate as PEM (RFC 7468).
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out + "-----END CERTIFICATE-----\n"
}

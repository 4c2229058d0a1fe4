//! Where reports go: standard output, and the files that `-o` names.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::args::Common;
use super::{complain, term};
use crate::error::InputError;
use crate::render::{Format, Style, render};
use crate::report::Report;

/// A file that gets certificates. What stands in it stays until there is something to write.
struct Chain {
    name: String,
    file: File,
    written: bool,
}

/// Writes reports.
pub(super) struct Output {
    stdout: io::Stdout,
    format: Format,
    style: Style,
    files: Vec<(Format, BufWriter<File>)>,
    /// Files that get certificates as PEM, each with its name, and whether anything was written.
    chains: Vec<Chain>,
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
        let (mut files, mut chains) = (Vec::new(), Vec::new());
        for name in &common.output {
            let ending = Path::new(name).extension().and_then(|e| e.to_str()).unwrap_or_default();
            let format = Format::of_ending(ending);
            if format.is_none() && ending != "pem" {
                let endings = "end it in .txt .json .md .dialogue or .pem";
                return Err(InputError::unreadable(name, "its ending names no format", endings));
            }
            let opened = File::options().write(true).create(true).truncate(format.is_some()).open(name);
            let file = opened.map_err(|e| {
                InputError::unreadable(
                    name,
                    format!("cannot be written: {e}"),
                    "name a file in a folder that you may write to",
                )
            })?;
            match format {
                Some(format) => files.push((format, BufWriter::new(file))),
                None => chains.push(Chain { name: name.clone(), file, written: false }),
            }
        }
        Ok(Self { stdout, format: common.format, style, files, chains, count: 0 })
    }

    /// Writes one report everywhere.
    pub(super) fn report(&mut self, report: &Report) -> io::Result<()> {
        let mut stdout = self.stdout.lock();
        if self.count > 0 && matches!(self.format, Format::Text | Format::Markdown) {
            writeln!(stdout)?;
        }
        stdout.write_all(render(report, self.format, self.style).as_bytes())?;
        // Somebody may read along while the input goes on.
        stdout.flush()?;
        for (format, file) in &mut self.files {
            if self.count > 0 && matches!(format, Format::Text | Format::Markdown) {
                writeln!(file)?;
            }
            // Files get everything, and no colour.
            let style = Style { colour: false, quiet: false, pretty: false, verbose: self.style.verbose };
            file.write_all(render(report, *format, style).as_bytes())?;
        }
        let session = report.connections.iter().find(|c| c.why == "session").and_then(|c| c.tls.as_ref());
        for chain in &mut self.chains {
            for certificate in session.iter().flat_map(|tls| &tls.certificates) {
                if !chain.written {
                    chain.file.set_len(0)?;
                    chain.written = true;
                }
                chain.file.write_all(pem(&hex::decode(certificate).unwrap_or_default()).as_bytes())?;
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Flushes; errors of writing show here at the latest.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.files.iter_mut().try_for_each(|(_, file)| file.flush())?;
        for chain in self.chains.iter_mut().filter(|c| !c.written) {
            complain(&format!("{}: no certificate came, nothing was written", term::safe(&chain.name)));
        }
        self.stdout.flush()
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

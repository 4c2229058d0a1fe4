//! `generate`: man page, completions, schema; all of them made from the code that they describe.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use super::Status;
use super::args::{Cli, Generated};

pub(super) fn run(what: Generated) -> io::Result<Status> {
    let mut command = Cli::command();
    let mut out = Vec::new();
    let shell = match what {
        Generated::Man => {
            clap_mangen::Man::new(command.clone()).render(&mut out)?;
            None
        }
        Generated::Schema => {
            out = serde_json::to_vec_pretty(&crate::report::schema())?;
            out.push(b'\n');
            None
        }
        Generated::Bash => Some(Shell::Bash),
        Generated::Elvish => Some(Shell::Elvish),
        Generated::Fish => Some(Shell::Fish),
        Generated::Powershell => Some(Shell::PowerShell),
        Generated::Zsh => Some(Shell::Zsh),
    };
    if let Some(shell) = shell {
        clap_complete::generate(shell, &mut command, "ftpsdiag", &mut out);
    }
    io::stdout().lock().write_all(&out)?;
    Ok(Status::Works)
}

//! The program: arguments in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Colour is decided per stream by the command line, never by the library: what is written says so itself.
    colored::control::set_override(true);
    ftpsdiag::cli::main(std::env::args_os())
}

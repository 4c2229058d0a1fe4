//! What commands are answered with.

use super::control::Control;
use super::files::{Files, resolve};
use super::transfer::Transfer;
use super::{Begins, Login, Shared, Start};
use crate::wire::ftp;

/// What needs a data connection.
const TRANSFERS: [&str; 5] = ["LIST", "MLSD", "NLST", "RETR", "STOR"];
/// What may come before the login.
const ANYTIME: [&str; 10] = ["AUTH", "CLNT", "FEAT", "NOOP", "OPTS", "PASS", "QUIT", "SYST", "TYPE", "USER"];
/// What has to do with protection.
const PROTECTION: [&str; 2] = ["PBSZ", "PROT"];

const FEATURES: &str = "211-Features:\r\n AUTH TLS\r\n EPRT\r\n EPSV\r\n MLST type*;size*;modify*;\r\n PASV\r\n PBSZ\r\n PROT\r\n SIZE\r\n TVFS\r\n UTF8\r\n211 End";

impl Control {
    /// A line of the client.
    pub(super) fn command(&mut self, line: &[u8], shared: &mut Shared) {
        let (verb, argument) = ftp::command(line);
        let argument = String::from_utf8_lossy(argument).trim().to_owned();
        let is_tls = self.pipe.is_tls();
        let login_first = shared.habits.login == Login::First && PROTECTION.contains(&verb.as_str());
        let anytime = ANYTIME.contains(&verb.as_str()) || PROTECTION.contains(&verb.as_str());
        if !self.logged_in && (login_first || !anytime) {
            return self.say("530 Please login with USER and PASS.", shared);
        }
        match verb.as_str() {
            "USER" if !is_tls => self.say("530 Non-anonymous sessions must use encryption.", shared),
            "USER" => {
                (self.user, self.logged_in) = (true, false);
                self.say("331 Please specify the password.", shared);
            }
            "PASS" if self.user => self.log_in(shared),
            "PASS" => self.say("503 Login with USER first.", shared),
            "AUTH" | "PBSZ" | "PROT" | "CCC" => self.security(&verb, &argument.to_ascii_uppercase(), shared),
            "FEAT" => self.say(FEATURES, shared),
            "SYST" => self.say("215 UNIX Type: L8", shared),
            "NOOP" | "CLNT" | "OPTS" => self.say("200 ok", shared),
            "QUIT" => {
                self.say("221 Goodbye.", shared);
                if self.pipe.is_tls() {
                    let goodbye = self.pipe.close_notify();
                    shared.send(self.line, goodbye);
                }
                self.close(shared);
            }
            "PASV" => self.passive(false, shared),
            "EPSV" if matches!(argument.as_str(), "" | "1") => self.passive(true, shared),
            "EPSV" => self.say("522 Network protocol not supported, use (1)", shared),
            "PORT" => self.active(ftp::host_port(&argument).map(Into::into), shared),
            "EPRT" => {
                let at = ftp::extended_port(&argument).and_then(|(ip, port)| Some((ip?, port).into()));
                self.active(at, shared);
            }
            verb if TRANSFERS.contains(&verb) => self.transfer(verb, &argument, shared),
            verb => self.about_files(verb, &argument, shared),
        }
    }

    fn security(&mut self, verb: &str, argument: &str, shared: &mut Shared) {
        let is_tls = self.pipe.is_tls();
        let habits = shared.habits.protection;
        match verb {
            "AUTH" if self.after_ccc => self.say("534 Unwilling to accept security parameters", shared),
            "AUTH" if is_tls => self.say("503 Already using TLS.", shared),
            "AUTH" if matches!(argument, "TLS" | "TLS-C" | "SSL") => {
                self.say("234 Proceed with negotiation.", shared);
                self.begin_tls(shared);
            }
            "AUTH" => self.say("504 Unknown AUTH type.", shared),
            _ if !is_tls => self.say(&format!("503 {verb} needs a secure connection."), shared),
            "PBSZ" => {
                self.pbsz = true;
                self.say("200 PBSZ set to 0.", shared);
            }
            "PROT" if habits.pbsz && !self.pbsz => {
                self.say("503 PROT must be preceded by a successful PBSZ command", shared);
            }
            "PROT" => match (argument, habits.private, habits.clear) {
                ("P", Some(no), _) | ("C", _, Some(no)) => self.say(no, shared),
                ("P" | "C", ..) => {
                    self.private = argument == "P";
                    self.say(if self.private { "200 PROT now Private." } else { "200 PROT now Clear." }, shared);
                }
                _ => self.say("536 PROT not supported.", shared),
            },
            _ => self.clear(shared),
        }
    }

    fn about_files(&mut self, verb: &str, argument: &str, shared: &mut Shared) {
        let path = resolve(&self.cwd, argument);
        let reply = match verb {
            "TYPE" => {
                self.binary = argument.eq_ignore_ascii_case("I");
                if self.binary {
                    "200 Switching to Binary mode.".to_owned()
                } else {
                    "200 Switching to ASCII mode.".to_owned()
                }
            }
            "PWD" => format!("257 \"{}\" is the current directory", self.cwd),
            "CWD" if Files::is_directory(&path) => {
                self.cwd = path;
                "250 Directory successfully changed.".to_owned()
            }
            "CWD" => "550 Failed to change directory.".to_owned(),
            "SIZE" if !self.binary => "550 SIZE not allowed in ASCII mode".to_owned(),
            "SIZE" => match shared.files.get(&path) {
                Some(content) => format!("213 {}", content.len()),
                None => "550 Could not get file size.".to_owned(),
            },
            "DELE" if shared.files.remove(&path) => "250 Delete operation successful.".to_owned(),
            "DELE" => "550 Delete operation failed.".to_owned(),
            "ABOR" => "225 No transfer to ABOR.".to_owned(),
            _ => "500 Unknown command.".to_owned(),
        };
        self.say(&reply, shared);
    }

    /// A command that needs a data connection.
    fn transfer(&mut self, verb: &str, argument: &str, shared: &mut Shared) {
        // Options of ls.
        let argument = if verb == "LIST" && argument.starts_with('-') { "" } else { argument };
        let path = resolve(&self.cwd, argument);
        if self.arranged.is_none() {
            return self.say("425 Use PORT or PASV first.", shared);
        }
        if let (Some(no), false) = (shared.habits.protection.transfer, self.private) {
            return self.say(no, shared);
        }
        let content = match verb {
            "RETR" => shared.files.get(&path).cloned(),
            "STOR" => Some(Vec::new()),
            _ => Some(shared.files.listing(verb, &path)),
        };
        let Some(content) = content else { return self.say("550 Failed to open file.", shared) };
        if let (Start::Refuses(no), true) = (shared.habits.start, self.private) {
            // It looks at no connection that may stand there.
            return self.say(no, shared);
        }
        self.transfer = Some(Transfer::new(content, (verb == "STOR").then_some(path)));
        if shared.habits.begins == Begins::AtOnce {
            self.begin_reply(shared);
        }
        self.await_data(shared);
        self.advance(shared);
    }
}

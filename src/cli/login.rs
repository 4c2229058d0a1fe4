//! Who logs in, and where the password comes from. It is no argument, because arguments are seen by everybody on the machine.

use std::fs;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};

use super::args::LoginArgs;
use super::target::Target;
use super::term;
use crate::error::InputError;
use crate::probe::{Login, Password};
use crate::transcript::Tried;

/// What servers ask of `anonymous` as a password: an address of mail, which nobody reads.
const ANONYMOUS: &str = "ftpsdiag@";

/// Longest password, and longest netrc.
const LONGEST: u64 = 64 * 1024;

/// Where the password of `--user` comes from.
enum Source {
    Known(Password),
    /// The text of a netrc.
    Netrc(String),
}

/// Who logs in; read before the first connection.
pub(super) struct Who {
    user: String,
    source: Source,
    args: LoginArgs,
}

/// What the arguments say; `None` without a login.
///
/// # Errors
/// When there is no password, or something cannot stand in a command line.
pub(super) fn who(args: &LoginArgs) -> Result<Option<Who>, InputError> {
    let user = match (&args.user, args.anonymous) {
        (Some(user), _) => user.clone(),
        (None, true) => "anonymous".to_owned(),
        (None, false) => return Ok(None),
    };
    let paths = [
        ("--user", Some(&user)),
        ("--empty-file", args.empty_file.as_ref()),
        ("--write-test", args.write_test.as_ref()),
    ];
    for (option, text) in paths {
        if let Some(text) = text.filter(|t| t.is_empty() || t.chars().any(char::is_control)) {
            let problem = format!("`{}` cannot stand in an FTP command", term::safe(text));
            return Err(InputError::unreadable(option, problem, "one line of text"));
        }
    }
    let source = source(args, &user)?;
    Ok(Some(Who { user, source, args: args.clone() }))
}

impl Who {
    /// The login at one target.
    ///
    /// # Errors
    /// When the netrc has no password for it.
    pub(super) fn at(&self, target: &Target) -> Result<Login, InputError> {
        let password = match &self.source {
            Source::Known(password) => password.clone(),
            Source::Netrc(text) => netrc(text, &target.host, &self.user).ok_or_else(|| {
                let problem =
                    format!("has no password of `{}` at {}", term::safe(&self.user), term::safe(&target.host));
                InputError::unreadable("--netrc", problem, "machine HOST login NAME password PASSWORD")
            })?,
        };
        Ok(Login {
            user: self.user.clone(),
            password,
            confides: None,
            active: self.args.active,
            ccc: self.args.ccc,
            empty_file: self.args.empty_file.clone(),
            upload_to: self.args.write_test.clone(),
        })
    }

    /// What is tried, as the report keeps it.
    pub(super) fn tried(&self) -> Tried {
        let LoginArgs { active, ccc, empty_file, write_test, .. } = &self.args;
        Tried { active: *active, ccc: *ccc, empty_file: empty_file.is_some(), upload: write_test.is_some() }
    }
}

fn source(args: &LoginArgs, user: &str) -> Result<Source, InputError> {
    let known = |text: String| {
        if text.chars().any(|c| matches!(c, '\r' | '\n' | '\0')) {
            return Err(InputError::unreadable("the password", "it has more than one line", "one line of text"));
        }
        Ok(Source::Known(Password::new(text)))
    };
    if args.anonymous {
        return known(ANONYMOUS.to_owned());
    }
    if let Some(file) = &args.password_file {
        return known(first_line(file)?);
    }
    if let Ok(password) = std::env::var("FTPSDIAG_PASSWORD") {
        return known(password);
    }
    if args.netrc {
        let file = std::env::var("NETRC").ok().or_else(|| std::env::var("HOME").ok().map(|h| format!("{h}/.netrc")));
        let file = file.ok_or_else(|| InputError::unreadable("--netrc", "nobody knows your home", "set NETRC"))?;
        return Ok(Source::Netrc(read(&file)?));
    }
    if !io::stdin().is_terminal() {
        let how = "--password-file FILE, FTPSDIAG_PASSWORD, or --netrc";
        return Err(InputError::unreadable("--user", "no password, and no terminal to ask for it", how));
    }
    let asked = rpassword::prompt_password(format!("Password of {}: ", term::safe(user)));
    known(asked.map_err(|e| InputError::unreadable("the password", e.to_string(), "--password-file FILE"))?)
}

fn first_line(file: &str) -> Result<String, InputError> {
    let text = read(file)?;
    // Editors on Windows begin a file with a mark.
    let line = text.trim_start_matches('\u{FEFF}').lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(InputError::unreadable(file, "its first line is empty", "the password alone on the first line"));
    }
    Ok(line.to_owned())
}

fn read(file: &str) -> Result<String, InputError> {
    let bad = |e: io::Error| InputError::unreadable(file, format!("could not be read: {e}"), "a text file");
    let mut text = String::new();
    if file == "-" {
        BufReader::new(io::stdin()).take(LONGEST).read_line(&mut text).map_err(bad)?;
    } else {
        fs::File::open(file).map_err(bad)?.take(LONGEST).read_to_string(&mut text).map_err(bad)?;
    }
    Ok(text)
}

/// The password of a user at a host: the machine's own entry, else the default one.
fn netrc(text: &str, host: &str, user: &str) -> Option<Password> {
    let mut default: Option<Password> = None;
    // What the words so far say: whether the entry is for this host, by name; its login and password, in either order.
    let (mut here, mut by_name) = (false, false);
    let (mut login, mut password) = (None::<&str>, None::<&str>);
    let words = text.lines().filter(|l| !l.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let mut words = words.chain(["default"]);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                let fits = here && login.is_none_or(|l| l == user);
                let whole = password.take().filter(|_| fits).map(|p| Password::new(p.to_owned()));
                if whole.is_some() && by_name {
                    return whole;
                }
                default = default.or(whole);
                by_name = word == "machine" && words.next().is_some_and(|h| h.eq_ignore_ascii_case(host));
                (here, login) = (by_name || word == "default", None);
            }
            "login" => login = words.next(),
            "password" => password = words.next(),
            _ => {}
        }
    }
    default
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netrc_is_read_as_other_clients_read_it() {
        let text = "# mine\nmachine a.example login u password one\nmachine b.example\n login v password two\ndefault login u password three\n";
        let of = |host, user| netrc(text, host, user);
        let is = |word: &str| Some(Password::new(word.to_owned()));
        assert_eq!(of("A.example", "u"), is("one"));
        assert_eq!(of("b.example", "v"), is("two"));
        assert_eq!(of("c.example", "u"), is("three"));
        assert_eq!(of("c.example", "v"), None);
        let text = "machine a.example password one login u machine a.example login v password two";
        assert_eq!(netrc(text, "a.example", "u"), is("one"));
        assert_eq!(netrc(text, "a.example", "v"), is("two"), "the password of another login");
    }
}

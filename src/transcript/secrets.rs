//! No secret enters a transcript: arguments of PASS and ACCT, and key material in pasted logs.
//!
//! Two views of the same law: [`mask_flows`] works on bytes of the control connection wherever they came
//! from, [`Lines`] on the lines of a paste before any source has seen them. Spans count the asterisks.

use super::echo::Prompt;
use super::job::{Job, is_subcommand};
use super::joined::{behind_argument, split_joined};
pub use super::mask::mask_flows;

/// What stands in place of a secret, whatever its length.
pub const MASK: &str = "********";

/// Commands whose argument is a secret (RFC 959).
pub(super) const SECRET_VERBS: [&str; 2] = ["PASS", "ACCT"];

/// Masks secrets in the lines of a paste, in order: some span several lines.
#[derive(Debug, Default)]
pub struct Lines {
    block: Option<Block>,
    prompt: Prompt,
    job: Job,
}

#[derive(Debug, PartialEq)]
enum Block {
    /// Inside a PEM private key.
    PrivateKey,
    /// The hex dump of a session ticket, as `openssl s_client` prints it.
    Ticket,
    /// The argument of a PASS that a mail program broke off.
    BrokenCommand,
}

/// Labels before a secret in logs of TLS libraries; the value follows a colon or blanks.
const LABELS: [&str; 7] =
    ["Master-Key:", "Master Key:", "master secret:", "PSK:", "Resumption PSK:", "SRP username:", "premaster secret:"];

/// Words that name a password in front of `=` or `:`, in any case.
const PASSWORD_WORDS: [&str; 7] = ["password", "passwort", "passwd", "passphrase", "pass", "pwd", "pw"];

impl Lines {
    /// Whether nothing is open: no line before says that the next one is a secret, but for what answers a prompt.
    pub fn is_idle(&self) -> bool {
        self.block.is_none() && self.job.is_idle()
    }

    /// The line with its secrets masked; most lines come back as they are. Where lines were joined, what is masked to the end of its
    /// line ends at the next message.
    pub fn mask(&mut self, line: &str) -> String {
        let Some((first, mut rest)) = split_joined(line) else { return self.mask_one(line) };
        let mut out = self.mask_one(first);
        while !rest.is_empty() {
            let (next, behind) = split_joined(rest).unwrap_or((rest, ""));
            let blank = if out.ends_with(' ') { "" } else { " " };
            out = out + blank + &self.mask_one(next);
            rest = behind;
        }
        out
    }

    fn mask_one(&mut self, line: &str) -> String {
        if let Some(masked) = self.prompt.mask(line) {
            return masked;
        }
        match self.block {
            Some(Block::PrivateKey) => {
                if line.contains("-----END ") {
                    self.block = None;
                }
                return MASK.to_owned();
            }
            Some(Block::Ticket) => match line.trim_start().split_once(" - ") {
                Some((offset, _)) if offset.len() == 4 && offset.bytes().all(|b| b.is_ascii_hexdigit()) => {
                    return format!("{offset} - {MASK}");
                }
                _ if line.trim().is_empty() => return line.to_owned(),
                _ => self.block = None,
            },
            Some(Block::BrokenCommand) => {
                self.block = None;
                if line.split_whitespace().count() == 1 {
                    return MASK.to_owned();
                }
            }
            None => {}
        }
        if let Some(masked) = self.job.mask(line) {
            return mask_line(&masked);
        }
        if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----") {
            self.block = Some(Block::PrivateKey);
            return MASK.to_owned();
        }
        if line.trim_end().ends_with(">>> PASS") {
            self.block = Some(Block::BrokenCommand);
        }
        if line.trim_start().starts_with("TLS session ticket:") {
            self.block = Some(Block::Ticket);
        }
        mask_line(line)
    }
}

fn mask_line(line: &str) -> String {
    for label in LABELS {
        if let Some(at) = line.find(label) {
            let (head, value) = line.split_at_checked(at + label.len()).unwrap_or((line, ""));
            if !value.trim().is_empty() && value.trim() != "None" {
                return format!("{head} {MASK}");
            }
        }
    }
    if is_key_log(line) {
        let mut words = line.split_whitespace();
        return format!("{} {} {MASK}", words.next().unwrap_or_default(), words.next().unwrap_or_default());
    }
    let line = mask_url(&mask_commands(line));
    mask_user_subcommand(&mask_assignment(&line))
}

/// `password=xxx`, `"password": "xxx"`, `Password for joe: xxx`, `<password>xxx`, `PASSWORD(xxx)`, `login joe password xxx` (netrc).
fn mask_assignment(line: &str) -> String {
    let netrc = ["login ", "logon "].iter().any(|w| find_ignoring_case(line, w).is_some());
    for word in PASSWORD_WORDS {
        let Some(at) = find_ignoring_case(line, word) else { continue };
        let (head, tail) = line.split_at_checked(at + word.len()).unwrap_or((line, ""));
        let own_word = line.get(..at).and_then(|h| h.chars().next_back()).is_none_or(|c| !c.is_alphanumeric());
        // Up to where the value begins: signs, or a few words and then a sign.
        let behind = tail.trim_start_matches(['"', '\'', ' ']);
        let sign = if behind.starts_with([':', '=', '>']) {
            Some(tail.len() - behind.len() + 1)
        } else if tail.starts_with('(') {
            Some(1)
        } else if tail.get(..4).is_some_and(|t| t.eq_ignore_ascii_case(" is ")) {
            Some(4)
        } else if tail.starts_with(" for ") {
            tail.find(": ").map(|n| n + 1)
        } else {
            (netrc && tail.starts_with(' ')).then_some(1)
        };
        let Some((sign, value)) = sign.and_then(|n| tail.split_at_checked(n)).filter(|_| own_word) else { continue };
        let ends = |c: char| [' ', '"', '\'', '<', ','].contains(&c) || c == ')' && sign == "(";
        let secret = value.trim_start_matches([' ', '"', '\'']).split(ends).next().unwrap_or_default();
        if !secret.is_empty() && secret != MASK {
            return format!("{head}{sign}{}", value.replacen(secret, MASK, 1));
        }
    }
    mask_option(&mask_setting(line))
}

/// Settings of z/OS whose value is a password: `GSK_KEYRING_PW=xxx`, `KeyringPw xxx`, `GSK_LDAP_Pw xxx`.
fn mask_setting(line: &str) -> String {
    // FTP.DATA of a server: `ANONYMOUS user/password`.
    let mut words = line.split_whitespace();
    if words.next().is_some_and(|w| w.eq_ignore_ascii_case("anonymous"))
        && let Some((user, password)) = words.next().and_then(|w| w.split_once('/'))
        && !password.is_empty()
    {
        return format!("ANONYMOUS {user}/{MASK}");
    }
    for word in ["KEYRING_PW", "KeyringPw", "LDAP_PW", "LdapPw", "LDAP_USER_PW", "LdapUserPw"] {
        let Some(at) = find_ignoring_case(line, word) else { continue };
        let (head, tail) = line.split_at_checked(at + word.len()).unwrap_or((line, ""));
        let value = tail.trim_start_matches(['=', '(', ' ', '"', '\'']);
        let secret = value.split([' ', '"', '\'', ',', ')']).next().unwrap_or_default();
        if value.len() < tail.len() && !secret.is_empty() {
            return format!(
                "{head}{}{}",
                tail.split_at_checked(tail.len() - value.len()).map_or("", |t| t.0),
                value.replacen(secret, MASK, 1)
            );
        }
    }
    line.to_owned()
}

/// `curl -u joe:xxx`, `lftp -u joe,xxx`.
fn mask_option(line: &str) -> String {
    if let Some(tail) = line.strip_prefix("-u ") {
        return mask_option(&format!(" -u {tail}")).trim_start().to_owned();
    }
    let option = [" -u ", " --user "].into_iter().find(|o| line.contains(o));
    let Some((head, tail)) = option.and_then(|o| line.split_once(o)) else { return line.to_owned() };
    let option = option.unwrap_or_default().trim();
    let (login, rest) = tail.split_once(' ').map_or((tail, String::new()), |(login, rest)| (login, format!(" {rest}")));
    match login.split_once([':', ',']) {
        Some((user, _)) => {
            let sign = login.get(user.len()..=user.len()).unwrap_or_default();
            format!("{head} {option} {user}{sign}{MASK}{rest}")
        }
        None => line.to_owned(),
    }
}

/// The subcommand `user NAME PASSWORD` of the z/OS FTP client, as its log echoes it or a script sends it,
/// and `password WORD` alone on a line (netrc).
fn mask_user_subcommand(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        [verb, user, _] if verb.eq_ignore_ascii_case("user") => return format!("{verb} {user} {MASK}"),
        [word, value] if word.eq_ignore_ascii_case("password") && !is_prose(value) => {
            return format!("{word} {MASK}");
        }
        _ => {}
    }
    for before in ["Command: user ", "subcmd: user ", "'user ", "\"user "] {
        let Some(at) = find_ignoring_case(line, before) else { continue };
        let (head, tail) = line.split_at_checked(at + before.len()).unwrap_or((line, ""));
        let Some((user, password)) = tail.split_once(' ') else { continue };
        // In quotes the string ends, or its line does; a log says nothing behind the password.
        let quoted = before.starts_with(['\'', '"']);
        let end = password.find(['\'', '"', '\\']).filter(|_| quoted).unwrap_or(password.len());
        let (secret, rest) = password.split_at_checked(end).unwrap_or((password, ""));
        let is_login = !user.is_empty() && !user.contains(['\'', '"', '\\']) && (!quoted || !rest.is_empty());
        if is_login && !secret.trim().is_empty() && !(quoted && secret.split_whitespace().count() > 2) {
            return format!("{head}{user} {MASK}{rest}");
        }
    }
    // A trace of the client reads the line again: a name and one more word.
    if let Some(at) = find_ignoring_case(line, "parsecmd: ")
        && let Some((head, typed)) = line.split_at_checked(at + "parsecmd: ".len())
        && let [user, _] = typed.split_whitespace().collect::<Vec<_>>()[..]
        && !is_subcommand(&user.to_ascii_lowercase())
    {
        return format!("{head}{user} {MASK}");
    }
    line.to_owned()
}

/// Words behind `password` that a server or a client says itself.
fn is_prose(word: &str) -> bool {
    const PROSE: [&str; 16] = [
        "required",
        "needed",
        "expected",
        "incorrect",
        "invalid",
        "wrong",
        "correct",
        "accepted",
        "rejected",
        "expired",
        "changed",
        "ok",
        "failed",
        "failure",
        "prompt",
        "authentication",
    ];
    let word = word.trim_end_matches(['.', ':', ',', '!']);
    PROSE.iter().any(|p| p.eq_ignore_ascii_case(word))
}

/// `CLIENT_RANDOM hex hex` and its siblings (NSS key log format).
fn is_key_log(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let label = words.next().unwrap_or_default();
    let labelled =
        label == "CLIENT_RANDOM" || label == "RSA" || label == "EXPORTER_SECRET" || label.contains("_TRAFFIC_SECRET");
    labelled && words.clone().count() == 2 && words.all(|w| w.len() >= 16 && w.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `PASS xxx` anywhere in a line of a log, upper case or behind a `>`.
fn mask_commands(line: &str) -> String {
    for verb in SECRET_VERBS {
        let mut from = 0;
        while let Some(at) = line.get(from..).and_then(|rest| find_ignoring_case(rest, verb)).map(|n| n + from) {
            let (before, behind) =
                (line.get(..at).unwrap_or_default(), line.get(at + verb.len()..).unwrap_or_default());
            let own_word = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
            let upper = line.get(at..at + verb.len()) == Some(verb);
            let commanded = upper || before.trim_end().ends_with('>') || before.trim().is_empty();
            if let (true, true, Some(argument)) = (own_word, commanded, behind.strip_prefix([' ', '='])) {
                // Words that a log puts there itself: nothing to hide, and worth reading.
                let word = argument.split_whitespace().next().unwrap_or_default().trim_end_matches(['.', ',', ':']);
                let prose = ["command", "and", "with", "is", "to", "over", "failed"].contains(&word)
                    && !before.trim_end().ends_with('>')
                    && !before.trim().is_empty();
                if !prose && !argument.trim().is_empty() {
                    let reply = behind_argument(argument).map(|r| format!(" {r}")).unwrap_or_default();
                    return format!("{before}{} {MASK}{reply}", line.get(at..at + verb.len()).unwrap_or_default());
                }
            }
            from = at + verb.len();
        }
    }
    line.to_owned()
}

fn find_ignoring_case(text: &str, word: &str) -> Option<usize> {
    text.as_bytes().windows(word.len()).position(|w| w.eq_ignore_ascii_case(word.as_bytes()))
}

/// `ftp://user:password@host`.
fn mask_url(line: &str) -> String {
    let Some(scheme) = line.find("://") else { return line.to_owned() };
    let behind = line.get(scheme + 3..).unwrap_or_default();
    let authority = behind.split(['/', ' ', '"', '\'']).next().unwrap_or_default();
    match authority.rsplit_once('@').and_then(|(login, _)| login.split_once(':')) {
        Some((user, password)) => {
            let start = scheme + 3 + user.len() + 1;
            let (head, tail) =
                (line.get(..start).unwrap_or_default(), line.get(start + password.len()..).unwrap_or_default());
            format!("{head}{MASK}{tail}")
        }
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_pasted_lines() {
        let mut lines = Lines::default();
        let mut m = |s: &str| lines.mask(s);
        assert_eq!(m("EZA1701I >>> PASS hunter2"), "EZA1701I >>> PASS ********");
        assert_eq!(m("  Master-Key: 00AABB"), "  Master-Key: ********");
        assert_eq!(m("    PSK identity: None"), "    PSK identity: None");
        let key = format!("CLIENT_RANDOM {} {}", "ab".repeat(32), "cd".repeat(48));
        assert_eq!(m(&key), format!("CLIENT_RANDOM {} ********", "ab".repeat(32)));
        assert_eq!(m("curl ftp://joe:geheim@h/x"), "curl ftp://joe:********@h/x");
        assert_eq!(m("password=geheim x"), "password=******** x");
        assert_eq!(m("PASSWORD: geheim"), "PASSWORD: ********");
        for shape in [
            "\"password\": \"geheim\"",
            "<password>geheim</password>",
            "GSK_KEY_PASSWORD = geheim",
            "PASSWORD IS geheim",
            "Password for joe: geheim",
            "logon passphrase geheim",
            "ALTUSER JOE PASSWORD(geheim) RESUME",
            "password=x)geheim",
            "machine h login joe password geheim",
            "user joe geheim",
            "curl -u joe:geheim ftp://h/",
            " ENVAR(\"GSK_KEYRING_PW=geheim\",\"GSK_TRACE=0xFF\")",
            "GSK_KEYRING_PW=geheim",
            "  KeyringPw   geheim",
            "ANONYMOUS ANON/geheim ; all",
            "lftp -u joe,geheim h",
            "-u joe:geheim",
            "password geheim",
            "PW=geheim",
            "KEYRINGPW(\"geheim\")",
            "CALL FTP 'USER joe geheim'",
            "{ printf 'user joe geheim\\nput x\\n'; } | ftp -v h",
            "CU1234 parsecmd: joe geheim",
            "EZA1701I >>> PASS togeheim",
            "the log has PASS isgeheim",
            "PASS andgeheim",
            "PC0933 parseCmd: fndCmd returned subcmd: user joe geheim",
        ] {
            assert!(!m(shape).contains("geheim"), "{shape}: {}", m(shape));
        }
        for prose in
            ["331 Password required for joe", "Password required", "password incorrect.", "530 'user joe' unknown"]
        {
            assert_eq!(m(prose), prose);
        }
        assert_eq!(m("EZA1460I Command: user bob geheim"), "EZA1460I Command: user bob ********");
        assert_eq!(m("EZA1701I >>> PASS"), "EZA1701I >>> PASS");
        assert_eq!(m(" geheim"), MASK);
        assert_eq!(m("TLS session ticket:"), "TLS session ticket:");
        assert_eq!(m("    0000 - 1a 2b 3c"), "0000 - ********");
        assert_eq!(m("Start Time: 1"), "Start Time: 1");
        assert_eq!(m("-----BEGIN PRIVATE KEY-----"), MASK);
        assert_eq!(m("MIIabc"), MASK);
        assert_eq!(m("-----END PRIVATE KEY-----"), MASK);
        assert_eq!(m("//INPUT DD *"), "//INPUT DD *");
        assert_eq!(m("ftp.example.org"), "ftp.example.org");
        assert_eq!(m("joe geheim"), "joe ********");
        assert_eq!(m("put 'A.B'"), "put 'A.B'");
        assert_eq!(m("331 Send PASS command."), "331 Send PASS command.");
        assert_eq!(m("530 Please use PASS over TLS."), "530 Please use PASS over TLS.");
    }
}

//! Passwords in the JCL of an FTP step that was pasted with its log: in-stream input (`//INPUT DD *`, `//SYSTSIN DD *`)
//! and PARM. What a line is, is told by its place alone: what is no subcommand may be a login. Better one word too many.

use super::secrets::MASK;

/// Names of in-stream data that are settings, not what somebody would type. All others may hold a login.
const SETTINGS: [&str; 7] = ["SYSFTPD", "SYSFTSX", "SYSTCPD", "CEEOPTS", "STDENV", "FTPDATA", "TTLS"];

/// Subcommands of the z/OS FTP client; they may be cut to three letters.
const SUBCOMMANDS: &str = "append ascii auth big5 binary block ccc cd cdup clear close compress cprotect cwd debug delete delimit \
    dir dump ebcdic euckanji exit feature file get glob hangeul help ibmkanji jis78kj jis83kj ksc5601 lang \
    lcd lmkdir locsite locstat lpwd ls mdelete mget mkdir mode mput mvsget mvsput noop private prompt \
    protect proxy put pwd quit record rename restart rmdir safe schinese sendport sendsite site sjiskanji \
    srestart status stream struct sunique system type ucs2 verbose";

/// What the next line of an input is that is no subcommand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    /// The host, or the user where a PARM that is not in the paste names the host.
    #[default]
    Host,
    User,
    /// A first line was read: host or user.
    UserOrPassword,
    Password,
}

/// Masks the lines of a job, in order.
#[derive(Debug, Default)]
pub(super) struct Job {
    input: Option<Input>,
    /// The quote, and the words that were read, of a PARM that goes on in the next line.
    parm: Option<(char, usize)>,
    /// What the PARM of the step leaves to its input.
    left: Next,
}

/// In-stream data of which no end was seen.
#[derive(Debug)]
struct Input {
    next: Next,
    /// The line that ends it, beside `/*`; `//` unless the statement says otherwise.
    end: String,
    netrc: bool,
    /// The last word announced a password (netrc).
    announced: bool,
}

impl Job {
    /// Whether neither input nor PARM is open.
    pub(super) fn is_idle(&self) -> bool {
        self.input.is_none() && self.parm.is_none()
    }

    /// The line with its secrets masked, when its place shows that it holds one.
    pub(super) fn mask(&mut self, line: &str) -> Option<String> {
        let bare = line.trim_start_matches([' ', '\t', '>', '|', '\u{a0}']);
        if let Some(input) = &mut self.input {
            if bare.starts_with("/*") || bare.starts_with(input.end.as_str()) || is_logged(bare) {
                self.input = None;
            } else {
                return input.mask(line, bare);
            }
        }
        if self.parm.is_some() || line.contains(['\'', '"']) && find(line, "PARM=").is_some() {
            return self.parm(line);
        }
        if line.contains("<<") {
            self.here_document(line);
        }
        self.tso_command(bare);
        if !line.contains("//") {
            return None;
        }
        if find(line, " EXEC ").is_some() {
            self.left = Next::Host;
        }
        self.data_begins(line)
    }

    /// `//name DD *`: what stands behind it on the same line is a comment, or was joined to it.
    fn data_begins(&mut self, line: &str) -> Option<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.windows(3).position(|w| match w {
            [name, dd, operand] => {
                name.starts_with("//")
                    && dd.eq_ignore_ascii_case("DD")
                    && (operand.starts_with('*') || find(operand, "DATA").is_some_and(|n| n == 0))
            }
            _ => false,
        })?;
        let (head, behind) = words.split_at_checked(at + 3)?;
        let (name, operand) = (head.get(at)?.trim_start_matches('/').to_ascii_uppercase(), head.get(at + 2)?);
        let name = name.rsplit('.').next().unwrap_or_default();
        if SETTINGS.iter().any(|s| name.starts_with(s)) {
            return None;
        }
        let delimiter = find(operand, "DLM=").and_then(|n| operand.get(n + "DLM=".len()..));
        let delimiter = delimiter.map(|d| d.trim_matches('\'').split(',').next().unwrap_or_default().to_owned());
        let usual = if operand.starts_with('*') { "//" } else { "/*" };
        self.input = Some(Input {
            next: self.left,
            end: delimiter.filter(|d| !d.is_empty()).unwrap_or_else(|| usual.to_owned()),
            netrc: name == "NETRC",
            announced: false,
        });
        (!behind.is_empty()).then(|| format!("{} {MASK}", head.join(" ")))
    }

    /// `FTP host (EXIT`, the command of TSO: what follows is its input, whether or not the statement in front was pasted.
    fn tso_command(&mut self, bare: &str) {
        let Some((command, _)) = bare.strip_prefix("FTP ").and_then(|rest| rest.split_once('(')) else { return };
        let words: Vec<&str> = command.split_whitespace().collect();
        let is_host = |w: &str| w.contains('.') && !w.ends_with(['.', ',', ':']);
        let (Some(host), true) = (words.first(), words.len() <= 3) else { return };
        if is_host(host) {
            let (_, _, next) = mask_parm(command, 0);
            self.input = Some(Input { next, end: "//".to_owned(), netrc: false, announced: false });
        }
    }

    /// `ftp -v host <<EOF` of a shell.
    fn here_document(&mut self, line: &str) {
        let Some((command, behind)) = line.split_once("<<") else { return };
        let end = behind.trim_start_matches(['-', ' ', '"', '\'']).split([' ', '"', '\'']).next().unwrap_or_default();
        let words: Vec<&str> = command.split_whitespace().collect();
        let name = |w: &&str| w.rsplit('/').next().is_some_and(|w| w == "ftp");
        let Some(at) = words.iter().position(name).filter(|_| !end.is_empty()) else { return };
        let host = words.iter().skip(at + 1).any(|w| !w.starts_with('-'));
        let next = if host { Next::User } else { Next::Host };
        self.input = Some(Input { next, end: end.to_owned(), netrc: false, announced: false });
    }

    /// `PARM='host user password (EXIT'`: from the third word to the options.
    fn parm(&mut self, line: &str) -> Option<String> {
        let (start, quote, read) = match self.parm.take() {
            Some((quote, read)) => (line.len() - line.trim_start_matches(['/', ' ', '>', '|']).len(), quote, read),
            None => {
                let at = find(line, "PARM=")? + "PARM=".len();
                let value = line.get(at..)?.trim_start_matches('(');
                let quote = value.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
                (line.len() - value.len() + 1, quote, 0)
            }
        };
        let (head, rest) = line.split_at_checked(start)?;
        let (value, tail) = rest.split_at_checked(end_of_string(rest, quote).unwrap_or(rest.len()))?;
        let (masked, words, left) = mask_parm(value, read);
        self.left = left;
        if tail.is_empty() {
            self.parm = Some((quote, words));
        }
        Some(format!("{head}{masked}{tail}"))
    }
}

/// Where a string ends that may hold its own quote, doubled.
fn end_of_string(text: &str, quote: char) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find(quote).map(|n| n + from) {
        if !text.get(at + 1..)?.starts_with(quote) {
            return Some(at);
        }
        from = at + 2;
    }
    None
}

/// The words of a PARM, of which `read` stand in earlier lines: masked, their number, and what they leave to the input.
fn mask_parm(value: &str, read: usize) -> (String, usize, Next) {
    // Options of the run-time environment stand in front, with a slash behind them.
    let options = value.find(")/").map(|n| n + 2).filter(|n| {
        let name = value.get(..*n).and_then(|v| v.split('(').next()).unwrap_or_default();
        read == 0 && !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b',')
    });
    let (front, value) = value.split_at_checked(options.unwrap_or(0)).unwrap_or(("", value));
    let (words, options) = value.split_at_checked(value.find('(').unwrap_or(value.len())).unwrap_or((value, ""));
    let mut out = front.to_owned();
    let (mut count, mut left) = (read, if read == 0 { Next::Host } else { Next::Password });
    let mut masked = false;
    for word in words.split_whitespace() {
        if count >= 2 {
            masked = true;
            continue;
        }
        let is_option = word.starts_with('-');
        count += usize::from(!is_option);
        left = match count {
            _ if is_option => left,
            1 => Next::User,
            _ if word.parse::<u16>().is_ok() => Next::User,
            _ => Next::Password,
        };
        match word.split_once('/').filter(|_| count == 2) {
            Some((user, _)) => out.push_str(&format!("{user}/{MASK}")),
            None => out.push_str(word),
        }
        out.push(' ');
    }
    if masked {
        out.push_str(MASK);
        out.push(' ');
        left = Next::Password;
    }
    if options.is_empty() && !words.ends_with(' ') {
        out.truncate(out.trim_end().len());
    }
    (out + options, count, left)
}

impl Input {
    fn mask(&mut self, line: &str, bare: &str) -> Option<String> {
        if self.netrc {
            return self.mask_netrc(line);
        }
        let words: Vec<&str> = bare.split_whitespace().collect();
        let first = words.first().filter(|w| !w.starts_with(';'))?.to_ascii_lowercase();
        let keep = match first.as_str() {
            "user" => {
                self.next = Next::Password;
                2
            }
            "open" | "ftp" => {
                let (masked, _, left) = mask_parm(words.get(1..)?.join(" ").as_str(), 0);
                self.next = left;
                return Some(format!("{} {masked}", words.first()?));
            }
            "pass" | "acct" | "account" => 1,
            "quote" if words.get(1).is_some_and(|w| is_secret_verb(w)) => 2,
            "quote" => return None,
            _ if is_subcommand(&first) => return None,
            _ => self.login(&words),
        };
        // `user/password/new password`, as TSO has it.
        let user = |w: &&str| w.split_once('/').map_or_else(|| (*w).to_owned(), |(user, _)| format!("{user}/{MASK}"));
        let kept: Vec<String> = words.iter().take(keep).map(user).collect();
        let kept = kept.join(" ");
        if words.len() <= keep && !kept.contains(MASK) {
            return None;
        }
        Some(if kept.is_empty() { MASK.to_owned() } else { format!("{kept} {MASK}") })
    }

    /// How many words of a line that is no subcommand may be shown.
    fn login(&mut self, words: &[&str]) -> usize {
        let second = words.get(1);
        let (keep, next) = match (self.next, second) {
            (Next::Host, None) => (1, Next::UserOrPassword),
            (Next::Host, Some(&("21" | "990"))) => (2, Next::User),
            (Next::Host | Next::User, _) => (1, Next::Password),
            // The password with a comment, or the user with it.
            (Next::UserOrPassword, Some(second)) if !second.starts_with(';') => (1, Next::Password),
            (Next::UserOrPassword | Next::Password, _) => (0, Next::Password),
        };
        self.next = next;
        keep
    }

    /// `machine HOST login USER password PASSWORD`, on one line or on several.
    fn mask_netrc(&mut self, line: &str) -> Option<String> {
        let mut out = Vec::new();
        for word in line.split_whitespace() {
            let secret = core::mem::take(&mut self.announced);
            out.push(if secret { MASK } else { word });
            self.announced = !secret && (word.eq_ignore_ascii_case("password") || is_secret_verb(word));
        }
        (!out.is_empty()).then(|| out.join(" "))
    }
}

pub(super) fn is_secret_verb(word: &str) -> bool {
    ["pass", "acct", "account"].iter().any(|v| v.eq_ignore_ascii_case(word))
}

/// Whether a word in small letters is a subcommand of the client that takes no login.
pub(super) fn is_subcommand(word: &str) -> bool {
    SUBCOMMANDS.split_whitespace().any(|s| s == word || word.len() >= 3 && s.starts_with(word))
}

/// Whether a line is of a log: the end of the input is missing from the paste.
pub(super) fn is_logged(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    let digits = |w: &str| w.bytes().filter(u8::is_ascii_digit).count();
    let is_id = (6..=10).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && first.bytes().take(2).all(|b| b.is_ascii_uppercase())
        && digits(first) >= 2
        && (first.starts_with("EZ") && first.ends_with(['I', 'E', 'W', 'A', 'S'])
            || digits(first) == 4 && first.len() == 6);
    let is_time = |w: &str| w.len() >= 8 && w.split(':').count() == 3 && digits(w) >= 6;
    let is_reply = line.split_whitespace().count() >= 3
        && first.trim_end_matches('-').len() == 3
        && first.trim_end_matches('-').bytes().all(|b| b.is_ascii_digit());
    second.is_some() && (is_reply || is_id || line.split_whitespace().take(4).any(is_time)) || line.starts_with(">>>")
}

fn find(text: &str, word: &str) -> Option<usize> {
    text.as_bytes().windows(word.len()).position(|w| w.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use crate::transcript::secrets::Lines;

    fn masked(paste: &str) -> String {
        let mut lines = Lines::default();
        paste.lines().map(|l| lines.mask(l) + "\n").collect()
    }

    #[test]
    fn no_login_of_a_job_is_kept() {
        for paste in [
            "//SYSTSIN DD *\nftp.example.org\njoe Geheim79\nput 'A.B'\n/*",
            "//SYSTSIN DD *\n ftp ftp.example.org 21 (EXIT\n joe Geheim79\n/*",
            "//SYSTSIN DD *\n FTP ftp.example.org joe Geheim79 (EXIT\n/*",
            "//SYSTSIN DD *\nhost\njoe\nGeheim79\n/*",
            "//SYSTSIN  DD  *,SYMBOLS=JCLONLY\nuser joe Geheim79 account\n",
            "//INPUT DD *\njoe Geheim79\n",
            "//INPUT DD *\njoe 79797979Geheim\n",
            "//INPUT DD *\n\n; my login\nhost 21\njoe\nGeheim79\n",
            "//INPUT DD *\nhost\njoe ; me\nGeheim79 ; changed in May\n",
            "//INPUT DD *\ndebug sec\nopen host\nuser joe\nGeheim79\n",
            "//INPUT DD *\nhost\njoe pw\nclose\nopen host2\nanne Geheim79\n",
            "//INPUT DD *\nhost\njoe pw\nquote pass Geheim79\nquote acct Geheim79\nacct Geheim79\n",
            "//INPUT DD *\nhost\njoe pw\nbin\nlcd x\nput a b\nasc\nget c\nuser anne Geheim79\n",
            "> //INPUT DD *\n> host\n> joe Geheim79\n",
            "   12 //FTP.INPUT DD *\nhost\njoe Geheim79\n",
            "//S EXEC PGM=FTP //INPUT DD * host joe Geheim79",
            "//PARMS DD *\nhost joe Geheim79 (EXIT\n",
            "//INPUT DD DATA,DLM=@@\n//host\njoe\nGeheim79\n@@",
            "//INPUT DD DATA\nhost\njoe\nGeheim79\n/*",
            "//S EXEC PGM=FTP,PARM='host joe Geheim79 (EXIT'",
            "// PARM='POSIX(ON),ENVAR(\"A=B\")/host joe Geheim79 (EXIT'",
            "// parm=('host joe Geheim79')",
            "// PARM='host 2121 Geheim79 (EXIT'",
            "// PARM='host joe -Geheim79'",
            "// PARM='host joe x''Geheim79 (EXIT'",
            "//S EXEC PGM=FTP,\n//  PARM='host joe\n//             Geheim79 (EXIT'",
            "//S EXEC PGM=FTP,PARM='host joe (EXIT'\n//INPUT DD *\nGeheim79\n",
            "//S EXEC PGM=FTP,PARM='host (EXIT'\n//INPUT DD *\njoe\nGeheim79\n",
            "ftp -v -p tcpip ftp.example.org <<EOF\njoe\nGeheim79\nput x\nEOF",
            "ftp -n <<'END'\nopen h\nuser joe Geheim79\nEND",
            "FTP ftp.example.org (EXIT\n joe/Geheim79/Geheim80\n",
            "FTP ftp.example.org 21 (EXIT\njoe Geheim79\n",
            "//INPUT DD *\nhost\njoe/Geheim79\n",
            "//INPUT DD *\nhost\nuser joe/Geheim79/Geheim80\n",
            "//S EXEC PGM=FTP,PARM='host joe/Geheim79 (EXIT'",
            "//NETRC DD *\nmachine h login joe password Geheim79\n",
            "//NETRC DD *\nmachine h\nlogin joe\npassword\nGeheim79 account\nGeheim79\n",
        ] {
            let out = masked(paste);
            assert!(!out.contains("Geheim"), "{paste}\n-> {out}");
        }
    }

    #[test]
    fn what_is_no_login_stays() {
        for paste in [
            "//S EXEC PGM=FTP,PARM='ftp.example.org 990 (EXIT TIMEOUT 30'\n",
            "//S EXEC PGM=FTP,PARM='ENVAR(\"GSK_TRACE=0xFF\",\"_CEE_ENVFILE=DD:STDENV\")/ftp.example.org (EXIT'\n",
            "//SYSFTPD DD *\nTLSMECHANISM ATTLS\nSECURE_FTP REQUIRED\nKEYRING joe/ring\n/*\n",
            "//CEEOPTS DD *\n ENVAR(\"GSK_PROTOCOL_TLSV1_2=ON\")\n/*\n",
            "//INPUT DD *\nftp.example.org\nput 'A.B' c.d (REPLACE\nlocsite fwfriendly\nquote site x y\n/*\nany other words\n",
            "//INPUT DD *\nEZA1450I IBM FTP CS V2R1\nEZA1701I >>> AUTH TLS\n234 go ahead\n",
            "//INPUT DD *\nS0W1 MESSAGE 00000004 01:49:34.345 SSL_ERROR\n",
            "//OUTPUT DD SYSOUT=*\nany other words\n",
            "FTP servers (the old ones)\nany other words/here\n",
        ] {
            assert_eq!(masked(paste), paste);
        }
        assert_eq!(masked("//INPUT DD *\nh\njoe pw\nEZA2897I x y"), "//INPUT DD *\nh\njoe ********\nEZA2897I x y\n");
    }
}

//! Configuration that was pasted along: FTP.DATA, the JCL of a step, AT-TLS policies. Each statement becomes a claim of the
//! place where it stands; what it explains is for others to say.
//!
//! Statements look like words of a mail. FTP.DATA begins with a statement that only FTP has, with a value that it can have, or
//! behind its DD statement, and goes on as long as lines follow each other.

use super::words::Word;
use super::zos_statement::{self, Keyword};
use super::{Block, Piece};
use crate::transcript::speakers::{AT_TLS_POLICY, FTP_DATA, JCL, RACF, speaker};
use crate::transcript::{Code, ConnId, Entry, Side, What};

/// Statements that are kept of one paste.
const MOST: usize = 400;

/// Blank lines and comments of mail programs that may stand between two statements of one file.
const GAP: u64 = 2;

/// Most words of one policy statement with all that stands in its braces.
const LONGEST: usize = 2_000;

/// `ICH408I USER(BATCH1 ) GROUP(BATCH ) NAME(x) owner.ring.LST CL(RDATALIB) INSUFFICIENT ACCESS AUTHORITY …`, on several lines.
pub(super) const DENIED: &str = "ICH408I";

/// Most words of it up to the class; a name may hold blanks.
const LONGEST_DENIED: usize = 32;

/// Classes of what TLS needs: rings and certificates, keys and the services that use them.
const CLASSES: [&str; 4] = ["RDATALIB", "FACILITY", "CSFSERV", "CSFKEYS"];

/// Objects of an AT-TLS policy that hold settings in braces.
const OBJECTS: [&str; 12] = [
    "TTLSRule",
    "TTLSGroupAction",
    "TTLSGroupAdvancedParms",
    "TTLSEnvironmentAction",
    "TTLSEnvironmentAdvancedParms",
    "TTLSConnectionAction",
    "TTLSConnectionAdvancedParms",
    "TTLSCipherParms",
    "TTLSGskAdvancedParms",
    "TTLSKeyringParms",
    "TTLSKeyRingParms",
    "TTLSSignatureParms",
];

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A statement of FTP.DATA, or a comment in it.
    FtpData,
    /// `//name DD …` and its like.
    Jcl,
    /// A variable of the environment.
    Variable,
    /// An object of a policy, with its braces.
    Policy,
    /// What RACF refused, with the lines that say of what.
    Denied,
}

/// In-stream data of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dd {
    FtpData,
    Variables,
    /// A login, or anything else that is no setting.
    Other,
}

/// One file of statements.
#[derive(Debug, Default)]
struct File {
    statements: Vec<String>,
    client: bool,
    server: bool,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Config {
    entries: Vec<Entry>,
    file: File,
    files: usize,
    /// The last line of the file, or of the DD statement in front of it.
    last: Option<u64>,
    dd: Option<Dd>,
    /// Which program the step runs.
    runs: Option<Side>,
}

/// A line, or an object, while it is read.
#[derive(Debug)]
pub(super) struct Record {
    form: Form,
    words: Vec<Word>,
    depth: i32,
}

impl Record {
    pub(super) fn new(form: Form) -> Self {
        Self { form, words: Vec::new(), depth: 0 }
    }

    /// Takes the next word if it belongs to the record: those of its line, or up to the last brace.
    pub(super) fn accept(&mut self, word: &Word) -> bool {
        if self.words.len() >= LONGEST {
            return false;
        }
        let on_line = self.words.last().is_none_or(|w| w.line == word.line);
        let opens = word.text.starts_with('{');
        let taken = match self.form {
            Form::Policy => on_line && self.depth == 0 || self.depth > 0 || opens && !self.is_closed(),
            Form::Denied => {
                let has_class = self.words.iter().any(|w| class(&w.text).is_some());
                on_line || self.words.len() < LONGEST_DENIED && (!has_class || goes_on(&word.text))
            }
            _ => on_line,
        };
        if taken {
            self.depth += word.text.matches('{').count() as i32 - word.text.matches('}').count() as i32;
            self.words.push(word.clone());
        }
        taken
    }

    fn is_closed(&self) -> bool {
        self.words.iter().any(|w| w.text.contains('}'))
    }

    /// Whether braces are open.
    pub(super) fn holds_fast(&self) -> bool {
        self.depth > 0
    }

    fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|w| w.text.as_str()).collect();
        words.join(" ")
    }

    /// The words line by line.
    fn lines(&self) -> Vec<String> {
        let mut out: Vec<(u64, String)> = Vec::new();
        for word in &self.words {
            match out.last_mut().filter(|(line, _)| *line == word.line) {
                Some((_, text)) => *text = format!("{text} {}", word.text),
                None => out.push((word.line, word.text.clone())),
            }
        }
        out.into_iter().map(|(_, text)| text).collect()
    }
}

impl Config {
    /// The form of the line that begins at the first of these words.
    pub(super) fn begins(&self, words: &[Word]) -> Option<Form> {
        let first = words.first().filter(|w| w.first)?;
        let follows = self.last.is_some_and(|last| first.line > last && first.line - last <= GAP + 1);
        if !follows && !may_begin(&first.text) {
            return None;
        }
        let line: Vec<&str> = words.iter().take_while(|w| w.line == first.line).map(|w| w.text.as_str()).collect();
        let word = |n: usize| line.get(n).copied().unwrap_or_default();
        if is_jcl(&line) || first.text == "/*" && self.dd.is_some() {
            return Some(Form::Jcl);
        }
        if OBJECTS.contains(&word(0)) && words.iter().skip(1).take(3).any(|w| w.text.contains('{')) {
            return Some(Form::Policy);
        }
        if is_variable(&line) {
            return Some(Form::Variable);
        }
        match self.dd.filter(|_| follows) {
            // What stands there may be a login.
            Some(Dd::Other) => return None,
            Some(Dd::Variables) => return None,
            Some(Dd::FtpData) if word(0).starts_with(';') || zos_statement::is_shaped(&line) => {
                return Some(Form::FtpData);
            }
            _ => {}
        }
        if self.dd == Some(Dd::Other) && self.last.is_some() {
            return None;
        }
        let known = zos_statement::keyword(word(0));
        let begins = known.is_some_and(|k: Keyword| k.is_distinct() && word(0) == k.name && k.may_be(&line));
        let goes_on = follows && !self.file.statements.is_empty() && (known.is_some() || word(0).starts_with(';'));
        (begins || goes_on && (word(0).starts_with(';') || zos_statement::is_shaped(&line))).then_some(Form::FtpData)
    }

    /// Takes a finished record.
    pub(super) fn record(&mut self, record: &Record) {
        let Some(line) = record.words.last().map(|w| w.line) else { return };
        match record.form {
            Form::FtpData => self.statement(&record.text(), record.words.first().map_or(line, |w| w.line)),
            Form::Jcl => self.jcl(&record.text()),
            Form::Variable => self.push(JCL.to_owned(), record.text()),
            Form::Policy => self.policy(record),
            Form::Denied => self.denied(record),
        }
        self.last = Some(line);
    }

    fn push(&mut self, by: String, text: String) {
        if self.entries.len() < MOST && !text.is_empty() {
            self.entries.push(Entry { at: None, conn: ConnId(0), what: What::Claim { by, code: None, text } });
        }
    }

    fn statement(&mut self, text: &str, line: u64) {
        let statement = text.split(';').next().unwrap_or_default().trim();
        let name = statement.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let far = self.last.is_none_or(|last| line.saturating_sub(last) > GAP + 1);
        let keyword = zos_statement::keyword(&name);
        // One file says such a thing once.
        let again = keyword.is_some_and(|k| !k.repeats)
            && self.file.statements.iter().any(|s| s.split(' ').next().is_some_and(|n| n.eq_ignore_ascii_case(&name)));
        if far || again {
            self.end_of_file();
        }
        self.file.client |= keyword.is_some_and(|k| k.side == Some(Side::Client));
        self.file.server |= keyword.is_some_and(|k| k.side == Some(Side::Server));
        if !statement.is_empty() && self.file.statements.len() < MOST {
            self.file.statements.push(statement.to_owned());
        }
    }

    /// All statements of one file, by the end that uses it, as far as that shows. A comment divides two files.
    fn end_of_file(&mut self) {
        let file = std::mem::take(&mut self.file);
        if file.statements.is_empty() {
            return;
        }
        let side = match (file.client, file.server) {
            (true, false) => Some(Side::Client),
            (false, true) => Some(Side::Server),
            _ => self.runs,
        };
        let by = speaker(FTP_DATA, side, "");
        self.files += 1;
        if self.files > 1 {
            self.push(by.clone(), format!("; file {}", self.files));
        }
        for statement in file.statements {
            self.push(by.clone(), statement);
        }
    }

    fn jcl(&mut self, text: &str) {
        self.end_of_file();
        self.dd = None;
        let upper = text.to_ascii_uppercase();
        let words: Vec<&str> = upper.split(' ').collect();
        if let Some(program) = words.iter().find_map(|w| w.split_once("PGM=")).map(|(_, p)| p) {
            self.runs = match program.split([',', ' ']).next().unwrap_or_default() {
                "FTP" => Some(Side::Client),
                p if p.starts_with("FTPD") => Some(Side::Server),
                _ => None,
            };
        }
        if let [name, "DD", operand, ..] = words[..]
            && (operand.starts_with('*') || operand.starts_with("DATA"))
        {
            let name = name.trim_start_matches('/').rsplit('.').next().unwrap_or_default();
            self.dd = Some(match name {
                n if n.starts_with("SYSFTPD") || n.starts_with("FTPDATA") => Dd::FtpData,
                n if n.starts_with("CEEOPTS") || n.starts_with("STDENV") => Dd::Variables,
                _ => Dd::Other,
            });
        }
        let tells = upper.contains("PGM=FTP") || upper.contains("PARM=");
        if tells {
            self.push(JCL.to_owned(), text.to_owned());
        }
    }

    /// One claim for each line of an object, without its braces and comments.
    fn policy(&mut self, record: &Record) {
        for line in record.lines() {
            let text = line.split('#').next().unwrap_or_default();
            for part in text.split(['{', '}']) {
                self.push(AT_TLS_POLICY.to_owned(), part.trim().to_owned());
            }
        }
    }

    /// `BATCH1 FTPUSR.FTPRING.LST RDATALIB`: user, profile and class, where the class is one that TLS needs.
    fn denied(&mut self, record: &Record) {
        let words: Vec<&str> = record.words.iter().map(|w| w.text.as_str()).collect();
        let Some(at) = words.iter().position(|w| class(w).is_some()) else { return };
        let (Some(class), Some(profile)) = (words.get(at).and_then(|w| class(w)), words.get(at.wrapping_sub(1))) else {
            return;
        };
        let user = words.iter().find_map(|w| w.strip_prefix("USER(")).map(|u| u.trim_end_matches(')'));
        let of_ring = class != "FACILITY" || profile.starts_with("IRR.DIGTCERT.");
        let Some(user) = user.filter(|u| !u.is_empty() && of_ring && CLASSES.contains(&class)) else { return };
        let what = What::Claim {
            by: RACF.to_owned(),
            code: Some(Code::Message(DENIED.to_owned())),
            text: format!("{user} {profile} {class}"),
        };
        if self.entries.len() < MOST {
            self.entries.push(Entry { at: None, conn: ConnId(0), what });
        }
    }

    /// What was read, for whatever session of the case it explains.
    pub(super) fn finish(&mut self) -> Vec<Block> {
        self.end_of_file();
        let entries = std::mem::take(&mut self.entries);
        let piece = Piece { entries, ..Piece::default() };
        if piece.entries.is_empty() { Vec::new() } else { vec![Block::Settings(piece)] }
    }
}

/// The class in `CL(RDATALIB)`; blanks in the parentheses are no part of it.
fn class(word: &str) -> Option<&str> {
    word.strip_prefix("CL(").map(|class| class.trim_end_matches(')'))
}

/// Whether a line goes on with the message behind its class.
fn goes_on(word: &str) -> bool {
    const REST: [&str; 5] = ["INSUFFICIENT", "ACCESS", "FROM", "WARNING:", "PROFILE"];
    REST.contains(&word) || word.starts_with("INTENT(")
}

/// Whether a line that follows no other may be one: most are not, and are asked nothing more.
fn may_begin(word: &str) -> bool {
    const BEGINNINGS: [&str; 6] = ["//", "/*", "TTLS", "ENVAR(", "GSK_", "export"];
    BEGINNINGS.iter().any(|b| word.starts_with(b)) || zos_statement::keyword(word).is_some()
}

/// `//name DD …`, `//name EXEC …`, and the lines that go on with their operands.
fn is_jcl(line: &[&str]) -> bool {
    match line {
        [first, operation, ..] if first.starts_with("//") && !first.starts_with("//*") => {
            let goes_on = *first == "//" && (operation.contains('=') || *operation == "DD");
            goes_on
                || first.len() > 2 && matches!(*operation, "DD" | "EXEC" | "JOB" | "PROC" | "PEND" | "SET" | "INCLUDE")
        }
        _ => false,
    }
}

/// `ENVAR("GSK_PROTOCOL_TLSV1_2=ON")`, `GSK_PROTOCOL_TLSV1_2=ON`, with or without `export`.
fn is_variable(line: &[&str]) -> bool {
    let word = match line {
        ["export", word] | [word] => word,
        [word, ..] if word.starts_with("ENVAR(") => word,
        _ => return false,
    };
    word.starts_with("ENVAR(") || word.starts_with("GSK_") && word.contains('=')
}

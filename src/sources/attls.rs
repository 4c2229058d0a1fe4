//! Messages of AT-TLS, as syslogd, the console and job logs hold them: `EZD1286I TTLS Error GRPID: … RC: 402 Initial Handshake`.
//!
//! Fields are read by their names, never by their place: EZD1287I tells the same as EZD1286I in another order, over several
//! lines. EZD1285I holds whole TLS records as hex, header included.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use super::attls_words::{EVENTS, HEADINGS, starts_with};
use super::cert_diag::{self, Diagnostics};
use super::words::Word;
use crate::transcript::Micros;
use crate::wire::tls::record::{Front, HEADER_LEN, front};

/// Most words of a message, and most bytes of one EZD1285I.
const LONGEST: usize = 400;
const MOST_BYTES: usize = 64 * 1024;

/// Most words of an event that is in no list, and of what EZD1284I says.
const LONGEST_EVENT: usize = 8;

/// The messages, by what they tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// EZD1281I: the rule of a connection, and whether it is enabled.
    Map,
    /// EZD1282I: something begins.
    Start,
    /// EZD1283I: something happened, with its return code.
    Event,
    /// EZD1284I: a call to System SSL with its value.
    Flow,
    /// EZD1285I: bytes.
    Data,
    /// EZD1286I, EZD1287I: a failure, with its return code.
    Error,
    /// EZD2042I: a whole group failed.
    GroupFailed,
    /// EZD2052I to EZD2054I, or their fields without an id: what was wrong with the partner's certificate.
    Certificate,
}

/// The name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Group,
    Environment,
    Connection,
    Local,
    Remote,
    Job,
    User,
    Rule,
    Rc,
    Status,
    Actions,
}

fn form_of(id: &str) -> Option<Form> {
    Some(match id {
        "EZD1281I" => Form::Map,
        "EZD1282I" => Form::Start,
        "EZD1283I" => Form::Event,
        "EZD1284I" => Form::Flow,
        "EZD1285I" => Form::Data,
        "EZD1286I" | "EZD1287I" => Form::Error,
        "EZD2042I" => Form::GroupFailed,
        "EZD2052I" | "EZD2053I" | "EZD2054I" => Form::Certificate,
        _ => return None,
    })
}

/// The message that begins at the first of these words, which `leads` when nothing of the line stands in front of it but
/// what a log puts there. Prose that names an id begins none.
pub(super) fn begins(words: &[Word], leads: bool) -> Option<Form> {
    let first = words.first()?;
    // As JSON quotes it: `"message":"EZD1287I`.
    let id = first.text.rsplit('"').next().unwrap_or_default();
    match form_of(id) {
        Some(Form::GroupFailed) => leads.then_some(Form::GroupFailed),
        Some(form) => words.get(1).is_none_or(|w| w.text == HEADINGS[0]).then_some(form),
        None => cert_diag::begins(id).then_some(Form::Certificate),
    }
}

/// A field's name, and what is glued to it: `GRPID:00000004`.
fn key_in(text: &str) -> Option<(Key, &str)> {
    let (name, value) = text.split_once(':')?;
    let key = match name {
        "GRPID" => Key::Group,
        "ENVID" => Key::Environment,
        "CONNID" => Key::Connection,
        "LOCAL" => Key::Local,
        "REMOTE" => Key::Remote,
        "JOBNAME" => Key::Job,
        "USERID" => Key::User,
        "RULE" => Key::Rule,
        "RC" => Key::Rc,
        "STATUS" => Key::Status,
        "ACTIONS" => Key::Actions,
        _ => return None,
    };
    Some((key, value))
}

/// One message while it is read.
#[derive(Debug)]
pub(super) struct Record {
    pub form: Form,
    /// Its id; empty where the fields of a certificate stand alone.
    pub id: String,
    pub at: Option<Micros>,
    pub line: u64,
    fields: BTreeMap<Key, String>,
    /// The field whose value comes next, and the one that came last.
    awaits: Option<Key>,
    last: Option<Key>,
    /// Words that are no field: the event, the call, `SEND CIPHER`.
    pub text: Vec<String>,
    /// The bytes of EZD1285I; whether half a byte is left over.
    pub bytes: Vec<u8>,
    pub odd: bool,
    /// So many of them are whole TLS records.
    framed: usize,
    pub diagnostics: Diagnostics,
    /// The number by which a job log ties the lines of one message together.
    number: Option<String>,
    /// What of a word of the heading stands at the end of its line.
    cut: String,
    words: usize,
    last_line: u64,
    over: bool,
}

/// Digits of the longest return code.
const LONGEST_CODE: usize = 4;

impl Record {
    pub(super) fn new(form: Form, at: Option<Micros>, line: u64) -> Self {
        Self {
            form,
            id: String::new(),
            at,
            line,
            fields: BTreeMap::new(),
            awaits: None,
            last: None,
            text: Vec::new(),
            bytes: Vec::new(),
            odd: false,
            framed: 0,
            diagnostics: Diagnostics::default(),
            number: None,
            cut: String::new(),
            words: 0,
            last_line: line,
            over: false,
        }
    }

    /// The value of a field that is there and not empty.
    pub(super) fn field(&self, key: Key) -> Option<&str> {
        self.fields.get(&key).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// The return code; negative ones as System SSL's table has them.
    pub(super) fn rc(&self) -> Option<u32> {
        let rc = self.field(Key::Rc)?;
        rc.parse().ok().or_else(|| rc.parse::<i32>().ok().map(i32::cast_unsigned))
    }

    /// An address as AT-TLS writes it, `::FFFF:192.0.2.7..21`. Masked ones are none.
    pub(super) fn address(&self, key: Key) -> Option<SocketAddr> {
        let (ip, port) = self.field(key)?.rsplit_once("..")?;
        let ip: core::net::IpAddr = ip.parse().ok()?;
        Some(SocketAddr::new(ip.to_canonical(), port.parse().ok()?))
    }

    /// The port of an address, which stays where the rest is masked.
    pub(super) fn port(&self, key: Key) -> Option<u16> {
        self.field(key)?.rsplit_once("..")?.1.parse().ok()
    }

    /// Whether the value of a field must come next, or the rest of a message that a job log has cut into lines.
    pub(super) fn holds_fast(&self) -> bool {
        let more_lines = self.number.is_some() && !self.fields.contains_key(&Key::Connection);
        !self.over && (self.awaits.is_some() || self.diagnostics.awaits() || more_lines)
    }

    /// Whether a certificate's fields are still to come: what begins with them is no message of its own.
    pub(super) fn awaits_diagnostics(&self) -> bool {
        self.form == Form::Certificate && self.diagnostics.is_empty() && !self.over
    }

    /// Takes the next word if it belongs to the message.
    pub(super) fn accept(&mut self, word: &Word) -> bool {
        self.words += 1;
        if self.over || self.words > LONGEST && self.form != Form::Data {
            return false;
        }
        if self.words == 1 && self.is_id(&word.text) {
            return true;
        }
        let mut any = false;
        // JSON shows the line ends of a message that was joined.
        for part in word.text.split("\\r").flat_map(|p| p.split("\\n")).filter(|p| !p.is_empty()) {
            if !self.part(part, word) {
                self.over = true;
                break;
            }
            any = true;
        }
        self.last_line = word.line;
        any
    }

    fn is_id(&mut self, text: &str) -> bool {
        let id = text.rsplit('"').next().unwrap_or_default();
        let is_id = form_of(id).is_some();
        if is_id {
            id.clone_into(&mut self.id);
        }
        is_id
    }

    fn part(&mut self, text: &str, word: &Word) -> bool {
        let untouched = self.fields.is_empty() && self.awaits.is_none() && self.text.is_empty();
        if untouched && self.diagnostics.is_empty() && self.words < HEADINGS.len() && HEADINGS.contains(&text) {
            return true;
        }
        let key = key_in(text).filter(|_| self.form != Form::GroupFailed && !self.diagnostics.is_quoting());
        if let Some((key, value)) = key {
            // The same field again is another message, whose id was lost.
            if self.fields.contains_key(&key) {
                return false;
            }
            (self.awaits, self.last) = (value.is_empty().then_some(key), Some(key));
            self.set(key, value);
            return true;
        }
        if let Some(key) = self.awaits.take() {
            self.set(key, text);
            return true;
        }
        if self.number.as_deref() == Some(text) && word.first {
            return true;
        }
        if self.goes_on(text, word) || untouched && self.words < HEADINGS.len() && self.is_cut_heading(text, word) {
            return true;
        }
        let same = word.line == self.last_line;
        match self.form {
            Form::Certificate => self.diagnostics.accept(text, word),
            Form::Data => self.data(text, same),
            Form::Flow => self.flow(text, same, word.after_full_line),
            Form::Map => self.map(text, same),
            Form::GroupFailed => same && self.keep(text),
            Form::Start if self.last == Some(Key::Actions) => same,
            Form::Start | Form::Event | Form::Error => self.event(text, same),
        }
    }

    /// The rest of a value that a hard wrap cut in two. Behind a whole return code stand words; before it, fields alone.
    fn goes_on(&mut self, text: &str, word: &Word) -> bool {
        let ordered = matches!(self.form, Form::Event | Form::Error) && !self.fields.contains_key(&Key::Rc);
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let Some(last) = self.last.filter(|_| word.first && self.text.is_empty()) else { return false };
        let Some(value) = self.fields.get_mut(&last) else { return false };
        let fits = match last {
            Key::Rc => digits && value.len() + text.len() <= LONGEST_CODE,
            _ => ordered && word.after_full_line,
        };
        if fits {
            value.push_str(text);
        }
        fits
    }

    /// A word of the heading of which a hard wrap left a part at the end of its line, or the rest of it.
    fn is_cut_heading(&mut self, text: &str, word: &Word) -> bool {
        let begun = core::mem::take(&mut self.cut);
        let whole = format!("{begun}{text}");
        let fits = word.first != begun.is_empty() && HEADINGS.iter().any(|h| h.starts_with(&whole));
        if fits && !HEADINGS.contains(&whole.as_str()) {
            self.cut = whole;
        }
        fits
    }

    fn set(&mut self, key: Key, value: &str) {
        let value = value.trim_matches(['"', ',', '}', ']']);
        self.fields.insert(key, value.to_owned());
    }

    fn keep(&mut self, text: &str) -> bool {
        self.text.push(text.trim_matches(['"', ',', '}', ']']).to_owned());
        true
    }

    /// `STATUS: Not Enabled`: its layout is not confirmed.
    fn map(&mut self, text: &str, same: bool) -> bool {
        let status = self.fields.get_mut(&Key::Status).filter(|_| matches!(text, "Enabled" | "Control"));
        if let Some(status) = status.filter(|s| matches!(s.as_str(), "Not" | "Appl")) {
            *status = format!("{status} {text}");
            return true;
        }
        same && self.text.len() < LONGEST_EVENT && self.keep(text)
    }

    /// The event behind the return code, the data behind an event.
    fn event(&mut self, text: &str, same: bool) -> bool {
        let bare = text.trim_matches(['"', ',', '}', ']']);
        let said: Vec<&str> = self.text.iter().map(String::as_str).chain([bare]).collect();
        let coded = self.fields.contains_key(&Key::Rc) || self.form == Form::Start;
        if coded && EVENTS.iter().any(|e| starts_with(e, &said)) {
            return self.keep(text);
        }
        if !same {
            return false;
        }
        let whole = EVENTS.iter().any(|e| *e == self.text.join(" "));
        let is_digits = text.bytes().all(|b| b.is_ascii_digit());
        if whole && self.form == Form::Error {
            // A job log ends the first line of several with their number; IBM's sample has two words of hex.
            if is_digits && text.len() <= 4 {
                self.number = Some(text.to_owned());
            }
            return self.number.is_some() || super::words::is_hex(text, 8);
        }
        let unknown = self.last == Some(Key::Rc) || self.form == Form::Start && self.last == Some(Key::Connection);
        unknown && self.text.len() < LONGEST_EVENT && self.keep(text)
    }

    /// `Get GSK_CONNECT_CIPHER_SPEC(207) -  C027`.
    fn flow(&mut self, text: &str, same: bool, wrapped: bool) -> bool {
        let hyphen = self.text.iter().position(|w| w.ends_with('-'));
        let unfinished = match self.text.len() {
            0 => matches!(text, "Call" | "Get" | "Set"),
            1 => text.contains('_'),
            n => wrapped && (hyphen == Some(n - 1) || text == "-"),
        };
        (unfinished || same && self.text.len() < LONGEST_EVENT) && self.keep(text)
    }

    /// `SEND CIPHER`, then hex in one word or in many.
    fn data(&mut self, text: &str, same: bool) -> bool {
        let text = text.trim_matches(['"', ',', '}', ']']);
        if self.text.len() < 2 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase()) {
            return matches!(text, "SEND" | "RECV" | "CIPHER" | "CLEAR") && self.keep(text);
        }
        let is_hex = !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
        let ended = self.odd || self.bytes.len() + text.len() / 2 > MOST_BYTES;
        // On another line, only what a record lacks: the next line may begin with a number of its own.
        let goes_on = |this: &mut Self| text.len() >= 4 && !this.is_whole() || this.lacks(text.len() / 2);
        if self.text.is_empty() || !is_hex || ended || !(same || goes_on(self)) {
            return false;
        }
        let even = text.get(..text.len() - text.len() % 2).unwrap_or_default();
        self.odd = even.len() < text.len();
        self.bytes.extend(hex::decode(even).unwrap_or_default());
        true
    }

    /// Whether the record at the end of the bytes lacks just so many.
    fn lacks(&mut self, n: usize) -> bool {
        if self.is_whole() {
            return false;
        }
        let rest = self.bytes.get(self.framed..).unwrap_or_default();
        matches!(front(rest), Front::Record(h) if HEADER_LEN + usize::from(h.len) == rest.len() + n)
    }

    /// Whether the bytes end where a TLS record ends.
    fn is_whole(&mut self) -> bool {
        while let Front::Record(header) = front(self.bytes.get(self.framed..).unwrap_or_default()) {
            let end = self.framed + HEADER_LEN + usize::from(header.len);
            if end > self.bytes.len() {
                break;
            }
            self.framed = end;
        }
        self.framed == self.bytes.len() && !self.bytes.is_empty()
    }
}

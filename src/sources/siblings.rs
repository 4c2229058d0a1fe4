//! Programs beside FTP that use the same TLS library: the TN3270 server of z/OS (EZZ6035I), Db2 (DIA3604E), IBM MQ (CSQX620E),
//! CICS (DFHSO0123), the FTP client of IBM i (TCP3D2C), and whatever prints the name of a GSKit function with its return code, or the symbol of one.
//!
//! One message is one session. The words of most are not confirmed: only ids, names of functions, symbols and numbers are read.

use std::collections::BTreeSet;

use super::sibling_words::{LONGEST, address, is_csect, is_trace_id, names_function, return_code, symbol};
use super::source::{Beginning, Found, Place, Source};
use super::words::Word;
use super::zos_words::is_message_id;
use super::{Block, Kind};
use crate::codes;
use crate::transcript::{Clock, Code, ConnId, Entry, Micros, Side, Transcript, What, speakers};

/// Most words of a line in front of a function or a symbol; more is prose.
const LONGEST_FRONT: usize = 10;

const TELNET: &str = "EZZ6035I";
const DB2: &str = "DIA3604E";
const IBM_I: &str = "TCP3D2C";

/// `+CSQX620E CSQ1 CSQXRESP System SSL error, channel c connection x function 'f' RC=514` (APAR PH64293).
const MQ: &str = "CSQX620E";

/// Messages of MQ about a channel that say no return code. Where their manual was not read, what they mean is not confirmed.
const MQ_TOLD: [&str; 4] = ["CSQX631E", "CSQX633E", "CSQX635E", "CSQX642E"];

/// The part of MQ's channel initiator that answers those who call.
const RESPONDER: &str = "CSQXRESP";

/// `DFHSO0123 Return code 517 received from function f of System SSL. Reason: r. Peer: p, TCPIPSERVICE: s.` (APAR PH68673).
const CICS: &str = "DFHSO0123";

/// `SO 080C SOSE *EXC* - SYSTEM_SSL_ERROR GSK_RESPONSE(GSK_ERROR_IO) FUNCTION(SECURE_SOC_INIT) ... GSK_RETURN_CODE(196)`: a trace
/// entry of CICS. The number is in hex: 196 stands beside the symbol of 406.
const CICS_TRACE: &str = "GSK_RESPONSE(";
const IN_HEX: &str = "GSK_RETURN_CODE(";
const CICS_INIT: &str = "FUNCTION(SECURE_SOC_INIT)";

/// `com.certicom.net.ssl.b: FATAL Alert:PROTOCOL_VERSION - words. Description: ClientState: words.` (APAR IC86756).
const CERTICOM: &str = "com.certicom";

/// What Certicom calls the end that it is.
const CLIENT_STATE: &str = "ClientState:";

/// Whose name it is on which a CICS was called; without one it called.
const SERVICE: &str = "TCPIPSERVICE:";

/// Most words of an alert by Certicom.
const LONGEST_ALERT: usize = 32;

/// Fields of EZZ6035I.
const FIELDS: [&str; 9] = ["IP..PORT:", "CONN:", "LU:", "TASK:", "MOD:", "RCODE:", "PARM1:", "PARM2:", "PARM3:"];

/// Below this PARM1 is no return code of a handshake: other errors of TN3270 put something else there.
const LOWEST: u32 = 400;

/// What kind of message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Telnet,
    Db2,
    IbmI,
    Mq,
    /// Another message of MQ.
    MqTold,
    Cics,
    /// An entry of the trace of CICS.
    CicsTrace,
    Certicom,
    /// A line that names a function with its return code, or a symbol.
    Bare,
}

/// One message while it is read.
#[derive(Debug)]
struct Record {
    form: Form,
    at: Option<Micros>,
    words: Vec<Word>,
}

/// The open message, and the sessions of those before it.
#[derive(Debug, Default)]
pub(super) struct Reader {
    record: Option<Record>,
    form: Option<Form>,
    sessions: Vec<Transcript>,
    /// Messages that count where no return code is told, with what is not confirmed of them.
    told: Vec<(Transcript, Option<&'static str>)>,
    assumed: BTreeSet<&'static str>,
}

/// The message that begins at the first of these words; `leads` says that nothing of its line stands in front.
fn form(words: &[Word], leads: bool) -> Option<Form> {
    let first = words.first()?;
    let id = first.text.trim_matches(['"', ':', '+']);
    let follows = |word: &str| words.iter().take(4).any(|w| w.text == word);
    match id {
        TELNET => return (follows("DEBUG") && (follows("CONN") || follows("DETAIL"))).then_some(Form::Telnet),
        // A message that is only mentioned has nothing behind it.
        DB2 => return words.iter().any(|w| names_function(&w.text)).then_some(Form::Db2),
        IBM_I => return words.get(1).is_some().then_some(Form::IbmI),
        MQ => return words.iter().take(6).any(|w| w.text == "System").then_some(Form::Mq),
        _ if MQ_TOLD.contains(&id) => {
            return words.iter().take(3).any(|w| is_csect(&w.text)).then_some(Form::MqTold);
        }
        // Date, time and name of the region may stand in between.
        _ if id.starts_with(CERTICOM) => {
            let is_alert = words.get(1).is_some_and(|w| w.text == "FATAL")
                && words.get(2).is_some_and(|w| w.text.starts_with("Alert:"));
            return is_alert.then_some(Form::Certicom);
        }
        CICS => return words.iter().take(6).any(|w| w.text == "Return").then_some(Form::Cics),
        _ => {}
    }
    let of_zos = is_message_id(id) || is_trace_id(id) || first.text.ends_with(':') && id.starts_with(['a', 'c', 'f']);
    let mut front = words.iter().take_while(|w| w.line == first.line).take(LONGEST_FRONT);
    if leads && front.any(|w| w.text.starts_with(CICS_TRACE)) {
        return Some(Form::CicsTrace);
    }
    // What stands in parentheses belongs to a line before.
    if !leads || of_zos || first.after_full_line || first.text.starts_with('(') {
        return None;
    }
    let line = || words.iter().take_while(|w| w.line == first.line).take(LONGEST_FRONT).enumerate();
    let function = || line().find(|(_, w)| names_function(&w.text)).map(|(n, _)| n);
    let code = function().and_then(|n| return_code(words.get(n..)?));
    let symbol = || line().any(|(_, w)| symbol(&w.text).is_some() && w.text.contains('(') == w.text.contains(')'));
    (code.is_some() || symbol()).then_some(Form::Bare)
}

impl Record {
    /// Takes the next word if it belongs to the message.
    fn accept(&mut self, word: &Word) -> bool {
        let goes_on = self.words.is_empty() || !word.first || word.after_full_line || self.awaits(word);
        let taken = goes_on && self.words.len() < LONGEST && !self.is_whole();
        if taken {
            self.words.push(word.clone());
        }
        taken
    }

    /// Whether the beginning of a line goes on with the message.
    fn awaits(&self, word: &Word) -> bool {
        let open_field = || self.words.last().is_some_and(|w| FIELDS.contains(&w.text.as_str()));
        match self.form {
            Form::Telnet => FIELDS.iter().any(|f| word.text.starts_with(f)) || open_field(),
            Form::Db2 | Form::Bare => return_code(&self.words).is_none() || symbol(&word.text).is_some(),
            Form::Mq | Form::Cics => !self.is_whole(),
            Form::CicsTrace => word.text.contains('('),
            Form::MqTold => ["channel", "connection"].contains(&word.text.as_str()),
            // Behind its words stands where in the program it happened.
            Form::Certicom => !self.is_whole() && word.text != "at" && self.words.len() < LONGEST_ALERT,
            Form::IbmI => return_code(&self.words).is_none(),
        }
    }

    /// Whether nothing can follow: EZZ6035I ends with its third parameter, MQ's message with the return code, that of CICS with
    /// the service.
    fn is_whole(&self) -> bool {
        match self.form {
            Form::Telnet => self.field("PARM3:").is_some_and(|v| !v.is_empty()),
            Form::Mq => self.names_function() && return_code(&self.words).is_some(),
            Form::Cics => self.service().is_some(),
            Form::CicsTrace => self.words.last().is_some_and(|w| w.text.starts_with("CIPHER_SELECTED(")),
            Form::Certicom => self.state().is_some_and(|s| s.last().is_some_and(|w| w.text.ends_with('.'))),
            _ => false,
        }
    }

    fn names_function(&self) -> bool {
        self.words.iter().any(|w| names_function(&w.text))
    }

    /// What Certicom says of itself as a client.
    fn state(&self) -> Option<&[Word]> {
        let at = self.words.iter().position(|w| w.text == CLIENT_STATE)?;
        self.words.get(at + 1..).filter(|words| !words.is_empty())
    }

    /// The service of CICS on which the partner called; `NONE` where CICS called.
    fn service(&self) -> Option<&str> {
        let mut rest = self.words.iter().skip_while(|w| w.text != SERVICE);
        rest.nth(1).map(|w| w.text.trim_end_matches('.'))
    }

    /// Who speaks, at which end, and what of that is not confirmed. Other functions than that of the handshake are not told.
    fn of_zos(&self) -> Option<(String, Option<&'static str>)> {
        if !self.names_function() {
            return None;
        }
        let called = match self.form {
            Form::Mq => self.words.iter().any(|w| w.text == RESPONDER),
            _ => self.service().is_some_and(|s| s != "NONE"),
        };
        let side = called.then_some(Side::Server);
        let note = match called {
            true => "CSQXRESP was taken for the end of IBM MQ that is called",
            false => "IBM MQ, where CSQXRESP does not speak, was taken for the end that calls",
        };
        Some(match self.form {
            Form::Mq => (speakers::speaker(speakers::MQ, side, ""), Some(note)),
            _ => (speakers::speaker(speakers::CICS, side, ""), None),
        })
    }

    /// The words of a field.
    fn field(&self, name: &str) -> Option<String> {
        let is_field = |w: &&Word| FIELDS.iter().any(|f| w.text.starts_with(f));
        let mut rest = self.words.iter().skip_while(|w| !w.text.starts_with(name));
        let glued = rest.next()?.text.strip_prefix(name).filter(|v| !v.is_empty());
        let words = glued.into_iter().chain(rest.take_while(|w| !is_field(w)).map(|w| w.text.as_str()));
        Some(words.collect::<Vec<_>>().join(" "))
    }

    fn text(&self) -> String {
        // The number by which a job log ties the lines of one message together.
        let is_number = |w: &&Word| w.first && w.text.len() <= 4 && w.text.bytes().all(|b| b.is_ascii_digit());
        let number = self.words.iter().find(is_number).map(|w| w.text.as_str());
        let words = self.words.iter().map(|w| w.text.as_str()).filter(|w| Some(*w) != number);
        words.collect::<Vec<_>>().join(" ")
    }

    /// The session of which the message tells, with what is not confirmed of it.
    fn session(&self) -> Option<(Transcript, Option<&'static str>)> {
        let mut t = Transcript::of_one_connection(if self.at.is_some() { Clock::TimeOfDay } else { Clock::Relative });
        let (by, code, text, unconfirmed) = match self.form {
            Form::Telnet => {
                let client = self.field("IP..PORT:").and_then(|a| address(&a));
                t.conns.iter_mut().for_each(|c| c.local = client);
                let (code, text) = self.telnet();
                (speakers::TN3270_SERVER.to_owned(), code, text, None)
            }
            Form::Certicom => {
                let side = self.state().map(|_| Side::Client);
                let note = "an exception of Certicom's TLS as a client was taken for an alert that it sent";
                let text = self.text();
                let text = text.split_once(' ').map_or("", |(_, words)| words).to_owned();
                let by = speakers::speaker(speakers::CERTICOM, side, "");
                (by, None, text, side.map(|_| note))
            }
            Form::Mq | Form::Cics => {
                let (by, unconfirmed) = self.of_zos()?;
                (by, self.gsk(), self.text(), unconfirmed)
            }
            Form::IbmI => {
                let note = "the words of TCP3D2C are not confirmed: only its return code was read";
                let text = self.text();
                let text = text.strip_prefix(IBM_I).unwrap_or(&text).trim_start_matches([':', ' ']).to_owned();
                (speakers::IBM_I_FTP_CLIENT.to_owned(), Some(Code::Message(IBM_I.to_owned())), text, Some(note))
            }
            Form::MqTold => {
                let id = self.words.first()?.text.trim_matches(['"', ':', '+']).to_owned();
                let said = self.words.iter().skip_while(|w| !is_csect(&w.text)).skip(1).map(|w| w.text.as_str());
                // Behind that stand names.
                let said: Vec<&str> = said.take_while(|w| *w != "channel").collect();
                let side = self.words.iter().any(|w| w.text == RESPONDER).then_some(Side::Server);
                let note = "a message of IBM MQ about a channel was read by its id: what it means is not confirmed";
                let text = said.join(" ").trim_end_matches(',').to_owned();
                (speakers::speaker(speakers::MQ, side, ""), Some(Code::Message(id)), text, Some(note))
            }
            Form::CicsTrace => {
                let note = "a trace entry of CICS, which names no end, was taken for that of the end that calls";
                (speakers::CICS.to_owned(), Some(self.traced()?), self.text(), Some(note))
            }
            Form::Db2 | Form::Bare => {
                let by = if self.form == Form::Db2 { speakers::DB2 } else { speakers::GSKIT };
                let note =
                    "a message of a program beside FTP was read by the GSKit code in it: its words are not confirmed";
                (by.to_owned(), self.gsk(), self.text(), Some(note))
            }
        };
        // Zero is success, and a symbol that nobody knows says nothing beside its words.
        if code.is_none() && !text.contains("GSK_ERR") && self.form != Form::Certicom {
            return None;
        }
        let what = What::Claim { by, code, text };
        t.entries.push(Entry { at: self.at, conn: ConnId(0), what });
        Some((t, unconfirmed))
    }

    /// PARM1 of a failed handshake is the return code, in hex.
    fn telnet(&self) -> (Option<Code>, String) {
        let reason = self.field("RCODE:").unwrap_or_default();
        let rc = self.field("PARM1:").and_then(|p| u32::from_str_radix(p.split(' ').next()?, 16).ok());
        let of_tls = ["SSL", "TLS", "GSK"].iter().any(|w| reason.contains(w));
        let plausible = |rc: u32| (rc >= LOWEST || of_tls && rc > 0) && codes::gsk(rc).is_some();
        let code = rc.filter(|rc| plausible(*rc)).map_or(Code::Message(TELNET.to_owned()), Code::Gsk);
        (Some(code), format!("RCODE {reason}"))
    }

    /// The code of a handshake in the trace of CICS: that of the symbol, where the number in hex is the same. A number alone may
    /// be read in two ways.
    fn traced(&self) -> Option<Code> {
        let value = |name: &str| self.words.iter().find_map(|w| w.text.strip_prefix(name)?.split(')').next());
        let of_symbol = codes::gsk_by_symbol(&symbol(value(CICS_TRACE)?)?)?.code.cast_unsigned();
        let agrees = value(IN_HEX).is_none_or(|n| u32::from_str_radix(n, 16) == Ok(of_symbol));
        let of_handshake = self.words.iter().any(|w| w.text == CICS_INIT);
        (agrees && of_handshake).then_some(Code::Gsk(of_symbol))
    }

    /// The return code, by its number, else by its symbol.
    fn gsk(&self) -> Option<Code> {
        let number = return_code(&self.words).filter(|n| *n != 0).map(i32::cast_unsigned);
        let of_symbol = || self.words.iter().find_map(|w| codes::gsk_by_symbol(&symbol(&w.text)?));
        number.or_else(|| of_symbol().map(|c| c.code.cast_unsigned())).map(Code::Gsk)
    }
}

impl Source for Reader {
    fn kind(&self) -> Kind {
        Kind::Siblings
    }

    fn begins(&mut self, place: &Place<'_>) -> Option<Beginning> {
        let before = place.prefix.map_or(0, |p| p.words);
        let words = place.words.get(before..)?;
        let leads = before > 0 || words.first()?.first;
        let goes_on = || self.record.as_ref().zip(words.first()).is_some_and(|(r, w)| r.awaits(w));
        self.form = form(words, leads).filter(|form| *form != Form::Bare || before > 0 || !goes_on());
        Some(Beginning { before, weak: self.form? == Form::Bare })
    }

    fn open(&mut self, place: &Place<'_>, _front: &[Word]) {
        let Some(form) = self.form.take() else { return };
        self.record = Some(Record { form, at: place.prefix.and_then(|p| p.at), words: Vec::new() });
    }

    fn accept(&mut self, word: &Word) -> bool {
        self.record.as_mut().is_some_and(|r| r.accept(word))
    }

    fn close(&mut self) {
        let Some(record) = self.record.take() else { return };
        let Some((session, unconfirmed)) = record.session() else { return };
        // A message with a return code says more of the same failure.
        if record.form == Form::MqTold {
            self.told.push((session, unconfirmed));
        } else {
            self.sessions.push(session);
            self.assumed.extend(unconfirmed);
        }
    }

    fn holds_fast(&self) -> bool {
        let of_zos = |r: &Record| matches!(r.form, Form::Telnet | Form::Mq | Form::Cics) && !r.is_whole();
        self.record.as_ref().is_some_and(of_zos)
    }

    fn finish(&mut self) -> Found {
        let told = core::mem::take(&mut self.told);
        if self.sessions.is_empty() {
            for (session, unconfirmed) in told {
                self.sessions.push(session);
                self.assumed.extend(unconfirmed);
            }
        }
        Found {
            blocks: core::mem::take(&mut self.sessions).into_iter().map(Block::Session).collect(),
            problems: Vec::new(),
            assumed: core::mem::take(&mut self.assumed).into_iter().map(str::to_owned).collect(),
        }
    }
}

//! What the two ends are told to do: statements of FTP.DATA, of the job and of an AT-TLS policy that were pasted along, and what the
//! FTP client itself says of its settings. A statement that was pasted need not be the one that was read.

use crate::decode::{Kind, Timeline};
use crate::transcript::speakers::{AT_TLS_POLICY, FTP_DATA, JCL, ZOS_FTP_CLIENT, program_of};
use crate::transcript::{Code, Side};
use crate::wire::printable_str;

/// So many settings are kept.
const MOST: usize = 1_000;

/// Where a setting stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// FTP.DATA; the number tells files apart.
    FtpData(usize),
    /// The job of the step, or the environment that it sets.
    Job,
    /// An AT-TLS policy.
    Policy,
    /// What the client says of itself.
    Trace,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Where it stands.
    pub place: Place,
    /// The end that it is for, when that shows.
    pub side: Option<Side>,
    /// Its name as it is written; case does not matter in files.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Setting {
    /// Whether it has this value, in any case.
    pub fn is(&self, value: &str) -> bool {
        self.value.eq_ignore_ascii_case(value)
    }

    /// `FTP.DATA: TLSMECHANISM ATTLS`, as a reason quotes it.
    pub fn quoted(&self) -> String {
        let (name, value) = (printable_str(&self.name), printable_str(&self.value));
        match self.place {
            Place::FtpData(_) => format!("FTP.DATA: {name} {value}"),
            Place::Job => format!("the job: {name}={value}"),
            Place::Policy => format!("AT-TLS policy: {name} {value}"),
            Place::Trace => format!("the client's trace: {name}={value}"),
        }
    }
}

/// All settings, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    all: Vec<Setting>,
    files: Vec<Option<Side>>,
}

impl Settings {
    /// Reads them from what programs and files say.
    pub fn of(timeline: &Timeline) -> Self {
        let mut out = Self::default();
        let mut next_file = true;
        for event in &timeline.events {
            let Kind::Claim { by, side, code, text } = &event.kind else { continue };
            match (program_of(by), code) {
                (FTP_DATA, _) if text.starts_with(';') => next_file = true,
                (FTP_DATA, _) => {
                    if next_file || out.files.last() != Some(side) {
                        out.files.push(*side);
                        next_file = false;
                    }
                    let place = Place::FtpData(out.files.len());
                    out.add(place, *side, text.split_once(' '));
                }
                (JCL, None) => out.job(text),
                (AT_TLS_POLICY, _) => out.add(Place::Policy, *side, text.split_once(' ')),
                (ZOS_FTP_CLIENT, code) => out.said(code.as_ref(), text),
                _ => {}
            }
        }
        out
    }

    fn add(&mut self, place: Place, side: Option<Side>, pair: Option<(&str, &str)>) {
        let Some((name, value)) = pair.filter(|_| self.all.len() < MOST) else { return };
        self.all.push(Setting { place, side, name: name.to_owned(), value: value.trim().to_owned() });
    }

    /// `ENVAR("GSK_PROTOCOL_TLSV1_2=ON","GSK_TRACE=0xFF")`, `GSK_PROTOCOL_TLSV1_2=ON`; and that FTP runs at all.
    fn job(&mut self, text: &str) {
        let words = text.split([' ', ',', '(', ')', '"', '\'']);
        for word in words.filter(|w| w.starts_with("GSK_") || w.starts_with("PGM=")) {
            self.add(Place::Job, Some(Side::Client), word.split_once('='));
        }
    }

    /// `security values: mech=TLS, tlsmech=FTP, sFTP=R, sCC=C, sDC=P`, `cipherspecs = 0102`, and the answers of LOCSTAT.
    fn said(&mut self, code: Option<&Code>, text: &str) {
        let client = Some(Side::Client);
        if let Some((_, values)) = text.split_once("security values:") {
            values.split([',', ' ']).for_each(|pair| self.add(Place::Trace, client, pair.split_once('=')));
        } else if let Some((_, specs)) = text.split_once("cipherspecs =") {
            let specs = specs.trim();
            self.add(Place::Trace, client, Some(("cipherspecs", specs)).filter(|_| !specs.is_empty()));
        } else if let Some((_, made)) = text.split_once("tlsLevel: using ") {
            self.add(Place::Trace, client, Some(("tlsLevel", made)));
        } else if let Some(Code::Message(id)) = code {
            match id.as_str() {
                "EZA2818I" => self.add(Place::Trace, client, Some(("FWFRIENDLY", "TRUE"))),
                "EZA2819I" => self.add(Place::Trace, client, Some(("FWFRIENDLY", "FALSE"))),
                _ => {}
            }
        }
    }

    /// Whether none are known.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The same, for a name that does not live as long.
    pub fn named_here<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Setting> + use<'a> {
        let name = name.to_owned();
        self.all.iter().filter(move |s| s.name.eq_ignore_ascii_case(&name))
    }

    /// All of a name, in order.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Setting> {
        self.all.iter().filter(move |s| s.name.eq_ignore_ascii_case(name))
    }

    /// The statement of FTP.DATA that may be that of one end.
    pub fn ftp_data<'a>(&'a self, name: &'a str, side: Side) -> Option<&'a Setting> {
        self.named(name).find(|s| matches!(s.place, Place::FtpData(_)) && s.side.is_none_or(|of| of == side))
    }

    /// What the client's trace says.
    pub fn traced<'a>(&'a self, name: &'a str) -> Option<&'a Setting> {
        self.named(name).find(|s| s.place == Place::Trace)
    }

    /// All from one kind of place.
    pub fn from(&self, is: impl Fn(Place) -> bool) -> impl Iterator<Item = &Setting> {
        self.all.iter().filter(move |s| is(s.place))
    }

    /// Whether an AT-TLS policy leaves it to FTP when TLS begins, as far as it says so; of several rules, one that does.
    pub fn application_controlled(&self) -> Option<bool> {
        let said = || self.named("ApplicationControlled").filter(|s| s.place == Place::Policy);
        said().next().map(|_| said().any(|s| s.is("On")))
    }

    /// Whether all of an AT-TLS policy was pasted that could hold such settings: they stand in objects that a rule only refers to.
    pub fn has_whole_policy(&self) -> bool {
        let has = |end: &str| self.from(|p| p == Place::Policy).any(|s| s.name.ends_with(end));
        let refers = has("AdvancedParmsRef") || has("TTLSConnectionActionRef");
        has("AdvancedParms") || has("TTLSEnvironmentAction") && !refers
    }

    /// Whether an FTP.DATA was pasted that may be that of one end.
    pub fn has_ftp_data(&self, side: Side) -> bool {
        self.files.iter().any(|of| of.is_none_or(|of| of == side))
    }
}

//! The client's product: by what it says of itself, and by its ClientHello. Words outrank the hello; both together are
//! certain. A hello that many programs share names their TLS library.

use super::hello::{self, Hello};
use super::is_session_control;
use crate::codes::{ClientPrint, Confirmed, client_prints};
use crate::decode::{Kind, Timeline};
use crate::transcript::{Code, Side, Transcript, speakers};
use crate::wire::printable_str;

/// A client and why it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Product as directives spell it, e.g. `zos-native`; a library or runtime when many programs look the same.
    pub id: &'static str,
    /// As people call it.
    pub name: &'static str,
    /// Name of the z/OS job, if a trace gave it.
    pub job: Option<String>,
    /// Release, if a message gave it.
    pub release: Option<String>,
    /// What speaks for it.
    pub because: Vec<String>,
    /// How sure that is.
    pub sure: Sure,
}

/// How sure a product is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sure {
    /// The hello follows from what is documented; nobody recorded one.
    Possible,
    /// The client says so, or its hello is like recorded ones.
    Likely,
    /// The client says so, and its hello agrees.
    Certain,
}

impl Client {
    fn new(id: &'static str, name: &'static str, sure: Sure) -> Self {
        Self { id, name, job: None, release: None, because: Vec::new(), sure }
    }

    /// `the z/OS client (SJP1)`.
    pub fn called(&self) -> String {
        match &self.job {
            Some(job) => format!("the {} client ({job})", self.name),
            None => format!("the {} client", self.name),
        }
    }

    fn is_on_zos(&self) -> bool {
        self.id.starts_with("zos")
    }
}

/// The client of a case. Our own prober is none: in a run of ours the hello is not looked at.
pub(super) fn client(t: &Transcript, timeline: &Timeline, first: Option<Hello<'_>>) -> Option<Client> {
    let words = by_messages(timeline);
    if t.origin.asked.is_some() {
        return words;
    }
    let said = commands(t, timeline);
    let words = words.or_else(|| by_name(&said));
    let hello = first.and_then(|first| by_hello(t, first, said));
    match (words, hello) {
        (Some(mut words), Some(hello)) if words.id == hello.id || (words.is_on_zos() && hello.is_on_zos()) => {
            words.sure = Sure::Certain;
            words.because.extend(hello.because);
            Some(words)
        }
        (words, hello) => words.or(hello),
    }
}

/// z/OS by its messages; a server's say nothing of its client. Under AT-TLS the traced job is TCPIP, not the FTP client's own.
fn by_messages(timeline: &Timeline) -> Option<Client> {
    let mut found: Option<Client> = None;
    for event in &timeline.events {
        let Kind::Claim { by, side, code, text } = &event.kind else { continue };
        let (program, job) = (speakers::program_of(by), speakers::job_of(by));
        let witness = match (program, side) {
            (_, Some(Side::Server)) => continue,
            (speakers::ZOS_FTP_CLIENT, _) => "messages of the z/OS FTP client",
            (speakers::SYSTEM_SSL, _) => "a trace of System SSL",
            (speakers::AT_TLS, Some(Side::Client)) => "messages of AT-TLS",
            _ => continue,
        };
        let client = found.get_or_insert(Client::new("zos-native", "z/OS", Sure::Likely));
        if !client.because.iter().any(|b| b == witness) {
            client.because.push(witness.to_owned());
        }
        if program == speakers::AT_TLS || program == speakers::SYSTEM_SSL && job == Some("TCPIP") {
            client.id = "zos-attls";
        }
        if let Some(job) = job {
            client.job.get_or_insert_with(|| job.to_owned());
        }
        if let (Some(Code::Message(id)), Some((_, release))) = (code, text.split_once("IBM FTP CS "))
            && id == "EZA1450I"
        {
            client.release = release.split_whitespace().next().map(str::to_owned);
        }
        if text.contains("tlsmech=ATTLS") {
            client.id = "zos-attls";
        }
    }
    found
}

/// Commands by which a client shows itself: its first AUTH, and every CLNT.
fn commands(t: &Transcript, timeline: &Timeline) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut auth = false;
    for event in timeline.events.iter().filter(|e| is_session_control(t, e.conn)) {
        match &event.kind {
            Kind::Command { verb, line } if verb == "CLNT" || (verb == "AUTH" && !auth) => {
                auth |= verb == "AUTH";
                out.push(line.trim().to_owned());
            }
            _ => {}
        }
    }
    out
}

/// A client that names itself (CLNT).
fn by_name(said: &[String]) -> Option<Client> {
    let names: Vec<&ClientPrint> = client_prints().filter(|p| is_name(p)).collect();
    said.iter().find_map(|line| {
        let print = names.iter().find(|p| p.is_said(line))?;
        let mut client = Client::new(print.product, print.name, Sure::Likely);
        client.because.push(format!("it says so itself: \"{}\"", printable_str(line)));
        Some(client)
    })
}

fn is_name(print: &ClientPrint) -> bool {
    print.says.starts_with("CLNT")
}

/// The one product that a hello speaks for: recorded before derived, a program before the library that it uses.
fn by_hello(t: &Transcript, first: Hello<'_>, mut said: Vec<String>) -> Option<Client> {
    let shape = hello::shape(t, first)?;
    said.extend(first.1.protocols().into_iter().map(|p| format!("ALPN {}", crate::wire::printable(p))));
    let fitting: Vec<&ClientPrint> = client_prints()
        .filter(|p| !is_name(p) && p.fits(&shape) && (p.says == "-" || said.iter().any(|s| p.is_said(s))))
        .collect();
    [(true, false), (true, true), (false, false), (false, true)].into_iter().find_map(|(recorded, library)| {
        let of_rank = |p: &&&ClientPrint| (p.confirmed == Confirmed::Yes) == recorded && p.library == library;
        let mut those = fitting.iter().filter(of_rank);
        let print = those.next()?;
        // Two products with the same hello are none.
        if those.any(|p| p.product != print.product) {
            return None;
        }
        let mut client = Client::new(print.product, print.name, if recorded { Sure::Likely } else { Sure::Possible });
        client.because.push(reason(print));
        Some(client)
    })
}

/// `its ClientHello is that of GnuTLS (with TLS 1.3), used by FileZilla, lftp, wget`.
fn reason(print: &ClientPrint) -> String {
    let releases = if print.releases == "-" { String::new() } else { format!(" ({})", print.releases) };
    if let Some(protocol) = print.says.strip_prefix("ALPN ") {
        return format!("its ClientHello asks for the protocol {protocol}, as {}{releases} does", print.name);
    }
    let mut out = format!("its ClientHello is that of {}{releases}", print.name);
    if print.library {
        out += &format!(", used by {}", print.programs);
    }
    if print.says != "-" {
        out += &format!(", and it begins with {}", print.says);
    }
    out
}

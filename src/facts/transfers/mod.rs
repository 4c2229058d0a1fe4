//! Transfers: the command, how its data connection was arranged, and what became of both, read together.
//!
//! What a data connection came to stands in the reply on the control connection as often as in its own bytes: a handshake
//! that a server refuses for want of a resumed session looks like success from the client's end.

mod arranged;
mod data;

use std::collections::BTreeMap;

pub use arranged::{Arranged, arrangements};
pub use data::{Data, Established, certificates, established, precedes, session_ids};

use crate::decode::{Event, Kind, Reply, Timeline};
use crate::transcript::{ConnId, Layer, Role, Transcript};

/// Commands that need a data connection (RFC 959, RFC 3659).
pub const TRANSFERS: [&str; 7] = ["APPE", "LIST", "MLSD", "NLST", "RETR", "STOR", "STOU"];

/// One transfer, or the attempt at one.
#[derive(Clone, Debug)]
pub struct Transfer<'a> {
    /// Its control connection.
    pub control: ConnId,
    /// How the data connection was arranged; `None` when the evidence does not show it.
    pub arranged: Option<Arranged<'a>>,
    /// The command; `None` when it never came, or was not seen.
    pub command: Option<Line<'a>>,
    /// The mark that it begins (1yz).
    pub begun: Option<Answered<'a>>,
    /// How it ended.
    pub reply: Option<Answered<'a>>,
    /// The data connection; `None` when the evidence has none.
    pub data: Option<Data<'a>>,
    /// Whether the last answer to PROT made data connections private (P); `None` when none was seen.
    pub protected: Option<bool>,
    /// Whether CCC was accepted before, seen or by what followed.
    pub after_ccc: bool,
    /// What the evidence says of the control connection since the command: claims, silences, ends.
    pub aside: Vec<&'a Event>,
}

impl<'a> Transfer<'a> {
    /// Whether the server said that it worked.
    pub fn worked(&self) -> bool {
        self.reply.is_some_and(|r| (200..300).contains(&r.reply.code))
    }

    /// Whether it worked, and not only in words: where data connections are private, TLS stood.
    pub fn is_moved(&self) -> bool {
        self.worked() && (self.data.as_ref().is_some_and(Data::is_established) || self.protected != Some(true))
    }

    /// The final reply, when it is a refusal.
    pub fn refusal(&self) -> Option<Answered<'a>> {
        self.reply.filter(|r| r.reply.code >= 400)
    }

    /// The command's verb; empty when it was not seen.
    pub fn verb(&self) -> &'a str {
        self.command.map_or("", |c| c.verb)
    }

    /// Whether the client sends.
    pub fn is_upload(&self) -> bool {
        matches!(self.verb(), "APPE" | "STOR" | "STOU")
    }

    /// Whether the session of an earlier connection was resumed on the data connection.
    pub fn resumed(&self) -> Option<bool> {
        self.data.as_ref()?.resumed()
    }

    /// Whether content passed on the data connection, from either end, before the transfer was refused.
    pub fn has_content(&self) -> bool {
        let refused = self.refusal().map(|r| r.event);
        self.data.as_ref().is_some_and(|d| d.has_content_until(refused))
    }
}

/// A command line.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The event.
    pub event: &'a Event,
    /// In upper case.
    pub verb: &'a str,
    /// What stands behind it, as printable ASCII.
    pub argument: &'a str,
}

/// A whole reply.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The event.
    pub event: &'a Event,
    /// The reply.
    pub reply: &'a Reply,
}

/// A control connection while its events pass.
#[derive(Default)]
struct Control<'a> {
    arranged: Option<Arranged<'a>>,
    /// The command whose reply is due.
    open: Option<Line<'a>>,
    /// Index of the transfer that waits for its final reply.
    running: Option<usize>,
    /// Index of the transfer that began last.
    last: Option<usize>,
    /// Data connections that opened before their command.
    early: Vec<usize>,
    protected: Option<bool>,
    after_ccc: bool,
    /// Encrypted records passed: words in clear come behind a CCC that nobody could read.
    sealed: bool,
}

/// All transfers, in the order in which they began.
pub fn transfers<'a>(t: &'a Transcript, timeline: &'a Timeline) -> Vec<Transfer<'a>> {
    let mut out: Vec<Transfer<'a>> = Vec::new();
    let mut controls: BTreeMap<ConnId, Control<'a>> = BTreeMap::new();
    // Of each data connection: the transfer that it belongs to.
    let mut owners: BTreeMap<ConnId, usize> = BTreeMap::new();
    for e in &timeline.events {
        match t.conn(e.conn).map(|c| c.role) {
            Some(Role::Data { of }) => {
                let control = controls.entry(of).or_default();
                let n = *owners.entry(e.conn).or_insert_with(|| place(&mut out, control, of));
                let Some(transfer) = out.get_mut(n) else { continue };
                let data = transfer.data.get_or_insert_with(|| Data { conn: e.conn, events: Vec::new() });
                data.events.push(e);
            }
            Some(Role::Control) => control_event(e, controls.entry(e.conn).or_default(), &mut out),
            None => {}
        }
    }
    out
}

/// Where the data connection that just appeared belongs: the transfer that runs, or one whose command is still to come.
fn place<'a>(out: &mut Vec<Transfer<'a>>, control: &mut Control<'a>, of: ConnId) -> usize {
    if let Some(n) = control.running.filter(|n| out.get(*n).is_some_and(|t| t.data.is_none())) {
        return n;
    }
    let n = out.len();
    out.push(transfer(of, control, None));
    control.last = Some(n);
    control.early.push(n);
    n
}

fn transfer<'a>(of: ConnId, control: &mut Control<'a>, command: Option<Line<'a>>) -> Transfer<'a> {
    Transfer {
        control: of,
        arranged: control.arranged.take(),
        command,
        begun: None,
        reply: None,
        data: None,
        protected: control.protected,
        after_ccc: control.after_ccc,
        aside: Vec::new(),
    }
}

fn control_event<'a>(e: &'a Event, control: &mut Control<'a>, out: &mut Vec<Transfer<'a>>) {
    match &e.kind {
        Kind::Opaque { .. } => control.sealed = true,
        Kind::Command { verb, line } => {
            let argument = line.split_once(' ').map_or("", |(_, rest)| rest.trim());
            let line = Line { event: e, verb, argument };
            control.open = Some(line);
            control.after_ccc |= control.sealed && e.span.is_some_and(|s| s.flow.layer == Layer::Wire);
            match verb.as_str() {
                "PASV" | "EPSV" | "PORT" | "EPRT" => {
                    control.arranged = Some(Arranged { command: line, reply: None });
                    // Whatever was arranged before is void.
                    control.early.clear();
                }
                verb if TRANSFERS.contains(&verb) => {
                    let n = control.early.pop().unwrap_or_else(|| {
                        out.push(transfer(e.conn, control, None));
                        control.last = Some(out.len() - 1);
                        out.len() - 1
                    });
                    if let Some(t) = out.get_mut(n) {
                        (t.command, t.protected, t.after_ccc) = (Some(line), control.protected, control.after_ccc);
                    }
                    control.running = Some(n);
                }
                _ => {}
            }
        }
        Kind::Reply(reply) if reply.whole => replied(Answered { event: e, reply }, control, out),
        Kind::Claim { .. } | Kind::TimedOut { .. } | Kind::Closed { .. } | Kind::TextInsteadOfTls { .. } => {
            // Also behind the reply: who writes a log says at the end what went wrong.
            if let Some(t) = control.last.and_then(|n| out.get_mut(n)) {
                t.aside.push(e);
            }
        }
        _ => {}
    }
}

fn replied<'a>(answer: Answered<'a>, control: &mut Control<'a>, out: &mut [Transfer<'a>]) {
    let Some(command) = control.open else {
        // A transfer may have a second word: 426, then 226 (ABOR).
        return;
    };
    let code = answer.reply.code;
    match command.verb {
        "PASV" | "EPSV" | "PORT" | "EPRT" if code >= 200 => {
            if let Some(arranged) = &mut control.arranged {
                arranged.reply = Some(answer);
            }
        }
        "PROT" if (200..300).contains(&code) => {
            control.protected = Some(command.argument.eq_ignore_ascii_case("P"));
        }
        "CCC" if (200..300).contains(&code) => control.after_ccc = true,
        verb if TRANSFERS.contains(&verb) => {
            let running = control.running.and_then(|n| out.get_mut(n));
            if let Some(t) = running {
                if code < 200 { t.begun = Some(answer) } else { t.reply = Some(answer) }
            }
            if code >= 200 {
                control.running = None;
            }
        }
        _ => {}
    }
    if code >= 200 {
        control.open = None;
    }
}

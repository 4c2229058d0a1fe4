//! The events of one transcript, with the questions that rules ask of them.

use crate::decode::{Event, Kind, Timeline};
use crate::facts::audited::Question;
use crate::facts::{Completion, Facts, Transfer, changed, is_session_control};
use crate::transcript::speakers::{AT_TLS, is_config, program_of};
use crate::transcript::{BY_OPENSSL, Clock, Code, ConnId, Decrypted, Layer, Role, Side, Transcript};
use crate::trust::Judgement;
use crate::wire::printable_str;
use crate::wire::sniff::Speaker;
use crate::wire::tls::handshake::Message;

/// Everything that a rule may look at.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The evidence.
    pub transcript: &'a Transcript,
    /// What it says.
    pub timeline: &'a Timeline,
    /// What that adds up to.
    pub facts: &'a Facts,
    /// All transfers: those of the session, and those of logins that were opened to learn something.
    pub transfers: &'a [Transfer<'a>],
    /// The questions of an audit with their answers; empty without one.
    pub audit: &'a [Question<'a>],
    /// The judgement on the server's certificate chain, when the session shows one.
    pub trust: Option<&'a Judgement>,
    /// The judgement on certificates that an audit saw beside that.
    pub others: &'a [OtherCertificate],
    /// Whether findings are wanted whole, with their bytes and reasons, and checks. The verdict is the same without; who counts
    /// many sessions saves the time.
    pub whole: bool,
}

/// A certificate that the server shows to some clients, beside that of the session.
#[derive(Clone, Debug)]
pub struct OtherCertificate {
    /// The kind of its key: `RSA`, `ECDSA`, `Ed25519`.
    pub kind: String,
    /// Where it was shown.
    pub conn: ConnId,
    /// What is to be said of it, for the name and at the time of the session.
    pub judgement: Judgement,
}

/// What a program said; its words as printable ASCII.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The event.
    pub event: &'a Event,
    /// Its number or id.
    pub code: Option<&'a Code>,
    /// The program.
    pub by: &'a str,
    /// The end at which it ran, when its name says so.
    pub side: Option<Side>,
    /// Its words.
    pub text: &'a str,
}

impl<'a> Claim<'a> {
    /// What an event says, if it is a claim.
    pub fn of(event: &'a Event) -> Option<Self> {
        let Kind::Claim { by, side, code, text } = &event.kind else { return None };
        Some(Self { event, code: code.as_ref(), by, side: *side, text })
    }

    /// Whether it is the server's own word, which says nothing of what the client did.
    pub fn is_of_server(&self) -> bool {
        self.side == Some(Side::Server)
    }
}

impl<'a> Case<'a> {
    /// Events of the session's control connection, in order; what stands behind its end is none of them.
    pub fn control(&self) -> impl Iterator<Item = &'a Event> + use<'a> {
        let events = &self.timeline.events;
        self.facts.control.iter().filter_map(|n| events.get(*n))
    }

    /// The transfers of the session under examination, and those of the login by OpenSSL that stands in for it where the
    /// server speaks only what our usual client does not. A session that has the one has none of the other.
    pub fn session_transfers(&self) -> impl Iterator<Item = &'a Transfer<'a>> + use<'a> {
        let t = self.transcript;
        self.transfers.iter().filter(move |x| is_session_control(t, x.control) || stands_in(t, x.control))
    }

    /// Whether the server took the session's login.
    pub fn is_logged_in(&self) -> bool {
        is_login_taken(self.control())
    }

    /// Whether it took that of OpenSSL.
    pub fn is_logged_in_by_openssl(&self) -> bool {
        self.login_by_openssl().is_some_and(is_login_taken)
    }

    /// Whether the run said goodbye without a login, because the certificates leave doubts about who would read the password.
    pub fn password_was_kept_back(&self) -> bool {
        let asked = self.transcript.origin.asked.as_ref().is_some_and(|a| a.login.is_some() && !a.any_certificate);
        let doubted = self.trust.is_some_and(|j| !j.leaves_no_doubt());
        let says = |e: &Event, word: &str| matches!(&e.kind, Kind::Command { verb, .. } if verb == word);
        let events = || self.control().chain(self.login_by_openssl().into_iter().flatten());
        asked && doubted && !events().any(|e| says(e, "USER")) && events().any(|e| says(e, "QUIT"))
    }

    /// The events of the login by OpenSSL, when there is one.
    pub fn login_by_openssl(&self) -> Option<impl Iterator<Item = &'a Event> + use<'a>> {
        let ids = (0..self.transcript.conns.len()).filter_map(|n| u16::try_from(n).ok()).map(ConnId);
        let id = ids.into_iter().find(|id| stands_in(self.transcript, *id))?;
        Some(self.timeline.events.iter().filter(move |e| e.conn == id))
    }

    /// Of a run of ours that was to log in: how many of its transfers the server confirmed.
    pub fn moved(&self) -> Option<usize> {
        self.transcript.origin.asked.as_ref()?.login?;
        Some(self.session_transfers().filter(|t| t.is_moved()).count())
    }

    /// Whether bytes are missing there that might have said something. A run of ours keeps one thing back: its own PASS, as it
    /// travelled.
    pub fn is_missing(&self, e: &Event) -> bool {
        matches!(e.kind, Kind::Gap { .. }) && !self.is_own_password(e)
    }

    fn is_own_password(&self, e: &Event) -> bool {
        let kept_back = matches!(e.kind, Kind::Gap { from: Side::Client, len: None });
        if !kept_back || self.transcript.origin.asked.is_none() {
            return false;
        }
        let before = self.timeline.events.iter().take_while(|b| !core::ptr::eq(*b, e)).filter(|b| b.conn == e.conn);
        let verbs =
            before.filter_map(|b| if let Kind::Command { verb, .. } = &b.kind { Some(verb.as_str()) } else { None });
        verbs.last() == Some("PASS")
    }

    /// Whether a control connection is of a login in which this was changed.
    pub fn is_changed(&self, control: ConnId, change: &str) -> bool {
        changed(self.transcript, control).iter().any(|c| c == change)
    }

    /// The transfers of logins in which this was changed.
    pub fn transfers_with(&self, change: &'a str) -> impl Iterator<Item = &'a Transfer<'a>> + use<'a> {
        let t = self.transcript;
        self.transfers.iter().filter(move |x| changed(t, x.control).iter().any(|c| c == change))
    }

    /// The first event of the control connection that is so.
    pub fn first(&self, is: impl Fn(&Event) -> bool) -> Option<&'a Event> {
        self.control().find(|e| is(e))
    }

    /// What follows an event on its connection.
    pub fn after(&self, mark: &Event) -> impl Iterator<Item = &'a Event> + use<'a> {
        let (conn, mark) = (mark.conn, core::ptr::from_ref(mark));
        self.control().skip_while(move |e| !core::ptr::eq(*e, mark)).skip(1).filter(move |e| e.conn == conn)
    }

    /// What precedes an event on its connection.
    pub fn before(&self, mark: &Event) -> impl Iterator<Item = &'a Event> + use<'a> {
        let (conn, mark) = (mark.conn, core::ptr::from_ref(mark));
        self.control().take_while(move |e| !core::ptr::eq(*e, mark)).filter(move |e| e.conn == conn)
    }

    /// The ClientHello of the control connection.
    pub fn client_hello(&self) -> Option<&'a Event> {
        self.first(|e| matches!(e.kind, Kind::Handshake(Message::ClientHello(_))))
    }

    /// Whether the server answered with a ServerHello, or asked for another ClientHello, before an event.
    pub fn server_answered_before(&self, mark: &Event) -> bool {
        self.before(mark).any(is_server_hello)
    }

    /// The command that asked for TLS.
    pub fn auth(&self) -> Option<&'a Event> {
        self.first(|e| matches!(&e.kind, Kind::Command { line, .. } if crate::wire::ftp::asks_for_tls(line)))
    }

    /// What programs said.
    pub fn claims(&self) -> impl Iterator<Item = Claim<'a>> + use<'a> {
        self.control().filter_map(Claim::of)
    }

    /// The endpoint as the user would name it: host or address, and port. `the server` when unknown.
    pub fn endpoint(&self) -> String {
        let conn = self.control().next().and_then(|e| self.transcript.conn(e.conn)).or(self.transcript.conns.first());
        match conn.map(|c| (c.host.as_deref(), c.peer)) {
            Some((Some(host), Some(peer))) => format!("{}:{}", printable_str(host), peer.port()),
            Some((Some(host), None)) => printable_str(host),
            Some((None, Some(peer))) => peer.to_string(),
            _ => match self.transcript.origin.asked.as_ref().map(|a| printable_str(&a.target)) {
                Some(target) if !target.is_empty() => target,
                _ => "the server".to_owned(),
            },
        }
    }

    /// An event's time of day for people who look it up in a log: `01:49:34 UTC`, or without a zone when it is unknown.
    pub fn second(&self, event: &Event) -> Option<String> {
        let at = event.at?;
        let time: String = self.transcript.clock.show(at).chars().take(8).collect();
        let utc = matches!(self.transcript.clock, Clock::Utc(_)) || self.facts.clock.is_some_and(|c| c.is_utc());
        match self.transcript.clock {
            Clock::Relative => None,
            _ if utc => Some(format!("{time} UTC")),
            _ => Some(time),
        }
    }

    /// Whether that TLS was due is only assumed (hex pasted without anything around it).
    pub fn tls_due_is_assumed(&self) -> bool {
        let assumed = |i: &crate::transcript::Input| i.assumed.iter().any(|a| a == crate::transcript::ASSUMED_TLS_DUE);
        self.client_hello().is_none() && self.auth().is_none() && self.transcript.origin.inputs.iter().any(assumed)
    }

    /// Whether the direction of some bytes is only assumed.
    pub fn direction_is_assumed(&self) -> bool {
        let inputs = &self.transcript.origin.inputs;
        inputs.iter().flat_map(|i| &i.assumed).any(|a| a.starts_with(crate::transcript::ASSUMED_DIRECTION))
    }

    /// Whether AT-TLS wrote the bytes down, and at which end it ran is only assumed: `>` is what it sent.
    pub fn end_of_attls_is_assumed(&self) -> bool {
        let inputs = &self.transcript.origin.inputs;
        inputs.iter().flat_map(|i| &i.assumed).any(|a| a == crate::transcript::ASSUMED_OF_ATTLS)
    }

    /// Whether all messages of AT-TLS that leave its end open name both ends; one that was cut may have lost which it is.
    pub fn ends_are_named(&self) -> bool {
        let of_end = |a: &&String| a.starts_with("at which end AT-TLS ran");
        let notes = || self.transcript.origin.inputs.iter().flat_map(|i| &i.assumed).filter(of_end);
        notes().next().is_some() && notes().all(|a| a == crate::transcript::ASSUMED_NO_END)
    }

    /// Whether the order of what was said was lost on its way into the evidence.
    pub fn order_is_lost(&self) -> bool {
        let inputs = &self.transcript.origin.inputs;
        inputs.iter().flat_map(|i| &i.assumed).any(|a| a == crate::transcript::ASSUMED_ORDER)
    }

    /// Whether the connection came to an end that was seen: not the end of the evidence.
    pub fn is_closed(&self) -> bool {
        self.control().any(|e| match &e.kind {
            Kind::Closed { .. } | Kind::TimedOut { .. } | Kind::OpenFailed { .. } => true,
            Kind::Reply(r) => r.code == 221 && r.whole,
            _ => false,
        })
    }

    /// Whether anybody ended the session, or said that it failed: an end of the evidence alone is none.
    pub fn is_ended(&self) -> bool {
        self.control().any(|e| match &e.kind {
            Kind::Closed { .. } | Kind::TimedOut { .. } | Kind::OpenFailed { .. } => true,
            // AT-TLS writes down what goes well, too, and a setting or the end of a step is no end of the session.
            Kind::Claim { by, code: None | Some(Code::Message(_)), .. } => program_of(by) != AT_TLS && !is_config(by),
            Kind::Claim { .. } => true,
            Kind::Alert { level, .. } | Kind::Decrypted { seen: Decrypted::Alert { level, .. }, .. } => *level == 2,
            Kind::TextInsteadOfTls { reply: Some(r), .. } => r.code >= 400,
            // Nobody goes on with TLS behind the greeting of another protocol; a hello of SSL 2 that began is none.
            Kind::OtherInsteadOfTls { speaker } => {
                !matches!(speaker, Speaker::Unknown | Speaker::Text(_) | Speaker::SslV2)
            }
            _ => false,
        })
    }

    /// Whether the handshake of the control connection completed, as far as that shows from outside.
    pub fn handshake_completed(&self) -> bool {
        self.completed(self.control())
    }

    /// Whether our own engine, or the records themselves, prove that: not only a log, nor what is only likely.
    pub fn handshake_is_proved(&self) -> bool {
        let mut seen = self.nothing_completed();
        let mut shown = self.control().filter(|e| e.span.is_none_or(|s| s.flow.layer == Layer::Wire));
        shown.any(|e| seen.takes(e)) && seen.is_proved()
    }

    /// Whether it had completed before an event.
    pub fn handshake_completed_before(&self, mark: &Event) -> bool {
        // What our own engine decrypted of a segment is written down behind its bytes, and behind bytes that are no TLS it
        // reads no further.
        let ours = self.transcript.origin.asked.is_some() && matches!(mark.kind, Kind::TextInsteadOfTls { .. });
        let done = |e: &Event| matches!(e.kind, Kind::Decrypted { seen: Decrypted::Established { .. }, .. });
        self.completed(self.before(mark)) || ours && self.after(mark).any(done)
    }

    /// The event by which the handshake of the control connection had completed.
    pub fn completion(&self) -> Option<&'a Event> {
        let mut seen = self.nothing_completed();
        self.control().find(|e| seen.takes(e))
    }

    /// A handshake of which nothing was seen yet.
    fn nothing_completed(&self) -> Completion {
        Completion::new(self.transcript.origin.asked.is_some())
    }

    fn completed<'e>(&self, events: impl Iterator<Item = &'e Event>) -> bool {
        let mut seen = self.nothing_completed();
        events.into_iter().any(|e| seen.takes(e))
    }
}

/// Whether a control connection stands in for the session: its handshake is OpenSSL's, and nothing else is changed.
fn stands_in(t: &Transcript, id: ConnId) -> bool {
    changed(t, id) == [BY_OPENSSL] && t.conn(id).is_some_and(|c| c.role == Role::Control)
}

/// Whether the server took a login.
fn is_login_taken<'e>(events: impl IntoIterator<Item = &'e Event>) -> bool {
    let mut last = "";
    events.into_iter().any(|e| match &e.kind {
        Kind::Command { verb, .. } => {
            last = verb;
            false
        }
        Kind::Reply(r) => matches!(last, "USER" | "PASS" | "ACCT") && matches!(r.code, 202 | 230 | 232),
        _ => false,
    })
}

/// Whether an event is the server's answer to a ClientHello.
pub(super) fn is_server_hello(e: &Event) -> bool {
    matches!(e.kind, Kind::Handshake(Message::ServerHello(_) | Message::HelloRetryRequest(_)))
}

//! What became of a request for a client certificate; three rules read the same answer.

use super::Case;
use super::phase::End;
use crate::decode::{Event, Kind};
use crate::transcript::{Decrypted, Layer, Side};
use crate::wire::dn;
use crate::wire::tls::handshake::Message;

/// What a refused or missing client certificate explains.
pub(super) const OUTRANKED: &[&str] = &[
    "closed-during-handshake",
    "control-connection-lost",
    "fatal-alert",
    "handshake-refused-by-client",
    "handshake-refused-by-server",
    "plaintext-inside-tls",
    "plaintext-instead-of-tls",
    "reset-during-handshake",
];

/// What the client sent in answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// The evidence does not show.
    Unknown,
    /// An empty list.
    Nothing,
    /// A certificate; DER of the first.
    Certificate(Vec<u8>),
}

/// How the server said no.
#[derive(Clone, Debug)]
pub(super) enum Refusal<'a> {
    /// With a fatal alert.
    Alert(u8),
    /// With text where TLS was due.
    Text(&'a str),
    /// Without a word.
    End(End),
}

/// The story of a client certificate.
#[derive(Debug)]
pub(super) struct ClientAuth<'a> {
    /// The server's request.
    pub(super) request: Option<&'a Event>,
    /// The authorities it named, readable.
    pub(super) issuers: Vec<String>,
    /// What was sent.
    pub(super) sent: Sent,
    /// The client's message.
    pub(super) answer: Option<&'a Event>,
    /// How the server refused, and where.
    pub(super) refusal: Option<(&'a Event, Refusal<'a>)>,
    /// Whether the server went on inside TLS.
    pub(super) accepted: bool,
}

/// Reads the story, up to the server's first word behind it.
pub(super) fn read<'a>(case: &Case<'a>) -> ClientAuth<'a> {
    let mut story = ClientAuth {
        request: None,
        issuers: Vec::new(),
        sent: Sent::Unknown,
        answer: None,
        refusal: None,
        accepted: false,
    };
    for e in case.control() {
        let side = e.from();
        if let Some(description) = refusing(e) {
            return story.refused(e, Refusal::Alert(description));
        }
        if story.goes_on(case, e) {
            story.accepted = true;
            return story;
        }
        match &e.kind {
            Kind::Handshake(Message::CertificateRequest { authorities, .. }) if side == Some(Side::Server) => {
                story.requested(e, authorities.iter().map(Vec::as_slice));
            }
            Kind::Decrypted { from: Side::Server, seen: Decrypted::CertificateRequest { authorities } } => {
                story.requested(e, authorities.iter().map(|d| d.0.as_slice()));
            }
            Kind::Handshake(Message::Certificate { chain }) if side == Some(Side::Client) => {
                story.answered(e, chain.first().map(Vec::as_slice));
            }
            Kind::Decrypted { from: Side::Client, seen: Decrypted::Certificates { chain } } => {
                story.answered(e, chain.first().map(|d| d.0.as_slice()));
            }
            Kind::TextInsteadOfTls { reply: Some(r), .. } if side == Some(Side::Server) && r.code >= 400 => {
                // Alert and text may share a segment; what was decrypted of it is written down behind its bytes.
                let alert = case.after(e).find_map(|b| match &b.kind {
                    Kind::Decrypted { from: Side::Server, seen: Decrypted::Alert { level: 2, description } } => {
                        Some((b, Refusal::Alert(*description)))
                    }
                    _ => None,
                });
                let (at, how) = alert.unwrap_or((e, Refusal::Text(&r.text)));
                return story.refused(at, how);
            }
            // Behind a goodbye, or once the client has left, nothing is said of its certificate.
            Kind::Reply(r) if r.code == 221 && r.whole => return story,
            Kind::Closed { by: Side::Client, .. } => return story,
            _ => {
                // Without a request an end says nothing of certificates.
                let requested = story.request.is_some_and(|r| r.conn == e.conn);
                if let Some(end) = End::of(e).filter(|_| requested) {
                    return story.refused(e, Refusal::End(end));
                }
            }
        }
    }
    story
}

/// The fatal alert of the server that an event is.
fn refusing(e: &Event) -> Option<u8> {
    match (&e.kind, e.from()) {
        (Kind::Alert { level: 2, description }, Some(Side::Server))
        | (Kind::Decrypted { from: Side::Server, seen: Decrypted::Alert { level: 2, description } }, _) => {
            Some(*description)
        }
        _ => None,
    }
}

impl<'a> ClientAuth<'a> {
    /// Whether the server goes on with this event: inside TLS, or, up to TLS 1.2, with its ChangeCipherSpec behind the client's
    /// Certificate. In a run of ours the end has the word: some servers refuse behind their Finished.
    fn goes_on(&self, case: &Case<'_>, e: &Event) -> bool {
        let is_answered = |a: &Event| a.conn == e.conn && a.from() == Some(Side::Client);
        match e.kind {
            Kind::Reply(_) => e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls),
            Kind::ChangeCipherSpec if e.from() == Some(Side::Server) => {
                case.asked().is_none() && self.answer.is_some_and(is_answered)
            }
            _ => false,
        }
    }

    fn requested<'d>(&mut self, e: &'a Event, authorities: impl Iterator<Item = &'d [u8]>) {
        self.request.get_or_insert(e);
        self.issuers =
            authorities.map(|name| dn::show(name).unwrap_or_else(|| "(unreadable name)".to_owned())).collect();
    }

    fn answered(&mut self, e: &'a Event, first: Option<&[u8]>) {
        self.answer = Some(e);
        self.sent = first.map_or(Sent::Nothing, |der| Sent::Certificate(der.to_vec()));
    }

    fn refused(mut self, e: &'a Event, how: Refusal<'a>) -> Self {
        self.refusal = Some((e, how));
        self
    }

    /// `issued by CN=a or CN=b`, as far as the server said.
    pub(super) fn wanted(&self) -> String {
        match self.issuers.as_slice() {
            [] => "The server names no authority: any of those that it trusts.".to_owned(),
            [one] => format!("The server accepts certificates issued by: {one}."),
            many => {
                let shown: Vec<&str> = many.iter().take(3).map(String::as_str).collect();
                let more = many.len().saturating_sub(3);
                let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("The server accepts certificates issued by: {}{rest}.", shown.join("; "))
            }
        }
    }
}

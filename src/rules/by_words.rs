//! What programs say by their return codes where no bytes show it: which finding a code speaks for, by the end that says it.
//! Bytes outrank words: where they tell who refused and why, no code is read here.

use super::case::Claim;
use super::finding::{Confidence, Finding, Party};
use super::{Case, Sink};
use crate::codes;
use crate::decode::{Event, Kind};
use crate::transcript::{Code, Decrypted, Side, speakers};

/// GSK_ERR_IO, and what AT-TLS says of a partner that stays silent. The one follows from the other.
const IO: u32 = 406;
const TIMED_OUT: u32 = 5004;

/// Clear text where AT-TLS waits for TLS.
const CLEAR_TEXT: u32 = 5003;

/// GSK_ERR_BAD_CERT; seen behind this alert it is the partner that rejects.
const BAD_CERTIFICATE: u32 = 414;
const CERTIFICATE_UNKNOWN: u8 = 46;

/// GSK_ERR_CERTIFICATE_EXPIRED and its like, as certificate management services number them.
const CMS_EXPIRED: u32 = 0x0335_3022;
const CMS_NO_ISSUER: u32 = 0x0335_3024;
const CMS_SELF_SIGNED: u32 = 0x0335_302F;
const CMS_REVOKED: u32 = 0x0335_3041;

/// The server's name is not in its certificate. No source gives the number.
const NO_NAME_MATCH: &str = "GSK_ERR_SERVER_REF_ID_NO_MATCH";

/// -22 of the deprecated API as dumps show it: the partner closed the socket.
const SOCKET_CLOSED: u32 = 0xFFFF_FFEA;

/// What AT-TLS did when a code came that says nothing of the handshake: it had been done, or never came to be.
const LATER: [&str; 6] =
    ["Data Decryption", "Data Encryption", "Connection Close", "Connection Stop", "Abend Close", "Environment Close"];

/// So many codes are looked at: each asks for all others.
pub(super) const MOST: usize = 64;

/// The claim that decides, with what it says.
pub(super) struct Said<'a> {
    /// The claim.
    pub(super) claim: Claim<'a>,
    /// Its return code; `None` where only its symbol or the code of certificate services is given.
    pub(super) rc: Option<u32>,
    /// What certificate services say of the same failure.
    pub(super) cms: Option<u32>,
}

/// The claim that speaks for a finding: the first return code of the handshake decides, and it has to be one of these.
pub(super) fn said<'a>(case: &Case<'a>, finding: &str) -> Option<Said<'a>> {
    let claim = case.claims().filter(may_decide).take(MOST).find(|c| decides(case, c))?;
    let cms = cms_beside(case, &claim);
    (reading(case, &claim, cms)? == finding && !bytes_tell(case, claim.event, finding)).then(|| Said {
        rc: rc_of(&claim),
        cms,
        claim,
    })
}

/// The return code that a claim gives, of System SSL or of AT-TLS; 0 is none.
pub(super) fn rc_of(claim: &Claim<'_>) -> Option<u32> {
    match claim.code {
        Some(Code::Gsk(rc) | Code::AtTls(rc)) if *rc != 0 => Some(*rc),
        _ => None,
    }
}

/// A return code as manuals print it: the deprecated API has negative ones.
pub(super) fn shown(rc: u32) -> String {
    rc.cast_signed().to_string()
}

/// Whether a claim gives the return code of a handshake that was refused, read by the two rules about refusals. Not what
/// follows from a silence, and not what AT-TLS says of the partner or leaves unexplained.
pub(super) fn is_refusal(case: &Case<'_>, claim: &Claim<'_>) -> bool {
    match claim.code {
        _ if is_later(claim) => false,
        Some(Code::Gsk(rc)) => *rc != 0 && !is_echo(case, claim),
        Some(Code::AtTls(CLEAR_TEXT | TIMED_OUT)) | None => false,
        Some(Code::AtTls(rc)) => is_explained(*rc),
        _ => false,
    }
}

/// Whether AT-TLS says it, and nothing shows at which end it ran.
fn is_of_unknown_end(claim: &Claim<'_>) -> bool {
    claim.side.is_none() && speakers::program_of(claim.by) == speakers::AT_TLS
}

/// Whether AT-TLS names what it did, and that was no handshake.
fn is_later(claim: &Claim<'_>) -> bool {
    speakers::program_of(claim.by) == speakers::AT_TLS && LATER.iter().any(|event| claim.text.contains(event))
}

/// Whether a code of AT-TLS has a meaning of its own that somebody has read.
fn is_explained(rc: u32) -> bool {
    codes::attls(rc).is_some_and(|c| c.exact && c.confirmed == codes::Confirmed::Yes)
}

/// Whether a claim has anything by which it could.
fn may_decide(claim: &Claim<'_>) -> bool {
    matches!(claim.code, Some(Code::Gsk(_) | Code::AtTls(_) | Code::Cms(_))) || claim.text.contains(NO_NAME_MATCH)
}

/// Whether a claim decides what the failure is.
fn decides(case: &Case<'_>, claim: &Claim<'_>) -> bool {
    match claim.code {
        _ if is_later(claim) => false,
        Some(Code::Gsk(rc)) => *rc != 0 && !is_echo(case, claim),
        // It says that another message has the reason.
        Some(Code::AtTls(5006)) => false,
        Some(Code::AtTls(rc)) => is_explained(*rc),
        Some(Code::Cms(n)) => by_cms(*n).is_some(),
        _ => claim.text.contains(NO_NAME_MATCH),
    }
}

/// An I/O error at the end that waited in vain: the same event once more, whichever stands first.
fn is_echo(case: &Case<'_>, claim: &Claim<'_>) -> bool {
    let waited = |c: &Claim<'_>| matches!(c.code, Some(Code::AtTls(TIMED_OUT))) && c.event.conn == claim.event.conn;
    matches!(claim.code, Some(Code::Gsk(IO))) && case.claims().any(|c| waited(&c) && c.side == claim.side)
}

/// What certificate services say at the same end.
fn cms_beside(case: &Case<'_>, claim: &Claim<'_>) -> Option<u32> {
    let of = |c: &Claim<'_>| match c.code {
        Some(Code::Cms(n)) if *n != 0 => Some(*n),
        _ => None,
    };
    of(claim).or_else(|| case.claims().filter(|c| c.side == claim.side).find_map(|c| of(&c)))
}

/// The finding that a code speaks for.
fn reading(case: &Case<'_>, claim: &Claim<'_>, cms: Option<u32>) -> Option<&'static str> {
    let server = claim.is_of_server();
    let own = is_own_certificate(case, claim);
    let about_peer = |finding: &'static str| if server && !own { "client-certificate-refused" } else { finding };
    match claim.code {
        // Only a server's policy asks for certificates of clients.
        Some(Code::AtTls(5001)) if claim.side != Some(Side::Client) => Some("client-certificate-required"),
        Some(Code::AtTls(5002)) if claim.side != Some(Side::Client) => Some("client-certificate-refused"),
        Some(Code::AtTls(CLEAR_TEXT)) => Some("plaintext-instead-of-tls"),
        Some(Code::AtTls(TIMED_OUT)) => Some("silence-during-handshake"),
        Some(Code::Gsk(403)) if server => Some("client-certificate-required"),
        Some(Code::Gsk(SOCKET_CLOSED)) => Some("closed-during-handshake"),
        // At an end that is known, the two rules about refusals have it.
        Some(Code::Gsk(IO)) if is_of_unknown_end(claim) && case.ends_are_named() => Some("closed-during-handshake"),
        Some(Code::Gsk(BAD_CERTIFICATE)) if was_told(case, claim) => {
            Some(if server { "certificate-untrusted" } else { "client-certificate-refused" })
        }
        // A client's own: no finding about the server's fits.
        Some(Code::Gsk(_) | Code::Cms(_)) if own && !server => None,
        Some(Code::Gsk(rc)) => {
            let by_rc = match rc {
                // What certificate services say is closer.
                8 => cms.and_then(by_cms).or(Some("certificate-untrusted")),
                417 | 435 => Some("certificate-untrusted"),
                // Terminals seldom have certificates of their own: it may be either end's.
                401 if claim.by == speakers::TN3270_SERVER => return Some("certificate-expired"),
                401 => Some("certificate-expired"),
                431 => Some("certificate-revoked"),
                508 => Some("certificate-weak"),
                _ if claim.text.contains(NO_NAME_MATCH) => Some("certificate-name-mismatch"),
                _ => None,
            };
            by_rc.map(about_peer)
        }
        Some(Code::Cms(n)) => by_cms(*n).map(about_peer),
        _ if claim.text.contains(NO_NAME_MATCH) && !server => Some("certificate-name-mismatch"),
        _ => None,
    }
}

/// Whether the certificate that AT-TLS describes beside the code is that of its own end (CertificateSource LOCAL).
fn is_own_certificate(case: &Case<'_>, claim: &Claim<'_>) -> bool {
    let is_local = |c: &Claim<'_>| c.text.contains("from LOCAL") && speakers::program_of(c.by) == speakers::AT_TLS;
    case.claims().any(|c| c.side == claim.side && c.event.conn == claim.event.conn && is_local(&c))
}

fn by_cms(cms: u32) -> Option<&'static str> {
    match cms {
        CMS_EXPIRED => Some("certificate-expired"),
        CMS_NO_ISSUER | CMS_SELF_SIGNED => Some("certificate-untrusted"),
        CMS_REVOKED => Some("certificate-revoked"),
        _ => None,
    }
}

/// Whether the partner's alert 46 came before: by its byte, or by the words of a trace.
fn was_told(case: &Case<'_>, claim: &Claim<'_>) -> bool {
    let partner = if claim.is_of_server() { Side::Client } else { Side::Server };
    case.before(claim.event).any(|e| match &e.kind {
        Kind::Alert { description: CERTIFICATE_UNKNOWN, .. } => e.from() == Some(partner),
        Kind::Claim { text, .. } => text.to_ascii_lowercase().contains("alert 46 received"),
        _ => false,
    })
}

/// Whether bytes tell of another end than the words do: a handshake that completed, an alert about something else or by the
/// other end, text where TLS was due, or an end without a word.
pub(super) fn bytes_tell(case: &Case<'_>, said: &Event, finding: &str) -> bool {
    let refuses = match finding {
        f if f.starts_with("certificate-") => Some(Side::Client),
        f if f.starts_with("client-certificate-") => Some(Side::Server),
        _ => None,
    };
    let speaks = |e: &Event| match &e.kind {
        Kind::Alert { level: 2, description } => another(*description, e.from(), refuses),
        Kind::Decrypted { from, seen: Decrypted::Alert { level: 2, description } } => {
            another(*description, Some(*from), refuses)
        }
        Kind::TextInsteadOfTls { .. } | Kind::OtherInsteadOfTls { .. } => true,
        _ => false,
    };
    case.handshake_completed_before(said) || case.first(speaks).is_some() || case.broken_handshake().is_some()
}

/// Whether an alert says something else than that the certificate of the other end is refused.
fn another(description: u8, from: Option<Side>, refuses: Option<Side>) -> bool {
    let certificates = matches!(description, 42..=46 | 48 | 49 | 116);
    description != 0 && !(certificates && refuses.is_some() && from == refuses)
}

impl Case<'_> {
    /// A code of AT-TLS that no public source explains: it decides nothing, and its number is all there is to say.
    pub fn unexplained(&self) -> Option<u32> {
        self.claims().find_map(|c| match c.code {
            Some(Code::AtTls(rc)) if *rc != 0 && !is_explained(*rc) => Some(*rc),
            _ => None,
        })
    }

    /// The return code of a handshake that AT-TLS says failed, at an end that nothing names: whose fault it is depends on that.
    pub fn failed_at_unknown_end(&self) -> Option<String> {
        let of_nobody = |c: &Claim<'_>| is_of_unknown_end(c) && is_refusal(self, c);
        self.claims().filter(|c| rc_of(c).is_some()).take(MOST).find(of_nobody).and_then(|c| rc_of(&c)).map(shown)
    }
}

impl Said<'_> {
    /// Whether it is a server's word. Some codes only a server's policy gives.
    pub(super) fn is_of_server(&self) -> bool {
        self.claim.is_of_server() || matches!(self.claim.code, Some(Code::AtTls(5001 | 5002)))
    }

    /// Whether the certificate in question is that of the end that says so.
    pub(super) fn is_own(&self, case: &Case<'_>) -> bool {
        is_own_certificate(case, &self.claim)
    }

    /// `the client`, or `the server`: who says it. AT-TLS runs at either end, and where its messages do not say which, it is
    /// named itself.
    pub(super) fn who(&self) -> &'static str {
        match () {
            () if self.is_of_server() => "the server",
            () if self.is_of_unknown_end() => speakers::AT_TLS,
            () => "the client",
        }
    }

    /// Whether nothing shows at which end it was said.
    pub(super) fn is_of_unknown_end(&self) -> bool {
        !self.is_of_server() && is_of_unknown_end(&self.claim)
    }

    /// What the other end is called.
    pub(super) fn partner(&self) -> &'static str {
        match () {
            () if self.is_of_server() => "the client",
            () if self.is_of_unknown_end() => "its partner",
            () => "the server",
        }
    }

    /// Whether the code says no more than that the connection failed.
    pub(super) fn is_io(&self) -> bool {
        self.rc == Some(IO)
    }

    /// Whose certificate it speaks of: the server's, or that of the partner of an unknown end.
    pub(super) fn whose(&self) -> &'static str {
        if self.is_of_unknown_end() { "its partner's" } else { "the server's" }
    }

    /// ` (rc 435)`, where there is a number.
    pub(super) fn code(&self) -> String {
        self.rc.map_or_else(String::new, |rc| format!(" (rc {})", shown(rc)))
    }

    /// A finding that rests on this word alone: never more than likely.
    pub(super) fn finding(&self, case: &Case<'_>, sink: &mut Sink<'_>, party: Party, headlines: &[String]) -> Finding {
        let mut f = sink.finding(Confidence::Likely, party, headlines);
        f.ended = true;
        f.set("rc", self.rc).set("cms", self.cms.map(|n| format!("{n:08X}")));
        f.set("by", self.claim.by).set("said", self.claim.text);
        sink.shows_by(&mut f, self.claim.event);
        f.why.push(format!("{}: \"{}\"", self.claim.by, self.claim.text));
        let attls = matches!(self.claim.code, Some(Code::AtTls(_)));
        let of_rc = |rc: u32| {
            if attls { codes::attls(rc).map(|c| c.meaning) } else { codes::gsk(rc).map(|c| c.meaning) }
        };
        if let Some((rc, meaning)) = self.rc.and_then(|rc| Some((rc, of_rc(rc)?))) {
            f.why.push(format!("rc {}: {meaning}.", shown(rc)));
        }
        if let Some((n, known)) = self.cms.and_then(|n| Some((n, codes::cms(n)?))) {
            f.why.push(format!("CMS {n:08X}: {}.", known.meaning));
        }
        let details = case.claims().filter(|c| c.side == self.claim.side && matches!(c.code, Some(Code::Cms(_))));
        f.why.extend(details.map(|c| c.text.to_owned()).filter(|t| !t.is_empty() && *t != self.claim.text));
        f.why.push(format!("It is the word of {} alone: the bytes are not in the evidence.", self.who()));
        f
    }
}

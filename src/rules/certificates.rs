//! What the rules about certificates share: the chain of the session, how bad a fault of it is, and its causes.

use super::causes::{cause, likely_server};
use super::finding::{AdviceKind, Cause, Confidence, Finding, Party, Severity};
use super::{Case, Sink};
use crate::decode::{Event, Kind};
use crate::facts::transfers::certificates;
use crate::transcript::clock::UnixMicros;
use crate::transcript::{Code, Decrypted, Side};
use crate::trust::{Judgement, Opinion, Path};
use crate::wire::tls::handshake::Message;

/// What a client doubts that refuses a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Who issued it.
    Issuer,
    /// Whose name it holds.
    Name,
    /// Its validity.
    Time,
    /// What it may be used for.
    Usage,
}

impl<'a> Case<'a> {
    /// The first certificate chain that the server of the session shows: DER, its own certificate first.
    pub fn server_chain(&self) -> Option<(&'a Event, Vec<Vec<u8>>)> {
        self.control().find_map(|e| Some((e, certificates(e)?.into_iter().map(<[u8]>::to_vec).collect())))
    }

    /// Whether names were written over, so that neither names nor signatures are what they were.
    pub fn is_redacted(&self) -> bool {
        // What was judged before it was redacted has a name, though not the real one.
        let judged = self.trust.is_some_and(|j| !j.asked.is_empty());
        self.transcript.origin.redacted.as_deref().is_some_and(|level| level != "users") && !judged
    }

    /// Whether the client ended the handshake because of such a doubt, by its first fatal alert or by its own word.
    fn client_refused(&self, chain: &Event, doubt: Doubt) -> bool {
        let alert = self.control().find_map(|e| match &e.kind {
            Kind::Alert { level: 2, description } => Some((e.from(), *description)),
            Kind::Decrypted { from, seen: Decrypted::Alert { level: 2, description } } => {
                Some((Some(*from), *description))
            }
            _ => None,
        });
        // RFC 8446, 6.2: bad, unsupported and unknown say nothing about which doubt it was.
        let by_alert = match alert {
            Some((Some(Side::Client), 42 | 43 | 46)) => true,
            Some((Some(Side::Client), 45)) => doubt == Doubt::Time,
            Some((Some(Side::Client), 48)) => doubt == Doubt::Issuer,
            _ => false,
        };
        let by_word = self.after(chain).any(|e| match &e.kind {
            Kind::Claim { side, code: Some(Code::Gsk(rc)), .. } if *side != Some(Side::Server) => match rc {
                8 => true,
                401 => doubt == Doubt::Time,
                435 => doubt == Doubt::Issuer,
                440 => doubt == Doubt::Usage,
                _ => false,
            },
            _ => false,
        });
        by_alert || by_word
    }
}

/// A failure where a verifying client is known to refuse: our own, once TLS itself works, or one that said so.
fn severity(case: &Case<'_>, chain: &Event, doubt: Doubt) -> Severity {
    let fails = match &case.transcript.origin.asked {
        Some(asked) => !asked.any_certificate && case.handshake_completed(),
        None => case.client_refused(chain, doubt),
    };
    if fails { Severity::Failure } else { Severity::Warning }
}

/// A finding about the chain, with the bytes that show it, and whether TLS itself works.
pub(super) fn finding(
    case: &Case<'_>,
    sink: &mut Sink<'_>,
    doubt: Doubt,
    party: Party,
    headlines: &[String],
) -> Option<Finding> {
    let (event, _) = case.server_chain()?;
    let sure = if case.direction_is_assumed() { Confidence::Likely } else { Confidence::Certain };
    let mut f = sink.finding(sure, party, headlines);
    f.severity = severity(case, event, doubt);
    show(case, sink, event, &mut f);
    let accepts = case.transcript.origin.asked.as_ref().is_some_and(|a| a.any_certificate);
    f.why.extend(
        match (case.handshake_completed(), f.severity, &case.transcript.origin.asked) {
            (true, Severity::Failure, _) => Some("TLS itself works: the handshake completed."),
            (true, _, Some(_)) if accepts => Some("TLS itself works; any certificate was to be accepted."),
            (true, _, None) => Some("TLS itself works: the client of the evidence went on all the same."),
            (false, Severity::Failure, _) => Some("The client ended the handshake because of the certificate."),
            (false, _, None) => Some("Whether the client of the evidence trusts it does not show."),
            _ => None,
        }
        .map(str::to_owned),
    );
    Some(f)
}

/// The Certificate message, or where it is encrypted the ServerHello before it.
pub(super) fn show(case: &Case<'_>, sink: &Sink<'_>, event: &Event, f: &mut Finding) {
    let Some(j) = case.trust else { return };
    let label = format!("Certificate: {} in the chain", j.sent);
    match sink.evidence(event, &label) {
        Some(evidence) => f.evidence.push(evidence),
        None => {
            let hello =
                case.before(event).filter(|e| matches!(e.kind, Kind::Handshake(Message::ServerHello(_)))).last();
            f.evidence
                .extend(hello.and_then(|e| sink.evidence(e, "ServerHello; the certificate came encrypted behind it")));
        }
    }
    // What a log was put together from proves nothing by itself.
    if f.evidence.iter().any(|e| e.rebuilt > 0) {
        f.confidence = f.confidence.min(Confidence::Likely);
    }
}

/// The chain as people read it: a line each, and what is missing.
pub(super) fn chain_lines(j: &Judgement) -> Vec<String> {
    const SHOWN: usize = 4;
    let line = |(n, c): (usize, &crate::trust::Certificate)| match &c.read {
        Ok(d) => format!("{} {}, until {}", n + 1, short(&d.subject), date(d.not_after)),
        Err(part) => format!("{} cannot be read: {part}", n + 1),
    };
    let mut lines: Vec<String> = j.certificates.iter().enumerate().take(SHOWN).map(line).collect();
    if j.sent > SHOWN {
        lines.push(format!("... {} more", j.sent - SHOWN));
    }
    lines.extend(j.missing.iter().map(|m| {
        let how = match (m.ought_to_be_sent, j.opinions.is_empty()) {
            (Some(_), _) => "MISSING",
            (None, true) => "(not sent; roots need not be)",
            (None, false) => "in no list",
        };
        format!("- {}  {how}", short(&m.issuer))
    }));
    lines
}

/// A distinguished name that fits a line.
pub(super) fn short(name: &str) -> String {
    const LONGEST: usize = 60;
    if name.len() <= LONGEST { name.to_owned() } else { name.chars().take(LONGEST - 3).chain("...".chars()).collect() }
}

/// `2027-01-14`.
pub(super) fn date(seconds: i64) -> String {
    UnixMicros(seconds.saturating_mul(1_000_000)).date()
}

/// `2027-01-14 09:00:00 UTC`.
pub(super) fn moment(seconds: i64) -> String {
    format!("{} UTC", UnixMicros(seconds.saturating_mul(1_000_000)).date_and_time())
}

/// `2026-11-21`.
pub(super) fn day(seconds: i64) -> String {
    moment(seconds).chars().take(10).collect()
}

/// A length of time as people say it: `9 h`, `3 days`.
pub(super) fn span(seconds: i64) -> String {
    match seconds.abs() {
        s @ 0..7_200 => format!("{} min", s / 60),
        s @ 7_200..172_800 => format!("{} h", s / 3_600),
        s @ 172_800..63_072_000 => format!("{} days", s / 86_400),
        s => format!("{} years", s / 31_557_600),
    }
}

/// Advice of the tables for the server's product; words where they have none.
pub(super) fn advise_server(case: &Case<'_>, f: &mut Finding, need: &str, otherwise: &str) {
    let before = f.advice.len();
    if let Some(product) = likely_server(case) {
        f.advise(need, &product.id.clone());
    }
    if f.advice.len() == before {
        f.tell(Party::Server, AdviceKind::Lasting, otherwise);
    }
}

/// How a client comes to trust an authority, in its product's words.
pub(super) fn advise_trust(case: &Case<'_>, f: &mut Finding, otherwise: &str) {
    let before = f.advice.len();
    if let Some(client) = &case.facts.client {
        f.advise("trust-ca", client.id).advise("refresh-ring", client.id);
    }
    if f.advice.len() == before {
        f.tell(Party::Client, AdviceKind::Lasting, otherwise);
    }
}

/// A list, as a sentence names it.
pub(super) fn list(o: &Opinion) -> String {
    match o.store.as_str() {
        "system" => "this system's CA list".to_owned(),
        "Mozilla" => "Mozilla's CA list".to_owned(),
        file => crate::wire::printable_str(file),
    }
}

/// The clock may be wrong that the certificate is held against.
pub(super) fn clock_wrong(j: &Judgement, off_by: i64, confidence: Confidence) -> Cause {
    let at = j.at.map_or_else(String::new, moment);
    cause("clock-wrong", "the clock that judged it is wrong", confidence)
        .because(format!("judged as of {at}; a clock that is {} off would explain it", span(off_by)))
        .ask(
            Party::Client,
            None,
            &["the date, in UTC, of the machine that looked".to_owned()],
            &format!("a right clock shows {} for that moment: then the certificate is at fault", at),
        )
}

/// The list lacks an authority.
pub(super) fn unknown_ca(j: &Judgement) -> Cause {
    let issuer = j.missing.as_ref().map_or_else(|| top(j), |m| m.issuer.clone());
    let mut c = cause("unknown-ca", "your list of CAs lacks the issuer", Confidence::Likely);
    for o in j.deciding() {
        c = c.because(format!("{} ({} CAs) does not lead to {}", list(o), o.authorities, short(&issuer)));
    }
    c.ask(
        Party::Server,
        None,
        &["the partner names its root CA and the SHA-256 of it, by another way than this connection".to_owned()],
        "the same root: import it; another one: somebody stands between",
    )
}

/// The issuer of the last certificate that was sent.
pub(super) fn top(j: &Judgement) -> String {
    let top = j.path.last().and_then(|n| j.certificates.get(*n)).and_then(crate::trust::Certificate::details);
    top.map_or_else(String::new, |d| d.issuer.clone())
}

/// Products that break TLS open, by the names that they sign with.
const INSPECTORS: [&str; 12] = [
    "Zscaler",
    "Fortinet",
    "FortiGate",
    "Blue Coat",
    "BlueCoat",
    "Palo Alto Networks",
    "Sophos",
    "Check Point",
    "Netskope",
    "Cisco Umbrella",
    "WatchGuard",
    "Forcepoint",
];

/// A product that breaks TLS open issued the chain, by its name; names can be borrowed.
pub(super) fn tls_inspection(j: &Judgement) -> Option<Cause> {
    let details = j.certificates.iter().filter_map(crate::trust::Certificate::details);
    let names: Vec<String> = details.map(|d| d.issuer.to_ascii_lowercase()).collect();
    let product = INSPECTORS.iter().find(|p| names.iter().any(|n| n.contains(&p.to_ascii_lowercase())))?;
    let c = cause("tls-inspection", "a proxy or firewall breaks TLS open", Confidence::Likely)
        .because(format!("the issuer's name contains \"{product}\", a maker of such products"))
        .ask(
            Party::Between,
            None,
            &["look from another network, past that device, and compare the issuer".to_owned()],
            "another issuer there: the device replaced the certificate",
        );
    Some(c)
}

/// Whether a second opinion trusts the chain, and by which authority.
pub(super) fn trusted_elsewhere(j: &Judgement) -> Option<(String, String)> {
    j.opinions.iter().filter(|o| o.second).find_map(|o| match &o.path {
        Path::Trusted { root, .. } | Path::OnlyTime { root } => Some((list(o), root.clone())),
        _ => None,
    })
}

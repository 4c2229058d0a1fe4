//! An alert ended the handshake. A text behind it says the same thing again.

use super::both_sides::Sides;
use super::case::Claim;
use super::parameters;
use super::prelude::*;
use crate::codes;
use crate::facts::version_name;
use crate::transcript::{Decrypted, Layer, speakers};

pub(super) static RULE: Rule = Rule {
    id: "fatal-alert",
    severity: Severity::Failure,
    outranks: &[
        "closed-during-handshake",
        "control-connection-lost",
        "handshake-refused-by-client",
        "handshake-refused-by-server",
        "plaintext-inside-tls",
        "plaintext-instead-of-tls",
        "reset-during-handshake",
        "silence-during-handshake",
    ],
    page: include_str!("../../docs/findings/fatal-alert.md"),
    check,
};

/// A regular end, whatever its level says.
const CLOSE_NOTIFY: u8 = 0;
const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;
const INSUFFICIENT_SECURITY: u8 = 71;
const INTERNAL_ERROR: u8 = 80;
const UNRECOGNIZED_NAME: u8 = 112;
const INAPPROPRIATE_FALLBACK: u8 = 86;
const MISSING_EXTENSION: u8 = 109;

/// TLS 1.2: what is older knows no server names.
const TLS12: u16 = 0x0303;

/// The shortest prime that libraries of today accept: OpenSSL's security level 2.
const SHORTEST_PRIME: usize = 2048;

/// Alerts about the certificate that the other end has shown.
const ABOUT_CERTIFICATES: core::ops::RangeInclusive<u8> = 42..=49;
const ILLEGAL_PARAMETER: u8 = 47;

/// close_notify, no_certificate, user_canceled, no_renegotiation: no end of a handshake by themselves.
const WARNINGS: [u8; 4] = [0, 41, 90, 100];

/// A fatal alert, in clear or seen by our own engine.
fn fatal(e: &Event) -> Option<(u8, Side)> {
    let (description, from) = match (&e.kind, e.from()) {
        (Kind::Alert { level: 2, description }, Some(from)) => (*description, from),
        (Kind::Decrypted { from, seen: Decrypted::Alert { level: 2, description } }, _) => (*description, *from),
        (Kind::Claim { .. }, _) => told(&Claim::of(e)?)?,
        _ => return None,
    };
    (description != CLOSE_NOTIFY).then_some((description, from))
}

/// `SSL V3 alert 70 received from 192.0.2.7.21.`, in a trace that does not show its bytes. What is about certificates is read by
/// the rules about these, and a warning ends nothing.
fn told(claim: &Claim<'_>) -> Option<(u8, Side)> {
    let by = |program: &str| speakers::program_of(claim.by) == program;
    let (description, from) = if by(speakers::CERTICOM) {
        // `FATAL Alert:PROTOCOL_VERSION - ...`: its own complaint.
        let (_, rest) = claim.text.split_once("FATAL Alert:")?;
        let name = rest.split([' ', '-']).next().unwrap_or_default();
        (codes::alerts().find(|a| a.name.eq_ignore_ascii_case(name))?.code, claim.side?)
    } else {
        let (_, rest) = claim.text.split_once("alert ").filter(|_| by(speakers::SYSTEM_SSL))?;
        (rest.split_once(" received from ")?.0.parse().ok()?, claim.side?.other())
    };
    let ends = !ABOUT_CERTIFICATES.contains(&description) && !WARNINGS.contains(&description);
    Some((description, from)).filter(|_| ends)
}

/// Who sent it: as line 1 names it, and shorter.
fn sender(case: &Case<'_>, from: Side) -> [String; 2] {
    match from {
        // It ran at either end; what it sent is its own, and which end that is was only assumed.
        Side::Client if case.end_of_attls_is_assumed() => [speakers::AT_TLS.to_owned(), speakers::AT_TLS.to_owned()],
        Side::Server if case.end_of_attls_is_assumed() => {
            ["the partner of AT-TLS".to_owned(), "its partner".to_owned()]
        }
        Side::Client => ["the client".to_owned(), "the client".to_owned()],
        Side::Server => [case.endpoint(), "the server".to_owned()],
    }
}

/// Where the end is not known, it is not told to act by the name of one.
fn act_of_sender(from: Side) -> Act {
    let who = if from == Side::Client { "the end with AT-TLS" } else { "the partner of AT-TLS" };
    Act { party: Party::Unknown, text: format!("{who}: its log of that second names the reason") }
}

/// In TLS 1.3 the server may still refuse when the client believes the handshake done; behind its first words inside it
/// no alert ends a handshake.
fn too_late(case: &Case<'_>, event: &Event, from: Side) -> bool {
    let inside = |e: &Event| e.span.is_some_and(|s| s.flow.layer == Layer::InsideTls && s.flow.from == Side::Server);
    let decrypted = matches!(event.kind, Kind::Decrypted { .. }) && from == Side::Server;
    if decrypted {
        case.before(event).any(inside) || case.client_left_before(event)
    } else {
        case.handshake_completed_before(event)
    }
}

fn check(case: &Case<'_>, sink: &mut Sink<'_>) {
    let Some(event) = case.first(|e| fatal(e).is_some()) else { return };
    let Some((description, from)) = fatal(event) else { return };
    let text_first = case.before(event).any(|e| matches!(e.kind, Kind::TextInsteadOfTls { .. }));
    // Who reads the end of the other side where a hello was due may say so in an alert.
    let left = from == Side::Server && case.client_left_before(event) && !case.came_before(event, Side::Client);
    if text_first || left || too_late(case, event, from) {
        return;
    }
    let name = codes::alert(description).map_or_else(|| "unknown".to_owned(), |a| a.name.to_owned());
    let [who, short] = sender(case, from);
    let by_words = matches!(event.kind, Kind::Claim { .. });
    let doubtful = by_words || case.direction_is_assumed();
    let confidence = if doubtful { Confidence::Likely } else { Confidence::Certain };
    let probably = if confidence == Confidence::Certain { "" } else { "probably " };
    // Our own client ends a handshake only for what no client would accept.
    let ours = from == Side::Client && case.asked().is_some();
    let mut headlines = vec![
        format!("{who} {probably}ended the handshake with alert {description} {name}"),
        format!("{short} {probably}ended the handshake with alert {description} {name}"),
        format!("{short} {probably}ended TLS with alert {description} {name}"),
    ];
    if ours {
        headlines.insert(0, format!("{} broke a rule of TLS; our own client said {name}", case.endpoint()));
    }
    let mut f = sink.finding(confidence, if ours { Party::Server } else { from.into() }, &headlines);
    f.set("alert", description).set("name", name.as_str()).set("from", Party::from(from).name());
    if let (Some(hello), Some(offer)) = (case.client_hello(), &case.facts.offer) {
        f.evidence.extend(sink.evidence(hello, &offer.summary()));
    }
    f.evidence.extend(sink.evidence(event, &format!("fatal alert {description} {name}")));
    let text = case.after(event).find_map(|e| match &e.kind {
        Kind::TextInsteadOfTls { text, .. } => Some((e, text)),
        _ => None,
    });
    f.set("text", text.map(|(_, t)| t.as_str()));
    if let Some((e, _)) = text {
        f.evidence.extend(sink.evidence(e, "the same in FTP text, behind the alert"));
    }
    if case.asked().is_none() {
        sink.shows_by(&mut f, event); // what is missing behind it adds no doubt
    }
    if let Some(claim) = Claim::of(event) {
        f.ended = true;
        f.why.push(format!("{}: \"{}\"", claim.by, claim.text));
    }
    for claim in case.claims().filter(|c| ours && c.by == "rustls") {
        f.why.push(format!("rustls: \"{}\".", claim.text));
    }
    if let Some(alert) = codes::alert(description) {
        f.why.push(format!("Alert {description} says: {}.", alert.meaning.trim_end_matches('.')));
    }
    let sides = Sides::of(case.before(event));
    sides.note(&mut f);
    about_renegotiation(&sides, description, from, &mut f);
    if !by_text(case, event, text.map(|(_, t)| t.as_str()), description, &mut f) {
        explain(case, event, description, from, &mut f);
    }
    if case.end_of_attls_is_assumed() {
        (f.party, f.act) = (Party::Unknown, Some(act_of_sender(from)));
    }
    clear_text(case, event, from, &mut f);
    let unanswered = from == Side::Server && !case.server_answered_before(event);
    let is_told = f.causes.iter().any(|c| c.id == "no-shared-group");
    if unanswered && !is_told && matches!(description, HANDSHAKE_FAILURE | INSUFFICIENT_SECURITY) {
        f.why.extend(sides.narrow());
    }
    sink.report(f);
}

/// AT-TLS that sent the alert says why: clear text came where TLS was due.
fn clear_text(case: &Case<'_>, alert: &Event, from: Side, f: &mut Finding) {
    let is_it = |c: &Claim<'_>| {
        matches!(c.code, Some(Code::AtTls(CLEAR_TEXT))) && c.side == Some(from) && c.event.conn == alert.conn
    };
    let Some(claim) = case.claims().find(is_it) else { return };
    f.why.push(format!("{}: rc {CLEAR_TEXT}: clear text came where TLS was due.", claim.by));
    let causes = causes::of_clear_text(case, &claim);
    if f.causes.is_empty() && !causes.is_empty() {
        f.causes = causes;
        f.act = super::plaintext_instead_of_tls::act_of(f, from == Side::Server);
    }
}

/// Clear text where AT-TLS waits for TLS.
const CLEAR_TEXT: u32 = 5003;

/// What a hello or its answer says beside version and suite.
fn about_renegotiation(sides: &Sides<'_>, description: u8, from: Side, f: &mut Finding) {
    if sides.is_fallback() {
        f.why.push(
            "The hello is a second try with a lower version (TLS_FALLBACK_SCSV): the first one failed.".to_owned(),
        );
    }
    if sides.binds_to_another_handshake() {
        f.why.push(
            "The first ServerHello is bound to an earlier handshake (renegotiation_info): something is in between."
                .to_owned(),
        );
    }
    // Measured with OpenSSL 3.0, which breaks off behind such a ServerHello.
    if from == Side::Client && description == HANDSHAKE_FAILURE && sides.lacks_secure_renegotiation() {
        f.why.push(
            "The server lacks secure renegotiation (RFC 5746), which OpenSSL 3 demands of every server.".to_owned(),
        );
    }
}

/// Servers that write their own library's error behind the alert name the reason better than its number does.
fn by_text(case: &Case<'_>, event: &Event, text: Option<&str>, description: u8, f: &mut Finding) -> bool {
    let Some(cause) = text.and_then(|t| super::words::cause(case, event, t)) else { return false };
    let act = |text: &str| Some(Act { party: Party::Client, text: text.to_owned() });
    let id = cause.id.clone();
    if id == "client-tls-version-refused" && description == PROTOCOL_VERSION {
        return false; // the alert says it already
    }
    if id == "no-shared-cipher" && !case.server_answered_before(event) {
        // The alert means the same; what the hello explains may stand before it.
        nothing_in_common(case, event, causes::version_refused(case, event, true), f);
        if let Some(held) = f.causes.iter_mut().find(|c| c.id == id) {
            held.because = cause.because;
        }
        f.causes.retain(|c| c.id != "sni-required"); // its own words name no name
        return true;
    }
    f.causes.push(cause);
    match id.as_str() {
        "client-certificate-missing" => {
            f.act = act("client: present a certificate that the server accepts");
            super::phase::advise_server(case, f, "stop-requesting-client-certificate");
        }
        "client-tls-version-refused" => {
            f.act = act("client: offer TLS 1.2");
            causes::advise_version(case, f, event);
            return true;
        }
        _ if parameters::advise(case, f) => {}
        _ => {
            let text = "server: its own words say what is wrong; its TLS log has the rest".to_owned();
            f.act = Some(Act { party: Party::Server, text });
        }
    }
    causes::advise_server_log(case, f, event);
    true
}

fn explain(case: &Case<'_>, event: &Event, description: u8, from: Side, f: &mut Finding) {
    if from == Side::Client {
        return by_client(case, event, description, f);
    }
    let version = causes::version_refused(case, event, true);
    match (description, version) {
        (PROTOCOL_VERSION | INTERNAL_ERROR, Some(mut cause)) => {
            if description == INTERNAL_ERROR {
                // Measured with ProFTPD 1.3.8 and vsftpd 3.0.3 on OpenSSL 3.0.
                cause.because.push("OpenSSL 3 answers a version below its security level with this alert".to_owned());
            }
            f.causes.push(cause);
            f.act = Some(Act { party: Party::Client, text: "client: offer TLS 1.2".to_owned() });
            causes::advise_version(case, f, event);
        }
        (PROTOCOL_VERSION, None) if !case.server_answered_before(event) && offers_tls13_alone(case) => {
            f.causes.push(causes::tls13_refused(case, event));
            f.party = Party::Client;
            let text = "client: it offers TLS 1.3 alone: let it offer TLS 1.2 too".to_owned();
            f.act = Some(Act { party: Party::Client, text });
            f.tell(Party::Client, AdviceKind::Tonight, "set the client's lowest version to TLS 1.2: it is TLS 1.3 now");
            f.tell(Party::Server, AdviceKind::Lasting, "TLS 1.3 needs OpenSSL 1.1.1 or later, and to be switched on");
            causes::advise_server_log(case, f, event);
        }
        // Behind its ServerHello a server has chosen a suite.
        (HANDSHAKE_FAILURE | INSUFFICIENT_SECURITY, version) if !case.server_answered_before(event) => {
            nothing_in_common(case, event, version, f);
        }
        (MISSING_EXTENSION, _) => {
            f.causes = parameters::suspects(case, event);
            if !parameters::advise(case, f) {
                f.act = Some(Act { party: Party::Client, text: "client: its hello lacks an extension".to_owned() });
            }
            causes::advise_server_log(case, f, event);
        }
        (UNRECOGNIZED_NAME, _) => about_the_name(case, event, f),
        (INAPPROPRIATE_FALLBACK, _) => {
            let text = "client: its first try, with a higher version, is the one that has to work".to_owned();
            f.act = Some(Act { party: Party::Client, text });
            f.tell(Party::Client, AdviceKind::Check, "the connection just before this one: how did it end?");
        }
        _ => {
            f.act =
                Some(Act { party: Party::Server, text: "server: its log of that second names the reason".to_owned() });
            causes::advise_server_log(case, f, event);
        }
    }
}

/// Whether the hello leaves the server no version but TLS 1.3.
fn offers_tls13_alone(case: &Case<'_>) -> bool {
    case.facts.offer.as_ref().is_some_and(|o| {
        let mut real = o.versions.iter().filter(|v| (0x0300..=TLS13).contains(*v)).peekable();
        real.peek().is_some() && real.all(|v| *v == TLS13)
    })
}

/// TLS 1.3.
const TLS13: u16 = 0x0304;

/// Suites, groups, signatures: what the hello itself explains stands first.
fn nothing_in_common(case: &Case<'_>, event: &Event, version: Option<super::Cause>, f: &mut Finding) {
    f.causes = parameters::suspects(case, event);
    let narrow = if f.causes.is_empty() { parameters::one_group(case, event) } else { None };
    // Whoever speaks TLS 1.3 has its suites; groups are chosen by people.
    f.causes.extend(narrow.clone().filter(|c| c.confidence == Confidence::Likely));
    let rank = if f.causes.is_empty() { Confidence::Likely } else { Confidence::Possible };
    let because = "the alert that servers send when no suite is common to both";
    f.causes.push(causes::no_shared_cipher(case, event, rank, because));
    f.causes.extend(narrow.filter(|c| c.confidence == Confidence::Possible));
    f.causes.extend(version.map(|c| super::Cause { confidence: Confidence::Possible, ..c }));
    if case.facts.offer.as_ref().is_some_and(|o| o.server_name.is_none() && o.highest() >= TLS12) {
        let because = "the hello names no server (SNI); some servers then have no certificate to show";
        f.causes.push(causes::sni_required(Confidence::Possible, because));
    }
    if !parameters::advise(case, f) {
        f.act = Some(Act {
            party: Party::Server,
            text: "both: find a cipher suite in common; the server's log names the reason".to_owned(),
        });
        if case.facts.client.as_ref().is_some_and(|c| c.id.starts_with("zos")) {
            f.advise("offer-ecdhe", "zos-attls");
        }
    }
    causes::advise_server_log(case, f, event);
}

fn about_the_name(case: &Case<'_>, event: &Event, f: &mut Finding) {
    let name = case.facts.offer.as_ref().and_then(|o| o.server_name.as_deref());
    let act = |text: &str| Some(Act { party: Party::Client, text: text.to_owned() });
    if name.is_none() && case.facts.offer.is_some() {
        let because = "the alert is about the name (SNI), and the hello has none";
        f.causes.push(causes::sni_required(Confidence::Likely, because));
        f.party = Party::Client;
        f.act = act("client: dial the server's DNS name, so that the hello names it (--sni NAME here)");
    } else {
        f.causes.push(causes::sni_rejected(name));
        f.act = act("client: ask for a name that the server has, or for none (--no-sni here)");
        if let Some(client) = &case.facts.client {
            f.advise("ignore-sni", client.id);
        }
    }
    super::phase::advise_server(case, f, "ignore-sni");
    causes::advise_server_log(case, f, event);
}

/// The client ended it: because of the certificate, of a short prime, or for a reason that its log names.
fn by_client(case: &Case<'_>, event: &Event, description: u8, f: &mut Finding) {
    let act = |party, text: &str| Some(Act { party, text: text.to_owned() });
    let old = Sides::of(case.before(event)).too_old();
    if let (Some(old), PROTOCOL_VERSION | INTERNAL_ERROR) = (old, description) {
        // Measured with OpenSSL 3.0, which says 80 where its security level forbids what it has agreed on.
        if !f.why.iter().any(|w| w.starts_with("Versions: ")) {
            f.why.push(format!("Versions: the server chose {}, which clients of today refuse.", version_name(old)));
        }
        f.act = act(Party::Server, "server: allow TLS 1.2; clients of today take no less");
        causes::advise_server_log(case, f, event);
    } else if let Some(bits) = case.facts.dh_prime_bits.filter(|bits| *bits < SHORTEST_PRIME) {
        let because = format!("the ServerKeyExchange holds a prime of {bits} bits, and the client stopped behind it");
        f.causes.push(causes::dh_too_small(Confidence::Likely, because));
        f.act = act(Party::Server, "server: DH parameters of 2048 bits, or ECDHE suites first");
        super::phase::advise_server(case, f, "dh-parameters");
        f.tell(Party::Client, AdviceKind::Tonight, "leave the DHE suites out of the client's list, for this partner");
    } else if let Some(empty) =
        causes::empty_certificate_request(case, event).filter(|_| description == ILLEGAL_PARAMETER)
    {
        f.causes.push(empty);
        f.act = act(Party::Server, "server: ask for no client certificate, or name the CAs that it accepts");
        super::phase::advise_server(case, f, "stop-requesting-client-certificate");
        f.tell(Party::Client, AdviceKind::Tonight, "TLS 1.2 on the client's side: an empty list is allowed there");
    } else if description != ILLEGAL_PARAMETER && ABOUT_CERTIFICATES.contains(&description) {
        f.why.push("The client says it of the server's certificate; version and cipher were agreed on.".to_owned());
        f.act = act(Party::Client, "client: its log names what it dislikes in the server's certificate");
        let look = "trust store, name and clock of the client, beside the server's certificate";
        f.tell(Party::Client, AdviceKind::Check, look);
    } else {
        f.act = act(Party::Client, "client: its log of that second names the reason");
        if description == PROTOCOL_VERSION && case.facts.client.is_none() {
            let text = "Sterling B2B Integrator that breaks off now and then: ask its vendor for IC86756, if older";
            f.tell(Party::Client, AdviceKind::Check, text);
        }
        causes::advise_server_log(case, f, event);
    }
}

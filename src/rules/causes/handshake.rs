//! Causes inside the handshake: parameters that the two ends do not share, and text or TLS of the wrong kind.

use super::super::finding::{Cause, Confidence, Party};
use super::{Case, ask_for_log, cause};
use crate::codes;
use crate::decode::Event;
use crate::facts::Offer;

/// How many groups are named one by one.
const MOST_GROUPS: usize = 4;

/// No group for the key exchange in common.
pub(in crate::rules) fn no_shared_group(case: &Case<'_>, at: &Event, confidence: Confidence, because: &str) -> Cause {
    let mut c = cause("no-shared-group", "no key exchange group in common", confidence).because(because);
    if let Some(offer) = case.facts.offer.as_ref() {
        c = c.because(offered_groups(offer));
    }
    ask_for_log(case, c, at, "no shared cipher", "no shared cipher\" or \"no suitable key share")
}

/// `the client offers the groups x25519, secp256r1`.
fn offered_groups(offer: &Offer) -> String {
    let name = |g: &u16| codes::group(*g).map_or_else(|| format!("0x{g:04X}"), str::to_owned);
    match offer.groups.as_slice() {
        [] => "the client names no group at all".to_owned(),
        [one] => format!("the client offers one group, {}", name(one)),
        all if all.len() <= MOST_GROUPS => {
            format!("the client offers the groups {}", all.iter().map(name).collect::<Vec<_>>().join(", "))
        }
        all => format!("the client offers {} groups", all.len()),
    }
}

/// The client does not say which signatures it reads, or only such as nobody makes any more.
pub(in crate::rules) fn missing_signature_algorithms(case: &Case<'_>, at: &Event, because: &str) -> Cause {
    let c =
        cause("missing-signature-algorithms", "no signature algorithm in common", Confidence::Likely).because(because);
    let Some(offer) = &case.facts.offer else {
        return ask_for_log(case, c, at, "no suitable signature algorithm", "no suitable signature algorithm");
    };
    let what = match offer.schemes.as_slice() {
        [] => "the hello names no signature algorithms: that means SHA-1, which servers refuse today",
        _ => "all signature algorithms of the hello use SHA-1 or MD5, which servers refuse today",
    };
    ask_for_log(case, c.because(what), at, "no suitable signature algorithm", "no suitable signature algorithm")
}

/// The hello leaves the server no choice but TLS 1.3, and it says that this version is not accepted.
pub(in crate::rules) fn tls13_refused(case: &Case<'_>, at: &Event) -> Cause {
    let c = cause("client-tls-version-refused", "the server refuses TLS 1.3", Confidence::Likely)
        .because("only TLS 1.3 is offered");
    ask_for_log(case, c, at, "unsupported protocol", "unsupported protocol").ask(
        Party::Client,
        None,
        &["the same with TLS 1.2 allowed on the client's side".to_owned()],
        "works with TLS 1.2, fails with TLS 1.3 alone",
    )
}

/// The server picks its certificate by name, and none was sent.
pub(in crate::rules) fn sni_required(confidence: Confidence, because: &str) -> Cause {
    cause("sni-required", "the server wants to be told its name (SNI)", confidence).because(because).ask(
        Party::Client,
        None,
        &["the same with the server's DNS name in the hello (openssl s_client -servername NAME)".to_owned()],
        "works with the name",
    )
}

/// Its Diffie-Hellman prime is short.
pub(in crate::rules) fn dh_too_small(confidence: Confidence, because: String) -> Cause {
    cause("dh-too-small", "the server's Diffie-Hellman prime is too short", confidence).because(because).ask(
        Party::Server,
        None,
        &["the file with the DH parameters: openssl dhparam -in FILE -text".to_owned()],
        "a prime of less than 2048 bits",
    )
}

/// TLS inside TLS.
pub(in crate::rules) fn stacked_tls(confidence: Confidence, because: &str) -> Cause {
    cause("stacked-tls", "TLS inside TLS: two layers of one end do it", confidence).because(because).ask(
        Party::Unknown,
        None,
        &["z/OS: does a TTLSRule match although the program does TLS itself? netstat TTLS".to_owned()],
        "the connection is listed, and the program has TLS of its own",
    )
}

/// The server stopped waiting for the client's next message.
pub(in crate::rules) fn server_handshake_timeout(because: String, clients_turn: bool) -> Cause {
    let c = cause("server-handshake-timeout", "the server's handshake timeout ran out", Confidence::Likely)
        .because(because);
    if clients_turn {
        let how = "the client's log of the moment behind the certificate: did it read that, and what held it up?";
        return c.ask(Party::Client, None, &[how.to_owned()], "a question that nobody answered, or nothing received");
    }
    c.ask(
        Party::Server,
        None,
        &["its handshake timeout, and whether it received the whole ClientHello (packet trace there)".to_owned()],
        "the timeout equals the silence; the hello is missing or cut there",
    )
}

/// TLS is there, and a rule of the server forbids it to this client.
pub(in crate::rules) fn server_policy(because: String) -> Cause {
    cause("server-policy", "a policy of the server says no", Confidence::Likely).because(because).ask(
        Party::Server,
        None,
        &["its settings for TLS: allowed, required or denied for this site, user and address?".to_owned()],
        "a rule that denies it, or no certificate chosen",
    )
}

/// The client never asked for protected data connections.
pub(in crate::rules) fn prot_p_not_sent() -> Cause {
    without_prot_p("no PROT P was accepted before the transfer")
}

/// The same for another reason.
pub(in crate::rules) fn without_prot_p(because: &str) -> Cause {
    cause("prot-p-not-sent", "the client encrypts the control connection only", Confidence::Likely)
        .because(because)
        .ask(
            Party::Client,
            None,
            &["the client's log between 230 and the first PASV or PORT".to_owned()],
            "no line with PROT P there",
        )
}

/// The text left a mainframe without translation.
pub(in crate::rules) fn encoding_ebcdic(confidence: Confidence) -> Cause {
    cause("encoding-ebcdic", "EBCDIC text: the translation to ASCII is missing", confidence)
        .because("the bytes are readable as EBCDIC and not as ASCII")
        .ask(
            Party::Server,
            None,
            &["which program wrote it: FTP itself always translates; an exit, a proxy or another port may not"
                .to_owned()],
            "a program that writes to the socket without translation",
        )
}

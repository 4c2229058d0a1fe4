//! A connection through an HTTP proxy: CONNECT and its answer stand before what the two ends say to each other.

use super::End;
use super::kind::{Kind, LOOKED_AT, Look, PORTS, recognise};

/// What an HTTP client says first.
const CONNECT: &[u8] = b"CONNECT ";

/// What its server does.
const HTTP: &[u8] = b"HTTP/1.";

/// What stands behind the head of a request or an answer.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// CONNECT, and an answer that agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tunnel {
    /// Bytes of both ends that belong to HTTP.
    pub lens: [usize; 2],
    /// Where it leads, as the client named it.
    pub to: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Inside {
    No,
    /// More bytes may tell.
    Perhaps,
    Yes(Tunnel),
}

/// Recognises a connection by its first bytes, or by those behind a CONNECT. What is no FTP there is nothing: it stands in no
/// relation to the proxy's port.
pub(super) fn seen(look: &Look<'_>) -> (Kind, Option<Tunnel>) {
    let Some(client) = look.opener else { return (recognise(look), None) };
    let tunnel = match tunnel(look, client) {
        Inside::No => return (recognise(look), None),
        Inside::Perhaps if look.over => return (Kind::Other, None),
        Inside::Perhaps => return (Kind::Open, None),
        Inside::Yes(tunnel) => tunnel,
    };
    let [one, two] = look.said;
    let [a, b] = tunnel.lens;
    let said = [one.get(a..).unwrap_or_default(), two.get(b..).unwrap_or_default()];
    let port = tunnel.to.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()).unwrap_or_default();
    let known = [End::One, End::Two].map(|end| end != client && PORTS.contains(&port));
    match recognise(&Look { said, ports: [port; 2], known, ..*look }) {
        Kind::Control { client, assumed } => (Kind::Control { client, assumed }, Some(tunnel)),
        Kind::Open => (Kind::Open, None),
        Kind::Tls { .. } | Kind::Other => (Kind::Other, None),
    }
}

fn tunnel(look: &Look<'_>, client: End) -> Inside {
    let [one, two] = look.said;
    let (asked, answered) = if client == End::One { (one, two) } else { (two, one) };
    let head = asked.get(..CONNECT.len().min(asked.len())).unwrap_or_default();
    let speaks_http = answered.iter().zip(HTTP).all(|(a, b)| a == b);
    if asked.is_empty() || !CONNECT.starts_with(head) || !speaks_http {
        return Inside::No;
    }
    let end = |said: &[u8]| said.windows(HEAD_END.len()).position(|w| w == HEAD_END).map(|n| n + HEAD_END.len());
    let (Some(request), Some(answer)) = (end(asked), end(answered)) else {
        let is_long = [asked, answered].iter().any(|said| said.len() >= LOOKED_AT);
        return if is_long { Inside::No } else { Inside::Perhaps };
    };
    let line = String::from_utf8_lossy(asked.split(|b| *b == b'\r').next().unwrap_or_default()).into_owned();
    let mut words = line.split(' ').skip(1);
    let to = words.next().filter(|to| to.contains(':')).map(crate::wire::printable_str);
    let is_http = words.next().is_some_and(|version| version.starts_with("HTTP/1."));
    match (to, answered.get(..10)) {
        (Some(to), Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', _, b' ', b'2'])) if is_http => {
            let lens = if client == End::One { [request, answer] } else { [answer, request] };
            Inside::Yes(Tunnel { lens, to })
        }
        _ => Inside::No,
    }
}

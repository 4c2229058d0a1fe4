//! Through a proxy: SOCKS5 (RFC 1928, RFC 1929) and HTTP CONNECT (RFC 9110, section 9.3.6).
//!
//! What is said to the proxy is none of the session's bytes; what it says when it refuses is kept as its word.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};

use super::tcp::{self, Failure};
use crate::probe::Where;
use crate::transcript::OpenFailure;
use crate::wire::printable;

/// A proxy between us and the endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
    user: Option<String>,
    password: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Socks5,
    Http,
}

/// What is wrong with the URL of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyError(pub &'static str);

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("kind", &self.kind).field("host", &self.host).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Reads `socks5://[user@]host[:port]` or `http://[user@]host[:port]`.
    ///
    /// # Errors
    /// In words for the user. A password in the URL is refused: it would show in process lists.
    pub fn parse(url: &str) -> Result<Self, ProxyError> {
        let (scheme, rest) =
            url.split_once("://").ok_or(ProxyError("expected socks5://HOST:PORT or http://HOST:PORT"))?;
        let (kind, default_port) = match scheme {
            "socks5" | "socks5h" => (Kind::Socks5, 1080),
            "http" => (Kind::Http, 8080),
            _ => return Err(ProxyError("expected socks5://HOST:PORT or http://HOST:PORT")),
        };
        let rest = rest.trim_end_matches('/');
        let (user, address) = rest.rsplit_once('@').map_or((None, rest), |(u, a)| (Some(u), a));
        if user.is_some_and(|u| u.contains(':')) {
            return Err(ProxyError("a password in a URL is seen by others: set FTPSDIAG_PROXY_PASSWORD instead"));
        }
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') || host.ends_with(']') => {
                (host, port.parse().map_err(|_| ProxyError("the proxy's port is no number"))?)
            }
            _ => (address, default_port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(ProxyError("the proxy has no host"));
        }
        Ok(Self { kind, host: host.to_owned(), port, user: user.map(str::to_owned), password: None })
    }

    /// The same with a password for its user.
    #[must_use]
    pub fn with_password(mut self, password: Option<String>) -> Self {
        self.password = password;
        self
    }
}

/// Opens a connection to `to` through the proxy.
pub(super) async fn connect(proxy: &Proxy, to: &Where, source: Option<IpAddr>) -> Result<TcpStream, Failure> {
    let said = |text: String| Failure { why: OpenFailure::Other, said: Some(("proxy", text)) };
    let addresses =
        lookup_host((proxy.host.as_str(), proxy.port)).await.map_err(|_| said("its name has no address".to_owned()))?;
    let mut stream = None;
    for address in addresses {
        stream = tcp::connect(address, source).await.ok();
        if stream.is_some() {
            break;
        }
    }
    let mut stream = stream.ok_or_else(|| said("it could not be reached".to_owned()))?;
    match proxy.kind {
        Kind::Socks5 => socks5(proxy, to, &mut stream).await?,
        Kind::Http => http(proxy, to, &mut stream).await?,
    }
    Ok(stream)
}

fn refusal(why: OpenFailure, text: &str) -> Failure {
    Failure { why, said: Some(("proxy", text.to_owned())) }
}

async fn socks5(proxy: &Proxy, to: &Where, stream: &mut TcpStream) -> Result<(), Failure> {
    let other = |text| refusal(OpenFailure::Other, text);
    let no_answer = |_| other("it closed in the middle of the SOCKS5 dialogue");
    let methods: &[u8] = if proxy.user.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    stream.write_all(methods).await.map_err(no_answer)?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await.map_err(no_answer)?;
    match chosen {
        [5, 0] => {}
        [5, 2] if proxy.user.is_some() => {
            let (user, password) = (proxy.user.as_deref().unwrap_or(""), proxy.password.as_deref().unwrap_or(""));
            let mut login = vec![1];
            for part in [user, password] {
                login.push(u8::try_from(part.len()).map_err(|_| other("user or password is too long for SOCKS5"))?);
                login.extend(part.bytes());
            }
            stream.write_all(&login).await.map_err(no_answer)?;
            let mut verdict = [0; 2];
            stream.read_exact(&mut verdict).await.map_err(no_answer)?;
            if verdict[1] != 0 {
                return Err(other("it refused user or password (SOCKS5)"));
            }
        }
        [5, _] => return Err(other("it accepts none of our ways to log in (SOCKS5)")),
        _ => return Err(other("it does not speak SOCKS5")),
    }
    let mut request = vec![5, 1, 0];
    match to {
        Where::Address(SocketAddr::V4(a)) => {
            request.push(1);
            request.extend(a.ip().octets());
        }
        Where::Address(SocketAddr::V6(a)) => {
            request.push(4);
            request.extend(a.ip().octets());
        }
        Where::Name(name, _) => {
            request.extend([3, u8::try_from(name.len()).map_err(|_| other("the name is too long for SOCKS5"))?]);
            request.extend(name.bytes());
        }
    }
    request.extend(port(to).to_be_bytes());
    stream.write_all(&request).await.map_err(no_answer)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.map_err(no_answer)?;
    let [_, code, _, kind] = answer;
    // RFC 1928, section 6.
    let failure = |why, text| Err(refusal(why, text));
    match code {
        0 => {}
        2 => return failure(OpenFailure::Other, "not allowed by its rules (SOCKS5 reply 2)"),
        3 => return failure(OpenFailure::Unreachable, "network unreachable (SOCKS5 reply 3)"),
        4 => return failure(OpenFailure::Unreachable, "host unreachable (SOCKS5 reply 4)"),
        5 => return failure(OpenFailure::Refused, "connection refused (SOCKS5 reply 5)"),
        6 => return failure(OpenFailure::TimedOut, "TTL expired (SOCKS5 reply 6)"),
        _ => return failure(OpenFailure::Other, "general failure (SOCKS5)"),
    }
    let bound = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await.map_err(no_answer)?),
        _ => return Err(other("its answer is no SOCKS5")),
    };
    let mut rest = vec![0; bound + 2];
    stream.read_exact(&mut rest).await.map_err(no_answer)?;
    Ok(())
}

/// Longest answer of an HTTP proxy that is read.
const LONGEST_ANSWER: usize = 16 * 1024;

async fn http(proxy: &Proxy, to: &Where, stream: &mut TcpStream) -> Result<(), Failure> {
    let said = |text: String| Failure { why: OpenFailure::Other, said: Some(("proxy", text)) };
    let target = match to {
        Where::Address(address) => address.to_string(),
        Where::Name(name, port) => format!("{name}:{port}"),
    };
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(user) = &proxy.user {
        let login = STANDARD.encode(format!("{user}:{}", proxy.password.as_deref().unwrap_or("")));
        request += &format!("Proxy-Authorization: Basic {login}\r\n");
    }
    request += "\r\n";
    let no_answer = |_| said("it closed in the middle of the HTTP dialogue".to_owned());
    stream.write_all(request.as_bytes()).await.map_err(no_answer)?;
    // Byte by byte: what stands behind the blank line is the session's.
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() > LONGEST_ANSWER {
            return Err(said("its answer does not end".to_owned()));
        }
        answer.push(stream.read_u8().await.map_err(no_answer)?);
    }
    let line: Vec<u8> = answer.iter().copied().take_while(|b| !matches!(b, b'\r' | b'\n')).take(120).collect();
    let status = printable(&line);
    match status.split(' ').nth(1) {
        Some(code) if code.starts_with('2') => Ok(()),
        Some("502" | "503") => Err(Failure { why: OpenFailure::Unreachable, said: Some(("proxy", status)) }),
        Some("504") => Err(Failure { why: OpenFailure::TimedOut, said: Some(("proxy", status)) }),
        _ => Err(said(status)),
    }
}

fn port(to: &Where) -> u16 {
    match to {
        Where::Address(address) => address.port(),
        Where::Name(_, port) => *port,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_proxies() {
        let p = Proxy::parse("socks5://me@[::1]:1081").unwrap();
        assert_eq!((p.host.as_str(), p.port, p.user.as_deref()), ("::1", 1081, Some("me")));
        assert_eq!(Proxy::parse("http://proxy.example").unwrap().port, 8080);
        for bad in ["proxy:80", "ftp://x", "http://me:secret@proxy", "http://", "http://x:y"] {
            assert!(Proxy::parse(bad).is_err(), "{bad}");
        }
    }
}

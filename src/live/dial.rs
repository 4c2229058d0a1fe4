//! From a name to a connection.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

use super::proxy::{self, Proxy};
use crate::probe::Where;
use crate::transcript::OpenFailure;

/// Which way connections go.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// The local address to come from.
    pub source: Option<IpAddr>,
    /// Through this proxy.
    pub proxy: Option<Proxy>,
}

/// Which addresses of a name are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Both.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl Family {
    /// Whether an address belongs to it.
    pub fn holds(self, ip: IpAddr) -> bool {
        match self {
            Family::Any => true,
            Family::V4 => ip.is_ipv4(),
            Family::V6 => ip.is_ipv6(),
        }
    }
}

/// Why a connection was not opened.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) why: OpenFailure,
    /// What a proxy said.
    pub(super) said: Option<String>,
}

impl Failure {
    pub(super) fn of(why: OpenFailure) -> Self {
        Self { why, said: None }
    }
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Self {
        Self::of(match e.kind() {
            ErrorKind::ConnectionRefused => OpenFailure::Refused,
            ErrorKind::TimedOut => OpenFailure::TimedOut,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => OpenFailure::Unreachable,
            _ => OpenFailure::Other,
        })
    }
}

/// The addresses of a name, in the order of the system's resolver, without duplicates.
///
/// # Errors
/// [`OpenFailure::Dns`] when there is none, or none of that family.
pub fn resolve(host: &str, port: u16, family: Family, patience: Duration) -> Result<Vec<SocketAddr>, OpenFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| OpenFailure::Other)?;
    let found = runtime.block_on(async { timeout(patience, lookup_host((host, port))).await });
    runtime.shutdown_background();
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found.ok().and_then(Result::ok).into_iter().flatten() {
        if family.holds(address.ip()) && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(OpenFailure::Dns) } else { Ok(addresses) }
}

/// Opens one connection.
pub(super) async fn dial(to: &Where, way: &Way) -> Result<TcpStream, Failure> {
    match &way.proxy {
        Some(proxy) => proxy::connect(proxy, to, way.source).await,
        None => match to {
            Where::Address(address) => connect(*address, way.source).await.map_err(Failure::from),
            Where::Name(..) => Err(Failure::of(OpenFailure::Dns)),
        },
    }
}

/// A TCP connection from an address of our own, if one is wanted.
pub(super) async fn connect(to: SocketAddr, source: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    socket.connect(to).await
}

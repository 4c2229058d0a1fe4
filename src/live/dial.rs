//! From a name to a connection.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::proxy::{self, Proxy};
use super::tcp::{Failure, connect};
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

/// The addresses of a name, in the order of the system's resolver, without duplicates.
///
/// # Errors
/// [`OpenFailure::Dns`] when there is none.
pub fn resolve(host: &str, port: u16, patience: Duration) -> Result<Vec<SocketAddr>, OpenFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| OpenFailure::Other)?;
    let found = runtime.block_on(async { timeout(patience, lookup_host((host, port))).await });
    runtime.shutdown_background();
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found.ok().and_then(Result::ok).into_iter().flatten() {
        if !addresses.contains(&address) {
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

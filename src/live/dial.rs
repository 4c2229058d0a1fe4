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

/// Why a name was not resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// It has no address, or nobody said which within the time.
    Nothing,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// The addresses of a name, in the order of the system's resolver, without duplicates.
///
/// # Errors
/// When there is none, or when it was interrupted.
pub fn resolve(host: &str, port: u16, patience: Duration) -> Result<Vec<SocketAddr>, Unresolved> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| Unresolved::Nothing)?;
    let found = runtime.block_on(async {
        tokio::select! {
            found = timeout(patience, lookup_host((host, port))) => Ok(found),
            _ = tokio::signal::ctrl_c() => Err(Unresolved::Interrupted),
        }
    });
    // A name look-up of the system cannot be called off; nobody waits for it.
    runtime.shutdown_background();
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found?.ok().and_then(Result::ok).into_iter().flatten() {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(Unresolved::Nothing) } else { Ok(addresses) }
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

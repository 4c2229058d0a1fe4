//! Sockets and the clock. Records everything, understands nothing.

mod dial;
mod drive;
mod proxy;
mod tcp;

pub use dial::{Unresolved, Way, resolve};
pub use drive::{Ended, Limits, Watch, probe};
pub use proxy::{Proxy, ProxyError};

//! Sockets and the clock. Records everything, understands nothing.

mod clock;
mod dial;
mod drive;
mod limits;
mod proxy;
mod tcp;

pub use clock::now;
pub use dial::{Unresolved, Way, resolve};
pub use drive::{Ended, Watch, probe};
pub use limits::Limits;
pub use proxy::{Proxy, ProxyError};

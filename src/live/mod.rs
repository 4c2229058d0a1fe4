//! Sockets and the clock. Records everything, understands nothing.

mod clock;
mod dial;
mod drive;
mod interrupt;
mod limits;
mod proxy;
mod recorder;
mod tcp;

pub use clock::now;
pub use dial::{Unresolved, Way, resolve};
pub use drive::{Ended, probe};
pub use interrupt::on_ctrl_c;
pub use limits::Limits;
pub use proxy::{Proxy, ProxyError};
pub use recorder::{Seen, Watch};

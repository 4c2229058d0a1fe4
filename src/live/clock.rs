//! What time it is.

use std::time::SystemTime;

use crate::transcript::clock::UnixMicros;

/// Now, by this machine's clock. One that stands before 1970 says 1970.
pub fn now() -> UnixMicros {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMicros(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
}

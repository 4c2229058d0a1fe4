//! Files that judge or speak for somebody: authorities, client certificates.

use crate::error::InputError;
use crate::probe::Identity;

/// A client certificate with its key.
pub(super) fn identity(cert: Option<&str>, key: Option<&str>) -> Result<Option<Identity>, InputError> {
    let _ = (cert, key);
    Ok(None)
}

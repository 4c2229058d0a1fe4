//! What stands at the front of a flow.

use super::event::Kind;

/// What was found at the front of a flow.
pub(super) enum Unit {
    /// So many bytes are this.
    Is(usize, Kind),
    /// Nothing can be said before the flow has so many bytes.
    Needs(usize),
}

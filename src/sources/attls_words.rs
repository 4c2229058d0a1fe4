//! Words of AT-TLS in its messages: events behind return codes, and headings.

/// Events that AT-TLS names behind a return code; tells what belongs to a message and what was only joined to it.
pub(super) const EVENTS: [&str; 11] = [
    "Initial Handshake",
    "Environment Init",
    "Environment Create",
    "Environment Close",
    "Connection Init",
    "Connection Close",
    "Connection Stop",
    "Connection Abend Close",
    "Policy Mapping",
    "Data Decryption",
    "Group Init",
];

/// Words behind the id, in front of the first field.
pub(super) const HEADINGS: [&str; 11] =
    ["TTLS", "Map", "Start", "Event", "Flow", "Data", "Error", "Certificate", "Diagnostics", "Details", "Sources"];

/// Whether an event begins with these words.
pub(super) fn starts_with(event: &str, said: &[&str]) -> bool {
    let mut words = event.split(' ');
    said.iter().all(|w| words.next() == Some(w))
}

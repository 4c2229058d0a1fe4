//! Every server with a habit of its data connections against the prober's examination of a login.
#![cfg(feature = "live")]

mod common;

#[path = "zoo/data_room.rs"]
mod data_room;
#[path = "zoo/data_sockets.rs"]
#[allow(dead_code, reason = "visits behind sockets are compared below")]
mod data_sockets;
#[path = "zoo/room.rs"]
#[allow(dead_code, reason = "names and patience are shared")]
mod room;

use std::collections::BTreeSet;

use data_room::{Manner, Visit};
use ftpsdiag::probe::behave::ftpd::zoo;

/// A line of the table: a server, what is tried, and the right answer.
fn table() -> Vec<(Visit, &'static str)> {
    let lines = include_str!("zoo/data_expected.txt").lines().filter(|l| !l.starts_with('#'));
    lines.map(|l| l.split_once(": ").unwrap()).map(|(who, told)| (Visit::parse(who), told)).collect()
}

/// The ids that a right answer names.
fn ids(told: &str) -> impl Iterator<Item = &str> {
    let words = told.split([' ', ';']).filter(|w| !w.is_empty());
    words.filter(|w| !["works", "fails", "inconclusive", "also", "<-"].contains(w))
}

#[test]
fn every_server_is_in_the_table() {
    let names: BTreeSet<&str> = zoo().map(|m| m.name).collect();
    assert_eq!(names.len(), zoo().count(), "names are unique");
    let visited: BTreeSet<&str> = table().iter().map(|(v, _)| v.member.name).collect();
    assert_eq!(names, visited);
    let known: BTreeSet<&str> = include_str!("pages/contract.txt").lines().collect();
    for (who, told) in table() {
        assert!(ids(told).all(|id| known.contains(id)), "{who}: {told}");
    }
}

/// Each visit ends by itself, however the server's words are cut, and wherever it falls silent.
#[test]
fn every_visit_ends() {
    for (who, _) in table() {
        data_room::visit(&who, Manner { pieces: 5, ..Manner::default() });
        for deeds in (0..).step_by(7) {
            if !data_room::visit(&who, Manner { deeds, ..Manner::default() }).1 {
                break;
            }
        }
    }
}

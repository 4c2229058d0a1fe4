//! The processes of a z/OS FTP server: each serves one session, and syslogd puts its number in front of what it writes.

use super::Piece;
use crate::transcript::{Code, Entry, What};

/// The attempts of a log in which each entry carries the number of the process that wrote it; `None` is that of the client,
/// or of a log without numbers. One attempt stays one unless two processes have something to tell.
pub(super) fn by_process(piece: Piece, processes: &[Option<u64>]) -> Vec<Piece> {
    let mut pieces: Vec<(Option<u64>, Piece)> = Vec::new();
    for (process, _) in processes.iter().zip(&piece.entries).filter(|(_, e)| tells(e)) {
        if !pieces.iter().any(|(p, _)| p == process) {
            pieces.push((*process, Piece { clock: piece.clock, ..Piece::default() }));
        }
        if pieces.len() > MOST {
            break;
        }
    }
    // A client and one process of its server tell of one session.
    if pieces.len() > MOST || pieces.iter().filter(|(p, _)| p.is_some()).count() < 2 {
        return vec![piece];
    }
    if let Some(of_client) = pieces.iter_mut().find(|(p, _)| p.is_none()) {
        of_client.1.conn = piece.conn;
    }
    for (entry, process) in piece.entries.into_iter().zip(processes) {
        // What says nothing of a session is the daemon's, about all of them.
        let place = pieces.iter().position(|(p, _)| p == process).unwrap_or(0);
        if let Some((_, piece)) = pieces.get_mut(place) {
            piece.entries.push(entry);
        }
    }
    pieces.into_iter().map(|(_, p)| p).collect()
}

/// Most processes that are told apart in one log.
const MOST: usize = 64;

/// Whether an entry tells of a session: not what the server writes of its own tables and files.
fn tells(entry: &Entry) -> bool {
    match &entry.what {
        What::Claim { code: Some(Code::Message(id)), .. } => id == "EZYFT96I" || id.starts_with("EZA"),
        _ => true,
    }
}

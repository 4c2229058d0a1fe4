//! Ctrl-C while an input is read: reading stops, and what was read is reported. The second one ends the program.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bytes that are read at once: what a pipe holds.
const PIECE: usize = 64 * 1024;

/// Pieces that wait for their turn.
const WAITING: usize = 2;

/// What whoever reads is told. A piece without bytes is the end.
enum Told {
    Piece(io::Result<Vec<u8>>),
    #[cfg(feature = "live")]
    Pressed,
}

/// Whether somebody pressed Ctrl-C.
#[derive(Clone, Default)]
pub(super) struct Interrupt {
    pressed: Arc<AtomicBool>,
    /// Who waits for bytes is to be woken.
    wake: Arc<Mutex<Option<SyncSender<Told>>>>,
    /// Whether Ctrl-C is caught at all.
    caught: bool,
}

impl Interrupt {
    /// Catches Ctrl-C, where that can be had.
    #[cfg(feature = "live")]
    pub(super) fn new() -> Self {
        let own = Self::default();
        let theirs = own.clone();
        let caught = crate::live::on_ctrl_c(move || theirs.press());
        Self { caught, ..own }
    }

    /// Without the network there is nothing that catches it.
    #[cfg(not(feature = "live"))]
    pub(super) fn new() -> Self {
        Self::default()
    }

    #[cfg(feature = "live")]
    fn press(&self) {
        if self.pressed.swap(true, Ordering::SeqCst) {
            std::process::exit(super::Status::CannotTell.code().into());
        }
        if let Some(wake) = self.wake.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            // Where it is full, nobody waits.
            let _ = wake.try_send(Told::Pressed);
        }
    }

    /// Whether reading is to stop.
    pub(super) fn is_pressed(&self) -> bool {
        self.pressed.load(Ordering::SeqCst)
    }

    /// An input that may keep its reader waiting. It ends where Ctrl-C is pressed.
    pub(super) fn ending<'a>(&self, from: impl Read + Send + 'static) -> Box<dyn Read + 'a> {
        if !self.caught {
            return Box::new(from);
        }
        let (to, told) = sync_channel(WAITING);
        *self.wake.lock().unwrap_or_else(PoisonError::into_inner) = Some(to.clone());
        // Nobody waits for this thread: it may stay in its last read for ever.
        match thread::Builder::new().spawn(move || hand_on(from, &to)) {
            Ok(_) => Box::new(Ending { interrupt: self.clone(), told, piece: io::Cursor::default(), over: false }),
            Err(error) => Box::new(Failed(Some(error))),
        }
    }
}

/// Reads to the end, piece by piece.
fn hand_on(mut from: impl Read, to: &SyncSender<Told>) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = match from.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read,
        };
        let is_last = !matches!(read, Ok(1..));
        let piece = read.map(|len| {
            piece.truncate(len);
            piece
        });
        if to.send(Told::Piece(piece)).is_err() || is_last {
            return;
        }
    }
}

/// An input that ends with Ctrl-C, if not before.
struct Ending {
    interrupt: Interrupt,
    told: Receiver<Told>,
    piece: io::Cursor<Vec<u8>>,
    /// The end was read: nothing more is told.
    over: bool,
}

impl Read for Ending {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.over || self.interrupt.is_pressed() {
            return Ok(0);
        }
        let len = self.piece.read(room)?;
        if len > 0 {
            return Ok(len);
        }
        match self.told.recv() {
            Ok(Told::Piece(piece)) => {
                self.over = !matches!(&piece, Ok(bytes) if !bytes.is_empty());
                self.piece = io::Cursor::new(piece?);
            }
            _ => return Ok(0),
        }
        self.piece.read(room)
    }
}

/// An input for which there was no thread.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

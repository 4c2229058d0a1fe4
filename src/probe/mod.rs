//! Conversations as state machines, without socket, clock or file: what to say, and when, and what to wait for.
//!
//! A [`Machine`] is told what happened and says what to do. The driver does it and writes both down, so that
//! a machine cannot lose a byte, and the driver cannot misread one.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

mod answer;
mod audit;
pub mod behave;
mod engine;
mod plan;
mod questions;
mod replies;
mod session;
mod talk;

use core::net::SocketAddr;

pub use audit::{Audit, Auditor, Part, Parts};
pub use engine::{ClientError, Identity, Terms, TlsClient, Wanted};
pub use plan::{Confides, Login, Password, Patience, Plan, ServerName};
pub use session::Session;

use crate::transcript::{Close, ConnId, Micros, OpenFailure, Role, What, Why};

/// The whole contract between protocol and IO.
pub trait Machine {
    /// Takes what happened, at a time that never goes back.
    fn handle(&mut self, now: Micros, input: Input<'_>);

    /// What is to be done next; to be drained until `None` after each [`handle`](Self::handle).
    fn poll(&mut self) -> Option<Output>;

    /// When [`Input::Deadline`] is due, if nothing happens before.
    fn deadline(&self) -> Option<Micros>;

    /// How far it has come, where that can be told. For whoever waits: it is no evidence.
    fn progress(&self) -> Option<Progress> {
        None
    }
}

/// How far a machine has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Connections that are over.
    pub done: usize,
    /// Those that are open or to come: a guess, which a server may prove wrong.
    pub left: usize,
    /// What was asked last.
    pub asking: String,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// The run begins.
    Start,
    /// A connection stands.
    Opened(ConnId),
    /// The server can open a connection here.
    Listening(ConnId, SocketAddr),
    /// It could not be opened.
    OpenFailed(ConnId, OpenFailure),
    /// The system took the bytes of one `Send`.
    Sent(ConnId),
    /// The server sent bytes.
    Bytes(ConnId, &'a [u8]),
    /// The server closed (FIN), or the connection broke (RST).
    Closed(ConnId, Close),
    /// The deadline passed.
    Deadline,
    /// The run's time is over, or somebody pressed Ctrl-C: finish now.
    Stop,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a connection. Numbers count from 0 without gaps.
    Open(ConnId, Where, Role, Why),
    /// Wait for the server to open a data connection (active mode), at the address from which its control connection goes out.
    Listen(ConnId, Role, Why),
    /// Send bytes.
    Send(ConnId, Vec<u8>),
    /// Send bytes whose very length is a secret (a password): that they went out is written down, they are not.
    SendUnrecorded(ConnId, Vec<u8>),
    /// Write down what only the machine can know.
    Note(ConnId, What),
    /// A connection turned out to be for something else than it was opened for.
    Because(ConnId, Why),
    /// Close our direction of a connection (FIN), and go on reading.
    Shutdown(ConnId),
    /// Close a connection.
    Close(ConnId),
    /// The run is over.
    Done,
}

/// Where a connection goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// To an address.
    Address(SocketAddr),
    /// To a name that only a proxy resolves.
    Name(String, u16),
}

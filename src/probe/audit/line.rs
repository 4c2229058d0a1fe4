//! A connection of an audit, with its question.

use super::super::{Input, Output};
use super::Question;
use super::call::Call;
use super::visit::Visit;
use crate::transcript::{ConnId, Micros};

/// A connection, with its question.
pub(super) struct Line {
    pub(super) question: Question,
    pub(super) tries: u32,
    pub(super) talk: Talk,
}

pub(super) enum Talk {
    Call(Box<Call>),
    Visit(Box<Visit>),
}

impl Line {
    pub(super) fn poll(&mut self) -> Option<Output> {
        match &mut self.talk {
            Talk::Call(call) => call.poll(),
            Talk::Visit(visit) => visit.poll(),
        }
    }

    pub(super) fn conn(&self) -> ConnId {
        match &self.talk {
            Talk::Call(call) => call.conn,
            Talk::Visit(visit) => visit.conn,
        }
    }

    pub(super) fn deadline(&self) -> Option<Micros> {
        match &self.talk {
            Talk::Call(call) => call.deadline(),
            Talk::Visit(visit) => visit.deadline(),
        }
    }

    pub(super) fn handle(&mut self, now: Micros, input: Input<'_>) {
        match (&mut self.talk, input) {
            (Talk::Call(call), Input::Opened(_)) => call.opened(now),
            (Talk::Call(call), Input::OpenFailed(..)) => call.open_failed(),
            (Talk::Call(call), Input::Bytes(_, bytes)) => call.bytes(bytes, now),
            (Talk::Call(call), Input::Closed(_, how)) => call.closed(how),
            (Talk::Call(call), Input::Deadline) => call.deadline_passed(now),
            (Talk::Call(call), Input::Stop) => call.cut_off(),
            (Talk::Visit(visit), Input::Opened(_)) => visit.opened(now),
            (Talk::Visit(visit), Input::OpenFailed(..)) => visit.open_failed(),
            (Talk::Visit(visit), Input::Bytes(_, bytes)) => visit.bytes(bytes, now),
            (Talk::Visit(visit), Input::Closed(_, how)) => visit.closed(how),
            (Talk::Visit(visit), Input::Deadline) => visit.deadline_passed(now),
            (Talk::Visit(visit), Input::Stop) => visit.cut_off(),
            _ => {}
        }
    }
}

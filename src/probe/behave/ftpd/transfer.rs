//! One transfer: from its command to the final reply.

use super::control::Control;
use super::pipe::Pipe;
use super::{Active, Begins, Ccc, Deed, End, Last, Line, Shared, Start, Upload};

const DONE: &str = "226 Transfer complete.";
const NO_TLS: &str = "425 Unable to build data connection: Operation not permitted";
const ABORTED: &str = "426 Failure reading network stream.";

/// A data connection.
#[derive(Debug)]
pub(super) struct Data {
    /// Its control connection.
    pub(super) of: Line,
    pub(super) pipe: Pipe,
    /// It is open.
    pub(super) stands: bool,
    /// The client ended it with RST.
    pub(super) reset: bool,
}

impl Data {
    /// The client came.
    pub(super) fn passive(of: Line) -> Self {
        Self { of, pipe: Pipe::default(), stands: true, reset: false }
    }

    /// It is being opened.
    pub(super) fn active(of: Line) -> Self {
        Self { stands: false, ..Self::passive(of) }
    }

    /// Whether the client sends nothing more.
    fn is_at_end(&self) -> bool {
        self.pipe.closed || self.pipe.has_ended()
    }
}

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The data connection is due.
    Connecting,
    /// The ClientHello is due, and will be answered with this alert.
    Hello(u8),
    /// The handshake goes on.
    Handshake,
    /// The content is due.
    Content,
    /// The client's close_notify is due.
    Farewell,
    /// Nothing will happen any more.
    Hung,
}

/// A transfer.
#[derive(Debug)]
pub(super) struct Transfer {
    /// What is to be sent, or what came.
    content: Vec<u8>,
    /// Where an upload goes.
    to: Option<String>,
    stage: Stage,
    /// 150 was said.
    begun: bool,
    /// The final reply was said.
    replied: bool,
}

impl Transfer {
    pub(super) fn new(content: Vec<u8>, to: Option<String>) -> Self {
        Self { content, to, stage: Stage::Connecting, begun: false, replied: false }
    }
}

impl Control {
    /// Whatever can be done for the transfer is done.
    pub(super) fn advance(&mut self, shared: &mut Shared) {
        while let Some((stage, line)) = self.transfer.as_ref().map(|t| t.stage).zip(self.data) {
            match stage {
                Stage::Connecting => self.start(line, shared),
                Stage::Hello(alert) => self.hello(alert, line, shared),
                Stage::Handshake => self.handshake(line, shared),
                Stage::Content => self.content(line, shared),
                Stage::Farewell => self.farewell(line, shared),
                Stage::Hung => {}
            }
            if self.transfer.as_ref().is_some_and(|t| t.stage == stage) {
                break;
            }
        }
        self.go_on(shared);
    }

    fn enter(&mut self, stage: Stage) {
        if let Some(transfer) = &mut self.transfer {
            transfer.stage = stage;
        }
    }

    /// 150, once.
    pub(super) fn begin_reply(&mut self, shared: &mut Shared) {
        if self.transfer.as_mut().is_some_and(|t| !core::mem::replace(&mut t.begun, true)) {
            self.say("150 Here it comes.", shared);
        }
    }

    /// The final reply, once, and not always.
    fn final_reply(&mut self, reply: &str, shared: &mut Shared) {
        if self.transfer.as_mut().is_none_or(|t| core::mem::replace(&mut t.replied, true)) {
            return;
        }
        match shared.habits.last {
            Last::Closes => self.close(shared),
            Last::Mute => self.mute = true,
            _ => self.say(reply, shared),
        }
    }

    /// The transfer is over, and its data connection was ended.
    fn finish(&mut self, reply: &str, shared: &mut Shared) {
        self.final_reply(reply, shared);
        self.transfer = None;
        self.arranged = None;
        if let Some(line) = self.data.take() {
            shared.datas.remove(&line);
        }
    }

    /// The transfer is over; its data connection is closed as it is.
    fn abandon(&mut self, reply: &str, shared: &mut Shared) {
        if let Some(line) = self.data {
            shared.do_(Deed::Close(line));
        }
        self.finish(reply, shared);
    }

    /// The data connection stands.
    fn start(&mut self, line: Line, shared: &mut Shared) {
        let Some(transfer) = &self.transfer else { return };
        let (is_upload, is_empty) = (transfer.to.is_some(), transfer.content.is_empty());
        let habits = shared.habits;
        if habits.begins == Begins::Standing {
            self.begin_reply(shared);
        }
        if habits.active == Active::Resets && matches!(self.arranged, Some(super::control::Arranged::Active(_))) {
            shared.do_(Deed::Reset(line));
            return self.finish("426 Connection closed; transfer aborted.", shared);
        }
        if !self.private {
            self.begin_reply(shared);
            return self.enter(Stage::Content);
        }
        if habits.last == Last::BeforeHandshake && !is_upload {
            self.final_reply(DONE, shared);
        }
        match habits.start {
            Start::Mute => self.enter(Stage::Hung),
            Start::Alert(alert) => self.enter(Stage::Hello(alert)),
            Start::Closes(reply) => self.abandon(reply, shared),
            Start::ClosesEmpty(reply) if is_empty && !is_upload => self.abandon(reply, shared),
            Start::Clear => self.enter(Stage::Content),
            Start::Text(text) => {
                shared.send(line, text.to_vec());
                shared.do_(Deed::Close(line));
                self.close(shared);
                self.enter(Stage::Hung);
            }
            Start::Right | Start::OtherCertificate | Start::ClosesEmpty(_) | Start::Refuses(_) => {
                let tls = shared.data_tls();
                if let Some(data) = shared.datas.get_mut(&line) {
                    data.pipe.start(tls);
                }
                self.enter(Stage::Handshake);
            }
        }
    }

    fn hello(&mut self, alert: u8, line: Line, shared: &mut Shared) {
        let Some(data) = shared.datas.get(&line) else { return };
        if data.pipe.has_record() {
            shared.send(line, vec![21, 3, 3, 0, 2, 2, alert]);
        }
        if data_is(shared, line, |d| d.pipe.has_record() || d.pipe.closed) {
            self.abandon(NO_TLS, shared);
        }
    }

    fn handshake(&mut self, line: Line, shared: &mut Shared) {
        let habits = shared.habits;
        let Some(data) = shared.datas.get_mut(&line) else { return };
        let out = data.pipe.take_output();
        let (failed, resumed) = (data.pipe.has_failed(), data.pipe.is_resumed());
        let (done, closed) = (data.pipe.is_established(), data.pipe.closed);
        shared.send(line, out);
        if failed || closed && !done {
            return self.abandon(NO_TLS, shared);
        }
        if !done {
            return;
        }
        self.begin_reply(shared);
        if let Some(reply) = habits.unresumed.filter(|_| !resumed) {
            return self.abandon(reply, shared);
        }
        if let (Ccc::Breaks(reply), true) = (habits.ccc, self.after_ccc) {
            return self.abandon(reply, shared);
        }
        self.enter(Stage::Content);
    }

    fn content(&mut self, line: Line, shared: &mut Shared) {
        let Some(transfer) = &mut self.transfer else { return };
        match transfer.to {
            Some(_) => self.receive(line, shared),
            None => {
                let content = core::mem::take(&mut transfer.content);
                self.send_content(&content, line, shared);
            }
        }
    }

    fn send_content(&mut self, content: &[u8], line: Line, shared: &mut Shared) {
        let habits = shared.habits;
        let (first, second) = content.split_at(content.len() / 2);
        let send = |bytes: &[u8], shared: &mut Shared| {
            let out = shared.datas.get_mut(&line).map(|d| d.pipe.wrap(bytes)).unwrap_or_default();
            shared.send(line, out);
        };
        send(first, shared);
        match habits.end {
            End::ResetInside(reply) => {
                shared.do_(Deed::Reset(line));
                return self.finish(reply, shared);
            }
            End::FinInside(reply) => return self.abandon(reply, shared),
            _ => {}
        }
        if habits.last == Last::BeforeEnd {
            self.final_reply(DONE, shared);
        }
        send(second, shared);
        match habits.end {
            End::WaitsForCloseNotify => return self.enter(Stage::Farewell),
            End::Fin | End::Reset => {}
            _ => self.close_notify(line, shared),
        }
        match habits.end {
            End::WaitsForAnswer => self.enter(Stage::Farewell),
            End::CloseNotifyReset | End::Reset => {
                shared.do_(Deed::Reset(line));
                self.finish(DONE, shared);
            }
            _ => self.abandon(DONE, shared),
        }
    }

    fn close_notify(&mut self, line: Line, shared: &mut Shared) {
        let goodbye = shared.datas.get_mut(&line).map(|d| d.pipe.close_notify()).unwrap_or_default();
        shared.send(line, goodbye);
    }

    fn farewell(&mut self, line: Line, shared: &mut Shared) {
        if !data_is(shared, line, Data::is_at_end) {
            return;
        }
        if shared.habits.end == End::WaitsForCloseNotify {
            self.close_notify(line, shared);
        }
        self.abandon(DONE, shared);
    }

    fn receive(&mut self, line: Line, shared: &mut Shared) {
        let habits = shared.habits;
        let Some((data, transfer)) = shared.datas.get_mut(&line).zip(self.transfer.as_mut()) else { return };
        transfer.content.extend(data.pipe.take_all());
        let out = data.pipe.take_output();
        let waits = habits.upload == Upload::WaitsForFin && !data.pipe.closed;
        let cut = data.reset || data.pipe.has_failed() || data.pipe.is_tls() && !data.pipe.has_ended();
        let at_end = data.is_at_end() || data.pipe.has_failed();
        shared.send(line, out);
        if !at_end || waits {
            return;
        }
        let mut content = core::mem::take(&mut transfer.content);
        match habits.upload {
            Upload::Refuses(reply) => return self.abandon(reply, shared),
            Upload::HangsEmpty if content.is_empty() => return self.enter(Stage::Hung),
            Upload::WaitsForFin => {}
            // Whether it was the end of the file nobody can say.
            _ if cut => return self.abandon(ABORTED, shared),
            Upload::Halves => content.truncate(content.len() / 2),
            _ => {}
        }
        if let Some(path) = self.transfer.as_ref().and_then(|t| t.to.clone()) {
            shared.files.put(path, content);
        }
        if !matches!(habits.end, End::Fin) && habits.upload != Upload::WaitsForFin {
            self.close_notify(line, shared);
        }
        self.abandon(DONE, shared);
    }
}

fn data_is(shared: &Shared, line: Line, is: impl Fn(&Data) -> bool) -> bool {
    shared.datas.get(&line).is_some_and(is)
}

//! What a login is for: the commands and transfers inside TLS, in order. A refusal takes out what it makes pointless.

use std::collections::{BTreeSet, VecDeque};

use super::super::plan::{Login, Plan};
use super::transfer::Outcome;

/// What a control connection is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probe) enum Errand {
    /// The handshake, and commands that need no login.
    Handshake,
    /// Everything that one session can show.
    Examine,
    /// A data handshake that does not offer to resume.
    Declined,
    /// A transfer before PROT, PROT without PBSZ, PROT C.
    Unprotected,
    /// The same listings with TLS 1.2.
    Tls12,
    /// CCC, then a transfer.
    Ccc,
}

impl Errand {
    /// What differs from the session, as the report says it.
    pub(in crate::probe) fn changed(self) -> Vec<String> {
        let words = match self {
            Self::Handshake | Self::Examine => return Vec::new(),
            Self::Declined => "resumption declined",
            Self::Unprotected => "no PROT",
            Self::Tls12 => "TLS 1.2 in this login",
            Self::Ccc => "CCC",
        };
        vec![words.to_owned()]
    }
}

/// How a data connection is arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probe) enum Way {
    /// PASV: address and port (RFC 959).
    Pasv,
    /// EPSV: a port (RFC 2428).
    Epsv,
    /// The server connects to us (PORT, EPRT).
    Active,
    /// EPSV, or PASV where only that has worked.
    Usual,
}

/// One transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) way: Way,
    pub(super) command: String,
    /// Content to send; `None` where the server sends.
    pub(super) upload: Option<Vec<u8>>,
    /// Whether the data connection is protected.
    pub(super) private: bool,
    /// Whether our own end is held back, to see if the server waits for it.
    pub(super) holds: bool,
    /// Whether its handshake offers to resume the control connection's session.
    pub(super) resumes: bool,
    /// Whether it is made the usual way where its own way leads nowhere.
    pub(super) anyway: bool,
}

/// One step inside TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A command.
    Say(String),
    /// PASS with the password.
    Password,
    /// A transfer.
    Move(Box<Task>),
}

/// Nobody has a file of this name: its listing is empty.
const NOBODY: &str = "NLST ftpsdiag-no-such-name";

/// Lengths of uploads: nothing, as little as possible, and more than any buffer on the way.
const UPLOADS: [usize; 3] = [0, 1, 1_000_000];

/// What a login could not try, because its TLS sessions had run out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::probe) struct Undone {
    active: bool,
    empty_file: bool,
    /// Numbers of uploads, from 1.
    uploads: BTreeSet<usize>,
}

impl Undone {
    pub(in crate::probe) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn take(&mut self, task: &Task) {
        let number = task.command.rsplit_once(".T").and_then(|(_, n)| n.parse().ok());
        match (task.way, task.command.split(' ').next()) {
            (Way::Active, _) => self.active = true,
            (_, Some("STOR" | "RETR")) if number.is_some_and(|n| (1..=UPLOADS.len()).contains(&n)) => {
                self.uploads.extend(number);
            }
            (_, Some("RETR")) => self.empty_file = true,
            _ => {}
        }
    }
}

/// The steps to come.
#[derive(Debug)]
pub(super) struct Agenda {
    turns: VecDeque<Turn>,
    /// Names that were uploaded and not yet deleted.
    left_behind: Vec<String>,
    undone: Undone,
    /// Whether the server took the login.
    pub(super) logged_in: bool,
}

impl Agenda {
    pub(super) fn of(errand: Errand, plan: &Plan) -> Self {
        let turns = match plan.login.as_ref().filter(|_| errand != Errand::Handshake) {
            None => ["FEAT", "PBSZ 0", "PROT P"].map(say).into(),
            Some(login) => turns(errand, login, plan),
        };
        Self { turns, left_behind: Vec::new(), undone: Undone::default(), logged_in: false }
    }

    /// What needs no login remains.
    pub(super) fn leave_out_login(&mut self) {
        let features = self.turns.front().filter(|t| **t == say("FEAT")).cloned();
        self.turns = features.into_iter().chain(["PBSZ 0", "PROT P"].map(say)).collect();
    }

    pub(super) fn next(&mut self) -> Option<Turn> {
        let turn = self.turns.pop_front();
        match &turn {
            Some(Turn::Move(task)) if task.upload.is_some() => {
                self.left_behind.extend(task.command.strip_prefix("STOR ").map(str::to_owned));
            }
            _ => {}
        }
        turn
    }

    /// A command was answered: what has become pointless?
    pub(super) fn answered(&mut self, said: &Turn, code: u16) {
        let refused = code >= 400;
        match said {
            Turn::Password if (200..300).contains(&code) => self.logged_in = true,
            // Whoever wants an account (332) gets none.
            Turn::Password => self.turns.clear(),
            Turn::Say(line) => match line.split(' ').next().unwrap_or_default() {
                "USER" if code == 331 => {}
                "USER" if (200..300).contains(&code) => {
                    self.logged_in = true;
                    self.turns.retain(|t| *t != Turn::Password);
                }
                "USER" => self.turns.clear(),
                // PBSZ before the login is refused by some servers, and PROT then with it.
                "PBSZ" if refused && !self.logged_in => self.turns.clear(),
                "PROT" if refused && line.ends_with('P') => self.drop_moves(|task| task.private),
                "PROT" if refused => self.drop_moves(|task| !task.private),
                // Nothing is uploaded, and nothing deleted; what else was to be tried still is.
                "CWD" if refused => self.turns.retain(|t| matches!(t, Turn::Move(task) if task.way == Way::Active)),
                "CCC" if refused => self.drop_moves(|_| true),
                "DELE" if !refused => {
                    let name = line.strip_prefix("DELE ").unwrap_or_default();
                    self.left_behind.retain(|n| n != name);
                }
                _ => {}
            },
            Turn::Move(_) => {}
        }
    }

    /// A transfer is over: of a file that was refused before it began there is nothing to read back and to delete.
    pub(super) fn moved(&mut self, task: &Task, outcome: Outcome) {
        let Some(name) = task.command.strip_prefix("STOR ").filter(|_| outcome.is_refused()) else { return };
        let about = |line: &str| line.split_once(' ').is_some_and(|(_, rest)| rest == name);
        self.turns.retain(|t| match t {
            Turn::Say(line) => !about(line),
            Turn::Move(task) => !about(&task.command),
            Turn::Password => true,
        });
        self.left_behind.retain(|n| n != name);
    }

    /// The same again, the usual way.
    pub(super) fn again(&mut self, task: Task) {
        self.turns.push_front(Turn::Move(Box::new(Task { way: Way::Usual, anyway: false, ..task })));
    }

    /// Nothing can be transferred any more; what was uploaded is still deleted.
    pub(super) fn drop_moves(&mut self, which: impl Fn(&Task) -> bool) {
        self.turns.retain(|t| match t {
            Turn::Move(task) => !which(task),
            _ => true,
        });
    }

    /// A protected transfer failed for want of a session to resume: so would all others. What they were to show another
    /// login may; what lies on the server is still deleted.
    pub(super) fn set_aside(&mut self, failed: &Task) {
        self.undone.take(failed);
        for turn in core::mem::take(&mut self.turns) {
            match turn {
                Turn::Move(task) if task.private && task.resumes => self.undone.take(&task),
                Turn::Say(line) if line.starts_with("SIZE ") => {}
                Turn::Say(line)
                    if line.strip_prefix("DELE ").is_some_and(|n| !self.left_behind.iter().any(|l| l == n)) => {}
                turn => self.turns.push_back(turn),
            }
        }
    }

    pub(super) fn undone(&self) -> &Undone {
        &self.undone
    }

    /// What another login could not try, in place of the listings.
    pub(super) fn make_up_for(&mut self, undone: &Undone, plan: &Plan) {
        let Some(login) = &plan.login else { return };
        let protected = self.turns.iter().position(|t| *t == say("PROT P"));
        self.turns.truncate(protected.map_or(0, |at| at + 1));
        if let Some(path) = login.empty_file.as_ref().filter(|_| undone.empty_file) {
            self.turns.extend([say("TYPE I"), fetched(path)]);
        }
        if !undone.uploads.is_empty() {
            self.turns.extend(uploads(login, plan, undone.uploads.iter().copied()));
        }
        if undone.active {
            self.turns.push_back(Turn::Move(Box::new(fetch(Way::Active, "LIST"))));
        }
    }

    /// Names that are still there.
    pub(super) fn left_behind(&self) -> &[String] {
        &self.left_behind
    }

    /// Removes what an earlier login had to leave behind.
    pub(super) fn clean_up(&mut self, directory: &str, names: &[String]) {
        self.left_behind = names.to_vec();
        let there = say(&format!("CWD {directory}"));
        if !self.turns.contains(&there) {
            self.turns.push_back(there);
        }
        // What is uploaded again is deleted again.
        let deletions: Vec<Turn> = names.iter().map(|n| say(&format!("DELE {n}"))).collect();
        let deletions: Vec<Turn> = deletions.into_iter().filter(|d| !self.turns.contains(d)).collect();
        self.turns.extend(deletions);
    }
}

/// A transfer from the server, protected, with an offer to resume.
fn fetch(way: Way, command: &str) -> Task {
    let command = command.to_owned();
    Task { way, command, upload: None, private: true, holds: false, resumes: true, anyway: false }
}

fn fetched(path: &str) -> Turn {
    Turn::Move(Box::new(fetch(Way::Usual, &format!("RETR {path}"))))
}

/// Files of these numbers up and down again; nothing where no directory was given.
fn uploads(login: &Login, plan: &Plan, numbers: impl Iterator<Item = usize>) -> Vec<Turn> {
    let Some(directory) = &login.upload_to else { return Vec::new() };
    let mut out = vec![say("TYPE I"), say(&format!("CWD {directory}"))];
    for n in numbers {
        let name = upload_name(plan, n);
        let len = n.checked_sub(1).and_then(|n| UPLOADS.get(n)).copied().unwrap_or(1);
        let upload = Some(content(plan, len));
        let store = Task { upload, holds: len == 1, ..fetch(Way::Usual, &format!("STOR {name}")) };
        out.push(Turn::Move(Box::new(store)));
        out.push(say(&format!("SIZE {name}")));
        out.push(Turn::Move(Box::new(fetch(Way::Usual, &format!("RETR {name}")))));
        out.push(say(&format!("DELE {name}")));
    }
    out
}

fn say(line: &str) -> Turn {
    Turn::Say(line.to_owned())
}

fn turns(errand: Errand, login: &Login, plan: &Plan) -> VecDeque<Turn> {
    let go = |task| Turn::Move(Box::new(task));
    let list = |way| go(fetch(way, "LIST"));
    let mut out = VecDeque::new();
    if errand == Errand::Examine {
        out.push_back(say("FEAT"));
    }
    out.extend([say(&format!("USER {}", login.user)), Turn::Password]);
    if errand != Errand::Unprotected {
        out.extend([say("PBSZ 0"), say("PROT P")]);
    }
    match errand {
        Errand::Handshake => {}
        Errand::Examine => {
            out.push_back(go(Task { holds: true, ..fetch(Way::Epsv, "LIST") }));
            if login.empty_file.is_none() && login.upload_to.is_none() {
                out.extend([list(Way::Pasv), go(fetch(Way::Usual, NOBODY)), list(Way::Usual)]);
            } else {
                // Where more follows, two listings are enough.
                out.push_back(go(Task { anyway: true, ..fetch(Way::Pasv, NOBODY) }));
            }
            if let Some(path) = &login.empty_file {
                out.extend([say("TYPE I"), fetched(path)]);
            }
            out.extend(uploads(login, plan, 1..=UPLOADS.len()));
            // Last: where nobody connects, the control connection may be lost as well.
            if login.active {
                out.push_back(list(Way::Active));
            }
        }
        Errand::Declined => out.push_back(go(Task { resumes: false, ..fetch(Way::Usual, "LIST") })),
        Errand::Unprotected => {
            let clear = || go(Task { private: false, ..fetch(Way::Usual, NOBODY) });
            out.extend([clear(), say("PROT P"), say("PBSZ 0"), say("PROT C"), clear()]);
        }
        Errand::Tls12 => {
            out.extend([list(Way::Usual), list(Way::Usual), list(Way::Usual)]);
            out.extend(uploads(login, plan, core::iter::once(UPLOADS.len() + 1)));
        }
        Errand::Ccc => out.extend([say("CCC"), list(Way::Usual)]),
    }
    out
}

/// Unmistakable, another in each run, and such that a server on z/OS can make a data set of it: qualifiers of at most eight
/// characters.
fn upload_name(plan: &Plan, n: usize) -> String {
    let random: String = plan.random.iter().take(3).map(|b| format!("{b:02X}")).collect();
    format!("FTPSDIAG.R{random}.T{n}")
}

/// Bytes of no meaning that compress badly, the same in each run of one plan.
fn content(plan: &Plan, len: usize) -> Vec<u8> {
    let seed = plan.random.iter().fold(1u64, |n, b| n.wrapping_mul(31).wrapping_add(u64::from(*b)));
    let step = |n: u64| n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    core::iter::successors(Some(step(seed)), |n| Some(step(*n))).map(|n| n.to_be_bytes()[0]).take(len).collect()
}

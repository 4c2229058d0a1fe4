//! The zoo: endpoints that misbehave, each as a script without socket or clock. Tests drive them as plays and over real sockets.

/// One step of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Sends these bytes.
    Say(&'static [u8]),
    /// Waits for a line of the client.
    Line,
    /// Waits for a whole TLS record of the client.
    Record,
    /// Closes (FIN).
    Close,
    /// Resets (RST).
    Reset,
    /// Says nothing more, and leaves the connection open.
    Mute,
}

use Act::{Close, Line, Mute, Record, Reset, Say};

/// An endpoint that misbehaves.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name, in kebab-case.
    pub name: &'static str,
    /// What it does on every connection.
    pub script: &'static [Act],
}

/// What an endpoint does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It sends.
    Send(&'static [u8]),
    /// It closes (FIN).
    Close,
    /// It resets (RST).
    Reset,
}

/// One connection of a member.
#[derive(Clone, Debug)]
pub struct Endpoint {
    script: &'static [Act],
    heard: Vec<u8>,
}

/// Longest line or record that is waited for; a client of ours sends no longer one.
const LONGEST: usize = 64 * 1024;

impl Endpoint {
    /// A connection that was just accepted.
    pub fn of(member: &Member) -> Self {
        Self { script: member.script, heard: Vec::new() }
    }

    /// Takes what the client sent.
    pub fn hear(&mut self, bytes: &[u8]) {
        if self.heard.len() < LONGEST {
            self.heard.extend_from_slice(bytes);
        }
    }

    /// What it does next, until it waits again.
    pub fn poll(&mut self) -> Option<Deed> {
        loop {
            let (act, rest) = self.script.split_first()?;
            match act {
                Say(bytes) => {
                    self.script = rest;
                    return Some(Deed::Send(bytes));
                }
                Close | Reset => {
                    self.script = &[];
                    return Some(if *act == Close { Deed::Close } else { Deed::Reset });
                }
                Mute => return None,
                Line => {
                    let end = self.heard.iter().position(|b| *b == b'\n')? + 1;
                    self.heard.drain(..end);
                }
                Record => {
                    let [_, _, _, high, low, ..] = *self.heard.as_slice() else { return None };
                    let len = 5 + usize::from(u16::from_be_bytes([high, low]));
                    if self.heard.len() < len {
                        return None;
                    }
                    self.heard.drain(..len);
                }
            }
            self.script = rest;
        }
    }
}

/// A member that greets, says yes to AUTH, takes the ClientHello, and then does this.
macro_rules! behind_hello {
    ($name:literal: $($act:expr),+) => {
        Member { name: $name, script: &[Say(b"220 ready\r\n"), Line, Say(b"234 go ahead\r\n"), Record, $($act),+] }
    };
}

/// A member that greets and answers AUTH TLS (and AUTH SSL, FEAT, QUIT) like this.
macro_rules! refuses_auth {
    ($name:literal: $reply:literal) => {
        Member {
            name: $name,
            script: &[
                Say(b"220 ready\r\n"),
                Line,
                Say($reply),
                Line,
                Say($reply),
                Line,
                Say(b"211 none\r\n"),
                Line,
                Say(b"221 bye\r\n"),
                Close,
            ],
        }
    };
}

/// A member that speaks first, and then does this.
macro_rules! greets {
    ($name:literal: $($act:expr),+) => {
        Member { name: $name, script: &[$($act),+] }
    };
}

/// A fatal alert in clear.
macro_rules! alert {
    ($n:literal) => {
        Say(&[21, 3, 3, 0, 2, 2, $n])
    };
}

/// All members.
pub static ZOO: &[Member] = &[
    // Before TLS.
    greets!("closes-at-once": Close),
    greets!("resets-at-once": Reset),
    greets!("never-greets": Mute),
    greets!("greeting-421": Say(b"421 Too many connections\r\n"), Close),
    greets!("greeting-530": Say(b"530 Your IP is banned\r\n"), Close),
    greets!("greeting-without-end": Say(b"220-hello\r\n220-and so on\r\n"), Mute),
    greets!("ssh": Say(b"SSH-2.0-OpenSSH_9.2\r\n"), Mute),
    greets!("http": Record, Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Close),
    greets!("smtp": Say(b"220 mail ESMTP\r\n"), Line, Say(b"502 no\r\n"), Line, Say(b"502 no\r\n"), Line, Say(b"502 no\r\n"), Line, Say(b"221 bye\r\n"), Close),
    greets!("auth-closes": Say(b"220 ready\r\n"), Line, Close),
    greets!("auth-resets": Say(b"220 ready\r\n"), Line, Reset),
    greets!("auth-mute": Say(b"220 ready\r\n"), Line, Mute),
    refuses_auth!("auth-421": b"421 closing\r\n"),
    refuses_auth!("auth-431": b"431 Necessary security resource unavailable\r\n"),
    refuses_auth!("auth-500": b"500 AUTH not understood\r\n"),
    refuses_auth!("auth-502": b"502 Command not implemented\r\n"),
    refuses_auth!("auth-504": b"504 Security mechanism not implemented\r\n"),
    refuses_auth!("auth-530": b"530 Please login with USER and PASS.\r\n"),
    refuses_auth!("auth-534": b"534 Local policy on server does not allow TLS secure connections.\r\n"),
    refuses_auth!("auth-550": b"550 Permission denied\r\n"),
    refuses_auth!("auth-overwritten": b"500 'XXXX XXX': command not understood\r\n"),
    // Text where TLS is due.
    behind_hello!("text-550": Say(b"550 TLS handshake failed\r\n"), Close),
    behind_hello!("text-550-reset": Say(b"550 TLS handshake failed\r\n"), Reset),
    behind_hello!("text-550-mute": Say(b"550 TLS handshake failed\r\n"), Mute),
    behind_hello!("text-421": Say(b"421 TLS handshake failed\r\n"), Close),
    behind_hello!("text-421-limit": Say(b"421 Too many users\r\n"), Close),
    behind_hello!("text-multi-line": Say(b"550-TLS handshake failed\r\n550 ask somebody\r\n"), Close),
    behind_hello!("text-oops": Say(b"500 OOPS: error:0A0000C1:SSL routines::no shared cipher\r\n"), Close),
    behind_hello!("text-ebcdic": Say(b"\xf5\xf5\xf0\x40\xe3\xd3\xe2\x40\x86\x81\x89\x93\x85\x84\x0d\x25"), Close),
    behind_hello!("text-without-code": Say(b"TLS handshake failed\r\n"), Close),
    behind_hello!("alert-40-and-text": alert!(40), Say(b"550 TLS handshake failed\r\n"), Close),
    behind_hello!("telnet": Say(&[0xff, 0xfb, 1, 0xff, 0xfb, 3]), Close),
    behind_hello!("http-behind-hello": Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Close),
    // Alerts.
    behind_hello!("alert-10": alert!(10), Close),
    behind_hello!("alert-40": alert!(40), Close),
    behind_hello!("alert-47": alert!(47), Close),
    behind_hello!("alert-50": alert!(50), Close),
    behind_hello!("alert-70": alert!(70), Close),
    behind_hello!("alert-71": alert!(71), Close),
    behind_hello!("alert-80": alert!(80), Close),
    behind_hello!("alert-86": alert!(86), Close),
    behind_hello!("alert-112": alert!(112), Close),
    behind_hello!("alert-238": alert!(238), Close),
    behind_hello!("warning-112-then-close": Say(&[21, 3, 3, 0, 2, 1, 112]), Close),
    behind_hello!("close-notify": Say(&[21, 3, 3, 0, 2, 1, 0]), Close),
    behind_hello!("alert-40-reset": alert!(40), Reset),
    // Ends and silences.
    behind_hello!("hello-closes": Close),
    behind_hello!("hello-resets": Reset),
    behind_hello!("hello-mute": Mute),
    behind_hello!("half-a-record": Say(&[22, 3, 3, 0, 90, 2, 0, 0]), Close),
    behind_hello!("half-a-record-mute": Say(&[22, 3, 3, 0, 90, 2, 0, 0]), Mute),
    // What breaks the rules of TLS.
    behind_hello!("record-version-9": Say(&[22, 3, 9, 0, 2, 2, 40]), Close),
    behind_hello!("record-too-long": Say(&[22, 3, 3, 0xff, 0xff, 2, 0]), Close),
    behind_hello!("empty-record": Say(&[22, 3, 3, 0, 0]), Close),
    behind_hello!("random-bytes": Say(&[0x80, 0x01, 0x99, 0xfe, 0x00, 0x07]), Close),
    behind_hello!("zeros": Say(&[0; 64]), Close),
    behind_hello!("heartbeat": Say(&[24, 3, 3, 0, 3, 1, 0, 0]), Close),
    behind_hello!("application-data": Say(&[23, 3, 3, 0, 4, 1, 2, 3, 4]), Close),
    // Answers that our client does not speak.
    behind_hello!("server-hello-tls10": Say(b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x2f\0"), Close),
    behind_hello!("server-hello-ssl3": Say(b"\x16\x03\x00\x00\x2a\x02\x00\x00\x26\x03\x00\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x2f\0"), Close),
    behind_hello!("suite-not-offered": Say(b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x2f\0"), Close),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_scripts_play() {
        let mut names: Vec<&str> = ZOO.iter().map(|m| m.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ZOO.len());
        let member = Member { name: "x", script: &[Say(b"a"), Line, Record, Say(b"b"), Reset] };
        let mut e = Endpoint::of(&member);
        assert_eq!((e.poll(), e.poll()), (Some(Deed::Send(b"a")), None));
        e.hear(b"AUTH TLS\r\n\x16\x03\x01\x00");
        assert_eq!(e.poll(), None);
        e.hear(b"\x01\x00");
        assert_eq!((e.poll(), e.poll(), e.poll()), (Some(Deed::Send(b"b")), Some(Deed::Reset), None));
    }
}

//! What each habit of the servers of the zoo looks like to a client that does everything as it should: in the room and behind
//! sockets.
#![cfg(feature = "live")]

#[path = "zoo/data_room.rs"]
#[allow(dead_code, reason = "the prober's visits stand elsewhere")]
mod data_room;
#[path = "zoo/data_sockets.rs"]
#[allow(dead_code, reason = "the prober's visits stand elsewhere")]
mod data_sockets;
#[path = "zoo/room.rs"]
#[allow(dead_code, reason = "names and patience are shared")]
mod room;
#[path = "zoo/visitor.rs"]
mod visitor;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use data_room::{Manner, PORT, SERVER};
use ftpsdiag::probe::behave::ftpd::{Deed, Door, Event, Ftpd, Habits, Member, zoo};
use ftpsdiag::transcript::Close;
use visitor::Visitor;

/// What the client does: PROT before the login and without PBSZ, a transfer at once, one in clear, all kinds of them, one in each
/// direction in active mode, one that resumes no session, and CCC.
const SCRIPT: &str = "\
AUTH TLS
PROT P
USER acme
PASS sesame
EPSV LIST
PROT C
EPSV LIST
PBSZ 0
PROT P
TYPE I
PASV NLST nothing
EPSV STOR in/a 1000
SIZE in/a
EPSV STOR in/b 0
PASV RETR report.txt
EPSV RETR empty.txt
PORT LIST
PORT STOR in/c 10
FULL
EPSV MLSD
CCC
PASV LIST
NOOP
DELE in/a
QUIT";

/// What a healthy server does.
const HEALTHY: &str = "\
220
tls
PROT 200
USER 331
PASS 230
LIST 229 150 226 | resumed 207 close-notify fin
PROT 534
LIST 229 150 226 | resumed 207 close-notify fin
PBSZ 200
PROT 200
TYPE 200
NLST 227 150 226 | resumed close-notify fin
STOR 229 150 226 | resumed close-notify fin
SIZE 213 1000
STOR 229 150 226 | resumed close-notify fin
RETR 227 150 226 | resumed 1600 close-notify fin
RETR 229 150 226 | resumed close-notify fin
LIST 200 150 226 | resumed 207 close-notify fin
STOR 200 150 226 | resumed close-notify fin
MLSD 229 150 226 | full 142 close-notify fin
CCC 200
LIST 227 150 226 | full 207 close-notify fin
NOOP 200
DELE 250
QUIT 221";

/// What the table says of habits that this client does not notice, or is not hindered by.
const AS_HEALTHY: &str = "as healthy";

fn in_room(member: &Member, manner: Manner) -> Vec<String> {
    let mut visitor = Visitor::new((SERVER, PORT).into(), SCRIPT);
    data_room::run(&mut visitor, member, manner);
    visitor.log
}

/// What is otherwise than with a healthy server: each line that differs, once.
fn otherwise(log: &[String]) -> String {
    let healthy: Vec<&str> = HEALTHY.lines().collect();
    let mut out: Vec<&str> = Vec::new();
    for (n, line) in log.iter().enumerate() {
        if healthy.get(n) != Some(&line.as_str()) && !out.contains(&line.as_str()) {
            out.push(line);
        }
    }
    out.join("; ")
}

#[test]
fn a_healthy_server_does_everything() {
    for member in zoo().filter(|m| m.name.starts_with("healthy")) {
        assert_eq!(in_room(member, Manner::default()).join("\n"), HEALTHY, "{}", member.name);
    }
}

#[test]
fn every_habit_shows_and_nothing_else() {
    let lines = include_str!("zoo/habits.txt").lines().map(|l| l.split_once(": ").unwrap());
    let told: BTreeMap<&str, &str> =
        lines.map(|(who, what)| (who, if what == AS_HEALTHY { "" } else { what })).collect();
    let mut wrong = Vec::new();
    for member in zoo() {
        let bare = member.name.trim_end_matches("-tls12").trim_end_matches("-tls13");
        let right = told.get(member.name).or_else(|| told.get(bare)).copied();
        let got = otherwise(&in_room(member, Manner::default()));
        if right != Some(got.as_str()) {
            wrong.push(format!("{}: {got}", member.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// In which order things come, and what 227 says: the visitor is not hindered by it.
#[test]
fn habits_that_hinder_nobody() {
    let sees = |name: &str| {
        let member = zoo().find(|m| m.name == name).unwrap();
        let mut visitor =
            Visitor::new((SERVER, PORT).into(), "AUTH TLS\nUSER acme\nPASS x\nPROT P\nPASV LIST\nPORT LIST\nQUIT");
        data_room::run(&mut visitor, member, Manner::default());
        visitor.order.join(" ")
    };
    for (habit, right) in [
        ("healthy", "(192,0,2,7,195,80) 150@open 226@ended 150@open 226@ended"),
        ("150-at-once", "(192,0,2,7,195,80) 150@open 226@ended 150@due 226@ended"),
        ("150-behind-handshake", "(192,0,2,7,195,80) 150@established 226@ended 150@established 226@ended"),
        ("226-before-handshake", "(192,0,2,7,195,80) 150@open 226@open 150@open 226@open"),
        ("226-before-end", "(192,0,2,7,195,80) 150@open 226@established 150@open 226@established"),
        ("pasv-private", "(10,1,2,3,195,80) 150@open 226@ended 150@open 226@ended"),
        ("pasv-foreign", "(198,51,100,20,195,80) 150@open 226@ended 150@open 226@ended"),
        ("pasv-zero", "(0,0,0,0,195,80) 150@open 226@ended 150@open 226@ended"),
        ("end-waits-for-answer", "(192,0,2,7,195,80) 150@open 226@ended 150@open 226@ended"),
    ] {
        for version in ["tls12", "tls13"] {
            assert_eq!(sees(&format!("{habit}-{version}")), right, "{habit} {version}");
        }
    }
}

/// A server forgets what belongs to a client that left, and has one that stays.
#[test]
fn clients_come_and_go() {
    let (ours, other) = (room::identity(), data_room::other_identity());
    let mut server = Ftpd::new(Habits::default(), ours, other, SERVER).unwrap();
    let said = |server: &mut Ftpd| -> Vec<Deed> { std::iter::from_fn(|| server.poll()).collect() };
    let (first, second) = (server.accept(None), server.accept(None));
    let greeting = b"220 ready\r\n".to_vec();
    assert_eq!(said(&mut server), [Deed::Send(first, greeting.clone()), Deed::Send(second, greeting)]);
    server.handle(Event::Closed(first, Close::Reset));
    assert_eq!(said(&mut server), [Deed::Close(first)]);
    server.handle(Event::Bytes(first, b"NOOP\r\n"));
    server.handle(Event::Bytes(second, b"NOOP\r\nLI"));
    server.handle(Event::Bytes(second, b"ST\r\nUSER joe\r\nAUTH KERBEROS\r\nQUIT\r\n"));
    let replies = [
        "200 ok",
        "530 Please login with USER and PASS.",
        "530 Non-anonymous sessions must use encryption.",
        "504 Unknown AUTH type.",
        "221 Goodbye.",
    ];
    let mut right: Vec<Deed> = replies.iter().map(|r| Deed::Send(second, format!("{r}\r\n").into_bytes())).collect();
    right.push(Deed::Close(second));
    assert_eq!(said(&mut server), right);
    // A data connection that nobody asked for.
    let stray = server.accept(Some(Door(7)));
    assert_eq!(said(&mut server), [Deed::Close(stray)]);
}

#[test]
fn pieces_do_not_show() {
    for member in zoo() {
        let whole = in_room(member, Manner::default());
        assert_eq!(in_room(member, Manner { pieces: 7, ..Manner::default() }), whole, "{}", member.name);
    }
}

#[test]
fn over_real_sockets_the_same() {
    let members = Mutex::new(zoo().filter(|m| data_sockets::can_be_had(m)));
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let next = members.lock().unwrap().next();
                    let Some(member) = next else { return };
                    let (visitor, _) = data_sockets::run(member, |address| Visitor::new(address, SCRIPT));
                    let (got, right) = (otherwise(&visitor.log), otherwise(&in_room(member, Manner::default())));
                    if got != right {
                        wrong.lock().unwrap().push(format!("{}: {got}\n    in the room {right}", member.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

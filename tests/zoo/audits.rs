//! What an audit makes of members of the zoo: the same verdict as a probe, few questions, and nothing is called accepted.

use std::net::SocketAddr;
use std::process::Command;
use std::thread;

use ftpsdiag::probe::behave::zoo;
use ftpsdiag::report::{Admitted, Report};
use ftpsdiag::rules::CheckResult;

use super::{sockets, told};

/// Questions to who refuses every hello: five lists and SSL 2, three on security, three on resumption.
const REFUSED: u32 = 5 + 1 + 3 + 3;

/// To who ends without a word, or says nothing, one more for each list: a short one, or, of TLS 1.3, the same again.
const DOUBTED: u32 = REFUSED + 5;

/// Members that let nobody in, and the most that they are asked behind the session: nothing where it did not come to TLS.
const CLOSED: [(&str, u32); 17] = [
    ("greeting-421", 0),
    ("ssh", 0),
    ("auth-500", 0),
    ("auth-534", 0),
    ("auth-421-closes", 0),
    ("auth-closes", 0),
    ("auth-mute", 0),
    ("text-550", REFUSED),
    ("text-400", REFUSED),
    ("alert-40", REFUSED),
    ("alert-40-and-text", REFUSED),
    ("hello-closes", DOUBTED),
    ("hello-half-closes", DOUBTED),
    ("hello-mute", DOUBTED),
    ("random-bytes", 0),
    ("hello-echoed", DOUBTED),
    // Implicit TLS: nothing can be smuggled in.
    ("echo", DOUBTED - 3),
];

/// Members that are as they should be.
const HEALTHY: [(&str, &str); 2] = [("healthy-tls12", "TLS 1.2"), ("healthy-tls13", "TLS 1.3")];

/// Members at which every step is waited for to its end.
const SILENT: [&str; 3] = ["auth-mute", "hello-mute", "echo"];

/// The exit status of the real binary, and its report. Who answers may be slow, on a machine that has much to do.
fn ftpsdiag(command: &str, name: &str, at: SocketAddr) -> (Option<i32>, Report) {
    let step = if SILENT.contains(&name) { "1.2" } else { "6" };
    let mut run = Command::new(env!("CARGO_BIN_EXE_ftpsdiag"));
    run.args([command, "-q", "--format", "json", "--timeout", step, "--max-time", "25", "--accept-any-certificate"]);
    let out = run.arg(at.to_string()).output().unwrap();
    let report = serde_json::from_slice(&out.stdout);
    (out.status.code(), report.unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr))))
}

/// The audit of a member, and the probe of another one like it: what it does may depend on how many came before.
fn both(name: &str) -> [(Option<i32>, Report); 2] {
    let member = zoo().find(|m| m.name == name).unwrap_or_else(|| panic!("there is no member {name}"));
    thread::scope(|scope| {
        ["audit", "probe"]
            .map(|command| scope.spawn(move || ftpsdiag(command, name, sockets::listen(member))))
            .map(|run| run.join().unwrap())
    })
}

/// What an audit calls accepted.
fn accepted(report: &Report) -> Vec<String> {
    let Some(audit) = &report.audit else { return Vec::new() };
    let taken = audit.versions.iter().filter(|v| v.takes == "yes" || !v.suites.taken.is_empty());
    let clients = audit.clients.iter().filter(|c| c.now.r#in == Admitted::Yes);
    taken.map(|v| v.name.clone()).chain(clients.map(|c| format!("{} {}", c.name, c.releases))).collect()
}

/// What is wrong with the audit of a member that lets nobody in.
fn wrong(name: &str, most: u32) -> Vec<String> {
    let [(status, audit), (expected, probe)] = both(name);
    let mut out = Vec::new();
    if !audit.complete {
        out.push(format!("{name}: it did not come to its end"));
    }
    if status != expected || status != Some(1) {
        out.push(format!("{name}: exit status {status:?}, of the probe {expected:?}"));
    }
    if told(&audit) != told(&probe) {
        out.push(format!("{name}: {}, the probe says {}", told(&audit), told(&probe)));
    }
    let questions = audit.audit.as_ref().map_or(0, |a| a.questions);
    if questions > most {
        out.push(format!("{name}: {questions} questions, {most} are enough"));
    }
    let accepted = accepted(&audit);
    if !accepted.is_empty() {
        out.push(format!("{name}: {accepted:?} would be let in"));
    }
    let known = audit.checks.iter().filter(|c| ["dh-prime", "weak-ciphers"].contains(&c.id.as_str()));
    out.extend(known.filter(|c| c.result == CheckResult::Passed).map(|c| format!("{name}: {}", c.headline)));
    // Who takes nothing at all has refused nothing in particular.
    if audit.audit.iter().flat_map(|a| &a.versions).any(|v| v.takes != "unknown") {
        out.push(format!("{name}: what it takes is not known"));
    }
    out
}

#[test]
fn an_audit_calls_nothing_accepted_where_nobody_gets_in() {
    let wrong: Vec<String> = thread::scope(|scope| {
        let members: Vec<_> = CLOSED.iter().map(|(name, most)| scope.spawn(|| wrong(name, *most))).collect();
        members.into_iter().flat_map(|m| m.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn an_audit_of_healthy_members_comes_to_its_end() {
    for (name, version) in HEALTHY {
        let [(status, audit), (expected, probe)] = both(name);
        assert_eq!((status, told(&audit)), (expected, told(&probe)), "{name}");
        assert!(audit.complete && accepted(&audit).iter().any(|a| a == version), "{name}: {:?}", accepted(&audit));
    }
}

//! `audit`: everything that one endpoint accepts.

use std::io;

use super::Status;
use super::args::{self, Common, LoginArgs};
use super::probe::{self, Asking};
use super::target::Target;
use crate::codes::client_profiles;
use crate::probe::{Audit, Part, Parts};
use crate::render::wrap;
use crate::wire::tls::simulate::hello_of;

/// What a part comes to, in connections: a word for the plan, before anything is known of the server.
const PLAN: [(Part, &str); 7] = [
    (
        Part::Versions,
        "SSL 2, SSL 3, TLS 1.0 to 1.3: a connection for each cipher suite that is taken, and about 12 more",
    ),
    (Part::Groups, "groups of the highest versions: one connection for each that is taken, and two more"),
    (
        Part::Schemes,
        "signature schemes: one connection for each that is taken, and one each for TLS 1.3 (16); a whole handshake for each kind of key where TLS 1.3 has several",
    ),
    (Part::Extensions, "names, protocols, compression, signals: up to 9 connections"),
    (Part::Resumption, "whether sessions are resumed: 3 whole handshakes"),
    (Part::Intolerances, "odd hellos that have to be answered all the same: up to 9 connections"),
    (
        Part::Security,
        "a NOOP behind AUTH TLS in one segment, AUTH inside TLS, USER in clear (no password): 3 connections",
    ),
];

/// Columns of a line.
const COLUMNS: usize = 80;

pub(super) fn run(args: &args::Audit, common: &Common, command: &str) -> io::Result<Status> {
    let parts = args.only.clone().unwrap_or_else(Parts::all);
    let clients = if args.simulate { clients(args) } else { Vec::new() };
    let plan = plan(args, &parts, clients.len());
    let audit = Audit { parts, parallel: usize::from(args.parallel), gentle: args.gentle, clients };
    let asking = Asking { audit, assume: args.assume.clone(), plan, dry_run: args.dry_run };
    let probe =
        args::Probe { targets: vec![args.target.clone()], dial: args.dial.clone(), login: LoginArgs::default() };
    probe::audit(&probe, asking, common, command)
}

/// The hellos of known clients, each with its name.
fn clients(args: &args::Audit) -> Vec<(String, Vec<u8>)> {
    let target = Target::parse(&args.target, args.dial.mode).ok();
    let name = target.filter(|t| t.ip().is_none() && !args.dial.no_sni).map(|t| t.host);
    let name = args.dial.sni.clone().or(name);
    client_profiles().filter_map(|p| Some((p.title(), hello_of(p, name.as_deref(), probe::random())?))).collect()
}

/// What will be done.
fn plan(args: &args::Audit, parts: &Parts, clients: usize) -> String {
    let mut out = format!("audit of {}:\n", super::term::safe(&args.target));
    out += "  1 ordinary session (handshake, FEAT, PBSZ, PROT, QUIT), then\n";
    for (part, words) in PLAN {
        if parts.has(part) {
            out += &item(words);
        }
    }
    if args.simulate {
        out += &item(&format!("the hellos of {clients} known clients: one connection each"));
    }
    let pace = if args.gentle {
        "one connection at a time, with pauses".to_owned()
    } else {
        let connections = if args.parallel == 1 { "connection" } else { "connections" };
        format!("at most {} {connections} at a time", args.parallel)
    };
    let manners = format!("{pace}; slower where the server complains. No login, no password, nothing written.");
    out + &wrap(&manners, COLUMNS).iter().map(|l| format!("{l}\n")).collect::<String>()
}

/// One thing of the plan, in as many lines as it needs.
fn item(words: &str) -> String {
    let lines = wrap(words, COLUMNS - 4);
    let begin = |n: usize| if n == 0 { "  " } else { "    " };
    lines.iter().enumerate().map(|(n, l)| format!("{}{l}\n", begin(n))).collect()
}

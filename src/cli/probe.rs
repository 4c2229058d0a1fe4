//! `probe`: a host in, a report out.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io::{self, Write};

use super::args::{Common, Probe};
use super::login::{self, Who};
use super::output::{self, Output};
use super::progress::Progress;
use super::target::{Target, is_host};
use super::{Status, complain, judges, term};
use crate::error::InputError;
use crate::facts::admits::Assume;
use crate::live::{self, Ended, Limits, Proxy, Unresolved, Way};
use crate::probe::{
    Audit, Auditor, Confides, Identity, Login, Machine, Patience, Plan, ServerName, Session, TlsClient, Where,
};
use crate::report::{About, SubjectKind, diagnose, judgement};
use crate::transcript::redact::{Level, redact};
use crate::transcript::{Asked, Authorities, Micros, Mode, OpenFailure};
use crate::trust::{self, Judgement, Stores};

/// What one run keeps of what it receives; a healthy one needs a few kilobytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

pub(super) fn run(args: &Probe, common: &Common, command: &str) -> io::Result<Status> {
    match prepare(args).and_then(|inputs| Ok((inputs, Output::new(common)?))) {
        Ok((inputs, output)) => Run { common, inputs, audit: None, output }.all(args, command),
        Err(error) => unreadable(&error),
    }
}

/// What is asked beside the session, in an audit.
pub(super) struct Asking {
    pub(super) audit: Audit,
    /// What the server is assumed to refuse beyond what it does.
    pub(super) assume: Option<Assume>,
    /// What will be done, for people.
    pub(super) plan: String,
    /// Nothing but to say so.
    pub(super) dry_run: bool,
}

/// An audit of the only target. What will be done is said when all inputs were read, and before the first connection.
pub(super) fn audit(args: &Probe, asking: Asking, common: &Common, command: &str) -> io::Result<Status> {
    let inputs = match prepare(args) {
        Ok(inputs) => inputs,
        Err(error) => return unreadable(&error),
    };
    if asking.dry_run {
        if let Err(error) = output::check(common) {
            return unreadable(&error);
        }
        io::stdout().write_all(asking.plan.as_bytes())?;
        return Ok(Status::Works);
    }
    let output = match Output::new(common) {
        Ok(output) => output,
        Err(error) => return unreadable(&error),
    };
    if !common.quiet {
        let _ = io::stderr().write_all(asking.plan.as_bytes());
    }
    Run { common, inputs, audit: Some(asking), output }.all(args, command)
}

fn unreadable(error: &InputError) -> io::Result<Status> {
    complain(&term::safe(&error.to_string()));
    Ok(Status::Unreadable)
}

/// Everything that is the same for all targets.
struct Run<'a> {
    common: &'a Common,
    inputs: Inputs,
    audit: Option<Asking>,
    output: Output,
}

/// What was read before the first connection.
struct Inputs {
    targets: Vec<Target>,
    way: Way,
    identity: Option<Identity>,
    authorities: Vec<Authorities>,
    stores: Stores,
    who: Option<Who>,
}

/// Reads every input before the first connection: a typing error must not cost a run.
fn prepare(args: &Probe) -> Result<Inputs, InputError> {
    let targets = args.targets.iter().map(|t| Target::parse(t, args.dial.mode)).collect::<Result<Vec<_>, _>>()?;
    let identity = judges::identity(args.dial.cert.as_deref(), args.dial.key.as_deref())?;
    TlsClient::new(identity.clone()).map_err(|e| {
        InputError::unreadable(args.dial.cert.as_deref().unwrap_or("--cert"), e.0, "a certificate and its key")
    })?;
    let authorities = judges::authorities(&args.dial.ca)?;
    let stores = judges::stores(&authorities);
    for (option, name) in [("--sni", &args.dial.sni), ("--verify-name", &args.dial.verify_name)] {
        let wrong = |n: &&String| !is_host(n) || (option == "--sni" && n.parse::<IpAddr>().is_ok());
        if let Some(name) = name.as_ref().filter(wrong) {
            let problem = format!("`{}` is no host name", term::safe(name));
            return Err(InputError::unreadable(option, problem, "a name such as ftp.example.org"));
        }
    }
    let proxy = args.dial.proxy.as_deref().map(proxy).transpose()?;
    let way = Way { source: args.dial.source, proxy };
    let who = login::who(&args.login)?;
    Ok(Inputs { targets, way, identity, authorities, stores, who })
}

fn proxy(url: &str) -> Result<Proxy, InputError> {
    let password = std::env::var("FTPSDIAG_PROXY_PASSWORD").ok();
    let proxy = Proxy::parse(url).map_err(|e| InputError::unreadable("--proxy", e.0, "--proxy socks5://HOST:PORT"))?;
    Ok(proxy.with_password(password))
}

impl Run<'_> {
    fn all(mut self, args: &Probe, command: &str) -> io::Result<Status> {
        let mut status = Status::Works;
        for target in std::mem::take(&mut self.inputs.targets) {
            let ways = match ways_to(&target, args, &self.inputs.way) {
                Ok(ways) => ways,
                Err(Nowhere::Interrupted) => return self.interrupted(),
                Err(Nowhere::Unusable(error)) => {
                    complain(&term::safe(&error.to_string()));
                    status = status.worse(Status::Unreadable);
                    continue;
                }
            };
            let login = match self.inputs.who.as_ref().map(|who| who.at(&target)).transpose() {
                Ok(login) => login.map(|login| Login { confides: self.confides(&target, args), ..login }),
                Err(error) => {
                    complain(&term::safe(&error.to_string()));
                    status = status.worse(Status::Unreadable);
                    continue;
                }
            };
            for to in ways {
                let (outcome, ended) = self.one(&target, to, login.clone(), args, command)?;
                status = status.worse(outcome);
                if ended == Ended::Interrupted {
                    return self.interrupted();
                }
            }
        }
        self.output.finish()?;
        Ok(status)
    }

    /// Who is told the password: servers whose certificate leaves no doubt, unless any will do, or it is none.
    fn confides(&self, target: &Target, args: &Probe) -> Option<Confides> {
        if args.dial.accept_any_certificate || args.login.anonymous {
            return None;
        }
        let (stores, name) =
            (self.inputs.stores.clone(), args.dial.verify_name.clone().unwrap_or_else(|| target.host.clone()));
        Some(Confides::by(move |chain| {
            let chain: Vec<Vec<u8>> = chain.iter().map(|c| c.0.clone()).collect();
            trust::judge(&chain, &name, &stores, Some(live::now().0.div_euclid(1_000_000))).leaves_no_doubt()
        }))
    }

    fn interrupted(&mut self) -> io::Result<Status> {
        self.output.finish()?;
        complain("interrupted: what was not probed until then is not in the output");
        Ok(Status::CannotTell)
    }

    fn one(
        &mut self,
        target: &Target,
        to: Result<Vec<Where>, OpenFailure>,
        login: Option<Login>,
        args: &Probe,
        command: &str,
    ) -> io::Result<(Status, Ended)> {
        let asked = Asked {
            target: target.name(),
            mode: if args.dial.mode == Mode::Auto { target.mode.unwrap_or_default() } else { args.dial.mode },
            verify_name: args.dial.verify_name.clone(),
            any_certificate: args.dial.accept_any_certificate,
            authorities: kept(&self.inputs.authorities),
            login: self.inputs.who.as_ref().map(Who::tried),
        };
        // A client of its own for each report: a session that was resumed from another shows no certificate.
        let tls = TlsClient::new(self.inputs.identity.clone()).map_err(|e| io::Error::other(e.0))?;
        let patience = Patience::of(micros(args.dial.timeout));
        let plan = Plan {
            asked: asked.clone(),
            host: target.host.clone(),
            port: target.port,
            to,
            server_name: server_name(target, args),
            tls,
            patience,
            random: random(),
            login,
        };
        let limits = Limits {
            time: args.dial.max_time,
            step: args.dial.timeout,
            bytes: MOST_BYTES,
            keep_data: args.login.keep_data,
        };
        let mut progress = Progress::new(&target.name(), self.common.quiet);
        let mut machine: Box<dyn Machine> = match &self.audit {
            Some(asking) => Box::new(Auditor::new(plan, asking.audit.clone())),
            None => Box::new(Session::new(plan)),
        };
        let host = target.ip().is_none().then_some(target.host.as_str());
        let (mut transcript, ended) =
            live::probe(machine.as_mut(), host, &self.inputs.way, limits, &mut |seen| progress.tell(seen))?;
        drop(progress);
        transcript.origin.asked = Some(asked);
        // Judged first: what redaction writes over can no longer be verified.
        let judgement =
            (self.common.redact >= Level::Names).then(|| judgement(&transcript, &self.inputs.stores)).flatten();
        redact(&mut transcript, self.common.redact);
        let hidden = self.common.redact >= Level::Names;
        let about = About {
            kind: if self.audit.is_some() { SubjectKind::Audit } else { SubjectKind::Probe },
            reference: self.common.reference.as_deref().map(term::masked),
            command: if hidden { "ftpsdiag probe (redacted)".to_owned() } else { command.to_owned() },
            complete: ended == Ended::Finished,
            too_much: if let Ended::TooMuch(bytes) = ended { Some(bytes) } else { None },
            seen_from: if hidden { None } else { term::host_name() },
            stores: self.inputs.stores.clone(),
            judgement: judgement.map(Judgement::without_names),
            assume: self.audit.as_ref().and_then(|asking| asking.assume.clone()),
            ..About::default()
        };
        let report = diagnose(transcript, &about);
        self.output.report(&report)?;
        let status = Status::of(report.verdict.outcome);
        // Who asks for all that is accepted has no answer in a part of it.
        let is_part = self.audit.is_some() && !report.complete;
        Ok((if is_part { status.worse(Status::CannotTell) } else { status }, ended))
    }
}

/// Why there is no way to a target.
enum Nowhere {
    /// The options leave none of its addresses.
    Unusable(InputError),
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// Addresses, a list for each report: one list of all of them, or a list for each with `--all-addresses`.
///
/// # Errors
/// When the options leave none of the addresses that there are, or when it was interrupted.
fn ways_to(target: &Target, args: &Probe, way: &Way) -> Result<Vec<Result<Vec<Where>, OpenFailure>>, Nowhere> {
    let fixed = args.dial.resolve.or_else(|| target.ip());
    let found = match fixed {
        Some(ip) => Ok(vec![SocketAddr::new(ip, target.port)]),
        None if way.proxy.is_some() => return Ok(vec![Ok(vec![Where::Name(target.host.clone(), target.port)])]),
        None => live::resolve(&target.host, target.port, args.dial.timeout),
    };
    let addresses = match found {
        Err(Unresolved::Interrupted) => return Err(Nowhere::Interrupted),
        Err(Unresolved::Nothing) => return Ok(vec![Err(OpenFailure::Dns)]),
        Ok(addresses) => addresses,
    };
    let (v4, v6) = (way.source.is_some_and(|s| s.is_ipv4()), way.source.is_some_and(|s| s.is_ipv6()));
    let usable = |a: &&SocketAddr| if a.is_ipv4() { !args.dial.ipv6 && !v6 } else { !args.dial.ipv4 && !v4 };
    let to: Vec<Where> = addresses.iter().filter(usable).copied().map(Where::Address).collect();
    if to.is_empty() {
        let has: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
        let problem = format!("no address that -4, -6 or --source allows; it has {}", has.join(", "));
        let error = InputError::unreadable(&target.name(), problem, "leave the option out");
        return Err(Nowhere::Unusable(error));
    }
    Ok(if args.dial.all_addresses { to.into_iter().map(|a| Ok(vec![a])).collect() } else { vec![Ok(to)] })
}

/// The user's lists as the report keeps them: whole, or not at all when they are as long as a system's.
fn kept(lists: &[Authorities]) -> Vec<Authorities> {
    const MOST: usize = 100;
    let few = lists.iter().map(|l| l.certificates.len()).sum::<usize>() <= MOST;
    if few { lists.to_vec() } else { Vec::new() }
}

fn server_name(target: &Target, args: &Probe) -> ServerName {
    match (&args.dial.sni, args.dial.no_sni, target.ip()) {
        (_, true, _) => ServerName::Omit,
        (Some(name), ..) => ServerName::Send(name.clone()),
        (None, _, Some(_)) => ServerName::Omit,
        (None, ..) => ServerName::Send(target.host.trim_end_matches('.').to_owned()),
    }
}

fn micros(d: Duration) -> Micros {
    Micros(u64::try_from(d.as_micros()).unwrap_or(u64::MAX))
}

/// Randoms for hand-built hellos: unlike each other is enough, nothing secret hangs on them.
pub(super) fn random() -> [u8; 32] {
    use std::hash::{BuildHasher, RandomState};
    let mut out = [0; 32];
    for (n, part) in out.chunks_mut(8).enumerate() {
        part.copy_from_slice(&RandomState::new().hash_one(n).to_be_bytes());
    }
    out
}

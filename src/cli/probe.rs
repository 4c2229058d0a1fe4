//! `probe`: a host in, a report out.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io;

use super::args::{Common, Probe};
use super::output::Output;
use super::progress::Progress;
use super::target::Target;
use super::{Status, complain, judges, term};
use crate::error::InputError;
use crate::live::{self, Ended, Family, Limits, Proxy, Way};
use crate::probe::{Patience, Plan, ServerName, Session, TlsClient, Where};
use crate::report::{About, SubjectKind, diagnose};
use crate::transcript::redact::{Level, redact};
use crate::transcript::{Asked, Micros, Mode, OpenFailure};
use crate::trust::Stores;

/// Received bytes of one run; a healthy one needs a few kilobytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

pub(super) fn run(args: &Probe, common: &Common, command: &str) -> io::Result<Status> {
    match prepare(args, common) {
        Ok(run) => run.all(args, command),
        Err(error) => {
            complain(&term::safe(&error.to_string()));
            Ok(Status::Unreadable)
        }
    }
}

/// Everything that is the same for all targets.
struct Run<'a> {
    common: &'a Common,
    targets: Vec<Target>,
    way: Way,
    tls: TlsClient,
    stores: Stores,
    output: Output,
}

/// Reads every input before the first connection: a typing error must not cost a run.
fn prepare<'a>(args: &Probe, common: &'a Common) -> Result<Run<'a>, InputError> {
    let targets = args.targets.iter().map(|t| Target::parse(t, args.mode)).collect::<Result<Vec<_>, _>>()?;
    let identity = judges::identity(args.cert.as_deref(), args.key.as_deref())?;
    let tls = TlsClient::new(identity).map_err(|e| {
        InputError::unreadable(args.cert.as_deref().unwrap_or("--cert"), e.0, "a certificate and its key")
    })?;
    let stores = judges::stores(&args.ca)?;
    let proxy = args.proxy.as_deref().map(proxy).transpose()?;
    let way = Way { source: args.source, proxy };
    Ok(Run { common, targets, way, tls, stores, output: Output::new(common)? })
}

fn proxy(url: &str) -> Result<Proxy, InputError> {
    let password = std::env::var("FTPSDIAG_PROXY_PASSWORD").ok();
    let proxy = Proxy::parse(url).map_err(|e| InputError::unreadable("--proxy", e.0, "--proxy socks5://HOST:PORT"))?;
    Ok(proxy.with_password(password))
}

impl Run<'_> {
    fn all(mut self, args: &Probe, command: &str) -> io::Result<Status> {
        let mut status = Status::Works;
        for target in std::mem::take(&mut self.targets) {
            for to in ways_to(&target, args, &self.way) {
                let (outcome, ended) = self.one(&target, to, args, command)?;
                status = status.worse(outcome);
                if ended == Ended::Interrupted {
                    self.output.finish()?;
                    return Ok(Status::CannotTell);
                }
            }
        }
        self.output.finish()?;
        Ok(status)
    }

    fn one(
        &mut self,
        target: &Target,
        to: Result<Vec<Where>, OpenFailure>,
        args: &Probe,
        command: &str,
    ) -> io::Result<(Status, Ended)> {
        let asked = Asked {
            target: target.name(),
            mode: if args.mode == Mode::Auto { target.mode.unwrap_or_default() } else { args.mode },
            verify_name: args.verify_name.clone(),
            any_certificate: args.accept_any_certificate,
        };
        let patience = Patience::of(micros(args.timeout));
        let plan = Plan {
            asked: asked.clone(),
            host: target.host.clone(),
            port: target.port,
            to,
            server_name: server_name(target, args),
            tls: self.tls.clone(),
            patience,
            random: random(),
        };
        let limits = Limits { time: args.max_time, step: args.timeout, bytes: MOST_BYTES };
        let progress = Progress::new(&target.name(), self.common.quiet);
        let mut session = Session::new(plan);
        let host = target.ip().is_none().then_some(target.host.as_str());
        let (mut transcript, ended) =
            live::probe(&mut session, host, &self.way, limits, &mut |entry| progress.tell(entry))?;
        drop(progress);
        transcript.origin.asked = Some(asked);
        redact(&mut transcript, self.common.redact);
        let hidden = self.common.redact >= Level::Names;
        let about = About {
            kind: SubjectKind::Probe,
            reference: self.common.reference.as_deref().map(term::masked),
            command: if hidden { "ftpsdiag probe (redacted)".to_owned() } else { command.to_owned() },
            complete: ended == Ended::Finished,
            seen_from: if hidden { None } else { term::host_name() },
            stores: self.stores.clone(),
            ..About::default()
        };
        let report = diagnose(transcript, &about);
        self.output.report(&report)?;
        Ok((Status::of(report.verdict.outcome), ended))
    }
}

/// Addresses, a list for each report: one list of all of them, or a list for each with `--all-addresses`.
fn ways_to(target: &Target, args: &Probe, way: &Way) -> Vec<Result<Vec<Where>, OpenFailure>> {
    let family = match (args.ipv4, args.ipv6) {
        (true, _) => Family::V4,
        (_, true) => Family::V6,
        _ => Family::Any,
    };
    let fixed = args.resolve.or_else(|| target.ip());
    let found = match fixed {
        Some(ip) => Ok(vec![SocketAddr::new(ip, target.port)]),
        None if way.proxy.is_some() => return vec![Ok(vec![Where::Name(target.host.clone(), target.port)])],
        None => live::resolve(&target.host, target.port, family, args.timeout),
    };
    let usable = |a: &SocketAddr| match way.source {
        Some(IpAddr::V4(_)) => a.is_ipv4(),
        Some(IpAddr::V6(_)) => a.is_ipv6(),
        None => true,
    };
    match found {
        Err(why) => vec![Err(why)],
        Ok(addresses) => {
            let to: Vec<Where> = addresses.into_iter().filter(usable).map(Where::Address).collect();
            if args.all_addresses { to.into_iter().map(|a| Ok(vec![a])).collect() } else { vec![Ok(to)] }
        }
    }
}

fn server_name(target: &Target, args: &Probe) -> ServerName {
    match (&args.sni, args.no_sni, target.ip()) {
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
fn random() -> [u8; 32] {
    use std::hash::{BuildHasher, RandomState};
    let mut out = [0; 32];
    for (n, part) in out.chunks_mut(8).enumerate() {
        part.copy_from_slice(&RandomState::new().hash_one(n).to_be_bytes());
    }
    out
}

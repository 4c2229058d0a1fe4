//! Takes names out of a transcript before anything is concluded from it, so that report, hex and ladder are all without them.
//!
//! The same name gets the same placeholder throughout. Texts may change their length; inside TLS records lengths stay,
//! or the records would no longer be records.

mod bytes;
mod claims;
mod texts;
mod users;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::collections::{BTreeMap, BTreeSet};

use super::speakers::is_config;
use super::{Conn, Decrypted, Flow, Layer, Side, Transcript, What};
pub use texts::Texts;

use bytes::{blank, blank_addresses, blank_der_strings, blank_host_names, blank_users, host_of, is_host_name};
use users::{is_of_word, without_lengths};

use crate::wire::tls::record::{Front, HEADER_LEN, front};
use crate::wire::tls::ssl2;

/// What is taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    #[default]
    None,
    /// User and job names.
    Users,
    /// Also hosts, addresses, names in certificates, names of input files.
    Names,
    /// Also arguments of commands (paths, data sets) and quoted texts in replies.
    All,
}

impl Level {
    /// The name that `--redact` takes.
    pub fn name(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Users => "users",
            Level::Names => "names",
            Level::All => "all",
        }
    }
}

/// Commands whose argument says nothing about a site.
const HARMLESS: [&str; 17] = [
    "AUTH", "PBSZ", "PROT", "CCC", "TYPE", "MODE", "STRU", "FEAT", "PASV", "EPSV", "SYST", "NOOP", "QUIT", "PASS",
    "ACCT", "OPTS", "REST",
];

/// Takes out what `level` says.
pub fn redact(t: &mut Transcript, level: Level) {
    if level == Level::None {
        return;
    }
    let mut r = Redactor { level, users: BTreeMap::new(), hosts: BTreeMap::new(), addresses: BTreeMap::new() };
    r.collect(t);
    if level >= Level::Names {
        for conn in &mut t.conns {
            r.conn(conn);
        }
        if let Some(asked) = &mut t.origin.asked {
            asked.target = r.text(&asked.target);
            asked.authorities.clear();
            asked.verify_name = asked.verify_name.take().map(|n| r.text(&n));
        }
    }
    let mut flows: BTreeMap<Flow, Vec<u8>> = BTreeMap::new();
    let ends = ends(t);
    for (n, entry) in t.entries.iter_mut().enumerate() {
        let flow = flow_of(entry);
        match &mut entry.what {
            What::Bytes { data, .. } => {
                let Some(flow) = flow else { continue };
                let pending = flows.entry(flow).or_default();
                pending.append(data);
                *data = r.bytes(pending, flow.from, ends.contains(&n));
            }
            What::Claim { by, text, .. } => {
                if level >= Level::Names {
                    *text = claims::without_names(by, text);
                }
                // The name of a file is no host.
                if !is_config(by) {
                    *by = r.text(by);
                }
                *text = r.text(text);
            }
            What::Decrypted {
                seen: Decrypted::Certificates { chain: ders } | Decrypted::CertificateRequest { authorities: ders },
                ..
            } if level >= Level::Names => {
                for der in ders {
                    blank_addresses(&mut der.0);
                    blank_der_strings(&mut der.0);
                }
            }
            _ => {}
        }
    }
    for (n, input) in t.origin.inputs.iter_mut().enumerate() {
        // Prose may hold any name.
        input.unread.clear();
        if level >= Level::Names {
            input.name = format!("input-{}", n + 1);
        }
    }
    t.origin.redacted = Some(level.name().to_owned());
}

/// Entries behind whose bytes nothing of their flow follows at once: the last of each, and those before bytes that are not kept.
/// Nothing waits there for the rest of its record or line.
fn ends(t: &Transcript) -> BTreeSet<usize> {
    let mut last: BTreeMap<Flow, usize> = BTreeMap::new();
    let mut out = BTreeSet::new();
    for (n, entry) in t.entries.iter().enumerate() {
        match (&entry.what, flow_of(entry)) {
            (_, Some(flow)) => drop(last.insert(flow, n)),
            (What::Skipped { from, layer, .. }, _) => {
                out.extend(last.remove(&Flow { conn: entry.conn, layer: *layer, from: *from }));
            }
            (What::Gap { from, .. }, _) => {
                out.extend(last.remove(&Flow { conn: entry.conn, layer: Layer::Wire, from: *from }));
            }
            _ => {}
        }
    }
    out.extend(last.into_values());
    out
}

fn flow_of(entry: &super::Entry) -> Option<Flow> {
    match &entry.what {
        What::Bytes { from, layer, .. } => Some(Flow { conn: entry.conn, layer: *layer, from: *from }),
        _ => None,
    }
}

#[derive(Debug)]
struct Redactor {
    level: Level,
    users: BTreeMap<String, String>,
    hosts: BTreeMap<String, String>,
    addresses: BTreeMap<IpAddr, IpAddr>,
}

impl Redactor {
    /// Names that stand somewhere in a form that says what they are.
    fn collect(&mut self, t: &Transcript) {
        let asked = t.origin.asked.iter().flat_map(|a| [Some(host_of(&a.target)), a.verify_name.as_deref()]);
        for host in t.conns.iter().map(|c| c.host.as_deref()).chain(asked).flatten() {
            self.host(host);
        }
        self.typed_users(t);
        for entry in &t.entries {
            let What::Claim { by, text, .. } = &entry.what else { continue };
            if let Some((_, job)) = by.split_once(", job ") {
                self.user(job);
            }
            for name in claims::names_in(text) {
                self.user(name);
            }
            if let Some(owner) = claims::owner_of_ring(by, text) {
                self.user(owner);
            }
        }
    }

    /// A word that is known to be a host, though it may not look like one. An address stays one.
    fn host(&mut self, name: &str) {
        let next = self.hosts.len() + 1;
        if !name.is_empty() && name.parse::<IpAddr>().is_err() {
            self.hosts.entry(name.to_ascii_lowercase()).or_insert_with(|| format!("host-{next}.example"));
        }
    }

    fn conn(&mut self, conn: &mut Conn) {
        conn.host = conn.host.take().map(|h| self.word(&h));
        for address in [&mut conn.peer, &mut conn.local].into_iter().flatten() {
            *address = SocketAddr::new(self.address(address.ip()), address.port());
        }
    }

    /// The address of the documentation ranges (RFC 5737, RFC 3849) that stands for `ip`.
    fn address(&mut self, ip: IpAddr) -> IpAddr {
        let next = u8::try_from(self.addresses.len() + 1).unwrap_or(u8::MAX);
        *self.addresses.entry(ip).or_insert(match ip {
            IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, next).into(),
            IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, next.into()).into(),
        })
    }

    /// Whole lines and whole records of `pending` redacted, or all of it at the end of the flow.
    fn bytes(&mut self, pending: &mut Vec<u8>, from: Side, end: bool) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            let (len, is_record) = match (front(pending), ssl2::front_of_either(pending)) {
                (Front::Record(h), _) => (HEADER_LEN + usize::from(h.len), true),
                (_, ssl2::Front::Message(len)) => (len, true),
                (Front::Undecided, _) | (_, ssl2::Front::Undecided) if !end => break,
                _ => (pending.iter().position(|b| *b == b'\n').map_or(usize::MAX, |n| n + 1), false),
            };
            if pending.is_empty() || (len > pending.len() && !end) {
                break;
            }
            let mut unit: Vec<u8> = pending.drain(..len.min(pending.len())).collect();
            if is_record {
                self.record(&mut unit);
                out.extend(unit);
            } else {
                // A char for each byte, whatever the character set: what is replaced is ASCII.
                let text: String = unit.iter().map(|b| char::from(*b)).collect();
                out.extend(self.line(&text, from).chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')));
            }
        }
        out
    }

    fn record(&self, record: &mut [u8]) {
        if !matches!(record.first(), Some(22 | 0x80..)) {
            return;
        }
        blank_users(record, self.users.keys());
        if self.level < Level::Names {
            return;
        }
        blank_addresses(record);
        blank_der_strings(record);
        blank_host_names(record);
        for host in self.hosts.keys() {
            blank(record, host.as_bytes());
        }
    }

    fn line(&mut self, line: &str, from: Side) -> String {
        let end = line.len() - line.trim_end_matches(['\r', '\n']).len();
        let (body, end) = line.split_at_checked(line.len() - end).unwrap_or((line, ""));
        let body = &without_lengths(body);
        // The code of a reply is no part of a name: "220-ftp.example.org ready".
        if let Some((code @ [a, b, c, b'-'], _)) = body.as_bytes().split_first_chunk::<4>()
            && [a, b, c].iter().all(|d| d.is_ascii_digit())
        {
            let rest = body.get(code.len()..).unwrap_or_default().to_owned();
            return body.chars().take(4).collect::<String>() + &self.text(&rest) + end;
        }
        let (verb, argument) = body.split_once(' ').unwrap_or((body, ""));
        // Verbs that no specification has are longer now and then.
        let longest = if from == Side::Client { 12 } else { 4 };
        let is_command = (1..=longest).contains(&verb.len()) && verb.bytes().all(|b| b.is_ascii_alphabetic());
        let upper = verb.to_ascii_uppercase();
        if !is_command || argument.is_empty() {
            return self.text(body) + end;
        }
        if self.level == Level::All && !HARMLESS.contains(&upper.as_str()) && upper != "USER" {
            return format!("{verb} REDACTED{end}");
        }
        format!("{verb} {}{end}", self.text(argument))
    }

    fn text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut word = String::new();
        let mut quoted = false;
        for c in text.chars().chain(['\n']) {
            if is_of_word(c) {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                let replaced =
                    if quoted && self.level == Level::All { "REDACTED".to_owned() } else { self.word(&word) };
                out.push_str(&replaced);
                word.clear();
            }
            quoted ^= c == '"';
            out.push(c);
        }
        out.pop();
        if self.level >= Level::Names { self.passive_address(&out) } else { out }
    }

    fn word(&mut self, word: &str) -> String {
        // `NAME (host:user).` A loop: who writes the same name a million times gets no million calls.
        let mut rest = word.trim_end_matches(['.', ':']);
        let tail = word.strip_prefix(rest).unwrap_or_default();
        let mut parts = Vec::new();
        while let Some((host, user)) = rest.rsplit_once(':')
            && let Some(user) = self.users.get(&user.to_ascii_lowercase())
        {
            parts.push(user.clone());
            rest = host;
        }
        if parts.is_empty() {
            return self.of_user(word).unwrap_or_else(|| self.named(word));
        }
        parts.push(self.of_user(rest).unwrap_or_else(|| self.named(rest)));
        parts.reverse();
        parts.join(":") + tail
    }

    /// A word that is no user: a name, an address, or anything else.
    fn named(&mut self, word: &str) -> String {
        if self.level < Level::Names {
            return word.to_owned();
        }
        let trimmed = word.trim_end_matches(['.', ':']);
        let tail = word.strip_prefix(trimmed).unwrap_or_default();
        // ip, ip:port, [ip], and the ip.port of System SSL
        for (ip, behind) in [
            (trimmed, ""),
            trimmed.rsplit_once(':').unwrap_or((trimmed, "")),
            trimmed.rsplit_once('.').unwrap_or((trimmed, "")),
        ] {
            if let Ok(ip) = ip.parse::<IpAddr>() {
                let separator =
                    trimmed.get(trimmed.len() - behind.len() - usize::from(!behind.is_empty())..).unwrap_or_default();
                let separator = if behind.is_empty() { "" } else { separator };
                return format!("{}{separator}{tail}", self.address(ip));
            }
        }
        let port = trimmed.rsplit_once(':').map_or("", |(_, port)| port);
        let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let behind = if is_port { port.len() + 1 } else { 0 };
        let (trimmed, _) = trimmed.split_at_checked(trimmed.len() - behind).unwrap_or((trimmed, ""));
        let tail = word.strip_prefix(trimmed).unwrap_or_default();
        if is_host_name(trimmed) || self.hosts.contains_key(&trimmed.to_ascii_lowercase()) {
            let next = self.hosts.len() + 1;
            let name = self.hosts.entry(trimmed.to_ascii_lowercase()).or_insert_with(|| format!("host-{next}.example"));
            return format!("{name}{tail}");
        }
        word.to_owned()
    }

    /// `(10,0,0,1,4,1)` of a 227 reply or a PORT command.
    fn passive_address(&mut self, text: &str) -> String {
        let words = text.split(['(', ')', ' ']);
        let Some(word) = words.map(|w| w.trim_end_matches('.')).find(|w| w.split(',').count() == 6) else {
            return text.to_owned();
        };
        let parts: Vec<u8> = word.split(',').filter_map(|p| p.parse().ok()).collect();
        let [a, b, c, d, high, low] = parts[..] else { return text.to_owned() };
        let IpAddr::V4(ip) = self.address(Ipv4Addr::new(a, b, c, d).into()) else { return text.to_owned() };
        let [a, b, c, d] = ip.octets();
        text.replace(word, &format!("{a},{b},{c},{d},{high},{low}"))
    }
}

#[cfg(test)]
mod tests;

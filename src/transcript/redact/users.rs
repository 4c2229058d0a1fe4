//! Names of users: where a session shows them, and what stands for them.

use std::collections::BTreeMap;

use super::bytes::is_host_name;
use super::{Level, Redactor, flow_of};
use crate::transcript::{Flow, Side, Transcript, What};
use crate::wire::ftp;

/// Bytes of a line that may be a USER.
const LONGEST: usize = 1024;

/// Who uses these is nobody.
const NOBODY: [&str; 2] = ["anonymous", "ftp"];

impl Redactor {
    /// The names in the USER commands of a session.
    pub(super) fn typed_users(&mut self, t: &Transcript) {
        let mut begun: BTreeMap<Flow, Vec<u8>> = BTreeMap::new();
        for entry in &t.entries {
            let (What::Bytes { from: Side::Client, data, .. }, Some(flow)) = (&entry.what, flow_of(entry)) else {
                continue;
            };
            let line = begun.entry(flow).or_default();
            // A record has no lines.
            if line.len() > LONGEST || line.first().is_some_and(|b| matches!(b, 20..=24 | 0x80..)) {
                line.clear();
            }
            let mut parts = data.split(|b| *b == b'\n');
            line.extend(parts.next().unwrap_or_default());
            for part in parts {
                self.typed(&core::mem::replace(line, part.to_vec()));
            }
        }
        begun.values().for_each(|line| self.typed(line));
    }

    /// The names in a line, if it is a USER. Proxies are told more by it: `joe@host`, `joe@gate@host`, `joe gate`, and some clients
    /// add a password: `joe:********`.
    fn typed(&mut self, line: &[u8]) {
        let (verb, argument) = ftp::command(line);
        if verb != "USER" {
            return;
        }
        let argument = String::from_utf8_lossy(argument).into_owned();
        let (user, host) = argument.rsplit_once('@').map_or((argument.as_str(), ""), |(user, host)| (user, host));
        for word in user.split(|c| !is_of_word(c) || c == ':') {
            self.user(word.trim_matches('.'));
        }
        // A name of a host shows what it is; where it has no dots, this is the place that says it.
        let host = host.split(':').next().unwrap_or_default().trim();
        if host.chars().all(is_of_word) && !is_host_name(host) {
            self.host(host);
        }
    }

    /// A word that is known to be a user.
    pub(super) fn user(&mut self, name: &str) {
        let next = self.users.len() + 1;
        let name = name.to_ascii_lowercase();
        if !name.is_empty() && !NOBODY.contains(&name.as_str()) {
            self.users.entry(name).or_insert_with(|| format!("user-{next}"));
        }
    }

    /// What stands for a word that is a user, in any case; or whose first part is one, as of a data set.
    pub(super) fn of_user(&self, word: &str) -> Option<String> {
        let known = |name: &str| self.users.get(&name.to_ascii_lowercase());
        if let Some(user) = known(word) {
            return Some(user.clone());
        }
        let name = word.trim_end_matches(['.', ':']);
        // A name of a host goes as a whole, with those of hosts.
        let is_host = self.level >= Level::Names && is_host_name(word);
        let (name, behind) = if known(name).is_some() || is_host {
            (name, word.strip_prefix(name)?)
        } else {
            word.split_at_checked(word.find('.')?)?
        };
        Some(format!("{}{behind}", known(name)?))
    }
}

/// Whether a character is one of a word that may be a name.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-:#$".contains(c)
}

/// A text in which asterisks in place of a secret no longer tell how long it was.
pub(super) fn without_lengths(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(MASKED) {
        let (before, masked) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out += before;
        out += crate::transcript::secrets::MASK;
        rest = masked.trim_start_matches('*');
    }
    out + rest
}

/// The shortest secret that is masked in its own length.
const MASKED: &str = "****";

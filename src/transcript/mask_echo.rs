//! Secrets that come back: a server that quotes the command it does not know, and a password typed without its verb.

use std::collections::BTreeMap;

use super::{ConnId, Layer, Role, Side, Transcript, What};
use crate::wire::ftp;

/// So many secrets of a connection are looked for; a session types one or two.
const MOST: usize = 16;
/// Shorter ones are words of any reply.
const SHORTEST: usize = 4;
/// Longer ones are no passwords.
const LONGEST: usize = 256;

/// What the client of one connection typed as a secret, in small letters.
#[derive(Debug)]
pub(super) struct Typed {
    /// The entry of its first bytes: what was said before is no echo.
    since: usize,
    open: Vec<u8>,
    whole: Vec<Vec<u8>>,
}

impl Typed {
    /// Of a client whose first bytes are this entry.
    pub(super) fn at(entry: usize) -> Self {
        Self { since: entry, open: Vec::new(), whole: Vec::new() }
    }

    /// The next byte of a secret.
    pub(super) fn byte(&mut self, b: u8) {
        if self.open.len() <= LONGEST {
            self.open.push(b.to_ascii_lowercase());
        }
    }

    /// The end of a secret: a change of passwords names two.
    pub(super) fn end(&mut self) {
        let line = core::mem::take(&mut self.open);
        self.add(&line);
        line.split(|b| *b == b' ').for_each(|word| self.add(word));
    }

    fn add(&mut self, secret: &[u8]) {
        let secret = secret.trim_ascii().to_ascii_lowercase();
        let is_masked = secret.iter().all(|b| *b == b'*');
        if (SHORTEST..=LONGEST).contains(&secret.len())
            && !is_masked
            && self.whole.len() < MOST
            && !self.whole.contains(&secret)
        {
            self.whole.push(secret);
        }
    }

    /// Puts asterisks in place of every secret in a line.
    fn blank(&self, line: &mut [u8]) {
        for secret in &self.whole {
            let mut rest = &mut *line;
            while let Some(at) = rest.windows(secret.len()).position(|w| w.eq_ignore_ascii_case(secret)) {
                let Some((_, found)) = rest.split_at_mut_checked(at) else { break };
                let Some((found, behind)) = found.split_at_mut_checked(secret.len()) else { break };
                found.fill(b'*');
                rest = behind;
            }
        }
    }
}

/// Masks secrets that were typed without a verb, and those that come back, in the clear lines of control connections.
/// Lengths stay. What is no text stays as it is: a TLS record holds no echo.
pub(super) fn mask_echoes(t: &mut Transcript, typed: &mut BTreeMap<ConnId, Typed>) {
    let mut flows: BTreeMap<(ConnId, Side, Layer), Vec<usize>> = BTreeMap::new();
    for (n, entry) in t.entries.iter().enumerate() {
        let role = t.conns.get(usize::from(entry.conn.0)).map(|c| c.role).unwrap_or_default();
        if let What::Bytes { from, layer, .. } = &entry.what
            && role == Role::Control
        {
            flows.entry((entry.conn, *from, *layer)).or_default().push(n);
        }
    }
    // What a client typed without a verb is known before what its server says is read.
    for side in [Side::Client, Side::Server] {
        for ((conn, _, _), entries) in flows.iter().filter(|((_, from, _), _)| *from == side) {
            let typed = typed.entry(*conn).or_insert_with(|| Typed::at(0));
            typed.end();
            mask_flow(t, entries, side, typed);
        }
    }
}

/// The lines of one flow.
fn mask_flow(t: &mut Transcript, entries: &[usize], side: Side, typed: &mut Typed) {
    let since = typed.since;
    let entries = || entries.iter().copied().filter(move |n| *n >= since);
    let mut all = Vec::new();
    for n in entries() {
        if let Some(What::Bytes { data, .. }) = t.entries.get(n).map(|e| &e.what) {
            all.extend_from_slice(data);
        }
    }
    let mut user = false;
    for line in all.split_mut(|b| *b == b'\n').filter(|line| line.iter().all(|b| ftp::is_text(*b))) {
        match side {
            Side::Client => bare_password(line, &mut user, typed),
            Side::Server => quoted_command(line),
        }
        typed.blank(line);
    }
    let mut rest = all.as_slice();
    for n in entries() {
        if let Some(What::Bytes { data, .. }) = t.entries.get_mut(n).map(|e| &mut e.what)
            && let Some((own, behind)) = rest.split_at_checked(data.len())
        {
            // Most entries hold nothing to mask.
            if data.as_slice() != own {
                *data = own.to_vec();
            }
            rest = behind;
        }
    }
}

/// Behind a USER a line of one word that is no command is a password without its verb; a second word of USER is one too.
fn bare_password(line: &mut [u8], user: &mut bool, typed: &mut Typed) {
    let text = line.trim_ascii();
    let mut words = text.splitn(3, |b| *b == b' ');
    let (verb, _, password) = (words.next().unwrap_or_default(), words.next(), words.next());
    if verb.eq_ignore_ascii_case(b"USER") {
        *user = true;
        typed.add(password.unwrap_or_default());
        // `anonymous` as the password too: the name is shown anyway.
        let name = text.split(|b| *b == b' ').nth(1).unwrap_or_default();
        typed.whole.retain(|secret| !secret.eq_ignore_ascii_case(name));
    } else if *user
        && password.is_none()
        && verb.len() == text.len()
        && !ftp::may_begin_command(&[verb, b"\r"].concat())
    {
        typed.add(verb);
    }
}

/// `500 'PASS xxx': command not understood`, also where what the client sent was not seen.
fn quoted_command(line: &mut [u8]) {
    for quote in [b'\'', b'"', b'`'] {
        for verb in [b"PASS ", b"ACCT "] {
            let begin = [&[quote], verb.as_slice()].concat();
            let Some(at) = line.windows(begin.len()).position(|w| w.eq_ignore_ascii_case(&begin)) else { continue };
            let Some(secret) = line.get_mut(at + begin.len()..) else { continue };
            // A password may hold the quote itself: the last one of the line ends it.
            let closing = if quote == b'`' { b'\'' } else { quote };
            let end = secret.iter().rposition(|b| *b == closing).unwrap_or(secret.len());
            secret.iter_mut().take(end).filter(|b| **b != b'\r').for_each(|b| *b = b'*');
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::transcript::secrets::mask_flows;
    use crate::transcript::{What, dialogue};

    fn masked(play: &str) -> String {
        let mut t = dialogue::parse(play).unwrap();
        mask_flows(&mut t);
        let data =
            t.entries.into_iter().filter_map(|e| if let What::Bytes { data, .. } = e.what { Some(data) } else { None });
        String::from_utf8_lossy(&data.collect::<Vec<_>>().concat()).into_owned()
    }

    #[test]
    fn no_echo_shows_a_password() {
        for play in [
            "0 C \"PASS s3cret\\r\\n\"\n1 S \"500 'PASS s3cret': command not understood\\r\\n\"",
            "0 C \"PASS  s3cret\\r\\n\"\n1 S \"500 S3CRET?\\r\\n\"",
            "0 C \"PASS\\ts3cret\\r\\n\"\n1 S \"500 s3c\"\n2 S \"ret s3cret\\r\\n\"",
            "0 C \"SITE PSWD olds3cret s3cret\\r\\n\"\n1 S \"500 s3cret, olds3cret\\r\\n\"",
            "0 C \"USER joe s3cret\\r\\n\"\n1 S \"331 ok\\r\\n\"\n2 C \"s3cret\\r\\n\"\n3 S \"500 S3CRET\\r\\n\"",
            "0 C \"USER joe\\r\\n\"\n1 C \"s3cret\\r\\n\"\n2 S \"500 s3cret\\r\\n\"",
            "0 S \"500 'PASS s3cret': command not understood\\r\\n\"",
        ] {
            let shown = masked(play).to_lowercase();
            assert!(!shown.contains("s3c") && !shown.contains("ret"), "{play}: {shown:?}");
        }
    }

    #[test]
    fn what_is_no_echo_stays() {
        for said in ["331 Send PASS command.", "500 'PASS': needs an argument", "220 s3cret", "SITE UMASK 022", "SITE"]
        {
            let play = format!("0 S \"{said}\\r\\n\"\n1 C \"NOOP\\r\\n\"\n2 C \"PASS s3cret\\r\\n\"");
            assert!(masked(&play).starts_with(said), "{said}");
        }
        let play =
            "0 C \"SITE UMASK 022\\r\\nUSER joe\\r\\nNOOP\\r\\nPASS s3cret\\r\\n\"\n1 S 1603030008 \"s3cret\" 0102";
        assert_eq!(
            masked(play),
            "SITE UMASK 022\r\nUSER joe\r\nNOOP\r\nPASS ********\r\n\u{16}\u{3}\u{3}\0\u{8}s3cret\u{1}\u{2}"
        );
    }
}

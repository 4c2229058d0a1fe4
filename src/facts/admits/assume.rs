//! What if the server were stricter: sets with something taken away, and whom that would shut out.

use super::{TLS12, TLS13};
use crate::codes::{CipherSuite, cipher_suites};
use crate::facts::accepts::{Accepts, Set, Takes};

/// Words that take something away, with what they mean.
pub const ASSUMPTIONS: [(&str, &str); 12] = [
    ("tls12", "TLS 1.2 and later alone"),
    ("tls13", "TLS 1.3 alone"),
    ("no-tls10", "no TLS 1.0"),
    ("no-tls11", "no TLS 1.1"),
    ("no-rsa-kx", "no RSA key exchange"),
    ("no-cbc", "no suites in CBC mode"),
    ("no-sha1", "no suites and no signatures with SHA-1"),
    ("no-3des", "no 3DES"),
    ("no-rc4", "no RC4"),
    ("no-dhe", "no DHE"),
    ("forward-secrecy", "suites with forward secrecy alone"),
    ("aead", "suites with AEAD alone"),
];

/// What is assumed of a server beyond what was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assume {
    words: Vec<&'static str>,
}

impl Assume {
    /// Reads words that commas separate, in any case.
    ///
    /// # Errors
    /// Says which word is none of [`ASSUMPTIONS`], and lists those; or that two words name different lowest versions.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = || ASSUMPTIONS.map(|(word, _)| word).join(", ");
        let one = |word: &str| {
            let found = ASSUMPTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
            found.map(|(word, _)| *word).ok_or_else(|| format!("{word:?} is none of {}", known()))
        };
        let words: Vec<&str> = text.split(',').map(str::trim).map(one).collect::<Result<_, _>>()?;
        if ["tls12", "tls13"].iter().all(|lowest| words.contains(lowest)) {
            return Err("tls12 and tls13 are two lowest versions: name one of them".to_owned());
        }
        Ok(Self { words })
    }

    /// The words, as they were given.
    pub fn words(&self) -> &[&'static str] {
        &self.words
    }

    /// What the server would accept.
    #[must_use]
    pub fn apply(&self, server: &Accepts) -> Accepts {
        let mut out = server.clone();
        for of in &mut out.versions {
            if self.words.iter().any(|word| drops_version(word, of.version)) {
                of.takes = Takes::No;
            }
            refuse(&mut of.suites, cipher_suites().filter(|s| self.drops_suite(s)).map(|s| s.id));
            if self.words.contains(&"no-sha1") {
                refuse(&mut of.schemes, [0x0201, 0x0202, 0x0203].into_iter());
            }
        }
        // A version that nobody asked is off all the same.
        for version in super::VERSIONS.into_iter().filter(|v| self.words.iter().any(|word| drops_version(word, *v))) {
            if out.of(version).is_none() {
                out.versions.push(super::OfVersion { version, takes: Takes::No, ..Default::default() });
            }
        }
        out.versions.sort_by_key(|of| std::cmp::Reverse(of.version));
        out
    }

    fn drops_suite(&self, suite: &CipherSuite) -> bool {
        self.words.iter().any(|word| match *word {
            "no-rsa-kx" => suite.kx == "RSA",
            "no-cbc" => suite.enc.contains("CBC"),
            "no-sha1" => suite.mac == "SHA1",
            "no-3des" => suite.enc.starts_with("3DES"),
            "no-rc4" => suite.enc.starts_with("RC4"),
            "no-dhe" => suite.kx == "DHE",
            "forward-secrecy" => !suite.forward_secret(),
            "aead" => suite.mac != "AEAD",
            _ => false,
        })
    }
}

fn drops_version(word: &str, version: u16) -> bool {
    match word {
        "tls12" => version < TLS12,
        "tls13" => version < TLS13,
        "no-tls10" => version == 0x0301,
        "no-tls11" => version == 0x0302,
        _ => false,
    }
}

/// Takes numbers out of a set: they are refused, whether they were asked or not.
fn refuse(set: &mut Set, numbers: impl Iterator<Item = u16>) {
    for number in numbers {
        set.taken.retain(|n| *n != number);
        set.refused.insert(number);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RSA, of, server};
    use super::super::{Admission, Keys, admits};
    use super::*;
    use crate::codes::{ClientProfile, client_profiles};
    use crate::facts::accepts::Order;

    /// A client that fares otherwise.
    #[derive(Debug)]
    struct Change {
        profile: &'static ClientProfile,
        before: Admission,
        after: Admission,
    }

    /// Those that get in before: who stays out then, of whom nobody can tell, and who gets something else.
    #[derive(Debug, Default)]
    struct Changes {
        stopped: Vec<Change>,
        doubtful: Vec<Change>,
        other: Vec<Change>,
    }

    fn changed(before: &Accepts, after: &Accepts, keys: &Keys) -> Changes {
        let mut out = Changes::default();
        for profile in client_profiles() {
            let change = Change { profile, before: admits(profile, before, keys), after: admits(profile, after, keys) };
            match (change.before, change.after) {
                (Admission::In { .. }, Admission::Out(_)) => out.stopped.push(change),
                (Admission::In { .. }, Admission::Unknown(_)) => out.doubtful.push(change),
                (Admission::In { version: v, suite: s, .. }, Admission::In { version, suite, .. })
                    if (v, s) != (version, suite) =>
                {
                    out.other.push(change);
                }
                _ => {}
            }
        }
        out
    }

    /// All versions from TLS 1.0, with what old clients need.
    fn lenient() -> Accepts {
        let old = [0xc014, 0xc013, 0x0039, 0x0035, 0x002f, 0x000a, 0x0016, 0x0005];
        let mut new = vec![0xc030, 0xc02f, 0xc028, 0x009d];
        new.extend(old);
        let order = Some(Order::Server);
        let mut all = server(vec![
            of(TLS13, &[0x1302, 0x1301], order),
            of(TLS12, &new, order),
            of(0x0302, &old, order),
            of(0x0301, &old, order),
        ]);
        all.versions.iter_mut().for_each(|of| of.schemes.taken.push(0x0201));
        all
    }

    fn names(changes: &[Change]) -> Vec<String> {
        changes.iter().map(|c| format!("{} {}", c.profile.product, c.profile.releases)).collect()
    }

    #[test]
    fn words_are_read_and_listed() {
        assert_eq!(Assume::parse("TLS12, no-rsa-kx").unwrap().words(), ["tls12", "no-rsa-kx"]);
        let error = Assume::parse("tls12,no-md5").unwrap_err();
        assert!(error.starts_with("\"no-md5\" is none of tls12, tls13, ") && error.ends_with("aead"), "{error}");
        assert!(Assume::parse("tls12,aead,TLS13").is_err_and(|e| e.contains("name one of them")));
        assert!(Assume::parse("").is_err() && Assume::parse("tls12,,aead").is_err());
    }

    #[test]
    fn who_stops_working_without_tls_1_0_and_1_1() {
        let before = lenient();
        let after = Assume::parse("tls12").unwrap().apply(&before);
        let changes = changed(&before, &after, &RSA);
        let stopped = names(&changes.stopped);
        for name in ["zos-native V2R3 to V2R5", "java 7u25", "openssl 0.9.8y", "dotnet 4.0 to 4.5.2, on Windows 7"] {
            assert!(stopped.iter().any(|s| s == name), "{name}: {stopped:?}");
        }
        assert!(!stopped.iter().any(|s| s.contains("TLS 1.2 switched on") || s.starts_with("curl")), "{stopped:?}");
        assert!(changes.other.is_empty() && changes.doubtful.is_empty(), "{changes:?}");
    }

    #[test]
    fn each_word_takes_its_suites_away() {
        let left = |words: &str| {
            let after = Assume::parse(words).unwrap().apply(&lenient());
            after.of(TLS12).unwrap().suites.taken.clone()
        };
        assert_eq!(left("no-rsa-kx"), [0xc030, 0xc02f, 0xc028, 0xc014, 0xc013, 0x0039, 0x0016]);
        assert_eq!(left("no-cbc"), [0xc030, 0xc02f, 0x009d, 0x0005]);
        assert_eq!(left("no-sha1"), [0xc030, 0xc02f, 0xc028, 0x009d]);
        assert_eq!(left("no-3des,no-rc4,no-dhe,no-cbc"), [0xc030, 0xc02f, 0x009d]);
        assert_eq!(left("aead"), [0xc030, 0xc02f, 0x009d]);
        assert_eq!(left("forward-secrecy,aead"), [0xc030, 0xc02f]);
        assert_eq!(left("tls12").len(), 12);
    }

    #[test]
    fn who_gets_another_suite() {
        let before = lenient();
        let after = Assume::parse("no-rsa-kx").unwrap().apply(&before);
        let changes = changed(&before, &after, &RSA);
        // Native z/OS keeps DHE, and so does OpenSSL 0.9.8.
        assert!(!names(&changes.stopped).iter().any(|s| s.starts_with("zos-native")), "{:?}", names(&changes.stopped));
        let gone = names(&changed(&before, &Assume::parse("no-rsa-kx,no-dhe").unwrap().apply(&before), &RSA).stopped);
        assert!(gone.iter().any(|s| s == "zos-native V2R3 to V2R5"), "{gone:?}");
    }

    #[test]
    fn what_is_turned_off_is_off_even_where_nobody_asked() {
        let after = Assume::parse("tls13,no-3des").unwrap().apply(&Accepts::default());
        assert_eq!(after.of(TLS12).unwrap().takes, Takes::No);
        assert!(after.of(TLS13).is_none() && after.versions.is_sorted_by(|a, b| a.version > b.version));
        let mut part = lenient();
        part.versions[1].suites.taken.retain(|s| *s != 0x000a);
        part.versions[1].suites.refused.remove(&0x000a);
        let after = Assume::parse("no-3des").unwrap().apply(&part);
        assert_eq!(after.of(TLS12).unwrap().suites.takes(0x000a), Takes::No);
    }

    #[test]
    fn every_word_has_a_meaning_and_does_something() {
        for (word, meaning) in ASSUMPTIONS {
            let mut server = lenient();
            server.versions.iter_mut().for_each(|of| of.suites.taken.extend([0x0016, 0x0005]));
            assert_ne!(Assume::parse(word).unwrap().apply(&server), server, "{word}");
            assert!(!meaning.is_empty());
        }
    }
}

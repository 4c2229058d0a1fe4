//! What an audit asks about.

/// One part of an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Versions and, of each, the cipher suites.
    Versions,
    /// Groups.
    Groups,
    /// Signature schemes.
    Schemes,
    /// What names, protocols, compression and signals change.
    Extensions,
    /// Whether sessions are resumed.
    Resumption,
    /// Hellos that are odd, and have to be answered all the same.
    Intolerances,
    /// What nobody should be able to do.
    Security,
}

/// All of them, with the words that name them on the command line.
const NAMES: [(&str, Part); 9] = [
    ("versions", Part::Versions),
    ("suites", Part::Versions),
    ("ciphers", Part::Versions),
    ("groups", Part::Groups),
    ("schemes", Part::Schemes),
    ("extensions", Part::Extensions),
    ("resumption", Part::Resumption),
    ("intolerances", Part::Intolerances),
    ("security", Part::Security),
];

/// A selection of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts(Vec<Part>);

impl Parts {
    /// All of them.
    pub fn all() -> Self {
        Self(NAMES.map(|(_, part)| part).to_vec())
    }

    /// Those that a list of words names, separated by commas; and those that the others need to know.
    ///
    /// # Errors
    /// The word that names none.
    pub fn parse(words: &str) -> Result<Self, String> {
        let find = |word: &str| NAMES.iter().find(|(name, _)| *name == word).map(|(_, part)| *part);
        let parts = words.split(',').map(str::trim).map(|word| find(word).ok_or_else(|| word.to_owned()));
        let mut parts = parts.collect::<Result<Vec<Part>, _>>()?;
        // Whoever offers what is not taken learns nothing of what else is in a hello. Schemes of TLS 1.3 need a group.
        if parts.contains(&Part::Schemes) {
            parts.push(Part::Groups);
        }
        if parts.iter().any(|part| !matches!(part, Part::Resumption | Part::Security)) {
            parts.push(Part::Versions);
        }
        Ok(Self(parts))
    }

    /// The words that name parts.
    pub fn words() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Whether a part is among them.
    pub fn has(&self, part: Part) -> bool {
        self.0.contains(&part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_parts() {
        let some = Parts::parse("versions, suites");
        assert!(some.as_ref().is_ok_and(|p| p.has(Part::Versions) && !p.has(Part::Groups)));
        let has_versions = |words| Parts::parse(words).is_ok_and(|p| p.has(Part::Versions));
        assert!(has_versions("extensions") && !has_versions("security,resumption"));
        assert_eq!(Parts::parse("versions,colours"), Err("colours".to_owned()));
        assert!(Parts::words().all(|w| Parts::parse(w).is_ok()));
    }
}

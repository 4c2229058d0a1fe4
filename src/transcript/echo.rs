//! What the z/OS FTP client echoes behind its prompts: a user and a password typed into a job stand in its log.

use super::job::{is_logged, is_secret_verb, is_subcommand};
use super::secrets::MASK;

/// The prompt that the next typed line answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asked {
    /// None.
    #[default]
    Nothing,
    /// EZA1459I, the user name; a password may follow it in the same line.
    Name,
    /// EZA1789I, the password.
    Password,
}

/// What was asked for last, and whether the next line may be the answer without an id in front.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prompt {
    asked: Asked,
    fresh: bool,
}

/// The id of an echoed line.
const ECHO: &str = "EZA1736I";

impl Prompt {
    /// The line with what answers a prompt masked.
    pub(super) fn mask(&mut self, line: &str) -> Option<String> {
        let asks = [("EZA1789I", Asked::Password), ("EZA1459I", Asked::Name)];
        if let Some((_, asked)) = asks.into_iter().find(|(id, _)| line.contains(id)) {
            *self = Prompt { asked, fresh: true };
            return None;
        }
        // The next subcommand is asked for: the prompts before were answered elsewhere.
        if line.contains("EZA1460I") {
            *self = Prompt::default();
            return None;
        }
        let Some(at) = line.find(ECHO).map(|n| n + ECHO.len()) else { return self.mask_bare(line) };
        let (head, typed) = line.split_at_checked(at)?;
        let asked = core::mem::take(self).asked;
        let words: Vec<&str> = typed.split_whitespace().collect();
        let first = words.first()?.to_ascii_lowercase();
        let keep = match first.as_str() {
            _ if asked == Asked::Password => 0,
            "user" => 2,
            "quote" if words.get(1).is_some_and(|w| is_secret_verb(w)) => 2,
            _ if is_secret_verb(&first) => 1,
            "open" | "ftp" => {
                *self = Prompt { asked: Asked::Name, fresh: true };
                return None;
            }
            _ if asked == Asked::Name => return mask_login(&words).map(|login| format!("{head} {login}")),
            _ if !is_login(&first) => return None,
            // Without its prompt in the paste: a name and one more word, or a word that is no subcommand.
            _ => usize::from(words.len() == 2),
        };
        (words.len() > keep).then(|| {
            let kept = words.iter().take(keep).fold(String::new(), |kept, w| kept + " " + w);
            format!("{head}{kept} {MASK}")
        })
    }

    /// A line without the id of an echo: an answer only where it follows its prompt at once.
    fn mask_bare(&mut self, line: &str) -> Option<String> {
        let bare = line.trim_start_matches([' ', '\t', '>', '|', '\u{a0}']);
        if bare.is_empty() || !core::mem::take(&mut self.fresh) || is_logged(bare) || bare.starts_with("EZ") {
            return None;
        }
        let words: Vec<&str> = bare.split_whitespace().collect();
        match core::mem::take(&mut self.asked) {
            Asked::Password => Some(MASK.to_owned()),
            Asked::Name => mask_login(&words),
            Asked::Nothing => None,
        }
    }
}

/// `joe password` or `joe/password`, when it is one.
fn mask_login(words: &[&str]) -> Option<String> {
    let first = words.first()?;
    if !is_login(&first.to_ascii_lowercase()) {
        return None;
    }
    match first.split_once('/').filter(|(user, password)| !user.is_empty() && !password.is_empty()) {
        Some((user, _)) => Some(format!("{user}/{MASK}")),
        None => (words.len() > 1).then(|| format!("{first} {MASK}")),
    }
}

/// Whether a word in small letters may begin a login: it is neither a subcommand nor a comment nor a call of the system.
fn is_login(word: &str) -> bool {
    !is_subcommand(word) && !word.starts_with([';', '!', '?', '*', '/', '(']) && !matches!(word, "quote" | "tso")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_to_prompts_are_masked() {
        let mut prompt = Prompt::default();
        assert_eq!(prompt.mask("EZA1459I NAME (192.0.2.1:JOE):"), None);
        assert_eq!(prompt.mask("EZA1736I joe s3cret").as_deref(), Some("EZA1736I joe ********"));
        assert_eq!(prompt.mask("EZA1736I open ftp.example.org"), None);
        assert_eq!(prompt.mask("EZA1789I PASSWORD:"), None);
        assert_eq!(prompt.mask(" EZA1701I >>> USER joe"), None);
        assert_eq!(prompt.mask("EZA1736I s3cret").as_deref(), Some("EZA1736I ********"));
        assert_eq!(prompt.mask("EZA1736I s3cret").as_deref(), Some("EZA1736I ********"));
        assert_eq!(prompt.mask("EZA1736I joe s3cret").as_deref(), Some("EZA1736I joe ********"));
        assert_eq!(prompt.mask("EZA1736I user joe s3cret").as_deref(), Some("EZA1736I user joe ********"));
        for echo in ["dir q*", "PUT 'A.B' c", "user joe", "quote site x", "; s3t up", "FTP -r TLS -p T.D 192.0.2.1 21"]
        {
            assert_eq!(prompt.mask(&format!("EZA1736I {echo}")), None, "{echo}");
        }
    }

    #[test]
    fn answers_without_an_id_follow_their_prompt() {
        let mut prompt = Prompt::default();
        assert_eq!(prompt.mask("EZA1789I PASSWORD:"), None);
        assert_eq!(prompt.mask("s3cret").as_deref(), Some(MASK));
        assert_eq!(prompt.mask("s3cret"), None);
        assert_eq!(prompt.mask("EZA1736I open 192.0.2.1"), None);
        assert_eq!(prompt.mask("joe/s3cret").as_deref(), Some("joe/********"));
        assert_eq!(prompt.mask("EZA1789I PASSWORD:"), None);
        assert_eq!(prompt.mask("EZA1701I >>> PASS"), None);
        assert_eq!(prompt.mask("any other words"), None);
        assert_eq!(prompt.mask("EZA1460I Command:"), None);
        assert_eq!(prompt.mask("EZA1736I put a b"), None);
    }
}

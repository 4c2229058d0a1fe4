//! What the z/OS FTP client echoes behind its prompts: a user and a password typed into a job stand in its log.

use super::secrets::MASK;

/// The prompt that the next echoed line answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Prompt {
    /// None.
    #[default]
    None,
    /// EZA1459I, the user name; a password may follow it in the same line.
    Name,
    /// EZA1789I, the password.
    Password,
}

/// The id of an echoed line.
const ECHO: &str = "EZA1736I";

impl Prompt {
    /// The line with what answers a prompt masked.
    pub(super) fn mask(&mut self, line: &str) -> Option<String> {
        if line.contains("EZA1789I") {
            *self = Prompt::Password;
            return None;
        }
        if line.contains("EZA1459I") {
            *self = Prompt::Name;
            return None;
        }
        let at = line.find(ECHO)? + ECHO.len();
        let (head, typed) = line.split_at_checked(at)?;
        let mut words = typed.split_whitespace();
        let prompt = core::mem::take(self);
        match (prompt, words.next(), words.next()) {
            (Prompt::Password, Some(_), _) => Some(format!("{head} {MASK}")),
            (Prompt::Name, Some(user), Some(_)) => Some(format!("{head} {user} {MASK}")),
            // Without its prompt in the paste: a name and one more word is what a login looks like.
            _ => None,
        }
    }
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
        assert_eq!(prompt.mask("EZA1736I s3cret"), None);
    }
}

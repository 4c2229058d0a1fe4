//! Lines that somebody joined: where the next message begins ends what is masked of the one before.

/// A line of which a later message begins behind words of its own: cut in front of that. Messages begin with their id, or with a
/// command that the client shows; the command that an id shows is part of its message.
pub(super) fn split_joined(line: &str) -> Option<(&str, &str)> {
    // Most lines have no such word.
    memchr::memmem::find(line.as_bytes(), b" EZ").or_else(|| memchr::memmem::find(line.as_bytes(), b" >>>"))?;
    let (mut seen, mut last_is_id, mut at) = (false, false, 0);
    for word in line.split_inclusive(' ') {
        let text = word.trim_end();
        let is_id = is_client_message(text);
        if (is_id || text == ">>>" && !last_is_id) && seen && at > 0 {
            return line.split_at_checked(at);
        }
        seen |= is_id || text == ">>>";
        if !text.is_empty() {
            last_is_id = is_id;
        }
        at += word.len();
    }
    None
}

/// `EZA1701I`, `EZD1287I`: an id of z/OS Communications Server.
fn is_client_message(word: &str) -> bool {
    (7..=9).contains(&word.len())
        && word.starts_with("EZ")
        && word.ends_with(['I', 'E', 'W', 'A', 'S'])
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && word.bytes().filter(u8::is_ascii_digit).count() >= 2
}

/// What follows the argument of PASS where lines were joined: the reply to it, which begins with one of its codes and a capital.
pub(super) fn behind_argument(argument: &str) -> Option<&str> {
    const REPLIES: [&str; 10] = ["202", "230", "232", "234", "332", "421", "500", "503", "530", "534"];
    let mut at = argument.find(' ')?;
    loop {
        let rest = argument.get(at..)?;
        let word = rest.trim_start();
        let (code, text) = word.split_at_checked(3)?;
        let begins = |t: &str| t.starts_with(|c: char| c.is_ascii_uppercase());
        if REPLIES.contains(&code) && text.strip_prefix([' ', '-']).is_some_and(begins) {
            return Some(word);
        }
        at = argument.len() - word.len() + word.find(' ')?;
    }
}

#[cfg(test)]
mod tests {
    use crate::transcript::secrets::Lines;

    #[test]
    fn each_secret_ends_where_the_next_message_begins() {
        for (joined, want) in [
            (
                "EZA1701I >>> PASS geheim 230 Login ok. EZA1460I Command:",
                "EZA1701I >>> PASS ******** 230 Login ok. EZA1460I Command:",
            ),
            ("EZA1701I >>> PASS ge 230 heim EZA2897I x y", "EZA1701I >>> PASS ******** EZA2897I x y"),
            (">>> PASS geheim >>> PWD 257 x", ">>> PASS ******** >>> PWD 257 x"),
            (
                "EZA1789I PASSWORD: EZA1736I geheim EZA1701I >>> PASS",
                "EZA1789I PASSWORD: EZA1736I ******** EZA1701I >>> PASS",
            ),
            ("EZA1736I user joe geheim EZA1701I >>> USER joe", "EZA1736I user joe ******** EZA1701I >>> USER joe"),
        ] {
            let mut lines = Lines::default();
            assert_eq!(lines.mask(joined), want);
        }
    }
}

//! README's two commands are those that the checks run.

mod common;

use std::fs;

#[test]
fn the_two_commands_are_run_by_the_checks() {
    let read = |name: &str| fs::read_to_string(common::root().join(name)).unwrap();
    let (readme, checks) = (read("README.md"), read(".ci/run"));
    let commands: Vec<&str> =
        readme.split("```sh\n").skip(1).map(|b| b.split("```").next().unwrap().trim()).take(2).collect();
    assert_eq!(commands, ["cargo run --release -- fixtures/mail/ibm-main-msg108526.txt", "cargo test"]);
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let runs = |line: &str| {
            let mut rest = line.split_whitespace();
            words.iter().all(|w| rest.any(|r| r == *w))
        };
        assert!(checks.lines().any(runs), "{command}");
    }
}

#[test]
fn the_screen_in_the_readme_is_the_screen() {
    let readme = fs::read_to_string(common::root().join("README.md")).unwrap();
    let shown = readme.split("```text\n").nth(1).unwrap().split("        ...").next().unwrap();
    let report = common::only_report(common::SEED, common::seed().as_bytes());
    let screen = ftpsdiag::render(&report, ftpsdiag::Format::Text, ftpsdiag::Style::default());
    assert!(screen.starts_with(shown), "{screen}");
}

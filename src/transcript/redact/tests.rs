//! What goes, and what stays.

use super::*;
use crate::transcript::dialogue;

fn redacted(play: &str, level: Level) -> String {
    let mut t = dialogue::parse(play).unwrap();
    redact(&mut t, level);
    dialogue::write(&t)
}

const PLAY: &str = "conn 0 control host=\"ftp.partner.example\" peer=67.208.93.232:21\n\
    0 S \"220 ftp.partner.example ready\\r\\n\"\n1 C \"USER ste\"\n2 C \"ve\\r\\nCWD /secret\\r\\n\"\n\
    3 S \"227 Entering (67,208,93,232,4,1).\\r\\n\"\n4 \"System SSL, job STEVE\" says \"failed with 67.208.93.232.21.\"\n\
    5 S \"522 see vsftpd.conf\\r\\n\"\n";

#[test]
fn names_go_and_stay_the_same() {
    let out = redacted(PLAY, Level::Names);
    assert!(!out.contains("partner") && !out.contains("67.208") && !out.contains("67,208"), "{out}");
    assert_eq!(out.matches("host-1.example").count(), 2, "{out}");
    assert!(
        out.contains("peer=192.0.2.1:21")
            && out.contains("failed with 192.0.2.1.21.")
            && out.contains("(192,0,2,1,4,1)"),
        "{out}"
    );
    assert!(out.contains("vsftpd.conf") && out.contains("/secret"), "{out}");
    assert!(redacted(PLAY, Level::All).contains("CWD REDACTED"));
    assert!(redacted(PLAY, Level::None).contains("partner"));
}

#[test]
fn a_host_with_its_port_goes_too() {
    let play = "asked \"ftp.partner.example:21\" explicit\nconn 0 control host=\"ftp.partner.example\"\n0 open\n";
    let out = redacted(play, Level::Names);
    assert!(out.contains("asked \"host-1.example:21\"") && !out.contains("partner"), "{out}");
}

#[test]
fn a_host_without_dots_is_known_by_the_connection() {
    let hello = hex::encode([&[0x16, 3, 1, 0, 9][..], b"gateway42"].concat());
    let out = redacted(
        &format!(
            "asked \"Gateway42:21\" explicit\nconn 0 control host=\"gateway42\"\n0 S \"220 gateway42 up\\r\\n\"\n1 C {hello}\n"
        ),
        Level::Names,
    );
    assert!(!out.to_lowercase().contains("gateway42") && !out.contains(&hex::encode("gateway42")), "{out}");
    assert!(out.contains("asked \"host-1.example:21\"") && out.contains("220 host-1.example up"), "{out}");
}

#[test]
fn lengths_inside_records_stay() {
    let name = b"ftp.partner.example";
    let record = [&[0x16, 3, 1, 0, 19][..], name].concat();
    let out = redacted(&format!("0 C {}\n", hex::encode(&record)), Level::Names);
    let t = dialogue::parse(&out).unwrap();
    let What::Bytes { data, .. } = &t.entries[0].what else { panic!() };
    assert_eq!(data.len(), record.len());
    assert_eq!(&data[5..], b"xxx.xxxxxxx.xxxxxxx");
}

#[test]
fn logins_through_proxies_and_unknown_verbs_show_no_user() {
    let play = "0 C \"user Joe:****************@box\\r\\n\"\n1 S \"331 pw for JOE. \\r\\n\"\n\
        2 C \"USER ann@gate@ftp.partner.example\\r\\n\"\n3 S \"230 Ann on box, gate; 'JOE.TEST.DATA'\\r\\n\"\n\
        4 C \"XLOGIN joe\\r\\n\"\n5 S \"500 XLOGIN *****************: no such verb\\r\\n\"\n6 C \"LIST\\r\\n\"\n";
    let users = redacted(play, Level::Users);
    let all = redacted(play, Level::All);
    for out in [&users, &all] {
        let lower = out.to_lowercase();
        assert!(!lower.contains("joe") && !lower.contains("ann") && !lower.contains("gate"), "{out}");
        assert!(out.contains("500 XLOGIN ********: no such verb") && out.contains("LIST"), "{out}");
        assert!(out.contains("331 pw for user-1. ") && out.contains("user user-1:********@"), "{out}");
        assert!(!out.contains("JOE."), "{out}");
    }
    assert!(users.contains("box") && users.contains("ftp.partner.example"), "{users}");
    assert!(!all.contains("box") && !all.contains("partner") && all.contains("XLOGIN REDACTED"), "{all}");
}

#[test]
fn a_user_in_two_pieces_is_one() {
    let out = redacted("0 C \"USER ste\"\n1 C \"ve\\r\\n\"\n2 S \"230 STEVE is in\\r\\n\"\n", Level::Users);
    assert!(out.contains("230 user-1 is in") && !out.contains("ste"), "{out}");
    // A user of the name of a verb hides no verb.
    let out = redacted("0 C \"USER list\\r\\nLIST x\\r\\n\"\n", Level::Users);
    assert!(out.contains("LIST x"), "{out}");
}

#[test]
fn a_name_that_comes_a_hundred_thousand_times_goes_each_time() {
    let play = format!("conn 0 control\n1 C \"USER joe\\r\\n\"\n2 S \"553 x:{}joe.\\r\\n\"\n", "joe:".repeat(100_000));
    let out = redacted(&play, Level::Users);
    assert!(!out.contains("joe") && out.matches("user-1").count() == 100_002, "{}", out.len());
}

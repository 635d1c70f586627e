//! What real pushes have written is whole to an auditor without our program, and what was changed
//! in it is found by all at the same entry. `tests/audit` has every kind of change.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::entries::segments;
use crate::support::ground::{missing, run};
use crate::support::site::Site;

/// A log of a landing by approval, refusals, a move past the gate, seals.
pub(crate) fn lived_in() -> (Site, String) {
    let (site, alice, bob, tip) = Site::topic();
    site.main_refuses(&alice, "HEAD");
    site.draft(&bob, &tip).sign(&bob).push(&bob).accepted();
    alice.land(&tip).accepted();
    ok(&site.verb(&["log", "seal"]));
    let main = site.main();
    site.git(&["update-ref", "refs/heads/past-the-gate", &main]);
    bob.topic("later", &[("app/words", "\u{401}\u{436}")]);
    ok(&site.verb(&["log", "tidy"]));
    ok(&site.verb(&["log", "seal"]));
    let kept = site.ground().at("kept").to_str().unwrap().to_owned();
    ok(&site.verb(&["log", "checkpoint", "--out", &kept]));
    alice.topic("last", &[("app/words", "last")]);
    (site, kept)
}

#[track_caller]
pub(crate) fn ok(output: &Output) -> String {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// The three who check: `portcullis`, `verify.py`, `verify.sh`.
fn three(site: &Site, log: &Path, since: &str) -> [Output; 3] {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/audit");
    let script = |program: &str, name: &str| {
        let mut command = site.ground().command(program);
        if let Some(home) = std::env::var_os("HOME") {
            // Some machines keep their Python below the home folder.
            command.env("HOME", home);
        }
        command.arg(scripts.join(name));
        command
    };
    let mut ours = site.ground().portcullis();
    ours.args(["log", "verify", "--root"]);
    let with = |mut command: Command| run(command.args(["--since", since]).arg(log));
    [with(ours), with(script("python3", "verify.py")), with(script("sh", "verify.sh"))]
}

pub(crate) fn ready(site: &Site) -> bool {
    for program in ["python3", "openssl"] {
        let mut asked = site.ground().command("sh");
        if !run(asked.args(["-c", &format!("command -v {program}")])).status.success() {
            missing(&format!("{program} is not installed"));
            return false;
        }
    }
    true
}

#[test]
fn real_pushes_are_whole_to_an_auditor_without_our_program() {
    let (site, kept) = lived_in();
    if !ready(&site) {
        return;
    }
    let head = crate::support::entries::chain(&site.log_dir());
    for output in three(&site, &site.log_dir(), &kept) {
        let said = ok(&output);
        assert!(said.starts_with("whole, ") && said.contains(&format!("head {head}")), "{said}");
        assert!(said.contains("2 seals, the last in entry"), "{said}");
        assert!(said.contains("are those of this log") && said.contains("signed by"), "{said}");
        assert!(said.contains("not checked: ") && said.contains("the refs of the repo"), "{said}");
        assert!(!said.contains("whether the end") && !said.contains("whether its end"), "{said}");
    }
}

#[test]
fn what_was_changed_after_real_pushes_is_found_by_all() {
    let (site, kept) = lived_in();
    if !ready(&site) {
        return;
    }
    let file = segments(&site.log_dir()).remove(0);
    let whole = fs::read(&file).unwrap();
    let lines: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    let entry = lines.len() / 2;
    let mut changed = whole.clone();
    changed[lines[..entry].concat().len() + 100] ^= 4;
    fs::write(&file, changed).unwrap();
    for output in three(&site, &site.log_dir(), &kept) {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with(&format!("broken at entry {entry}")), "{said}");
    }
    fs::write(&file, lines[..5].concat()).unwrap();
    for output in three(&site, &site.log_dir(), &kept) {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("its end was cut off"), "{said}");
    }
}

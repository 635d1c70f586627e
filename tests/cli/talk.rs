//! How the verbs talk: streams, exit codes, help, and whoever stops listening.

use std::fs;
use std::process::Stdio;

use crate::ground::{Ground, POLICY};

#[test]
fn help_and_version_are_data_and_mistakes_are_not() {
    let ground = Ground::new();
    let help = ground.portcullis(&["-h"]).expect(0);
    assert!(help.err.is_empty() && help.out.contains("On the server:"));
    for verb in ["install", "uninstall", "doctor", "lint", "explain"] {
        assert!(help.out.contains(&format!("\n  {verb} ")), "{verb}");
    }
    for hidden in ["completions", "\n  man "] {
        assert!(!help.out.contains(hidden), "{hidden}");
    }
    assert!(ground.portcullis(&["--help"]).expect(0).out.contains("Exit codes:"));
    let version = ground.portcullis(&["-V"]).expect(0).out;
    let begin = format!("portcullis {} (", env!("CARGO_PKG_VERSION"));
    assert!(version.starts_with(&begin) && version.ends_with(")\n"), "{version}");
    assert_eq!(version.lines().count(), 1);
    let all = ground.portcullis(&["--version"]).expect(0).out;
    assert!(all.starts_with(&version), "{all}");
    let names: Vec<&str> = all.lines().skip(1).filter_map(|line| line.split(':').next()).collect();
    assert_eq!(names, ["commit", "libgit2", "built", "target", "linked"], "{all}");
    let (major, minor, patch) = git2::Version::get().libgit2_version();
    assert!(all.contains(&format!("\nlibgit2: {major}.{minor}.{patch}")), "{all}");
    // A target may have that word in its name.
    assert!(!all.lines().any(|line| line.ends_with("unknown")), "the build knew more: {all}");
    for wrong in [&["bogus"][..], &["install"], &["lint", "--nope", "x"], &[]] {
        let answer = ground.portcullis(wrong).expect(2);
        assert!(answer.out.is_empty() && !answer.err.is_empty(), "{wrong:?}");
    }
}

#[test]
fn lint_answers_yes_no_and_could_not() {
    let ground = Ground::new();
    ground.write("good.toml", POLICY);
    ground.write("bad.toml", "version = 1\n[rule.x\n");
    ground.portcullis(&["lint", "good.toml"]).expect(0);
    let answer = ground.portcullis(&["lint", "bad.toml"]).expect(1);
    assert!(answer.out.contains("bad.toml:2"), "{answer:?}");
    let answer = ground.portcullis(&["lint", "--json", "good.toml", "bad.toml"]).expect(1);
    let report: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(report["usable"], false);
    assert_eq!(report["problems"][0]["line"], 2);
    let missing = ground.portcullis(&["lint", "missing.toml"]).expect(3);
    assert!(missing.err.starts_with("error: could not read the policy "), "{missing:?}");
    assert!(missing.err.contains("\ncaused by: No such file"), "{missing:?}");
}

#[test]
fn explain_knows_every_idea_and_says_what_it_knows() {
    let ground = Ground::new();
    for topic in ["approval", "roster", "log", "exit-codes", "identity"] {
        let text = ground.portcullis(&["explain", topic]).expect(0).out;
        assert!(text.lines().count() > 5, "{topic}");
        // A public key cannot be broken.
        let narrow = |line: &str| line.len() <= 90 || line.contains("ssh-ed25519");
        assert!(text.lines().all(narrow), "{topic}");
        assert!(ground.portcullis(&["explain"]).expect(0).out.contains(topic));
    }
    let answer =
        ground.portcullis(&["explain", "\u{1b}[2Jx"]).expect(2).says("hint: known names: ");
    ground.portcullis(&["explain", "aproval"]).expect(2).says("did you mean `approval`?");
    assert!(!answer.err.contains('\u{1b}'));
}

#[test]
fn completions_and_manual_pages_are_made() {
    let ground = Ground::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(ground.portcullis(&["completions", shell]).expect(0).out.contains("uninstall"));
    }
    assert!(ground.portcullis(&["man"]).expect(0).out.contains(".TH portcullis 1"));
    ground.portcullis(&["man", "--dir", "pages/man1"]).expect(0);
    assert!(ground.path("pages/man1/portcullis-install.1").exists());
    assert!(!ground.path("pages/man1/portcullis-completions.1").exists());
    // A verb of `log` has a page of its own, and the page of `log` points there.
    let log = fs::read_to_string(ground.path("pages/man1/portcullis-log.1")).unwrap();
    let shown = log.matches("portcullis\\-log\\-").count();
    let pages = fs::read_dir(ground.path("pages/man1")).unwrap();
    let names = pages.map(|page| page.unwrap().file_name().into_string().unwrap());
    let of_log = names.filter(|name| name.starts_with("portcullis-log-")).count();
    assert!(of_log > 8 && shown >= of_log, "{of_log} pages, {shown} named:\n{log}");
    let show = fs::read_to_string(ground.path("pages/man1/portcullis-log-show.1")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let title = format!(".TH portcullis-log-show 1 \" \" \"portcullis {version}\" Portcullis");
    assert!(show.contains(&title) && show.contains("\\-\\-since"), "{show}");
}

#[test]
fn a_reader_that_has_gone_is_no_complaint() {
    let ground = Ground::new();
    let mut child = ground
        .command()
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Closed before anything is read.
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_ne!(output.status.code(), Some(101));
}

#[test]
fn what_is_not_a_terminal_gets_no_colour() {
    let ground = Ground::new();
    for arguments in [&["-h"][..], &["bogus"], &["lint", "missing"]] {
        let answer = ground.portcullis(arguments);
        assert!(!answer.out.contains('\u{1b}') && !answer.err.contains('\u{1b}'), "{arguments:?}");
    }
}

//! What a person sees on a real terminal: questions, colours, widths, the pager, and the way out.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::ground::PORTCULLIS;
use crate::support::site::Site;
use crate::support::terminal::{Shown, have_terminals, on_terminal};

/// What `approve` asks before it signs.
const QUESTION: &str = "[y/N]";

#[test]
fn approve_signs_what_was_answered_with_yes_and_nothing_else() {
    if !have_terminals() {
        return;
    }
    let (site, alice, bob, tip) = Site::topic();
    let place = site.draft(&bob, &tip).place();
    let asked = |verb: &str, answer: &str| {
        let child = bob.portcullis(&[verb, &tip, "--for", "main"]);
        let shown = on_terminal(&child, 80, Some((QUESTION, answer)));
        assert!(shown.lines().iter().any(|line| line.contains(QUESTION)), "{}", shown.text);
        shown
    };
    for no in ["n\n", "\n", "yess\n", "\u{4}"] {
        let shown = asked("approve", no);
        assert_eq!(shown.code, Some(1), "{no:?}: {}", shown.text);
        assert_eq!(site.value(&place), None, "{no:?}");
    }
    let shown = asked("approve", "y\n");
    assert_eq!(shown.code, Some(0), "{}", shown.text);
    assert!(site.value(&place).is_some());
    // What is signed was told before the question.
    let lines = shown.lines();
    let at = |words: &str| lines.iter().position(|line| line.contains(words)).unwrap();
    assert!(at("infra/prod/network.tf") < at(QUESTION), "{}", shown.text);
    alice.land(&tip).accepted();
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    if !have_terminals() {
        return;
    }
    let (site, alice, _, tip) = Site::topic();
    site.does_not_land(&alice, &tip);
    for words in [&["log", "show"][..], &["log", "show", "nowhere"]] {
        let shown = |name: &str, value: &str| {
            let mut child = site.ground().portcullis();
            child.args(words).current_dir(site.path());
            child.env("GIT_PAGER", "cat").env(name, value);
            on_terminal(&child, 80, None)
        };
        assert!(shown("TERM", "xterm").is_coloured(), "{words:?}");
        assert!(!shown("NO_COLOR", "1").is_coloured(), "{words:?}");
        assert!(!shown("TERM", "dumb").is_coloured(), "{words:?}");
    }
}

/// How far right the values stand behind their names.
const NAMES_COLUMNS: usize = 20;

/// The verbs that show something to whoever runs the server.
const LOOKS: [&[&str]; 9] = [
    &["status"],
    &["doctor"],
    &["log", "show"],
    &["log", "show", "--full"],
    &["log", "tail"],
    &["log", "verify", "--repo"],
    &["log", "drift"],
    &["log", "export", "--help"],
    &["replay"],
];

#[test]
fn lines_are_no_wider_than_the_terminal() {
    if !have_terminals() {
        return;
    }
    let (site, alice, bob, tip) = Site::topic();
    site.does_not_land(&alice, &tip);
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    for words in LOOKS {
        for columns in [80, 200] {
            let mut child = site.ground().portcullis();
            child.args(words).arg("infra.git").env("GIT_PAGER", "cat");
            child.current_dir(site.path().parent().unwrap());
            let shown = on_terminal(&child, columns, None);
            // A name that cannot be broken may stand alone on a line, or behind what it is called,
            // and so may a command to copy.
            let wide = |line: &&String| {
                let last = line.rsplit(' ').next().map_or(0, |word| word.chars().count());
                line.chars().count() > usize::from(columns)
                    && NAMES_COLUMNS + last <= usize::from(columns)
                    && !["portcullis ", "mend: "].iter().any(|it| line.trim_start().starts_with(it))
            };
            let lines = shown.lines();
            let wide: Vec<&String> = lines.iter().filter(wide).collect();
            assert!(wide.is_empty(), "{words:?} at {columns}: {wide:#?}");
            assert!(shown.code.is_some_and(|code| code < 2), "{words:?}: {}", shown.text);
        }
    }
}

#[test]
fn a_long_answer_goes_through_the_pager_that_git_would_use() {
    if !have_terminals() {
        return;
    }
    let (site, ..) = Site::topic();
    let show = |name: &str, value: &str, words: &[&str]| -> Shown {
        let mut child: Command = site.ground().portcullis();
        child.args(["log", "show"]).args(words).arg(site.path()).env(name, value);
        on_terminal(&child, 80, None)
    };
    let paged = show("GIT_PAGER", "sed s/^/paged:/", &[]);
    assert_eq!(paged.code, Some(0), "{}", paged.text);
    assert!(paged.lines().iter().all(|line| line.starts_with("paged:")), "{}", paged.text);
    assert!(!show("PAGER", "cat", &[]).text.contains("paged:"));
    // Whoever stops reading has read enough.
    assert_eq!(show("GIT_PAGER", "true", &[]).code, Some(0));
}

#[test]
fn following_a_log_ends_with_the_interrupt_and_says_nothing() {
    let (site, alice, ..) = Site::topic();
    // Whoever runs the tests in the background may have had the signal ignored for all below.
    let mut child = site.ground().command("env");
    child.args(["--default-signal=INT", PORTCULLIS]);
    child.args(["log", "tail", "--follow", "--json", "-n", "1"]).arg(site.path());
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let whole = |line: &str| drop(serde_json::from_str::<serde_json::Value>(line).unwrap());
    whole(&lines.next().unwrap().unwrap());
    alice.topic("words", &[("app/words", "hello\n")]);
    // It was told of while the log was followed.
    whole(&lines.next().unwrap().unwrap());
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).unwrap();
    for line in lines {
        whole(&line.unwrap());
    }
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(2), "a shell has to see that it was interrupted: {status}");
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
    site.log_and_refs_agree();
}

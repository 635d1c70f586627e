//! Manual pages and completions know every verb and every option that the program reads.

use std::collections::BTreeMap;
use std::fs;

use clap::Command;
use portcullis::cli::VERBS;
use portcullis::cli::args::command;

use crate::support::ground::{Ground, bytes, run, text};

/// Shells that `completions` knows.
const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

/// Widest line of a help, in columns, where nobody says how wide a terminal is.
const HELP_COLUMNS_MAX: usize = 100;

/// Every verb that a person may type, as the words after `portcullis`, with what it takes.
fn verbs() -> BTreeMap<String, Command> {
    let mut program = command(VERBS);
    program.build();
    let mut found = BTreeMap::new();
    let mut open = vec![(String::new(), program)];
    while let Some((words, command)) = open.pop() {
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let words = format!("{words} {}", verb.get_name()).trim().to_owned();
            open.push((words, verb.clone()));
        }
        if !words.is_empty() {
            found.insert(words, command);
        }
    }
    assert!(found.len() > 20, "{:?}", found.keys());
    found
}

/// The long options of a verb, without those that are kept from its help.
fn options(command: &Command) -> Vec<String> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let shown = shown.filter(|arg| !arg.is_hide_short_help_set());
    shown.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect()
}

#[test]
fn every_verb_has_a_manual_page_with_every_option_and_no_other_has() {
    let ground = Ground::new();
    text(ground.portcullis().args(["man", "--dir"]).arg(ground.at("man")));
    let mut pages: Vec<String> = fs::read_dir(ground.at("man"))
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    let mut named = vec!["portcullis.1".to_owned()];
    for (verb, command) in verbs() {
        let name = format!("portcullis-{}.1", verb.replace(' ', "-"));
        let page = fs::read_to_string(ground.at("man").join(&name)).unwrap();
        for option in options(&command) {
            let shown = option.replace('-', "\\-");
            assert!(page.contains(&shown), "{name} lacks {option}");
        }
        assert!(page.contains(".SH DESCRIPTION") && page.contains(".SH SYNOPSIS"), "{name}");
        named.push(name);
    }
    named.sort();
    assert_eq!(pages, named);
}

#[test]
fn every_shell_completes_every_verb_and_option() {
    let ground = Ground::new();
    for shell in SHELLS {
        let script = text(ground.portcullis().args(["completions", shell]));
        for (verb, command) in verbs() {
            let last = verb.rsplit(' ').next().unwrap();
            assert!(script.contains(last), "{shell} does not know {verb}");
            for option in options(&command) {
                // fish writes `-l name`.
                let bare = format!("-l {}", option.trim_start_matches('-'));
                assert!(
                    script.contains(&option) || script.contains(&bare),
                    "{shell}: {verb} {option}"
                );
            }
        }
    }
}

#[test]
fn the_shells_that_are_here_can_read_their_completions() {
    let ground = Ground::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = ground.at(shell);
        fs::write(&script, bytes(ground.portcullis().args(["completions", shell]))).unwrap();
        let Ok(read) = ground.command(shell).arg("-n").arg(&script).output() else { continue };
        assert!(read.status.success(), "{shell}: {}", String::from_utf8_lossy(&read.stderr));
    }
}

/// How wide a terminal is that nobody has made wider.
const TERMINAL_COLUMNS: usize = 80;

#[test]
fn the_help_of_the_program_fits_a_terminal() {
    let ground = Ground::new();
    for flag in ["-h", "--help"] {
        let help = text(ground.portcullis().arg(flag).env("COLUMNS", "80"));
        for line in help.lines() {
            assert!(line.chars().count() <= TERMINAL_COLUMNS, "{line}");
        }
    }
}

#[test]
fn help_is_short_with_one_dash_and_whole_with_two() {
    let ground = Ground::new();
    for (verb, command) in verbs() {
        let help = |flag: &str| {
            let output = run(ground.portcullis().args(verb.split(' ')).arg(flag));
            assert_eq!(output.status.code(), Some(0), "{verb} {flag}");
            assert!(output.stderr.is_empty(), "{verb} {flag}");
            String::from_utf8(output.stdout).unwrap()
        };
        let (short, whole) = (help("-h"), help("--help"));
        assert!(short.lines().count() <= whole.lines().count(), "{verb}");
        for option in options(&command) {
            assert!(short.contains(&option) && whole.contains(&option), "{verb} {option}");
        }
        for line in short.lines().chain(whole.lines()) {
            assert!(line.chars().count() <= HELP_COLUMNS_MAX, "{verb}: {line}");
        }
    }
}

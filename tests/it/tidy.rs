//! Dead statements leave the refs by `log tidy`, whatever it is stopped in the middle of.

use std::fs;
use std::process::Output;
use std::time::Instant;

use serde_json::Value;

use crate::support::ground::{PORTCULLIS, run};
use crate::support::person::Person;
use crate::support::site::Site;
use crate::support::statement::{Draft, Statement, moment};

const NETWORK: &str = "infra/prod/network.tf";

/// A change that has landed by Bob's approval, which still stands in its ref: the server's
/// `post-receive` did not come to it.
fn untidy() -> (Site, Person, Person, Statement) {
    let (site, alice, bob, tip) = Site::topic();
    let statement = site.draft(&bob, &tip).sign(&bob);
    statement.push(&bob).accepted();
    let hook = fs::read_to_string(site.hook_file("post-receive")).unwrap();
    fs::remove_file(site.hook_file("post-receive")).unwrap();
    alice.land(&tip).accepted();
    site.write_hook("post-receive", &hook);
    assert_eq!(site.value(&statement.place), Some(statement.blob.clone()));
    (site, alice, bob, statement)
}

/// `log tidy` where Git is this script; `real` in it is the real one.
fn tidy_with(site: &Site, script: &str) -> Output {
    let bin = site.ground().at("bin");
    fs::create_dir_all(&bin).unwrap();
    let path = std::env::var("PATH").unwrap();
    let which = |dir: &&str| std::path::Path::new(dir).join("git").is_file();
    let real = path.split(':').find(which).unwrap();
    let script = format!(
        "#!/bin/sh\nreal() {{ {real}/git \"$@\"; }}\n\
         case \" $* \" in *' update-ref '*) ;; *) real \"$@\"; exit $?;; esac\n{script}\n"
    );
    let git = bin.join("git");
    fs::write(&git, script).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = site.ground().command(PORTCULLIS);
    command.env("PATH", format!("{}:{path}", bin.display()));
    run(command.args(["log", "tidy"]).arg(site.path()))
}

/// The states that outcomes give a ref, oldest first.
fn states(site: &Site, name: &str) -> Vec<String> {
    let log = site.log();
    let all = log.of("outcome").flat_map(|entry| entry["refs"].as_array().unwrap());
    all.filter(|item| item["ref"] == name)
        .map(|item| item["state"].as_str().unwrap().to_owned())
        .collect()
}

fn tidy_json(site: &Site, words: &[&str]) -> Value {
    let output = site.verb(&[&["log", "tidy", "--json"], words].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_is_dead_is_taken_and_told() {
    let (site, alice, bob, used) = untidy();
    let other = alice.topic("other", &[("infra/prod/other.tf", "x\n")]);
    let stays = site.draft(&bob, &other).sign(&bob);
    stays.push(&bob).accepted();

    let would = tidy_json(&site, &["--dry-run"]);
    assert_eq!(would["dry_run"], true);
    assert_eq!(would["repositories"][0]["gone"][0]["ref"], used.place.as_str());
    assert_eq!(would["repositories"][0]["gone"][0]["why"], "used");
    assert!(site.value(&used.place).is_some(), "a dry run takes nothing");
    assert_eq!(site.log().count("tidy"), 0);

    let output = site.verb(&["log", "tidy"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(&format!("{}: approve by bob, used by entry", used.place)), "{said}");
    assert!(said.contains("1 statement left the refs, 1 other stay"), "{said}");
    assert_eq!(site.value(&used.place), None);
    assert_eq!(site.value(&stays.place), Some(stays.blob));
    site.log_and_refs_agree();
    assert_eq!(tidy_json(&site, &[])["repositories"][0]["gone"], Value::Array(Vec::new()));
    assert_eq!(site.log().count("tidy"), 1);
    let shown = site.verb(&["log", "show", "--full"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("statement  approve by bob, entry"), "{shown}");
    let tail = String::from_utf8(site.verb(&["log", "tail"]).stdout).unwrap();
    assert!(tail.contains(&format!("tidy         {} leaves, used by entry", used.place)), "{tail}");
    alice.land(&other).accepted();
    assert_eq!(site.value(&stays.place), None);
    site.log_and_refs_agree();
}

#[test]
fn killed_before_the_refs_go_nothing_is_lost() {
    let (site, alice, _, used) = untidy();
    let output = tidy_with(&site, "kill -9 $PPID");
    assert_eq!(output.status.code(), None, "{output:?}");
    assert_eq!(site.log().count("tidy"), 1);
    assert!(site.value(&used.place).is_some());
    // Whoever looks next finds that it did not happen, and it happens then.
    site.log_and_refs_agree();
    assert!(site.verb(&["log", "tidy"]).status.success());
    assert_eq!(site.value(&used.place), None);
    assert_eq!(states(&site, &used.place), ["applied", "not-applied", "applied"]);
    assert_eq!(site.log().count("drift"), 0);
    site.log_and_refs_agree();
    alice.topic("next", &[("app/words", "x\n")]);
}

#[test]
fn killed_after_the_refs_went_it_is_no_drift() {
    let (site, alice, bob, used) = untidy();
    let output = tidy_with(&site, "real \"$@\"; kill -9 $PPID");
    assert_eq!(output.status.code(), None, "{output:?}");
    assert_eq!(site.value(&used.place), None);
    assert_eq!(states(&site, &used.place), ["applied"]);
    // The next push to this place: Bob says the same of the same change, later.
    let back = alice.topic("back", &[(NETWORK, "port 443\n")]);
    site.approve(&bob, &back).accepted();
    alice.land(&back).accepted();
    let again = alice.topic("again", &[(NETWORK, "port 8443\n")]);
    let draft = site.draft(&bob, &again).later(1);
    assert_eq!(draft.place(), used.place);
    draft.push(&bob).accepted();
    assert_eq!(states(&site, &used.place), ["applied", "applied", "applied"]);
    assert_eq!(site.log().count("drift"), 0);
    alice.land(&again).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_git_that_says_no_is_told_and_nothing_is_lost() {
    let (site, _, bob, used) = untidy();
    let output = tidy_with(&site, "cat >/dev/null; echo fatal: the disk is tired >&2; exit 128");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the disk is tired"), "{said}");
    assert!(site.value(&used.place).is_some());
    site.log_and_refs_agree();
    assert!(site.verb(&["log", "tidy"]).status.success());
    assert_eq!(site.value(&used.place), None);
    site.log_and_refs_agree();
    drop(bob);
}

#[test]
fn a_statement_that_comes_between_the_record_and_the_removal_stays() {
    let (site, alice, bob, used) = untidy();
    let back = alice.topic("back", &[(NETWORK, "port 443\n")]);
    site.approve(&bob, &back).accepted();
    alice.land(&back).accepted();
    let again = alice.topic("again", &[(NETWORK, "port 8443\n")]);
    let later = site.draft(&bob, &again).later(2).sign(&bob);
    assert_eq!(later.place, used.place);
    // Bob's push comes while Git is about to remove: its words are what counts.
    let push = format!(
        "cd {} && env -i PATH=\"$PATH\" HOME={} {}={} git push -q {} '{}' >&2; real \"$@\"",
        bob.clone_path().display(),
        bob.home().display(),
        crate::support::person::WHO,
        bob.name(),
        site.path().display(),
        later.refspec()
    );
    let script = format!("input=$(mktemp); cat >$input; ({push} <$input); exit $?");
    let output = tidy_with(&site, &script);
    assert_eq!(site.value(&later.place), Some(later.blob), "{output:?}");
    assert_eq!(site.log().count("drift"), 0);
    site.log_and_refs_agree();
}

#[test]
fn an_expired_statement_leaves_and_one_of_a_landed_commit() {
    let (site, alice, bob, tip) = Site::topic();
    let begun = Instant::now();
    let draft = site.draft(&bob, &tip);
    let short = [3, 10, 40].iter().find(|seconds| {
        let draft = Draft { expires: moment(**seconds), ..draft.clone() };
        draft.push(&bob).is_accepted()
    });
    assert!(short.is_some());
    while site.value(&draft.place()).is_some() {
        tidy_json(&site, &[]);
        assert!(begun.elapsed().as_secs() < 120, "it does not expire");
    }
    assert_eq!(site.log().last("tidy")["refs"][0]["why"], "expired");
    // A new word counts.
    let statement = draft.later(1).sign(&bob);
    statement.push(&bob).accepted();
    // Past the hooks, as an operator may: nobody judged it, but the commit is on the branch.
    site.git(&["update-ref", "refs/heads/main", &tip]);
    let words = alice.topic("words", &[("app/words", "x\n")]);
    alice.land(&words).accepted();
    assert!(site.value(&statement.place).is_some());
    let gone = tidy_json(&site, &[]);
    assert_eq!(gone["repositories"][0]["gone"][0]["why"], "landed");
    assert_eq!(site.value(&statement.place), None);
    site.log_and_refs_agree();
}

#[test]
fn a_statement_about_what_had_landed_before_stays() {
    let (site, alice, bob, tip) = Site::topic();
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    // Carol looks at it afterwards, as somebody who settles a debt would.
    let carol = site.person("carol");
    carol.fetch();
    let base = carol.oid("origin/main~1");
    let late = Draft::new(&carol, &site.id(), "refs/heads/main", &base, &tip).sign(&carol);
    late.push(&carol).accepted();
    let words = alice.topic("words", &[("app/words", "x\n")]);
    alice.land(&words).accepted();
    tidy_json(&site, &[]);
    assert_eq!(site.value(&late.place), Some(late.blob));
}

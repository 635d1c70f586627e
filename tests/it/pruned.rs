//! A log whose old entries were taken away: what was used stays used, what was rejected stays
//! rejected, who brought a commit is known.

use std::fs;

use serde_json::Value;

use crate::json::is_told_of;
use crate::segments::{fill, ok};
use crate::support::ground::run;
use crate::support::site::Site;

const NETWORK: &str = "infra/prod/network.tf";

/// A fault of the program: its exit code is 3.
#[track_caller]
fn cannot(output: &std::process::Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    said
}

#[test]
fn what_pushes_ask_is_answered_as_before_old_entries_were_taken_away() {
    let (site, alice, bob, tip) = Site::topic();
    let carol = site.person("carol");
    let draft = site.draft(&bob, &tip);
    let (statement, place) = (draft.signed(&bob), draft.place());
    let blob = bob.object("blob", statement.as_bytes());
    bob.push(&[&format!("{blob}:{place}")]).accepted();
    alice.land(&tip).accepted();
    let rejected = alice.topic("rejected", &[("infra/other.tf", "1\n")]);
    site.draft(&bob, &rejected).verdict("reject").push(&bob).accepted();
    let next = alice.topic("next", &[("infra/next.tf", "1\n")]);
    let decided = site.log().last("decision")["seq"].as_u64().unwrap();
    ok(&site.verb(&["log", "seal"]));
    fill(&site);
    ok(&site.verb(&["log", "seal"]));
    let at = |name: &str| site.ground().at(name).to_str().unwrap().to_owned();
    let (published, archive) = (at("published"), at("archive"));
    let verb =
        |words: &[&str]| site.verb(&[&["log", "prune", "--before", "2100-01-01"], words].concat());

    // Only behind a checkpoint that others may have, of this log, and only what is older.
    let own = site.log_dir().join("checkpoint");
    let said = cannot(&verb(&["--published", own.to_str().unwrap()]));
    assert!(said.contains("is the log's own file"), "{said}");
    let early = fs::read_to_string(&own).unwrap();
    ok(&site.verb(&["log", "checkpoint", "--out", &published]));
    let whole = fs::read_to_string(&published).unwrap();
    let root = whole.lines().nth(2).unwrap();
    fs::write(&published, whole.replacen(root, early.lines().nth(2).unwrap(), 1)).unwrap();
    let said = cannot(&verb(&["--published", &published]));
    assert!(said.contains("are not those it covers"), "{said}");
    fs::write(&published, &whole).unwrap();
    let said =
        ok(&site.verb(&["log", "prune", "--before", "2020-01-01", "--published", &published]));
    assert!(said.contains("nothing is taken away"), "{said}");
    let said = ok(&verb(&["--published", &published, "--dry-run"]));
    assert!(said.contains("would be taken away") && said.contains("a key of the log"), "{said}");
    assert!(site.log_dir().join("00000000000000000000.jsonl").exists());

    let said = ok(&verb(&["--published", &published, "--to", &archive, "--json"]));
    is_told_of("`log prune`", &said);
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(told["archived"], told["plan"]["files"].as_array().unwrap().len());
    assert!(told["done"]["kept"].as_u64() < told["plan"]["first"].as_u64(), "{told}");
    assert!(!site.log_dir().join("00000000000000000000.jsonl").exists());
    let said = ok(&site.verb(&["log", "verify", "--root", "--repo", "--since", &published]));
    assert!(said.contains("were taken away"), "{said}");
    let said = ok(&site.verb(&["log", "verify", "--archive", &archive]));
    assert!(said.contains("the summary is what the archived files make"), "{said}");
    let said = ok(&site.verb(&["log", "show", &decided.to_string()]));
    assert!(said.contains("refs/heads/next"), "{said}");
    let said = cannot(&site.verb(&["log", "show", "1000"]));
    assert!(said.contains("entry 1000 was taken away"), "{said}");
    for words in [&["show"][..], &["tail"], &["export", "--format", "csv"]] {
        let said = ok(&site.verb(&[&["log"], words].concat()));
        assert!(said.contains("were taken away (portcullis log prune)"), "{said}");
    }
    let said = ok(&site.verb(&["log", "who", &tip]));
    assert!(said.contains("alice") && said.contains("bob"), "{said}");

    // Alice brought it: her own word is none.
    site.approve(&alice, &next);
    bob.fetch();
    let merge = bob.merge(&next);
    site.main_refuses(&bob, &merge).refused_by("infra-review");
    site.approve(&bob, &next).accepted();
    alice.land(&next).accepted();
    // Bob's no stands, whoever else says yes.
    site.approve(&carol, &rejected).accepted();
    let merge = alice.merge(&rejected);
    site.main_refuses(&alice, &merge).says("bob").says_one_of(&["reject"]);
    // Bob's yes to the first change is used up, though the change is made again.
    let back = alice.topic("close-port", &[(NETWORK, "port 443\n")]);
    site.approve(&bob, &back).accepted();
    alice.land(&back).accepted();
    let again = alice.topic("open-again", &[(NETWORK, "port 8443\n")]);
    bob.push(&[&format!("+{blob}:{place}")]);
    let merge = alice.merge(&again);
    site.main_refuses(&alice, &merge).refused_by("infra-review");
    ok(&site.verb(&["log", "seal"]));
    ok(&site.verb(&["log", "verify", "--root", "--repo", "--since", &published]));
}

#[test]
fn a_whole_tree_is_pruned_behind_the_checkpoints_in_a_folder() {
    let (site, ..) = Site::topic();
    ok(&site.verb(&["log", "seal"]));
    fill(&site);
    ok(&site.verb(&["log", "seal"]));
    let ground = site.ground();
    let at = |name: &str| ground.at(name).to_str().unwrap().to_owned();
    let (below, published, archive) = (at(""), at("published"), at("archive"));
    fs::create_dir(&published).unwrap();
    fs::write(ground.at("published/read-me"), "What others have of our logs.\n").unwrap();
    let verb = |words: &[&str]| {
        let prune = ["log", "prune", "--before", "2100-01-01", "--published", &published];
        let tree = ["--to", &archive, "--recursive", &below];
        run(ground.portcullis().args([&prune[..], &tree, words].concat()))
    };
    // Of a log whose checkpoint nobody has, nothing goes, and that is no fault.
    let said = ok(&verb(&[]));
    assert!(said.contains("no checkpoint of its log is in"), "{said}");
    assert!(site.log_dir().join("00000000000000000000.jsonl").exists());
    // The longest counts, whatever the files are called.
    let old = fs::read(site.log_dir().join("checkpoint")).unwrap();
    fs::write(ground.at("published/z-old"), old).unwrap();
    ok(&site.verb(&["log", "checkpoint", "--out", &format!("{published}/a-new")]));
    let output = verb(&["--json"]);
    ok(&output);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told["archived"].as_u64() > Some(0), "{told}");
    assert!(!site.log_dir().join("00000000000000000000.jsonl").exists());
    let folders = fs::read_dir(&archive).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<_> = folders.collect();
    let [own] = &folders[..] else { panic!("{folders:?}") };
    assert!(own.join("00000000000000000000.jsonl").exists(), "a folder of its own: {own:?}");
    ok(&site.verb(&["log", "verify", "--archive", own.to_str().unwrap()]));
}

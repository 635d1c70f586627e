//! What real pushes leave for whoever asks later: the story of a commit, and entries as they come.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::site::Site;

const NETWORK: &str = "infra/prod/network.tf";

/// What `log who` says about a commit.
fn who(site: &Site, commit: &str) -> Value {
    let output = site.verb(&["log", "who", "--json", commit]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut value: Value = serde_json::from_slice(&output.stdout).unwrap();
    value["logs"][0]["known"].take()
}

#[test]
fn a_commit_is_followed_from_its_branch_through_its_approval_to_main() {
    let (site, alice, bob) = Site::alice_and_bob();
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    let merge = alice.merge(&tip);
    alice.push(&[&format!("{merge}:refs/heads/main")]).accepted();

    let known = who(&site, &tip[..12]);
    assert_eq!(known["commit"], tip.as_str());
    assert_eq!(known["brought"]["by"], "alice");
    let pushes = known["pushes"].as_array().unwrap();
    let told: Vec<(&str, &str, &str)> = pushes
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap();
            (text("why"), text("ref"), it["outcome"]["state"].as_str().unwrap())
        })
        .collect();
    let expected =
        [("brought", "refs/heads/open-port", "applied"), ("used", "refs/heads/main", "applied")];
    assert_eq!(told, expected);
    let used = &pushes[1]["used"][0];
    assert_eq!((used["person"].as_str(), used["commit"].as_str()), (Some("bob"), Some(&tip[..])));
    let key = used["key"].as_str().unwrap();
    assert!(key.starts_with("SHA256:"), "{key}");
    let story = site.verb(&["log", "who", &tip]);
    let story = String::from_utf8_lossy(&story.stdout);
    assert!(story.contains(&format!("signed by {key}")), "{story}");

    let merged = who(&site, &merge);
    assert_eq!(merged["pushes"][0]["why"], "brought");
    assert_eq!(merged["pushes"][0]["used"][0]["person"], "bob");
}

#[test]
fn a_push_is_seen_by_whoever_follows() {
    let site = Site::gated();
    let alice = site.person("alice");
    let mut command = site.ground().portcullis();
    // Those that are there are asked for too: the push may be faster than the verb.
    command.args(["log", "tail", "--follow", "--json", "-n", "100"]).arg(site.path());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let tip = alice.topic("one", &[("app/words", "one")]);
    let brought = loop {
        let entry: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if entry["type"] == "decision" && entry["refs"][0]["ref"] == "refs/heads/one" {
            break entry["refs"][0]["new"].clone();
        }
    };
    assert_eq!(brought, tip.as_str());
    drop(lines);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

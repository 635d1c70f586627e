//! What happens to refs, HEAD, hooks and settings past the gate: found, written, shown, accepted, and
//! where the policy says so, in the way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use serde_json::Value;

use crate::support::entries::chain;
use crate::support::ground::run;
use crate::support::person::Person;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};

const MAIN: &str = "refs/heads/main";
const NETWORK: &str = "infra/prod/network.tf";

/// The usual policy, by which a drift is in the way.
fn refusing() -> String {
    policy::gated(1) + "\n[log]\non-drift = \"refuse\"\n"
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// `log drift` with these words; it has to end with this code.
#[track_caller]
fn drift(site: &Site, words: &[&str], code: i32) -> String {
    let output = site.verb(&[&["log", "drift"], words].concat());
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    said(&output)
}

/// What `log drift --json` tells of this repository.
#[track_caller]
fn drifts(site: &Site, code: i32) -> Value {
    let output = site.verb(&["log", "drift", "--json"]);
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    value["repositories"][0].clone()
}

/// What `log verify --repo --json` tells; nothing may be written by it.
#[track_caller]
fn verified(site: &Site, code: i32) -> Value {
    let before = listing(site);
    let output = site.verb(&["log", "verify", "--repo", "--json"]);
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    assert_eq!(listing(site), before, "looking writes nothing");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["whole"], true, "{value}");
    value["logs"][0]["repo"].clone()
}

/// Every file of the log and its bytes.
fn listing(site: &Site) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut folders = vec![site.log_dir()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for one in fs::read_dir(folder).unwrap() {
            let path = one.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push((path.clone(), fs::read(&path).unwrap())),
            }
        }
    }
    found.sort();
    found
}

/// A commit of Alice's that the server has on a branch of hers.
fn stray(alice: &Person) -> String {
    alice.topic("stray", &[("infra/prod/stray.tf", "port 1\n")])
}

/// A push of Alice's past the hooks, as who has a shell on the server can do.
fn past_the_hooks(site: &Site, alice: &Person, refspec: &str) {
    let hooks = site.path().join("hooks");
    let away = site.path().join("hooks-away");
    fs::rename(&hooks, &away).unwrap();
    alice.push(&["--force", refspec]).is_accepted().then_some(()).unwrap();
    fs::rename(&away, &hooks).unwrap();
}

#[test]
fn g09_h11_a_command_on_the_server_is_found_shown_and_accepted() {
    let (site, alice, _) = Site::alice_and_bob();
    site.git(&["config", "core.logAllRefUpdates", "always"]);
    let tip = stray(&alice);
    drift(&site, &[], 0);
    let before = site.main();
    site.git(&["update-ref", "-m", "by hand", MAIN, &tip]);
    let agreement = verified(&site, 1);
    assert_eq!(agreement["drifts"][0]["found"], tip.as_str());
    assert_eq!(site.log().count("drift"), 0);

    let shown = drift(&site, &[], 1);
    assert!(shown.contains(&format!("{MAIN}: {} by the log", &before[..7])), "{shown}");
    assert!(shown.contains("reflog: "), "{shown}");
    assert!(shown.contains("by hand"), "{shown}");
    assert!(shown.contains("1 drift not accepted"), "{shown}");
    assert!(shown.contains("portcullis log drift --accept 'REASON'"), "{shown}");
    let told = drifts(&site, 1);
    assert_eq!(site.log().count("drift"), 1, "one drift is written once");
    let one = &told["drifts"][0];
    assert_eq!((&one["logged"], &one["found"]), (&before.into(), &tip.clone().into()));
    assert_eq!(one["accepted"], Value::Null);
    assert_eq!(verified(&site, 1)["not_accepted"], 1);

    let shown = drift(&site, &["--accept", "restored after INC-42"], 0);
    assert!(shown.contains(": \"restored after INC-42\""), "{shown}");
    let log = site.log();
    let accepted = log.last("accepted");
    assert_eq!(accepted["of"][0], log.last("drift")["seq"]);
    assert_eq!(accepted["refs"][0], MAIN);
    assert!(!accepted["by"].as_str().unwrap().is_empty());
    let told = drifts(&site, 0);
    assert_eq!(told["drifts"][0]["accepted"]["reason"], "restored after INC-42");
    assert_eq!(verified(&site, 0)["holds"], true);
    let rows = said(&site.verb(&["log", "show"]));
    assert!(rows.contains("excused      drift of entry"), "{rows}");
    // Accepting again has nothing to say.
    assert!(drift(&site, &["--accept", "again"], 0).contains("nothing to accept"));
    assert_eq!(site.log().count("accepted"), 1);
    chain(&site.log_dir());
    site.log_and_refs_agree();
}

#[test]
fn g08_g10_h10_every_way_past_the_gate_is_a_drift_with_its_traces() {
    let (site, alice, _) = Site::alice_and_bob();
    site.git(&["config", "core.logAllRefUpdates", "always"]);
    let tip = stray(&alice);
    let file = site.path().join(MAIN);
    let backup = fs::read(&file).unwrap();
    let approved = alice.topic("words", &[("app/words", "hello\n")]);
    alice.land(&approved).accepted();
    let landed = site.main();
    let newest = |site: &Site| site.log().last("drift").clone();

    // A backup of the ref is put back: the push that was accepted is undone.
    fs::write(&file, &backup).unwrap();
    drift(&site, &[], 1);
    assert_eq!(newest(&site)["logged"], landed.as_str());
    assert_eq!(newest(&site)["found"], String::from_utf8(backup).unwrap().trim_end());
    // An edited file: the reflog has nothing of it.
    fs::write(&file, format!("{tip}\n")).unwrap();
    drift(&site, &[], 1);
    let traces = newest(&site)["evidence"].clone();
    let trace = |kind: &str| {
        let all = traces.as_array().unwrap();
        all.iter().find(|it| it["kind"] == kind).map(|it| it["text"].as_str().unwrap().to_owned())
    };
    assert_eq!(trace("reflog").unwrap(), "its last line does not lead to what was found");
    assert!(trace("file").unwrap().starts_with("written 2"), "{traces}");
    // Of an object that is not there.
    fs::write(&file, "4".repeat(40) + "\n").unwrap();
    drift(&site, &[], 1);
    assert_eq!(newest(&site)["evidence"][0]["kind"], "object");
    // No value at all.
    fs::write(&file, "mallory was here\n").unwrap();
    drift(&site, &[], 1);
    assert_eq!(newest(&site)["found"], site.zero());
    assert_eq!(newest(&site)["evidence"][0]["kind"], "broken");
    assert_eq!(newest(&site)["evidence"][0]["text"], "mallory was here\n");
    // Another name for another ref.
    fs::write(&file, "ref: refs/heads/stray\n").unwrap();
    drift(&site, &[], 1);
    assert_eq!(site.log().count("drift"), 4, "it has no value still");
    // Past the hooks, which were moved away.
    fs::write(&file, format!("{landed}\n")).unwrap();
    drift(&site, &[], 1);
    past_the_hooks(&site, &alice, &format!("{tip}:{MAIN}"));
    drift(&site, &[], 1);
    assert_eq!(newest(&site)["found"], tip.as_str());
    // Given another name, and made.
    site.git(&["branch", "-m", "words", "sentences"]);
    site.git(&["update-ref", "refs/tags/v1", &landed]);
    drift(&site, &[], 1);
    let log = site.log();
    let names: Vec<&str> = log.of("drift").map(|it| it["ref"].as_str().unwrap()).collect();
    for name in ["refs/heads/words", "refs/heads/sentences", "refs/tags/v1"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    drift(&site, &["--accept", "an exercise"], 0);
    site.log_and_refs_agree();
}

#[test]
fn h09_g10_packed_refs_are_no_drift_and_a_changed_line_in_them_is() {
    let (site, alice, _) = Site::alice_and_bob();
    let tip = stray(&alice);
    site.git(&["pack-refs", "--all"]);
    drift(&site, &[], 0);
    let packed = site.path().join("packed-refs");
    let text = fs::read_to_string(&packed).unwrap();
    fs::write(&packed, text.replace(&format!("{} {MAIN}", site.main()), &format!("{tip} {MAIN}")))
        .unwrap();
    drift(&site, &[], 1);
    assert_eq!(site.log().last("drift")["found"], tip.as_str());
    let gone: String = fs::read_to_string(&packed)
        .unwrap()
        .lines()
        .filter(|line| !line.ends_with(MAIN))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&packed, gone).unwrap();
    drift(&site, &[], 1);
    assert_eq!(site.log().last("drift")["found"], site.zero());
}

#[test]
fn b17_head_is_held_against_the_log_too() {
    let (site, alice, _) = Site::alice_and_bob();
    let tip = stray(&alice);
    site.git(&["symbolic-ref", "HEAD", "refs/heads/stray"]);
    assert_eq!(verified(&site, 1)["drifts"][0]["logged"], MAIN);
    let shown = drift(&site, &[], 1);
    assert!(shown.contains(&format!("HEAD: {MAIN} by the log, found refs/heads/stray")), "{shown}");
    assert_eq!(site.log().last("drift")["head"]["found"], "refs/heads/stray");
    let only = site.verb(&["log", "drift", "--accept", "renamed", "--ref", "main"]);
    assert_eq!(only.status.code(), Some(1), "{}", said(&only));
    drift(&site, &["--accept", "renamed", "--ref", "HEAD"], 0);
    assert_eq!(site.log().last("accepted")["refs"][0], "HEAD");
    // A commit instead of a ref, and back to where it was: each is one more.
    fs::write(site.path().join("HEAD"), format!("{tip}\n")).unwrap();
    drift(&site, &[], 1);
    assert_eq!(site.log().last("drift")["head"]["found"], tip.as_str());
    site.git(&["symbolic-ref", "HEAD", MAIN]);
    drift(&site, &["--accept", "put back"], 0);
    assert_eq!(site.log().count("drift"), 3);
    drift(&site, &[], 0);
    site.log_and_refs_agree();
}

#[test]
fn a_push_whose_end_nobody_heard_of_is_closed_without_another_push() {
    let (site, alice, _) = Site::alice_and_bob();
    let hook = |script: &str| site.write_hook("reference-transaction", script);
    let kill = |when: &str| format!("#!/bin/sh\n[ \"$1\" = {when} ] && kill -9 $PPID\nexit 0\n");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    hook(&kill("prepared"));
    assert!(!alice.push(&["HEAD:refs/heads/before"]).is_accepted());
    let _ = fs::remove_file(site.path().join("refs/heads/before.lock"));
    hook(&kill("committed"));
    alice.push(&["HEAD:refs/heads/after"]);
    let agreement = verified(&site, 0);
    let explained = agreement["explained"].to_string();
    assert!(explained.contains("refs/heads/before") && explained.contains("refs/heads/after"));
    let told = drifts(&site, 0);
    assert_eq!((&told["written"], &told["waiting"]), (&2.into(), &Value::Array(Vec::new())));
    let log = site.log();
    let state = |name: &str| {
        let all = log.of("outcome").map(|it| &it["refs"][0]);
        all.filter(|it| it["ref"] == name).map(|it| it["state"].clone()).last().unwrap()
    };
    assert_eq!(state("refs/heads/before"), "not-applied");
    assert_eq!(state("refs/heads/after"), "applied");
    assert_eq!(verified(&site, 0)["explained"], Value::Array(Vec::new()));
    site.log_and_refs_agree();
}

#[test]
fn a_push_that_runs_is_waited_for() {
    let (site, alice, _) = Site::alice_and_bob();
    // The verbs run while Git is between our yes and the ref.
    let program = crate::support::ground::PORTCULLIS;
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = prepared ] || exit 0\nunset GIT_DIR\n\
         {program} log verify --repo --json . >looked\n{program} log drift --json . >drifts\nexit 0\n"
    );
    site.write_hook("reference-transaction", &script);
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    for (file, key) in [("looked", "/logs/0/repo"), ("drifts", "/repositories/0")] {
        let text = fs::read(site.path().join(file)).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        let waiting = &value.pointer(key).unwrap()["waiting"];
        assert_eq!(waiting[0]["ref"], "refs/heads/mine", "{value}");
    }
    fs::remove_file(site.hook_file("reference-transaction")).unwrap();
    assert_eq!(site.log().last("outcome")["refs"][0]["state"], "applied");
    assert_eq!(site.log().count("drift"), 0);
    site.log_and_refs_agree();
}

#[test]
fn a_repository_that_cannot_be_read_does_not_keep_the_others_from_it() {
    let (site, alice, _) = Site::alice_and_bob();
    let tip = stray(&alice);
    site.git(&["update-ref", MAIN, &tip]);
    let here = site.path().to_str().unwrap();
    let output = site.portcullis(&["log", "drift", "--json", "/not-there.git", here]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(value["repositories"][0]["fault"].is_string(), "{value}");
    assert_eq!(value["repositories"][1]["open"], 1);
    assert_eq!(site.log().count("drift"), 1);
    for words in [&["--accept", ""][..], &["--accept", "two\nlines"], &["--ref", "main"]] {
        let output = site.verb(&[&["log", "drift"], words].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    }
    assert_eq!(site.log().count("accepted"), 0);
}

#[test]
fn hooks_and_settings_that_change_are_in_the_log() {
    let site = Plan::new(policy::gated(1)).setting("receive.certNonceSeed", "hunter2").build();
    let log = site.log();
    let first = log.last("config");
    assert_eq!((&first["via"], &first["changes"]), (&"install".into(), &Value::Null));
    let hook = |entry: &Value, name: &str| {
        let hooks = entry["hooks"].as_array().unwrap();
        hooks.iter().find(|it| it["path"] == format!("hooks/{name}")).cloned().unwrap()
    };
    assert_eq!(hook(first, "pre-receive")["kind"], "ours");
    let text = fs::read_to_string(site.log_dir().join("00000000000000000000.jsonl")).unwrap();
    assert!(!text.contains("hunter2"), "a secret stays where it is");
    assert!(
        text.contains("\"key\":\"receive.certnonceseed\",\"scope\":\"local\",\"withheld\":true")
    );
    // The digest is that of the two lists as they stand.
    let line = text.lines().find(|line| line.contains("\"type\":\"config\"")).unwrap();
    let (_, lists) = line.split_once(",\"hooks\":").unwrap();
    let (lists, _) = lists.rsplit_once(",\"prev\":").unwrap();
    let both = format!("{{\"hooks\":{lists}}}");
    use sha2::Digest as _;
    let sum: String =
        sha2::Sha256::digest(both.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(first["sha256"], sum);

    drift(&site, &[], 0);
    assert!(site.install(&[]).status.success());
    assert_eq!(site.log().count("config"), 1, "nothing has changed");

    let file = site.hook_file("pre-receive");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    site.git(&["config", "transfer.hideRefs", "refs/secret"]);
    site.write_hook("reference-transaction", "#!/bin/sh\nexit 0\n");
    let shown = drift(&site, &[], 0);
    assert!(shown.contains("changed: transfer.hiderefs: now \"refs/secret\""), "{shown}");
    let log = site.log();
    let second = log.last("config");
    assert_eq!(second["via"], "log-drift");
    assert_eq!(hook(second, "pre-receive")["kind"], "other");
    assert_eq!(hook(second, "pre-receive")["mode"], "0644");
    let changes: Vec<&str> = second["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    let expected = ["hooks/pre-receive", "hooks/reference-transaction", "transfer.hiderefs"];
    assert_eq!(changes, expected);
    fs::remove_file(&file).unwrap();
    drift(&site, &[], 0);
    assert_eq!(hook(site.log().last("config"), "pre-receive")["kind"], "none");
    site.git(&["config", "core.hooksPath", "/dev/null"]);
    let shown = drift(&site, &[], 0);
    assert!(shown.contains("changed: core.hookspath: now \"/dev/null\""), "{shown}");
    let rows = said(&site.verb(&["log", "show"]));
    assert!(rows.contains("config       hooks/pre-receive: "), "{rows}");
    let last = site.log().last("config")["seq"].to_string();
    let whole = said(&site.verb(&["log", "show", &last]));
    assert!(whole.contains("changed    setting core.hookspath"), "{whole}");
    assert!(site.verb(&["log", "verify"]).status.success());
}

/// After a drift of `main`, which somebody brought about in this way: no push gets through until it
/// is accepted, not even in an emergency, and other refs take theirs.
#[track_caller]
fn is_in_the_way(way: impl Fn(&Site, &Person, &str)) {
    let glass = "\n[break-glass]\nby = [\"alice\"]\n";
    let site = Site::new(refusing() + glass);
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    // Nothing was done past the gate: the policy changes nothing.
    let words = alice.topic("words", &[("app/words", "hello\n")]);
    alice.land(&words).accepted();
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    let stray = stray(&alice);
    way(&site, &alice, &stray);
    assert_eq!(site.log().count("drift"), 0, "this push is the first to see it");
    alice.fetch();
    let push = alice.land(&tip);
    push.refused()
        .says("refs/heads/main was moved on the server past these rules")
        .says("found was ")
        .says("portcullis log drift --accept 'REASON' --ref refs/heads/main REPO");
    let entry = site.log().last("drift")["seq"].to_string();
    assert!(push.said().contains(&format!("(entry {entry})")), "{}", push.said());
    let merge = alice.merge(&tip);
    alice.push(&["-obreak-glass=INC-42: it burns", &format!("{merge}:{MAIN}")]).refused();
    alice.push(&[&format!("{tip}:refs/heads/elsewhere")]).accepted();
    let asked = alice.push(&["-oask", &format!("{merge}:refs/portcullis/for/main")]);
    assert!(!asked.is_accepted());

    drift(&site, &["--accept", "looked at", "--ref", "main"], 0);
    let push = alice.land(&tip);
    assert!(!push.said().contains("past these rules"), "{}", push.said());
    site.log_and_refs_agree();
}

#[test]
fn a_command_on_the_server_is_in_the_way() {
    is_in_the_way(|site, _, stray| drop(site.git(&["update-ref", MAIN, stray])));
}

#[test]
fn an_edited_file_is_in_the_way() {
    is_in_the_way(|site, _, stray| {
        fs::write(site.path().join(MAIN), format!("{stray}\n")).unwrap();
    });
}

#[test]
fn a_restored_backup_is_in_the_way() {
    is_in_the_way(|site, alice, _| {
        let first = alice.oid("origin/main~1");
        fs::write(site.path().join(MAIN), format!("{first}\n")).unwrap();
    });
}

#[test]
fn a_push_past_the_hooks_is_in_the_way() {
    is_in_the_way(|site, alice, stray| past_the_hooks(site, alice, &format!("{stray}:{MAIN}")));
}

#[test]
fn head_that_was_moved_is_in_the_way_of_what_it_protects() {
    let site = Site::new(refusing());
    let alice = site.person("alice");
    let words = alice.topic("words", &[("app/words", "hello\n")]);
    site.git(&["symbolic-ref", "HEAD", "refs/heads/words"]);
    let push = alice.land(&words);
    push.refused()
        .says("HEAD was moved on the server past these rules, from \"refs/heads/main\"")
        .says("portcullis log drift --accept 'REASON' --ref HEAD REPO");
    assert_eq!(site.log().last("drift")["head"]["found"], "refs/heads/words");
    alice.push(&[&format!("{words}:refs/heads/elsewhere")]).accepted();
    site.git(&["symbolic-ref", "HEAD", MAIN]);
    alice.land(&words).refused();
    drift(&site, &["--accept", "put back", "--ref", "HEAD"], 0);
    alice.land(&words).accepted();
    site.log_and_refs_agree();
}

#[test]
fn by_default_a_drift_is_recorded_and_nothing_more() {
    let (site, alice, _) = Site::alice_and_bob();
    let words = alice.topic("words", &[("app/words", "hello\n")]);
    let tip = stray(&alice);
    site.git(&["update-ref", MAIN, &tip]);
    alice.fetch();
    alice.land(&words).accepted();
    assert_eq!(site.log().count("drift"), 1);
    drift(&site, &[], 1);
    let push =
        Pushed::of(&run(alice.git(&["push", "-q"]).arg(site.path()).arg("HEAD:refs/heads/x")));
    push.accepted();
    site.log_and_refs_agree();
}

#[test]
fn every_repository_below_a_folder_is_looked_at() {
    let site = Site::gated();
    let server = site.path().parent().unwrap().to_str().unwrap().to_owned();
    let drift = || site.portcullis(&["log", "drift", "--recursive", &server]);
    let clean = drift();
    assert!(clean.status.success(), "{}", String::from_utf8_lossy(&clean.stderr));
    site.git(&["update-ref", "refs/heads/by-hand", &site.main()]);
    let found = drift();
    assert_eq!(found.status.code(), Some(1));
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(said.contains("refs/heads/by-hand"), "{said}");
    // One reason for whatever is found anywhere would be no reason.
    let all = site.portcullis(&["log", "drift", "--recursive", &server, "--accept", "why not"]);
    assert_eq!(all.status.code(), Some(2));
}

#[test]
fn a_push_notices_hooks_and_settings_that_are_not_as_before() {
    let site = Plan::new(policy::gated(1)).build();
    let alice = site.person("alice");
    let mut topics = 0;
    let mut push = || {
        topics += 1;
        alice.topic(&format!("topic-{topics}"), &[(&format!("app/{topics}.rs"), "x\n")]);
        let log = site.log();
        assert!(site.verb(&["log", "verify"]).status.success());
        (log.count("config"), log.last("config")["via"].as_str().unwrap().to_owned())
    };
    assert_eq!(push(), (1, "install".to_owned()));
    site.git(&["config", "transfer.hideRefs", "refs/secret"]);
    assert_eq!(push(), (2, "post-receive".to_owned()));
    assert_eq!(push().0, 2, "nothing has changed");
    site.git(&["config", "user.name", "somebody"]);
    assert_eq!(push().0, 2, "that has nothing to do with it");
    site.write_hook("reference-transaction", "#!/bin/sh\nexit 0\n");
    assert_eq!(push().0, 3);
    site.write_hook("reference-transaction", "#!/bin/sh\nexit  0\n");
    assert_eq!(push().0, 4, "a file of the same name and length");
    let last = site.log();
    let last = last.last("config");
    assert_eq!(last["changes"][0]["name"], "hooks/reference-transaction");
}

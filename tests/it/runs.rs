//! Commands that look at what lands, and one that is told of it: the example of `config/examples`,
//! with stand-ins for programs that no test can count on.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::ground::{Ground, run};
use crate::support::policy;
use crate::support::site::Site;
use crate::support::standin::with_stand_ins;

#[test]
fn conftest_terraform_and_kubeconform_look_at_what_lands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = fs::read_to_string(root.join("config/examples/checks-by-command.toml")).unwrap();
    let (_, rules) = example.split_once("[rule.conftest]").unwrap();
    let ground = Ground::new();
    let text =
        format!("{}\n[limits]\ndeadline-seconds = 60\n[rule.conftest]{rules}", policy::people());
    let site = Site::new(with_stand_ins(&ground, &text));
    let alice = site.person("alice");
    let land = |branch: &str, path: &str, words: &str| {
        alice.begin(branch);
        alice.commit(path, words);
        alice.push(&["HEAD:refs/heads/main"])
    };
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n";
    land("good", "clusters/a.yaml", deployment).accepted();
    let told = fs::read_to_string(ground.at("conftest.told")).unwrap();
    let wanted = "{\"version\": test --no-color --policy /etc/portcullis/rego clusters in /";
    assert!(told.starts_with(wanted), "{told}");
    let folder = told.trim_end().rsplit_once(" in ").unwrap().1.to_owned();
    assert!(!Path::new(&folder).exists() && !Path::new(&folder).parent().unwrap().exists());
    assert!(!ground.at("terraform.told").exists(), "nothing of infra/ has changed");
    let refused = format!("{deployment}# refuse conftest, refuse kubeconform\n");
    land("bad", "clusters/a.yaml", &refused)
        .refused_by("conftest")
        .says("| conftest says no")
        .says("| kubeconform says no");
    land("plan", "infra/main.tf", "# refuse terraform\n").says("| terraform says no");
    land("better", "infra/main.tf", "# better\n").accepted();
    let told = fs::read_to_string(ground.at("terraform.told")).unwrap();
    assert!(told.contains(" validate -no-color in /"), "{told}");
    site.log_and_refs_agree();
}

/// The next event, from a pipe that the command writes to.
fn next(heard: &Receiver<String>) -> Value {
    let line =
        heard.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("nobody was told"));
    serde_json::from_str(&line).unwrap()
}

#[test]
fn a_command_is_told_of_what_has_happened() {
    let ground = Ground::new();
    let (fifo, script) = (ground.at("events"), ground.at("tell"));
    run(ground.command("mkfifo").arg(&fifo));
    // A pipe that is open for writing too never ends.
    let pipe = fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    let (say, heard) = channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(pipe).lines();
        lines.map_while(Result::ok).try_for_each(|line| say.send(line))
    });
    let text = format!(
        "#!/bin/sh\nenv | grep -q '^GIT_\\|SSH' && exit 1\ncat >'{}'\nexec sleep 600\n",
        fifo.display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let site = Site::new(format!(
        "{}\n[notify]\ncommand = [\"{}\"]\ntimeout = \"1s\"\n[break-glass]\nby = [\"alice\"]\n\
         [rule.m]\nkind = \"merge\"\nrefs = [\"main\"]\n",
        policy::people(),
        script.display()
    ));
    let alice = site.person("alice");
    // Nobody waits for a command that never ends: each of these is answered at once.
    alice.begin("words");
    alice.commit("app/words", "hello\n");
    alice.push(&["HEAD:refs/heads/main"]).refused_by("m");
    let told = next(&heard);
    assert_eq!((&told["event"], &told["repository"]), (&json!("refused"), &json!(site.id())));
    assert_eq!(told["entry"]["actor"]["name"], "alice");
    alice.push(&["HEAD:refs/heads/words"]).accepted();
    let told = next(&heard);
    assert_eq!((&told["event"], &told["entry"]["type"]), (&json!("landed"), &json!("outcome")));
    assert_eq!(told["decision"]["refs"][0]["ref"], "refs/heads/words");
    let glass = "--push-option=break-glass=INC-42: why";
    alice.push(&[glass, "HEAD:refs/heads/main"]).accepted();
    assert_eq!(next(&heard)["event"], "break-glass");
    assert_eq!(next(&heard)["event"], "landed");
}

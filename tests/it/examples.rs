//! What the README and `config/` show is what the program does.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::entries::segments;
use crate::support::ground::{Ground, PORTCULLIS, run};
use crate::support::site::Site;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The fenced blocks of the README in one language.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let fence = format!("```{language}");
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if line == fence {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(block.join("\n") + "\n");
        }
    }
    blocks
}

/// The one block of the README that holds these words.
fn block_with(language: &str, words: &str) -> String {
    blocks(language).into_iter().find(|block| block.contains(words)).unwrap()
}

fn policies_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "toml") {
                found.push(path);
            }
        }
    }
    found
}

#[track_caller]
fn lints(ground: &Ground, file: &Path) {
    let lint = run(ground.portcullis().arg("lint").arg(file));
    assert!(
        lint.status.success(),
        "{}: {}{}",
        file.display(),
        String::from_utf8_lossy(&lint.stdout),
        String::from_utf8_lossy(&lint.stderr)
    );
}

#[test]
fn every_policy_of_the_readme_is_a_good_one() {
    let ground = Ground::new();
    let policies = blocks("toml");
    assert!(!policies.is_empty());
    for (number, policy) in policies.iter().enumerate() {
        let file = ground.at(format!("readme-{number}.toml"));
        fs::write(&file, policy).unwrap();
        lints(&ground, &file);
    }
}

#[test]
fn every_policy_of_config_is_a_good_one() {
    let ground = Ground::new();
    let policies = policies_below(&root().join("config"));
    assert!(!policies.is_empty());
    for policy in policies {
        // A copy, so that who checks the sources out with another umask is not told about it.
        let file = ground.at(policy.file_name().unwrap());
        fs::write(&file, fs::read(&policy).unwrap()).unwrap();
        lints(&ground, &file);
    }
}

#[test]
fn the_commands_of_the_readme_approve() {
    let site = Site::gated();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    bob.fetch();
    let script = block_with("sh", "ssh-keygen -q -Y sign");
    let mut shell = bob.command("bash");
    shell
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(bob.clone_path())
        .env("ID", site.id())
        .env("COMMIT", &tip)
        .env("ME", "bob")
        .env("KEY", bob.key());
    let output = run(&mut shell);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    alice.land(&tip).accepted();
}

#[test]
fn the_commands_of_the_readme_land_a_change() {
    let site = Site::gated();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    alice.begin("open-port");
    alice.run(&["branch", "--force", "main", "origin/main"]);
    alice.commit("infra/prod/network.tf", "port 8443\n");
    let script = block_with("sh", "portcullis approve");
    // Each line is somebody's; `portcullis` is where an operator would have put it.
    let bin = site.ground().at("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(PORTCULLIS, bin.join("portcullis")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    for line in script.lines() {
        let person = if line.contains("portcullis approve") { &bob } else { &alice };
        if std::ptr::eq(person, &bob) {
            bob.fetch();
            bob.run(&["branch", "--force", "open-port", "origin/open-port"]);
        }
        // Nobody sits at a terminal here to say yes.
        let line = line.replace("portcullis approve", "portcullis approve --yes");
        let mut shell = person.command("bash");
        shell.args(["-c", &line]).current_dir(person.clone_path()).env("PATH", &path);
        let output = run(&mut shell);
        // `review` says 1 as long as something is missing.
        let expected = i32::from(line.contains("portcullis review"));
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{line}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(site.main(), alice.oid("main"));
    site.log_and_refs_agree();
}

#[test]
fn an_auditor_checks_the_chain_with_a_shell() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.topic("words", &[("app/words", "hello\n")]);
    let script = block_with("sh", "not linked");
    let segment = segments(&site.log_dir()).remove(0);
    let audit = || {
        let mut shell = site.ground().command("sh");
        run(shell.args(["-euc", &script]).env("SEGMENT", &segment))
    };
    let output = audit();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let text = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, text.replacen("alice", "malix", 1)).unwrap();
    assert_eq!(audit().status.code(), Some(1));
}

/// The text with every short oid made the same: dates are in them.
fn without_oids(text: &str) -> String {
    let is_oid = |word: &str| {
        matches!(word.len(), 7 | 12) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    text.split(' ')
        .map(|word| if is_oid(word) { "OID" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_refused_push_of_the_readme_is_what_a_pusher_reads() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    alice.run(&["checkout", "--quiet", "-B", "main", "origin/main"]);
    alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", "open-port"]);
    let push = alice.push(&["main"]);
    push.refused();
    let shown = block_with("text", "git push origin main");
    let shown: Vec<&str> = shown
        .lines()
        .filter_map(|line| line.strip_prefix("remote:"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    assert_eq!(without_oids(&push.said()), without_oids(&shown.join("\n")));
}

//! A log packed for an auditor: unpacked with tar alone and checked with what is in it; and a judgement
//! told again from the log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::audit::{lived_in, ok, ready};
use crate::support::entries::chain;
use crate::support::ground::{Ground, run};
use crate::support::site::Site;

/// Every file below a folder, by its path there.
fn files(folder: &Path) -> Vec<String> {
    let mut folders = vec![PathBuf::new()];
    let mut found = Vec::new();
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(folder.join(&inner)).unwrap() {
            let entry = entry.unwrap();
            let path = inner.join(entry.file_name());
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(path),
                false => found.push(path.to_str().unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

/// Packs the log of a site.
#[track_caller]
fn packed(site: &Site, name: &str) -> PathBuf {
    let file = site.ground().at(name);
    let said = ok(&site.verb(&["log", "export", "--bundle", file.to_str().unwrap()]));
    let sum = ok(&run(site.ground().command("sha256sum").arg(&file)));
    assert!(said.starts_with(sum.split(' ').next().unwrap()), "{said}{sum}");
    file
}

/// Runs a program in the folder of an unpacked bundle.
fn there(ground: &Ground, folder: &Path, words: &[&str]) -> Output {
    let mut command: Command = ground.command(words[0]);
    if let Some(home) = std::env::var_os("HOME") {
        // Some machines keep their Python below the home folder.
        command.env("HOME", home);
    }
    run(command.args(&words[1..]).current_dir(folder))
}

#[test]
fn a_bundle_is_unpacked_by_tar_and_checked_by_the_scripts_in_it() {
    let (site, _) = lived_in();
    if !ready(&site) {
        return;
    }
    let ground = site.ground();
    let file = packed(&site, "audit.tar");
    let again = packed(&site, "again.tar");
    assert_eq!(fs::read(&file).unwrap(), fs::read(again).unwrap(), "the same log, the same bytes");
    let gzip = packed(&site, "audit.tar.gz");
    ok(&run(ground.command("tar").arg("-xf").arg(&gzip).arg("-C").arg(ground.path())));
    let folder = ground.at("portcullis-audit");
    let inner = files(&folder);
    let log = inner.iter().find_map(|name| name.strip_suffix("/policies.txt")).unwrap();
    assert!(
        !inner.iter().any(|name| name.ends_with("/key") || name.ends_with("/lock")),
        "{inner:?}"
    );
    let in_log = format!("{log}/log");
    // Every file is in the list, and is what the list says.
    let listed = fs::read_to_string(folder.join("MANIFEST.sha256")).unwrap();
    assert_eq!(listed.lines().count() + 1, inner.len());
    ok(&there(ground, &folder, &["sha256sum", "-c", "--quiet", "--strict", "MANIFEST.sha256"]));
    let head = chain(&site.log_dir());
    let scripts: [&[&str]; 2] = [&["python3", "verify.py"], &["sh", "verify.sh"]];
    for script in scripts {
        let said = ok(&there(ground, &folder, &[script, &[&in_log]].concat()));
        assert!(said.starts_with("whole, ") && said.contains(&format!("head {head}")), "{said}");
        assert!(said.contains("2 seals, ") && said.contains(" tiles"), "{said}");
    }
    let said = ok(&there(ground, &folder, &["sh", "statements.sh", log]));
    assert_eq!(said, "1 statements are signed by whom they name, 0 are not, 0 were not checked\n");
    let policies = fs::read_to_string(folder.join(log).join("policies.txt")).unwrap();
    let text = policies.lines().find_map(|line| line.trim().split_once("  ").map(|it| it.0));
    let text = fs::read(
        folder.join(log).join(
            text.filter(|it| it.contains('/'))
                .unwrap_or(policies.lines().nth(1).unwrap().trim().split("  ").next().unwrap()),
        ),
    );
    assert_eq!(text.unwrap(), fs::read(site.policy_file()).unwrap());
    // What was changed is found by each.
    let statement = inner.iter().find(|name| name.ends_with(".signed")).unwrap();
    let signed = fs::read_to_string(folder.join(statement)).unwrap();
    fs::write(folder.join(statement), signed.replace("approve", "reject")).unwrap();
    let said = there(ground, &folder, &["sh", "statements.sh", log]);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    let lines = inner.iter().find(|name| name.ends_with(".jsonl")).unwrap();
    let mut bytes = fs::read(folder.join(lines)).unwrap();
    bytes[300] ^= 4;
    fs::write(folder.join(lines), bytes).unwrap();
    for script in scripts {
        let said = there(ground, &folder, &[script, &[&in_log]].concat());
        assert_eq!(said.status.code(), Some(1), "{said:?}");
    }
    let parted = site.verb(&["log", "export", "--bundle", "x.tar", "--by", "bob"]);
    assert_eq!(parted.status.code(), Some(2), "{parted:?}");
}

#[test]
fn a_judgement_is_told_again_from_the_log_with_and_without_its_index() {
    let (site, alice, bob, tip) = Site::topic();
    site.main_refuses(&alice, "HEAD");
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    let log = site.log();
    let landing = log.of("decision").find(|it| !it["refs"][0]["uses"].is_null()).unwrap();
    let (landing, refused) = (
        landing["seq"].to_string(),
        log.of("decision").find(|it| it["verdict"] == "refuse").unwrap()["seq"].to_string(),
    );
    let told = ok(&site.verb(&["log", "show", &landing, "--full"]));
    for words in [
        "judged by  the policy of entry 1: ",
        "rules      `main-takes-merges` (merge, refuse, policy.toml:",
        "`infra-review` (approval, refuse, policy.toml:",
        "): no objection",
        "path by    ",
        ": `infra-review`",
        "evidence   approve by bob, entry ",
        "its signature fits, by the key SHA256:",
        &format!("of {tip} for refs/heads/main"),
        "not held   contents of files",
    ] {
        assert!(told.contains(words), "{words:?} is not in\n{told}");
    }
    let no = ok(&site.verb(&["log", "show", &refused, "--full"]));
    assert!(no.contains("evidence   no approval and no check was used"), "{no}");
    assert!(no.contains("`main-takes-merges` (merge, refuse, policy.toml:"), "{no}");
    assert!(
        !no.contains("`main-takes-merges` (merge, refuse, policy.toml:41): no objection"),
        "{no}"
    );
    // A copy without its index, and without the repository: the same words.
    let copy = site.ground().at("copy");
    ok(&run(site.ground().command("cp").arg("-r").arg(site.log_dir()).arg(&copy)));
    fs::remove_dir_all(copy.join("index")).unwrap();
    let mut command = site.ground().portcullis();
    command.args(["log", "show", &landing, "--full", "--recursive"]).arg(&copy);
    let output = run(&mut command);
    assert_eq!(String::from_utf8_lossy(&output.stdout), told);
    // A page of the whole server may name the same.
    let short = ok(&site.verb(&["log", "show", &landing]));
    assert!(!short.contains("judged by") && short.contains("hash "), "{short}");
}

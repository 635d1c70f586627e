//! `portcullis import gitolite`: what it writes, and an imported policy beside gitolite's own
//! `update` hook.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::ground::{Ground, PORTCULLIS, missing, run, text};
use crate::support::person::{WHO, public_key};
use crate::support::site::{Plan, Site};

/// Where Debian keeps what gitolite's hook needs.
const LIBRARY: &str = "/usr/share/gitolite3";

/// Four commits, the third beside the second, the fourth with a file that not everybody may touch;
/// all are on the server before anybody pushes.
const HISTORY: &str = "\
blob\nmark :9\ndata 1\nx\n\
commit refs/heads/keep/first\nmark :1\ncommitter F <f@example.org> 1764547200 +0000\ndata 1\n1\n\
M 100644 :9 src/a\n\
commit refs/heads/master\nmark :2\ncommitter F <f@example.org> 1764547201 +0000\ndata 1\n2\n\
from :1\nM 100644 :9 src/b\n\
commit refs/heads/keep/beside\nmark :3\ncommitter F <f@example.org> 1764547202 +0000\ndata 1\n3\n\
from :1\nM 100644 :9 src/c\n\
commit refs/heads/keep/next\nmark :4\ncommitter F <f@example.org> 1764547203 +0000\ndata 1\n4\n\
from :2\nM 100644 :9 src/d\n\
commit refs/heads/keep/conf\nmark :5\ncommitter F <f@example.org> 1764547204 +0000\ndata 1\n5\n\
from :2\nM 100644 :9 conf/x\n\
commit refs/heads/keep/site\nmark :6\ncommitter F <f@example.org> 1764547205 +0000\ndata 1\n6\n\
from :2\nM 100644 :9 conf/site\n\
reset refs/heads/release/1\nfrom :2\n\
reset refs/heads/personal/bob/x\nfrom :2\n\
reset refs/heads/topic\nfrom :2\n\
reset refs/tags/v1\nfrom :2\n\
reset refs/tags/odd\nfrom :2\n";

/// What is tried by everybody: whether the ref is there, and where it goes; `None` deletes it.
const TRIED: &[(&str, bool, Option<&str>)] = &[
    ("refs/heads/master", true, Some("next")),
    ("refs/heads/master", true, Some("beside")),
    ("refs/heads/master", true, None),
    ("refs/heads/release/1", true, Some("next")),
    ("refs/heads/release/2", false, Some("next")),
    ("refs/heads/personal/bob/x", true, Some("next")),
    ("refs/heads/personal/bob/x", true, Some("beside")),
    ("refs/heads/personal/bob/x", true, None),
    ("refs/heads/personal/carol/x", false, Some("next")),
    ("refs/heads/personalities", false, Some("next")),
    ("refs/heads/topic", true, Some("next")),
    ("refs/heads/topic", true, Some("beside")),
    ("refs/heads/topic", true, Some("conf")),
    ("refs/heads/topic", true, Some("site")),
    ("refs/heads/topic", true, None),
    ("refs/tags/v1", true, Some("next")),
    ("refs/tags/v1", true, None),
    ("refs/tags/v2", false, Some("next")),
    ("refs/tags/odd", true, Some("next")),
    ("refs/tags/other", false, Some("next")),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/gitolite")
}

/// What `import` writes for one of the files, with the options that stand in its first line, and
/// whether it says that the policy refuses all that the file does.
fn imported(ground: &Ground, conf: &Path) -> (String, bool) {
    let first = fs::read_to_string(conf).unwrap();
    let options = first.lines().next().unwrap().trim_start_matches("# ");
    let mut import = ground.portcullis();
    import.args(["import", "gitolite"]).args(options.split(' ')).arg(conf);
    let output = run(&mut import);
    assert!(output.status.code() < Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), output.status.success())
}

#[test]
fn configurations_come_to_the_policies_that_stand_beside_them() {
    let ground = Ground::new();
    for (name, whole) in [("compared", true), ("rows", false)] {
        let (conf, expected) =
            (folder().join(format!("{name}.conf")), folder().join(format!("{name}.toml")));
        let (now, is_whole) = imported(&ground, &conf);
        assert_eq!(is_whole, whole, "{name}");
        let file = ground.at(format!("{name}.toml"));
        fs::write(&file, &now).unwrap();
        let lint = run(ground.portcullis().arg("lint").arg(&file));
        assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, &now).unwrap();
        }
        assert_eq!(fs::read_to_string(&expected).unwrap_or_default(), now, "{name}");
    }
}

#[test]
fn the_repository_has_to_be_one_and_keys_come_from_their_folder() {
    let ground = Ground::new();
    let conf = ground.at("gitolite.conf");
    fs::write(&conf, "repo a b\nRW+ = alice\nrepo c\nRW = bob\n").unwrap();
    let said = |args: &[&str]| {
        let output = run(ground.portcullis().args(["import", "gitolite"]).args(args).arg(&conf));
        let whole = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(whole).unwrap())
    };
    let (code, told) = said(&[]);
    assert!(code == Some(2) && told.contains("--repo NAME, one of a, b, c"), "{told}");
    let (code, told) = said(&["--repo", "d"]);
    assert!(code == Some(3) && told.contains("no row is about d"), "{told}");
    let keydir = ground.at("keydir");
    fs::create_dir_all(keydir.join("laptop")).unwrap();
    fs::write(keydir.join("laptop/alice@laptop.pub"), public_key("alice") + "\n").unwrap();
    fs::write(keydir.join("alice.pub"), public_key("alice-second") + "\n").unwrap();
    fs::write(keydir.join("erin@example.org.pub"), public_key("erin") + "\n").unwrap();
    let (code, told) = said(&["--repo", "b", "--keydir", keydir.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{told}");
    for words in [public_key("alice"), public_key("alice-second"), public_key("erin")] {
        assert!(told.contains(&words), "{told}");
    }
    assert!(
        told.contains("[people.\"erin-example.org\"]\nlogins = [\"erin@example.org\"]"),
        "{told}"
    );
    assert!(!told.contains("bob"), "{told}");
}

#[test]
fn the_commands_of_the_page_make_a_policy() {
    let ground = Ground::new();
    let page = folder().join("../../../docs/rules.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, block) = page.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    for folder in ["conf", "keydir"] {
        fs::create_dir(ground.at(folder)).unwrap();
    }
    fs::copy(folder().join("compared.conf"), ground.at("conf/gitolite.conf")).unwrap();
    fs::write(ground.at("keydir/bob.pub"), public_key("bob") + "\n").unwrap();
    let mut shell = ground.command("sh");
    let path = format!(
        "{}:{}",
        Path::new(PORTCULLIS).parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    text(shell.args(["-euc", block]).current_dir(ground.path()).env("PATH", path));
    let policy = fs::read_to_string(ground.at("infra.toml")).unwrap();
    assert!(policy.contains(&public_key("bob")), "{policy}");
}

/// The imported policy in a repository of ours, believing who pushes as these tests say it.
fn site(ground: &Ground) -> Site {
    let (policy, _) = imported(ground, &folder().join("compared.conf"));
    let policy = policy.replace("platform = \"gitolite\"", &format!("local = \"{WHO}\""));
    Plan::new(policy).history(HISTORY.as_bytes().to_vec()).build()
}

/// gitolite with the same configuration, and a repository with the same refs.
fn gitolite(ground: &Ground, site: &Site) -> PathBuf {
    let command = |program: &str| {
        let mut command = ground.command(program);
        command.envs([("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "init.defaultBranch")]);
        command.env("GIT_CONFIG_VALUE_0", "master");
        command
    };
    text(command("gitolite").args(["setup", "-a", "alice"]));
    let conf = fs::read(folder().join("compared.conf")).unwrap();
    fs::write(ground.at(".gitolite/conf/gitolite.conf"), conf).unwrap();
    text(command("gitolite").arg("compile"));
    let repository = ground.at("repositories/infra.git");
    let mut fetch = ground.git(&repository);
    text(fetch.args(["fetch", "--quiet"]).arg(site.path()).arg("refs/*:refs/*"));
    repository
}

/// Whether gitolite's own hook lets this be.
fn gitolite_accepts(ground: &Ground, repository: &Path, user: &str, update: &[&str; 3]) -> bool {
    let mut hook = ground.command(repository.join("hooks/update"));
    hook.args(update).current_dir(repository).env("GIT_DIR", ".");
    hook.envs([("GL_USER", user), ("GL_REPO", "infra"), ("GL_BINDIR", LIBRARY)]);
    hook.env("GL_LIBDIR", format!("{LIBRARY}/lib"));
    hook.env("GL_REPO_BASE", ground.at("repositories"))
        .env("GL_ADMIN_BASE", ground.at(".gitolite"));
    let output = run(&mut hook);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || told.contains("DENIED"), "{told}");
    output.status.success()
}

#[test]
fn an_imported_policy_and_gitolites_own_hook_say_the_same() {
    if !Path::new(LIBRARY).join("lib").is_dir() {
        return missing("there is no gitolite on this machine");
    }
    let ground = Ground::new();
    let site = site(&ground);
    let repository = gitolite(&ground, &site);
    let oid = |name: &str| site.value(&format!("refs/heads/keep/{name}")).unwrap();
    let mut told: BTreeMap<bool, u32> = BTreeMap::new();
    for user in ["alice", "bob", "carol", "dave"] {
        for (name, is_there, to) in TRIED {
            // Alice may everything and Dave nothing, so some of it will do.
            if ["alice", "dave"].contains(&user) && to.is_some() {
                continue;
            }
            let old = if *is_there { site.value(name).unwrap() } else { site.zero() };
            let new = to.map_or_else(|| site.zero(), oid);
            let theirs = gitolite_accepts(&ground, &repository, user, &[name, &old, &new]);
            let ours =
                site.hook("pre-receive", &[], format!("{old} {new} {name}\n").as_bytes(), user);
            let said = String::from_utf8_lossy(&ours.stderr).into_owned();
            assert_eq!(ours.status.success(), theirs, "{user} {name} to {to:?}\n{said}");
            *told.entry(theirs).or_default() += 1;
        }
    }
    assert!(told[&true] > 15 && told[&false] > 15, "{told:?}");
}

#[test]
fn pushes_go_through_an_imported_policy_as_they_went_through_gitolite() {
    let ground = Ground::new();
    let site = site(&ground);
    let (bob, carol) = (site.person("bob"), site.person("carol"));
    bob.push(&["origin/keep/next:refs/heads/master"]).accepted();
    carol.push(&["origin/keep/next:refs/heads/release/1"]).refused();
    carol.push(&["origin/keep/next:refs/heads/personal/bob/x"]).refused();
    bob.push(&["--force", "origin/keep/beside:refs/heads/personal/bob/x"]).accepted();
    bob.push(&[":refs/heads/personal/bob/x"]).accepted();
    carol.push(&["origin/keep/conf:refs/heads/topic"]).refused().says("conf/x");
    carol.push(&["origin/keep/site:refs/heads/topic"]).accepted();
    bob.push(&["origin/keep/next:refs/tags/v2"]).accepted();
    carol.push(&["origin/keep/next:refs/tags/v3"]).refused();
    site.log_and_refs_agree();
}

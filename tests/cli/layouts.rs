//! What each server's layout of hooks goes through: installed, written over by the server itself,
//! and let go, with every byte where it was.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::ground::{Answer, Ground, POLICY, chmod, contents, write_hook};

/// What Gitea, Forgejo and Soft Serve write as `hooks/HOOK`, as far as it matters here: every file of
/// the folder runs, also after a no.
const WRAPPER: &str = "#!/usr/bin/env bash\ndata=$(cat)\nexitcodes=\"\"\nhookname=$(basename $0)\n\
    GIT_DIR=${GIT_DIR:-$(dirname $0)/..}\nfor hook in ${GIT_DIR}/hooks/${hookname}.d/*; do\n\
    test -x \"${hook}\" && test -f \"${hook}\" || continue\necho \"${data}\" | \"${hook}\"\n\
    exitcodes=\"${exitcodes} $?\"\ndone\nfor i in ${exitcodes}; do\n[ ${i} -eq 0 ] || exit ${i}\ndone\n";

const HOOKS: [&str; 3] = ["pre-receive", "update", "post-receive"];

/// A configuration as people write it.
const CONFIG: &str = "# ours, do not touch\n[core]\n  bare=true   ; a server\n\trepositoryformatversion = 0\n\
    [receive]\n\tadvertisepushoptions = no\n\n\n[remote \"backup\"]\n\turl = \"/b a\" # over there";

type Prepare = fn(&Ground, &Path);

fn wrappers(_: &Ground, repo: &Path) {
    for hook in HOOKS {
        let text = WRAPPER.replace("| \"${hook}\"", "| \"${hook}\" $1 $2 $3");
        write_hook(&repo.join("hooks").join(hook), &text, 0o755);
        fs::create_dir_all(repo.join("hooks").join(format!("{hook}.d"))).unwrap();
        let own = repo.join("hooks").join(format!("{hook}.d/gitea"));
        write_hook(&own, "#!/bin/sh\ncat >/dev/null\n", 0o755);
    }
}

/// Each layout: the platform, and what is there before us.
const LAYOUTS: &[(&str, Prepare)] = &[
    ("plain", |_, _| {}),
    ("plain", |_, repo| fs::remove_dir(repo.join("hooks")).unwrap()),
    ("plain", |_, repo| {
        write_hook(&repo.join("hooks/pre-receive"), "#!/bin/sh\ncat >/dev/null\n", 0o750);
        symlink("/nonexistent/hook", repo.join("hooks/update")).unwrap();
        fs::write(repo.join("config"), CONFIG).unwrap();
        chmod(&repo.join("config"), 0o640);
    }),
    ("plain", |ground, repo| {
        fs::rename(repo.join("config"), ground.path("config-of-all")).unwrap();
        symlink(ground.path("config-of-all"), repo.join("config")).unwrap();
        let dir = repo.to_str().unwrap();
        ground.git(&["-C", dir, "config", "core.hooksPath", "our/hooks"]);
        ground.git(&["-C", dir, "config", "receive.advertisePushOptions", "true"]);
    }),
    ("gitea", wrappers),
    ("soft-serve", |_, repo| {
        for hook in HOOKS {
            write_hook(&repo.join("hooks").join(hook), WRAPPER, 0o755);
        }
    }),
    ("gitlab", |_, repo| fs::write(repo.join("config"), CONFIG).unwrap()),
    ("gitolite", |ground, repo| {
        let update = ground.write("gitolite/update", "#!/bin/sh\nexit 0\n");
        symlink(update, repo.join("hooks/update")).unwrap();
    }),
];

#[test]
fn every_layout_comes_back_byte_for_byte() {
    for (at, (platform, prepare)) in LAYOUTS.iter().enumerate() {
        let ground = Ground::new();
        let repo = ground.repository("r.git");
        prepare(&ground, &repo);
        ground.write("policy.toml", POLICY);
        ground.write("next.toml", &POLICY.replace("merges", "merges-only"));
        let config = || fs::read(repo.join("config")).unwrap();
        let before = (contents(&repo), config());
        let dir = repo.to_str().unwrap();
        let install = |policy: &str| {
            ground.portcullis(&["install", "--platform", platform, "--policy", policy, dir])
        };
        // gitolite's own link to ours is not there yet, and that is told.
        let code = i32::from(*platform == "gitolite");
        install("policy.toml").expect(code);
        install("next.toml").expect(code);
        assert_ne!(config(), before.1, "{platform}, number {at}");
        ground.portcullis(&["uninstall", dir]).expect(0);
        let mut after = contents(&repo);
        after.retain(|(path, _, _)| !path.starts_with(repo.join("portcullis")));
        assert_eq!((after, config()), before, "{platform}, number {at}");
    }
}

#[test]
fn what_others_wrote_into_the_configuration_since_stays() {
    let ground = Ground::new();
    let repo = ground.repository("r.git");
    let dir = repo.to_str().unwrap();
    fs::write(repo.join("config"), CONFIG).unwrap();
    ground.install(&repo, &[]).expect(0);
    ground.git(&["-C", dir, "config", "gc.auto", "0"]);
    ground.portcullis(&["uninstall", dir]).expect(0);
    let text = fs::read_to_string(repo.join("config")).unwrap();
    assert!(text.contains("auto = 0") && text.contains("# ours, do not touch"), "{text}");
    assert!(!text.contains("portcullis"), "{text}");
    assert_eq!(ground.key(&repo, "receive.advertisePushOptions"), "no");
}

fn push(ground: &Ground, repo: &Path) -> Answer {
    let url = repo.to_str().unwrap();
    if !ground.path("work").exists() {
        ground.git(&["clone", "-q", url, "work"]);
        ground.git(&["-C", "work", "commit", "-q", "--allow-empty", "-m", "direct"]);
    }
    ground.try_git(&["-C", "work", "push", url, "HEAD:refs/heads/main"])
}

#[test]
fn a_server_that_writes_its_own_hooks_anew_leaves_ours_in_force() {
    for platform in ["gitea", "gitolite", "plain"] {
        let ground = Ground::new();
        let repo = ground.repository("r.git");
        ground.write("policy.toml", POLICY);
        let dir = repo.to_str().unwrap();
        let common = ground.path("common");
        let link = || {
            for hook in ["pre-receive", "post-receive"] {
                let _ = fs::remove_file(repo.join("hooks").join(hook));
                symlink(common.join(hook), repo.join("hooks").join(hook)).unwrap();
            }
        };
        match platform {
            "gitea" => wrappers(&ground, &repo),
            "gitolite" => {
                let words = ["install", "--platform", "gitolite", "--global", "common"];
                ground.portcullis(&words).expect(0).says("gitolite setup --hooks-only");
                link();
            }
            _ => {}
        }
        let words = ["install", "--platform", platform, "--policy", "policy.toml", dir];
        ground.portcullis(&words).expect(0);
        push(&ground, &repo).expect(1).says("refused by rule `merges`");
        match platform {
            // `gitea admin regenerate hooks`
            "gitea" => wrappers(&ground, &repo),
            // `gitolite setup --hooks-only`
            "gitolite" => link(),
            _ => {
                let template = ground.path("template/hooks");
                fs::create_dir_all(&template).unwrap();
                write_hook(&template.join("pre-receive"), "#!/bin/sh\nexit 0\n", 0o755);
                let template = format!("--template={}", ground.path("template").display());
                ground.git(&["init", "-q", "--bare", &template, dir]);
            }
        }
        ground.portcullis(&["doctor", dir]).expect(0);
        push(&ground, &repo).expect(1).says("refused by rule `merges`");
        assert_eq!(
            ground.portcullis(&["install", dir]).expect(0).err.matches("nothing to do").count(),
            1
        );
    }
}

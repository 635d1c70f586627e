//! Odd places, odd settings, hooks that were there before, and the verbs an operator begins with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::support::entries::chain;
use crate::support::ground::{Ground, run, text};
use crate::support::person::test_key;
use crate::support::policy;
use crate::support::site::{Plan, Site};

/// One of everything: refused, approved, accepted; the log agrees.
fn works(site: &Site) {
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    let merge = alice.merge(&tip);
    let landing = format!("{merge}:refs/heads/main");
    alice.push(&[&landing]).refused_by("infra-review").not_by("main-takes-merges");
    alice.push(&[&format!("{tip}:refs/heads/main")]).refused_by("main-takes-merges");
    site.approve(&bob, &tip).accepted();
    alice.push(&[&landing]).accepted();
    assert_eq!(site.main(), merge);
    chain(&site.log_dir());
    site.log_and_refs_agree();
}

#[test]
fn a_sha256_repository_works() {
    works(&Plan::new(policy::gated(1)).format("sha256").build());
}

#[test]
fn odd_repository_paths_work() {
    for folder in ["we:ird/in fra.git", "ünï/cödé ☂.git", "a'b\"c/$(id);x.git", "-x/--y.git"]
    {
        works(&Plan::new(policy::gated(1)).folder(folder).build());
    }
}

#[test]
fn a_repository_path_that_is_no_text_works() {
    use std::os::unix::ffi::OsStringExt as _;
    let folder = std::ffi::OsString::from_vec(b"by\xfftes/infra.git".to_vec());
    works(&Plan::new(policy::gated(1)).folder(folder).build());
}

#[test]
fn arriving_objects_are_read_from_a_pack_and_loose() {
    for limit in ["1", "100000"] {
        works(&Plan::new(policy::gated(1)).setting("receive.unpackLimit", limit).build());
        works(
            &Plan::new(policy::gated(1))
                .format("sha256")
                .setting("receive.unpackLimit", limit)
                .build(),
        );
    }
}

#[test]
fn a_packed_repository_with_a_commit_graph_works() {
    let site = Site::gated();
    site.git(&["gc", "--quiet"]);
    site.git(&["repack", "-adq", "--write-midx", "--write-bitmap-index"]);
    site.git(&["commit-graph", "write", "--reachable"]);
    site.git(&["pack-refs", "--all"]);
    works(&site);
}

#[test]
fn c12_a_repository_that_cannot_be_opened_is_refused_with_a_sentence() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    let before = site.refs();
    fs::create_dir_all(site.path().join("info")).unwrap();
    fs::write(site.path().join("info/grafts"), site.main() + "\n").unwrap();
    alice.push(&["HEAD:refs/heads/mine"]).refused().says("grafts");
    assert_eq!(site.refs(), before);
}

#[test]
fn an_earlier_hook_runs_after_ours_has_accepted() {
    let record = "#!/bin/sh\ncat >>ran\necho 'the earlier hook' >&2\n";
    let site = Plan::new(policy::gated(1)).earlier_hook("pre-receive", record).build();
    let kept = site.hook_file("pre-receive.before-portcullis");
    assert_eq!(fs::read_to_string(&kept).unwrap(), record);
    let alice = site.person("alice");
    alice.begin("mine");
    let commit = alice.commit("app/x", "new\n");
    alice.push(&["HEAD:refs/heads/main"]).refused().is_silent_about("the earlier hook");
    assert!(!site.path().join("ran").exists(), "what we refuse it does not see");
    alice.push(&["HEAD:refs/heads/mine"]).accepted().says("the earlier hook");
    let ran = fs::read_to_string(site.path().join("ran")).unwrap();
    assert_eq!(ran, format!("{} {commit} refs/heads/mine\n", site.zero()));
    // And it may say no.
    fs::write(&kept, "#!/bin/sh\nexit 7\n").unwrap();
    alice.commit("app/x", "newer\n");
    assert!(!alice.push(&["HEAD:refs/heads/mine"]).is_accepted());
    assert_eq!(site.value("refs/heads/mine"), Some(commit));
    // A second install keeps it and does not take ours for an earlier one.
    assert!(site.install(&[]).status.success());
    assert_eq!(fs::read_to_string(&kept).unwrap(), "#!/bin/sh\nexit 7\n");
    let uninstall = site.verb(&["uninstall"]);
    assert!(uninstall.status.success(), "{}", String::from_utf8_lossy(&uninstall.stderr));
    assert_eq!(
        fs::read_to_string(site.hook_file("pre-receive")).unwrap(),
        "#!/bin/sh\nexit 7\n",
        "what was there before is there again"
    );
    assert!(!kept.exists());
}

#[test]
fn g04_hooks_are_real_files_that_fail_closed() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    for name in ["pre-receive", "update", "post-receive"] {
        let data = fs::symlink_metadata(site.hook_file(name)).unwrap();
        assert!(data.is_file(), "{name}");
        assert_eq!(data.permissions().mode() & 0o111, 0o111, "{name}");
    }
    // Something else stands where the program was: the same hook, naming that.
    let hook = site.hook_file("pre-receive");
    let text = fs::read_to_string(&hook).unwrap();
    let program = env!("CARGO_BIN_EXE_portcullis");
    assert!(text.starts_with(&format!("#!{program} hook=pre-receive\n")), "{text}");
    let gate = site.ground().at("gate");
    let named = text.replace(program, gate.to_str().unwrap());
    let by_shell = format!("#!/bin/sh\n{}", named.split_once('\n').unwrap().1);
    let whole = fs::read(program).unwrap();
    let instead: [(Option<&[u8]>, u32, bool); 6] = [
        (None, 0o755, false),
        (Some(&whole), 0o644, false),
        (Some(b""), 0o755, true),
        (Some(b"\n\n"), 0o755, true),
        (Some(b"true\n"), 0o755, true),
        (Some(&[0; 8192]), 0o755, true),
    ];
    for (content, mode, is_read_by_shell) in instead {
        if let Some(content) = content {
            fs::write(&gate, content).unwrap();
            fs::set_permissions(&gate, fs::Permissions::from_mode(mode)).unwrap();
        }
        for (text, tells) in [(&named, is_read_by_shell), (&by_shell, true)] {
            site.write_hook("pre-receive", text);
            let push = alice.push(&["HEAD:refs/heads/mine"]);
            assert!(!push.is_accepted(), "{mode:o} {}", push.whole());
            assert_eq!(push.said().contains("missing or damaged"), tells, "{}", push.whole());
            assert_eq!(site.value("refs/heads/mine"), None);
        }
    }
    // A shell hands over to it as the kernel does.
    fs::write(&gate, &whole).unwrap();
    fs::set_permissions(&gate, fs::Permissions::from_mode(0o755)).unwrap();
    site.write_hook("pre-receive", &by_shell);
    alice.push(&["HEAD:refs/heads/mine"]).accepted().says("alice");
}

#[test]
fn install_twice_is_install_once() {
    let site = Site::gated();
    let (id, log) = (site.id(), site.log().len());
    let hook = fs::read(site.hook_file("pre-receive")).unwrap();
    assert!(site.install(&[]).status.success());
    assert_eq!(site.id(), id);
    assert_eq!(site.log().count("genesis"), 1);
    assert!(site.log().len() >= log);
    assert_eq!(fs::read(site.hook_file("pre-receive")).unwrap(), hook);
    assert_eq!(site.git(&["config", "--get-all", "portcullis.policy"]).lines().count(), 1);
    works(&site);
}

#[test]
fn install_without_a_policy_writes_a_starter() {
    let ground = Ground::new();
    let repository = ground.at("infra.git");
    text(ground.command("git").args(["init", "--quiet", "--bare"]).arg(&repository));
    let install = run(ground
        .portcullis()
        .arg("install")
        .args(["alice", "bob", "carol"].iter().flat_map(|name| {
            let key = test_key(&format!("{name}.pub"));
            ["--people".to_owned(), format!("{name}={}", key.display())]
        }))
        .arg(&repository));
    assert!(install.status.success(), "{}", String::from_utf8_lossy(&install.stderr));
    let policy = fs::read_to_string(repository.join("portcullis/policy.toml")).unwrap();
    assert!(policy.contains("[people.alice]"), "{policy}");
    assert!(policy.contains("infra"), "{policy}");
    let lint = run(ground.portcullis().arg("lint").arg(repository.join("portcullis/policy.toml")));
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stderr));
    let mode = fs::metadata(repository.join("portcullis")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn g03_g04_doctor_finds_the_traps_that_open_the_gate() {
    let site = Site::gated();
    assert_eq!(site.verb(&["doctor"]).status.code(), Some(0));
    let found = |words: &str| {
        let output = site.verb(&["doctor"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{words}: {said}");
    };
    let hook = site.hook_file("pre-receive");
    let text = fs::read_to_string(&hook).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o644)).unwrap();
    found("pre-receive");
    fs::remove_file(&hook).unwrap();
    found("pre-receive");
    std::os::unix::fs::symlink("/not-there", &hook).unwrap();
    found("pre-receive");
    fs::remove_file(&hook).unwrap();
    site.write_hook("pre-receive", "");
    found("pre-receive");
    site.write_hook("pre-receive", &text);
    site.git(&["config", "core.hooksPath", "/dev/null"]);
    found("core.hooksPath");
    site.git(&["config", "--unset", "core.hooksPath"]);
    site.set_policy("version = 1\n[rule.x]\n");
    found("policy");
    site.set_policy(policy::gated(1));
    assert_eq!(site.verb(&["doctor"]).status.code(), Some(0));
}

#[test]
fn a_word_mistyped_is_two_and_a_repository_that_is_not_there_is_three() {
    let site = Site::gated();
    assert_eq!(site.portcullis(&["instal"]).status.code(), Some(2));
    assert_eq!(site.portcullis(&["log", "verify", "--no-such-option"]).status.code(), Some(2));
    assert_eq!(site.portcullis(&["log", "verify", "/not-there.git"]).status.code(), Some(3));
    assert_eq!(site.portcullis(&["doctor", "/not-there.git"]).status.code(), Some(3));
    assert_eq!(site.portcullis(&["--version"]).status.code(), Some(0));
}

#[test]
fn every_verb_tells_about_itself() {
    let site = Site::gated();
    for verb in [
        "install",
        "uninstall",
        "doctor",
        "import",
        "lint",
        "replay",
        "review",
        "approve",
        "reject",
        "revoke",
        "log",
        "demo",
        "explain",
        "completions",
        "man",
    ] {
        let help = site.portcullis(&[verb, "--help"]);
        assert_eq!(help.status.code(), Some(0), "{verb}");
        assert!(help.stdout.len() > 80, "{verb}");
    }
}

#[test]
fn the_demo_tells_the_whole_story() {
    let ground = Ground::new();
    let begin = Instant::now();
    let demo = run(ground.portcullis().args(["demo", "--keep"]).arg(ground.at("kept")));
    let said =
        String::from_utf8_lossy(&demo.stdout).into_owned() + &String::from_utf8_lossy(&demo.stderr);
    assert!(demo.status.success(), "{said}");
    assert!(begin.elapsed() < Duration::from_secs(15), "took {:?}", begin.elapsed());
    for words in ["refused", "approv", "accepted", "verif"] {
        assert!(said.to_lowercase().contains(words), "{words}: {said}");
    }
    assert!(ground.at("kept").exists());
}

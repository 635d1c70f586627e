//! `status` over a tree: what is gated, what is not, what cannot be looked at; for people, for scripts
//! and for Prometheus.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::ground::{Answer, Ground, chmod, mode};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// A tree: two that are well, two with one id, one whose hook does not run, one without hooks, a
/// mirror, a checkout, and three that are traps for whoever looks.
fn tree(ground: &Ground) {
    let good = ground.installed("srv/git/team/good.git");
    let dir = ground.path("srv/git");
    for name in ["other.git", "broken.git", "twin.git"] {
        copy(&good, &dir.join(name));
    }
    for (name, id) in [("other.git", "other-00000001"), ("broken.git", "broken-00000002")] {
        let repo = dir.join(name);
        ground.git(&["-C", repo.to_str().unwrap(), "config", "portcullis.repository", id]);
    }
    chmod(&dir.join("broken.git/hooks/pre-receive"), 0o644);
    let open = ground.repository("srv/git/open.git");
    // To push to a mirror is not to be one.
    crate::traps::config(ground, &open, "remote.backup.mirror", "true");
    let open = open.to_str().unwrap();
    let mirror = dir.join("mirror.git");
    ground.git(&["clone", "-q", "--mirror", open, mirror.to_str().unwrap()]);
    ground.git(&["clone", "-q", open, dir.join("work/checkout").to_str().unwrap()]);
    let odd = dir.join(OsStr::from_bytes(b"odd \xff\n\"name\".git"));
    copy(Path::new(open), &odd);
    // Traps: what would have to be waited for, what is nothing, what is too much.
    for name in ["fifo.git", "void.git", "huge.git"] {
        copy(Path::new(open), &dir.join(name));
        fs::remove_file(dir.join(name).join("config")).unwrap();
    }
    let fifo = dir.join("fifo.git/config");
    assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
    let huge = fs::File::create(dir.join("huge.git/config")).unwrap();
    huge.set_len(1 << 40).unwrap();
}

fn status(ground: &Ground, words: &[&str], columns: &str) -> Answer {
    let mut command = ground.command();
    let srv = ground.path("srv/git");
    command.env("COLUMNS", columns).arg("status").args(words).arg(srv);
    Answer::of(command.output().unwrap())
}

#[test]
fn a_tree_is_told_for_people_for_scripts_and_for_prometheus() {
    let ground = Ground::new();
    tree(&ground);
    let told = status(&ground, &[], "80").expect(3);
    let line = |name: &str| {
        let line = told.out.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("no {name} in\n{}", told.out)).to_owned()
    };
    assert!(told.out.lines().next().unwrap().starts_with("repository"), "{}", told.out);
    for (name, gate) in [
        ("broken.git", " broken "),
        ("team/good.git", " enforce "),
        ("other.git", " enforce "),
        ("open.git", " none "),
        ("mirror.git", " mirror "),
        ("fifo.git", " ? "),
    ] {
        assert!(line(name).contains(gate), "{name}: {}", line(name));
    }
    let at = |name: &str| told.out.find(&format!("\n{name}")).unwrap();
    assert!(at("broken.git") < at("open.git") && at("open.git") < at("other.git"));
    let table = told.out.split("\n\n").next().unwrap();
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let srv = ground.path("srv/git");
    for words in [
        "  broken.git: the hook pre-receive does not run\n    portcullis doctor ",
        &format!("  portcullis install {}/open.git\n", srv.display()),
        "twin.git has the same id, good-",
        "mirrors, which nobody pushes to:\n  mirror.git\n",
        "is not a file that Git would write",
        "11 repositories: 4 gated, 4 without our hooks, 1 mirror, 2 not looked at",
    ] {
        assert!(told.out.contains(words), "no {words:?} in\n{}", told.out);
    }
    let wide = status(&ground, &[], "200").expect(3);
    assert!(wide.out.contains("pre-receive (does not run),update,post-receive"), "{}", wide.out);

    let value: Value =
        serde_json::from_str(&status(&ground, &["--json"], "80").expect(3).out).unwrap();
    let sum = &value["summary"];
    assert_eq!((&sum["gated"], &sum["judging"]), (&Value::from(4), &Value::from(3)), "{sum}");
    let all = value["repositories"].as_array().unwrap();
    let one =
        |name: &str| all.iter().find(|one| one["path"].as_str().unwrap().ends_with(name)).unwrap();
    let good = one("/good.git");
    assert_eq!(good["state"], "gated");
    assert_eq!(good["programs"][0]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(good["hooks"].as_array().unwrap().len(), 3);
    assert_eq!(good["policy"]["stance"], "enforce");
    assert_eq!(good["policy"]["sha256"].as_str().unwrap().len(), 64);
    assert!(good["log"]["entry"].as_u64() >= Some(1) && good["seal"]["at"].is_null());
    assert!(good["seal"]["age_seconds"].as_u64() < Some(3600), "{good}");
    assert_eq!(good["findings"][0]["check"], "same-id");
    assert_eq!(one("/broken.git")["findings"][0]["check"], "hook-not-run");
    assert_eq!(one("/fifo.git")["state"], "unseen");
    assert_eq!(one("/work/checkout/.git")["state"], "open");
    check_metrics(&ground);
    // The page names every field.
    let page = include_str!("../../docs/status.md");
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    assert!(page.contains(&format!("`{name}`")), "docs/status.md lacks {name}");
                    open.push(value);
                }
            }
            Value::Array(values) => open.extend(values),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// What is written for Prometheus is whole, in the format, and there is no second series of any name
/// and labels.
fn check_metrics(ground: &Ground) {
    let piped = status(ground, &["--prometheus", "-"], "80").expect(3).out;
    let file = ground.path("out/portcullis.prom");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, "before").unwrap();
    let told = status(ground, &["--prometheus", file.to_str().unwrap()], "80").expect(3);
    assert!(told.out.starts_with("needs a hand:\n"), "{}", told.out);
    let text = fs::read_to_string(&file).unwrap();
    let steady = |text: &str| {
        text.lines().filter(|l| !l.contains("_seconds") && !l.contains("free_bytes")).count()
    };
    assert_eq!(steady(&text), steady(&piped));
    assert_eq!(mode(&file), 0o644);
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing is left over");
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<i64>().is_ok() && seen.insert(series.to_owned()), "{line}");
        let name = series.split('{').next().unwrap();
        assert!(text.contains(&format!("# HELP {name} ")), "{line}");
        let page = include_str!("../../docs/status.md");
        let is_named = ["`", "{"].iter().any(|end| page.contains(&format!("`{name}{end}")));
        assert!(is_named, "docs/status.md lacks {name}");
        assert!(text.contains(&format!("# TYPE {name} gauge\n")), "{line}");
    }
    let has = |begin: &str, end: &str| {
        let found = text.lines().any(|line| line.starts_with(begin) && line.ends_with(end));
        assert!(found, "{begin} ... {end} in\n{text}");
    };
    let path = |name: &str| format!("{{path=\"{}/{name}\"", ground.path("srv/git").display());
    has(&format!("portcullis_up{}", path("fifo.git")), " 0");
    has(&format!("portcullis_judging{}", path("broken.git")), " 0");
    has(&format!("portcullis_judging{}", path("other.git")), " 1");
    has("portcullis_hook_runs", ",hook=\"pre-receive\"} 0");
    // A name that is not UTF-8, with a line feed and quotes, as its label.
    has(&format!("portcullis_up{}", path(r#"odd \\xff\\n\"name\".git"#)), " 1");
    has("portcullis_last_entry_timestamp_seconds", "");
    let missing = ground.path("gone/portcullis.prom");
    status(ground, &["--prometheus", missing.to_str().unwrap()], "80")
        .expect(3)
        .says("could not write");
    status(ground, &["--json", "--prometheus", "-"], "80").expect(2);
}

#[test]
fn all_well_is_quiet_and_zero_and_nothing_to_look_at_is_three() {
    let ground = Ground::new();
    let repo = ground.installed("srv/git/infra.git");
    let before = crate::ground::contents(&repo);
    assert_eq!(status(&ground, &["--quiet"], "80").expect(0).out, "");
    status(&ground, &[], "80").expect(0).says("1 repository: 1 gated; nothing needs a hand");
    assert_eq!(crate::ground::contents(&repo), before, "looking changes nothing");
    let open = ground.repository("srv/git/open.git");
    status(&ground, &["--quiet"], "80").expect(1).says("no hooks are installed");
    assert_eq!(status(&ground, &["--quiet", "--installed"], "80").expect(0).out, "");
    fs::create_dir(ground.path("empty")).unwrap();
    ground.portcullis(&["status", "empty"]).expect(3).says("there is no repository below empty");
    let gone = ground.portcullis(&["status", "gone.git", open.to_str().unwrap()]).expect(3);
    gone.says("is not a Git repository").says("portcullis install");
    // A setting of the whole account switches every gate off, and is seen without asking each.
    ground.git(&["config", "--global", "core.hooksPath", "/dev/null"]);
    status(&ground, &["--installed"], "80").expect(1).says("the hook pre-receive does not run");
}

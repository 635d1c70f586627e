//! Repositories as servers keep them: packs and their indexes, borrowed and left-out objects,
//! worktrees, refs in tables. Made by the real git, and each pushed through.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::ground::{Ground, feed, run, skipped, text};
use crate::support::person::Person;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};

/// A topic without approval does not land, with it it does; refs and log say the same.
fn gate_stands(site: &Site, alice: &Person, bob: &Person, name: &str) {
    let file = format!("infra/prod/{name}.tf");
    let tip = alice.topic(name, &[(&file, "port 8443\n")]);
    let merge = alice.merge(&tip);
    site.main_refuses(alice, &merge).refused_by("infra-review");
    site.approve(bob, &tip).accepted();
    alice.push(&[&format!("{merge}:refs/heads/main")]).accepted();
    assert_eq!(site.main(), merge, "{name}");
    site.log_and_refs_agree();
}

fn people(site: &Site) -> (Person, Person) {
    (site.person("alice"), site.person("bob"))
}

/// `git` on the server, where it need not know how.
fn tries(site: &Site, args: &[&str]) -> bool {
    run(site.ground().git(site.path()).args(args)).status.success()
}

fn has(site: &Site, below: &str) -> bool {
    site.path().join("objects").join(below).exists()
}

/// Whether there is a pack's file with this ending.
fn has_pack(site: &Site, ending: &str) -> bool {
    let packs = fs::read_dir(site.path().join("objects/pack")).unwrap();
    packs.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(ending))
}

/// How a repository's objects are kept: a name, and what makes it so. `false`: this git cannot.
type Row = (&'static str, fn(&Site) -> bool);

const PACKINGS: &[Row] = &[
    ("multi-pack-index-and-bitmap", |site| {
        site.git(&["repack", "-q", "-a", "-d", "-b", "--write-midx"]);
        site.git(&["pack-refs", "--all", "--prune"]);
        has(site, "pack/multi-pack-index") && has_pack(site, ".bitmap") && has_pack(site, ".rev")
    }),
    ("split-commit-graph", |site| {
        site.git(&["commit-graph", "write", "--reachable", "--changed-paths", "--split=no-merge"]);
        has(site, "info/commit-graphs/commit-graph-chain")
    }),
    ("second-layer-of-both", |site| {
        site.git(&["repack", "-q", "-d", "--geometric=2", "--write-midx"]);
        site.git(&["commit-graph", "write", "--reachable", "--split=no-merge"]);
        let chain = site.path().join("objects/info/commit-graphs/commit-graph-chain");
        has_pack(site, "multi-pack-index") && fs::read_to_string(chain).unwrap().lines().count() > 1
    }),
    ("incremental-multi-pack-index", |site| {
        fs::remove_file(site.path().join("objects/pack/multi-pack-index")).unwrap();
        tries(site, &["multi-pack-index", "write", "--incremental"])
            && has(site, "pack/multi-pack-index.d/multi-pack-index-chain")
    }),
    ("cruft-pack", |site| {
        let mut lost = site.ground().git(site.path());
        feed(lost.args(["hash-object", "-w", "--stdin"]), b"nobody reaches this\n");
        tries(site, &["gc", "--quiet", "--cruft", "--prune=never"]) && has_pack(site, ".mtimes")
    }),
    ("stale-multi-pack-index", |site| {
        // It names a pack that is gone: somebody restored it from a copy.
        site.git(&["repack", "-q", "-a", "-d", "--write-midx"]);
        let index = site.path().join("objects/pack/multi-pack-index");
        let stale = fs::read(&index).unwrap();
        site.git(&["commit-graph", "write", "--reachable"]);
        site.git(&["tag", "-a", "-m", "x", "packed-anew", "main"]);
        site.verb(&["log", "drift", "--accept", "a tag for another pack"]);
        site.git(&["repack", "-q", "-a", "-d"]);
        fs::write(&index, stale).unwrap();
        true
    }),
];

#[test]
fn objects_are_read_however_they_are_packed() {
    for format in ["sha1", "sha256"] {
        let site = Plan::new(policy::gated(1)).format(format).build();
        let (alice, bob) = people(&site);
        // As packs, not as loose objects, does the push come in, too.
        site.git(&["config", "receive.unpackLimit", "1"]);
        // In the second format the rows that libgit2 has code of its own for.
        let rows = if format == "sha1" { PACKINGS } else { &PACKINGS[..2] };
        for (name, make) in rows {
            match make(&site) {
                true => gate_stands(&site, &alice, &bob, name),
                false => skipped(&format!("this git makes no {name}")),
            }
        }
        let verify = site.verb(&["log", "verify", "--repo"]);
        assert!(verify.status.success(), "{verify:?}");
    }
}

/// What the server's objects come from: the usual beginning, in a repository of its own.
fn source(ground: &Ground) -> PathBuf {
    let source = ground.at("source.git");
    text(ground.command("git").args(["init", "-q", "--bare", "--template="]).arg(&source));
    let stream = b"commit refs/heads/main\nmark :1\n\
        committer Founder <founder@example.org> 1764547200 +0000\ndata 10\nbeginning\n\
        M 100644 inline infra/prod/network.tf\ndata 27\nport 443\n\n\n\n\n\n\n\nhost alpha\n\
        M 100644 inline app/x\ndata 2\nb\n\n";
    let output = feed(ground.git(&source).args(["fast-import", "--quiet"]), stream);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text(ground.git(&source).args(["config", "uploadpack.allowFilter", "true"]));
    source
}

/// Five steps away, the first in quotes, the others relative: as far as git goes with a quarantine.
fn borrowing(ground: &Ground, repository: &Path) {
    let source = source(ground);
    let mut clone = ground.command("git");
    text(
        clone
            .args(["clone", "-q", "--bare", "--shared", "--template="])
            .arg(source)
            .arg(repository),
    );
    let mut folder = ground.at("lent 0");
    let quoted = format!("# of old\n\"{}/objec\\164s\"\n", folder.display());
    fs::write(repository.join("objects/info/alternates"), quoted).unwrap();
    for at in 1..5 {
        text(ground.command("git").args(["init", "-q", "--bare", "--template="]).arg(&folder));
        fs::create_dir_all(folder.join("objects/info")).unwrap();
        let next = if at == 4 { "source.git".to_owned() } else { format!("lent {at}") };
        let line = format!("../../{next}/objects\n");
        fs::write(folder.join("objects/info/alternates"), line).unwrap();
        folder = ground.at(next);
    }
    let dumb = repository.join("objects/info/http-alternates");
    fs::write(dumb, "http://127.0.0.1:1/elsewhere/objects\n").unwrap();
}

#[test]
fn c13_borrowed_objects_are_there_but_approve_nothing() {
    let site = Plan::new(policy::gated(1)).made_by(borrowing).build();
    // Not by its path: a local clone takes quoted alternates for something else.
    let url = format!("file://{}", site.path().display());
    let person = |name| Person::new(site.ground(), name, Path::new(&url));
    let (alice, bob) = (person("alice"), person("bob"));
    assert!(!site.git(&["cat-file", "-t", "main"]).is_empty());
    assert_eq!(site.git(&["count-objects"]), "0 objects, 0 kilobytes");
    gate_stands(&site, &alice, &bob, "first");
    // A commit that never came through the gate lies where the server borrows from.
    let tip = alice.topic("lent", &[("infra/prod/lent.tf", "port 1\n")]);
    let lender = site.ground().at("source.git");
    text(alice.git(&["push", "-q"]).arg(&lender).arg(format!("{tip}:refs/heads/lent")));
    site.does_not_land(&alice, &tip);
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

fn without_blobs(ground: &Ground, repository: &Path) {
    let source = format!("file://{}", source(ground).display());
    let mut clone = ground.command("git");
    clone.args(["clone", "-q", "--bare", "--filter=blob:none", "--template="]);
    text(clone.arg(source).arg(repository));
    // Whoever fetches leaves a mark.
    let script = ground.at("upload-pack");
    let mark = ground.at("fetched");
    let lines = format!("#!/bin/sh\n: >{}\nexec git-upload-pack \"$@\"\n", mark.display());
    fs::write(&script, lines).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let setting = ["config", "remote.origin.uploadpack", script.to_str().unwrap()];
    text(ground.git(repository).args(setting));
}

#[test]
fn c15_what_a_partial_clone_left_out_is_never_fetched_and_never_passed_over() {
    let site = Plan::new(policy::gated(1)).made_by(without_blobs).build();
    let fetched = || fs::remove_file(site.ground().at("fetched")).is_ok();
    let source = site.ground().at("source.git");
    // People clone what has all of it, and push here.
    let person = |name| {
        let person = Person::new(site.ground(), name, &source);
        person.run(&["remote", "set-url", "origin", site.path().to_str().unwrap()]);
        person
    };
    let (alice, _bob) = (person("alice"), person("bob"));
    let push = |refspec: &str| -> Pushed {
        let mut git = alice.git(&["push", "--no-thin", "--force"]);
        Pushed::of(&run(git.arg(site.path()).arg(refspec)))
    };
    let network = |port: &str, host: &str| format!("port {port}\n\n\n\n\n\n\n\nhost {host}\n");
    assert!(!fetched(), "to install reads no blob");
    // Both sides change one file that the server does not hold: who merged is not to be told.
    alice.run(&["checkout", "-q", "-b", "ours", "main"]);
    let ours = alice.commit("infra/prod/network.tf", &network("8443", "alpha"));
    alice.run(&["checkout", "-q", "-b", "theirs", "main"]);
    let theirs = alice.commit("infra/prod/network.tf", &network("443", "omega"));
    push(&format!("{theirs}:refs/heads/topic")).accepted();
    // The beginning of `main` is moved on the server itself, as operators do.
    push(&format!("{ours}:refs/heads/ours")).accepted();
    site.git(&["update-ref", "refs/heads/main", &ours]);
    assert!(site.verb(&["log", "drift", "--accept", "moved for a test"]).status.success());
    alice.run(&["checkout", "-q", "-b", "landing", &ours]);
    alice.run(&["merge", "-q", "--no-ff", "--no-edit", &theirs]);
    fetched();
    let before = site.main();
    let refused = push("HEAD:refs/heads/main");
    refused.refused().says("could not be judged");
    assert!(!fetched(), "a hook never fetches");
    assert_eq!(site.main(), before);
    let log = site.log();
    let refusal = log.last("refusal");
    assert_eq!(refusal["fault"], true, "{refusal}");
    assert!(refusal["reason"].to_string().contains("partial clone"), "{refusal}");
    site.log_and_refs_agree();
    // With all of it here the same push is judged, and refused for what it is.
    site.git(&[
        "fetch",
        "-q",
        "--refetch",
        "--no-filter",
        "origin",
        "+refs/heads/main:refs/heads/all",
    ]);
    assert!(site.verb(&["log", "drift", "--accept", "fetched"]).status.success());
    push("HEAD:refs/heads/main").refused_by("infra-review");
    site.log_and_refs_agree();
}

#[test]
fn a_repository_with_a_working_tree_is_served() {
    let plan = Plan::new(policy::gated(1)).init(&[]).folder("server/work/.git");
    let site = plan.setting("receive.denyCurrentBranch", "updateInstead").build();
    let work = site.path().parent().unwrap().to_path_buf();
    text(site.ground().git(&work).args(["reset", "-q", "--hard"]));
    let (alice, bob) = people(&site);
    gate_stands(&site, &alice, &bob, "first");
    assert_eq!(fs::read_to_string(work.join("infra/prod/first.tf")).unwrap(), "port 8443\n");
    // By the path that people type.
    let tip = alice.topic("second", &[("infra/prod/second.tf", "x\n")]);
    let merge = alice.merge(&tip);
    let mut git = alice.git(&["push"]);
    let push = Pushed::of(&run(git.arg(&work).arg(format!("{merge}:refs/heads/main"))));
    push.refused_by("infra-review");
    assert!(!work.join("infra/prod/second.tf").exists());
    site.log_and_refs_agree();
}

/// A push to a branch that is checked out in a worktree, and pushes through the worktree's path.
fn worktrees(plan: Plan) {
    let site = plan.build();
    let (alice, bob) = people(&site);
    let side = site.path().parent().unwrap().join("side");
    site.git(&["worktree", "add", "-q", "-b", "side", side.to_str().unwrap(), "main"]);
    assert!(site.verb(&["log", "drift", "--accept", "a branch for a worktree"]).status.success());
    gate_stands(&site, &alice, &bob, "first");
    // Git says no after we have said yes: the log knows how it ended.
    let tip = alice.topic("second", &[("app/x", "c\n")]);
    let before = site.value("refs/heads/side");
    let push = alice.push(&[&format!("{tip}:refs/heads/side")]);
    assert!(!push.is_accepted() && push.whole().contains("checked out"), "{}", push.whole());
    assert_eq!(site.value("refs/heads/side"), before);
    // Through its path HEAD is another; what `@default` protects is not.
    let merge = alice.merge(&alice.topic("third", &[("infra/prod/third.tf", "x\n")]));
    for path in [&side, &site.path().join("worktrees/side")] {
        let mut git = alice.git(&["push", "--force"]);
        let push = Pushed::of(&run(git.arg(path).arg(format!("{merge}:refs/heads/main"))));
        push.refused_by("infra-review");
    }
    let mut git = alice.git(&["push"]);
    let push = Pushed::of(&run(git.arg(&side).arg(format!("{tip}:refs/heads/through"))));
    push.accepted();
    assert_eq!(site.value("refs/heads/through"), Some(tip));
    assert!(site.verb(&["log", "drift"]).status.success());
    site.log_and_refs_agree();
    assert_eq!(site.log().count("drift"), 1, "the branch, and HEAD has not moved");
}

#[test]
fn worktrees_of_the_server_open_no_other_way() {
    worktrees(Plan::new(policy::gated(1)));
}

/// Whether this git keeps refs in tables. Debian 12's does not, and there a word has to do.
fn knows_tables() -> bool {
    let ground = Ground::new();
    let mut init = ground.command("git");
    init.args(["init", "-q", "--bare", "--ref-format=reftable"]).arg(ground.at("tables.git"));
    let knows = run(&mut init).status.success();
    if !knows {
        skipped("this git keeps no refs in tables (2.45 is the first that does)");
    }
    knows
}

fn tables() -> Plan {
    Plan::new(policy::gated(1)).init(&["--bare", "--ref-format=reftable"])
}

fn json(site: &Site, words: &[&str]) -> Value {
    serde_json::from_slice(&site.verb(words).stdout).unwrap()
}

#[test]
fn refs_in_tables_are_guarded_as_refs_in_files_are() {
    if !knows_tables() {
        return;
    }
    for format in ["sha1", "sha256"] {
        let site = tables().format(format).build();
        assert_eq!(site.log().all()[0]["backend"], "reftable");
        let (alice, bob) = people(&site);
        gate_stands(&site, &alice, &bob, "first");
        // The statement has done its work, and is taken away.
        assert!(!site.refs().keys().any(|name| name.starts_with("refs/approvals/")));
        let tip = alice.topic("second", &[("infra/prod/second.tf", "x\n")]);
        let mut review = site.ground().portcullis();
        let review = run(review.args(["review", "second", "--json", "--repo"]).arg(site.path()));
        let review: Value = serde_json::from_slice(&review.stdout).unwrap();
        assert_eq!(review["commit"], tip);
        // Many refs at once; names that git reads as something else.
        let many: Vec<String> = (0..40).map(|at| format!("HEAD:refs/heads/n/{at}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        alice.push(&many).accepted();
        alice.push(&[&format!("HEAD:refs/heads/v1-2-g{}", &tip[..10])]).accepted();
        site.git(&["pack-refs", "--all"]);
        alice.push(&["--force", ":refs/heads/n/7", "HEAD~1:refs/heads/n/8"]).accepted();
        assert!(site.verb(&["doctor"]).status.success());
        assert!(site.verb(&["log", "verify", "--repo"]).status.success());
        let replay = json(&site, &["replay", "--json", "--last", "3"]);
        assert!(replay.is_object(), "{replay}");
        site.log_and_refs_agree();
    }
}

#[test]
fn other_names_and_moves_past_the_gate_are_seen_in_tables() {
    if !knows_tables() {
        return;
    }
    let site = tables().build();
    let (alice, bob) = people(&site);
    let tip = alice.topic("first", &[("infra/prod/first.tf", "x\n")]);
    let merge = alice.merge(&tip);
    let before = site.refs();
    site.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    // Git lists no name that leads nowhere, and a push to it makes what it leads to.
    site.git(&["symbolic-ref", "refs/heads/nowhere", "refs/heads/production"]);
    for alias in ["alias", "nowhere"] {
        let push = alice.push(&["--force", &format!("{merge}:refs/heads/{alias}")]);
        push.refused().says("another name");
        site.git(&["symbolic-ref", "--delete", &format!("refs/heads/{alias}")]);
    }
    assert_eq!(site.refs(), before);
    // Where `update` stands alone it judges, and stays as strict.
    let line = [site.zero(), merge.clone()];
    let update = site.hook("update", &["refs/heads/main", &line[0], &line[1]], b"", "alice");
    assert_eq!(update.status.code(), Some(1), "{}", String::from_utf8_lossy(&update.stderr));
    // Past the gate, and HEAD with it.
    let main = site.main();
    site.git(&["update-ref", "refs/heads/main", &tip, &main]);
    site.git(&["symbolic-ref", "HEAD", "refs/heads/first"]);
    let drift = json(&site, &["log", "verify", "--repo", "--json"]);
    let drifts = drift["logs"][0]["repo"]["drifts"].as_array().map_or(0, Vec::len);
    assert_eq!(drifts, 2, "{drift}");
    assert_eq!(site.verb(&["log", "drift"]).status.code(), Some(1));
    site.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    site.git(&["update-ref", "refs/heads/main", &main]);
    assert!(site.verb(&["log", "drift", "--accept", "put back"]).status.success());
    site.log_and_refs_agree();
    gate_stands(&site, &alice, &bob, "second");
    damaged(&site, &alice);
}

/// Of damaged tables git lists what it can read and reports success; here the answer is no. So it
/// is where git is too old to read them.
fn damaged(site: &Site, alice: &Person) {
    let old = site.main();
    let new = alice.commit("app/x", "z\n");
    alice.push(&["HEAD:refs/heads/brought"]).accepted();
    let line = format!("{old} {new} refs/heads/main\n");
    let ask = || site.hook("pre-receive", &[], line.as_bytes(), "alice");
    let whole = ask();
    assert_eq!(whole.status.code(), Some(1), "{}", String::from_utf8_lossy(&whole.stderr));

    let bin = site.ground().at("bin");
    fs::create_dir(&bin).unwrap();
    let script = "#!/bin/sh\ncase \" $* \" in *' version '*) echo 'git version 2.39.5';;\n\
                  *) echo 'fatal: unknown repository extension found:' >&2; exit 128;; esac\n";
    fs::write(bin.join("git"), script).unwrap();
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut hook = site.ground().command(site.hook_file("pre-receive"));
    hook.current_dir(site.path()).env("GIT_DIR", ".").env("PATH", &bin);
    let told = feed(&mut hook, line.as_bytes());
    assert_eq!(told.status.code(), Some(3), "{}", String::from_utf8_lossy(&told.stderr));
    let reason = site.log().last("refusal")["reason"].to_string();
    assert!(reason.contains("2.45 or newer") && reason.contains("2.39.5"), "{reason}");

    site.git(&["pack-refs", "--all"]);
    let tables = fs::read_dir(site.path().join("reftable")).unwrap().flatten();
    let table = tables.map(|it| it.path()).find(|it| it.extension().is_some_and(|e| e == "ref"));
    let table = table.unwrap();
    let mut bytes = fs::read(&table).unwrap();
    // The first block of refs is no block of refs any more.
    let header = if bytes[4] == 1 { 24 } else { 28 };
    bytes[header] = 0;
    fs::set_permissions(&table, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&table, bytes).unwrap();
    assert_eq!(site.git(&["for-each-ref"]), "", "git says nothing of it");
    let entries = site.log().len();
    let broken = ask();
    assert_eq!(broken.status.code(), Some(3), "{}", String::from_utf8_lossy(&broken.stderr));
    let log = site.log();
    assert_eq!((log.len(), log.all()[entries]["type"].as_str()), (entries + 1, Some("refusal")));
    assert_eq!(site.verb(&["log", "drift"]).status.code(), Some(3), "no ref is taken for deleted");
}

#[test]
fn worktrees_with_tables_open_no_other_way() {
    if knows_tables() {
        worktrees(tables());
    }
}

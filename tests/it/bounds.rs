//! Pushes that are far larger than they look, and what the gate makes of them: a no that names the
//! limit, soon, with little memory (threats E01, E02, E03, E13, E15, A13).
//!
//! The hook of these sites runs under a limit of 256 MiB for its data, so that taking more is a
//! refusal without a sentence, which no test here takes for an answer.

use std::fs;
use std::io::Write as _;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::ground::{PORTCULLIS, feed};
use crate::support::pack::{Pack, zeros};
use crate::support::person::WHO;
use crate::support::policy;
use crate::support::site::{Plan, Site};
use crate::support::wire::Reply;

/// What a hook may have for its data, in KiB: 256 MiB.
const DATA_KIB: u32 = 256 * 1024;

/// Far more than any of these takes, for machines that have other things to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two hundred and seventy megabytes of zeros, and their name.
const ZEROS: (usize, &str) =
    (283_800_001, "6e72f4d7fbb78fad27645cf0083d3cb91e516197511cfb0b964e44824060bbbe");

fn site() -> Site {
    bounded(Plan::new(policy::gated(1)).format("sha256").build())
}

fn bounded(site: Site) -> Site {
    for name in ["pre-receive", "update", "post-receive"] {
        let bound = format!("ulimit -d {DATA_KIB} || exit 9");
        let run = format!("exec '{PORTCULLIS}' hook --at \"$0\" {name} \"$@\"");
        site.write_hook(name, &format!("#!/bin/sh\n{bound}\n{run}\n"));
    }
    site
}

/// Pushes one ref with a pack, and says what came of it and that it came soon.
#[track_caller]
fn push(site: &Site, (old, new, name): (&str, &str, &str), pack: &Pack) -> Reply {
    let began = Instant::now();
    let request = site.request().command(old, new, name).pack(pack.bytes());
    let reply = site.raw("alice", request);
    assert!(began.elapsed() < PATIENCE, "{:?}\n{}", began.elapsed(), reply.said);
    reply
}

/// A new branch that no rule names: all of it is taken.
#[track_caller]
fn lands_unprotected(site: &Site, name: &str, new: &str, pack: &Pack) {
    let name = format!("refs/heads/{name}");
    let reply = push(site, (&site.zero(), new, &name), pack);
    assert_eq!(reply.status, ["unpack ok", &format!("ok {name}")], "{}", reply.said);
}

/// What the pusher read and what the log has name the limit; nothing moved.
#[track_caller]
fn names_limit(site: &Site, reply: &Reply, limit: &str) {
    reply.took_nothing();
    let sentence = format!("the push goes past the limit `{limit}` = ");
    assert!(reply.said.contains(&sentence), "{limit}\n{}", reply.said);
    assert!(reply.said.contains(&format!("a higher `{limit}` in [limits]")), "{}", reply.said);
    let log = site.log();
    let refusal = log.last("refusal");
    assert!(refusal["reason"].as_str().unwrap().contains(&sentence), "{refusal}");
    assert_eq!(refusal["fault"], false, "{refusal}");
}

/// Ten of ten of ten, so deep: as many paths as ten to the power of that.
fn bomb(pack: &mut Pack, levels: usize) -> String {
    let blob = pack.object("blob", b"x\n");
    let names: Vec<String> = (0..10).map(|at| format!("d{at}")).collect();
    let mut below = ("100644", blob);
    for _ in 0..levels {
        let entries: Vec<_> =
            names.iter().map(|name| (below.0, name.as_str(), below.1.as_str())).collect();
        below = ("40000", pack.tree(&entries));
    }
    below.1
}

#[test]
fn e02_a_git_bomb_is_met_by_the_limit_of_changed_paths_wherever_it_goes() {
    let site = site();
    let main = site.main();
    let alice = site.person("alice");
    let mut pack = Pack::default();
    let tree = bomb(&mut pack, 10);
    let bomb = pack.commit(&tree, &[&main], "ten thousand million files");
    let reply = push(&site, (&main, &bomb, "refs/heads/main"), &pack);
    names_limit(&site, &reply, "delta-entries");
    // Where no rule looks nothing is looked at; a merge of it that leaves it out is one of two sides
    // that cannot be merged again.
    lands_unprotected(&site, "bomb", &bomb, &pack);
    let mut merge = Pack::default();
    let tree = alice.oid("origin/main^{tree}");
    let tip = merge.commit(&tree, &[&main, &bomb], "nothing of it");
    names_limit(&site, &push(&site, (&main, &tip, "refs/heads/main"), &merge), "delta-entries");
    // A copy that names the bomb as what it is of: the same two sides.
    let copy = merge.commit(&tree, &[&main], &format!("a copy\n\nSource: {bomb}"));
    names_limit(&site, &push(&site, (&main, &copy, "refs/heads/main"), &merge), "delta-entries");
    // And a question about landing it.
    let asked = site.request().command(&site.zero(), &bomb, "refs/portcullis/ask/heads/main");
    let reply = site.raw("alice", asked.option("ask"));
    assert!(reply.said.contains("the limit `delta-entries` = 100000"), "{}", reply.said);
    assert_eq!(site.main(), main);
    site.log_and_refs_agree();
}

#[test]
fn e15_many_paths_make_no_long_line_in_the_log() {
    let site = site();
    let (main, alice) = (site.main(), site.person("alice"));
    let mut pack = Pack::default();
    let many = bomb(&mut pack, 4);
    let (readme, infra) = (alice.oid("origin/main:README"), alice.oid("origin/main:infra"));
    let app = ("40000", "app", many.as_str());
    let tree = pack.tree(&[
        ("100644", "README", readme.as_str()),
        app,
        ("40000", "infra", infra.as_str()),
    ]);
    let tip = pack.commit(&tree, &[&main], "ten thousand files");
    lands_unprotected(&site, "many", &tip, &pack);
    let merge = pack.commit(&tree, &[&main, &tip], "Merge");
    let reply = push(&site, (&main, &merge, "refs/heads/main"), &pack);
    assert_eq!(reply.status, ["unpack ok", "ok refs/heads/main"], "{}", reply.said);
    let log = site.log();
    for entry in log.all() {
        assert!(entry.to_string().len() < 60_000, "{} bytes", entry.to_string().len());
    }
    assert!(log.last("decision").to_string().contains("\"n\":10001"), "{}", log.last("decision"));
    site.log_and_refs_agree();
}

#[test]
fn e01_a_zip_bomb_is_judged_by_its_name_and_never_inflated() {
    let site = site();
    let (main, (len, blob)) = (site.main(), ZEROS);
    // As if it had been pushed: Git takes its time over that, and we are not there yet.
    let loose = site.path().join("objects").join(&blob[..2]);
    fs::create_dir_all(&loose).unwrap();
    let head = format!("blob {len}\0");
    fs::write(loose.join(&blob[2..]), zeros(head.as_bytes(), len)).unwrap();
    let mut pack = Pack::default();
    let app = pack.tree(&[("100644", "deploy.yaml", blob)]);
    let tree = pack.tree(&[("40000", "app", &app)]);
    let tip = pack.commit(&tree, &[&main], "a quarter of a gigabyte");
    lands_unprotected(&site, "zeros", &tip, &pack);
    let mut merge = Pack::default();
    let landing = merge.commit(&tree, &[&main, &tip], "Merge");
    let reply = push(&site, (&main, &landing, "refs/heads/main"), &merge);
    reply.took_nothing();
    assert!(reply.said.contains("refused by rule `infra-review`"), "{}", reply.said);
    assert!(reply.said.contains("app/deploy.yaml"), "{}", reply.said);
    // The same in what a commit says: too long to be read at all.
    let mut pack = Pack::default();
    let long = pack.commit(&tree, &[&main], &"long\n".repeat(2 << 20));
    let reply = push(&site, (&site.zero(), &long, "refs/heads/long"), &pack);
    names_limit(&site, &reply, "object-bytes");
}

#[test]
fn e03_two_thousand_folders_and_twenty_thousand_tags_within_each_other_are_no_way_down() {
    let site = site();
    let main = site.main();
    let mut pack = Pack::default();
    let blob = pack.object("blob", b"x\n");
    let mut tree = pack.tree(&[("100644", "f", &blob)]);
    for _ in 0..2_000 {
        tree = pack.tree(&[("40000", "d", &tree)]);
    }
    let tip = pack.commit(&tree, &[&main], "deep");
    names_limit(&site, &push(&site, (&main, &tip, "refs/heads/main"), &pack), "tree-depth");
    lands_unprotected(&site, "deep", &tip, &pack);

    let mut pack = Pack::default();
    let mut at = (main.clone(), "commit");
    for _ in 0..20_000 {
        let raw = format!("object {}\ntype {}\ntag t\ntagger a <a@b> 1 +0000\n\nt\n", at.0, at.1);
        at = (pack.object("tag", raw.as_bytes()), "tag");
    }
    let reply = push(&site, (&site.zero(), &at.0, "refs/tags/v1"), &pack);
    names_limit(&site, &reply, "tag-chain");
    site.log_and_refs_agree();
}

#[test]
fn a13_a_hundred_thousand_refs_are_refused_by_their_number_alone() {
    let site = site();
    let (zero, main) = (site.zero(), site.main());
    for (refs, limit) in [(5_001, "refs"), (100_000, "stdin-bytes")] {
        let began = Instant::now();
        let mut request = site.request();
        for number in 0..refs {
            request = request.command(&zero, &main, format!("refs/heads/many/{number}"));
        }
        let reply = site.raw("alice", request);
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        names_limit(&site, &reply, limit);
        let refusal = site.log().last("refusal").to_string();
        assert!(refusal.len() < 4_096, "{refusal}");
    }
    assert_eq!(site.refs().len(), 1);
}

/// Whether a process has come to its end.
fn is_over(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A dead child that nobody has asked after is a `Z`.
    stat.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with('Z'))
}

#[test]
fn e13_the_deadline_holds_for_an_earlier_hook_and_what_it_started() {
    let limits = "\n[limits]\ndeadline-seconds = 1\n";
    let site = Plan::new(policy::gated(1) + limits)
        .earlier_hook("pre-receive", "#!/bin/sh\nsleep 1000 &\necho $! >\"$GIT_DIR/pid\"\nwait\n")
        .build();
    let alice = site.person("alice");
    alice.begin("slow");
    let began = Instant::now();
    let pushed = alice.push(&["HEAD:refs/heads/slow"]);
    pushed.refused().says("longer than 1 seconds").says("`deadline-seconds`");
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    assert_eq!(site.value("refs/heads/slow"), None);
    let pid = fs::read_to_string(site.path().join("pid")).unwrap();
    assert!(is_over(pid.trim()), "the sleep of the other hook goes on");
    let log = site.log();
    let refusal = log.last("refusal");
    assert_eq!(refusal["fault"], true, "{refusal}");
    assert!(refusal["reason"].as_str().unwrap().contains("`deadline-seconds`"), "{refusal}");
    // What was decided before that is found not applied by whoever comes next.
    site.set_policy(policy::gated(1));
    fs::remove_file(site.hook_file("pre-receive.before-portcullis")).unwrap();
    alice.push(&["HEAD:refs/heads/slow"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn e13_the_deadline_holds_for_a_git_that_never_finishes_writing() {
    let site = Site::new(policy::gated(1) + "\n[limits]\ndeadline-seconds = 1\n");
    let mut hook = site.ground().command(site.hook_file("pre-receive"));
    hook.current_dir(site.path()).env("GIT_DIR", ".").env(WHO, "alice");
    hook.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut hook = hook.spawn().unwrap();
    let mut stdin = hook.stdin.take().unwrap();
    let line = format!("{} {} refs/heads/new\n", site.zero(), site.main());
    stdin.write_all(line.as_bytes()).unwrap();
    let began = Instant::now();
    let output = hook.wait_with_output().unwrap();
    drop(stdin);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`deadline-seconds`"));
    let log = site.log();
    let reason = log.last("refusal")["reason"].as_str().unwrap();
    assert!(reason.contains("`deadline-seconds`"), "{reason}");
}

/// What the hook says to one update under these limits: always no.
fn under(site: &Site, limits: &str, env: &[(&str, &str)], line: &str) -> Output {
    site.set_policy(format!("{}\n[limits]\n{limits}\n", policy::gated(1)));
    let mut hook = site.ground().command(site.hook_file("pre-receive"));
    hook.current_dir(site.path()).env("GIT_DIR", ".").env(WHO, "alice");
    hook.envs(env.iter().copied());
    feed(&mut hook, line.as_bytes())
}

/// The keys of the page, in its order.
fn keys_of_the_page() -> Vec<String> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/limits.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(key, _)| key.to_owned()).collect()
}

#[test]
fn every_limit_of_the_page_refuses_by_its_name() {
    let site = Plan::new(policy::gated(1)).format("sha256").build();
    let main = site.main();
    let mut pack = Pack::default();
    let blob = pack.object("blob", b"x\n");
    let leaf = pack.tree(&[("100644", "f", &blob), ("100644", "g", &blob)]);
    let (e, d) = (pack.tree(&[("40000", "e", &leaf)]), pack.tree(&[("100644", "f", &blob)]));
    let tree = pack.tree(&[("40000", "d", &e)]);
    let first = pack.commit(&tree, &[&main], "one");
    let second = pack.commit(&tree, &[&first], "two");
    let [left, right] = ["left", "right"].map(|side| pack.commit(&d, &[&main], side));
    let three = pack.commit(&tree, &[&main, &left, &right], "three");
    let cross =
        [[&left, &right], [&right, &left]].map(|sides| pack.commit(&d, &[sides[0], sides[1]], "x"));
    let tagged = |pack: &mut Pack, kind: &str, oid: &str| {
        let raw = format!("object {oid}\ntype {kind}\ntag t\ntagger a <a@b> 1 +0000\n\nt\n");
        pack.object("tag", raw.as_bytes())
    };
    let inner = tagged(&mut pack, "commit", &main);
    let outer = tagged(&mut pack, "tag", &inner);
    let zero = site.zero();
    let mut request = site.request().pack(pack.bytes());
    for (name, tip) in [
        ("heads/a", &second),
        ("heads/b", &three),
        ("heads/c", &cross[0]),
        ("heads/d", &cross[1]),
        ("tags/t", &outer),
    ] {
        request = request.command(&zero, tip, format!("refs/{name}"));
    }
    let reply = site.raw("alice", request);
    assert!(reply.status.iter().all(|line| !line.starts_with("ng")), "{:?}", reply);
    let merge = {
        let mut pack = Pack::default();
        let tip = pack.commit(&d, &[&cross[0], &cross[1]], "criss-cross");
        lands_unprotected(&site, "e", &tip, &pack);
        tip
    };
    // Main goes where the criss-cross begins, by hand.
    let to_main = |tip: &str| format!("{main} {tip} refs/heads/main\n");
    let two = format!("{zero} {main} refs/heads/x\n{zero} {main} refs/heads/y\n");
    let tag = format!("{zero} {outer} refs/tags/u\n");
    let options =
        &[("GIT_PUSH_OPTION_COUNT", "2"), ("GIT_PUSH_OPTION_0", "ab"), ("GIT_PUSH_OPTION_1", "c")];
    let none: &[(&str, &str)] = &[];
    let cases = [
        ("refs", 1, none, two.clone()),
        ("stdin-bytes", 100, none, two),
        ("push-options", 1, options, to_main(&first)),
        ("push-option-bytes", 1, options, to_main(&first)),
        ("commits", 1, none, to_main(&second)),
        ("commit-bytes", 300, none, to_main(&second)),
        ("object-bytes", 50, none, to_main(&first)),
        ("delta-entries", 3, none, to_main(&first)),
        ("tree-depth", 2, none, to_main(&first)),
        ("tree-bytes", 50, none, to_main(&first)),
        ("tag-chain", 1, none, tag),
        ("parents", 2, none, to_main(&three)),
        ("merge-bases", 1, none, to_main(&merge)),
    ];
    for (key, value, env, line) in &cases {
        let output = under(&site, &format!("{key} = {value}"), env, line);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let sentence = format!("the push goes past the limit `{key}` = {value}: ");
        assert!(said.contains(&sentence), "{key}: {said}");
        assert!(said.contains(&format!("or ask for a higher `{key}` in [limits]")), "{said}");
        assert_eq!(output.status.code(), Some(1), "{key}: {said}");
    }
    // These refuse in their own words, or cut what is told; each has its test elsewhere.
    let others = [
        "merge-file-bytes",
        "statement-bytes",
        "statements-a-day",
        "blob-bytes",
        "blob-budget-bytes",
        "message-lines",
        "message-bytes",
        "deadline-seconds",
        "log-free-bytes",
        "log-warn-bytes",
    ];
    let mut tested: Vec<&str> = cases.iter().map(|case| case.0).chain(others).collect();
    tested.sort_unstable();
    let mut page = keys_of_the_page();
    page.sort_unstable();
    assert_eq!(tested, page, "left: tested here; right: docs/limits.md");

    let output = under(&site, "message-lines = 4\nmessage-bytes = 300", none, &to_main(&second));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("findings more, see entry") && said.len() < 600, "{said}");
}

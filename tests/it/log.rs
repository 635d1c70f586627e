//! The log: written before the answer, chained, in step with the refs, and never in the way.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::Stdio;

use crate::support::entries::{chain, segments};
use crate::support::ground::{feed, run, skipped};
use crate::support::person::{Person, WHO};
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};

fn site_and_alice() -> (Site, Person) {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    (site, alice)
}

/// The segment that is written to.
fn segment(site: &Site) -> std::path::PathBuf {
    segments(&site.log_dir()).pop().unwrap()
}

#[test]
fn every_push_has_its_entry_accepted_or_not() {
    let (site, alice) = site_and_alice();
    assert_eq!(site.log().all()[0]["type"], "genesis");
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    let log = site.log();
    let decision = log.last("decision");
    assert_eq!(decision["verdict"], "accept");
    assert_eq!(decision["actor"]["name"], "alice");
    let seq = decision["seq"].clone();
    assert_eq!(log.last("outcome")["of"], seq);
    assert_eq!(log.last("outcome")["refs"][0]["state"], "applied");
    alice.push(&["HEAD:refs/heads/main"]).refused();
    assert_eq!(site.log().last("decision")["verdict"], "refuse");
    chain(&site.log_dir());
    site.log_and_refs_agree();
}

#[test]
fn the_receipt_is_the_head_of_the_log() {
    let (site, alice) = site_and_alice();
    let push = alice.push(&["HEAD:refs/heads/mine"]);
    let log = site.log();
    let decision = log.last("decision");
    let head = decision["hash"].as_str().unwrap();
    push.accepted().says(&format!("entry {}", decision["seq"])).says(&head[..12]);
}

#[test]
fn a_log_that_cannot_be_written_refuses_every_push() {
    let (site, alice) = site_and_alice();
    let before = site.refs();
    let aside = site.ground().at("aside");
    // Somebody has taken it away, or put something else in its place.
    fs::rename(site.log_dir(), &aside).unwrap();
    alice.push(&["HEAD:refs/heads/mine"]).refused();
    fs::write(site.log_dir(), "no folder\n").unwrap();
    alice.push(&["HEAD:refs/heads/mine"]).refused();
    fs::remove_file(site.log_dir()).unwrap();
    fs::create_dir(site.log_dir()).unwrap();
    alice.push(&["HEAD:refs/heads/mine"]).refused().says_one_of(&["log"]);
    assert_eq!(site.refs(), before);
}

#[test]
fn a_read_only_log_refuses_every_push() {
    let (site, alice) = site_and_alice();
    // Permissions do not stop root; a file that is marked append-only and a device do, but not
    // everywhere. A folder where the segment should be stops everybody.
    let file = segment(&site);
    let aside = site.ground().at("aside");
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    let before = site.refs();
    alice.push(&["HEAD:refs/heads/mine"]).refused().says_one_of(&["log"]);
    assert_eq!(site.refs(), before);
    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_full_disk_refuses_every_push() {
    let plan = Plan::new(policy::gated(1));
    let site = plan.build();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    // A disk of its own for the log: one that is full.
    let mount = |args: &[&str]| run(site.ground().command("mount").args(args)).status.success();
    let small = site.ground().at("small");
    fs::create_dir(&small).unwrap();
    if !mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs", small.to_str().unwrap()]) {
        skipped("no right to mount a small disk here");
        return;
    }
    let result = std::panic::catch_unwind(|| {
        let log = site.log_dir();
        // What is left of so small a disk is nearly nothing at all times; here it is to be used up.
        let limits = "[limits]\nlog-free-bytes = 1\nlog-warn-bytes = 1\n";
        site.set_policy(format!("{}\n{limits}", policy::gated(1)));
        let copy = run(site.ground().command("cp").arg("-a").arg(log.join(".")).arg(&small));
        assert!(copy.status.success(), "{}", String::from_utf8_lossy(&copy.stderr));
        fs::rename(&log, site.ground().at("log-before")).unwrap();
        std::os::unix::fs::symlink(&small, &log).unwrap();
        let mut filler = fs::File::create(small.join("filler")).unwrap();
        while filler.write_all(&[0; 512]).is_ok() {}
        // The last block that the log has may hold a few entries more; then it is over.
        let refused = (0..50_u32).find(|round| {
            let before = site.refs();
            let push = alice.push(&[&format!("HEAD:refs/heads/mine-{round}")]);
            if !push.is_accepted() {
                push.refused().says_one_of(&["log", "space"]);
                assert_eq!(site.refs(), before);
            }
            !push.is_accepted()
        });
        assert!(refused.is_some(), "a full disk was no hindrance");
        drop(filler);
        fs::remove_file(small.join("filler")).unwrap();
        alice.push(&["HEAD:refs/heads/after"]).accepted();
        // The outcome of the last push that got in may have found no room; the log hears of it when
        // its ref is next in hand.
        if let Some(last) = refused.and_then(|round| round.checked_sub(1)) {
            alice.commit("app/x", "newer\n");
            alice.push(&[&format!("HEAD:refs/heads/mine-{last}")]).accepted();
        }
        site.log_and_refs_agree();
    });
    drop(run(site.ground().command("umount").arg(&small)));
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn a_log_of_another_version_is_not_written_to() {
    let (site, alice) = site_and_alice();
    let file = segment(&site);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("{\"v\":1,", "{\"v\":99,")).unwrap();
    let before = site.refs();
    alice.push(&["HEAD:refs/heads/mine"]).refused();
    assert_eq!(site.refs(), before);
}

#[test]
fn a_changed_byte_is_found_and_the_first_break_named() {
    let (site, alice) = site_and_alice();
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    alice.push(&["HEAD:refs/heads/main"]).refused();
    site.log_and_refs_agree();
    let log = site.log();
    let decision = log.of("decision").next().unwrap();
    let seq = decision["seq"].clone();
    let file = segment(&site);
    let text = fs::read_to_string(&file).unwrap();
    let forged = text.replacen("\"alice\"", "\"malix\"", 1);
    assert_ne!(text, forged);
    let line = forged.lines().position(|line| line.contains("\"malix\"")).unwrap();
    let named = log.all()[line]["seq"].clone();
    fs::write(&file, forged).unwrap();
    let verify = site.verb(&["log", "verify"]);
    assert_eq!(verify.status.code(), Some(1));
    let said = String::from_utf8_lossy(&verify.stdout).into_owned()
        + &String::from_utf8_lossy(&verify.stderr);
    assert!(said.contains(&named.to_string()), "{said}");
    assert!(named.as_u64() <= seq.as_u64());
}

#[test]
fn a_dropped_a_doubled_and_a_swapped_line_are_found() {
    let (site, alice) = site_and_alice();
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    alice.push(&["HEAD:refs/heads/main"]).refused();
    let file = segment(&site);
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let broken = |change: &dyn Fn(&mut Vec<&str>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        fs::write(&file, lines.join("\n") + "\n").unwrap();
        site.verb(&["log", "verify"]).status.code()
    };
    assert_eq!(
        broken(&|lines| {
            lines.remove(1);
        }),
        Some(1)
    );
    assert_eq!(
        broken(&|lines| {
            lines.remove(0);
        }),
        Some(1)
    );
    assert_eq!(broken(&|lines| lines.insert(1, lines[1])), Some(1));
    assert_eq!(broken(&|lines| lines.swap(1, 2)), Some(1));
    assert_eq!(broken(&|_| ()), Some(0));
}

#[test]
fn a_torn_last_line_is_declared_and_nothing_is_cut_away() {
    let (site, alice) = site_and_alice();
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    let file = segment(&site);
    let mut open = fs::OpenOptions::new().append(true).open(&file).unwrap();
    open.write_all(b"{\"v\":1,\"torn").unwrap();
    let torn = open.seek(SeekFrom::End(0)).unwrap();
    alice.commit("app/x", "newer\n");
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    let mut text = String::new();
    fs::File::open(&file).unwrap().read_to_string(&mut text).unwrap();
    assert!(text[..usize::try_from(torn).unwrap()].ends_with("{\"v\":1,\"torn"));
    assert_eq!(site.log().count("recovered"), 1);
    site.log_and_refs_agree();
}

#[test]
fn a_ref_that_moved_without_the_gate_is_drift() {
    let (site, alice) = site_and_alice();
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    let base = site.main();
    site.git(&["update-ref", "refs/heads/mine", &base]);
    alice.push(&["--force", "HEAD:refs/heads/mine"]).accepted();
    let log = site.log();
    let drift = log.last("drift");
    assert_eq!(drift["ref"], "refs/heads/mine");
    assert_eq!(drift["found"], base);
    assert_eq!(drift["logged"], alice.oid("HEAD"));
    site.log_and_refs_agree();
}

#[test]
fn h01_of_two_pushers_to_one_ref_one_wins_and_the_log_knows_which() {
    let site = Site::gated();
    let people: Vec<Person> =
        ["alice", "bob", "carol", "dave"].map(|name| site.person(name)).into();
    let base = site.main();
    for person in &people {
        person.begin("race");
        person.commit(&format!("app/{}", person.name()), "new\n");
    }
    // Everybody claims that the ref is not there yet.
    let pushes: Vec<Pushed> = std::thread::scope(|scope| {
        let threads: Vec<_> = people
            .iter()
            .map(|person| scope.spawn(|| person.push(&["HEAD:refs/heads/race"])))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let value = site.value("refs/heads/race").unwrap();
    let winners: Vec<usize> = (0..people.len()).filter(|at| pushes[*at].is_accepted()).collect();
    assert_eq!(winners.len(), 1, "{pushes:#?}");
    assert_eq!(people[winners[0]].oid("HEAD"), value);
    assert_eq!(site.main(), base);
    chain(&site.log_dir());
    // Whoever comes next reconciles what is open.
    people[winners[0]].commit("app/again", "new\n");
    people[winners[0]].push(&["HEAD:refs/heads/race"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn pushes_at_once_to_many_refs_make_one_chain() {
    let site = Site::gated();
    let people: Vec<Person> = ["alice", "bob", "carol"].map(|name| site.person(name)).into();
    std::thread::scope(|scope| {
        for person in &people {
            scope.spawn(|| {
                for round in 0..5 {
                    person.begin_at(&format!("{}-{round}", person.name()), "origin/main");
                    person.commit(&format!("app/{}-{round}", person.name()), "new\n");
                    person
                        .push(&[&format!("HEAD:refs/heads/{}-{round}", person.name())])
                        .accepted();
                }
            });
        }
    });
    assert_eq!(site.log().count("decision"), 15);
    chain(&site.log_dir());
    site.log_and_refs_agree();
}

#[test]
fn h05_a_client_that_hangs_up_leaves_an_entry_and_its_maker_known() {
    let site = Site::gated();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    alice.begin("quiet");
    let tip = alice.commit("infra/prod/network.tf", "port 8443\n");
    // The objects come first, so that the request itself needs no pack.
    let refs = format!("{tip}\n^{}\n", site.main());
    let pack = feed(&mut alice.git(&["pack-objects", "--stdout", "--revs", "-q"]), refs.as_bytes());
    let request = site
        .request()
        .command(&site.zero(), &tip, "refs/heads/quiet")
        .pack(pack.stdout)
        .bytes(true);
    let mut git = site.ground().command("git");
    git.env(WHO, "alice").arg("receive-pack").arg(site.path());
    let mut child =
        git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Hear what refs there are, say everything, hear nothing more: the pipes close while the hook
    // is at work.
    let mut stdout = child.stdout.take().unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(b"0000") {
        let mut byte = [0];
        stdout.read_exact(&mut byte).unwrap();
        heard.push(byte[0]);
    }
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&request).unwrap();
    drop((stdin, stdout, child.stderr.take()));
    child.wait().unwrap();
    // Whether post-receive ran or not, the next push that needs it finds out what became of it.
    bob.fetch();
    if site.value("refs/heads/quiet").is_some() {
        alice.begin_at("again", &tip);
        let bobs = site.draft(&bob, &tip).push(&bob);
        bobs.accepted();
        bob.land(&tip).accepted();
    }
    let log = site.log();
    let decision = log.of("decision").next().unwrap();
    assert_eq!(decision["actor"]["name"], "alice");
    chain(&site.log_dir());
    site.log_and_refs_agree();
}

#[test]
fn what_an_earlier_hook_refuses_is_not_written_as_applied() {
    let site = Plan::new(policy::gated(1))
        .earlier_hook("update", "#!/bin/sh\ncase $1 in refs/heads/bad) exit 1;; esac\n")
        .build();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    let push = alice.push(&["HEAD:refs/heads/good", "HEAD:refs/heads/bad"]);
    assert!(!push.is_accepted());
    assert!(site.value("refs/heads/good").is_some());
    assert_eq!(site.value("refs/heads/bad"), None);
    alice.push(&["HEAD:refs/heads/bad"]);
    site.log_and_refs_agree();
}

#[test]
fn tail_and_show_read_the_log() {
    let (site, alice) = site_and_alice();
    alice.push(&["HEAD:refs/heads/main"]).refused();
    let show = site.verb(&["log", "show", "--json"]);
    assert!(show.status.success());
    let shown = String::from_utf8(show.stdout).unwrap();
    assert!(shown.contains("main-takes-merges"), "{shown}");
    let tail = site.verb(&["log", "tail"]);
    assert!(tail.status.success());
    assert!(!tail.stdout.is_empty());
}

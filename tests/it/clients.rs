//! Clients that go, that do not listen, that ask for no answer, and of another version: nobody
//! waits for them, and nothing is lost.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::support::client::{PATIENCE, STEPS, Step, Talk, gits, is_free, pack_of, rests};
use crate::support::ground::{run, skipped};
use crate::support::person::{Person, WHO};
use crate::support::push::Pushed;
use crate::support::site::Site;
use crate::support::wire::Request;

/// A commit of Alice's on a branch of its own, as one request that makes the branch.
fn request(site: &Site, alice: &Person, branch: &str) -> (String, Request) {
    alice.begin(branch);
    let tip = alice.commit(&format!("app/{branch}"), "new\n");
    let pack = pack_of(alice, &tip);
    let request = site.request().command(&site.zero(), &tip, format!("refs/heads/{branch}"));
    (tip, request.pack(pack))
}

/// `git receive-pack`, as Alice has it run.
fn receive_pack(site: &Site) -> Command {
    let mut git = site.ground().command("git");
    git.env(WHO, "alice").arg("receive-pack").arg(site.path());
    git
}

/// The same by the first Git of this path.
fn by(path: &OsStr, git: &Command) -> Command {
    let folder = std::env::split_paths(path).next().unwrap();
    let mut same = Command::new(folder.join("git"));
    let set = git.get_envs().filter_map(|(name, value)| Some((name, value?)));
    same.env_clear().envs(set).env("PATH", path).args(git.get_args()).stdin(Stdio::null());
    if let Some(folder) = git.get_current_dir() {
        same.current_dir(folder);
    }
    same
}

/// Waits until the log has so many decisions.
#[track_caller]
fn decided(site: &Site, count: usize) {
    let begin = Instant::now();
    while site.log().count("decision") < count {
        assert!(begin.elapsed() < PATIENCE, "nobody decides");
        std::thread::yield_now();
    }
}

#[test]
fn h05_e12_who_hangs_up_at_any_step_holds_up_nobody_and_nothing_is_lost() {
    let (site, alice, bob) = Site::alice_and_bob();
    for (at, (path, git)) in gits(site.ground()).into_iter().enumerate() {
        for step in STEPS {
            let branch = format!("{step:?}-{at}").to_lowercase();
            let (tip, request) = request(&site, &alice, &branch);
            let before = site.log().len();
            let talk = Talk::with(&mut by(&path, &receive_pack(&site)));
            let mut child = talk.says_and_goes(step.of(&request.bytes(true)));
            rests(site.path());
            child.wait().unwrap();
            is_free(site.ground(), site.path());
            let value = site.value(&format!("refs/heads/{branch}"));
            match step {
                Step::Greeting | Step::HalfACommand | Step::Commands | Step::HalfAPack => {
                    // No hook was ever asked.
                    assert_eq!((value, site.log().len()), (None, before), "{git}: {step:?}");
                }
                Step::Everything => {
                    let log = site.log();
                    let decision = log.last("decision");
                    assert_eq!(decision["verdict"], "accept", "{git}");
                    assert_eq!(decision["actor"]["name"], "alice");
                    assert!(value.is_none_or(|value| value == tip), "{git}");
                }
            }
        }
        bob.begin("bobs");
        bob.commit("app/bobs", &format!("{at}\n"));
        bob.push(&["--force", "HEAD:refs/heads/bobs"]).accepted();
    }
    // However Git ended, the log knows what became of everything.
    assert!(site.verb(&["log", "drift"]).status.success());
    assert_eq!(site.log().count("drift"), 0);
    site.log_and_refs_agree();
}

#[test]
fn h06_nothing_is_locked_while_a_hook_waits_for_a_pusher_who_does_not_read() {
    let (site, _, bob) = Site::alice_and_bob();
    let (mut unread, stderr) = std::io::pipe().unwrap();
    // What was said before has not been read either: not one byte more goes in.
    rustix::io::ioctl_fionbio(&stderr, true).unwrap();
    while (&stderr).write(&[b'.'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&stderr, false).unwrap();
    let mut hook = {
        let mut hook = site.ground().command(site.hook_file("pre-receive"));
        hook.current_dir(site.path()).env("GIT_DIR", ".").env(WHO, "alice");
        hook.stdin(Stdio::piped()).stderr(stderr).spawn().unwrap()
    };
    let line = format!("{} {} refs/heads/main\n", site.main(), site.zero());
    hook.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    decided(&site, 1);
    // It is decided and written, and not said.
    bob.topic("bobs", &[("app/bobs", "new\n")]);
    assert_eq!(hook.try_wait().unwrap(), None, "it still waits");
    let mut said = String::new();
    unread.read_to_string(&mut said).unwrap();
    assert_eq!(hook.wait().unwrap().code(), Some(1));
    assert!(said.contains("refs/heads/main is protected"), "{said}");
    site.log_and_refs_agree();
}

#[test]
fn who_reads_late_hears_everything_and_others_push_meanwhile() {
    let (site, alice, bob) = Site::alice_and_bob();
    let (tip, request) = request(&site, &alice, "late");
    let mut talk = Talk::with(&mut receive_pack(&site));
    talk.stdin.write_all(&request.bytes(true)).unwrap();
    decided(&site, 1);
    bob.topic("bobs", &[("app/bobs", "new\n")]);
    drop(talk.stdin);
    let mut said = String::new();
    talk.stdout.read_to_string(&mut said).unwrap();
    assert!(said.contains("ok refs/heads/late"), "{said}");
    assert!(talk.child.wait().unwrap().success());
    assert_eq!(site.value("refs/heads/late"), Some(tip));
    site.log_and_refs_agree();
}

#[test]
fn who_asks_for_no_report_is_judged_and_logged_all_the_same() {
    let (site, alice, _) = Site::alice_and_bob();
    let (tip, request) = request(&site, &alice, "quiet");
    for (command, name, ends) in [
        (request, "refs/heads/quiet", Some(tip)),
        (site.request().command(&site.main(), &site.zero(), "refs/heads/main"), "", None),
    ] {
        let before = site.main();
        // No capability at all: no report, no options.
        let talk = Talk::with(&mut receive_pack(&site));
        let mut child = talk.says_and_goes(&command.able("").bytes(false));
        rests(site.path());
        child.wait().unwrap();
        assert_eq!(site.value(name), ends);
        assert_eq!(site.main(), before);
    }
    let log = site.log();
    let verdicts: Vec<&str> =
        log.of("decision").map(|entry| entry["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["accept", "refuse"]);
    site.log_and_refs_agree();
}

#[test]
fn every_git_of_this_machine_pushes_to_every_other() {
    let (site, alice, bob) = Site::alice_and_bob();
    let gits = gits(site.ground());
    if gits.len() < 2 {
        return skipped("there is one Git only on this machine");
    }
    for (client, (ours, name)) in gits.iter().enumerate() {
        for (server, (theirs, other)) in gits.iter().enumerate() {
            let branch = format!("topic-{client}-{server}");
            let folder = std::env::split_paths(theirs).next().unwrap();
            let receive = format!("--receive-pack={}/git receive-pack", folder.display());
            let push = |person: &Person, refspec: &str| {
                let mut git = by(ours, &person.git(&["push", &receive]));
                Pushed::of(&run(git.arg(site.path()).arg(refspec)))
            };
            alice.begin(&branch);
            let text = format!("port {client}{server}\n");
            let tip = alice.commit("infra/prod/network.tf", &text);
            let why = format!("{name} to {other}");
            let topic = push(&alice, &format!("HEAD:refs/heads/{branch}"));
            assert!(topic.is_accepted(), "{why}: {}", topic.whole());
            let merge = alice.merge(&tip);
            push(&alice, &format!("{merge}:refs/heads/main")).refused_by("infra-review");
            let statement = site.draft(&bob, &tip).sign(&bob);
            assert!(push(&bob, &statement.refspec()).is_accepted(), "{why}");
            let landing = push(&alice, &format!("{merge}:refs/heads/main"));
            assert!(landing.is_accepted(), "{why}: {}", landing.whole());
        }
    }
    site.log_and_refs_agree();
}

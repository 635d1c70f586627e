//! A log of several files: pushes go on over the end of one, old ones are packed, a full disk and
//! the append-only attribute are what they should be.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use portcullis::log::book::Log;
use portcullis::log::decision::{Actor, ActorKind, Verdict};
use portcullis::log::entry::{Asked, Record, Session};
use portcullis::log::file::Ctx;
use portcullis::log::wire::{AsText, Text};
use portcullis::names::moment::Moment;
use portcullis::names::oid::Oid;

use crate::support::entries::{chain, segments};
use crate::support::ground::{bytes, skipped};
use crate::support::policy::gated;
use crate::support::site::Site;

/// More than any segment holds.
const MANY: usize = 4_200;

/// How many questions of one person are written in a minute.
const A_MINUTE: usize = 60;

/// As if so many questions had been asked.
pub(crate) fn fill(site: &Site) {
    let ctx = Ctx {
        moment: Moment::from_seconds(1_790_000_000),
        boot: "11111111-2222-3333-4444-555555555555".to_owned(),
        mono_us: 1,
        host: "git1".to_owned(),
        push: [7; 16],
        session: Session { pid: 1, start: 1 },
    };
    let record = Record::Asked(Asked {
        actor: Actor {
            name: None,
            kind: ActorKind::Unlisted,
            door: "local".to_owned(),
            source: "os-user".to_owned(),
            login: Text::from("somebody"),
            key: None,
        },
        refname: Text::from("refs/heads/main"),
        commit: AsText(Oid::from_hex(site.main().as_bytes()).unwrap()),
        verdict: Verdict::Refuse,
        dur_us: 1,
    });
    let mut log = Log::open(&site.log_dir()).unwrap();
    for minute in 0..i64::try_from(MANY / A_MINUTE).unwrap() {
        let ctx = Ctx { moment: ctx.moment.plus_seconds(61 * minute), ..ctx.clone() };
        assert_eq!(log.note(&vec![record.clone(); A_MINUTE], &ctx, None).unwrap(), None);
    }
}

#[track_caller]
pub(crate) fn ok(output: &Output) -> String {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

fn packed(site: &Site) -> Vec<PathBuf> {
    let files = fs::read_dir(site.log_dir()).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.to_string_lossy().ends_with(".jsonl.gz")).collect()
}

#[test]
fn review_goes_on_over_the_end_of_a_file_and_after_it_was_packed() {
    let (site, alice, bob, tip) = Site::topic();
    site.approve(&bob, &tip).accepted();
    ok(&site.verb(&["log", "seal"]));
    fill(&site);
    // The approval stands in the first file, the landing in the second.
    alice.land(&tip).accepted();
    assert_eq!(segments(&site.log_dir()).len(), 2);
    let named = site.log().last("segment").clone();
    assert_eq!(named["why"], "entries");
    // A log that is signed is sealed when a file of it is closed.
    let seal = site.log().last("seal").clone();
    assert!(seal["seq"].as_u64() > named["seq"].as_u64(), "{seal}");
    assert_eq!(named["offset"], fs::metadata(&segments(&site.log_dir())[0]).unwrap().len());
    fill(&site);
    let next = alice.topic("next", &[("infra/next.tf", "1\n")]);
    site.does_not_land(&alice, &next);
    // One by the number of entries, one because the questions were asked on another day.
    assert_eq!(segments(&site.log_dir()).len(), 4);
    assert_eq!(site.log().last("segment")["why"], "day");
    let head = chain(&site.log_dir());
    let said = ok(&site.verb(&["log", "tidy", "--dry-run"]));
    assert!(said.contains("2 files of the log would be packed"), "{said}");
    let said = ok(&site.verb(&["log", "tidy"]));
    assert!(said.contains("2 files of the log packed"), "{said}");
    assert_eq!((packed(&site).len(), segments(&site.log_dir()).len()), (2, 2));
    assert_eq!(chain(&site.log_dir()), head, "the same lines");
    let said = ok(&site.verb(&["log", "verify", "--root"]));
    assert!(said.contains(&head), "{said}");
    // What stands in the packed file still counts: the statement was used, the maker is known.
    site.does_not_land(&alice, &next);
    site.approve(&bob, &next).accepted();
    alice.land(&next).accepted();
    site.log_and_refs_agree();
    let said = ok(&site.verb(&["log", "show", "0"]));
    assert!(said.contains("genesis"), "{said}");
}

#[test]
fn a_disk_that_is_nearly_full_warns_first_and_then_refuses() {
    let full = 1_u64 << 50;
    let site = Site::gated();
    let alice = site.person("alice");
    let policy =
        |log: &str, limits: &str| format!("{}\n[log]\n{log}\n[limits]\n{limits}\n", gated(1));
    site.set_policy(policy("", &format!("log-warn-bytes = {full}")));
    alice.begin("warned").commit("app/a", "1\n");
    alice
        .push(&["warned"])
        .accepted()
        .says("warning: the disk of the change log has")
        .says("MiB left, tell whoever runs this server");
    site.set_policy(policy("", &format!("log-free-bytes = {full}")));
    alice.begin("full").commit("app/b", "1\n");
    alice
        .push(&["full"])
        .refused()
        .says("the disk of the change log on this server is nearly full");
    let refusal = site.log().last("refusal").clone();
    assert_eq!(refusal["fault"], true);
    let reason = refusal["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains(&format!("`log-free-bytes` in [limits] asks for {full}")), "{reason}");
    let said = site.verb(&["doctor"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("log-space"), "{said}");
    site.set_policy(policy("when-full = \"use-up\"", &format!("log-free-bytes = {full}")));
    alice.push(&["full"]).accepted().says("warning: the disk of the change log has");
    site.log_and_refs_agree();
}

/// Takes the attribute away again, so that the test's folder can go.
struct Free(PathBuf);

impl Drop for Free {
    fn drop(&mut self) {
        let _ = Command::new("chattr").args(["-R", "-a"]).arg(&self.0).output();
    }
}

#[test]
fn an_append_only_log_is_written_mended_and_never_cut() {
    let site = Site::gated();
    let _free = Free(site.log_dir());
    let repository = site.path().to_str().unwrap().to_owned();
    let made = site.portcullis(&["install", "--append-only", &repository]);
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(said.contains("could not make the log in"), "{said}");
        skipped("this account or file system cannot make files append-only");
        return;
    }
    let said = ok(&site.portcullis(&["install", "--append-only", &repository]));
    assert!(said.contains("nothing to do"), "{said}");
    let file = segments(&site.log_dir()).remove(0);
    let whole = fs::read(&file).unwrap();
    assert!(fs::write(&file, b"anew").is_err(), "it can be written over");
    assert!(fs::remove_file(&file).is_err(), "it can be removed");
    // A writer was stopped in the middle of a line.
    let mut torn = fs::OpenOptions::new().append(true).open(&file).unwrap();
    std::io::Write::write_all(&mut torn, b"{\"v\":1,\"log\":").unwrap();
    let alice = site.person("alice");
    alice.begin("topic").commit("app/a", "1\n");
    alice.push(&["topic"]).accepted();
    assert_eq!(site.log().last("recovered")["cause"], "torn");
    assert!(fs::read(&file).unwrap().starts_with(&whole));
    ok(&site.verb(&["log", "verify"]));
    // The next file inherits it, here where pushes run as root; a packed one could be removed.
    fill(&site);
    fill(&site);
    alice.begin("more").commit("app/b", "1\n");
    alice.push(&["more"]).accepted();
    assert_eq!(segments(&site.log_dir()).len(), 4);
    assert!(segments(&site.log_dir()).iter().all(|file| fs::remove_file(file).is_err()));
    ok(&site.verb(&["log", "tidy"]));
    assert_eq!(packed(&site), Vec::<PathBuf>::new(), "what is to stay stays");
    bytes(Command::new("chattr").arg("-a").arg(&segments(&site.log_dir())[2]));
    let said = String::from_utf8_lossy(&site.verb(&["doctor"]).stdout).into_owned();
    assert!(said.contains("older files of the log cannot"), "{said}");
}

#[test]
fn a_log_on_a_network_file_system_is_permitted_by_a_word_of_the_operator() {
    // Nothing here is one; the word is left all the same, and a log can begin behind it.
    let site = Site::gated();
    assert!(!site.log_dir().join("network-log").exists());
    let repository = site.path().to_str().unwrap().to_owned();
    let said = ok(&site.portcullis(&["install", "--network-log", &repository]));
    assert!(said.contains("network-log"), "{said}");
    assert!(site.log_dir().join("network-log").exists());
    let again = ok(&site.portcullis(&["install", "--network-log", &repository]));
    assert!(again.contains("nothing to do"), "{again}");
    ok(&site.verb(&["log", "verify"]));
}

//! What a log signs about itself, and what others find out with it: seals, checkpoints, proofs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use portcullis::names::digest::Digest;
use portcullis::tlog::checkpoint::{Checkpoint, base64};
use portcullis::tlog::key::VerifierKey;
use portcullis::tlog::note::Signed;
use portcullis::tlog::proof::Proof;
use portcullis::tlog::tree::leaf_hash;

use crate::support::entries::segments;
use crate::support::ground::{bytes, missing, run, text};
use crate::support::policy::gated;
use crate::support::site::Site;

/// A site with a log of some entries.
fn site() -> Site {
    let site = Site::gated();
    let alice = site.person("alice");
    for name in ["one", "two", "three"] {
        alice.topic(name, &[("app/words", name)]);
    }
    site
}

#[track_caller]
pub(crate) fn ok(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    );
    String::from_utf8_lossy(out).into_owned()
}

/// A verb that has to say no; what it said.
#[track_caller]
pub(crate) fn no(output: &Output, code: i32) -> String {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

fn verify(site: &Site) -> Output {
    site.verb(&["log", "verify", "--root"])
}

#[test]
fn seals_follow_each_other_and_the_key_is_another_each_time() {
    let site = site();
    ok(&site.verb(&["log", "seal"]));
    let first = site.log().last("seal").clone();
    ok(&site.verb(&["log", "seal"]));
    let second = site.log().last("seal").clone();
    assert_eq!(second["key"], first["next"]);
    assert_ne!(second["next"], first["next"]);
    assert_eq!(first["size"], first["seq"]);
    let said = ok(&verify(&site));
    assert!(said.contains("2 seals, the last in entry"), "{said}");
    assert!(said.contains(first["key"].as_str().unwrap()), "{said}");
    site.log_and_refs_agree();
    let mode = fs::metadata(site.log_dir().join("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!site.log_dir().join("key.next").exists());
}

#[test]
fn pushing_goes_on_over_a_seal() {
    let site = site();
    ok(&site.verb(&["log", "seal"]));
    site.person("bob").topic("four", &[("app/words", "four")]);
    ok(&site.verb(&["log", "seal"]));
    ok(&verify(&site));
    site.log_and_refs_agree();
}

#[test]
fn a_log_that_is_written_anew_is_not_the_one_that_was_sealed() {
    if !have(&["python3"]) {
        return;
    }
    let site = site();
    ok(&site.verb(&["log", "seal"]));
    ok(&site.verb(&["log", "seal"]));
    // Everything is made anew, hashes and all, with another name for who pushed.
    let file = segments(&site.log_dir()).remove(0);
    let script = "import hashlib,json,re,sys\n\
        prev='0'*64; out=b''\n\
        for line in open(sys.argv[1],'rb'):\n\
        \x20   body=re.sub(rb',\"prev\":\"[0-9a-f]{64}\",\"hash\":\"[0-9a-f]{64}\"}\\n$',b'',line)\n\
        \x20   body=body.replace(b'\"login\":\"alice\"',b'\"login\":\"carol\"')\n\
        \x20   body+=b',\"prev\":\"'+prev.encode()+b'\"'\n\
        \x20   prev=hashlib.sha256(body).hexdigest()\n\
        \x20   out+=body+b',\"hash\":\"'+prev.encode()+b'\"}\\n'\n\
        open(sys.argv[1],'wb').write(out)\n";
    bytes(python(&site).args(["-c", script]).arg(&file));
    ok(&site.verb(&["log", "verify"]));
    let said = no(&verify(&site), 1);
    assert!(said.contains("broken: the seal in entry"), "{said}");
    assert!(said.contains("its root is not that of the"), "{said}");
    let said = no(&site.verb(&["log", "seal"]), 3);
    assert!(said.contains("does not hold"), "{said}");
}

#[test]
fn a_checkpoint_that_was_kept_shows_a_cut_end_and_a_changed_middle() {
    let site = site();
    let kept = site.ground().at("kept");
    let out = kept.to_str().unwrap().to_owned();
    ok(&site.verb(&["log", "seal"]));
    ok(&site.verb(&["log", "checkpoint", "--out", &out]));
    site.person("bob").topic("later", &[("app/words", "later")]);
    let since = ["log", "verify", "--since", &out];
    let said = ok(&site.verb(&since));
    assert!(said.contains("are those of this log, signed by a key of the log"), "{said}");

    let file = segments(&site.log_dir()).remove(0);
    let whole = fs::read(&file).unwrap();
    let line = |n: usize| whole.split_inclusive(|b| *b == b'\n').take(n).map(<[u8]>::len).sum();
    let cut: usize = line(4);
    fs::write(&file, &whole[..cut]).unwrap();
    let _ = fs::remove_file(site.log_dir().join("checkpoint"));
    ok(&site.verb(&["log", "verify"]));
    let said = no(&site.verb(&since), 1);
    assert!(said.contains("the log has 4: its end was cut off"), "{said}");
}

#[test]
fn a_proof_is_checked_by_who_has_neither_log_nor_repository() {
    let site = site();
    let key = ok(&site.verb(&["log", "checkpoint", "--key"]));
    ok(&site.verb(&["log", "checkpoint"]));
    let key = VerifierKey::parse(key.trim()).unwrap();
    let lines = fs::read(segments(&site.log_dir()).remove(0)).unwrap();
    for (index, line) in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()).enumerate() {
        let proof = ok(&site.verb(&["log", "prove", &index.to_string()]));
        let proof = Proof::parse(proof.as_bytes()).unwrap();
        assert_eq!(proof.note.signed_by(&key), Signed::Yes { at: None });
        assert!(proof.proves(&leaf_hash(line)), "entry {index}");
        assert!(!proof.proves(&leaf_hash(b"another")));
    }
    let said = no(&site.verb(&["log", "prove", "999"]), 3);
    assert!(said.contains("entry 999 is not among the"), "{said}");
}

/// What `docs/log.md` tells an auditor to do with `openssl` and Python, on files that the program
/// wrote.
#[test]
fn a_checkpoint_is_checked_with_standard_tools() {
    if !have(&["python3", "openssl", "base64"]) {
        return;
    }
    let site = site();
    let key = ok(&site.verb(&["log", "checkpoint", "--key"]));
    let folder = site.ground().at("auditor");
    fs::create_dir(&folder).unwrap();
    let note = folder.join("note");
    ok(&site.verb(&["log", "checkpoint", "--out", note.to_str().unwrap()]));
    let checks = |note: &str| {
        let mut shell = site.ground().command("sh");
        shell.args(["-ec", &last_block("sh")]).current_dir(&folder);
        run(shell.env("KEY", key.trim()).env("NOTE", note))
    };
    assert!(checks("note").status.success(), "{:?}", checks("note"));
    let root = text(python(&site).args(["-c", &last_block("python")]).arg(site.log_dir()));
    let signed = fs::read(&note).unwrap();
    let (checkpoint, _) = Checkpoint::of_note(&signed).unwrap();
    assert_eq!(root, format!("{} {}", checkpoint.size, base64(&checkpoint.root)));
    assert_eq!(checkpoint.origin, site.log().all()[0]["log"]);
    let more = String::from_utf8(signed).unwrap().replacen('\n', "\n1", 1);
    fs::write(folder.join("changed"), more).unwrap();
    assert!(!checks("changed").status.success());
}

/// Whether these programs are here; a test that needs them says so where they are not.
pub(crate) fn have(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let here =
        |program: &&&str| std::env::split_paths(&path).any(|folder| folder.join(program).exists());
    let Some(absent) = programs.iter().find(|program| !here(program)) else { return true };
    missing(&format!("{absent} is not installed"));
    false
}

fn python(site: &Site) -> Command {
    let mut python = site.ground().command("python3");
    if let Some(home) = std::env::var_os("HOME") {
        // Some machines keep their Python below the home folder.
        python.env("HOME", home);
    }
    python
}

/// The last command of a kind in the page for auditors.
fn last_block(kind: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/log.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, block) = page.rsplit_once(&format!("\n```{kind}\n")).unwrap();
    block.split("\n```").next().unwrap().to_owned()
}

#[test]
fn a_seal_that_stopped_half_way_is_picked_up() {
    let site = site();
    ok(&site.verb(&["log", "seal"]));
    let (key, next) = (site.log_dir().join("key"), site.log_dir().join("key.next"));
    // Killed after the seal was written and before the keys were changed.
    let before = fs::read(&key).unwrap();
    ok(&site.verb(&["log", "seal"]));
    fs::rename(&key, &next).unwrap();
    fs::write(&key, &before).unwrap();
    ok(&site.verb(&["log", "seal"]));
    ok(&verify(&site));
    // Killed before the seal was written: a next key lies about that no seal names.
    fs::write(&next, &before).unwrap();
    ok(&site.verb(&["log", "seal"]));
    ok(&verify(&site));
}

#[test]
fn a_lost_key_is_said_and_a_new_one_shows() {
    let site = site();
    ok(&site.verb(&["log", "seal"]));
    fs::remove_file(site.log_dir().join("key")).unwrap();
    let said = no(&site.verb(&["log", "seal"]), 3);
    assert!(said.contains("the key that the last seal names is gone"), "{said}");
    assert!(said.contains("--new-key"), "{said}");
    ok(&site.verb(&["log", "seal", "--new-key"]));
    let said = no(&verify(&site), 1);
    assert!(said.contains("its key is not the one that the seal before it names"), "{said}");
    // Pushing does not depend on it.
    site.person("bob").topic("on", &[("app/words", "on")]);
    site.log_and_refs_agree();
}

#[test]
fn after_a_new_key_sealing_goes_on() {
    let site = site();
    ok(&site.verb(&["log", "seal"]));
    fs::remove_file(site.log_dir().join("key")).unwrap();
    ok(&site.verb(&["log", "seal", "--new-key"]));
    // The timer of the next hour knows nothing of a new key, nor does the one after it.
    ok(&site.verb(&["log", "seal"]));
    ok(&site.verb(&["log", "checkpoint"]));
    fs::remove_file(site.log_dir().join("mark")).unwrap();
    ok(&site.verb(&["log", "seal"]));
    let seals = site.log().count("seal");
    assert_eq!(seals, 4);
    let said = no(&verify(&site), 1);
    assert_eq!(said.matches("its key is not the one that the seal before it names").count(), 1);
}

#[test]
fn tiles_are_written_and_compared_with_their_lines() {
    let site = site();
    ok(&site.verb(&["log", "checkpoint"]));
    let said = ok(&verify(&site));
    assert!(said.contains("2 tiles checked against their lines"), "{said}");
    let entries = site.log().len();
    let folder = site.log_dir().join("tile");
    let (hashes, bundle) = (folder.join("0/000.p"), folder.join("entries/000.p"));
    let (hashes, bundle) = (hashes.join(entries.to_string()), bundle.join(entries.to_string()));
    let whole = fs::read(&hashes).unwrap();
    assert_eq!(whole.len(), 32 * entries);
    // A changed hash, and a changed byte of an entry: each is found where it is.
    let mut changed = whole.clone();
    changed[3 * 32 + 5] ^= 1;
    fs::write(&hashes, &changed).unwrap();
    let said = no(&verify(&site), 1);
    assert!(said.contains(&format!("the hash in tile/0/000.p/{entries} is not that of entry 3")));
    fs::write(&hashes, &whole).unwrap();
    let whole = fs::read(&bundle).unwrap();
    let mut changed = whole.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(&bundle, &changed).unwrap();
    let said = no(&verify(&site), 1);
    let wrong = format!("disagrees with the line of entry {}", entries - 1);
    assert!(said.contains(&wrong), "{said}");
    // What is missing is said, and is no error; the next checkpoint writes it anew.
    fs::remove_file(&bundle).unwrap();
    let said = ok(&verify(&site));
    assert!(said.contains("1 of 2 tiles are missing"), "{said}");
    fs::remove_dir_all(&folder).unwrap();
    assert!(ok(&verify(&site)).contains("no tiles"));
    ok(&site.verb(&["log", "checkpoint"]));
    assert_eq!(fs::read(&bundle).unwrap(), whole);
}

#[test]
fn a_first_key_that_is_trusted_stays_trusted_over_the_seals() {
    let site = site();
    let first = ok(&site.verb(&["log", "checkpoint", "--key"]));
    let file = site.ground().at("trust");
    fs::write(&file, format!("log {first}quorum none\n")).unwrap();
    let trust = ["log", "verify", "--trust", file.to_str().unwrap()];
    for _ in 0..3 {
        ok(&site.verb(&["log", "seal"]));
    }
    ok(&site.verb(&["log", "checkpoint"]));
    let said = ok(&site.verb(&trust));
    assert!(said.contains("signed by a key that the seals lead to from"), "{said}");
    // Past a key that was lost nothing leads.
    fs::remove_file(site.log_dir().join("key")).unwrap();
    ok(&site.verb(&["log", "seal", "--new-key"]));
    ok(&site.verb(&["log", "checkpoint"]));
    let said = no(&site.verb(&trust), 1);
    assert!(said.contains("no log that is trusted has signed it"), "{said}");
}

#[test]
fn a_push_seals_where_the_policy_says_how_often() {
    let policy = format!("{}\n[log]\nseal-every = \"1h\"\n", gated(1));
    let site = Site::new(policy);
    let alice = site.person("alice");
    alice.topic("one", &[("app/words", "one")]);
    assert_eq!(site.log().count("seal"), 1);
    // The next is not due for an hour.
    alice.topic("two", &[("app/words", "two")]);
    assert_eq!(site.log().count("seal"), 1);
    let said = ok(&verify(&site));
    assert!(said.contains("checked against their lines"), "{said}");
    site.log_and_refs_agree();
    let status = ok(&site.verb(&["status"]));
    assert!(status.contains("  sealed   2"), "{status}");
}

#[test]
fn a_seal_that_is_overdue_is_told() {
    let policy = format!("{}\n[log]\nseal-every = \"1h\"\n", gated(1));
    let site = Site::new(policy);
    ok(&site.verb(&["log", "seal"]));
    let overdue = |output: &Output| {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.contains("every 1h")
    };
    assert!(!overdue(&site.verb(&["doctor"])) && !overdue(&site.verb(&["status"])));
    // As if it had been sealed a day ago.
    let file = site.log_dir().join("mark");
    let mark = fs::read_to_string(&file).unwrap();
    let lines: Vec<String> = mark
        .lines()
        .take(5)
        .map(|line| match line.strip_prefix("sealed ") {
            Some(at) => format!("sealed {}\n", at.parse::<i64>().unwrap() - 86_400),
            None => format!("{line}\n"),
        })
        .collect();
    let lines = lines.concat();
    fs::write(&file, format!("{lines}{}\n", Digest::of(lines.as_bytes()).hex())).unwrap();
    assert!(overdue(&site.verb(&["doctor"])));
    let status = site.verb(&["status"]);
    assert!(overdue(&status));
    assert_eq!(status.status.code(), Some(1));
    // A push is not deceived by it: the log itself says when it was sealed.
    site.person("alice").topic("one", &[("app/words", "one")]);
    assert_eq!(site.log().count("seal"), 1);
}

#[test]
fn a_key_elsewhere_is_a_key_of_this_log_alone() {
    let ground = portcullis_keys();
    let keys = ground.path().to_owned();
    let policy = format!("{}\n[log]\nkey = \"{}\"\n", gated(1), keys.display());
    let site = Site::new(policy);
    ok(&site.verb(&["log", "seal"]));
    ok(&site.verb(&["log", "seal"]));
    ok(&verify(&site));
    assert!(!site.log_dir().join("key").exists());
    let key = keys.join(format!("{}.key", site.id()));
    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Another log's key is never used, nor written over.
    let other = Site::new(format!("{}\n[log]\nkey = \"{}\"\n", gated(1), key.display()));
    let said = no(&other.verb(&["log", "seal"]), 3);
    assert!(said.contains("is that of the log"), "{said}");
}

/// A folder for keys that vanishes.
fn portcullis_keys() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_log_never_signs_two_stories() {
    let site = site();
    ok(&site.verb(&["log", "checkpoint"]));
    let folder = site.log_dir();
    let file = segments(&folder).remove(0);
    let whole = fs::read(&file).unwrap();
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    fs::write(&file, lines[..3].concat()).unwrap();
    let said = no(&site.verb(&["log", "checkpoint"]), 3);
    assert!(said.contains("has signed a checkpoint of"), "{said}");
}

#[test]
fn whom_to_trust_is_said_in_a_file() {
    let site = site();
    let key = ok(&site.verb(&["log", "checkpoint", "--key"]));
    ok(&site.verb(&["log", "checkpoint"]));
    let file = site.ground().at("trust");
    let path = file.to_str().unwrap().to_owned();
    let with = |text: String| {
        fs::write(&file, text).unwrap();
        site.verb(&["log", "verify", "--trust", &path])
    };
    let said = ok(&with(format!("log {key}quorum none\n")));
    assert!(said.contains("signed by the log "), "{said}");
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let said = no(&with(format!("log {other}\nquorum none\n")), 1);
    assert!(said.contains("no log that is trusted has signed it"), "{said}");
    let said = no(&with(format!("log {key}")), 3);
    assert!(said.contains("exactly one line `quorum`"), "{said}");
    let json = run(site
        .ground()
        .portcullis()
        .args(["log", "verify", "--root", "--json"])
        .arg(site.path()));
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["logs"][0]["tree"]["holds"], true);
}

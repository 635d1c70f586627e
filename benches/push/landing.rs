//! A change lands on a protected branch: a merge whose commits are signed and were pushed before, of
//! infrastructure that two people approved.

use std::path::Path;
use std::time::{Duration, Instant};

use portcullis::names::oid::ObjectFormat;
use portcullis::ssh::signature::{SignatureCheck, verify};
use portcullis::store::commit::{Commit, CommitSignature};

use crate::ground::{Captured, Ground, Stream, path, portcullis};
use crate::{Scale, beside_floor, row};

/// The push, with all that it takes on the server already.
fn captured(scale: &Scale, ground: &Ground) -> Captured {
    let (commits, files) = scale.merge;
    let server = ground.repository("landing.git", scale.history, scale.files.max(2 * files));
    let tip = ground.git(&server, &["rev-parse", "main"]);
    let mut stream = Stream::default();
    // Of the names that `path` gives, every other is infrastructure.
    let names: Vec<String> = (0..2 * files).filter(|n| n % 2 == 1).map(path).collect();
    let mut before = tip.clone();
    for part in names.chunks(files / commits) {
        before = stream.commit("refs/heads/plain", Some(&before), part, None);
    }
    let client = ground.client("landing-client.git", &server, &stream);
    let key = ground.at("alice");
    for (key, value) in [("gpg.format", "ssh"), ("user.signingKey", key.to_str().unwrap())] {
        ground.git(&client, &["config", key, value]);
    }
    let plain = ground.git(&client, &["rev-list", "--reverse", &format!("{tip}..plain")]);
    let signed =
        plain.lines().fold(tip.clone(), |parent, commit| sign(ground, &client, commit, &[&parent]));
    ground.git(&client, &["update-ref", "refs/heads/topic", &signed]);
    let merge = sign(ground, &client, &signed, &[&tip, &signed]);
    ground.git(&client, &["update-ref", "refs/heads/merge", &merge]);
    ground.git(&client, &["remote", "add", "origin", server.to_str().unwrap()]);
    ground.install(&server);
    ground.git(&client, &["push", "-q", "origin", "topic:refs/heads/topic"]);
    for person in ["bob", "carol"] {
        let mut approve = ground.command(portcullis());
        approve.current_dir(&client).env("REMOTE_USER", person);
        approve.args(["approve", "topic", "--for", "main", "--remote", "origin", "--yes", "--key"]);
        let output = approve.arg(ground.at(person)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    ground.capture(&client, &server, &["merge:refs/heads/main"])
}

/// The same tree as that of a commit, on these parents, signed by alice.
fn sign(ground: &Ground, client: &Path, commit: &str, parents: &[&str]) -> String {
    let tree = format!("{commit}^{{tree}}");
    let mut words = vec!["commit-tree", "-S", "-m", "change", tree.as_str()];
    parents.iter().for_each(|parent| words.extend(["-p", parent]));
    ground.git(client, &words)
}

/// How many signatures are verified beside those of commits: the approvals.
const APPROVALS: usize = 2;

/// What verifying all signatures of the push takes, and nothing else, in this very process.
fn signatures(ground: &Ground, rounds: usize) -> (usize, Duration) {
    let client = ground.at("landing-client.git");
    let commits = ground.git(&client, &["rev-list", "merge", "--not", "plain"]);
    let signed: Vec<CommitSignature> = commits
        .lines()
        .map(|commit| {
            let mut raw = ground.command("git");
            raw.current_dir(&client).args(["cat-file", "commit", commit]);
            let raw = raw.output().unwrap().stdout;
            Commit::parse(ObjectFormat::Sha1, &raw).unwrap().signature().unwrap()
        })
        .collect();
    let mut times: Vec<Duration> = (0..=rounds)
        .map(|_| {
            let begin = Instant::now();
            // An approval is as long to verify as a commit: one key, some hundred bytes.
            for one in signed.iter().cycle().take(signed.len() + APPROVALS) {
                let found = verify("git", &one.payload, &one.armor);
                assert!(matches!(found, SignatureCheck::Good { .. }), "{found}");
            }
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    (signed.len() + APPROVALS, times[times.len() / 2])
}

/// The rows of the table: as it is, and without what the signatures take of it.
pub(crate) fn row_c(scale: &Scale) {
    let ground = Ground::new();
    let captured = captured(scale, &ground);
    let (ours, floor) = beside_floor(&ground, &captured, (scale.few * 3, 0));
    let (commits, files) = scale.merge;
    let what = format!("c: a merge of {commits} signed commits, {files} files approved by two");
    row(&what, &ours, &floor);
    let (count, took) = signatures(&ground, scale.few * 3);
    let rest = ours.median().saturating_sub(took);
    println!(
        "| c, without {count} signatures, which take {took:.2?} | {rest:.2?} | {} {:.2?} | {:.2} | |",
        floor.name,
        floor.median(),
        rest.as_secs_f64() / floor.median().as_secs_f64(),
    );
}

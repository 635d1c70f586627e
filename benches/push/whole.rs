//! Whole pushes, from the client's start to its end: with our hooks, and with static hooks that do
//! nothing but append and sync as many bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::ground::{Ground, Stream, path, put_hook};
use crate::timing::{Found, Variant, children_cpu, interleaved};
use crate::{Scale, row};

/// A hook that reads what Git writes to it and appends bytes to a file: `BYTES` of them, brought to
/// the disk where `SYNC` says so.
const NO_OP: &str = "#include <fcntl.h>
#include <unistd.h>
static char bytes[BYTES + 1];
int main(void) {
    char in[65536];
    if (READ) while (read(0, in, sizeof in) > 0) {}
    if (BYTES) {
        int file = open(\"no-op.log\", O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (write(file, bytes, BYTES) != BYTES) return 1;
        if (SYNC) fdatasync(file);
    }
    return 0;
}
";

/// The rows of the table; none where there is no C compiler that links statically.
pub(crate) fn rows(scale: &Scale) {
    let ground = Ground::new();
    let server = ground.repository("server.git", scale.history, scale.files);
    let tip = ground.git(&server, &["rev-parse", "main"]);
    let mut stream = Stream::default();
    let rounds = scale.rounds / 2 + 1;
    for number in 0..=rounds {
        let name = format!("refs/heads/a/{number:04}");
        stream.commit(&name, Some(&tip), &[path(number % scale.files)], None);
    }
    for number in 0..scale.at_once * (scale.few + 1) {
        let name = format!("refs/heads/h/{number:04}");
        stream.commit(&name, Some(&tip), &[path(number % scale.files)], None);
    }
    for number in 0..scale.refs {
        let name = format!("refs/heads/e/{number:04}");
        stream.commit(&name, Some(&tip), &[path(number % scale.files)], None);
    }
    let client = ground.client("client.git", &server, &stream);
    let bare = ground.at("bare.git");
    ground.copy(&server, &bare);
    ground.install(&server);
    let bytes = log_bytes_of_a_push(&ground, &server, &client);
    if !put_no_op(&ground, &bare, bytes) {
        println!("| whole pushes | no C compiler here links statically | | | |");
        return;
    }
    let ours = |refspec: &str, to: &Path| push(&ground, &client, to, refspec);
    let variant = |name, to: &'static str| Variant {
        name,
        command: Box::new(|round| {
            ours(&format!("a/{round:04}:refs/heads/a/{round:04}"), &ground.at(to))
        }),
        before: Box::new(|_| {}),
        stdin: None,
        code: 0,
    };
    let found =
        interleaved(&[variant("ours", "server.git"), variant("no-op hooks", "bare.git")], rounds);
    row("a whole push of a", &found[0], &found[1]);
    let found = at_once(scale, &ground, &client);
    row(&format!("{} of them at once", scale.at_once), &found[0], &found[1]);
    many_refs(scale, &ground, &client);
}

/// How many bytes a small push adds to the log: by `pre-receive`, and by `post-receive`.
fn log_bytes_of_a_push(ground: &Ground, server: &Path, client: &Path) -> u64 {
    let before = log_bytes(server);
    let pushed = push(ground, client, server, "a/0000:refs/heads/first").status();
    assert!(pushed.unwrap().success());
    log_bytes(server) - before
}

fn log_bytes(server: &Path) -> u64 {
    let files = fs::read_dir(server.join("portcullis/log")).unwrap().map(Result::unwrap);
    let of_entries = files.filter(|file| file.file_name().to_string_lossy().ends_with(".jsonl"));
    of_entries.map(|file| file.metadata().unwrap().len()).sum()
}

/// Puts hooks in place that do nothing: as many as ours, with as many bytes and syncs.
fn put_no_op(ground: &Ground, server: &Path, bytes: u64) -> bool {
    fs::write(ground.at("no-op.c"), NO_OP).unwrap();
    fs::create_dir_all(server.join("hooks")).unwrap();
    // Two lines of the three are the decision's; `post-receive` does not wait for its outcome.
    let hooks = [
        ("pre-receive", 1, bytes * 2 / 3, 1),
        ("update", 0, 0, 0),
        ("post-receive", 1, bytes / 3, 0),
    ];
    hooks.into_iter().all(|(name, read, bytes, sync)| {
        let made = ground.at("no-op");
        let compiled = ["musl-gcc", "cc"].into_iter().any(|compiler| {
            let mut command = ground.command(compiler);
            command.args(["-O2", "-static", "-o"]).arg(&made).arg(ground.at("no-op.c"));
            command.args([
                format!("-DREAD={read}"),
                format!("-DBYTES={bytes}"),
                format!("-DSYNC={sync}"),
            ]);
            command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        });
        if compiled {
            put_hook(&server.join("hooks").join(name), &fs::read(&made).unwrap());
        }
        compiled
    })
}

fn push(ground: &Ground, client: &Path, server: &Path, refspec: &str) -> Command {
    let mut push = ground.command("git");
    push.current_dir(client).args(["push", "-q"]).arg(format!("file://{}", server.display()));
    push.arg(refspec).stdout(Stdio::null()).stderr(Stdio::null());
    push
}

/// Many pushes, all begun together.
fn at_once(scale: &Scale, ground: &Ground, client: &Path) -> Vec<Found> {
    let servers = [("ours", ground.at("server.git")), ("no-op hooks", ground.at("bare.git"))];
    let none = |(name, _): &(&str, PathBuf)| Found {
        name: (*name).to_owned(),
        walls: Vec::new(),
        cpu: Duration::ZERO,
    };
    let mut found: Vec<Found> = servers.iter().map(none).collect();
    for round in 0..=scale.few {
        for ((_, server), found) in servers.iter().zip(&mut found) {
            let (cpu, begin) = (children_cpu(), Instant::now());
            let names = (0..scale.at_once).map(|at| round * scale.at_once + at);
            let children: Vec<Child> = names
                .map(|name| {
                    let refspec = format!("h/{name:04}:refs/heads/h/{name:04}");
                    push(ground, client, server, &refspec).spawn().unwrap()
                })
                .collect();
            for mut child in children {
                assert!(child.wait().unwrap().success());
            }
            if round > 0 {
                found.walls.push(begin.elapsed());
                found.cpu += children_cpu().saturating_sub(cpu);
            }
        }
    }
    found
}

/// Many new refs in one push, with an update hook for each.
fn many_refs(scale: &Scale, ground: &Ground, client: &Path) {
    let kept = ["server.git", "bare.git"]
        .map(|name| (ground.at(name), ground.at(&format!("kept-{name}"))));
    for (server, kept) in &kept {
        ground.copy(server, kept);
    }
    let variant = |name, at: usize| Variant {
        name,
        command: Box::new(move |_| {
            push(ground, client, &kept_of(ground, at).0, "refs/heads/e/*:refs/heads/e/*")
        }),
        before: Box::new(move |_| {
            let (server, kept) = kept_of(ground, at);
            ground.copy(&kept, &server);
        }),
        stdin: None,
        code: 0,
    };
    let rounds = scale.few.min(3);
    let found = interleaved(&[variant("ours", 0), variant("no-op hooks", 1)], rounds);
    row(&format!("{} new branches, each with its update hook", scale.refs), &found[0], &found[1]);
}

/// A server and what it is put back to.
fn kept_of(ground: &Ground, at: usize) -> (PathBuf, PathBuf) {
    let name = ["server.git", "bare.git"][at];
    (ground.at(name), ground.at(&format!("kept-{name}")))
}

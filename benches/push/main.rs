//! What whole pushes cost: our hooks beside hooks that do nothing, and beside the git plumbing that
//! has to look at the same data.
//!
//! `cargo bench --bench push` makes its own repositories below `target/`, prints a table of ratios,
//! and writes growth curves to `docs/performance/`. `cargo test` runs it too, to see that it runs:
//! with everything small, once, and with curves that vanish. `docs/performance.md` tells what it
//! found. `cargo bench --bench push -- landing whole` makes these parts of it alone.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]
#![expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a benchmark is the outside: files, clock, children, a table on the terminal"
)]

mod curves;
mod entries;
mod ground;
mod landing;
#[path = "../logged/mod.rs"]
mod logged;
mod peers;
mod plot;
mod timing;
mod whole;

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ground::{Captured, Ground, Kept, Stream, path};
use crate::timing::{Found, Variant, interleaved, peak};

/// How much of everything.
pub(crate) struct Scale {
    pub(crate) rounds: usize,
    /// Rounds of what takes long.
    pub(crate) few: usize,
    pub(crate) history: usize,
    pub(crate) files: usize,
    /// Commits and files of the merge.
    pub(crate) merge: (usize, usize),
    pub(crate) commits: usize,
    pub(crate) refs: usize,
    pub(crate) at_once: usize,
    /// Refs of the repository, and commits of one push, whose memory is looked at.
    pub(crate) many_refs: usize,
    pub(crate) curves: curves::Curves,
    pub(crate) plots: PathBuf,
}

impl Scale {
    fn full() -> Self {
        Self {
            rounds: 60,
            few: 7,
            history: 2_000,
            files: 2_000,
            merge: (50, 200),
            commits: 10_000,
            refs: 1_000,
            at_once: 32,
            many_refs: 50_000,
            curves: curves::Curves::full(),
            plots: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance")),
        }
    }

    fn tiny(plots: PathBuf) -> Self {
        Self {
            rounds: 1,
            few: 1,
            history: 3,
            files: 8,
            merge: (2, 4),
            commits: 5,
            refs: 3,
            at_once: 2,
            many_refs: 20,
            curves: curves::Curves::tiny(),
            plots,
        }
    }
}

fn main() {
    // Our hook looks for the receive-pack that it runs for; here that is this program.
    let mut words = std::env::args_os();
    if words.next().is_none_or(|name| name != "git-receive-pack") {
        let again = Command::new(std::env::current_exe().unwrap())
            .arg0("git-receive-pack")
            .args(words)
            .exec();
        panic!("{again}");
    }
    // What cargo says to a benchmark, and not to a test.
    let (flags, wanted): (Vec<_>, Vec<_>) =
        words.partition(|word| word.as_encoded_bytes().starts_with(b"-"));
    let is_bench = flags.iter().any(|flag| flag == "--bench");
    let unknown = wanted.iter().find(|word| PARTS.iter().all(|part| part.name != **word));
    assert_eq!(unknown, None, "no part of this name");
    let vanishing = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let scale = if is_bench { Scale::full() } else { Scale::tiny(vanishing.path().to_owned()) };
    println!("| what | ours | beside | ratio | CPU ratio |\n|---|---|---|---|---|");
    for part in PARTS {
        if wanted.is_empty() || wanted.iter().any(|word| word == part.name) {
            (part.run)(&scale);
        }
    }
}

/// What can be asked for by name.
struct Part {
    name: &'static str,
    run: fn(&Scale),
}

const PARTS: [Part; 5] = [
    Part { name: "hooks", run: hooks },
    Part { name: "landing", run: landing::row_c },
    Part { name: "whole", run: whole::rows },
    Part { name: "peers", run: peers::rows },
    Part { name: "curves", run: drawn },
];

/// The growth curves, and that there is something in their plots.
fn drawn(scale: &Scale) {
    curves::all(scale);
    for file in curves::FILES {
        let plot = fs::read_to_string(scale.plots.join(format!("{file}.svg"))).unwrap();
        assert_eq!(plot.matches("<polyline").count(), 2, "{file}");
    }
}

/// One line of the table.
pub(crate) fn row(what: &str, ours: &Found, other: &Found) {
    println!(
        "| {what} | {:.2?}, CPU {:.2?} | {} {:.2?}, CPU {:.2?} | {:.2} | {:.2} |",
        ours.median(),
        ours.cpu_each(),
        other.name,
        other.median(),
        other.cpu_each(),
        ours.ratio(other),
        ours.cpu_ratio(other)
    );
}

/// The hook alone beside the plumbing alone, on what Git gave it.
pub(crate) fn beside_floor(
    ground: &Ground,
    captured: &Captured,
    (rounds, code): (usize, i32),
) -> (Found, Found) {
    ground.warm(captured);
    let kept = Kept::of(&captured.repository);
    let ours = Variant {
        name: "ours",
        command: Box::new(|_| ground.ours(captured)),
        before: Box::new(|_| kept.put_back()),
        stdin: Some(captured.stdin.clone()),
        code,
    };
    let floor = Variant {
        name: "plumbing",
        command: Box::new(|_| ground.floor(captured)),
        before: Box::new(|_| {}),
        stdin: Some(captured.stdin.clone()),
        code: 0,
    };
    let mut found = interleaved(&[ours, floor], rounds).into_iter();
    kept.put_back();
    (found.next().unwrap(), found.next().unwrap())
}

/// What the hook alone costs, push by push.
fn hooks(scale: &Scale) {
    let ground = Ground::new();
    let server = ground.repository("server.git", scale.history, scale.files);
    let tip = ground.git(&server, &["rev-parse", "main"]);
    let mut stream = Stream::default();
    stream.commit("refs/heads/a", Some(&tip), &[path(1)], None);
    let mut before = tip.clone();
    for number in 0..scale.commits {
        before = stream.commit("refs/heads/d", Some(&before), &[path(number % scale.files)], None);
    }
    for number in 0..scale.refs {
        let name = format!("refs/heads/e/{number:04}");
        stream.commit(&name, Some(&tip), &[path(number % scale.files)], None);
    }
    let client = ground.client("client.git", &server, &stream);
    let pushes = [
        ("a: a small push to a branch that no rule names", "a:refs/heads/feature", scale.rounds, 0),
        ("b: a direct commit to a protected branch, refused", "a:refs/heads/main", scale.rounds, 1),
        ("d: many commits on a new branch", "d:refs/heads/d", scale.few, 0),
        ("e: many new branches", "refs/heads/e/*:refs/heads/e/*", scale.few, 0),
    ];
    ground.install(&server);
    for (what, refspec, rounds, code) in pushes {
        let captured = ground.capture(&client, &server, &[refspec]);
        let (ours, floor) = beside_floor(&ground, &captured, (rounds, code));
        row(what, &ours, &floor);
        let kept = Kept::of(&server);
        let kib = peak(ground.ours(&captured), &captured.stdin);
        kept.put_back();
        println!("| its memory | {kib} KiB | | | |");
    }
    whole_repository(scale, &ground, &server);
}

/// The first push of a whole repository, and memory beside many refs.
fn whole_repository(scale: &Scale, ground: &Ground, full: &Path) {
    let empty = ground.at("empty.git");
    ground
        .git(full, &["init", "-q", "--bare", "--template=", "-b", "main", empty.to_str().unwrap()]);
    ground.install(&empty);
    for (what, to) in [("a branch that no rule names", "first"), ("its protected branch", "main")] {
        let refspec = format!("refs/heads/main:refs/heads/{to}");
        let captured = ground.capture(full, &empty, &[&refspec]);
        let (ours, floor) = beside_floor(ground, &captured, (scale.few, 0));
        row(&format!("f: the first push of a whole repository, to {what}"), &ours, &floor);
    }

    let ground = Ground::new();
    let many = curves::with_refs(&ground, scale.many_refs);
    ground.warm(&many);
    let kept = Kept::of(&many.repository);
    let kib = peak(ground.ours(&many), &many.stdin);
    kept.put_back();
    println!("| a, beside {} refs: memory | {kib} KiB | | | |", scale.many_refs);
}

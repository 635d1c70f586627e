//! How the cost of a push grows: with the refs, commits, files, entries and rules that are there, and
//! with the commits and refs that it brings.

use std::fs;
use std::path::Path;

use crate::ground::{Captured, Ground, Stream, path};
use crate::plot::{Line, write};
use crate::timing::Found;
use crate::{Scale, beside_floor, entries};

/// The points of each curve.
pub(crate) struct Curves {
    refs: Vec<usize>,
    history: Vec<usize>,
    files: Vec<usize>,
    entries: Vec<usize>,
    rules: Vec<usize>,
    pushed_commits: Vec<usize>,
    pushed_refs: Vec<usize>,
}

impl Curves {
    pub(crate) fn full() -> Self {
        Self {
            refs: vec![10, 1_000, 20_000, 200_000],
            history: vec![10, 1_000, 10_000, 100_000],
            files: vec![10, 1_000, 10_000, 100_000],
            entries: vec![10, 1_000, 100_000, 1_000_000],
            rules: vec![5, 50, 500],
            pushed_commits: vec![1, 10, 100, 1_000, 10_000],
            pushed_refs: vec![1, 10, 100, 1_000],
        }
    }

    pub(crate) fn tiny() -> Self {
        let two = || vec![1, 4];
        Self {
            refs: two(),
            history: two(),
            files: two(),
            entries: vec![4, 12],
            rules: vec![5, 6],
            pushed_commits: two(),
            pushed_refs: two(),
        }
    }
}

/// The plots, by the names of their files.
pub(crate) const FILES: [&str; 7] =
    ["refs", "history", "files", "entries", "rules", "pushed-commits", "pushed-refs"];

/// What makes one point of a curve.
type Make<'a> = &'a dyn Fn(&Ground, usize) -> Captured;

/// A curve: the name of its file, its title, what is counted, how many, rounds, and a point's maker.
type Curve<'a> = (&'a str, &'a str, &'a str, &'a [usize], usize, Make<'a>);

/// Measures all of them, and writes a plot for each.
pub(crate) fn all(scale: &Scale) {
    fs::create_dir_all(&scale.plots).unwrap();
    let (few, rounds) = (scale.few, scale.rounds);
    let Curves { refs, history, files, entries, rules, pushed_commits, pushed_refs } =
        &scale.curves;
    let small = |ground: &Ground, server: &Path| small_push(ground, server, 1);
    let curves: [Curve<'_>; 7] = [
        ("refs", "A small push beside many refs", "refs", refs, rounds, &with_refs),
        (
            "history",
            "A small push on a long history",
            "commits",
            history,
            rounds,
            &|ground, count| small(ground, &ground.repository(&name(count), count, 10)),
        ),
        ("files", "A small push to a large tree", "files", files, rounds, &|ground, count| {
            small(ground, &ground.repository(&name(count), 2, count))
        }),
        (
            "entries",
            "A small push behind a long log",
            "entries",
            entries,
            rounds,
            &|ground, count| {
                let captured = small(ground, &ground.repository(&name(count), 10, 10));
                entries::grow(&captured.repository, count as u64);
                captured
            },
        ),
        ("rules", "A small push under many rules", "rules", rules, rounds, &with_rules),
        (
            "pushed-commits",
            "Many commits in one push",
            "commits",
            pushed_commits,
            few,
            &|ground, count| small_push(ground, &ground.repository(&name(count), 10, 1_000), count),
        ),
        ("pushed-refs", "Many refs in one push", "refs", pushed_refs, few, &with_pushed_refs),
    ];
    for (file, title, across, counts, rounds, make) in curves {
        let points: Vec<(usize, (Found, Found))> = counts
            .iter()
            .map(|&count| {
                let ground = Ground::new();
                let captured = make(&ground, count);
                (count, beside_floor(&ground, &captured, (rounds, 0)))
            })
            .collect();
        let line = |name: &str, of: &dyn Fn(&(Found, Found)) -> f64| Line {
            name: name.to_owned(),
            points: points.iter().map(|(count, found)| (*count as f64, of(found))).collect(),
        };
        let lines = [
            line("ours", &|(ours, _)| ours.cpu_each().as_secs_f64() * 1000.0),
            line("plumbing", &|(_, floor)| floor.cpu_each().as_secs_f64() * 1000.0),
        ];
        let told: Vec<String> =
            lines[0].points.iter().map(|(count, ms)| format!("{count}: {ms:.2} ms")).collect();
        println!("| curve: {title}, CPU | {} | | | |", told.join(", "));
        write(
            &scale.plots.join(format!("{file}.svg")),
            &format!("{title}: CPU of the hook"),
            across,
            &lines,
        );
    }
}

fn name(count: usize) -> String {
    format!("server-{count}.git")
}

/// So many commits, one after another, to a branch that no rule names.
fn small_push(ground: &Ground, server: &Path, commits: usize) -> Captured {
    let tip = ground.git(server, &["rev-parse", "main"]);
    let files = ground.git(server, &["ls-tree", "-r", "--name-only", "main"]).lines().count();
    let mut stream = Stream::default();
    let mut before = tip;
    for number in 0..commits {
        before = stream.commit("refs/heads/a", Some(&before), &[path(number % files)], None);
    }
    let client = ground.client("client.git", server, &stream);
    ground.install(server);
    ground.capture(&client, server, &["a:refs/heads/feature"])
}

/// A small push to a repository of so many refs.
pub(crate) fn with_refs(ground: &Ground, count: usize) -> Captured {
    let server = ground.repository(&name(count), 10, 10);
    let tip = ground.git(&server, &["rev-parse", "main"]);
    let packed = server.join("packed-refs");
    let mut text = fs::read_to_string(&packed).unwrap();
    for number in 0..count {
        text.push_str(&format!("{tip} refs/heads/old/{number:06}\n"));
    }
    fs::write(&packed, text).unwrap();
    let mut lines: Vec<String> =
        fs::read_to_string(&packed).unwrap().lines().map(str::to_owned).collect();
    lines[1..].sort_by(|one, other| one[41..].cmp(&other[41..]));
    fs::write(&packed, lines.join("\n") + "\n").unwrap();
    small_push(ground, &server, 1)
}

fn with_rules(ground: &Ground, count: usize) -> Captured {
    fs::write(ground.at("policy.toml"), ground.policy(count.saturating_sub(5))).unwrap();
    small_push(ground, &ground.repository(&name(count), 10, 10), 1)
}

fn with_pushed_refs(ground: &Ground, count: usize) -> Captured {
    let server = ground.repository(&name(count), 10, 1_000);
    let tip = ground.git(&server, &["rev-parse", "main"]);
    let mut stream = Stream::default();
    for number in 0..count {
        stream.commit(
            &format!("refs/heads/e/{number:04}"),
            Some(&tip),
            &[path(number % 1_000)],
            None,
        );
    }
    let client = ground.client("client.git", &server, &stream);
    ground.install(&server);
    ground.capture(&client, &server, &["refs/heads/e/*:refs/heads/e/*"])
}

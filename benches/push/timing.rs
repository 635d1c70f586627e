//! Commands in turn, and how long each took.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What is run, again and again.
pub(crate) struct Variant<'a> {
    pub(crate) name: &'a str,
    /// The command of one round.
    pub(crate) command: Box<dyn Fn(usize) -> Command + 'a>,
    /// What has to be put back before each round, outside of the measured time.
    pub(crate) before: Box<dyn Fn(usize) + 'a>,
    /// What Git writes to a hook.
    pub(crate) stdin: Option<PathBuf>,
    /// The exit code that says it did what it should.
    pub(crate) code: i32,
}

/// What was found out about one variant.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) name: String,
    /// Each round, from start to end.
    pub(crate) walls: Vec<Duration>,
    /// Processor time of all rounds, of the command and its children.
    pub(crate) cpu: Duration,
}

impl Found {
    pub(crate) fn median(&self) -> Duration {
        let mut walls = self.walls.clone();
        walls.sort_unstable();
        walls[walls.len() / 2]
    }

    /// Processor time of one round.
    pub(crate) fn cpu_each(&self) -> Duration {
        self.cpu / u32::try_from(self.walls.len()).unwrap()
    }

    /// The median of the ratios, round by round.
    pub(crate) fn ratio(&self, to: &Self) -> f64 {
        let pairs = self.walls.iter().zip(&to.walls);
        let mut ratios: Vec<f64> =
            pairs.map(|(one, other)| one.as_secs_f64() / other.as_secs_f64()).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }

    pub(crate) fn cpu_ratio(&self, to: &Self) -> f64 {
        self.cpu.as_secs_f64() / to.cpu.as_secs_f64().max(0.001)
    }
}

/// Runs all variants in turn, round after round, after one that does not count.
pub(crate) fn interleaved(variants: &[Variant<'_>], rounds: usize) -> Vec<Found> {
    let none = |variant: &Variant<'_>| Found {
        name: variant.name.to_owned(),
        walls: Vec::new(),
        cpu: Duration::ZERO,
    };
    let mut found: Vec<Found> = variants.iter().map(none).collect();
    for round in 0..=rounds {
        for (variant, found) in variants.iter().zip(&mut found) {
            (variant.before)(round);
            let before = children_cpu();
            let wall = once(variant, round);
            if round > 0 {
                found.walls.push(wall);
                found.cpu += children_cpu().saturating_sub(before);
            }
        }
    }
    found
}

fn once(variant: &Variant<'_>, round: usize) -> Duration {
    let mut command = (variant.command)(round);
    command.stdin(variant.stdin.as_deref().map_or_else(Stdio::null, stdin_of));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let status = command.status().unwrap();
    let wall = begin.elapsed();
    assert_eq!(status.code(), Some(variant.code), "{}", variant.name);
    wall
}

fn stdin_of(path: &Path) -> Stdio {
    File::open(path).unwrap().into()
}

/// Processor time of all children that have ended: fields 16 and 17 of proc(5), in hundredths.
/// The kernel adds them up exactly, so what is cut off at one end comes back at the next.
pub(crate) fn children_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[13..15].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// The most memory that a command had, in KiB. The last look before its end has it.
pub(crate) fn peak(mut command: Command, stdin: &Path) -> u64 {
    command.stdin(stdin_of(stdin)).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = kib.unwrap_or(peak).max(peak);
    }
    peak
}

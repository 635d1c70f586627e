//! `install` for many repositories: all are looked at before the first is changed, then all are
//! changed, and what could not be done is told at the end.
//!
//! Used by `install --recursive` and `install --json`. One repository that is broken does not keep
//! the others from being guarded; a policy that is broken keeps all of them from being changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::cli::crowd;
use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files::{self, Durable};
use crate::cli::install::choose::Known;
use crate::cli::install::plan;
use crate::cli::install::prepare::{Desk, Prepared, Target, prepare};
use crate::cli::install::swap;
use crate::cli::io::Tone;
use crate::cli::quote::{shell, shown};
use crate::cli::replay::beside::Difference;
use crate::cli::tree::{self, Walk};
use crate::cli::verb::Call;

/// What is to be done with the repositories of one call.
pub struct Batch<'a> {
    desk: &'a Desk<'a>,
    targets: Vec<Target>,
    passed: Passed,
}

/// A repository, and what has to be done there or why it cannot be.
type Plan<'a> = (&'a Target, Result<Prepared, Fault>);

/// How many repositories are changed at a time. While their logs have begun and their hooks are not
/// there yet, a push passes unjudged and is found by the log as drift: that moment has to be short.
const AT_ONCE: usize = 500;

/// What was found and is left alone.
#[derive(Debug, Default)]
struct Passed {
    /// Places, and why.
    by: Vec<(PathBuf, String)>,
    /// What could not be looked at.
    unseen: Vec<String>,
}

/// What became of one repository.
#[derive(Debug)]
enum Became {
    /// It was not guarded before.
    Installed,
    /// Something about it is different now.
    Changed,
    /// Nothing had to be done.
    Already,
    /// It was left alone.
    Passed(String),
    /// It could not be done.
    Failed(Fault),
}

/// A repository and what became of it.
struct Row {
    path: PathBuf,
    became: Became,
    difference: Option<Difference>,
}

impl<'a> Batch<'a> {
    /// The repositories that were named, and those below folders.
    pub fn find(desk: &'a Desk<'a>) -> Result<Self, Fault> {
        let named = desk.install.repos.iter();
        let mut targets: Vec<Target> =
            named.map(|path| Target { path: path.clone(), below: None }).collect();
        let mut passed = Passed::default();
        for dir in &desk.install.recursive {
            let Walk { found, aside, links, unseen } = tree::walk(desk.around, dir, &tree::bare)?;
            targets.extend(found.into_iter().map(|path| {
                let below = path.strip_prefix(dir).unwrap_or(&path).to_owned();
                Target { path, below: Some(below) }
            }));
            passed.by.extend(aside.into_iter().map(|(path, why)| (path, why.to_owned())));
            let why = "is a symbolic link, what it leads to was not looked at";
            passed.by.extend(links.into_iter().map(|path| (path, why.to_owned())));
            passed.unseen.extend(unseen);
        }
        Ok(Self { desk, targets, passed })
    }

    /// Does it, and tells what was done.
    pub fn run(self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let desk = self.desk;
        let looked =
            crowd::each(call.console, "looked at", &self.targets, |target| prepare(desk, target));
        // What is wrong with the policy or the words that were typed is wrong for all of them.
        let for_all = |fault: &&Fault| matches!(fault.exit(), Exit::No | Exit::Mistyped);
        if let Some(fault) = looked.iter().filter_map(|it| it.as_ref().err()).find(for_all) {
            return Err(fault.clone());
        }
        let plans: Vec<Plan<'_>> = self.targets.iter().zip(looked).collect();
        let differences = self.compare(call, &plans)?;
        let policy = self.tell(call, &plans, &differences)?;
        let became = self.apply(call, &plans)?;
        let rows: Vec<Row> = plans
            .iter()
            .zip(became)
            .zip(differences)
            .map(|(((target, _), became), difference)| Row {
                path: target.path.clone(),
                became,
                difference,
            })
            .collect();
        self.sum_up(call, &rows, policy)
    }

    /// What a policy that comes for another would have said of the landings there are.
    fn compare(
        &self,
        call: &Call<'_>,
        plans: &[Plan<'_>],
    ) -> Result<Vec<Option<Difference>>, Fault> {
        let now = self.desk.around.now;
        let compared = crowd::each(call.console, "replayed", plans, |(_, plan)| {
            let Ok(one) = plan else { return Ok(None) };
            let Some(before) = &one.before else { return Ok(None) };
            swap::difference(&one.site.git_dir, (before, &one.policy), 1, now).map(Some)
        });
        compared.into_iter().collect()
    }

    /// Says what is going to be done, where it is the same for many.
    fn tell(
        &self,
        call: &mut Call<'_>,
        plans: &[Plan<'_>],
        differences: &[Option<Difference>],
    ) -> Result<Value, Fault> {
        let json = self.desk.install.json;
        let ready: Vec<&Prepared> =
            plans.iter().filter_map(|(_, plan)| plan.as_ref().ok()).collect();
        let said = |of: fn(&Prepared) -> &Vec<String>| {
            ready.iter().flat_map(|one| of(one)).cloned().collect::<BTreeSet<String>>()
        };
        for note in said(|one| &one.notes) {
            call.console.talk_lines(Tone::Note, &note)?;
        }
        for warning in said(|one| &one.warnings) {
            call.console.talk_lines(Tone::Warning, &warning)?;
        }
        let starter = ready.iter().find_map(|one| one.starter.as_ref());
        if let Some(text) = starter.filter(|_| !json) {
            call.console
                .talk_lines(Tone::Note, "where there is no policy yet, this one is written:")?;
            call.console.data(text)?;
        }
        for (old, new) in swap::pairs(ready.iter().map(|one| &one.replaced)) {
            if let (Some(one), false) = (ready.first(), json) {
                call.console.data_bytes(&swap::texts(self.desk.git, &one.site, &old, &new)?)?;
            }
        }
        let now = self.desk.around.now;
        let swapped = ready.iter().filter_map(|one| Some((one.before.as_ref()?, &one.policy)));
        let mut seen = BTreeSet::new();
        let mut rules = BTreeSet::new();
        for (before, after) in swapped {
            let files = |known: &Known| {
                known.texts.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>()
            };
            if seen.insert((files(before), files(after))) {
                rules.extend(swap::rules(before, after, now));
            }
        }
        for line in rules.iter().filter(|_| !json) {
            call.console.data_line(line)?;
        }
        for ((target, _), found) in plans.iter().zip(differences) {
            if let Some(found) = found.as_ref().filter(|found| !found.is_none() && !json) {
                let line = format!("{}: {}", shown(&target.path), found.line());
                call.console.data_line(&line)?;
            }
        }
        Ok(json!({ "rules": rules }))
    }

    /// Does what was planned, so many at a time.
    fn apply(&self, call: &Call<'_>, plans: &[Plan<'_>]) -> Result<Vec<Became>, Fault> {
        if self.desk.install.dry_run {
            return Ok(plans.iter().map(|(_, plan)| meant(plan)).collect());
        }
        let bar = crowd::bar(call.console, "done", plans.len());
        let mut became = Vec::new();
        for some in plans.chunks(AT_ONCE) {
            became.extend(self.apply_to(&bar, some)?);
        }
        bar.finish_and_clear();
        on_disk(plans).map(|()| became)
    }

    /// In two goes: the hooks come when everything they need is on the disk. To wait for the disk once
    /// for many is what makes ten thousand a matter of seconds.
    fn apply_to(&self, bar: &ProgressBar, plans: &[Plan<'_>]) -> Result<Vec<Became>, Fault> {
        let (git, around) = (self.desk.git, self.desk.around);
        let first = crowd::each_of(&ProgressBar::hidden(), plans, |(_, plan)| {
            let one = plan.as_ref().map_err(Fault::clone)?;
            let mut steps = one.steps.iter().filter(|step| !step.is_last());
            steps.try_for_each(|step| step.apply(git, &one.site, Durable::WithAll))
        });
        on_disk(plans)?;
        let plans: Vec<(&Plan<'_>, Result<(), Fault>)> = plans.iter().zip(first).collect();
        Ok(crowd::each_of(bar, &plans, |((_, plan), first)| {
            let (one, became) = match (first, plan) {
                (Err(fault), _) | (Ok(()), Err(fault)) => return Became::Failed(fault.clone()),
                (Ok(()), Ok(one)) => (one, meant(plan)),
            };
            if one.steps.is_empty() {
                return became;
            }
            let mut last = one.steps.iter().filter(|step| step.is_last());
            let done = last.try_for_each(|step| step.apply(git, &one.site, Durable::WithAll));
            let noted = |()| plan::noted(around, git, &one.site, &one.steps, Durable::WithAll);
            done.and_then(noted).map_or_else(Became::Failed, |()| became)
        }))
    }

    fn sum_up(&self, call: &mut Call<'_>, rows: &[Row], policy: Value) -> Result<Exit, Fault> {
        let sum = Sum::of(rows, &self.passed);
        let exit = match sum.failed.is_empty() && self.passed.unseen.is_empty() {
            true => Exit::Yes,
            false => Exit::CouldNot,
        };
        if self.desk.install.json {
            let dry_run = self.desk.install.dry_run;
            call.console.json(&sum.as_json(rows, &self.passed.unseen, policy, dry_run))?;
            return Ok(exit);
        }
        for (path, why) in &sum.passed {
            call.console.talk(&format!("skipped: {} {why}", shown(path)))?;
        }
        for text in &self.passed.unseen {
            call.console.talk_lines(Tone::Warning, text)?;
        }
        for (path, fault) in &sum.failed {
            call.console.talk(&format!("{}:", shown(path)))?;
            let _ = fault.show(call.console);
            if fault.hints().is_empty() {
                let again = format!("mend this, then run: portcullis install {}", shell(path));
                call.console.talk_lines(Tone::Hint, &again)?;
            }
        }
        call.console.data_line(&sum.line(self.desk.install.dry_run))?;
        self.next(call, &sum).map(|()| exit)
    }

    /// What comes next.
    fn next(&self, call: &mut Call<'_>, sum: &Sum<'_>) -> Result<(), Fault> {
        let install = self.desk.install;
        let dirs: Vec<String> =
            install.recursive.iter().map(|dir| format!("--recursive {}", shell(dir))).collect();
        if install.dry_run || dirs.is_empty() {
            return Ok(());
        }
        if !sum.installed.is_empty() && !install.enforce {
            let text = format!(
                "newly installed repositories only warn; when the log shows what is right:\n\
                 portcullis log show --verdict warned {0}\n\
                 portcullis install {0} --enforce",
                dirs.join(" ")
            );
            call.console.talk_lines(Tone::Hint, &text)?;
        }
        Ok(())
    }
}

/// What is going to become of a repository.
fn meant(plan: &Result<Prepared, Fault>) -> Became {
    let one = match plan {
        Ok(one) => one,
        Err(fault) => return Became::Failed(fault.clone()),
    };
    if let Some(remote) = &one.mirror {
        return Became::Passed(format!("is a mirror of the remote {remote}"));
    }
    match (one.steps.is_empty(), one.site.repository_id()) {
        (true, _) => Became::Already,
        (false, None) => Became::Installed,
        (false, Some(_)) => Became::Changed,
    }
}

/// Waits until what was written is on the disk.
fn on_disk(plans: &[Plan<'_>]) -> Result<(), Fault> {
    let ready = plans.iter().filter_map(|(_, plan)| plan.as_ref().ok());
    let changed = ready.filter(|one| !one.steps.is_empty());
    let paths = changed.flat_map(|one| [one.site.git_dir.as_path(), one.log.as_path()]);
    files::sync_systems(paths)
        .or_fault(|| "could not bring what was written to the disk".into())
        .map_err(|fault| fault.hint("look at the disk, then run the same command again"))
}

/// Repositories by what became of them.
struct Sum<'a> {
    installed: Vec<&'a Path>,
    changed: Vec<&'a Path>,
    already: Vec<&'a Path>,
    passed: Vec<(&'a Path, &'a str)>,
    failed: Vec<(&'a Path, &'a Fault)>,
}

impl<'a> Sum<'a> {
    fn of(rows: &'a [Row], passed: &'a Passed) -> Self {
        let by = passed.by.iter().map(|(path, why)| (path.as_path(), why.as_str()));
        let mut sum = Self {
            installed: Vec::new(),
            changed: Vec::new(),
            already: Vec::new(),
            passed: by.collect(),
            failed: Vec::new(),
        };
        for Row { path, became, .. } in rows {
            match became {
                Became::Installed => sum.installed.push(path),
                Became::Changed => sum.changed.push(path),
                Became::Already => sum.already.push(path),
                Became::Passed(why) => sum.passed.push((path, why)),
                Became::Failed(fault) => sum.failed.push((path, fault)),
            }
        }
        sum
    }

    fn line(&self, dry_run: bool) -> String {
        let words = match dry_run {
            false => ["installed", "changed"],
            true => ["would install", "would change"],
        };
        let counts = [
            (words[0], self.installed.len()),
            (words[1], self.changed.len()),
            ("already there", self.already.len()),
            ("skipped", self.passed.len()),
            ("failed", self.failed.len()),
        ];
        let parts = counts.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{word} {n}"));
        match parts.collect::<Vec<_>>() {
            parts if parts.is_empty() => "no repositories found".to_owned(),
            parts => parts.join(", "),
        }
    }

    fn as_json(&self, rows: &[Row], unseen: &[String], policy: Value, dry_run: bool) -> Value {
        let paths = |paths: &[&Path]| paths.iter().map(|path| shown(path)).collect::<Vec<_>>();
        let passed = self.passed.iter();
        let failed = self.failed.iter();
        let replayed = rows.iter().filter_map(|row| {
            let mut value = row.difference.as_ref()?.as_json();
            value["repository"] = json!(shown(&row.path));
            Some(value)
        });
        let mut policy = policy;
        policy["replayed"] = json!(replayed.collect::<Vec<_>>());
        json!({
            "dry_run": dry_run,
            "installed": paths(&self.installed),
            "changed": paths(&self.changed),
            "already": paths(&self.already),
            "skipped": passed
                .map(|(path, why)| json!({ "repository": shown(path), "why": why }))
                .collect::<Vec<_>>(),
            "failed": failed
                .map(|(path, fault)| json!({
                    "repository": shown(path),
                    "fault": fault.to_string(),
                    "mend": fault.hints(),
                }))
                .collect::<Vec<_>>(),
            "not_looked_at": unseen,
            "policy": policy,
        })
    }
}

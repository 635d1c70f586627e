//! `portcullis log prune`: takes the oldest files of a log away, behind a checkpoint that others have.
//!
//! What stays so that every push is judged as before is the log room's to say; from here come the
//! checkpoint, whom to believe about it, and the words.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files;
use crate::cli::log::filter::moment;
use crate::cli::log::place::{self, Below, Place};
use crate::cli::log::published::Published;
use crate::cli::log::roots;
use crate::cli::log::seal::read_checkpoint;
use crate::cli::log::words;
use crate::cli::quote::{shell, shown};
use crate::cli::verb::Call;
use crate::hook::host;
use crate::log::disk::Disk;
use crate::log::name::name_of;
use crate::log::prune::{self, Done, Plan};
use crate::names::moment::Moment;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::trust::{TRUST_BYTES_MAX, Trust};

/// Take the oldest files of the log away, behind a published checkpoint
///
/// Only whole closed files go, all of whose entries are older than --before and are covered by the
/// checkpoint that is shown: its root has to be that of this log, and a key of the log's own seals,
/// or whoever --trust names, has to have signed it. That others really have it cannot be seen from
/// here; a file in the log's own folder is no sign of it and is refused, and witnesses' signatures
/// (--trust) are a good one. What pushes may still ask stays in a summary: values of refs, who
/// brought which commit, statements and their uses, debts, drifts, policies and seals, line by line
/// as they were written, and the hash of every other entry, so that the tree can still be proved. An
/// entry `pruned` names the summary, and the next seal covers it. Archive the files first: --to
/// copies them, and `log verify --archive` holds the summary against the copies. A run that was
/// stopped is taken up again by the next. Of many repositories (--recursive), one that has nothing
/// old or no published checkpoint stays as it is; for a timer.
#[derive(Args, Debug)]
pub struct Prune {
    /// Take away what is older than this: a day, an RFC 3339 time, or how long ago (400d, 52w)
    #[arg(long, value_name = "TIME", required = true)]
    before: String,

    /// A checkpoint of this log as it was published: the file that others have. Or a folder of such
    /// files: of each log the longest counts
    #[arg(long, value_name = "CHECKPOINT|DIR", required = true)]
    published: PathBuf,

    /// Whom to believe about it (C2SP tlog-policy): logs, witnesses, and how many of them have to
    /// have signed it
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,

    /// Copy the files to this folder first, and compare the copies. Those of many repositories go to
    /// a folder each in it, by the id of the repository
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,

    /// Tell what would be taken away, and take nothing
    #[arg(long)]
    dry_run: bool,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    below: Below,

    /// Repositories, or the folders of their logs; the repository here when none is named
    #[arg(value_name = "REPO")]
    places: Vec<PathBuf>,
}

/// What became of one log.
struct Report {
    /// Files of an earlier run that was stopped.
    finished: u64,
    plan: Option<Plan>,
    archived: Option<u64>,
    done: Option<Done>,
    /// Who signed the published checkpoint; `None` where there is none of this log.
    signed: Option<String>,
    /// Where the files are copied to.
    to: Option<PathBuf>,
}

impl Prune {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let before = moment(&self.before, call.around.now)?;
        let published = Published::look(&call.around.absolute(&self.published)?)?;
        let (places, mut exit) = place::gather_repositories(call, &self.places, &self.below)?;
        for given in &places {
            let found = place::find(call.around, std::slice::from_ref(given));
            let done = found.and_then(|found| {
                found.iter().try_for_each(|place| self.one(call, place, before, &published))
            });
            if let Err(fault) = done {
                exit = Exit::worst(exit, place::go_on(call, &places, fault)?);
            }
        }
        Ok(exit)
    }

    fn one(
        &self,
        call: &mut Call<'_>,
        place: &Place,
        before: Moment,
        published: &Published,
    ) -> Result<(), Fault> {
        let (folder, dir) = (&place.folder, place.folder.dir());
        let fault = |error| could_not(dir, &error);
        let origin = name_of(folder).map_err(fault)?;
        let to = self.archive(call, &origin)?;
        let Some(path) = published.of(&origin) else {
            let report =
                Report { finished: 0, plan: None, archived: None, done: None, signed: None, to };
            return self.answer(call, place, &report);
        };
        let (published, signed) = self.published(call, place, path)?;
        let finished =
            if self.dry_run { 0 } else { prune::finish(folder, &Disk).map_err(fault)? };
        let plan = prune::plan(folder, published.size, before).map_err(fault)?;
        let mut report =
            Report { finished, plan, archived: None, done: None, signed: Some(signed), to };
        if let Some(plan) = report.plan.as_ref().filter(|_| !self.dry_run) {
            unprotected(plan)?;
            if let Some(to) = &report.to {
                report.archived = Some(prune::archive(plan, to).map_err(fault)?);
            }
            let (by, ctx) = (host::account(), host::ctx(call.around.now));
            let done = prune::prune(folder, &Disk, plan, &published, &by, &ctx);
            report.done = Some(done.map_err(fault)?);
        }
        self.answer(call, place, &report)
    }

    fn answer(&self, call: &mut Call<'_>, place: &Place, report: &Report) -> Result<(), Fault> {
        match self.json {
            true => call.console.json(&self.as_json(place, report)),
            false => self.tell(call, place, report),
        }
    }

    /// Where the files of the log of this name are copied to, if anywhere.
    fn archive(&self, call: &Call<'_>, origin: &str) -> Result<Option<PathBuf>, Fault> {
        let Some(to) = &self.to else { return Ok(None) };
        let to = call.around.absolute(to)?;
        if !self.below.is_asked() && self.places.len() < 2 {
            return Ok(Some(to));
        }
        match origin.rsplit('/').next() {
            Some(id) if !["", ".", ".."].contains(&id) => Ok(Some(to.join(id))),
            Some(_) | None => {
                let what = format!("the log's name `{origin}` cannot be the name of a folder");
                Err(Fault::new(what).hint("prune this log alone, with a folder of its own"))
            }
        }
    }

    /// The checkpoint, where everything speaks for it, and who signed it.
    fn published(
        &self,
        call: &Call<'_>,
        place: &Place,
        path: &Path,
    ) -> Result<(Checkpoint, String), Fault> {
        let dir = place.folder.dir();
        let (checkpoint, note) = read_checkpoint(path)?;
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if real(path).starts_with(real(dir)) {
            let what = format!("{} is the log's own file: nobody else has it", shown(path));
            let hint =
                "keep checkpoints elsewhere (portcullis log checkpoint --out FILE), and name one";
            return Err(Fault::new(what).hint(hint));
        }
        let trust = match &self.trust {
            None => None,
            Some(file) => {
                let path = call.around.absolute(file)?;
                let bytes = files::read_whole(&path, TRUST_BYTES_MAX)
                    .or_fault(|| format!("could not read {}", shown(&path)))?;
                let trust = Trust::parse(&bytes);
                Some(trust.or_fault(|| format!("{} says not whom to trust", shown(&path)))?)
            }
        };
        let name = shown(path);
        let held = roots::held(&place.folder, &name, (&checkpoint, &note), trust.as_ref())?;
        match held {
            Ok(signed) if signed.is_empty() => {
                let what = format!("{name}: no key that a seal of this log names has signed it");
                let hint = "seal the log, sign a checkpoint, publish that: portcullis log seal, \
                            portcullis log checkpoint --out FILE";
                Err(Fault::new(what).hint(hint))
            }
            Ok(signed) => Ok((checkpoint, signed)),
            Err(why) => {
                let hint =
                    "nothing was taken away; compare with a copy: portcullis log verify --root";
                Err(Fault::new(format!("{name}: {why}")).hint(hint))
            }
        }
    }

    fn tell(&self, call: &mut Call<'_>, place: &Place, report: &Report) -> Result<(), Fault> {
        let name = shown(&place.given);
        let Some(signed) = &report.signed else {
            let folder = shown(&self.published);
            let line =
                format!("{name}: no checkpoint of its log is in {folder}; nothing is taken away");
            return call.console.data_line(&line);
        };
        if report.finished > 0 {
            let files = words::counted(report.finished, "file");
            let line = format!("{name}: {files} of an earlier run that was stopped are gone now");
            call.console.data_line(&line)?;
        }
        let Some(plan) = &report.plan else {
            let line =
                format!("{name}: no closed file is older and covered; nothing is taken away");
            return call.console.data_line(&line);
        };
        if let Some(n) = report.archived {
            let (files, to) = (words::counted(n, "file"), report.to.as_deref().map(shown));
            let to = to.unwrap_or_default();
            call.console.data_line(&format!("{name}: {files} copied to {to} and compared"))?;
        }
        let (entries, files, bytes) = sizes(plan);
        let verb = if report.done.is_some() { "taken away" } else { "would be taken away" };
        let (entries, files) = (words::entries(entries), words::counted(files, "file"));
        call.console.data_line(&format!(
            "{name}: {entries} in {files} {verb}, {bytes} bytes; the log begins with entry {}",
            plan.to.first
        ))?;
        if let Some(done) = &report.done {
            call.console.data_line(&format!(
                "  {} stay whole in the summary, {} bytes, named by entry {}",
                words::entries(done.kept),
                done.bytes,
                done.entry
            ))?;
        }
        call.console.data_line(&format!("  the checkpoint is signed by {signed}"))?;
        if report.done.is_some() {
            let seal = shell(&place.given);
            call.console.data_line(&format!("  seal it now: portcullis log seal {seal}"))?;
        }
        if report.done.is_none() && self.to.is_none() {
            call.console.talk("hint: --to DIR copies the files before they go")?;
        }
        if let (Some(path), true) = (plan.protected.first(), self.dry_run) {
            call.console.talk(&format!(
                "warning: {} may only be appended to: chattr -a {}",
                shown(path),
                shell(path)
            ))?;
        }
        Ok(())
    }

    fn as_json(&self, place: &Place, report: &Report) -> Value {
        let plan = report.plan.as_ref().map(|plan| {
            let (entries, _, bytes) = sizes(plan);
            let file =
                |(path, bytes): &(PathBuf, u64)| json!({ "file": shown(path), "bytes": bytes });
            json!({
                "first": plan.to.first,
                "entries": entries,
                "bytes": bytes,
                "files": plan.files.iter().map(file).collect::<Vec<_>>(),
                "append_only": plan.protected.iter().map(|path| shown(path)).collect::<Vec<_>>(),
            })
        });
        let done = report.done.as_ref().map(|done| {
            json!({
                "entry": done.entry,
                "kept": done.kept,
                "summary": shown(&done.summary),
                "summary_bytes": done.bytes,
                "bundles": done.bundles,
            })
        });
        json!({
            "place": shown(&place.given),
            "dry_run": self.dry_run,
            "finished": report.finished,
            "signed": report.signed,
            "plan": plan,
            "archived": report.archived,
            "done": done,
        })
    }
}

/// How many entries go, in how many files, and how many bytes these have.
fn sizes(plan: &Plan) -> (u64, u64, u64) {
    let bytes = plan.files.iter().map(|(_, bytes)| bytes).sum();
    (plan.to.first - plan.from, plan.files.len() as u64, bytes)
}

/// Files that may only be appended to are not for this verb to free.
fn unprotected(plan: &Plan) -> Result<(), Fault> {
    if plan.protected.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = plan.protected.iter().map(|path| shell(path)).collect();
    let what = format!(
        "{} may only be appended to; nothing was taken away",
        words::counted(names.len() as u64, "file")
    );
    Err(Fault::new(what).hint(format!("as root: chattr -a {}", names.join(" "))))
}

fn could_not(dir: &Path, error: &crate::log::error::LogError) -> Fault {
    Fault::caused(format!("could not prune the log in {}", shown(dir)), error).hint(error.hint())
}

//! `portcullis log tidy`: takes statements that can never count again out of the refs, and packs
//! what the log will not write to any more.
//!
//! Every push takes those that it was the end of; what is left are those that expired, and those
//! of a push whose `post-receive` did not come to its end. The log keeps them all.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::cli::fault::{Exit, Fault};
use crate::cli::git::Git;
use crate::cli::log::place::{self, Below};
use crate::cli::log::words;
use crate::cli::quote::shown;
use crate::cli::site::Site;
use crate::cli::verb::Call;
use crate::hook::fault::Stop;
use crate::hook::host;
use crate::hook::tidy::{BATCH_MAX, Dead, Taken, all_dead, take};
use crate::hook::world::World;
use crate::log::disk::{Disk, Folder};
use crate::log::merge::Leisure;
use crate::log::pack;
use crate::log::tidy::TidyRef;
use crate::log::wire::{AsText, Text};

/// Take statements that can never count again out of the refs, and pack old parts of the log
///
/// Approvals and checks that were used, have expired, were revoked, or whose commit has landed
/// since they were given. The log keeps every one of them whole and remembers what became of it;
/// a reject counts until it expires, whether its ref is there or not. No hook of the repository
/// runs. Closed files of the log but the newest are packed: `gzip -d` unpacks them, and every verb
/// reads both. May be run at any time, also while people push.
#[derive(Args, Debug)]
pub struct Tidy {
    /// Tell what would be taken, and take nothing
    #[arg(long)]
    dry_run: bool,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    below: Below,

    /// Repositories; the one here when none is named
    #[arg(value_name = "REPO")]
    places: Vec<PathBuf>,
}

/// What was done in one repository.
struct Done {
    place: PathBuf,
    gone: Vec<(Dead, Option<u64>)>,
    others: usize,
    left: Option<String>,
    packed: Vec<pack::Done>,
    unpacked: Option<String>,
}

impl Tidy {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let git = Git::find(call.around)?;
        let mut all: Vec<Value> = Vec::new();
        let (places, mut exit) = place::gather_repositories(call, &self.places, &self.below)?;
        for place in &places {
            let done = Site::find(call.around, &git, place)
                .and_then(|site| self.tidied(call, place, &site.git_dir));
            let done = match done {
                Ok(done) => done,
                Err(fault) => {
                    exit = Exit::worst(exit, place::go_on(call, &places, fault)?);
                    continue;
                }
            };
            if done.left.is_some() || done.unpacked.is_some() {
                exit = Exit::CouldNot;
            }
            match self.json {
                true => all.push(as_json(&done)),
                false => self.tell(call, &done, places.len())?,
            }
        }
        if self.json {
            call.console.json(&json!({ "dry_run": self.dry_run, "repositories": all }))?;
        }
        Ok(exit)
    }

    fn tidied(&self, call: &Call<'_>, given: &Path, git_dir: &Path) -> Result<Done, Fault> {
        let fault = |stop: Stop| place::stopped(given, &stop);
        let world = World::at_rest(git_dir).map_err(fault)?;
        let mut log = world.log().map_err(fault)?;
        let ctx = host::ctx(call.around.now);
        log.merge_index(Leisure::Timer);
        let (dead, others) = all_dead(&world, &mut log, &ctx).map_err(fault)?;
        let folder = Folder::existing(&world.log_dir())
            .map_err(|error| place::fault(&world.log_dir(), &error))?;
        let mut done = Done {
            place: given.to_owned(),
            gone: Vec::new(),
            others,
            left: None,
            packed: Vec::new(),
            unpacked: None,
        };
        if self.dry_run {
            done.gone = dead.into_iter().map(|one| (one, None)).collect();
            done.packed =
                pack::would_pack(&folder).map_err(|error| place::fault(folder.dir(), &error))?;
            return Ok(done);
        }
        let by = host::os_user().unwrap_or_else(|| "log tidy".to_owned());
        for batch in dead.chunks(BATCH_MAX) {
            let taken = take(&world, &mut log, batch, &by, &ctx).map_err(fault)?;
            let Taken { entry, gone, left } = taken;
            done.others += batch.len() - gone.len();
            done.gone.extend(gone.into_iter().map(|one| (one, entry)));
            done.left = done.left.or(left);
        }
        let mut packed = Vec::new();
        if let Err(error) = pack::pack_closed(&folder, &Disk, &mut |one| packed.push(*one)) {
            done.unpacked = Some(Fault::caused("", &error).to_string());
        }
        done.packed = packed;
        Ok(done)
    }

    fn tell(&self, call: &mut Call<'_>, done: &Done, places: usize) -> Result<(), Fault> {
        let name = match places {
            0 | 1 => String::new(),
            _ => format!("{}: ", shown(&done.place)),
        };
        for (one, entry) in &done.gone {
            let seen = &one.held.seen;
            let what = format!("{} by {}", words::plain(&seen.verdict), seen.person);
            let entry = entry.map(|entry| format!("entry {entry}: ")).unwrap_or_default();
            let why = words::dead(&record(one));
            call.console.data_line(&format!("{name}{entry}{}: {what}, {why}", seen.place))?;
        }
        let taken = words::counted(done.gone.len() as u64, "statement");
        let verb = if self.dry_run { "would leave" } else { "left" };
        let stay = words::counted(done.others as u64, "other");
        call.console.data_line(&format!("{name}{taken} {verb} the refs, {stay} stay"))?;
        if !done.packed.is_empty() {
            let files = words::counted(done.packed.len() as u64, "file");
            let bytes = |of: fn(&pack::Done) -> u64| done.packed.iter().map(of).sum::<u64>();
            let (from, to) = (bytes(|one| one.from), bytes(|one| one.to));
            let line = match self.dry_run {
                true => format!("{name}{files} of the log would be packed, {from} bytes"),
                false => format!("{name}{files} of the log packed, {from} bytes became {to}"),
            };
            call.console.data_line(&line)?;
        }
        if let Some(words) = &done.unpacked {
            let text = format!("warning: {name}not every closed file of the log was packed{words}");
            call.console.talk(&text)?;
        }
        if let Some(words) = &done.left {
            call.console.talk(&format!("warning: {name}git left some of them: {words}"))?;
        }
        Ok(())
    }
}

fn record(one: &Dead) -> TidyRef {
    TidyRef {
        refname: Text::from(&one.held.seen.place),
        old: AsText(one.held.old),
        id: AsText(one.held.seen.id),
        why: one.why,
        entry: one.entry,
    }
}

fn as_json(done: &Done) -> Value {
    let packed = |one: &pack::Done| json!({ "first": one.first, "from": one.from, "to": one.to });
    let one = |(one, entry): &(Dead, Option<u64>)| {
        let seen = &one.held.seen;
        json!({
            "entry": entry,
            "ref": seen.place.to_string(),
            "old": one.held.old.hex(),
            "id": seen.id.hex(),
            "person": seen.person.to_string(),
            "verdict": words::plain(&seen.verdict),
            "for_ref": seen.for_ref.to_string(),
            "why": record(one).why,
            "by_entry": one.entry,
        })
    };
    json!({
        "place": shown(&done.place),
        "gone": done.gone.iter().map(one).collect::<Vec<_>>(),
        "others": done.others,
        "git": done.left,
        "packed": done.packed.iter().map(packed).collect::<Vec<_>>(),
        "not_packed": done.unpacked,
    })
}

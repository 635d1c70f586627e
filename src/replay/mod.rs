//! A branch's history, held against a policy: what it would have refused, had it been in force.
//!
//! Each step of the first-parent chain is told as the push that would have made it (`tell`), judged
//! by `judge` like any push, and counted (`tally`). Used by the verbs `replay` and `install`. Reads
//! a repository, writes nothing, and asks no log: evidence counts as missing.
//!
//! Steps do not depend on each other, so they are shared out among threads; each has the
//! repository open for itself.

pub mod chain;
pub mod error;
pub mod tally;
pub mod tell;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};

use crate::gather::default_branch;
use crate::gather::error::GatherError;
use crate::gather::reader::Reader;
use crate::judge::{judge, needs, reference};
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::replay::chain::{Link, chain};
use crate::replay::error::ReplayError;
use crate::replay::tally::{Judged, Replayed, Tally};
use crate::replay::tell::{Setting, Teller, empty_past};
use crate::store::objects::RefValue;
use crate::store::open::{OpenAt, open};
use crate::verdict::finding::{Finding, Level, Objection, RuleRef};
use crate::verdict::line::{Hint, Line};

/// How many steps a thread takes at a time: neighbours share most of their trees.
const STEPS_AT_A_TIME: usize = 64;

/// The most threads that are worth opening the repository for.
pub const THREADS_MAX: usize = 8;

/// Kinds of rules that ask who pushed, or when, which history does not tell, or that run a command.
const UNTOLD_KINDS: [&str; 5] = ["access", "restrict-paths", "signed-push", "freeze", "run"];

/// What is to be replayed.
#[derive(Clone, Debug)]
pub struct Order {
    /// The repository's folder.
    pub git_dir: PathBuf,
    /// The branch; `None`: the one that HEAD names.
    pub refname: Option<Refname>,
    /// Only the newest so many steps.
    pub last: Option<usize>,
    /// How many threads may work, at most `THREADS_MAX`.
    pub threads: usize,
    /// Levels are those of this moment.
    pub moment: Moment,
}

/// Replays a branch's history. `watch` is told how many steps are done, and of how many.
///
/// # Errors
/// Faults of reading, and a ref that is not there. A step that the gate could not judge is no
/// error: it counts as refused, as it would have been.
pub fn replay(
    order: &Order,
    policy: &Policy,
    watch: &mut dyn FnMut(usize, usize),
) -> Result<Replayed, ReplayError> {
    let store = open(&OpenAt::at_rest(&order.git_dir))?;
    let default = default_branch(&store).map_err(ReplayError::Chain)?;
    let refname = order.refname.clone().or(default.clone()).ok_or(ReplayError::NoDefault)?;
    let reader = Reader::new(&store, &policy.limits);
    let tip = tip_of(&reader, &refname)?;
    let links = chain(&reader, tip, order.last)?;
    let setting = Setting {
        needs: needs(policy, &refname, default.as_ref(), order.moment),
        refname: refname.clone(),
        default_branch: default,
        roster: &policy.roster,
        limits: &policy.limits,
        moment: order.moment,
    };
    let had = values_had(&reader, &setting)?;
    let work = Work { order, policy, setting: &setting, links: &links, had: &had };
    let naming = setting.needs.rules.iter().map(|rule| &policy.rules[rule.index]);
    let (untold, told): (Vec<_>, Vec<_>) =
        naming.map(|rule| (reference(rule), rule.level_at(order.moment))).partition(is_untold);
    let mut tally = Tally::new(told);
    work.share_out(&mut tally, watch)?;
    let named = |index: &usize| setting.needs.rules.iter().any(|rule| rule.index == *index);
    let elsewhere = (0..policy.rules.len()).filter(|index| !named(index));
    let mut replayed = tally.finish(refname, tip);
    replayed.elsewhere = elsewhere.map(|index| reference(&policy.rules[index])).collect();
    replayed.untold = untold.into_iter().map(|(rule, _)| rule).collect();
    Ok(replayed)
}

fn is_untold((rule, _): &(RuleRef, Level)) -> bool {
    UNTOLD_KINDS.contains(&rule.kind())
}

fn tip_of(reader: &Reader<'_>, refname: &Refname) -> Result<Oid, ReplayError> {
    let value = match reader.objects.read_ref(refname)? {
        RefValue::Direct(value) => value,
        RefValue::Absent | RefValue::Symbolic(_) => {
            return Err(ReplayError::NoRef { name: refname.clone() });
        }
    };
    let commit = reader.peel_commit(&value).map_err(ReplayError::Chain)?;
    commit.ok_or_else(|| ReplayError::NoCommit { name: refname.clone() })
}

/// The refs that rules ask about, and the commits that each of them has had: its own first-parent
/// chain, as far as history tells. The branch itself is none of them, since a push does not count
/// for itself.
fn values_had(
    reader: &Reader<'_>,
    setting: &Setting<'_>,
) -> Result<HashMap<Oid, Vec<Refname>>, ReplayError> {
    let mut had: HashMap<Oid, Vec<Refname>> = HashMap::new();
    let asked: Vec<_> =
        setting.needs.rules.iter().filter_map(|rule| rule.needs.had_by.as_ref()).collect();
    if asked.is_empty() {
        return Ok(had);
    }
    for (name, value) in reader.objects.refs_under(b"refs/")? {
        let default = setting.default_branch.as_ref();
        if name == setting.refname || !asked.iter().any(|refs| refs.matches(&name, default)) {
            continue;
        }
        let Some(tip) = reader.peel_commit(&value).map_err(ReplayError::Chain)? else { continue };
        for link in chain(reader, tip, None)? {
            had.entry(link.commit).or_default().push(name.clone());
        }
    }
    Ok(had)
}

/// What every thread works on.
struct Work<'w> {
    order: &'w Order,
    policy: &'w Policy,
    setting: &'w Setting<'w>,
    links: &'w [Link],
    had: &'w HashMap<Oid, Vec<Refname>>,
}

type Done = Result<Vec<Judged>, ReplayError>;

impl Work<'_> {
    fn share_out(
        &self,
        tally: &mut Tally,
        watch: &mut dyn FnMut(usize, usize),
    ) -> Result<(), ReplayError> {
        let portions = self.links.len().div_ceil(STEPS_AT_A_TIME);
        let threads = self.order.threads.clamp(1, THREADS_MAX).min(portions);
        let next = AtomicUsize::new(0);
        let (say, hear) = mpsc::channel::<Done>();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let (say, next) = (say.clone(), &next);
                scope.spawn(move || {
                    if let Err(error) = self.take_portions(next, &say) {
                        next.store(self.links.len(), Ordering::Relaxed);
                        // Nobody listens any more only when another thread has failed before.
                        let _ = say.send(Err(error));
                    }
                });
            }
            drop(say);
            for done in hear {
                done?.into_iter().for_each(|judged| tally.add(judged));
                watch(tally.steps(), self.links.len());
            }
            Ok(())
        })
    }

    fn take_portions(&self, next: &AtomicUsize, say: &Sender<Done>) -> Result<(), ReplayError> {
        let store = open(&OpenAt::at_rest(&self.order.git_dir))?;
        let (past, push) = (empty_past(self.order.moment), self.setting.push());
        let mut teller = Teller::new(&store, self.setting, &past, &push);
        loop {
            let from = next.fetch_add(STEPS_AT_A_TIME, Ordering::Relaxed);
            if from >= self.links.len() {
                return Ok(());
            }
            let to = self.links.len().min(from + STEPS_AT_A_TIME);
            let judged = (from..to).map(|place| self.judge(&mut teller, place));
            if say.send(Ok(judged.collect::<Result<_, _>>()?)).is_err() {
                return Ok(());
            }
        }
    }

    fn judge(&self, teller: &mut Teller<'_>, place: usize) -> Result<Judged, ReplayError> {
        let link = &self.links[place];
        let had_by = self.had.get(&link.commit).map(Vec::as_slice).unwrap_or_default();
        let mut judged = Judged {
            place,
            commit: link.commit,
            subject: Vec::new(),
            when: self.order.moment,
            shape: link.shape,
            findings: Vec::new(),
        };
        let told = match teller.tell(link, had_by) {
            Ok(told) => told,
            Err(error) => {
                judged.findings.push(not_judged(link, error)?);
                return Ok(judged);
            }
        };
        (judged.subject, judged.when) = (told.subject, told.when);
        // What is said of the push as a whole is about its pusher, whom history does not tell.
        for of_ref in judge(self.policy, &told.facts).refs {
            judged.findings.extend(of_ref.findings);
        }
        judged.findings.retain(|finding| !UNTOLD_KINDS.contains(&finding.rule.kind()));
        Ok(judged)
    }
}

/// A step that the gate could not have judged, and so would have refused; what is wrong with the
/// server or with us is an error instead.
fn not_judged(link: &Link, error: GatherError) -> Result<Finding, ReplayError> {
    let what = match &error {
        GatherError::Limit { .. } | GatherError::Commit { .. } => {
            Line::new("it could not be judged: ").text(error.to_string())
        }
        GatherError::Store(_) | GatherError::Past(_) | GatherError::NoCommit => {
            return Err(ReplayError::Step { commit: link.commit, source: error });
        }
    };
    let hint = Hint::new(Line::new("look for it with git fsck, or raise the limit"));
    Ok(Finding {
        rule: RuleRef::Always { name: "not-judged" },
        level: Level::Refuse,
        objection: Objection::new(what).hint(hint),
    })
}

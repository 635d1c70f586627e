//! Brings log and refs together: reads refs, then the log, and writes what became of decisions.
//!
//! Called by `hook` at the start of every run for the refs in hand, by its own `post-receive`, and for
//! all refs by whoever sweeps.
//! What it writes can be found out again, so only a drift waits for the disk.

use std::collections::BTreeSet;

use crate::facts::past::{Landing, Past as _, PastError, SessionKey};
use crate::log::book::Log;
use crate::log::entry::{Evidence, Record};
use crate::log::error::LogError;
use crate::log::file::{Appended, Ctx};
use crate::log::look::{RECENT_MAX, not_that};
use crate::log::posting::{Key, is_yes};
use crate::log::reconcile::{Accepted, RefKnown, Told, reconcile, together};
use crate::log::touched::JudgedAt;
use crate::names::oid::Oid;
use crate::names::refname::Refname;

/// How often settling begins again because something moved meanwhile.
const TRIES: usize = 8;

/// How many applied moves a crash may have lost at once, of one ref.
const LOST_MAX: usize = 16;

/// The repository and the machine, as settling needs them.
pub trait Site {
    /// What reading can run into.
    type Error: From<LogError> + From<PastError>;

    /// The ref's value now; zeros when it has none.
    fn value(&self, refname: &Refname) -> Result<Oid, Self::Error>;

    /// Whether this receive-pack still runs.
    fn is_running(&self, session: &SessionKey) -> bool;

    /// What else speaks about a move from the one value to the other.
    fn evidence(&self, refname: &Refname, logged: &Oid, found: &Oid) -> Vec<Evidence>;
}

/// What Git tells a push's own `post-receive`.
#[derive(Clone, Debug)]
pub struct OwnPush<'a> {
    /// The receive-pack of the push.
    pub session: &'a SessionKey,
    /// The refs that were updated: name, old value, new value.
    pub applied: &'a [(Refname, Oid, Oid)],
}

impl Log {
    /// Settles these refs and returns the records that were written. `own` only in
    /// `post-receive`; then the refs of the push's own decisions are settled too.
    ///
    /// # Errors
    /// Whatever reading or appending runs into; `Restless` when the refs never hold still.
    pub fn settle<S: Site>(
        &mut self,
        site: &S,
        refnames: &BTreeSet<Refname>,
        own: Option<&OwnPush<'_>>,
        ctx: &Ctx,
    ) -> Result<Vec<Record>, S::Error> {
        let mut refs = refnames.clone();
        if let Some(own) = own {
            refs.extend(self.decided_for(own.session)?);
        }
        for _ in 0..TRIES {
            let Some(records) = self.unsettled(site, &refs, own, &ctx.boot)? else { continue };
            if records.is_empty() {
                return Ok(records);
            }
            let expect =
                JudgedAt { size: self.head().size, refs: refs.clone(), ..JudgedAt::default() };
            if self.write_settled(&records, ctx, &expect)? {
                return Ok(records);
            }
        }
        Err(LogError::Restless.into())
    }

    /// How many records settling these refs would write now. Writes none.
    ///
    /// # Errors
    /// As `settle`.
    pub fn unsettled_records<S: Site>(
        &mut self,
        site: &S,
        refnames: &BTreeSet<Refname>,
        ctx: &Ctx,
    ) -> Result<usize, S::Error> {
        Ok(self.would_settle(site, refnames, ctx)?.len())
    }

    /// The records that settling these refs would write now. Writes none.
    ///
    /// # Errors
    /// As `settle`.
    pub fn would_settle<S: Site>(
        &mut self,
        site: &S,
        refnames: &BTreeSet<Refname>,
        ctx: &Ctx,
    ) -> Result<Vec<Record>, S::Error> {
        for _ in 0..TRIES {
            if let Some(records) = self.unsettled(site, refnames, None, &ctx.boot)? {
                return Ok(records);
            }
        }
        Err(LogError::Restless.into())
    }

    /// The refs that may move by the decisions for one receive-pack.
    fn decided_for(&self, session: &SessionKey) -> Result<Vec<Refname>, PastError> {
        let key = Key::Session(&session.boot, session.pid, session.start);
        let mut names = Vec::new();
        for posting in self.postings(key, RECENT_MAX)? {
            let entry = self.entry(&posting)?;
            let Record::Decision(decision) = &entry.record else { return Err(not_that(&entry)) };
            let accepted = decision.refs.iter().filter(|one| is_yes(decision, one));
            names.extend(accepted.filter_map(|one| one.refname.refname()));
        }
        Ok(names)
    }

    /// Whether the records were written; not so when something moved.
    fn write_settled(
        &mut self,
        records: &[Record],
        ctx: &Ctx,
        expect: &JudgedAt,
    ) -> Result<bool, LogError> {
        if records.iter().any(|record| matches!(record, Record::Drift(_))) {
            return match self.append(records, ctx, Some(expect))? {
                Appended::Written(_) | Appended::Held => Ok(true),
                Appended::Moved(_) => Ok(false),
            };
        }
        Ok(self.note(records, ctx, Some(expect))?.is_none())
    }

    /// What there is to be written. `None` when a ref moved while it was looked at.
    fn unsettled<S: Site>(
        &mut self,
        site: &S,
        refnames: &BTreeSet<Refname>,
        own: Option<&OwnPush<'_>>,
        boot: &str,
    ) -> Result<Option<Vec<Record>>, S::Error> {
        let mut values = Vec::with_capacity(refnames.len());
        for refname in refnames {
            values.push((refname, site.value(refname)?));
        }
        self.refresh()?;
        let mut records = Vec::new();
        for (refname, found) in values {
            let known = self.known(site, refname, found, own, boot)?;
            let gone = |one: &Accepted| one.fate.is_none() && !one.running;
            // A receive-pack may have moved the ref after we read it, and ended before we looked.
            if known.accepted.iter().any(gone) && site.value(refname)? != found {
                return Ok(None);
            }
            records.extend(reconcile(&known));
        }
        Ok(Some(together(records)))
    }

    fn known<S: Site>(
        &self,
        site: &S,
        refname: &Refname,
        found: Oid,
        own: Option<&OwnPush<'_>>,
        boot: &str,
    ) -> Result<RefKnown, S::Error> {
        let logged = self.value(refname)?.map_or(Oid::zero(found.format()), |value| value.oid);
        let moved = logged != found;
        let is_running = |session: &SessionKey| session.boot == boot && site.is_running(session);
        let accepted = self.accepted_on(refname, moved, is_running)?;
        Ok(RefKnown {
            refname: refname.clone(),
            logged,
            found,
            told: own.and_then(|own| told(own, refname, &accepted)),
            accepted,
            may_be_lost: if moved { self.may_be_lost(refname, boot)? } else { Vec::new() },
            evidence: if moved { site.evidence(refname, &logged, &found) } else { Vec::new() },
        })
    }

    /// The newest accepted decisions and tidyings on a ref, oldest first; none when there is nothing to find
    /// out, as after most pushes.
    fn accepted_on(
        &self,
        refname: &Refname,
        moved: bool,
        is_running: impl Fn(&SessionKey) -> bool,
    ) -> Result<Vec<Accepted>, PastError> {
        let recent = self.moves_on(refname)?;
        if !moved && recent.iter().all(|(_, fate)| fate.is_some()) {
            return Ok(Vec::new());
        }
        let mut accepted = Vec::with_capacity(recent.len());
        for (posting, fate) in recent.iter().rev() {
            if let Some(decision) = self.move_of(posting)? {
                let running = fate.is_none() && is_running(&decision.session);
                accepted.push(Accepted { decision, fate: *fate, running });
            }
        }
        Ok(accepted)
    }

    /// The newest landings, as far back as they were decided before the machine's last restart.
    fn may_be_lost(&self, refname: &Refname, boot: &str) -> Result<Vec<Landing>, PastError> {
        let mut landings = self.recent_landings(refname, LOST_MAX)?;
        let mut kept = 0;
        for landing in &landings {
            if self.entry_by_number(landing.entry)?.common.boot == boot {
                break;
            }
            kept += 1;
        }
        landings.truncate(kept);
        Ok(landings)
    }
}

/// What Git has told the push about this ref: its own newest decision on it, and the word.
fn told(own: &OwnPush<'_>, refname: &Refname, accepted: &[Accepted]) -> Option<(u64, Told)> {
    let ours = accepted.iter().rev().find(|one| one.decision.session == *own.session)?;
    let updated =
        own.applied.iter().any(|(name, _, new)| name == refname && *new == ours.decision.new);
    let word = if updated { Told::Applied } else { Told::NotApplied };
    Some((ours.decision.entry, word))
}

/// Whether a process still runs: the same start time under the same id, in the same boot.
pub fn is_running(session: &SessionKey) -> bool {
    let Ok(stat) = std::fs::read(format!("/proc/{}/stat", session.pid)) else { return false };
    start_of(&stat) == Some(session.start)
}

/// The start time in a `/proc/PID/stat`: field 22, counted behind the last parenthesis, for a
/// program's name may hold anything.
pub fn start_of(stat: &[u8]) -> Option<u64> {
    let after = stat.iter().rposition(|&byte| byte == b')')?;
    let fields = std::str::from_utf8(stat.get(after + 1..)?).ok()?;
    // Field 3 is the first behind the name.
    fields.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

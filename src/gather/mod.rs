//! Repository and log -> Facts. Reads, never writes.
//!
//! One pass for each ref update. What no rule asks for is not looked at, so that a push to an
//! unprotected ref costs a look at what it brings and nothing else.

pub mod arrivals;
pub mod authorized;
pub mod birth;
pub mod candidates;
pub mod chain;
pub mod checks;
pub mod clashes;
pub mod clean;
pub mod content;
pub mod creation;
pub mod debts;
pub mod error;
pub mod held;
pub mod intake;
pub mod landing;
pub mod links;
pub mod makers;
pub mod merged;
pub mod motion;
pub mod owners;
pub mod provenance;
pub mod reader;
pub mod rejects;
pub mod rollback;
pub mod scene;
pub mod signatures;
pub mod source;
pub mod statements;
#[cfg(test)]
mod testing;
pub mod twins;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::landing::Landing;
use crate::facts::needs::{RefNeeds, RuleNeeds};
use crate::facts::{Facts, PushFacts, Target, UpdateFacts};
use crate::gather::error::GatherError;
use crate::gather::landing::landing;
use crate::gather::provenance::brought;
use crate::gather::scene::{Asked, Scene, Sources};
use crate::gather::twins::Twins;
use crate::names::digest::Digest;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::push::update::{Change, RefUpdate};
use crate::push::{Door, Push};
use crate::statement::place::Place;
use crate::store::objects::{HeadValue, Objects, RefValue};

/// Gathers what is so about a push. `needs` says, for a ref and the branch that HEAD names, what
/// the policy will ask of it.
pub fn facts(
    sources: &Sources<'_>,
    push: Push,
    needs: &dyn Fn(&Refname, Option<&Refname>) -> RefNeeds,
) -> Result<Facts, GatherError> {
    let default = default_branch(sources.objects)?;
    let asker = push.clone();
    let mut scene = Scene::new(sources, &asker, default.clone());
    let mut updates = Vec::with_capacity(push.updates.len());
    let twins = Twins::look(sources.objects, &push.updates)?;
    for update in &push.updates {
        let ref_needs = needs(&update.name, default.as_ref());
        updates.push((first_look(&mut scene, update, twins.as_ref())?, ref_needs));
    }
    let known = match push.door {
        // The quarantine tells what is new; the branches of genesis need not be read.
        Door::PreReceive => Vec::new(),
        Door::Update => {
            let values: Vec<Oid> = updates.iter().filter_map(|(u, _)| u.real).collect();
            scene.known_tips(&values)?
        }
    };
    for (facts, _) in &mut updates {
        if let Some(tip) = facts.target.commit() {
            facts.brought = brought(&scene.reader, &mut scene.provenance, tip, &known)?;
        }
    }
    carry_statements(&mut scene, &mut updates)?;
    let births = |(facts, needs): &(UpdateFacts, RefNeeds)| {
        needs.protected && matches!(facts.change, Change::Create { .. })
    };
    let birth = updates.iter().any(births) && is_birth(&scene, needs, default.as_ref())?;
    for (facts, ref_needs) in &mut updates {
        second_look(&mut scene, facts, ref_needs, birth)?;
    }
    let updates: Vec<UpdateFacts> = updates.into_iter().map(|(facts, _)| facts).collect();
    let push = PushFacts {
        repository: sources.repository.map(str::to_owned),
        default_branch: default,
        log_size: sources.past.size(),
        birth,
        push,
    };
    Ok(Facts { push, updates, before_genesis: scene.provenance.asked_of_git() })
}

/// The branch that HEAD names, born or not.
pub fn default_branch(objects: &dyn Objects) -> Result<Option<Refname>, GatherError> {
    Ok(match objects.head()? {
        HeadValue::Branch(name) => Some(name),
        HeadValue::Detached(_) | HeadValue::Unreadable => None,
    })
}

/// What an update is, before any rule's question: real value, alias, target, structure.
fn first_look(
    scene: &mut Scene<'_>,
    update: &RefUpdate,
    twins: Option<&Twins>,
) -> Result<UpdateFacts, GatherError> {
    let (real, alias_of) = match scene.reader.objects.read_ref(&update.name)? {
        RefValue::Absent => (None, None),
        RefValue::Direct(oid) => (Some(oid), None),
        RefValue::Symbolic(target) => (None, Some(target)),
    };
    Ok(UpdateFacts {
        alias_of,
        has_namesake: has_namesake(scene, update, real)?,
        has_twin: !update.new.is_zero() && twins.is_some_and(|twins| twins.has(&update.name)),
        ..UpdateFacts::unasked(update.clone(), real, scene.reader.target(&update.new)?)
    })
}

/// Whether a tag is made beside a branch of the same name or the other way round: Git would read the
/// name as the tag.
fn has_namesake(
    scene: &Scene<'_>,
    update: &RefUpdate,
    real: Option<Oid>,
) -> Result<bool, GatherError> {
    if real.is_some() || update.new.is_zero() {
        return Ok(false);
    }
    let other = match (update.name.tag(), update.name.branch()) {
        (Some(name), _) => Refname::parse(&[b"refs/heads/", name].concat()),
        (None, Some(name)) => Refname::parse(&[b"refs/tags/", name].concat()),
        (None, None) => None,
    };
    let Some(other) = other else { return Ok(false) };
    Ok(!matches!(scene.reader.objects.read_ref(&other)?, RefValue::Absent))
}

/// Statements of this push count for its other updates, so they are looked at before those.
fn carry_statements(
    scene: &mut Scene<'_>,
    updates: &mut [(UpdateFacts, RefNeeds)],
) -> Result<(), GatherError> {
    let places = updates.iter_mut().filter(|(u, _)| Place::is_reserved(&u.update.name));
    let mut carried = Vec::new();
    for (facts, _) in places {
        statements::look(scene, facts)?;
        if let Some(push) = facts.statement.as_ref().filter(|push| push.enters) {
            carried.push((facts.update.name.clone(), push.clone()));
        }
    }
    scene.carried = carried;
    Ok(())
}

/// What the rules that name a ref ask for.
fn second_look(
    scene: &mut Scene<'_>,
    facts: &mut UpdateFacts,
    needs: &RefNeeds,
    birth: bool,
) -> Result<(), GatherError> {
    if needs.drift {
        facts.drift = scene.past.drift(&facts.update.name)?;
    }
    // A target that cannot be judged is refused by its structure already.
    if facts.alias_of.is_some() || matches!(facts.target, Target::Missing | Target::Other) {
        return Ok(());
    }
    // A statement is looked at as one, be it a tag that leads to a commit.
    if Place::is_reserved(&facts.update.name) {
        return Ok(());
    }
    scene.reader.take_problems();
    if !needs.rules.is_empty() {
        facts.motion = motion::look(scene, facts)?;
    }
    let Some(end) = facts.target.commit() else { return Ok(()) };
    if !needs.rules.is_empty() {
        facts.debts = debts::look(&debts::Eye::of(scene), &facts.update.name, Some(end))?;
    }
    if birth && facts.is_born() && birth::is_unspoken(scene)? {
        look_at_birth(scene, facts, needs, end)?;
        facts.structure.extend(scene.reader.take_problems());
        return Ok(());
    }
    for rule in needs.rules.iter().filter(|rule| rule.needs.had_by.is_some()) {
        if let Some(patterns) = &rule.needs.had_by {
            let had = creation::refs_that_had(scene, patterns, &end)?;
            facts.had_by.extend(had);
        }
    }
    signatures::look(scene, facts, needs, end)?;
    intake::look(scene, facts, needs, end)?;
    arrivals::look(scene, facts, needs, end)?;
    landings(scene, facts, needs, end)?;
    if needs.protected && facts.landings.is_empty() {
        look_over(scene, facts, end)?;
    }
    facts.structure.extend(scene.reader.take_problems());
    Ok(())
}

/// What all rules that name a ref ask of a landing.
fn asked(needs: &RefNeeds) -> Asked {
    let mut asked = Asked { rollback: needs.rollback.clone(), ..Asked::default() };
    for rule in needs.rules.iter().filter(|rule| rule.needs.landing) {
        asked.reviewers.extend(rule.needs.reviewers.iter().cloned());
        asked.veto |= rule.needs.veto;
        asked.checkers.extend(rule.needs.checkers.iter().cloned());
        asked.content = asked.content.union(rule.needs.content);
        asked.links |= rule.needs.links;
        asked.clean_merge |= rule.needs.clean_merge;
        asked.gittuf |= rule.needs.gittuf;
    }
    asked
}

/// The landings that rules read, each from where its rule has it begin.
fn landings(
    scene: &mut Scene<'_>,
    facts: &mut UpdateFacts,
    needs: &RefNeeds,
    end: Oid,
) -> Result<(), GatherError> {
    let mut asked = asked(needs);
    let mut starts = Vec::new();
    for rule in needs.rules.iter().filter(|rule| rule.needs.landing) {
        let Some(start) = start(scene, facts, rule, end)? else { continue };
        if let Some(asks) = &rule.needs.owners {
            let file = Arc::new(owners::look(&scene.reader, start, asks)?);
            asked.owners.push(Arc::clone(&file));
            facts.owners_of_rule.push((rule.index, file));
        }
        starts.push((rule, start));
    }
    for (rule, start) in starts {
        let known = facts.landings.iter().position(|l| l.start == start);
        let at = match known {
            Some(at) => at,
            None => {
                let landing = land(scene, facts, start, end, &asked)?;
                facts.landings.push(landing);
                facts.landings.len() - 1
            }
        };
        facts.landing_of_rule.push((rule.index, at));
    }
    Ok(())
}

/// What lands on a branch that is born: `access` judges it, for the log and against hostile trees.
fn look_at_birth(
    scene: &mut Scene<'_>,
    facts: &mut UpdateFacts,
    needs: &RefNeeds,
    end: Oid,
) -> Result<(), GatherError> {
    let mut starts = BTreeSet::new();
    for rule in needs.rules.iter().filter(|rule| rule.needs.landing) {
        starts.extend(start(scene, facts, rule, end)?);
    }
    if starts.is_empty() && needs.protected {
        return look_over(scene, facts, end);
    }
    for start in starts {
        birth::look(scene, start, end, facts.born.get_or_insert_default())?;
    }
    Ok(())
}

/// What a rule judges a landing from. `None`: nothing lands; `Some(None)`: the empty tree.
fn start(
    scene: &mut Scene<'_>,
    facts: &UpdateFacts,
    rule: &RuleNeeds,
    end: Oid,
) -> Result<Option<Option<Oid>>, GatherError> {
    Ok(match facts.change {
        Change::Create { .. } => {
            Some(creation::start(scene, &facts.update.name, &rule.starts, end)?)
        }
        Change::Move { old, .. } => scene.reader.peel_commit(&old)?.map(Some),
        Change::Delete { .. } | Change::Nothing => None,
    })
}

/// The trees that come to a protected ref of which no rule asks what lands there.
fn look_over(scene: &Scene<'_>, facts: &UpdateFacts, end: Oid) -> Result<(), GatherError> {
    let old = match facts.change {
        Change::Move { old, .. } => scene.reader.peel_commit(&old)?,
        Change::Create { .. } => None,
        Change::Delete { .. } | Change::Nothing => return Ok(()),
    };
    let arriving = match old {
        Some(old) => scene.reader.arriving(&[end], &[old])?,
        None => {
            let brought = facts.brought.iter().map(|oid| Ok((*oid, scene.reader.commit(oid)?)));
            brought.collect::<Result<Vec<_>, GatherError>>()?
        }
    };
    scene.reader.look_over(arriving.iter().map(|(oid, commit)| (*oid, &**commit)))
}

fn land(
    scene: &mut Scene<'_>,
    facts: &UpdateFacts,
    start: Option<Oid>,
    end: Oid,
    asked: &Asked,
) -> Result<Landing, GatherError> {
    if motion::is_known_rewind(facts.motion.as_ref()) {
        return Ok(Landing {
            start,
            end,
            off_chain: true,
            segments: Vec::new(),
            whole: None,
            authorized: None,
        });
    }
    let mut used: BTreeSet<Digest> = BTreeSet::new();
    let mut landing = landing(scene, &facts.update.name, start, end, asked, &mut used)?;
    if asked.gittuf {
        landing.authorized = authorized::look(scene, facts, &landing)?;
    }
    Ok(landing)
}

/// Whether no protected branch has ever had a value.
fn is_birth(
    scene: &Scene<'_>,
    needs: &dyn Fn(&Refname, Option<&Refname>) -> RefNeeds,
    default: Option<&Refname>,
) -> Result<bool, GatherError> {
    Ok(!scene.past.any_branch_ever(&|name| needs(name, default).protected)?)
}

//! Questions: a push to `refs/portcullis/ask/**` with push option `ask` is answered and never
//! accepted (product contract, section 2, "Asking").
//!
//! What is looked at, and how it is judged, stands in `asked` and `reply`.

use std::collections::BTreeSet;

use crate::answer::{ANSWER_BYTES_MAX, ASK_OPTION, ASK_REFS, Answer as Wire, JSON_OPTION};
use crate::hook::answer::Answer;
use crate::hook::asked::Question;
use crate::hook::bench::{Bench, Input};
use crate::hook::fault::Stop;
use crate::hook::reply::judged;
use crate::hook::world::World;
use crate::hook::{debts, hidden, record, redact, who};
use crate::log::entry::{Asked, Record};
use crate::log::wire::{AsText, Text};
use crate::message::reader::Reader;
use crate::message::review;
use crate::names::refname::Refname;
use crate::push::Seen;
use crate::push::update::RefUpdate;

/// The question that a push asks, when it is one: a single update of an asking ref, and the option.
pub fn question(updates: &[RefUpdate], options: &Seen<Vec<Vec<u8>>>) -> Option<Question> {
    let [update] = updates else { return None };
    let Seen::All(options) = options else { return None };
    let has = |word: &str| options.iter().any(|option| option == word.as_bytes());
    let rest = update.name.as_bytes().strip_prefix(ASK_REFS.as_bytes())?;
    if !has(ASK_OPTION) || update.new.is_zero() {
        return None;
    }
    let name = Refname::parse(&[b"refs/", rest].concat())?;
    Some(Question { name, commit: update.new, json: has(JSON_OPTION) })
}

/// Answers a question from a push.
pub fn answer(
    world: &World,
    bench: &mut Bench,
    input: &Input<'_>,
    question: Question,
) -> Result<Answer, Stop> {
    hidden::refuse(world, [&question.name])?;
    let pusher = who::pusher(input.env, &bench.policy, &bench.certificate);
    let names: BTreeSet<Refname> = std::iter::once(question.name.clone()).collect();
    bench.log.settle(world, &names, None, &bench.ctx)?;
    debts::settle(world, &mut bench.log, &bench.policy, &names, &bench.ctx)?;
    let wire = judged(world, bench, &pusher, &question)?;
    let verdict = match review::refused(&wire) {
        0 => crate::log::decision::Verdict::Accept,
        _ => crate::log::decision::Verdict::Refuse,
    };
    let asked = Record::Asked(Asked {
        actor: record::actor(&pusher),
        refname: Text(question.name.as_bytes().to_vec()),
        commit: AsText(question.commit),
        verdict,
        dur_us: u64::try_from(bench.began.elapsed().as_micros()).unwrap_or(u64::MAX),
    });
    let mut asked = [asked];
    redact::records(&mut asked, bench.policy.log.redact, &world.log_dir())?;
    bench.log.note(&asked, &bench.ctx, None)?;
    let text = if question.json { line(wire)? } else { plain(&wire) };
    Ok(Answer::asked(text.trim_end().to_owned() + "\n"))
}

/// The answer for a client of ours. What only makes it nicer goes first where it is too long.
fn line(mut wire: Wire) -> Result<String, Stop> {
    let written = |wire: &Wire| {
        wire.to_line().map_err(|error| Stop::fault("the answer could not be written", &error))
    };
    let whole = written(&wire)?;
    if whole.len() <= ANSWER_BYTES_MAX {
        return Ok(whole);
    }
    for rule in &mut wire.rules {
        rule.reviewers.clear();
        rule.missing.iter_mut().for_each(|missing| missing.from.truncate(FROM_TOLD_MIN));
    }
    written(&wire)
}

/// How many people who could approve are named in an answer that would be too long otherwise.
const FROM_TOLD_MIN: usize = 20;

/// The answer for a person's eyes, where no client of ours reads it.
fn plain(wire: &Wire) -> String {
    let reader = Reader { asked: "", ..Reader::of_remote("origin") };
    let mut lines = review::whole(wire, &reader);
    lines.extend(["".to_owned(), "this was a question, so nothing was stored".to_owned()]);
    lines.join("\n")
}

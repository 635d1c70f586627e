//! More evidence never hurts, less never helps, and nobody gains by having made more.
//!
//! All of it follows from what counts as evidence (product contract, section 5); these tests know
//! nothing of how the rules find out.

use portcullis::facts::evidence::Candidate;
use portcullis::facts::landing::Step;
use portcullis::facts::makers::MakerBy;
use portcullis::judge::judge;
use portcullis::policy::Policy;
use portcullis::statement::fields::{ApprovalVerdict, CheckVerdict};
use portcullis::verdict::Verdict;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::any::{Lands, approving, checking, lands, rules};
use crate::made::{PEOPLE, name, oid, policy, push, update};

/// Several landings for one policy, since a policy takes longer to compile than to judge by.
fn worlds() -> impl Strategy<Value = Vec<(Lands, Index)>> {
    vec((lands(), any::<Index>()), 12)
}

fn verdict(policy: &Policy, lands: &Lands) -> Verdict {
    let Lands { segments, whole } = lands.clone();
    judge(policy, &push(vec![update(policy, "main", segments, whole)])).verdict()
}

const HELPED: (Verdict, Verdict) = (Verdict::Refuse, Verdict::Accept);
const HURT: (Verdict, Verdict) = (Verdict::Accept, Verdict::Refuse);

/// What is done to one step of each world must never have this effect.
fn never(
    effect: (Verdict, Verdict),
    rules: &[String],
    worlds: &[(Lands, Index)],
    done: impl Fn(&mut Step),
) -> Result<(), TestCaseError> {
    let policy = policy(&rules.concat());
    for (lands, at) in worlds {
        let mut changed = lands.clone();
        let mut steps = changed.steps();
        let at = at.index(steps.len());
        done(steps[at]);
        prop_assert_ne!((verdict(&policy, lands), verdict(&policy, &changed)), effect);
    }
    Ok(())
}

/// The same for another policy.
fn never_by_rules(
    effect: (Verdict, Verdict),
    rules: &str,
    other: &str,
    worlds: &[(Lands, Index)],
) -> Result<(), TestCaseError> {
    let (policy, other) = (policy(rules), policy(other));
    for (lands, _) in worlds {
        prop_assert_ne!((verdict(&policy, lands), verdict(&other, lands)), effect);
    }
    Ok(())
}

/// Takes one of those out that are meant, if there is any.
fn take_out(list: &mut Vec<Candidate>, which: Index, meant: impl Fn(&Candidate) -> bool) {
    let places: Vec<usize> = (0..list.len()).filter(|at| meant(&list[*at])).collect();
    if !places.is_empty() {
        list.remove(*which.get(&places));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn one_more_good_word_never_refuses_what_was_accepted(
        rules in rules(), worlds in worlds(), person in approving(), machine in checking(),
    ) {
        let (person, machine) = (person.for_it(), machine.for_it());
        never(HURT, &rules, &worlds, |step| step.candidates.push(person.about(step)))?;
        never(HURT, &rules, &worlds, |step| step.checks.push(machine.about(step)))?;
    }

    #[test]
    fn one_good_word_less_never_accepts_what_was_refused(
        rules in rules(), worlds in worlds(), which: Index,
    ) {
        let approve = |it: &Candidate| it.verdict() == Some(ApprovalVerdict::Approve);
        let pass = |it: &Candidate| it.checked().is_some_and(|(_, it)| it == CheckVerdict::Pass);
        never(HELPED, &rules, &worlds, |step| take_out(&mut step.candidates, which, approve))?;
        never(HELPED, &rules, &worlds, |step| take_out(&mut step.checks, which, pass))?;
    }

    #[test]
    fn one_more_word_against_it_never_accepts_what_was_refused(
        rules in rules(), worlds in worlds(), person in approving(), machine in checking(),
    ) {
        let (person, machine) = (person.against_it(), machine.against_it());
        never(HELPED, &rules, &worlds, |step| step.candidates.push(person.about(step)))?;
        never(HELPED, &rules, &worlds, |step| step.checks.push(machine.about(step)))?;
    }

    #[test]
    fn one_more_maker_never_accepts_what_was_refused(
        rules in rules(), worlds in worlds(), maker in select(PEOPLE.to_vec()),
    ) {
        let unknown = Some((oid(3), "was brought by nobody on record"));
        never(HELPED, &rules, &worlds, |step| {
            step.makers.add(&name(maker), MakerBy::Author, oid(3));
        })?;
        never(HELPED, &rules, &worlds, |step| step.makers.unknown = unknown)?;
    }

    #[test]
    fn one_more_rule_never_accepts_what_was_refused(
        few in rules(), more in rules(), worlds in worlds(),
    ) {
        let more: Vec<String> = more.iter().map(|rule| rule.replace("[rule.r", "[rule.s")).collect();
        let few = few.concat();
        never_by_rules(HELPED, &few, &(few.clone() + &more.concat()), &worlds)?;
    }

    #[test]
    fn to_ask_for_more_never_accepts_what_was_refused(rules in rules(), worlds in worlds()) {
        let loose = rules.concat();
        for (from, to) in [
            ("max-age = \"36h\"", "max-age = \"12h\""),
            ("fresh = false", "fresh = true"),
            ("veto = false", "veto = true"),
            ("checks = [\"plan\"]", "checks = [\"plan\", \"test\"]"),
        ] {
            let strict = loose.replace(from, to);
            if strict != loose {
                never_by_rules(HELPED, &loose, &strict, &worlds)?;
            }
        }
    }
}

#[test]
fn both_answers_are_common() {
    let mut runner = TestRunner::deterministic();
    let verdicts = (0..100).map(|_| {
        let rules = rules().new_tree(&mut runner).unwrap().current();
        let lands = lands().new_tree(&mut runner).unwrap().current();
        verdict(&policy(&rules.concat()), &lands)
    });
    let accepted = verdicts.filter(|verdict| *verdict == Verdict::Accept).count();
    assert!((15..85).contains(&accepted), "{accepted} of 100");
}

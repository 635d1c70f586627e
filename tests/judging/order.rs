//! The order in which evidence, rules and refs happen to come changes no answer.

use portcullis::judge::judge;
use portcullis::policy::Policy;
use portcullis::verdict::{Judgement, RefJudgement, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::any::{Lands, lands, rules};
use crate::made::{policy, push, update};

/// The name of a ref, the verdict on it, and each rule that objects with its words.
type Said = (Vec<u8>, Verdict, Vec<(String, String)>);

/// What was answered to one ref: its name, the verdict, and each rule that objects, in its own words.
fn answer(one: &RefJudgement) -> Said {
    let name = one.update.name.as_bytes().to_vec();
    let findings = one.findings.iter();
    let mut objections: Vec<(String, String)> =
        findings.map(|f| (f.rule.name().to_owned(), f.objection.what.show())).collect();
    objections.sort();
    (name, one.verdict(), objections)
}

fn answers(judgement: &Judgement) -> Vec<Said> {
    let mut all: Vec<_> = judgement.refs.iter().map(answer).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn judged(policy: &Policy, lands: &[(&str, Lands)]) -> Judgement {
    let updates = lands.iter().map(|(name, lands)| {
        let Lands { segments, whole } = lands.clone();
        update(policy, name, segments, whole)
    });
    judge(policy, &push(updates.collect()))
}

/// The same with all evidence of each step the other way round and turned by some places.
fn turned(lands: &Lands, places: usize) -> Lands {
    let mut other = lands.clone();
    for step in other.steps() {
        for list in [&mut step.candidates, &mut step.checks] {
            list.reverse();
            let by = places.checked_rem(list.len()).unwrap_or(0);
            list.rotate_left(by);
        }
    }
    other
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn evidence_in_any_order_is_the_same_evidence(
        rules in rules(), worlds in vec(lands(), 12), places in 0usize..6,
    ) {
        let policy = policy(&rules.concat());
        // Whom an objection names first may differ.
        let verdicts = |lands| {
            let judgement = judged(&policy, &[("main", lands)]);
            let rules = judgement.refs[0].findings.iter().map(|f| f.rule.name().to_owned());
            (judgement.verdict(), rules.collect::<Vec<String>>())
        };
        for lands in worlds {
            let other = turned(&lands, places);
            prop_assert_eq!(verdicts(lands), verdicts(other));
        }
    }

    #[test]
    fn rules_in_any_order_are_the_same_policy(
        rules in vec(rules(), 1..3), worlds in vec(lands(), 12), places in 0usize..4,
    ) {
        let number = |(at, some): (usize, Vec<String>)| {
            some.into_iter().map(move |rule| rule.replace("[rule.r", &format!("[rule.r{at}-")))
        };
        let rules: Vec<String> = rules.into_iter().enumerate().flat_map(number).collect();
        let mut other = rules.clone();
        other.reverse();
        let by = places % other.len();
        other.rotate_left(by);
        let (one, other) = (policy(&rules.concat()), policy(&other.concat()));
        for lands in worlds {
            let lands = [("main", lands)];
            prop_assert_eq!(answers(&judged(&one, &lands)), answers(&judged(&other, &lands)));
        }
    }

    #[test]
    fn refs_of_one_push_are_answered_each_for_itself(
        rules in rules(), main in lands(), next in lands(), free in lands(),
    ) {
        let policy = policy(&rules.concat());
        let mut all = vec![("main", main), ("next", next), ("free", free)];
        let together = judged(&policy, &all);
        let mut alone: Vec<_> =
            all.iter().flat_map(|one| answers(&judged(&policy, std::slice::from_ref(one)))).collect();
        alone.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(answers(&together), alone.clone());
        let refused = alone.iter().any(|(_, verdict, _)| *verdict == Verdict::Refuse);
        prop_assert_eq!(together.verdict() == Verdict::Refuse, refused);
        all.reverse();
        let turned = judged(&policy, &all);
        prop_assert_eq!(answers(&turned), alone);
        prop_assert_eq!(turned.verdict(), together.verdict());
    }
}

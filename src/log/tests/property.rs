//! Answers through the index are those of somebody who reads the whole log each time.

use std::collections::BTreeMap;

use proptest::prelude::{ProptestConfig, Strategy, any, prop};
use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};

use crate::facts::past::{Brought, Past as _, StatementState};
use crate::log::decision::Verdict;
use crate::log::entry::{Record, State};
use crate::log::line::{read, self_hash};
use crate::log::look::RECENT_MAX;
use crate::log::read::{Entries, Filter};
use crate::log::tests::support::{
    Bench, append, at, ctx, decides, decision_of, digest, moves, name, oid, outcome, refuses, zero,
};
use crate::log::wire::AsText;
use crate::names::oid::Oid;

const REFS: [&str; 3] = ["refs/heads/main", "refs/heads/topic", "refs/tags/v1"];

#[derive(Clone, Debug)]
enum Event {
    Decide { refname: usize, old: u64, new: u64, used: u64, yes: bool },
    Outcome { back: u64, state: u8 },
}

fn event() -> impl Strategy<Value = Event> {
    let decide = (0..3usize, 0..5u64, 1..5u64, 0..4u64, any::<bool>())
        .prop_map(|(refname, old, new, used, yes)| Event::Decide { refname, old, new, used, yes });
    let outcome = (0..6u64, 0..3u8).prop_map(|(back, state)| Event::Outcome { back, state });
    prop_oneof![decide, outcome]
}

fn value(number: u64) -> Oid {
    if number == 0 { zero() } else { oid(number) }
}

/// What a reader of the whole log knows.
#[derive(Default)]
struct Naive {
    /// Accepted or not, ref, old, new, statement used.
    decisions: BTreeMap<u64, (bool, usize, u64, u64, u64)>,
    fates: BTreeMap<u64, State>,
    values: BTreeMap<usize, u64>,
    had: BTreeMap<(usize, u64), u64>,
}

impl Naive {
    fn brought(&self, commit: u64) -> Option<(bool, u64)> {
        let mut claims = self.decisions.iter().filter(|(_, it)| it.3 == commit);
        let applied =
            claims.clone().find(|(seq, _)| self.fates.get(seq).is_some_and(|fate| fate.had()));
        applied.map(|(seq, _)| (true, *seq)).or_else(|| claims.next().map(|(seq, _)| (false, *seq)))
    }

    fn is_open(&self, seq: u64) -> bool {
        self.decisions[&seq].0 && !self.fates.contains_key(&seq)
    }

    fn used(&self, statement: u64) -> Option<u64> {
        let uses = self.decisions.iter().rev().filter(|(_, it)| it.0 && it.4 == statement);
        let mut counts = uses.filter(|(seq, _)| self.fates.get(seq) != Some(&State::NotApplied));
        counts.next().map(|(seq, _)| *seq)
    }
}

fn play(bench: &Bench, events: &[Event]) -> Naive {
    let mut log = bench.open();
    let mut naive = Naive::default();
    for event in events {
        let seq = log.size();
        let record = match *event {
            Event::Decide { refname, old, new, used, yes } => {
                naive.decisions.insert(seq, (yes, refname, old, new, used));
                let mut one = moves(REFS[refname], value(old), value(new));
                one.uses = vec![AsText(digest(used))];
                let decision = decision_of("alice", vec![one.clone()]);
                if yes { Record::Decision(Box::new(decision)) } else { refuses("alice", vec![one]) }
            }
            Event::Outcome { back, state } => {
                let open = naive.decisions.keys().rev().copied().filter(|it| naive.is_open(*it));
                let Some(of) = open.take(usize::try_from(back).unwrap() + 1).last() else {
                    continue;
                };
                let (_, refname, old, new, _) = naive.decisions[&of];
                let state =
                    [State::Applied, State::NotApplied, State::Superseded][usize::from(state)];
                naive.fates.insert(of, state);
                if state == State::Applied {
                    naive.values.insert(refname, new);
                }
                if state.had() {
                    naive.had.insert((refname, new), of);
                }
                outcome(of, REFS[refname], value(old), value(new), state)
            }
        };
        let done = log.note(&[record], &ctx(i64::try_from(seq).unwrap()), None);
        assert_eq!(done.unwrap(), None);
    }
    naive
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_index_answers_like_a_reader_of_everything(
        events in prop::collection::vec(event(), 0..180)
    ) {
        let bench = Bench::with(&[]);
        let naive = play(&bench, &events);
        let log = bench.open();
        for (place, text) in REFS.iter().enumerate() {
            let refname = name(text);
            let logged = log.value(&refname).unwrap().map(|it| it.oid);
            prop_assert_eq!(logged, naive.values.get(&place).map(|it| value(*it)));
            for new in 1..5 {
                let had = log.had(&refname, &value(new)).unwrap();
                prop_assert_eq!(had, naive.had.get(&(place, new)).copied());
            }
            let open: Vec<u64> = log.open_on(&refname).unwrap().iter().map(|it| it.entry).collect();
            // Only the newest are looked at; as many are made here at most.
            let mut of_ref: Vec<u64> = naive
                .decisions
                .iter()
                .filter(|(_, it)| it.0 && it.1 == place)
                .map(|(seq, _)| *seq)
                .rev()
                .take(RECENT_MAX)
                .collect();
            of_ref.retain(|seq| naive.is_open(*seq));
            prop_assert_eq!(open, of_ref);
        }
        for commit in 1..5 {
            let answer = match log.brought(&value(commit)).unwrap() {
                Brought::Applied { entry, .. } => Some((true, entry)),
                Brought::Claimed(_) => Some((false, naive.brought(commit).unwrap().1)),
                Brought::BeforeGenesis | Brought::Nobody => None,
            };
            prop_assert_eq!(answer, naive.brought(commit));
        }
        for statement in 0..4 {
            let used = match log.statement(&digest(statement)).unwrap() {
                StatementState::Used { entry } => Some(entry),
                StatementState::Unseen => None,
                other @ (StatementState::Seen { .. }
                | StatementState::Replaced { .. }
                | StatementState::Revoked { .. }) => panic!("nobody gave it: {other:?}"),
            };
            prop_assert_eq!(used, naive.used(statement));
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_entry_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read(&bytes).is_err());
        prop_assert!(self_hash(&bytes).is_err());
        let _ = crate::log::keys::keys_of(&bytes);
        let _ = crate::log::manifest::Manifest::read(&bytes);
        let _ = crate::log::listed::lines_of::<crate::names::oid::Oid>(&bytes);
        let _ = crate::log::settle::start_of(&bytes);
    }
}

#[test]
fn filters_choose_what_they_name() {
    let bench = Bench::new();
    let mut log = bench.open();
    let _ = append(&mut log, decides("alice", vec![moves(REFS[0], oid(1), oid(2))]), 1);
    let _ = append(&mut log, refuses("bob", vec![moves(REFS[1], zero(), oid(3))]), 2);
    let _ = append(&mut log, outcome(1, REFS[0], oid(1), oid(2), State::Applied), 3);
    let numbers = |filter: Filter| -> Vec<u64> {
        let last = Entries::open(&bench.dir, filter).unwrap().last(10).unwrap();
        last.iter().map(|found| found.entry.common.seq).collect()
    };
    let none = Filter::default;
    let verdict = Some(Verdict::Refuse);
    assert_eq!(numbers(none()), [0, 1, 2, 3]);
    assert_eq!(numbers(Filter { refname: Some(b"main".to_vec()), ..none() }), [1, 3]);
    assert_eq!(numbers(Filter { by: Some(b"bob".to_vec()), ..none() }), [2]);
    assert_eq!(numbers(Filter { verdict, ..none() }), [2]);
    assert_eq!(numbers(Filter { path: Some(b"infra".to_vec()), ..none() }), [1, 2]);
    assert_eq!(numbers(Filter { path: Some(b"inf".to_vec()), ..none() }), [0u64; 0]);
    assert_eq!(numbers(Filter { since: Some(at(2)), until: Some(at(3)), ..none() }), [2]);
    let newest = Entries::open(&bench.dir, none()).unwrap().last(1).unwrap();
    assert_eq!(newest[0].entry.common.seq, 3);
}

//! A birth keeps for the log what a landing that is judged keeps.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use crate::facts::born::Born;
use crate::facts::landing::{Landing, StepKind};
use crate::gather::birth;
use crate::gather::testing::{Files, Town};
use crate::names::oid::{ObjectFormat, Oid};

const ONE: Files<'_> = &[("app", "1\n")];
const TWO: Files<'_> = &[("app", "1\n"), ("infra", "1\n")];
const SIDE: Files<'_> = &[("app", "2\n")];
const BOTH: Files<'_> = &[("app", "2\n"), ("infra", "1\n")];
const LAST: Files<'_> = &[("app", "2\n"), ("infra", "1\n"), ("late", "1\n")];

/// What the log keeps of a landing that was judged.
fn of(landing: &Landing) -> Born {
    let changes = landing.steps().flat_map(|step| step.delta.changes());
    Born {
        commits: 0,
        paths: changes.map(|change| change.path.clone()).collect(),
        digests: landing.steps().flat_map(|step| step.digests.clone()).collect(),
    }
}

fn born(town: &Town, start: Option<Oid>, end: Oid) -> Born {
    let mut born = Born::default();
    town.scene("alice", |scene| birth::look(scene, start, end, &mut born).unwrap());
    born
}

/// A run of two, a merge of a side branch, a run of one.
fn history(town: &Town) -> (Oid, Oid) {
    let first = town.commit("alice", ONE, &[], "first");
    let second = town.commit("alice", TWO, &[first], "second");
    let side = town.commit("bob", SIDE, &[first], "side");
    let merge = town.commit("alice", BOTH, &[second, side], "merge");
    (merge, town.commit("carol", LAST, &[merge], "last"))
}

#[test]
fn what_is_born_is_kept_as_if_it_had_been_judged() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let mut town = Town::new(format, ONE);
        let (merge, last) = history(&town);
        for end in [merge, last] {
            let judged = town.land_from("alice", None, end);
            let kinds: Vec<StepKind> = judged.segments.iter().map(|s| s.whole.kind).collect();
            assert_eq!(kinds[..2], [StepKind::Run, StepKind::Merge]);
            assert_eq!(judged.segments[0].each.len(), 2);
            let commits = if end == merge { 4 } else { 5 };
            assert_eq!(born(&town, None, end), Born { commits, ..of(&judged) });
        }
        // What was there before may be read as one step as well.
        let fresh = born(&town, None, last);
        town.brought("alice", &[last]);
        let judged = town.land_from("alice", None, last);
        assert!(judged.whole.is_some());
        let there = born(&town, None, last);
        assert_eq!(there, Born { commits: 5, ..of(&judged) });
        assert_eq!(there.digests.difference(&fresh.digests).count(), 1);
    }
}

#[test]
fn a_birth_from_a_start_beside_its_chain_is_one_step() {
    let town = Town::new(ObjectFormat::Sha1, ONE);
    let (_, last) = history(&town);
    let elsewhere = town.commit("bob", TWO, &[], "elsewhere");
    let judged = town.land_from("alice", Some(elsewhere), last);
    assert!(judged.off_chain);
    assert_eq!(born(&town, Some(elsewhere), last), Born { commits: 5, ..of(&judged) });
}

#[test]
fn hostile_trees_of_side_branches_are_seen_by_a_birth_too() {
    let town = Town::new(ObjectFormat::Sha1, ONE);
    let (scratch, first) = (&town.scratch, town.commit("alice", ONE, &[], "first"));
    let blob = scratch.blob("x").hex();
    // Twice the same name: Git shows one of them, and which one depends on the program.
    let entry = |name: &str| {
        let oid: Vec<u8> =
            (0..20).map(|at| u8::from_str_radix(&blob[2 * at..][..2], 16).unwrap()).collect();
        [format!("100644 {name}\0").into_bytes(), oid].concat()
    };
    let twice = scratch
        .write(crate::store::objects::ObjectKind::Tree, &[entry("app"), entry("app")].concat());
    let who = "bob <bob@example.org> 5 +0000";
    let raw = format!("tree {twice}\nparent {first}\nauthor {who}\ncommitter {who}\n\nside\n");
    let side = scratch.write(crate::store::objects::ObjectKind::Commit, raw.as_bytes());
    let merge = town.commit("alice", ONE, &[first, side], "merge");
    for (end, problems) in [(first, 0), (merge, 1)] {
        let found = town.scene("alice", |scene| {
            birth::look(scene, None, end, &mut Born::default()).unwrap();
            scene.reader.take_problems()
        });
        assert_eq!(found.len(), problems, "{found:?}");
        let names: BTreeSet<&str> = found.iter().map(|problem| problem.name).collect();
        assert!(names.iter().all(|name| *name == "hostile-tree"));
    }
}

#[test]
fn where_somebody_has_spoken_a_birth_is_looked_at_as_any_landing() {
    let town = Town::new(ObjectFormat::Sha1, ONE);
    let unspoken = |town: &Town| town.scene("alice", |scene| birth::is_unspoken(scene).unwrap());
    assert!(unspoken(&town));
    for space in ["approvals", "checks"] {
        let place = format!("refs/{space}/key/bob");
        town.scratch.git(&["update-ref", &place, &town.base.hex()]);
        assert!(!unspoken(&town), "{place}");
        town.scratch.git(&["update-ref", "-d", &place]);
    }
    town.scratch.git(&["update-ref", "refs/approvals-of-old/x", &town.base.hex()]);
    assert!(unspoken(&town));
    // What comes in the same push is there too.
    let mut town = town;
    let topic = town.topic("alice", TWO);
    town.approves("bob", town.base, topic);
    assert!(!unspoken(&town));
}

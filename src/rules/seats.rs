//! Who sits where: enough distinct people for every seat, nobody on two.

use std::collections::VecDeque;

use crate::names::principal::PrincipalName;
use crate::roster::party::Party;

/// A demand of a rule: so many people out of these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seat {
    /// How many distinct people.
    pub approvals: usize,
    /// Who may sit there.
    pub from: Party,
}

/// How many people at the most can sit, one chair each, when every seat has `extra` chairs more
/// than it asks for; and for each chair, in the order of the seats, who sits there.
///
/// Augmenting paths (Kuhn), searched breadth first: no recursion, and as many steps as chairs
/// times people.
pub fn seat_people<'p>(
    seats: &[Seat],
    extra: usize,
    people: &[&'p PrincipalName],
) -> Vec<Option<&'p PrincipalName>> {
    let chairs: Vec<&Seat> = seats
        .iter()
        .flat_map(|s| std::iter::repeat_n(s, s.approvals.saturating_add(extra)))
        .collect();
    let mut sits: Vec<Option<usize>> = vec![None; chairs.len()];
    for person in 0..people.len() {
        // Whoever comes to a full bench changes nothing.
        if sits.iter().all(Option::is_some) {
            break;
        }
        augment(&chairs, people, &mut sits, person);
    }
    sits.into_iter().map(|person| person.map(|p| people[p])).collect()
}

/// Finds a chair for one more person, moving others to other chairs they may take.
fn augment(
    chairs: &[&Seat],
    people: &[&PrincipalName],
    sits: &mut [Option<usize>],
    newcomer: usize,
) {
    let mut reached_from: Vec<Option<usize>> = vec![None; chairs.len()];
    let mut seen = vec![false; chairs.len()];
    let mut queue = VecDeque::from([(newcomer, None)]);
    while let Some((person, left)) = queue.pop_front() {
        for chair in 0..chairs.len() {
            if seen[chair] || !chairs[chair].from.contains(people[person]) {
                continue;
            }
            seen[chair] = true;
            reached_from[chair] = left;
            match sits[chair] {
                Some(other) => queue.push_back((other, Some(chair))),
                None => return shift(sits, &reached_from, chair, newcomer),
            }
        }
    }
}

/// Moves everyone along the path to the free chair one chair on, and the newcomer to its start.
fn shift(sits: &mut [Option<usize>], from: &[Option<usize>], free: usize, newcomer: usize) {
    let mut chair = free;
    while let Some(previous) = from[chair] {
        sits[chair] = sits[previous];
        chair = previous;
    }
    sits[chair] = Some(newcomer);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "names in tests are well-formed")]
mod tests {
    use super::{Seat, seat_people};
    use crate::names::principal::PrincipalName;
    use crate::roster::party::Party;

    fn names(of: &[&str]) -> Vec<PrincipalName> {
        of.iter().map(|n| PrincipalName::parse(n).unwrap()).collect()
    }

    fn seated(seats: &[(usize, &[&str])], extra: usize, people: &[&str]) -> usize {
        let seats: Vec<Seat> = seats
            .iter()
            .map(|(n, from)| Seat {
                approvals: *n,
                from: Party { names: names(from).into_iter().collect(), written: Vec::new() },
            })
            .collect();
        let people = names(people);
        let people: Vec<&PrincipalName> = people.iter().collect();
        seat_people(&seats, extra, &people).into_iter().flatten().count()
    }

    #[test]
    fn one_person_sits_once() {
        assert_eq!(seated(&[(1, &["a"]), (1, &["a"])], 0, &["a"]), 1);
    }

    #[test]
    fn people_move_over_so_that_all_can_sit() {
        let seats: &[(usize, &[&str])] = &[(1, &["a", "b"]), (1, &["a"])];
        assert_eq!(seated(seats, 0, &["a", "b"]), 2);
        assert_eq!(seated(seats, 0, &["b", "a"]), 2);
    }

    #[test]
    fn a_long_chain_of_moves_is_found() {
        let seats: &[(usize, &[&str])] = &[(1, &["a", "b"]), (1, &["b", "c"]), (1, &["c", "d"])];
        assert_eq!(seated(seats, 0, &["b", "c", "d"]), 3);
        assert_eq!(seated(seats, 0, &["d", "c", "b"]), 3);
        assert_eq!(seated(seats, 0, &["a", "b"]), 2);
    }

    #[test]
    fn an_unknown_maker_costs_one_chair_more_in_every_seat() {
        let seats: &[(usize, &[&str])] = &[(1, &["a", "b"]), (1, &["c", "d"])];
        assert_eq!(seated(seats, 1, &["a", "b", "c"]), 3);
        assert_eq!(seated(seats, 1, &["a", "b", "c", "d"]), 4);
    }
}

//! What the rules would have said, counted.

use std::collections::BTreeMap;

use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::replay::chain::Shape;
use crate::verdict::finding::{Finding, Level, Missing, RuleRef};
use crate::verdict::line::Line;

/// How many examples of each rule are kept.
pub const EXAMPLES_MAX: usize = 3;

/// A step, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its place in the history, oldest first.
    pub place: usize,
    /// The commit it ends at.
    pub commit: Oid,
    /// The commit's subject; empty when the commit cannot be read.
    pub subject: Vec<u8>,
    /// The committer's date.
    pub when: Moment,
    /// What it is.
    pub shape: Shape,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// All that replaying a branch's history told.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The branch.
    pub refname: Refname,
    /// The value it ended at.
    pub tip: Oid,
    /// How many steps were judged, by their shape.
    pub shapes: Shapes,
    /// The dates of the oldest and the newest step.
    pub dates: Option<(Moment, Moment)>,
    /// Steps that some rule would have refused.
    pub refused: usize,
    /// Those steps, by the commit each ends at, oldest first.
    pub refusals: Vec<Oid>,
    /// Steps that would have landed with a warning.
    pub warned: usize,
    /// The rules, in the order of the policy, then what is asked without a rule and was found.
    pub rules: Vec<RuleTally>,
    /// Rules that are about other refs.
    pub elsewhere: Vec<RuleRef>,
    /// Rules that ask what history does not tell, such as who pushed.
    pub untold: Vec<RuleRef>,
}

/// How many steps there are of each shape.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Shapes {
    /// Merges.
    pub merges: usize,
    /// Commits with one parent.
    pub direct: usize,
    /// Commits with none: the branch's beginning.
    pub first: usize,
}

impl Shapes {
    /// All of them.
    pub const fn all(self) -> usize {
        self.merges + self.direct + self.first
    }

    fn add(&mut self, shape: Shape) {
        match shape {
            Shape::Merge => self.merges += 1,
            Shape::Direct => self.direct += 1,
            Shape::First => self.first += 1,
        }
    }
}

/// What one rule would have said.
#[derive(Clone, Debug)]
pub struct RuleTally {
    /// The rule.
    pub rule: RuleRef,
    /// What its objections weigh.
    pub level: Level,
    /// The steps it objects to, by their shape.
    pub steps: Shapes,
    /// The approvals that were missing, and at how many of the steps.
    pub needed: Vec<(Missing, usize)>,
    /// The oldest steps it objects to.
    pub examples: Vec<Example>,
}

/// A step that a rule objects to.
#[derive(Clone, Debug)]
pub struct Example {
    /// The commit it ends at.
    pub commit: Oid,
    /// Its subject.
    pub subject: Vec<u8>,
    /// The committer's date.
    pub when: Moment,
    /// What the rule said.
    pub what: Line,
}

/// Counts steps as they come, in any order.
#[derive(Debug, Default)]
pub struct Tally {
    shapes: Shapes,
    dates: Option<(Moment, Moment)>,
    refused: BTreeMap<usize, Oid>,
    warned: usize,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    tally: RuleTally,
    examples: BTreeMap<usize, Example>,
}

impl Row {
    fn new(rule: RuleRef, level: Level) -> Self {
        let tally = RuleTally {
            rule,
            level,
            steps: Shapes::default(),
            needed: Vec::new(),
            examples: Vec::new(),
        };
        Self { tally, examples: BTreeMap::new() }
    }
}

impl Tally {
    /// Counts for these rules, which have said nothing yet.
    pub fn new(rules: impl IntoIterator<Item = (RuleRef, Level)>) -> Self {
        let rows = rules.into_iter().map(|(rule, level)| Row::new(rule, level)).collect();
        Self { rows, ..Self::default() }
    }

    /// How many steps were counted.
    pub const fn steps(&self) -> usize {
        self.shapes.all()
    }

    /// Counts a step.
    pub fn add(&mut self, judged: Judged) {
        self.shapes.add(judged.shape);
        let (oldest, newest) = self.dates.unwrap_or((judged.when, judged.when));
        self.dates = Some((oldest.min(judged.when), newest.max(judged.when)));
        let refuses = judged.findings.iter().any(|finding| finding.level == Level::Refuse);
        if refuses {
            self.refused.insert(judged.place, judged.commit);
        }
        self.warned += usize::from(!refuses && !judged.findings.is_empty());
        for (at, finding) in judged.findings.iter().enumerate() {
            // A rule that objects twice to one step still objects to one step.
            if !judged.findings[..at].iter().any(|earlier| earlier.rule == finding.rule) {
                self.object(&judged, finding);
            }
        }
    }

    fn object(&mut self, judged: &Judged, finding: &Finding) {
        let known = self.rows.iter().position(|row| row.tally.rule == finding.rule);
        let at = known.unwrap_or_else(|| {
            self.rows.push(Row::new(finding.rule.clone(), finding.level));
            self.rows.len() - 1
        });
        let row = &mut self.rows[at];
        row.tally.steps.add(judged.shape);
        if let Some(missing) = &finding.objection.missing {
            let needed = &mut row.tally.needed;
            match needed.iter_mut().find(|(known, _)| known == missing) {
                Some((_, steps)) => *steps += 1,
                None => needed.push((missing.clone(), 1)),
            }
        }
        let example = Example {
            commit: judged.commit,
            subject: judged.subject.clone(),
            when: judged.when,
            what: finding.objection.what.clone(),
        };
        row.examples.insert(judged.place, example);
        if row.examples.len() > EXAMPLES_MAX {
            row.examples.pop_last();
        }
    }

    /// The counts, with what else is known about the branch.
    pub fn finish(self, refname: Refname, tip: Oid) -> Replayed {
        let finished = |mut row: Row| {
            row.tally.examples = row.examples.into_values().collect();
            row.tally.needed.sort_by_key(|(_, steps)| std::cmp::Reverse(*steps));
            row.tally
        };
        Replayed {
            refname,
            tip,
            shapes: self.shapes,
            dates: self.dates,
            refused: self.refused.len(),
            refusals: self.refused.into_values().collect(),
            warned: self.warned,
            rules: self.rows.into_iter().map(finished).collect(),
            elsewhere: Vec::new(),
            untold: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "names in tests are well-formed")]

    use super::*;
    use crate::verdict::finding::Objection;

    const RULE: RuleRef = RuleRef::Always { name: "a-rule" };

    fn finding(level: Level, approvals: usize) -> Finding {
        let mut objection = Objection::new(Line::new("something"));
        objection.missing = Some(Missing { approvals, from: Vec::new() });
        Finding { rule: RULE, level, objection }
    }

    fn judged(place: usize, shape: Shape, findings: Vec<Finding>) -> Judged {
        Judged {
            place,
            commit: Oid::from_bytes(&[u8::try_from(place).unwrap(); 20]).unwrap(),
            subject: Vec::new(),
            when: Moment::from_seconds(i64::try_from(place).unwrap()),
            shape,
            findings,
        }
    }

    fn finished(steps: Vec<Judged>, rules: &[(RuleRef, Level)]) -> Replayed {
        let mut tally = Tally::new(rules.to_vec());
        steps.into_iter().for_each(|step| tally.add(step));
        let tip = Oid::from_bytes(&[9; 20]).unwrap();
        tally.finish(Refname::parse(b"refs/heads/main").unwrap(), tip)
    }

    #[test]
    fn the_oldest_steps_are_the_examples_in_whatever_order_they_come() {
        let steps = [4, 1, 3, 0, 2]
            .map(|place| judged(place, Shape::Direct, vec![finding(Level::Refuse, 1 + place % 2)]));
        let replayed = finished(steps.to_vec(), &[]);
        let row = &replayed.rules[0];
        let places = row.examples.iter().map(|example| example.when.seconds());
        assert_eq!(places.collect::<Vec<_>>(), [0, 1, 2]);
        let needed = row.needed.iter().map(|(missing, steps)| (missing.approvals, *steps));
        assert_eq!(needed.collect::<Vec<_>>(), [(1, 3), (2, 2)]);
        let seconds = replayed.dates.map(|(oldest, newest)| (oldest.seconds(), newest.seconds()));
        assert_eq!(seconds, Some((0, 4)));
    }

    #[test]
    fn a_step_counts_once_however_much_is_found() {
        let refused = vec![finding(Level::Refuse, 1), finding(Level::Refuse, 1)];
        let warned = vec![finding(Level::Warn, 1)];
        let steps = vec![
            judged(0, Shape::First, Vec::new()),
            judged(1, Shape::Merge, refused),
            judged(2, Shape::Direct, warned),
        ];
        let replayed = finished(steps, &[(RULE, Level::Refuse)]);
        assert_eq!(replayed.shapes, Shapes { merges: 1, direct: 1, first: 1 });
        assert_eq!((replayed.refused, replayed.warned), (1, 1));
        assert_eq!(replayed.rules[0].steps, Shapes { merges: 1, direct: 1, first: 0 });
    }

    #[test]
    fn a_rule_that_never_objects_is_told_of_too() {
        let replayed = finished(Vec::new(), &[(RULE, Level::Warn)]);
        assert_eq!(replayed.rules.len(), 1);
        assert_eq!(replayed.rules[0].steps.all(), 0);
        assert_eq!(replayed.dates, None);
    }
}

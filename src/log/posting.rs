//! What the index knows of one entry: under which keys it is found again.
//!
//! Pure. Used by `index` to file an entry and by `past` to look one up; both name keys with `Key`,
//! so they cannot disagree. A posting says only *where to look*: every answer is read from the
//! entry itself.

use crate::log::decision::{Decision, RefDecision, Verdict};
use crate::log::entry::{Common, Drift, Outcome, Record, RefOutcome, Session, State};
use crate::log::wire::Text;
use crate::names::digest::Digest;
use crate::names::oid::Oid;

/// How many bytes of a key's digest the index keeps: 128 bits, so that keys never meet by chance.
pub const KEY_BYTES: usize = 16;

/// Marks the posting of an element whose decision said yes.
pub const ACCEPTED: u32 = 1 << 31;

/// What is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// An entry by its number.
    Entry(u64),
    /// The decisions that name a commit as brought. `aux`: the ref's place, and `ACCEPTED`.
    Commit(&'a Oid),
    /// A commit that was here before genesis. Not from the log; told by somebody who asked Git.
    BeforeGenesis(&'a Oid),
    /// The entries that give a ref a value. Genesis: `at` is the place in the attachment.
    Value(&'a [u8]),
    /// The entries by which a ref had a value.
    Had(&'a [u8], &'a Oid),
    /// The outcomes that say a ref had a value through a decision.
    Landing(&'a [u8]),
    /// The entries by which a branch came to be. Genesis: `at` is the place in the attachment.
    Branches,
    /// The decisions that allow a ref to move. `aux`: the ref's place.
    Decision(&'a [u8]),
    /// The tidyings by which a ref may go. `aux`: the ref's place.
    Tidy(&'a [u8]),
    /// The outcomes of a decision or a tidying for a ref. `aux`: the state.
    Outcome(u64, &'a [u8]),
    /// The decisions that accepted a statement. `aux`: its place in the list.
    Statement(&'a Digest),
    /// The decisions that used a statement. `aux`: the ref's place.
    Used(&'a Digest),
    /// The decisions that accepted a statement in a place. `aux`: its place in the list.
    Place(&'a [u8]),
    /// The decisions that accepted a statement on a commit. `aux`: its place in the list.
    On(&'a Oid),
    /// The decisions that accepted a statement of this signer. `aux`: its place in the list.
    Signed(&'a str),
    /// The decisions by which a delta lands on a ref. `aux`: the ref's place.
    Landed(&'a [u8], &'a Digest),
    /// The decisions that accepted a reject for a ref. `aux`: its place in the list.
    Rejects(&'a [u8]),
    /// The decisions that accepted a reject of an entry for a ref. `aux`: its place in the list.
    Reject(&'a [u8], &'a Digest),
    /// The decisions on pushes that carried a certificate.
    Certificate(&'a Digest),
    /// The broken glasses on a ref, whether they made a debt or not.
    Glass(&'a [u8]),
    /// All broken glasses.
    Glasses,
    /// What settled the debt of a decision for a ref.
    Settled(u64, &'a [u8]),
    /// What was settled with a statement.
    Paid(&'a Digest),
    /// The decisions by which a rollback on a ref leaves a value. `aux`: the ref's place.
    Left(&'a [u8], &'a Oid),
    /// The policies.
    Policy,
    /// The drifts of a ref.
    Drift(&'a [u8]),
    /// All drifts.
    Drifts,
    /// What accepts the drift of an entry.
    Accepted(u64),
    /// The looks at hooks and settings.
    Config,
    /// The prunings.
    Prunings,
    /// Every entry about a ref, whatever it says of it.
    About(&'a [u8]),
    /// The entries about what somebody did, by name or login.
    By(&'a [u8]),
    /// The entries in which a rule objected, or was silenced or overridden.
    Rule(&'a str),
    /// The entries that hold an answer. Not filed for a plain yes, which most are.
    Verdict(Verdict),
    /// The decisions that change a path, or something in a folder.
    Path(&'a [u8]),
    /// The decisions that change more paths than are filed one by one.
    ManyPaths,
    /// The entries whose clock said an earlier time than the entry before.
    ClockBack,
    /// The entries that name a commit whose name begins with these two bytes.
    Digits([u8; 2]),
    /// The entries that have a ref at a commit. `aux`: the ref's place. Genesis: `at` is the place
    /// in the attachment.
    Tip(&'a Oid),
    /// The decisions for one receive-pack: boot id, process id, start time.
    Session(&'a str, u64, u64),
}

impl Key<'_> {
    /// The key of the first two bytes of a commit's name: what the shortest abbreviation tells.
    pub fn digits(oid: &Oid) -> Self {
        match oid.as_bytes() {
            [first, second, ..] => Self::Digits([*first, *second]),
            _ => Self::Digits([0, 0]),
        }
    }

    /// The key as the index files it.
    pub fn digest(&self) -> [u8; KEY_BYTES] {
        let whole = match self {
            Self::Entry(number) => Digest::of_parts(&[b"e", &number.to_be_bytes()]),
            Self::Commit(oid) => Digest::of_parts(&[b"c", oid.as_bytes()]),
            Self::BeforeGenesis(oid) => Digest::of_parts(&[b"g", oid.as_bytes()]),
            Self::Value(name) => Digest::of_parts(&[b"v", name]),
            // Neither refnames nor the letters hold a NUL byte, so no two keys run together.
            Self::Had(name, oid) => Digest::of_parts(&[b"h", name, b"\0", oid.as_bytes()]),
            Self::Landing(name) => Digest::of_parts(&[b"m", name]),
            Self::Branches => Digest::of_parts(&[b"b"]),
            Self::Decision(name) => Digest::of_parts(&[b"d", name]),
            Self::Tidy(name) => Digest::of_parts(&[b"z", name]),
            Self::Outcome(of, name) => Digest::of_parts(&[b"o", &of.to_be_bytes(), name]),
            Self::Statement(id) => Digest::of_parts(&[b"s", id.as_bytes()]),
            Self::Used(id) => Digest::of_parts(&[b"u", id.as_bytes()]),
            Self::Place(name) => Digest::of_parts(&[b"p", name]),
            Self::On(oid) => Digest::of_parts(&[b"n", oid.as_bytes()]),
            Self::Signed(by) => Digest::of_parts(&[b"i", by.as_bytes()]),
            Self::Landed(name, delta) => Digest::of_parts(&[b"l", name, b"\0", delta.as_bytes()]),
            Self::Certificate(id) => Digest::of_parts(&[b"f", id.as_bytes()]),
            Self::Rejects(name) => Digest::of_parts(&[b"j", name]),
            Self::Reject(name, entry) => Digest::of_parts(&[b"r", name, b"\0", entry.as_bytes()]),
            Self::Glass(name) => Digest::of_parts(&[b"k", name]),
            Self::Glasses => Digest::of_parts(&[b"a"]),
            Self::Settled(of, name) => Digest::of_parts(&[b"t", &of.to_be_bytes(), name]),
            Self::Paid(id) => Digest::of_parts(&[b"w", id.as_bytes()]),
            Self::Left(name, oid) => Digest::of_parts(&[b"q", name, b"\0", oid.as_bytes()]),
            Self::Policy => Digest::of_parts(&[b"y"]),
            Self::Drift(name) => Digest::of_parts(&[b"drift", name]),
            Self::Drifts => Digest::of_parts(&[b"drifts"]),
            Self::Accepted(of) => Digest::of_parts(&[b"accepted", &of.to_be_bytes()]),
            Self::Config => Digest::of_parts(&[b"config"]),
            Self::Prunings => Digest::of_parts(&[b"prunings"]),
            Self::About(name) => Digest::of_parts(&[b"A", name]),
            Self::By(who) => Digest::of_parts(&[b"B", who]),
            Self::Rule(name) => Digest::of_parts(&[b"R", name.as_bytes()]),
            Self::Verdict(Verdict::Accept) => Digest::of_parts(&[b"V", b"accept"]),
            Self::Verdict(Verdict::Warn) => Digest::of_parts(&[b"V", b"warn"]),
            Self::Verdict(Verdict::Refuse) => Digest::of_parts(&[b"V", b"refuse"]),
            Self::Path(path) => Digest::of_parts(&[b"P", path]),
            Self::ManyPaths => Digest::of_parts(&[b"M"]),
            Self::ClockBack => Digest::of_parts(&[b"C"]),
            Self::Digits(first) => Digest::of_parts(&[b"D", first]),
            Self::Tip(oid) => Digest::of_parts(&[b"T", oid.as_bytes()]),
            Self::Session(boot, pid, start) => {
                Digest::of_parts(&[b"x", &pid.to_be_bytes(), &start.to_be_bytes(), boot.as_bytes()])
            }
        };
        let mut key = [0; KEY_BYTES];
        key.copy_from_slice(&whole.as_bytes()[..KEY_BYTES]);
        key
    }
}

impl Posting {
    /// The lowest there can be under a key.
    pub const fn first_of(key: [u8; KEY_BYTES]) -> Self {
        Self { key, seq: 0, aux: 0, at: 0 }
    }

    /// The highest there can be under a key.
    pub const fn last_of(key: [u8; KEY_BYTES]) -> Self {
        Self { key, seq: u64::MAX, aux: u32::MAX, at: u64::MAX }
    }
}

/// One line of the index. Sorted by key, then by entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Posting {
    /// The key.
    pub key: [u8; KEY_BYTES],
    /// The entry's number, under 2^48.
    pub seq: u64,
    /// Which element of the entry, or what `Key` says.
    pub aux: u32,
    /// Where the entry's line begins, under 2^48.
    pub at: u64,
}

/// How a state stands in `aux`.
pub const fn state_code(state: State) -> u32 {
    match state {
        State::Applied => 0,
        State::NotApplied => 1,
        State::Superseded => 2,
        State::Lost => 3,
    }
}

/// The state of such an `aux`.
pub const fn state_of(code: u32) -> Option<State> {
    match code {
        0 => Some(State::Applied),
        1 => Some(State::NotApplied),
        2 => Some(State::Superseded),
        3 => Some(State::Lost),
        _ => None,
    }
}

/// Collects the postings of one entry.
struct Filing<'a> {
    seq: u64,
    at: u64,
    postings: &'a mut Vec<Posting>,
}

impl Filing<'_> {
    fn file(&mut self, key: Key<'_>, aux: u32) {
        self.postings.push(Posting { key: key.digest(), seq: self.seq, aux, at: self.at });
    }
}

/// Files one entry, whose record is whole. `genesis_refs` are the bytes of that attachment, for a
/// genesis.
pub fn file(
    common: &Common,
    record: &Record,
    at: u64,
    genesis_refs: &[u8],
    postings: &mut Vec<Posting>,
) {
    let mut filing = Filing { seq: common.seq, at, postings };
    filing.file(Key::Entry(common.seq), 0);
    if common.ts_before_prev {
        filing.file(Key::ClockBack, 0);
    }
    match record {
        Record::Genesis(it) => {
            if it.policy.is_some() {
                filing.file(Key::Policy, 0);
            }
            file_genesis(&mut filing, genesis_refs);
        }
        Record::Decision(it) => {
            let Session { pid, start } = common.sess;
            filing.file(Key::Session(&common.boot, pid, start), 0);
            if let Some(cert) = &it.cert {
                filing.file(Key::Certificate(&cert.id.0), 0);
            }
            file_decision(&mut filing, it);
        }
        Record::Outcome(it) => file_outcome(&mut filing, it),
        Record::Drift(Drift { refname, .. }) => {
            filing.file(Key::Value(&refname.0), 0);
            filing.file(Key::Drift(&refname.0), 0);
            filing.file(Key::Drifts, 0);
        }
        Record::Accepted(it) => {
            it.of.iter().for_each(|of| filing.file(Key::Accepted(*of), 0));
        }
        Record::Config(_) => filing.file(Key::Config, 0),
        Record::Policy(_) => filing.file(Key::Policy, 0),
        Record::Pruned(_) => filing.file(Key::Prunings, 0),
        Record::Tidy(it) => {
            for (index, one) in it.refs.iter().enumerate() {
                filing.file(Key::Tidy(&one.refname.0), place(index));
            }
        }
        Record::BreakGlass(it) => {
            filing.file(Key::Glass(&it.refname.0), 0);
            filing.file(Key::Glasses, 0);
        }
        Record::Settled(it) => {
            filing.file(Key::Settled(it.of, &it.refname.0), 0);
            it.uses.iter().for_each(|id| filing.file(Key::Paid(&id.0), 0));
        }
        Record::Birth(_)
        | Record::Refusal(_)
        | Record::Asked(_)
        | Record::Recovered(_)
        | Record::Seal(_)
        | Record::Segment(_) => {}
    }
}

/// The lines of the refs attachment: where each begins, its value and its name.
pub fn genesis_lines(bytes: &[u8]) -> impl Iterator<Item = (u64, Oid, &[u8])> {
    let mut offset = 0;
    bytes.split_inclusive(|&byte| byte == b'\n').filter_map(move |line| {
        let at = offset;
        offset += line.len() as u64;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let tab = line.iter().position(|&byte| byte == b'\t')?;
        Some((at, Oid::from_hex(&line[..tab])?, &line[tab + 1..]))
    })
}

fn file_genesis(filing: &mut Filing<'_>, refs: &[u8]) {
    for (at, oid, name) in genesis_lines(refs) {
        filing.at = at;
        filing.file(Key::Value(name), 0);
        filing.file(Key::Had(name, &oid), 0);
        filing.file(Key::Tip(&oid), 0);
        filing.file(Key::digits(&oid), 0);
        if name.starts_with(b"refs/heads/") {
            filing.file(Key::Branches, 0);
        }
    }
}

/// The place of an element as `aux`; the highest bit is for `ACCEPTED`.
pub fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(ACCEPTED - 1).min(ACCEPTED - 1)
}

fn file_decision(filing: &mut Filing<'_>, decision: &Decision) {
    for (index, one) in decision.refs.iter().enumerate() {
        let index = place(index);
        let yes = is_yes(decision, one);
        let flag = if yes { ACCEPTED } else { 0 };
        for commit in &one.brought.list {
            filing.file(Key::Commit(&commit.0), index | flag);
        }
        if !yes {
            continue;
        }
        filing.file(Key::Decision(&one.refname.0), index);
        for id in &one.uses {
            filing.file(Key::Used(&id.0), index);
        }
        for delta in &one.landed {
            filing.file(Key::Landed(&one.refname.0, &delta.0), index);
        }
        for rollback in &one.rollback {
            filing.file(Key::Left(&one.refname.0, &rollback.left.0), index);
        }
    }
    if !decision.verdict.is_yes() {
        return;
    }
    for (index, statement) in decision.statements.iter().enumerate() {
        // In a push that is accepted the ref of a statement may be refused.
        let carrier = decision.refs.iter().find(|one| one.refname == statement.place);
        if carrier.is_some_and(|one| !is_yes(decision, one)) {
            continue;
        }
        let index = place(index);
        filing.file(Key::Statement(&statement.id.0), index);
        filing.file(Key::Place(&statement.place.0), index);
        filing.file(Key::On(&statement.commit.0), index);
        filing.file(Key::Signed(statement.person.0.as_str()), index);
        if statement.verdict == "reject" {
            filing.file(Key::Rejects(&statement.for_ref.0), index);
            for entry in &statement.entries.list {
                filing.file(Key::Reject(&statement.for_ref.0, &entry.0), index);
            }
        }
    }
}

/// Whether a ref of a decision may move: the push and the ref were both accepted.
pub const fn is_yes(decision: &Decision, one: &RefDecision) -> bool {
    decision.verdict.is_yes() && one.verdict.is_yes()
}

fn file_outcome(filing: &mut Filing<'_>, outcome: &Outcome) {
    for (index, one) in outcome.refs.iter().enumerate() {
        let RefOutcome { refname: Text(name), old, new, state, .. } = one;
        filing.file(Key::Outcome(outcome.of, name), state_code(*state));
        let index = place(index);
        match state {
            State::NotApplied => continue,
            State::Superseded => {}
            State::Applied | State::Lost => filing.file(Key::Value(name), index),
        }
        if *state == State::Lost {
            continue;
        }
        filing.file(Key::Landing(name), index);
        if !new.0.is_zero() {
            filing.file(Key::Had(name, &new.0), index);
            if old.0.is_zero() && name.starts_with(b"refs/heads/") {
                filing.file(Key::Branches, index);
            }
        }
    }
}

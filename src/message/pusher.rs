//! What the pusher reads: why, what spoke for it, and what to do now.
//!
//! The shape is fixed: lines begin with `error:`, `warning:`, `hint:` or `success:`, which the
//! pusher's own Git colours, or with two blanks; refusals first, one block for each rule and ref,
//! then warnings, then the sum. No colours, no control characters, no line break from outside.

use crate::message::closing::{Closing, Logged, Reach, Room, head_line};
use crate::message::glass;
use crate::message::layout::{Block, hint_lines, rest, wrap};
use crate::names::refname::Refname;
use crate::push::pusher::{Pusher, Who};
use crate::verdict::exempted::Exempted;
use crate::verdict::finding::{Finding, Level, RuleRef};
use crate::verdict::line::{Hint, Line};
use crate::verdict::{Judgement, RefJudgement, Verdict};

/// How many refs the sum names that would have been accepted on their own.
const REFS_NAMED_MAX: usize = 3;

/// The message for a push that was judged. Ends in a line feed.
pub fn judged(judgement: &Judgement, closing: &Closing<'_>) -> String {
    let mut blocks = Vec::new();
    for level in [Level::Refuse, Level::Warn] {
        blocks.extend(blocks_of(None, &judgement.findings, level));
        for one in &judgement.refs {
            blocks.extend(blocks_of(Some(&one.update.name), &one.findings, level));
        }
    }
    let told = blocks.iter().map(|block| block.lines(closing.entry));
    // Before everything else: whoever reads one line reads this one.
    let blocks = judgement.glass.broken.iter().map(glass::banner).chain(told).collect();
    assemble(blocks, sum(judgement, closing), closing.entry, closing.room)
}

/// Whether pushing the same again can help someone whose push could not be judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// The cause passes by itself: another push was in the way.
    Helps,
    /// An operator has to mend something first.
    DoesNotHelp,
}

/// The message for a push that could not be judged, and is refused for that.
pub fn fault(
    details: &[Line],
    again: Again,
    help: Option<&str>,
    logged: Option<Logged<'_>>,
) -> String {
    let mut lines = vec!["error: this push could not be judged, so it is refused".to_owned()];
    lines.extend(details.iter().flat_map(|line| wrap("  ", &line.show())));
    let quote = match logged {
        Some(logged) => {
            format!("hint: tell the operators of this server and quote entry {}", logged.entry)
        }
        None => "hint: tell the operators of this server, nothing could be logged".to_owned(),
    };
    match again {
        Again::Helps => lines.push("hint: push again, the commits need no change".to_owned()),
        Again::DoesNotHelp => {
            lines.extend(["hint: pushing again will not help".to_owned(), quote]);
            lines.extend(logged.map(|logged| head_line(logged.head)));
        }
    }
    lines.extend(help_lines(help));
    assemble(Vec::new(), lines, logged.map(|it| it.entry), Room::default())
}

/// The blocks for one ref, or for the push as a whole; findings of one rule share a block.
fn blocks_of<'a>(
    refname: Option<&Refname>,
    findings: &'a [Finding],
    level: Level,
) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.level == level) {
        let same = |block: &&mut Block<'_>| {
            block.findings.first().is_some_and(|first| first.rule == finding.rule)
        };
        match blocks.iter_mut().find(same) {
            Some(block) => block.findings.push(finding),
            None => blocks.push(Block {
                heading: heading(refname, finding),
                findings: vec![finding],
                place: place(&finding.rule, level),
            }),
        }
    }
    blocks
}

fn heading(refname: Option<&Refname>, finding: &Finding) -> String {
    let subject = refname.map_or_else(|| "this push".to_owned(), ToString::to_string);
    let rule = finding.rule.name();
    match finding.level {
        Level::Refuse => format!("error: {subject} refused by rule `{rule}`"),
        Level::Warn => format!("warning: {subject} is at odds with rule `{rule}`"),
    }
}

fn place(rule: &RuleRef, level: Level) -> Vec<String> {
    match rule {
        // Asked for by a setting and not by a rule.
        RuleRef::Always { name: "drift" } => vec!["policy: [log] on-drift".to_owned()],
        RuleRef::Always { .. } => vec!["policy: none, every push is held to this".to_owned()],
        RuleRef::Policy { file, line, why, until, .. } => {
            let until = match (level, until) {
                (Level::Warn, Some(day)) => format!(" (a warning until {})", day.day()),
                (Level::Warn, None) | (Level::Refuse, _) => String::new(),
            };
            let mut lines = vec![format!("policy: {file}:{line}{until}")];
            lines.extend(why.as_ref().map(|why| format!("why: {why}")));
            lines
        }
    }
}

/// The last lines: what became of the push, and where that is written.
fn sum(judgement: &Judgement, closing: &Closing<'_>) -> Vec<String> {
    match judgement.verdict() {
        Verdict::Accept => {
            let mut lines = accepted(judgement.refs.len(), closing);
            lines.extend(judgement.refs.iter().flat_map(|one| &one.exempted).flat_map(exempt));
            lines.extend(judgement.glass.unused.then(glass::unused).into_iter().flatten());
            lines
        }
        Verdict::Refuse => {
            let mut lines = help_lines(judgement.help.as_deref());
            lines.extend(refused(judgement, closing));
            lines.extend(judgement.glass.offer.iter().flat_map(glass::offer));
            lines
        }
    }
}

fn accepted(refs: usize, closing: &Closing<'_>) -> Vec<String> {
    let mut text = format!("success: {} accepted", counted(refs));
    if let Some(entry) = closing.entry {
        text.push_str(&format!(" as entry {entry}"));
    }
    if let Some(head) = closing.head {
        text.push_str(&format!(", head {head}"));
    }
    if let Some(you) = closing.you {
        text.push_str(&format!(", {}", who(you)));
    }
    wrap("", &text)
}

/// One line for each rule that was silent.
fn exempt(held: &Exempted) -> Vec<String> {
    let (rule, who, paths) = (held.rule.name(), &held.who, held.paths.join(", "));
    wrap("  ", &format!("rule `{rule}` was silent: {who} is exempt within {paths}"))
}

fn refused(judgement: &Judgement, closing: &Closing<'_>) -> Vec<String> {
    let accepted = |one: &&RefJudgement| one.verdict() == Verdict::Accept;
    let others: Vec<&RefJudgement> = judgement.refs.iter().filter(accepted).collect();
    let (all, no) = (judgement.refs.len(), judgement.refs.len() - others.len());
    let whole = judgement.findings.iter().any(|finding| finding.level == Level::Refuse);
    let see = closing.entry.map_or_else(String::new, |entry| format!(", see entry {entry}"));

    let (text, after) = match closing.reach {
        Reach::WholePush | Reach::RefusedRefs if whole => {
            (format!("error: push refused, nothing was updated{see}"), None)
        }
        Reach::WholePush => (
            format!("error: {no} of {} refused, nothing was updated{see}", counted(all)),
            would_pass(&others),
        ),
        Reach::RefusedRefs => (
            format!("error: {no} of {} refused{see}", counted(all)),
            (no < all).then(|| "the other refs are updated".to_owned()),
        ),
        Reach::ThisRef => (
            format!("error: this ref was refused{see}"),
            Some("other refs are judged on their own".to_owned()),
        ),
    };
    let mut lines = wrap("", &text);
    lines.extend(closing.head.map(head_line));
    lines.extend(after.into_iter().flat_map(|text| wrap("  ", &text)));
    lines
}

/// Names the refs that Git refused only for the company they were in.
fn would_pass(others: &[&RefJudgement]) -> Option<String> {
    let named: Vec<String> =
        others.iter().take(REFS_NAMED_MAX).map(|one| one.update.name.to_string()).collect();
    let more = others.len().saturating_sub(REFS_NAMED_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    (!named.is_empty())
        .then(|| format!("pushed alone, {}{more} would have been accepted", named.join(", ")))
}

fn counted(refs: usize) -> String {
    format!("{refs} {}", if refs == 1 { "ref" } else { "refs" })
}

fn who(pusher: &Pusher) -> String {
    let login = Line::default().quoted(pusher.login.as_bytes()).show();
    match &pusher.who {
        Who::Listed { name, machine: false, .. } => format!("you are {name}"),
        Who::Listed { name, machine: true, .. } => format!("you are the machine {name}"),
        Who::Unlisted => format!("you are {login}, whom the policy does not list"),
        Who::Unnamed { .. } => "you are nobody this server can name".to_owned(),
    }
}

fn help_lines(help: Option<&str>) -> Vec<String> {
    let hint = |help: &str| hint_lines(&Hint::new(Line::new(format!("questions go to {help}"))));
    help.map_or_else(Vec::new, hint)
}

/// Puts blocks and sum together, an empty line between them. The sum is always there; blocks that
/// would take the message past its bounds are counted instead.
fn assemble(blocks: Vec<Vec<String>>, sum: Vec<String>, entry: Option<u64>, room: Room) -> String {
    let size = |lines: &[String]| lines.iter().map(|line| line.len() + 1).sum::<usize>();
    // Room for the sum, and for the two lines that say what was left out.
    let mut lines_left = room.lines.saturating_sub(sum.len() + 2);
    let mut bytes_left = room.bytes.saturating_sub(size(&sum) + 100);
    let mut message = Vec::new();
    let total = blocks.len();
    for (at, block) in blocks.into_iter().enumerate() {
        let (lines, bytes) = (block.len() + 1, size(&block) + 1);
        if lines > lines_left || bytes > bytes_left {
            let count = total - at;
            message.push(format!("error: {}", rest(count, "finding", "findings", entry)));
            message.push(String::new());
            break;
        }
        (lines_left, bytes_left) = (lines_left - lines, bytes_left - bytes);
        message.extend(block);
        message.push(String::new());
    }
    message.extend(sum);
    message.push(String::new());
    message.join("\n")
}

//! An answer to a question, in words for a person.
//!
//! Used by the verbs in a clone, by `review` on a server and by the hook that is asked without our
//! client. Everything in an answer is somebody else's text: it is escaped here, line by line.

use crate::answer::{Answer, ApprovalAnswer, DEBT_KIND, DebtAnswer, LandingAnswer, RuleAnswer};
use crate::message::landing;
use crate::message::layout::wrap;
use crate::message::reader::{Reader, command_lines, short, typed, word};
use crate::names::escape::{escape, escape_short};

/// How many landings are shown.
const LANDINGS_MAX: usize = 3;

/// How many commits or names stand in one list before the rest is counted.
const LISTED_MAX: usize = 10;

/// The whole answer as lines.
pub fn whole(answer: &Answer, reader: &Reader<'_>) -> Vec<String> {
    let mut lines = heading(answer, reader);
    if landing::has_landed(answer) && !is_owed(answer) {
        lines.extend(owed(answer));
        lines.push(String::new());
        lines.extend(summary(answer, reader));
        return lines;
    }
    lines.extend(missing(answer, reader));
    let satisfied: Vec<&RuleAnswer> = answer.rules.iter().filter(|rule| rule.satisfied).collect();
    if !satisfied.is_empty() {
        lines.push(String::new());
        lines.extend(satisfied.into_iter().flat_map(satisfied_rule));
    }
    if !answer.approvals.is_empty() {
        lines.push(String::new());
        lines.push("said about this delta so far:".to_owned());
        lines.extend(answer.approvals.iter().flat_map(approval));
    }
    lines.extend(owed(answer));
    if !answer.landings.is_empty() {
        lines.push(String::new());
        lines.push(format!("latest landings on {}:", shown(&answer.refname)));
        lines.extend(answer.landings.iter().take(LANDINGS_MAX).flat_map(landed));
    }
    lines.push(String::new());
    lines.extend(summary(answer, reader));
    lines
}

/// What is still missing, as lines, each block behind an empty one; none when nothing is.
pub fn missing(answer: &Answer, reader: &Reader<'_>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    if !answer.nobody_brought.is_empty() {
        lines.push(String::new());
        lines.extend(not_brought(answer, reader));
    }
    for rule in answer.rules.iter().filter(|rule| !rule.satisfied) {
        lines.push(String::new());
        lines.extend(open_rule(rule, answer, reader, &mut told));
    }
    if !answer.conflicts.is_empty() {
        lines.extend(landing::of_conflict(answer, reader));
    }
    lines
}

/// The last lines: whether it can land, and how.
pub fn summary(answer: &Answer, reader: &Reader<'_>) -> Vec<String> {
    let (name, commit) = (shown(&answer.refname), short(&answer.commit));
    if is_owed(answer) {
        let text = format!("error: {commit} is on {name} past its rules, and that is still owed");
        return wrap("", &text);
    }
    if landing::has_landed(answer) {
        let at = answer.value.as_deref() == Some(answer.commit.as_str());
        let verb = if at { "is at" } else { "has" };
        return wrap(
            "",
            &format!("success: {name} {verb} {commit} already, nothing is left to land"),
        );
    }
    match refused(answer) {
        0 => {
            let mut lines =
                wrap("", &format!("success: nothing is missing, {commit} can land on {name}:"));
            lines.extend(landing::commands(answer, reader));
            lines
        }
        1 => {
            wrap("", &format!("error: {commit} cannot land on {name} yet, 1 rule is not satisfied"))
        }
        many => wrap(
            "",
            &format!("error: {commit} cannot land on {name} yet, {many} rules are not satisfied"),
        ),
    }
}

/// Whether what is asked about landed through a broken glass and is not settled yet.
fn is_owed(answer: &Answer) -> bool {
    answer.rules.iter().any(|rule| rule.kind == DEBT_KIND && !rule.satisfied)
}

/// How many rules would refuse.
pub fn refused(answer: &Answer) -> usize {
    answer.rules.iter().filter(|rule| !rule.satisfied && rule.level != "warn").count()
}

fn heading(answer: &Answer, reader: &Reader<'_>) -> Vec<String> {
    let asked = match reader.asked {
        "" => String::new(),
        subject => format!(" \"{subject}\""),
    };
    let first = format!("{}{asked}", short(&answer.commit));
    let mut lines = wrap("", &first);
    let mut detail = |text: &str| lines.extend(wrap("  ", text));
    detail(&format!("for {} of {}", shown(&answer.refname), shown(&answer.repository)));
    if answer.value.is_none() {
        let base = short(&answer.base);
        match answer.base.bytes().all(|digit| digit == b'0') {
            true => detail("which does not exist yet: it would be created"),
            false => detail(&format!("which does not exist yet: it would be created, from {base}")),
        }
    }
    if !landing::has_landed(answer) {
        detail(&delta(answer));
    }
    if answer.landing_lines == Some(0) && answer.delta_lines > 0 && !landing::has_landed(answer) {
        detail("all of that is there already: landing it would change nothing");
    }
    if !answer.makers.is_empty() {
        let one = |maker: &crate::answer::MakerAnswer| {
            format!("{} ({})", shown(&maker.person), shown(&maker.why))
        };
        let makers: Vec<String> = answer.makers.iter().map(one).collect();
        detail(&format!("made by {}", listed(&makers)));
    }
    if let Some(why) = &answer.unknown_maker {
        detail(&format!("{}: one approval more is asked", shown(why)));
    }
    detail(&you(answer, reader));
    lines
}

fn delta(answer: &Answer) -> String {
    let count = usize::try_from(answer.delta_lines).unwrap_or(usize::MAX);
    let differ = plural(count, "entry differs", "entries differ");
    if answer.base.bytes().all(|digit| digit == b'0') {
        format!("{differ} from nothing")
    } else {
        format!("{differ} from {}", short(&answer.base))
    }
}

fn you(answer: &Answer, reader: &Reader<'_>) -> String {
    match (reader.name, &answer.you.name) {
        (Some(name), Some(own)) if name == own => format!("you are {}", shown(name)),
        (Some(name), _) => format!("seen as {}", shown(name)),
        (None, Some(own)) => format!("you are {}", shown(own)),
        (None, None) if answer.you.login.is_empty() => "seen as nobody in particular".to_owned(),
        (None, None) => {
            let login = escape_short(answer.you.login.as_bytes());
            format!("you are \"{login}\", who is in no policy")
        }
    }
}

/// Commits that have to be pushed before anything else can be said of them.
fn not_brought(answer: &Answer, reader: &Reader<'_>) -> Vec<String> {
    let named: Vec<String> = answer.nobody_brought.iter().map(|hex| short(hex)).collect();
    let more = usize::try_from(answer.nobody_brought_more).unwrap_or(usize::MAX);
    let count = plural(named.len().saturating_add(more), "commit", "commits");
    let mut lines =
        wrap("", &format!("error: nobody has pushed {count} of it yet: {}", counted(&named, more)));
    // What lies on the server all the same came another way; the rules say what to do then.
    if answer.on_server != Some(true) {
        let command = landing::push_topic(answer, reader);
        lines.extend(command_lines("push it to a branch first", &command));
    }
    lines
}

fn open_rule(
    rule: &RuleAnswer,
    answer: &Answer,
    reader: &Reader<'_>,
    told: &mut Vec<String>,
) -> Vec<String> {
    let word = if rule.level == "warn" { "warning" } else { "error" };
    let mut lines = wrap("", &format!("{word}: rule `{}` is not satisfied", shown(&rule.rule)));
    let mut detail = |text: &str| lines.extend(wrap("  ", text));
    detail(&shown(&rule.what));
    rule.lines.iter().for_each(|line| detail(&shown(line)));
    if !rule.place.is_empty() {
        detail(&format!("policy: {}", shown(&rule.place)));
    }
    if let Some(why) = &rule.why {
        detail(&format!("why: {}", shown(why)));
    }
    let command = format!("portcullis approve {} --for {}", short(&answer.commit), typed(answer));
    let from = rule.missing.as_ref().map_or(&[][..], |missing| &missing.from);
    for hint in &rule.hints {
        let hint = with_topic(&shown(hint), reader);
        // That it has to be pushed is told once, above.
        let push = !answer.nobody_brought.is_empty()
            && answer.on_server != Some(true)
            && hint.contains("push");
        let said = push || told.contains(&hint);
        // Who can approve is told below, with whoever reads among them.
        if said || (!from.is_empty() && hint.ends_with(&command)) {
            continue;
        }
        match hint.split_once(": ") {
            Some((text, command)) => lines.extend(command_lines(text, command)),
            None => lines.extend(wrap("", &format!("hint: {hint}"))),
        }
        told.push(hint);
    }
    if let Some(missing) = rule.missing.as_ref().filter(|missing| !missing.from.is_empty()) {
        let count = usize::try_from(missing.approvals).unwrap_or(usize::MAX);
        lines.extend(who_can(count, &missing.from, answer, reader, &command));
    }
    lines
}

/// Who can give what is missing, and by which command.
fn who_can(
    count: usize,
    from: &[String],
    answer: &Answer,
    reader: &Reader<'_>,
    command: &str,
) -> Vec<String> {
    let own = reader.name.or(answer.you.name.as_deref());
    let others: Vec<String> =
        from.iter().filter(|name| Some(name.as_str()) != own).map(|name| shown(name)).collect();
    let wanted = plural(count, "approval is", "approvals are");
    let can = match (others.len() < from.len(), others.is_empty()) {
        (true, true) => "you can give it".to_owned(),
        (true, false) => format!("you can give one, and so can {}", either(&others)),
        (false, _) if count == 1 => format!("{} can give it", either(&others)),
        (false, _) if count > from.len() => format!("and only {} can give one", listed(&others)),
        (false, _) => format!("{count} of {} can give them", listed(&others)),
    };
    let when = if answer.on_server == Some(false) { " when it is pushed" } else { "" };
    command_lines(&format!("{wanted} missing, {can}{when}"), command)
}

/// `bob, carol or erin`.
fn either(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() && names.len() <= LISTED_MAX => {
            format!("{} or {last}", first.join(", "))
        }
        _ => listed(names),
    }
}

fn satisfied_rule(rule: &RuleAnswer) -> Vec<String> {
    let satisfied = format!("rule `{}` is satisfied", shown(&rule.rule));
    match rule.lines.as_slice() {
        [] => wrap("", &satisfied),
        [one] => wrap("", &format!("{satisfied}: {}", shown(one))),
        many => {
            let said = many.iter().flat_map(|line| wrap("  ", &shown(line)));
            wrap("", &satisfied).into_iter().chain(said).collect()
        }
    }
}

fn approval(approval: &ApprovalAnswer) -> Vec<String> {
    let ApprovalAnswer { person, verdict, date, counts, why, expires, check, url } = approval;
    let what = match check {
        Some(check) => format!("{} {}", shown(check), shown(verdict)),
        None => shown(verdict),
    };
    let counts = match (counts, expires) {
        (true, Some(until)) => format!("counts until {}", shown(until)),
        (true, None) => "counts".to_owned(),
        (false, _) => "does not count".to_owned(),
    };
    let why = if why.is_empty() { String::new() } else { format!(": {}", shown(why)) };
    let mut lines = wrap("  ", &format!("{} {} {what}, {counts}{why}", shown(date), shown(person)));
    lines.extend(url.iter().map(|url| format!("    {}", shown(url))));
    lines
}

/// What broken glasses on the ref owe.
fn owed(answer: &Answer) -> Vec<String> {
    if answer.debts.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), format!("owed on {}:", shown(&answer.refname))];
    lines.extend(answer.debts.iter().flat_map(debt));
    lines
}

fn debt(debt: &DebtAnswer) -> Vec<String> {
    let over = if debt.overdue { ", overdue" } else { "" };
    let (by, due) = (shown(&debt.by), shown(&debt.due));
    let reason = escape_short(debt.reason.as_bytes());
    let commit = short(&debt.commit);
    let at = shown(&debt.at);
    let line = format!("{at} {commit} by {by}, see entry {}, due {due}{over}", debt.entry);
    let mut lines = wrap("  ", &format!("{line}: \"{reason}\""));
    lines.extend(debt.missing.iter().flat_map(|missing| {
        let count = usize::try_from(missing.approvals).unwrap_or(usize::MAX);
        let from: Vec<String> = missing.from.iter().map(|name| shown(name)).collect();
        let wanted = plural(count, "approval", "approvals");
        wrap("    ", &format!("missing: {wanted}, from {}", listed(&from)))
    }));
    lines
}

fn landed(landing: &LandingAnswer) -> Vec<String> {
    let LandingAnswer { entry, commit, by, at, .. } = landing;
    let line = format!("{} {} by {}, see entry {entry}", shown(at), short(commit), shown(by));
    wrap("  ", &line)
}

/// The name of the branch in the place that a rule's hint leaves for it.
fn with_topic(hint: &str, reader: &Reader<'_>) -> String {
    match reader.topic {
        Some(topic) => hint.replace("TOPIC", &word(topic)),
        None => hint.to_owned(),
    }
}

fn listed(items: &[String]) -> String {
    counted(items, 0)
}

/// The first of the items, and how many more there are, with those that are not here.
fn counted(items: &[String], elsewhere: usize) -> String {
    let shown = items.iter().take(LISTED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match items.len().saturating_sub(LISTED_MAX).saturating_add(elsewhere) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

fn shown(text: &str) -> String {
    escape(text.as_bytes())
}

#[cfg(test)]
mod tests;

//! How a change that nothing is missing for comes to its ref: the commands.
//!
//! Used by `review`. Each is one that works when it is copied into the reader's clone.

use crate::answer::Answer;
use crate::message::reader::{OwnBranch, Reader, command_lines, short, typed, word};

/// Whether the ref has the commit already.
pub(crate) fn has_landed(answer: &Answer) -> bool {
    answer.value.is_some() && answer.base == answer.commit
}

/// The commands that land it, one a line, by the first method that the ref takes.
pub(crate) fn commands(answer: &Answer, reader: &Reader<'_>) -> Vec<String> {
    let (remote, commit) = (word(reader.remote), short(&answer.commit));
    let name = word(&answer.refname);
    let may = |method: &str| answer.methods.iter().any(|allowed| allowed == method);
    let is_branch = answer.refname.starts_with("refs/heads/");
    let forward = answer.value.as_ref() == Some(&answer.base);
    let by_merge = answer.methods.is_empty() || may("merge");
    let lines = if answer.value.is_none() || !is_branch {
        vec![format!("git push {remote} {commit}:{name}")]
    } else if by_merge {
        on_branch(answer, reader, &[format!("git merge --no-ff {}", what(answer, reader))])
    } else if forward && may("fast-forward") {
        vec![format!("git push {remote} {commit}:{name}")]
    } else if may("squash") {
        let source = format!("git commit --trailer Source:{}", answer.commit);
        on_branch(answer, reader, &[format!("git merge --squash {}", what(answer, reader)), source])
    } else if may("rebase") {
        let source = format!("git commit --amend --no-edit --trailer Source:{}", answer.commit);
        vec![
            format!("git fetch {remote} {name} && git switch --detach {commit}"),
            format!("git rebase FETCH_HEAD && {source}"),
            format!("git push {remote} HEAD:{name}"),
        ]
    } else {
        // Only a fast-forward, and the ref has moved on.
        vec![
            format!("git fetch {remote} {name} && git switch --detach {commit}"),
            format!("git rebase FETCH_HEAD && git push {remote} HEAD:refs/heads/TOPIC"),
        ]
    };
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

/// The remedy for a conflict.
pub(crate) fn of_conflict(answer: &Answer, reader: &Reader<'_>) -> Vec<String> {
    let (remote, name) = (word(reader.remote), word(&answer.refname));
    let topic = reader.topic.map_or_else(|| "TOPIC".to_owned(), word);
    let merge = format!("git switch {topic} && git pull --no-rebase {remote} {name}");
    let mut lines = command_lines("in the clone that has the topic", &merge);
    lines.extend(command_lines(
        "when it is resolved and committed",
        &format!("git push {remote} {topic}"),
    ));
    lines
}

/// The command that brings the commit to the server, for everybody to see.
pub(crate) fn push_topic(answer: &Answer, reader: &Reader<'_>) -> String {
    let remote = word(reader.remote);
    match reader.topic {
        Some(topic) => format!("git push {remote} {}", word(topic)),
        None => format!("git push {remote} {}:refs/heads/TOPIC", short(&answer.commit)),
    }
}

fn what(answer: &Answer, reader: &Reader<'_>) -> String {
    reader.topic.map_or_else(|| short(&answer.commit), word)
}

/// The steps between going to the branch as the server has it and pushing it.
fn on_branch(answer: &Answer, reader: &Reader<'_>, steps: &[String]) -> Vec<String> {
    let (remote, branch) = (word(reader.remote), typed(answer));
    let (first, last) = match reader.own_branch {
        OwnBranch::Follows => (
            format!("git switch {branch} && git pull --ff-only {remote} {branch}"),
            format!("git push {remote} {branch}"),
        ),
        OwnBranch::Differs => (
            format!("git fetch {remote} {branch} && git switch --detach FETCH_HEAD"),
            format!("git push {remote} HEAD:{}", word(&answer.refname)),
        ),
    };
    std::iter::once(first).chain(steps.iter().cloned()).chain([last]).collect()
}

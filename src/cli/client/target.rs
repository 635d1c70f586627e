//! Which server, which ref, which commit a verb in a clone is about.
//!
//! Used by `review`, `approve`, `reject`, `revoke`. What the person typed wins; else the remote of
//! the current branch, `origin`, or the only one; and the ref that the remote's HEAD names.

use crate::cli::client::git::CloneGit;
use crate::cli::fault::Fault;
use crate::cli::quote::shell_word;
use crate::names::escape::escape_short;
use crate::names::oid::Oid;
use crate::names::refname::Refname;

/// A question's subject: this commit, landing on this ref of this remote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// A remote's name, or an address as typed.
    pub remote: String,
    /// The ref that the commit should land on.
    pub refname: TextRefname,
    /// The commit.
    pub commit: Oid,
    /// The branch of the clone that the commit is the tip of, where that is how it was named, and
    /// it is not the one to land on.
    pub topic: Option<String>,
}

/// A refname that is UTF-8, as statements and command lines need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextRefname {
    name: Refname,
    text: String,
}

/// What the person typed.
#[derive(Clone, Copy, Default, Debug)]
pub struct Typed<'a> {
    /// The commit; absent: HEAD.
    pub commit: Option<&'a str>,
    /// The ref, in full or as a branch.
    pub refname: Option<&'a str>,
    /// The remote.
    pub remote: Option<&'a str>,
}

impl TextRefname {
    /// Reads what a person types: `main` is a branch, `refs/...` stands for itself.
    pub fn parse(typed: &str) -> Option<Self> {
        let text = match typed.strip_prefix("refs/") {
            Some(_) => typed.to_owned(),
            None => format!("refs/heads/{typed}"),
        };
        Refname::parse(text.as_bytes()).map(|name| Self { name, text })
    }

    /// The name.
    pub fn name(&self) -> &Refname {
        &self.name
    }

    /// The name as text, `refs/` and all. Not escaped.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What a person calls it in a sentence: a branch without `refs/heads/`.
    pub fn short(&self) -> &str {
        self.text.strip_prefix("refs/heads/").unwrap_or(&self.text)
    }

    /// What follows `refs/`.
    pub fn below_refs(&self) -> &str {
        self.text.strip_prefix("refs/").unwrap_or(&self.text)
    }

    /// What a person types after `--for`, quoted for a shell.
    pub fn typed(&self) -> String {
        shell_word(self.text.strip_prefix("refs/heads/").unwrap_or(&self.text).as_bytes())
    }
}

impl Target {
    /// Finds all three in the clone. May ask the remote for its HEAD.
    pub fn find(git: &CloneGit, typed: Typed<'_>) -> Result<Self, Fault> {
        let remote = remote(git, typed.remote)?;
        let commit = commit(git, &remote, typed.commit.unwrap_or("HEAD"))?;
        let refname = match typed.refname {
            Some(name) => TextRefname::parse(name).ok_or_else(|| {
                Fault::mistyped(format!("no refname: \"{}\"", escape_short(name.as_bytes())))
                    .hint("give a branch, such as main, or a full name, such as refs/tags/v1")
            })?,
            None => head_of(git, &remote)?,
        };
        let topic = topic(git, typed.commit, &commit)?
            .filter(|topic| refname.text() != format!("refs/heads/{topic}"));
        Ok(Self { remote, refname, commit, topic })
    }
}

/// The commit that was typed. What the clone does not have is fetched: who is asked to approve a
/// commit has often not seen it yet, and may know it by the server's branch alone.
fn commit(git: &CloneGit, remote: &str, typed: &str) -> Result<Oid, Fault> {
    let shown = escape_short(typed.as_bytes());
    // A word that begins with a hyphen would be an option to git.
    if typed.is_empty() || typed.starts_with('-') {
        return Err(Fault::mistyped(format!("no commit: \"{shown}\"")));
    }
    if let Some(found) = resolved(git, typed)? {
        return Ok(found);
    }
    git.bytes(&["fetch", "--quiet", "--no-recurse-submodules", "--", remote], b"")
        .map_err(|fault| fault.cause(format!("this clone has no commit \"{shown}\"")))?;
    if let Some(found) = resolved(git, typed)? {
        return Ok(found);
    }
    resolved(git, &format!("refs/remotes/{remote}/{typed}"))?.ok_or_else(|| {
        let server = escape_short(remote.as_bytes());
        Fault::new(format!("this clone has no commit \"{shown}\", nor has {server}"))
            .hint("name a commit, a branch of yours, or one of the server's")
    })
}

fn resolved(git: &CloneGit, typed: &str) -> Result<Option<Oid>, Fault> {
    let wanted = format!("{typed}^{{commit}}");
    let found = git.maybe(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
    Ok(found.and_then(|hex| Oid::from_hex(hex.as_bytes())))
}

/// The branch that was typed, or that is checked out where nothing was; with this commit at its tip.
fn topic(git: &CloneGit, typed: Option<&str>, commit: &Oid) -> Result<Option<String>, Fault> {
    let name = match typed {
        None | Some("HEAD" | "@") => git.maybe(&["symbolic-ref", "--quiet", "--short", "HEAD"])?,
        Some(typed) => Some(typed.to_owned()),
    };
    let Some(name) = name else { return Ok(None) };
    let tip = resolved(git, &format!("refs/heads/{name}"))?;
    Ok((tip.as_ref() == Some(commit)).then_some(name))
}

fn remote(git: &CloneGit, typed: Option<&str>) -> Result<String, Fault> {
    if let Some(typed) = typed {
        if typed.is_empty() || typed.starts_with('-') {
            return Err(Fault::mistyped("a remote's name does not begin with a hyphen"));
        }
        return Ok(typed.to_owned());
    }
    if let Some(branch) = git.maybe(&["symbolic-ref", "--quiet", "--short", "HEAD"])?
        && let Some(remote) = git.setting(&format!("branch.{branch}.remote"))?
        // A dot is this clone itself: a branch that follows another local one.
        && remote != "."
    {
        return Ok(remote);
    }
    let listing = git.bytes(&["remote"], b"")?;
    let listing = String::from_utf8_lossy(&listing);
    let names: Vec<&str> = listing.lines().collect();
    match names.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(Fault::new("this repository has no remote, so there is no server to ask")
            .hint("run it in a clone, or add one: git remote add origin ADDRESS")),
        many if many.contains(&"origin") => Ok("origin".to_owned()),
        many => Err(Fault::mistyped("this clone has several remotes and none is called origin")
            .hint(format!("say which: --remote {}", many.join(" or --remote ")))),
    }
}

/// The ref that the remote's HEAD names: as the clone remembers it, else as the remote says.
fn head_of(git: &CloneGit, remote: &str) -> Result<TextRefname, Fault> {
    let remembered = format!("refs/remotes/{remote}/HEAD");
    let known = git.maybe(&["symbolic-ref", "--quiet", &remembered])?.and_then(|target| {
        TextRefname::parse(target.strip_prefix(&format!("refs/remotes/{remote}/"))?)
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let listing = git.bytes(&["ls-remote", "--symref", "--", remote, "HEAD"], b"")?;
    symref_of_head(&String::from_utf8_lossy(&listing)).ok_or_else(|| {
        Fault::new("the remote's HEAD names no branch").hint("say which ref is meant: --for main")
    })
}

/// Reads `ref: refs/heads/main\tHEAD` of git-ls-remote(1).
fn symref_of_head(listing: &str) -> Option<TextRefname> {
    let line = listing.lines().find_map(|line| line.strip_prefix("ref: "))?;
    TextRefname::parse(line.strip_suffix("\tHEAD")?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]
mod tests {
    use super::*;

    #[test]
    fn a_bare_word_is_a_branch_and_a_full_name_itself() {
        let read = |text: &str| TextRefname::parse(text).unwrap();
        assert_eq!(read("main").text(), "refs/heads/main");
        assert_eq!(read("release/1.0").typed(), "release/1.0");
        assert_eq!(read("refs/tags/v1").typed(), "refs/tags/v1");
        assert_eq!(read("refs/tags/v1").below_refs(), "tags/v1");
        assert_eq!(TextRefname::parse("a..b"), None);
        assert_eq!(TextRefname::parse(""), None);
    }

    #[test]
    fn the_remotes_head_is_read_from_ls_remote() {
        let listing = "ref: refs/heads/trunk\tHEAD\n1234\tHEAD\n";
        assert_eq!(symref_of_head(listing).unwrap().text(), "refs/heads/trunk");
        assert_eq!(symref_of_head("1234\tHEAD\n"), None);
    }
}

//! Who a statement is by, and when: what the signer cannot see from the delta.
//!
//! Used by `approve` and its like. The clock is the server's, and a statement is always later than
//! the person's own last one, or it would never enter its place.

use crate::answer::{Answer, ApprovalAnswer};
use crate::cli::fault::Fault;
use crate::names::escape::escape_short;
use crate::names::moment::Moment;
use crate::names::principal::PrincipalName;

/// How far a date may run ahead of the server's clock, in seconds. The server takes 5 minutes; a
/// little less, because its answer takes time to arrive.
const AHEAD_SECONDS_MAX: i64 = 4 * 60;

/// In whose name the statement is.
pub fn signer(typed: Option<&PrincipalName>, answer: &Answer) -> Result<PrincipalName, Fault> {
    if let Some(person) = typed {
        return Ok(person.clone());
    }
    let login = escape_short(answer.you.login.as_bytes());
    let Some(name) = answer.you.name.as_deref() else {
        return Err(Fault::new(format!(
            "the server knows you as \"{login}\", who is in no policy"
        ))
        .hint("say whose key you sign with: --as PERSON"));
    };
    if answer.you.kind == "machine" {
        return Err(Fault::new(format!(
            "you are {}, a machine; machines never approve",
            escape_short(name.as_bytes())
        ))
        .hint("say whose key you sign with: --as PERSON"));
    }
    PrincipalName::parse(name).ok_or_else(|| Fault::new("the server's name for you cannot be read"))
}

/// The person's own last statement about this delta.
pub fn latest_of<'a>(person: &PrincipalName, answer: &'a Answer) -> Option<&'a ApprovalAnswer> {
    let own = answer.approvals.iter().filter(|approval| approval.person == person.as_str());
    own.max_by_key(|approval| Moment::parse(&approval.date).map(Moment::seconds))
}

/// The server's time, but later than the person's last statement.
pub fn date_after(earlier: Option<&ApprovalAnswer>, now: Moment) -> Result<Moment, Fault> {
    let now = Moment::from_seconds(now.seconds());
    let Some(last) = earlier.and_then(|approval| Moment::parse(&approval.date)) else {
        return Ok(now);
    };
    let date = now.max(last.plus_seconds(1));
    if date.seconds() - now.seconds() > AHEAD_SECONDS_MAX {
        return Err(Fault::new(format!(
            "your last statement is dated {last}, the server has {now}"
        ))
        .hint("wait until then, or have the server's clock looked at"));
    }
    Ok(date)
}

/// Reads a person's name, for clap.
pub fn person(text: &str) -> Result<PrincipalName, String> {
    PrincipalName::parse(text).ok_or_else(|| "a name has a-z, 0-9, `.`, `_` and `-`".to_owned())
}

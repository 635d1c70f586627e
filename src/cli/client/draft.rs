//! Who a statement is by, and when: what the signer cannot see from the delta.
//!
//! Used by `approve`, its like and `attest`. The clock is the server's, and a statement is always later than
//! the person's own last one, or it would never enter its place.

use crate::answer::{Answer, ApprovalAnswer};
use crate::cli::fault::Fault;
use crate::names::escape::escape_short;
use crate::names::moment::Moment;
use crate::names::principal::PrincipalName;

/// How far a date may run ahead of the server's clock, in seconds. The server takes 5 minutes; a
/// little less, because its answer takes time to arrive.
const AHEAD_SECONDS_MAX: i64 = 4 * 60;

/// Whose word a verb gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speaker {
    /// A person's.
    Person,
    /// A machine's.
    Machine,
}

/// In whose name the statement is.
pub fn signer(
    typed: Option<&PrincipalName>,
    answer: &Answer,
    speaker: Speaker,
) -> Result<PrincipalName, Fault> {
    if let Some(person) = typed {
        return Ok(person.clone());
    }
    let whose = match speaker {
        Speaker::Person => "say whose key you sign with: --as PERSON",
        Speaker::Machine => "say which machine's key you sign with: --as MACHINE",
    };
    let login = escape_short(answer.you.login.as_bytes());
    let Some(name) = answer.you.name.as_deref() else {
        let sentence = format!("the server knows you as \"{login}\", who is in no policy");
        return Err(Fault::new(sentence).hint(whose));
    };
    let is_machine = answer.you.kind == "machine";
    let shown = escape_short(name.as_bytes());
    match speaker {
        Speaker::Person if is_machine => {
            Err(Fault::new(format!("you are {shown}, a machine; machines never approve"))
                .hint(whose)
                .hint("a machine says pass or fail: portcullis attest CHECK pass COMMIT"))
        }
        Speaker::Machine if !is_machine => {
            Err(Fault::new(format!("you are {shown}, a person; only machines attest"))
                .hint(whose)
                .hint("a person says yes: portcullis approve COMMIT"))
        }
        Speaker::Person | Speaker::Machine => PrincipalName::parse(name)
            .ok_or_else(|| Fault::new("the server's name for you cannot be read")),
    }
}

/// The signer's own last statement about this delta: about this check of it, or as a person.
pub fn latest_of<'a>(
    signer: &PrincipalName,
    check: Option<&PrincipalName>,
    answer: &'a Answer,
) -> Option<&'a ApprovalAnswer> {
    let check = check.map(PrincipalName::as_str);
    let own = answer
        .approvals
        .iter()
        .filter(|word| word.person == signer.as_str() && word.check.as_deref() == check);
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

/// How long a statement may stand, in seconds: a year and a day.
const SPAN_SECONDS_MAX: i64 = 366 * 24 * 60 * 60;

/// Reads `36h`, `14d`, `2w` as seconds, for clap.
pub fn span(text: &str) -> Result<i64, String> {
    let wrong = || "give hours, days or weeks, such as 36h, 14d or 2w".to_owned();
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit_seconds = match unit {
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let count: i64 = digits.parse().ok().filter(|_| is_number).ok_or_else(wrong)?;
    let seconds = count.checked_mul(unit_seconds).ok_or_else(wrong)?;
    match seconds {
        1..=SPAN_SECONDS_MAX => Ok(seconds),
        _ => Err("between an hour and 366 days".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_have_a_unit_and_bounds() {
        for (text, seconds) in
            [("1h", 3600), ("14d", 1_209_600), ("2w", 1_209_600), ("366d", 31_622_400)]
        {
            assert_eq!(span(text), Ok(seconds));
        }
        for text in ["", "d", "14", "0d", "-1d", "+1d", "367d", "1y", "9999999999999999999d", "1é"]
        {
            assert!(span(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_as_a_span_never_panics(text in "\\PC{0,6}") {
            let _ = span(&text);
        }
    }
}

//! Who and when, as commits and tags claim it. Pure.

/// Who, and when, as a commit or tag claims.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ident {
    /// The name, maybe empty, any bytes but `<`, `>` and line feed.
    pub name: Vec<u8>,
    /// The e-mail address, maybe empty, likewise.
    pub email: Vec<u8>,
    /// Seconds since 1970.
    pub when_seconds: u64,
    /// The time zone as minutes east of UTC.
    pub zone_minutes: i32,
}

/// Why a claim of who and when is malformed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdentProblem {
    /// The name and the e-mail address are not where they belong.
    #[error("does not have the form `name <email> date zone`")]
    Form,
    /// The date is no number that a date can be.
    #[error("has a date that is no date")]
    Date,
    /// The time zone is not of the form `+hhmm`.
    #[error("has a time zone that is not of the form +hhmm")]
    Zone,
}

impl Ident {
    /// Reads `name <email> seconds zone`, as strictly as git-fsck(1) but for a missing name, which
    /// old imports have.
    pub fn parse(line: &[u8]) -> Result<Self, IdentProblem> {
        let bad = IdentProblem::Form;
        let open = line.iter().position(|&b| b == b'<').ok_or(bad)?;
        let close = open + line[open..].iter().position(|&b| b == b'>').ok_or(bad)?;
        let (name, email) = (&line[..open], &line[open + 1..close]);
        let name = match name {
            [] => name,
            [name @ .., b' '] => name,
            _ => return Err(bad),
        };
        if name.contains(&b'>') || email.contains(&b'<') {
            return Err(bad);
        }
        let rest = line[close + 1..].strip_prefix(b" ").ok_or(bad)?;
        let space = rest.iter().position(|&b| b == b' ').ok_or(IdentProblem::Date)?;
        let when_seconds = date(&rest[..space]).ok_or(IdentProblem::Date)?;
        let zone_minutes = zone(&rest[space + 1..]).ok_or(IdentProblem::Zone)?;
        Ok(Self { name: name.to_vec(), email: email.to_vec(), when_seconds, zone_minutes })
    }
}

/// Digits without leading zeros that fit a signed 64-bit time.
fn date(digits: &[u8]) -> Option<u64> {
    let padded = digits.len() > 1 && digits.starts_with(b"0");
    if padded || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    i64::try_from(seconds).is_ok().then_some(seconds)
}

fn zone(text: &[u8]) -> Option<i32> {
    let [sign @ (b'+' | b'-'), digits @ ..] = text else { return None };
    let [a, b, c, d] = *digits else { return None };
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |tens: u8, ones: u8| i32::from(tens - b'0') * 10 + i32::from(ones - b'0');
    let minutes = number(a, b) * 60 + number(c, d);
    Some(if *sign == b'-' { -minutes } else { minutes })
}

//! Lengths of time, as a policy writes them: `14d`, `12h`, `30m`, `90s`, `2w`.

/// The longest length of time a policy may ask for, in seconds: ten years.
pub const DURATION_SECONDS_MAX: i64 = 10 * 366 * 86_400;

/// The units, with their lengths in seconds.
const UNITS: [(char, i64); 5] =
    [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 7 * 86_400)];

/// Reads a whole number and a unit. `None` for anything else, for nothing at all, and for more
/// than ten years. The result is in seconds and at least 1.
pub fn seconds(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let digits = &text[..text.len() - unit.len_utf8()];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse::<i64>().ok()?.checked_mul(*length)?;
    (1..=DURATION_SECONDS_MAX).contains(&seconds).then_some(seconds)
}

/// Writes a length of time in the largest unit that holds it evenly.
pub fn shown(seconds: i64) -> String {
    let fitting = UNITS.iter().rev().find(|(_, length)| seconds % length == 0);
    fitting.map_or_else(
        || format!("{seconds}s"),
        |(unit, length)| format!("{}{unit}", seconds / length),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_make_a_length_of_time() {
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("12h"), Some(43_200));
        assert_eq!(seconds("2w"), Some(1_209_600));
        for odd in
            ["", "d", "0d", "-1d", "+1d", "1.5h", "14", "14 d", "14D", "99999999999999d", "é"]
        {
            assert_eq!(seconds(odd), None, "{odd}");
        }
    }

    #[test]
    fn what_is_shown_reads_back_the_same() {
        for length in [1, 59, 60, 3_600, 86_400, 90_000, 1_209_600] {
            assert_eq!(seconds(&shown(length)), Some(length));
        }
        assert_eq!(shown(1_209_600), "2w");
    }
}

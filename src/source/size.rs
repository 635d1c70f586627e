//! Sizes, as a policy writes them: `500B`, `64KiB`, `5MiB`, `1GiB`; `kB`, `MB` and `GB` are the
//! decimal ones.

/// The units, with their sizes in bytes; the longer ones first, as `B` ends them all.
const UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// Reads a whole number and a unit. `None` for anything else, for nothing at all, and for what no
/// file system holds. The result is in bytes and at least 1.
pub fn bytes(text: &str) -> Option<u64> {
    let (digits, unit) =
        UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let digits = digits.strip_suffix(' ').unwrap_or(digits);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(*unit).filter(|bytes| *bytes > 0)
}

/// Writes a size in a unit that people read: three digits, no fraction below 10 of it.
pub fn shown(bytes: u64) -> String {
    let (unit, size) = match bytes {
        0..10_240 => return format!("{bytes} bytes"),
        10_240..10_485_760 => ("KiB", 1 << 10),
        10_485_760..10_737_418_240 => ("MiB", 1 << 20),
        _ => ("GiB", 1_u64 << 30),
    };
    // Rounded up: what is over a limit is not shown as being at it.
    format!("{} {unit}", bytes.div_ceil(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_make_a_size() {
        assert_eq!(bytes("500B"), Some(500));
        assert_eq!(bytes("64KiB"), Some(65_536));
        assert_eq!(bytes("5 MiB"), Some(5_242_880));
        assert_eq!(bytes("2MB"), Some(2_000_000));
        for odd in ["", "5", "MiB", "0B", "-1B", "1.5MiB", "5mib", "5M", "99999999999999GiB", "é"]
        {
            assert_eq!(bytes(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_size_is_shown_as_people_say_it() {
        assert_eq!(shown(10_239), "10239 bytes");
        assert_eq!(shown(10_241), "11 KiB");
        assert_eq!(shown(5_242_880), "5120 KiB");
        assert_eq!(shown(104_857_600), "100 MiB");
    }
}

//! Names of objects: 20 bytes in a SHA-1 repository, 32 in a SHA-256 one.
//!
//! Made from hexadecimal text or raw bytes; used everywhere. The zero oid stands for "no object"
//! in Git's protocols and is an ordinary value here; who must not see it checks `is_zero`.

use std::fmt;

/// How a repository names its objects (`git help repository-version`, `extensions.objectFormat`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ObjectFormat {
    /// SHA-1: 20 bytes, 40 hexadecimal digits.
    Sha1,
    /// SHA-256: 32 bytes, 64 hexadecimal digits.
    Sha256,
}

impl ObjectFormat {
    /// The length of an object name in bytes.
    pub const fn len_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The length of an object name in hexadecimal digits.
    pub const fn len_hex(self) -> usize {
        self.len_bytes() * 2
    }

    /// The name Git uses in `extensions.objectFormat`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The oid of the empty tree, which Git knows without storing it.
    pub fn empty_tree(self) -> Oid {
        let hex: &[u8] = match self {
            Self::Sha1 => b"4b825dc642cb6eb9a060e54bf8d69288fbee4904",
            Self::Sha256 => b"6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
        };
        Oid::from_hex(hex).unwrap_or(Oid::zero(self))
    }
}

/// The name of an object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid {
    format: ObjectFormat,
    bytes: [u8; 32],
}

impl Oid {
    /// How many digits a person is shown.
    pub const SHORT_DIGITS: usize = 7;

    /// The name of no object, all zeros.
    pub const fn zero(format: ObjectFormat) -> Self {
        Self { format, bytes: [0; 32] }
    }

    /// Reads 40 or 64 hexadecimal digits, lower case as Git writes them. `None` for anything else.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        let format = match hex.len() {
            40 => ObjectFormat::Sha1,
            64 => ObjectFormat::Sha256,
            _ => return None,
        };
        let mut bytes = [0u8; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(hex.as_chunks().0) {
            *byte = nibble(*high)? << 4 | nibble(*low)?;
        }
        Some(Self { format, bytes })
    }

    /// Takes 20 or 32 raw bytes. `None` for any other length.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        let format = match raw.len() {
            20 => ObjectFormat::Sha1,
            32 => ObjectFormat::Sha256,
            _ => return None,
        };
        let mut bytes = [0u8; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(Self { format, bytes })
    }

    /// The raw bytes, 20 or 32 of them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.format.len_bytes()]
    }

    /// Which kind of repository this name belongs to.
    pub const fn format(&self) -> ObjectFormat {
        self.format
    }

    /// Whether this is the name of no object.
    pub fn is_zero(&self) -> bool {
        self.bytes == [0; 32]
    }

    /// All digits, lower case.
    pub fn hex(&self) -> String {
        hex_of(self.as_bytes())
    }

    /// The first digits, enough for a person to find the object again.
    pub fn short(&self) -> String {
        let mut hex = self.hex();
        hex.truncate(Self::SHORT_DIGITS);
        hex
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

const DIGITS: [char; 16] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

/// Bytes as lower-case hexadecimal digits.
pub fn hex_of(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    bytes.iter().flat_map(digits).collect()
}

/// The value of each lower-case hexadecimal digit; of any other byte, none. A look-up, because
/// which digit comes next cannot be guessed by a processor either.
const VALUES: [Option<u8>; 256] = {
    let mut values = [None; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value] as usize] = Some(value as u8);
        value += 1;
    }
    values
};

/// The value of one lower-case hexadecimal digit.
pub fn nibble(digit: u8) -> Option<u8> {
    VALUES[usize::from(digit)]
}

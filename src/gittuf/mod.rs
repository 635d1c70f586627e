//! Authorizations as gittuf keeps them: a signed file about one move of one ref.
//!
//! Only read, and only to the letter: a DSSE envelope around an in-toto statement with gittuf's
//! predicate. Pure: where the file lies is `gather`'s business, and whose the signatures are the
//! roster's. What parses is well-formed and nothing more.
//!
//! Sources: the DSSE protocol 1.0.2 (secure-systems-lab/dsse), in-toto Statement v1, and gittuf's
//! `internal/attestations` of v0.11 and later.

pub mod authorization;
pub mod envelope;
mod json;

/// The ref that holds all of gittuf's attestations.
pub const ATTESTATIONS: &[u8] = b"refs/gittuf/attestations";

/// The folder of its authorizations in the tree of that ref. Below it comes the ref's whole name, and
/// in that a file named [`file_name`].
pub const FOLDER: &str = "reference-authorizations";

/// The name of the file about a move from one value to a content, both in hexadecimal digits.
pub fn file_name(from: &str, target: &str) -> String {
    format!("{from}-{target}")
}

#[cfg(test)]
mod tests;

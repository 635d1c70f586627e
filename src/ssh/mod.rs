//! OpenSSH's formats, read exactly: signatures, public keys, and the files that list keys.
//!
//! Used by `roster` (keys in a policy), by whoever verifies statements and commits, by `identity`
//! (who logged in), and by `install --people`. Pure: bytes in, values out. Nothing here knows a
//! policy, a person or a repository, and nothing here signs.

pub mod allowed_signers;
pub mod armor;
pub mod auth_info;
pub mod authorized_keys;
pub mod certificate;
pub mod key;
pub mod options;
pub mod signature;
mod wire;

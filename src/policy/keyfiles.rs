//! The keys of `[identity]` that name files of keys.
//!
//! Read by `settings` for the policy, and by `glance` for whoever has to read these files first.

use crate::source::problem::Problems;
use crate::source::table::Table;
use crate::source::text::Located;

/// The key that names files of keys.
pub(super) const ALLOWED_SIGNERS: &str = "allowed-signers";

/// The key that names the file of OpenPGP keys.
pub(super) const KEYRING: &str = "keyring";

/// The keys of `[identity]` that name files.
pub(super) const KEY_FILES: [&str; 2] = [ALLOWED_SIGNERS, KEYRING];

/// The files that keys are taken from.
pub(super) fn allowed_signers(table: &mut Table<'_>, problems: &mut Problems) -> Vec<String> {
    if !table.has(ALLOWED_SIGNERS) {
        return Vec::new();
    }
    let Some(list) = table.texts_or_text(ALLOWED_SIGNERS, problems) else { return Vec::new() };
    list.value.iter().for_each(|file| no_file(file, problems));
    list.value.into_iter().map(|file| file.value).collect()
}

/// The file that OpenPGP keys are taken from.
pub(super) fn keyring(table: &mut Table<'_>, problems: &mut Problems) -> Option<String> {
    let file = table.text(KEYRING, problems)?;
    no_file(&file, problems);
    Some(file.value)
}

fn no_file(file: &Located<String>, problems: &mut Problems) {
    if file.value.is_empty() || file.value.contains('\0') {
        let hint = "name a file, by a full path or one from this policy's own folder";
        problems.error_hint(&file.spot, "no file can be called this", hint);
    }
}

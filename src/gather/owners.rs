//! The CODEOWNERS file that a landing is judged by: the one in the tree that it begins at.
//!
//! Never the one that the push brings: whoever pushes would choose who has to approve.

use crate::codeowners::FILE_BYTES_MAX;
use crate::codeowners::read;
use crate::facts::change::FileMode;
use crate::facts::needs::OwnersNeeds;
use crate::facts::owners::{FoundOwners, Owners, OwnersFile, Unread, places};
use crate::gather::error::GatherError;
use crate::gather::reader::Reader;
use crate::names::oid::Oid;

/// Reads the file as it stands at this commit; `None`: there is no commit to stand at.
pub fn look(
    reader: &Reader<'_>,
    commit: Option<Oid>,
    needs: &OwnersNeeds,
) -> Result<OwnersFile, GatherError> {
    let mut file = OwnersFile {
        commit,
        places: places(needs.dialect, needs.file.as_ref()),
        only_first: needs.file.is_some(),
        found: FoundOwners::Nothing,
    };
    for path in file.looked_at() {
        let Some(commit) = commit else { break };
        let Some(side) = reader.entry_at(&commit, path)? else { continue };
        let bytes = match side.mode {
            FileMode::File | FileMode::Executable => {
                reader.small_blob(&side.oid, FILE_BYTES_MAX)?.ok_or(Unread::TooLarge)
            }
            FileMode::Symlink | FileMode::Gitlink => Err(Unread::NoFile),
        };
        let book = bytes.and_then(|bytes| read(needs.dialect, &bytes).map_err(Unread::Unfit));
        let path = path.clone();
        file.found = match book {
            Ok(book) => {
                let owners = Box::new(Owners::new(book, &needs.directory));
                FoundOwners::Read { path, owners }
            }
            Err(why) => FoundOwners::Unread { path, why },
        };
        break;
    }
    Ok(file)
}

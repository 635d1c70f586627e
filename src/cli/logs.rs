//! The log of a repository, begun.
//!
//! Used by `install`. How a log is written is the log room's; what its first entry says is put
//! together here: the repository, its refs of that day and its policy.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::cli::fault::{Fault, OrFault};
use crate::cli::files::{self, Durable};
use crate::cli::quote::shown;
use crate::hook::fault::Stop;
use crate::hook::world::World;
use crate::hook::{host, record};
use crate::log::book::Log;
use crate::log::disk::{Disk, Medium, Modes};
use crate::log::entry::{Genesis, GenesisRef, Record};
use crate::log::file::Appended;
use crate::log::wire::{AsText, Listed, Text};
use crate::log::{append_only, remote};
use crate::names::moment::Moment;
use crate::store::objects::{HeadValue, Objects as _};

/// Begins the log of this repository in this folder.
pub fn create(
    git_dir: &Path,
    dir: &Path,
    mode: u32,
    moment: Moment,
    durable: Durable,
) -> Result<(), Fault> {
    let world = World::at_rest(git_dir).map_err(|stop| could_not(dir, &stop))?;
    let (policy, files) = world.policy().map_err(|stop| could_not(dir, &stop))?;
    let begun = || format!("could not begin the log in {}", shown(dir));
    let repository = world.repository.clone().unwrap_or_default();
    let refs = world.store.refs_under(b"refs/").or_fault(begun)?;
    let refs = refs.into_iter().map(|(name, oid)| GenesisRef {
        refname: Text(name.as_bytes().to_vec()),
        oid: AsText(oid),
    });
    let head = match world.store.head().or_fault(begun)? {
        HeadValue::Branch(name) => Some(Text(name.as_bytes().to_vec())),
        HeadValue::Detached(oid) => Some(Text(oid.hex().into_bytes())),
        HeadValue::Unreadable => None,
    };
    let genesis = Genesis {
        repo: repository.clone(),
        path: Text(git_dir.as_os_str().as_bytes().to_vec()),
        format: world.store.format().name().to_owned(),
        backend: world.store.ref_format().name().to_owned(),
        policy: Some(AsText(policy.digest)),
        head,
        refs: Listed::of(refs.collect()),
        previous: None,
    };
    let ctx = host::ctx(moment);
    let origin = format!("{}/{repository}", ctx.host);
    let (first, medium) = (medium(durable), medium(durable));
    let _receipt =
        Log::create_on(first.as_ref(), dir, &origin, genesis, &ctx, modes(mode)).or_fault(begun)?;
    let record = Record::Policy(record::policy(policy.digest, &files, "install"));
    match Log::open_on(medium, dir)
        .or_fault(begun)?
        .append(&[record], &ctx, None)
        .or_fault(begun)?
    {
        Appended::Written(_) | Appended::Held => Ok(()),
        // Nothing was expected to stand still, so nothing can have moved.
        Appended::Moved(_) => Err(Fault::new(begun())),
    }
}

/// Opens a log to go on with it.
pub fn open(dir: &Path, durable: Durable) -> Result<Log, Fault> {
    Log::open_on(medium(durable), dir).or_fault(|| format!("could not open the log {}", shown(dir)))
}

fn medium(durable: Durable) -> Box<dyn Medium> {
    match durable {
        Durable::AtOnce => Box::new(Disk),
        Durable::WithAll => Box::new(Later),
    }
}

/// The disk, which whoever writes many logs at once waits for once. No push is answered meanwhile:
/// the hooks come last, and the first push waits for the disk itself.
#[derive(Debug)]
struct Later;

impl Medium for Later {
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        Disk.append(file, bytes)
    }

    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

/// Permits a log to be on a network file system.
pub fn permit_network(dir: &Path, mode: u32) -> Result<(), Fault> {
    let could_not = || format!("could not write {}", shown(&remote::permit(dir)));
    files::make_folders(dir, mode).or_fault(could_not)?;
    files::write_whole(&remote::permit(dir), b"", modes(mode).file).or_fault(could_not)
}

/// Gives the files of a log the append-only attribute.
pub fn protect(dir: &Path) -> Result<(), Fault> {
    let could_not = || format!("could not make the log in {} append-only", shown(dir));
    for path in append_only::unprotected(dir).or_fault(could_not)? {
        let file = File::open(&path).or_fault(could_not)?;
        append_only::set(&file).or_fault(could_not).map_err(|fault| {
            fault
                .hint("only root may, and only on a file system that has it: ext4, XFS, Btrfs")
                .hint("without it: leave --append-only away")
        })?;
    }
    Ok(())
}

/// The modes of the log's files, by its folder's.
const fn modes(folder: u32) -> Modes {
    if folder & 0o070 == 0 { Modes::PRIVATE } else { Modes::GROUP }
}

fn could_not(dir: &Path, stop: &Stop) -> Fault {
    Fault::new(format!("could not begin the log in {}: {}", shown(dir), stop.reason))
}

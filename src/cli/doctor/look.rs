//! Looking at files, folders, mounts and accounts, without following what should not be followed.
//!
//! Used by `snapshot`. Every look is bounded; what cannot be seen is said to be hidden, never taken
//! for absent.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, StatVfsMountFlags};

use crate::cli::files;
use crate::names::moment::Moment;

/// How many folders below `refs` are searched for locks.
const FOLDERS_MAX: usize = 10_000;

/// How long the system's own text files may be, in bytes.
const SYSTEM_FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A path, and what is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    /// The path.
    pub path: PathBuf,
    /// What is there.
    pub seen: Seen,
}

/// What is at a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Nothing.
    Absent,
    /// Something that cannot be looked at; the system's words.
    Hidden(String),
    /// Something.
    There(Stat),
}

/// What is known about a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Its permission bits.
    pub mode: u32,
    /// The account it belongs to.
    pub owner: u32,
    /// The group it belongs to.
    pub group: u32,
    /// Whether anybody but its owner may write it. A group that nobody else is in, as many systems
    /// make one for each account, is nobody.
    pub others_write: bool,
    /// Its length in bytes.
    pub len_bytes: u64,
}

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A pipe, a socket or a device.
    Special,
}

impl Look {
    /// Looks at a path; a symlink is seen as a symlink.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: seen(fs::symlink_metadata(path)) }
    }

    /// Looks at what a path leads to.
    pub fn through(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: seen(fs::metadata(path)) }
    }

    /// What is known, when something is there.
    pub fn stat(&self) -> Option<&Stat> {
        match &self.seen {
            Seen::There(stat) => Some(stat),
            Seen::Absent | Seen::Hidden(_) => None,
        }
    }

    /// Whether there certainly is nothing.
    pub fn is_absent(&self) -> bool {
        self.seen == Seen::Absent
    }

    /// Whether this account may write there.
    pub fn is_writable(&self) -> bool {
        rustix::fs::access(&self.path, Access::WRITE_OK).is_ok()
    }

    /// The kind of network file system it is on, if it is on one.
    pub fn network_kind(&self) -> Option<&'static str> {
        let kind = rustix::fs::statfs(&self.path).ok()?.f_type;
        NETWORK_KINDS.iter().find(|(magic, _)| i128::from(kind) == *magic).map(|(_, name)| *name)
    }
}

/// Network file systems by their magic numbers (statfs(2)).
const NETWORK_KINDS: [(i128, &str); 6] = [
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x6573_5546, "FUSE"),
];

fn seen(meta: io::Result<fs::Metadata>) -> Seen {
    let meta = match meta {
        Ok(meta) => meta,
        Err(error) if files::is_absent(&error) => return Seen::Absent,
        Err(error) => return Seen::Hidden(error.to_string()),
    };
    let file_type = meta.file_type();
    let kind = if file_type.is_symlink() {
        Kind::Link
    } else if file_type.is_dir() {
        Kind::Folder
    } else if file_type.is_fifo()
        || file_type.is_socket()
        || file_type.is_block_device()
        || file_type.is_char_device()
    {
        Kind::Special
    } else {
        Kind::File
    };
    let mode = meta.mode() & 0o7777;
    let owner = meta.uid();
    let others_write = mode & 0o002 != 0 || mode & 0o020 != 0 && !is_private(meta.gid(), owner);
    let group = meta.gid();
    Seen::There(Stat { kind, mode, owner, group, others_write, len_bytes: meta.len() })
}

/// Whether programs may be run from this folder's mount. Where they may not, Git takes a hook for
/// one that is not executable.
pub fn may_run(folder: &Path) -> bool {
    rustix::fs::statvfs(folder)
        .map_or(true, |stat| !stat.f_flag.contains(StatVfsMountFlags::NOEXEC))
}

/// Lock files: of HEAD, the configuration, packed refs, and every ref.
pub fn locks(git_dir: &Path) -> Vec<PathBuf> {
    let names = [
        "HEAD.lock",
        "config.lock",
        "packed-refs.lock",
        "packed-refs.new",
        "reftable/tables.list.lock",
        "shallow.lock",
    ];
    let mut found: Vec<PathBuf> = names.iter().map(|name| git_dir.join(name)).collect();
    found.retain(|path| path.exists());
    let mut folders = vec![git_dir.join("refs")];
    let mut visited = 0;
    while let Some(folder) = folders.pop() {
        visited += 1;
        if visited > FOLDERS_MAX {
            break;
        }
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "lock") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Folders that hold the objects of pushes which are under way, or never ended.
pub fn incoming(git_dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(git_dir.join("objects")).into_iter().flatten().flatten();
    let is_incoming = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("tmp_objdir-incoming-") || name.starts_with("incoming-")
    };
    entries.filter(is_incoming).map(|entry| entry.path()).collect()
}

/// Each path with its age in seconds; what has gone by now is left out.
pub fn aged(paths: &[PathBuf], now: Moment) -> Vec<(PathBuf, i64)> {
    let age = |path: &PathBuf| {
        let changed = fs::symlink_metadata(path).ok()?.mtime();
        Some((path.clone(), now.seconds().saturating_sub(changed)))
    };
    paths.iter().filter_map(age).collect()
}

/// An account of this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// The program that it gets when it logs in.
    pub shell: String,
}

/// The account of this number, as far as /etc/passwd knows it. `None`: it is kept elsewhere.
pub fn account(number: u32) -> Option<Account> {
    let bytes = files::read_whole(Path::new("/etc/passwd"), SYSTEM_FILE_BYTES_MAX).ok()?;
    account_in(&String::from_utf8_lossy(&bytes), number)
}

/// Whether nobody but this account is in a group, as far as this machine's own files tell.
fn is_private(group: u32, owner: u32) -> bool {
    let read = |path: &str| files::read_whole(Path::new(path), SYSTEM_FILE_BYTES_MAX).ok();
    let (Some(groups), Some(passwd)) = (read("/etc/group"), read("/etc/passwd")) else {
        return false;
    };
    is_private_in(
        &String::from_utf8_lossy(&groups),
        &String::from_utf8_lossy(&passwd),
        &group.to_string(),
        &owner.to_string(),
    )
}

fn is_private_in(groups: &str, passwd: &str, group: &str, owner: &str) -> bool {
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let accounts: Vec<Vec<String>> = passwd.lines().map(fields).collect();
    let name = accounts.iter().find(|account| account.get(2).is_some_and(|id| id == owner));
    let Some(name) = name.and_then(|account| account.first()) else { return false };
    let alone = accounts
        .iter()
        .filter(|account| account.get(3).is_some_and(|primary| primary == group))
        .all(|account| account.get(2).is_some_and(|id| id == owner));
    let entry = groups.lines().map(fields).find(|entry| entry.get(2).is_some_and(|id| id == group));
    let Some(members) = entry.as_ref().and_then(|entry| entry.get(3)) else { return false };
    alone && members.split(',').all(|member| member.is_empty() || member == name)
}

/// The accounts in a group, by this machine's own files.
pub fn accounts_of(group: u32) -> Vec<Account> {
    let read = |path: &str| {
        let bytes = files::read_whole(Path::new(path), SYSTEM_FILE_BYTES_MAX).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    accounts_in(&read("/etc/group"), &read("/etc/passwd"), &group.to_string())
}

fn accounts_in(groups: &str, passwd: &str, group: &str) -> Vec<Account> {
    let entry = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let entry = entry.into_iter().find(|entry| entry.get(2) == Some(&group));
    let members = entry.as_ref().and_then(|entry| entry.get(3)).copied().unwrap_or_default();
    let members: Vec<&str> = members.split(',').collect();
    let accounts = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    accounts
        .filter_map(|fields| {
            let [name, _, _, first, _, _, shell] = fields.as_slice() else { return None };
            let is_in = *first == group || members.contains(name);
            is_in.then(|| Account { name: (*name).into(), shell: (*shell).into() })
        })
        .collect()
}

fn account_in(passwd: &str, number: u32) -> Option<Account> {
    let number = number.to_string();
    passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|fields| {
        let [name, _, id, _, _, _, shell] = fields.as_slice() else { return None };
        (*id == number).then(|| Account { name: (*name).into(), shell: (*shell).into() })
    })
}

/// A setting of sshd.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SshdLine {
    /// `FILE:LINE`, to find it again.
    pub place: String,
    /// The keyword in lower case.
    pub keyword: String,
    /// What follows it.
    pub value: String,
}

/// Where sshd's configuration is: its file and those beside it.
pub fn sshd_files() -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::from("/etc/ssh/sshd_config")];
    let beside = fs::read_dir("/etc/ssh/sshd_config.d").into_iter().flatten().flatten();
    paths.extend(beside.map(|entry| entry.path()));
    paths.sort();
    paths
}

/// What these files say, as far as they may be read.
pub fn sshd(paths: &[PathBuf]) -> Vec<SshdLine> {
    let read = |path: &PathBuf| {
        let bytes = files::read_whole(path, SYSTEM_FILE_BYTES_MAX).ok()?;
        Some(sshd_lines(&path.display().to_string(), &String::from_utf8_lossy(&bytes)))
    };
    paths.iter().filter_map(read).flatten().collect()
}

/// Takes a file apart (sshd_config(5)): keyword, then white space or `=`, then the rest.
pub fn sshd_lines(file: &str, text: &str) -> Vec<SshdLine> {
    let lines = text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        let (keyword, value) = line.split_once(|c: char| c.is_whitespace() || c == '=')?;
        Some(SshdLine {
            place: format!("{file}:{}", index + 1),
            keyword: keyword.to_ascii_lowercase(),
            value: value.trim_start_matches(|c: char| c.is_whitespace() || c == '=').into(),
        })
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_number() {
        let passwd =
            "root:x:0:0:root:/root:/bin/bash\ngit:x:998:998::/srv/git:/usr/bin/git-shell\n";
        let git = account_in(passwd, 998);
        assert_eq!(git.map(|account| account.shell).as_deref(), Some("/usr/bin/git-shell"));
        assert_eq!(account_in(passwd, 99), None);
    }

    #[test]
    fn whoever_is_in_a_group_is_found_by_either_file() {
        let passwd =
            "git:x:998:998::/:/bin/sh\nann:x:1000:1000::/:/bin/bash\nbob:x:1001:200::/:x\n";
        let groups = "git:x:998:\nteam:x:200:ann,gone\n";
        let names = |group| {
            let accounts = accounts_in(groups, passwd, group);
            accounts.into_iter().map(|account| account.name).collect::<Vec<_>>()
        };
        assert_eq!(names("200"), ["ann", "bob"]);
        assert_eq!(names("998"), ["git"]);
        assert!(names("5").is_empty());
    }

    #[test]
    fn programs_do_not_run_from_a_mount_that_says_so() {
        let is_noexec = std::fs::read_to_string("/proc/self/mounts").is_ok_and(|mounts| {
            let proc = mounts.lines().find(|line| line.split(' ').nth(1) == Some("/proc"));
            proc.is_some_and(|line| line.contains("noexec"))
        });
        assert_eq!(may_run(Path::new("/proc")), !is_noexec);
    }

    #[test]
    fn a_group_is_private_when_only_its_owner_is_in_it() {
        let passwd = "git:x:998:998::/:/bin/sh\nann:x:1000:1000::/:/bin/sh\nbob:x:1001:100::/:x\n";
        let groups = "git:x:998:\nann:x:1000:ann\nusers:x:100:\nteam:x:200:ann,git\n";
        let is_private = |group, owner| is_private_in(groups, passwd, group, owner);
        assert!(is_private("998", "998") && is_private("1000", "1000"));
        assert!(!is_private("100", "998"), "it is bob's first group");
        assert!(!is_private("200", "998"), "ann is in it");
        assert!(!is_private("300", "998") && !is_private("998", "5"), "nothing is known of them");
    }

    #[test]
    fn sshd_settings_are_taken_apart() {
        let lines = sshd_lines(
            "f",
            "# AcceptEnv X\nAcceptEnv\tLANG  GIT_*\n\n  permituserenvironment = yes\n",
        );
        let pairs: Vec<(&str, &str)> =
            lines.iter().map(|line| (line.keyword.as_str(), line.value.as_str())).collect();
        assert_eq!(pairs, [("acceptenv", "LANG  GIT_*"), ("permituserenvironment", "yes")]);
        assert_eq!(lines[0].place, "f:2");
    }
}

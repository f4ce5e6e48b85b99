//! PostgreSQL refuses to run as root, so root has to lend it another account.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, bail};
use nix::unistd::{Uid, User};

/// The account that the server runs as, where it is not our own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// `None` for a normal user; for root the packages' own account, or `nobody`, which every system has.
    pub(crate) fn needed() -> anyhow::Result<Option<Self>> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        for name in ["postgres", "nobody"] {
            if let Some(user) = User::from_name(name).context("looking up an account")? {
                return Ok(Some(Self {
                    uid: user.uid.as_raw(),
                    gid: user.gid.as_raw(),
                }));
            }
        }
        bail!("PostgreSQL does not run as root, and there is no account postgres or nobody")
    }

    pub(crate) fn run(self, command: &mut std::process::Command) {
        command.uid(self.uid).gid(self.gid);
    }
}

/// Creates `dir` for the server alone (mode 0700) and returns where it really is.
///
/// Below a closed folder such as `/root` another account could not reach it:
/// there `dir` becomes a link to a folder in `/var/tmp`, which goes stale, and is emptied, when the link is removed.
pub(crate) fn private_dir(dir: &Path, account: Option<Account>) -> io::Result<PathBuf> {
    let dir = std::path::absolute(dir)?;
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    let place = match account {
        Some(_) if !open_to_all(&dir) => place_elsewhere(&dir)?,
        _ => dir,
    };
    fs::create_dir_all(&place)?;
    fs::set_permissions(&place, fs::Permissions::from_mode(0o700))?;
    if let Some(account) = account {
        chown(&place, Some(account.uid), Some(account.gid))?;
    }
    Ok(place)
}

/// Whether every folder above `path` lets any account through.
pub(crate) fn open_to_all(path: &Path) -> bool {
    path.ancestors().skip(1).all(|folder| {
        fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    })
}

fn place_elsewhere(dir: &Path) -> io::Result<PathBuf> {
    if dir.is_symlink() {
        return fs::read_link(dir);
    }
    let mut hasher = DefaultHasher::new();
    dir.hash(&mut hasher);
    let place = PathBuf::from(format!("/var/tmp/postgres-{:016x}", hasher.finish()));
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    symlink(&place, dir)?;
    Ok(place)
}

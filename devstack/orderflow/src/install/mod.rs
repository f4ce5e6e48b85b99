//! Fetching and building what the real servers are made of, once per version, into a cache outside the tree.
//!
//! Each version of a recipe has a folder of its own: `<cache>/native/<name>-<fingerprint of its files>`.
//! It is made beside and renamed when it is whole, so that one that was interrupted is begun anew.
//! A server that is on the machine already is only [`Found`].

mod found;
mod program;
mod recipe;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

pub(crate) use found::Found;
pub(crate) use program::Program;
pub(crate) use recipe::{Missing, Recipe, Workshop};

/// Where downloads and builds are kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "With --servers native")]
pub(crate) struct Cache {
    /// Folder for downloads and builds [default: orderflow in `XDG_CACHE_HOME`, else in ~/.cache].
    #[arg(long = "cache", env = "ORDERFLOW_CACHE", value_name = "DIR")]
    folder: Option<PathBuf>,
    #[arg(long, env = "XDG_CACHE_HOME", hide = true)]
    xdg_cache_home: Option<PathBuf>,
}

impl Cache {
    /// The folder of the real servers.
    pub(crate) fn native(&self) -> anyhow::Result<PathBuf> {
        let orderflow = match (&self.folder, &self.xdg_cache_home) {
            (Some(folder), _) => std::path::absolute(folder)?,
            // The specification says that a relative path is to be ignored.
            (None, Some(caches)) if caches.is_absolute() => caches.join("orderflow"),
            _ => std::env::home_dir()
                .context("there is no home folder for downloads: set ORDERFLOW_CACHE")?
                .join(".cache/orderflow"),
        };
        Ok(orderflow.join("native"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn native(folder: Option<&str>, caches: Option<&str>) -> PathBuf {
        let cache = Cache {
            folder: folder.map(PathBuf::from),
            xdg_cache_home: caches.map(PathBuf::from),
        };
        cache.native().unwrap()
    }

    #[test]
    fn the_cache_is_where_the_user_says_or_where_the_system_keeps_caches() {
        assert_eq!(native(Some("/a"), Some("/b")), PathBuf::from("/a/native"));
        assert_eq!(
            native(None, Some("/b")),
            PathBuf::from("/b/orderflow/native")
        );
        assert!(native(None, Some("relative")).ends_with(".cache/orderflow/native"));
    }
}

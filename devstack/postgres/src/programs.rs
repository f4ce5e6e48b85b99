//! Where `postgres` and `initdb` are.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use postgresql_embedded::{PostgreSQL, SettingsBuilder};

use crate::account::{Account, open_to_all};

/// The oldest major version that the services are tested with.
const OLDEST: u32 = 15;

/// Where packages put the programs when they do not put them on `PATH`.
const USUAL_PLACES: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/libexec/postgresql*",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/opt/local/lib/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// The folder of `postgres` and `initdb`.
pub(crate) async fn find_or_download(account: Option<Account>) -> anyhow::Result<PathBuf> {
    let folder = match newest_of(folders(account)) {
        Some(folder) => folder,
        None => download(account).await?,
    };
    tracing::debug!(folder = %folder.display(), "found PostgreSQL");
    Ok(folder)
}

/// The folders that hold both programs, reachable for `account`.
fn folders(account: Option<Account>) -> HashSet<PathBuf> {
    let on_path = which::which_all("postgres").into_iter().flatten();
    let usual = USUAL_PLACES
        .iter()
        .filter_map(|pattern| glob::glob(pattern).ok())
        .flat_map(|paths| paths.filter_map(Result::ok))
        .map(|folder| folder.join("postgres"));
    on_path
        .chain(usual)
        // A program on `PATH` is often a link, and `initdb` looks for `postgres` beside the real one.
        .filter_map(|program| program.canonicalize().ok())
        .filter(|program| program.with_file_name("initdb").is_file())
        .filter(|program| account.is_none() || open_to_all(program))
        .filter_map(|program| program.parent().map(Path::to_path_buf))
        .collect()
}

fn newest_of(folders: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    folders
        .into_iter()
        .filter_map(|folder| Some((major_version(&folder.join("postgres"))?, folder)))
        .filter(|(version, _)| *version >= OLDEST)
        .max()
        .map(|(_, folder)| folder)
}

fn major_version(program: &Path) -> Option<u32> {
    let output = Command::new(program).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` and, before a release, `18beta1`.
fn parse_version(line: &str) -> Option<u32> {
    let version = line.split(") ").nth(1)?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

async fn download(account: Option<Account>) -> anyhow::Result<PathBuf> {
    let scratch = tempfile::tempdir()?;
    // `setup` goes on to `initdb`, which refuses root, unless the data folder looks as if that was done.
    std::fs::write(scratch.path().join("postgresql.conf"), "")?;
    let mut settings = SettingsBuilder::new().data_dir(scratch.path());
    if account.is_some() {
        // The default is below the home folder of root, which the server's account cannot enter.
        settings = settings.installation_dir("/var/cache/postgresql-embedded");
    }
    let mut server = PostgreSQL::new(settings.build());
    tracing::info!("no PostgreSQL {OLDEST} or newer is installed: downloading one");
    server.setup().await.with_context(|| {
        format!("downloading PostgreSQL, since none from {OLDEST} on is installed")
    })?;
    Ok(server.settings().binary_dir())
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn reads_the_major_version() {
        for (line, version) in [
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n",
                Some(15),
            ),
            ("postgres (PostgreSQL) 18.1\n", Some(18)),
            ("postgres (PostgreSQL) 19beta2\n", Some(19)),
            ("postgres (PostgreSQL) devel\n", None),
            ("", None),
        ] {
            assert_eq!(parse_version(line), version, "{line}");
        }
    }
}

//! The programs of this machine that the real servers are made and run with.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// A program, and where people get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    source: &'static str,
    oldest: Option<Oldest>,
}

/// The oldest version that will do, and the argument that a program tells its own on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Oldest {
    major: u32,
    flag: &'static str,
}

const fn program(name: &'static str, source: &'static str) -> Program {
    Program {
        name,
        source,
        oldest: None,
    }
}

impl Program {
    pub(crate) const JAVA: Self = program(
        "java",
        "`apt-get install openjdk-17-jre-headless`, `brew install openjdk` or https://adoptium.net",
    )
    .not_older_than(17, "-version");
    pub(crate) const MAVEN: Self = program(
        "mvn",
        "`apt-get install maven`, `brew install maven` or https://maven.apache.org",
    );
    pub(crate) const GO: Self = program("go", "`brew install go` or https://go.dev/dl");
    pub(crate) const CARGO: Self = program("cargo", "https://rustup.rs");
    pub(crate) const NODE: Self = program(
        "node",
        "`apt-get install nodejs npm`, `brew install node` or https://nodejs.org",
    )
    .not_older_than(18, "--version");
    pub(crate) const NPM: Self = program("npm", Self::NODE.source);
    pub(crate) const GCLOUD: Self = program(
        "gcloud",
        "https://cloud.google.com/sdk/docs/install, then `gcloud components install pubsub-emulator`",
    );

    const fn not_older_than(self, major: u32, flag: &'static str) -> Self {
        Self {
            oldest: Some(Oldest { major, flag }),
            ..self
        }
    }

    /// Where it is, if it is on `PATH`.
    pub(crate) fn find(self) -> Option<PathBuf> {
        which::which(self.name).ok()
    }

    /// Whether it is on `PATH`, works, and is new enough.
    pub(super) async fn is_there(self) -> bool {
        match (self.find(), self.oldest) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(path), Some(oldest)) => oldest.is_met_by(&path).await,
        }
    }
}

impl Oldest {
    /// Some systems have a `java` that is none, and only says where to get one.
    async fn is_met_by(self, program: &Path) -> bool {
        let mut command = Command::new(program);
        command.arg(self.flag).stdin(Stdio::null());
        let Ok(output) = command.kill_on_drop(true).output().await else {
            return false;
        };
        // Java tells its version on standard error.
        let words = [output.stdout, output.stderr].concat();
        let major = first_number(&String::from_utf8_lossy(&words));
        output.status.success() && major.is_some_and(|major| major >= self.major)
    }
}

/// The 17 of `openjdk version "17.0.15"`, and the 20 of `v20.20.2`.
fn first_number(text: &str) -> Option<u32> {
    let mut words = text.split(|character: char| !character.is_ascii_digit());
    words.find(|word| !word.is_empty())?.parse().ok()
}

/// `java 17 or newer, from https://adoptium.net`
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if let Some(Oldest { major, .. }) = self.oldest {
            write!(f, " {major} or newer")?;
        }
        write!(f, ", from {}", self.source)
    }
}

#[cfg(test)]
impl Program {
    pub(crate) const fn for_test(name: &'static str) -> Self {
        program(name, "somewhere")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_programs_tell_them() {
        let java = "openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime Environment";
        assert_eq!(first_number(java), Some(17));
        assert_eq!(first_number("java version \"1.8.0_292\""), Some(1));
        assert_eq!(first_number("v20.20.2"), Some(20));
        assert_eq!(first_number("no Java runtime is there"), None);
    }

    #[tokio::test]
    async fn a_program_that_is_too_old_or_only_says_where_to_get_it_is_not_there() {
        let echo = |major| Program::for_test("echo").not_older_than(major, "v17.2");
        assert!(echo(17).is_there().await);
        assert!(!echo(18).is_there().await);
        let failing = Program::for_test("false").not_older_than(0, "v17.2");
        assert!(!failing.is_there().await);
        assert_eq!(echo(18).to_string(), "echo 18 or newer, from somewhere");
    }
}

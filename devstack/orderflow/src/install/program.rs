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
    version: Version,
    argument: &'static str,
}

/// The first two numbers of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

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
    .not_older_than(Version(17, 0), "-version");
    pub(crate) const MAVEN: Self = program(
        "mvn",
        "`apt-get install maven`, `brew install maven` or https://maven.apache.org",
    );
    // From this version on, Go fetches by itself the newer one that a go.mod asks for; one that was forbidden to says so.
    pub(crate) const GO: Self = program("go", "`brew install go` or https://go.dev/dl")
        .not_older_than(Version(1, 21), "version");
    pub(crate) const CARGO: Self = program("cargo", "https://rustup.rs");
    pub(crate) const NODE: Self = program(
        "node",
        "`apt-get install nodejs npm`, `brew install node` or https://nodejs.org",
    )
    .not_older_than(Version(18, 0), "--version");
    pub(crate) const NPM: Self = program("npm", Self::NODE.source);
    pub(crate) const GCLOUD: Self = program(
        "gcloud",
        "https://cloud.google.com/sdk/docs/install, then `gcloud components install pubsub-emulator`",
    );

    const fn not_older_than(self, version: Version, argument: &'static str) -> Self {
        Self {
            oldest: Some(Oldest { version, argument }),
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
        command.arg(self.argument).stdin(Stdio::null());
        let Ok(output) = command.kill_on_drop(true).output().await else {
            return false;
        };
        // Java tells its version on standard error.
        let words = [output.stdout, output.stderr].concat();
        let version = Version::find(&String::from_utf8_lossy(&words));
        output.status.success() && version.is_some_and(|version| version >= self.version)
    }
}

impl Version {
    /// The 17.0 of `openjdk version "17.0.15"`, and the 1.26 of `go version go1.26.8 linux/amd64`.
    fn find(text: &str) -> Option<Self> {
        let begin = text.find(|character: char| character.is_ascii_digit())?;
        let is_other = |character: char| !(character.is_ascii_digit() || character == '.');
        let version = text[begin..].split(is_other).next()?;
        let mut numbers = version.split('.');
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next().and_then(|number| number.parse().ok());
        Some(Self(major, minor.unwrap_or_default()))
    }
}

/// `17` or `1.21`
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(major, 0) => write!(f, "{major}"),
            Self(major, minor) => write!(f, "{major}.{minor}"),
        }
    }
}

/// `java 17 or newer, from https://adoptium.net`
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if let Some(Oldest { version, .. }) = self.oldest {
            write!(f, " {version} or newer")?;
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
        for (words, version) in [
            (java, Some(Version(17, 0))),
            ("java version \"1.8.0_292\"", Some(Version(1, 8))),
            ("openjdk version \"25\" 2025-09-16", Some(Version(25, 0))),
            ("v20.20.2", Some(Version(20, 20))),
            ("go version go1.19.8 linux/amd64", Some(Version(1, 19))),
            ("no Java runtime is there", None),
        ] {
            assert_eq!(Version::find(words), version, "{words}");
        }
    }

    #[tokio::test]
    async fn a_program_that_is_too_old_or_only_says_where_to_get_it_is_not_there() {
        let echo =
            |major, minor| Program::for_test("echo").not_older_than(Version(major, minor), "v17.2");
        assert!(echo(17, 2).is_there().await);
        assert!(!echo(17, 3).is_there().await);
        assert!(!echo(18, 0).is_there().await);
        let failing = Program::for_test("false").not_older_than(Version(0, 0), "v17.2");
        assert!(!failing.is_there().await);
    }

    #[test]
    fn a_program_that_is_missing_is_named_with_the_version_that_is_wanted() {
        let message = |program: Program| program.to_string();
        assert!(message(Program::GO).starts_with("go 1.21 or newer, from "));
        assert!(message(Program::JAVA).starts_with("java 17 or newer, from "));
        assert_eq!(message(Program::for_test("sh")), "sh, from somewhere");
    }
}

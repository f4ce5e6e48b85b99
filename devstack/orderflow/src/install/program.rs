//! The programs of this machine that the real servers are made and run with.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// The first two numbers of a version.
type Version = (u32, u32);

/// A program, and where people get it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    source: &'static str,
    /// The oldest version that will do, and the argument that a program tells its own on.
    oldest: Option<(Version, &'static str)>,
}

impl Program {
    pub(crate) const JAVA: Self = Self {
        name: "java",
        source: "`apt-get install openjdk-17-jre-headless`, `brew install openjdk` or https://adoptium.net",
        oldest: Some(((17, 0), "-version")),
    };
    pub(crate) const MAVEN: Self = Self::any(
        "mvn",
        "`apt-get install maven`, `brew install maven` or https://maven.apache.org",
    );
    // From this version on, Go fetches by itself the newer one that a go.mod asks for; one that was forbidden to says so.
    pub(crate) const GO: Self = Self {
        name: "go",
        source: "`brew install go` or https://go.dev/dl",
        oldest: Some(((1, 21), "version")),
    };
    pub(crate) const CARGO: Self = Self::any("cargo", "https://rustup.rs");
    pub(crate) const NODE: Self = Self {
        name: "node",
        source: "`apt-get install nodejs npm`, `brew install node` or https://nodejs.org",
        oldest: Some(((18, 0), "--version")),
    };
    pub(crate) const NPM: Self = Self::any("npm", Self::NODE.source);
    pub(crate) const GCLOUD: Self = Self::any(
        "gcloud",
        "https://cloud.google.com/sdk/docs/install, then `gcloud components install pubsub-emulator`",
    );

    /// One that will do in any version.
    const fn any(name: &'static str, source: &'static str) -> Self {
        Self {
            name,
            source,
            oldest: None,
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
            (Some(path), Some((oldest, argument))) => {
                version_of(&path, argument).await >= Some(oldest)
            }
        }
    }
}

/// Some systems have a `java` that is none, and only says where to get one: it has no version.
async fn version_of(program: &Path, argument: &str) -> Option<Version> {
    let mut command = Command::new(program);
    command
        .arg(argument)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.ok()?;
    // Java tells its version on standard error.
    let words = [output.stdout, output.stderr].concat();
    let version = find_version(&String::from_utf8_lossy(&words));
    version.filter(|_| output.status.success())
}

/// The 17.0 of `openjdk version "17.0.15"`, and the 1.26 of `go version go1.26.8 linux/amd64`.
fn find_version(text: &str) -> Option<Version> {
    let begin = text.find(|character: char| character.is_ascii_digit())?;
    let is_other = |character: char| !(character.is_ascii_digit() || character == '.');
    let mut numbers = text[begin..].split(is_other).next()?.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next().and_then(|number| number.parse().ok());
    Some((major, minor.unwrap_or_default()))
}

/// `java 17 or newer, from https://adoptium.net`
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, source, .. } = self;
        match self.oldest {
            None => write!(f, "{name}, from {source}"),
            Some(((major, 0), _)) => write!(f, "{name} {major} or newer, from {source}"),
            Some(((major, minor), _)) => {
                write!(f, "{name} {major}.{minor} or newer, from {source}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Program {
        pub(crate) const fn for_test(name: &'static str) -> Self {
            Self::any(name, "somewhere")
        }
    }

    #[test]
    fn versions_are_read_as_programs_tell_them() {
        let java = "openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime Environment";
        for (words, version) in [
            (java, Some((17, 0))),
            ("java version \"1.8.0_292\"", Some((1, 8))),
            ("openjdk version \"25\" 2025-09-16", Some((25, 0))),
            ("v20.20.2", Some((20, 20))),
            ("go version go1.19.8 linux/amd64", Some((1, 19))),
            ("no Java runtime is there", None),
        ] {
            assert_eq!(find_version(words), version, "{words}");
        }
    }

    #[tokio::test]
    async fn a_program_that_is_too_old_or_only_says_where_to_get_it_is_not_there() {
        let program = |name, oldest| Program {
            oldest: Some((oldest, "v17.2")),
            ..Program::for_test(name)
        };
        assert!(program("echo", (17, 2)).is_there().await);
        assert!(!program("echo", (17, 3)).is_there().await);
        assert!(!program("echo", (18, 0)).is_there().await);
        assert!(!program("false", (0, 0)).is_there().await);
    }

    #[test]
    fn a_program_that_is_missing_is_named_with_the_version_that_is_wanted() {
        let message = |program: Program| program.to_string();
        assert!(message(Program::GO).starts_with("go 1.21 or newer, from "));
        assert!(message(Program::JAVA).starts_with("java 17 or newer, from "));
        assert_eq!(message(Program::for_test("sh")), "sh, from somewhere");
    }
}

//! The programs of this machine that the real servers are made and run with.

use std::fmt;
use std::path::PathBuf;

/// A program, and where people get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    source: &'static str,
}

const fn program(name: &'static str, source: &'static str) -> Program {
    Program { name, source }
}

impl Program {
    pub(crate) const JAVA: Self = program(
        "java",
        "`apt-get install openjdk-17-jre-headless`, `brew install openjdk` or https://adoptium.net",
    );
    pub(crate) const MAVEN: Self = program(
        "mvn",
        "`apt-get install maven`, `brew install maven` or https://maven.apache.org",
    );
    pub(crate) const GO: Self = program("go", "`brew install go` or https://go.dev/dl");
    pub(crate) const CARGO: Self = program("cargo", "https://rustup.rs");
    pub(crate) const NODE: Self = program(
        "node",
        "`apt-get install nodejs npm`, `brew install node` or https://nodejs.org",
    );
    pub(crate) const NPM: Self = program("npm", Self::NODE.source);
    pub(crate) const GCLOUD: Self = program(
        "gcloud",
        "https://cloud.google.com/sdk/docs/install, then `gcloud components install pubsub-emulator`",
    );

    /// Where it is, if it is on `PATH`.
    pub(crate) fn find(self) -> Option<PathBuf> {
        which::which(self.name).ok()
    }
}

/// `go, from https://go.dev/dl`
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, from {}", self.name, self.source)
    }
}

#[cfg(test)]
impl Program {
    pub(crate) const fn for_test(name: &'static str) -> Self {
        program(name, "somewhere")
    }
}

//! What another installation on this machine has, and is run from there: nothing is fetched, built or kept.

use std::path::PathBuf;

use super::Program;
use super::recipe::{Missing, check};

/// How it is found; asked at each start, since its owner may update or remove it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// What finding and running it takes.
    pub(crate) with: &'static [Program],
    pub(crate) find: fn() -> anyhow::Result<PathBuf>,
}

impl Found {
    /// Where it is now.
    pub(crate) async fn look(&self) -> Result<PathBuf, Missing> {
        check(self.with).await?;
        (self.find)().map_err(Missing::Failed)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[tokio::test]
    async fn what_is_not_there_is_told_with_the_reason() {
        let find = || bail!("it is not there");
        let missing =
            |with| async move { Found { with, find }.look().await.unwrap_err().to_string() };
        let program = &const { [Program::for_test("no-such-a")] };
        assert_eq!(missing(program).await, "it needs no-such-a, from somewhere");
        assert_eq!(missing(&[]).await, "it is not there");
    }
}

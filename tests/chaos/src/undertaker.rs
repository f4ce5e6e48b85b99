//! Sees to it that no service outlives the harness, however that ends.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};

use std::io::Write as _;

use anyhow::Context;

/// Each line of its input names all processes that run now; the last one's are killed when the input ends.
const KILL_AT_THE_END: &str =
    r#"while read -r line; do pids=$line; done; [ -z "$pids" ] || kill -9 $pids 2>/dev/null"#;

/// A process that waits for our end.
#[derive(Debug)]
pub(crate) struct Undertaker {
    process: Child,
    input: Option<ChildStdin>,
}

impl Undertaker {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let mut command = Command::new("sh");
        command
            .args(["-c", KILL_AT_THE_END])
            // Of its own, so that Ctrl-C reaches the harness alone.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut process = command.spawn().context("starting sh")?;
        let input = process.stdin.take();
        Ok(Self { process, input })
    }

    /// These processes run now, and no others.
    pub(crate) fn tell(&mut self, running: &[u32]) -> anyhow::Result<()> {
        let line: Vec<_> = running.iter().map(u32::to_string).collect();
        let mut input = self.input.as_ref().context("it is piped")?;
        writeln!(input, "{}", line.join(" ")).context("sh has ended")
    }
}

impl Drop for Undertaker {
    fn drop(&mut self) {
        drop(self.input.take());
        self.process.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    fn child() -> Child {
        Command::new("sleep").arg("1000").spawn().unwrap()
    }

    #[test]
    fn what_runs_at_the_end_is_killed_and_what_has_ended_before_is_left_alone() {
        let (mut old, mut new) = (child(), child());
        let mut undertaker = Undertaker::start().unwrap();
        undertaker.tell(&[old.id()]).unwrap();
        undertaker.tell(&[new.id()]).unwrap();
        drop(undertaker);
        assert_eq!(new.wait().unwrap().signal(), Some(9));
        assert_eq!(old.try_wait().unwrap(), None);
        old.kill().unwrap();
        old.wait().unwrap();
    }
}

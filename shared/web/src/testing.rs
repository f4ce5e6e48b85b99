//! For the tests of services: their programs as somebody meets them who starts them with the wrong settings, and waiting.

mod hang_up;
mod until;

use std::process::{Command, Output};

pub use hang_up::hang_up;
pub use until::until;

/// A program, started with the given variables and no others.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    path: &'static str,
    /// Variables without which it does not start.
    required: &'static [(&'static str, &'static str)],
}

impl Program {
    /// `path` is what cargo tells a test: `env!("CARGO_BIN_EXE_<name>")`.
    pub const fn new(
        path: &'static str,
        required: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { path, required }
    }

    /// What it says, all on standard error, when it does not start with these variables beside the required ones.
    pub fn refusal(&self, variables: &[(&str, &str)]) -> String {
        let output = self.run(variables, &[]);
        assert!(!output.status.success(), "it started with {variables:?}");
        let words = String::from_utf8(output.stderr).expect("it speaks UTF-8");
        words.trim_end().to_owned()
    }

    /// Each of these values is refused in one line that names its variable.
    pub fn refuses_each(&self, wrong: &[(&str, &str)]) {
        for (variable, value) in wrong {
            let line = self.refusal(&[(variable, value)]);
            assert_eq!(line.lines().count(), 1, "{line}");
            assert!(line.contains(variable), "{line}");
        }
    }

    /// Its `--help` has every setting of `command` with its variable and meaning, and those of telemetry.
    pub fn documents(&self, command: &clap::Command) {
        let help = self.run(&[], &["--help"]).stdout;
        let help = String::from_utf8(help).expect("it speaks UTF-8");
        // Long lines are wrapped.
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for setting in command.get_arguments() {
            assert!(setting.get_help().is_some(), "{setting} has no meaning");
            let variable = setting.get_env().and_then(|name| name.to_str());
            let variable = variable.unwrap_or_else(|| panic!("{setting} has no variable"));
            let shown = help.contains(&format!("[env: {variable}"));
            assert!(shown, "{variable} is missing in\n{help}");
        }
        assert!(help.contains("OTEL_EXPORTER_OTLP_ENDPOINT"));
    }

    fn run(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        Command::new(self.path)
            .env_clear()
            .env("OTEL_SDK_DISABLED", "true")
            .envs(self.required.iter().copied())
            .envs(variables.iter().copied())
            .args(arguments)
            .output()
            .expect("cargo has built the program")
    }
}

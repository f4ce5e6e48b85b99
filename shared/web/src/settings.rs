//! Settings in, one line out: what `main` does before and after the service runs.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, Error, Parser};
use url::Url;

use crate::healthcheck;

/// Parses the settings from the command line and the environment, or ends the process with one readable line.
///
/// An environment variable that is set to nothing counts as unset, as OpenTelemetry's own do:
/// that is what `${NAME:-}` in a compose file leaves.
///
/// With `--healthcheck` the process asks another one that has the same settings whether it is ready, and ends.
pub fn parse<C: Parser>() -> C {
    let mut command = C::command()
        .mut_args(without_empty_variable)
        .arg(healthcheck::arg());
    // Only a command that was built can name its arguments.
    command.build();
    let matches = command.clone().try_get_matches();
    if let Some(address) = matches.as_ref().ok().and_then(healthcheck::wanted) {
        let answer = healthcheck::ask(address);
        let status = i32::from(answer.is_err());
        exit(answer);
        std::process::exit(status);
    }
    let parsed = matches.and_then(|mut matches| C::from_arg_matches_mut(&mut matches));
    parsed.unwrap_or_else(|error| refuse(&command, &error))
}

/// Ends a service: success, or exit code 1 and the error with its causes in one line.
pub fn exit(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

/// Parses the URL of a remote over HTTP: a `value_parser` for settings.
pub fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err("it does not begin with http:// or https://".to_owned()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "clap has read the variable already, and does not show its value"
)]
fn without_empty_variable(arg: Arg) -> Arg {
    match arg.get_env() {
        Some(name) if std::env::var_os(name).is_some_and(|value| value.is_empty()) => arg.env(None),
        _ => arg,
    }
}

fn refuse(command: &Command, error: &Error) -> ! {
    if !error.use_stderr() {
        // `--help` and `--version`.
        error.exit();
    }
    eprintln!("{}", describe(command, error));
    std::process::exit(2);
}

/// What clap says over several lines, without the advice, and with the name of the variable.
fn describe(command: &Command, error: &Error) -> String {
    let text = error.render().to_string();
    let text = text.split("\n\nUsage:").next().unwrap_or(&text);
    let text = text
        .split("\n\nFor more information")
        .next()
        .unwrap_or(text);
    let line = one_line(text);
    let Some(arg) = culprit(command, error) else {
        return line;
    };
    let line = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(secret))
            if arg.is_hide_env_values_set() && !secret.is_empty() =>
        {
            line.replace(secret.as_str(), "…")
        }
        _ => line,
    };
    match arg.get_env() {
        Some(variable) => format!("{line} (environment variable {})", variable.display()),
        None => line,
    }
}

fn culprit<'a>(command: &'a Command, error: &Error) -> Option<&'a Arg> {
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    command
        .get_arguments()
        .find(|arg| arg.to_string() == *shown)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::net::SocketAddr;

    #[derive(Debug, Parser)]
    struct Settings {
        /// Where to listen.
        #[arg(long, env = "WEB_TEST_LISTEN_ADDR", default_value = "127.0.0.1:1")]
        listen_addr: SocketAddr,
        /// Where the secrets are.
        #[arg(long, env = "WEB_TEST_SECRET", hide_env_values = true)]
        secret: u16,
    }

    fn refusal(args: &[&str]) -> String {
        let mut command = Settings::command();
        command.build();
        let args = ["test"].iter().chain(args);
        let error = command.clone().try_get_matches_from(args).unwrap_err();
        describe(&command, &error)
    }

    #[test]
    fn names_the_value_the_setting_and_its_variable_in_one_line() {
        assert_eq!(
            refusal(&["--listen-addr", "nowhere", "--secret", "1"]),
            "error: invalid value 'nowhere' for '--listen-addr <LISTEN_ADDR>': invalid socket address syntax \
             (environment variable WEB_TEST_LISTEN_ADDR)"
        );
    }

    #[test]
    fn does_not_tell_a_secret() {
        let line = refusal(&["--secret", "hunter2"]);
        assert!(line.contains("WEB_TEST_SECRET"), "{line}");
        assert!(!line.contains("hunter2"), "{line}");
    }

    #[test]
    fn says_in_one_line_what_is_missing() {
        let line = refusal(&[]);
        assert_eq!(
            line,
            "error: the following required arguments were not provided: --secret <SECRET>"
        );
    }

    #[test]
    fn refuses_a_remote_that_does_not_speak_http() {
        assert!(base_url("http://orders:8081").is_ok());
        assert!(base_url("orders:8081").is_err());
        assert!(base_url("nowhere").is_err());
    }

    #[test]
    fn reads_settings_that_are_right() {
        let settings = Settings::try_parse_from(["test", "--secret", "7"]).unwrap();
        assert_eq!((settings.listen_addr.port(), settings.secret), (1, 7));
    }
}

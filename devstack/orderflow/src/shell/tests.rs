use super::*;

const EMBEDDED: Starts = Starts {
    is_demo: false,
    servers: Source::Embedded,
    has_endpoint: false,
    has_embeddings: false,
};
const DEMO: Starts = Starts {
    is_demo: true,
    ..EMBEDDED
};

fn shell(starts: Option<Starts>, variables: &[(&str, &str)]) -> Shell {
    let environment = variables.iter();
    let environment = environment.map(|(name, value)| ((*name).into(), (*value).into()));
    Shell {
        environment: environment.collect(),
        starts,
    }
}

/// The names that these variables have left, with the values, without those that are always set.
fn left(starts: Option<Starts>, variables: &[(&str, &str)]) -> Vec<String> {
    let none = shell(starts, &[]).cleaned();
    let cleaned = shell(starts, variables).cleaned().into_iter();
    let cleaned = cleaned.filter(|(name, value)| none.get(name) != Some(value));
    let lines = cleaned.map(|(name, value)| format!("{}={}", name.display(), value.display()));
    lines.collect()
}

#[test]
fn what_leads_to_other_servers_reaches_none_of_ours() {
    let variables = [
        ("AWS_PROFILE", "work"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("PGSSLMODE", "require"),
        ("ORDERS_DATABASE_URL", "postgres://db"),
        ("KAFKA_BROKERS", "kafka:9092"),
        ("GATEWAY_URL", "http://shop"),
        ("OTEL_SERVICE_NAME", "mine"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=mine"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "key=secret"),
        ("OPENAI_API_KEY", "secret"),
        ("SSL_CERT_FILE", "/no/such/file"),
        ("PATH", "/bin"),
    ];
    assert_eq!(left(Some(EMBEDDED), &variables), ["PATH=/bin"]);
    let line = shell(Some(EMBEDDED), &variables).line().unwrap();
    assert!(
        line.starts_with("of this shell, orderflow ignores AWS_PROFILE, AWS_USE_FIPS_ENDPOINT, "),
        "{line}"
    );
    assert!(!line.contains("PATH") && !line.contains("secret"), "{line}");
}

#[test]
fn what_was_set_on_purpose_reaches_the_services_and_is_named() {
    let variables = [
        ("FAULT_DROP_CONTEXT", "sqs"),
        ("GATEWAY_PORT", "9080"),
        ("MESSAGING_MAX_ATTEMPTS", "3"),
        ("OTEL_BSP_SCHEDULE_DELAY", "60000"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("RUST_LOG", "debug"),
    ];
    let lines = variables.map(|(name, value)| format!("{name}={value}"));
    assert_eq!(left(Some(EMBEDDED), &variables), lines);
    let told = "passes on FAULT_DROP_CONTEXT, MESSAGING_MAX_ATTEMPTS, OTEL_BSP_SCHEDULE_DELAY, ";
    let line = shell(Some(EMBEDDED), &variables).line().unwrap();
    assert!(line.contains(told), "{line}");
}

#[test]
fn a_demo_shows_traces_whatever_was_said_about_them() {
    let variables = [
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ];
    assert_eq!(left(Some(EMBEDDED), &variables).len(), 3);
    assert_eq!(left(Some(DEMO), &variables), ["OTEL_LOGS_EXPORTER=none"]);
}

#[test]
fn headers_and_keys_go_where_their_address_goes() {
    let starts = Starts {
        has_endpoint: true,
        has_embeddings: true,
        ..EMBEDDED
    };
    let variables = [
        ("OPENAI_API_KEY", "key"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "key=secret"),
    ];
    assert_eq!(left(Some(starts), &variables).len(), 2);
}

#[test]
fn servers_outside_are_reached_as_the_shell_says() {
    let starts = Starts {
        servers: Source::Outside,
        ..EMBEDDED
    };
    let variables = [("AWS_PROFILE", "work"), ("JAEGER_URL", "http://jaeger")];
    assert_eq!(left(Some(starts), &variables).len(), 2);
    let account = shell(Some(starts), &[]).cleaned();
    assert!(!account.contains_key(OsStr::new("AWS_CONFIG_FILE")));
}

#[test]
fn a_proxy_is_used_for_everything_but_this_machine_by_every_command() {
    for starts in [None, Some(EMBEDDED)] {
        let variables = [
            ("HTTP_PROXY", "http://proxy"),
            ("NO_PROXY", "corp"),
            ("no_proxy", ""),
        ];
        let cleaned = shell(starts, &variables).cleaned();
        assert_eq!(cleaned[OsStr::new("HTTP_PROXY")], "http://proxy");
        for name in NO_PROXY {
            assert_eq!(cleaned[OsStr::new(name)], "corp,127.0.0.1,localhost,::1");
        }
    }
}

#[test]
fn nothing_is_said_about_an_ordinary_shell_and_what_is_set_to_nothing_is_not_set() {
    let variables = [("GATEWAY_PORT", ""), ("AWS_PROFILE", ""), ("HOME", "/me")];
    assert_eq!(shell(Some(DEMO), &variables).line(), None);
    assert_eq!(left(Some(DEMO), &variables), ["HOME=/me"]);
}

#[test]
fn a_value_that_is_refused_is_told_with_its_variable() {
    let refused = Cli::command().try_get_matches_from(["orderflow", "up", "--gateway-port=tcp"]);
    let words = refusal(&refused.unwrap_err()).unwrap();
    assert_eq!(
        words,
        "GATEWAY_PORT is set to `tcp` in this shell: invalid value 'tcp' for '--gateway-port <PORT>': invalid digit \
         found in string"
    );
}

#[test]
fn a_wrong_value_hides_none_of_the_others() {
    let asked = |arguments: &[&str], variables: &[(&str, &str)]| {
        let arguments = ["orderflow", "up"].iter().chain(arguments);
        let environment = shell(None, variables).environment;
        starts(arguments.map(OsString::from), &environment).unwrap()
    };
    let wrong = ("GATEWAY_PORT", "");
    let theirs = ("OPENAI_BASE_URL", "https://models.example.com/v1");
    assert!(asked(&[], &[wrong, theirs]).has_embeddings);
    assert!(asked(&["--openai-base-url=http://localhost:1"], &[wrong]).has_embeddings);
    let outside = asked(&[], &[wrong, ("ORDERFLOW_SERVERS", "outside")]);
    assert_eq!(outside.servers, Source::Outside);
    let typed = asked(&["--servers=native"], &[("ORDERFLOW_SERVERS", "outside")]);
    assert_eq!(typed.servers, Source::Native);
    let nothing = asked(
        &[],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
            ("ORDERFLOW_SERVERS", ""),
        ],
    );
    assert_eq!(nothing, EMBEDDED);
}

#[test]
fn a_list_of_folders_is_one_if_any_is_there() {
    let variables = [
        ("SSL_CERT_DIR", "/no/such/folder:/"),
        ("TMPDIR", "/no/such/folder"),
    ];
    assert_eq!(
        left(Some(EMBEDDED), &variables),
        ["SSL_CERT_DIR=/no/such/folder:/"]
    );
}

use super::*;
use crate::ports::tests::default_ports;

fn addresses() -> Addresses {
    with(&Overrides::default())
}

fn with(overrides: &Overrides) -> Addresses {
    let ports = default_ports();
    Addresses {
        servers: Servers::here(&ports, "127.0.0.1:40001".into(), overrides),
        ports,
    }
}

fn lines(settings: &[Setting]) -> Vec<String> {
    settings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_service_is_told_where_it_listens_and_whom_it_talks_to_and_nothing_else() {
    assert_eq!(
        lines(&addresses().of_service(Service::Orders)),
        [
            "LISTEN_ADDR=127.0.0.1:8081",
            "DATABASE_URL=postgres://postgres@127.0.0.1:54320/orders",
            "KAFKA_BROKERS=127.0.0.1:40001",
            "PUBSUB_EMULATOR_HOST=127.0.0.1:8085",
            "PUBSUB_PROJECT_ID=orderflow",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317",
            "OTEL_BSP_SCHEDULE_DELAY=100",
        ]
    );
}

#[test]
fn the_shared_settings_name_each_database_apart() {
    let shared = lines(&addresses().shared());
    assert!(
        shared.contains(&"EMAIL_DATABASE_URL=postgres://postgres@127.0.0.1:54320/email".to_owned()),
        "{shared:?}"
    );
    assert!(
        shared.contains(&"GATEWAY_URL=http://127.0.0.1:8080".to_owned()),
        "{shared:?}"
    );
    assert!(
        shared.contains(&"OPENAI_BASE_URL=http://127.0.0.1:8090/v1".to_owned()),
        "{shared:?}"
    );
}

#[test]
fn no_setting_appears_twice() {
    let everything = Service::ALL
        .map(|service| addresses().of_service(service))
        .into_iter();
    for settings in everything.chain([addresses().shared()]) {
        let names: std::collections::HashSet<_> =
            settings.iter().map(|setting| &setting.name).collect();
        assert_eq!(names.len(), settings.len(), "{settings:?}");
    }
}

#[test]
fn a_real_key_reaches_the_classifier_only_with_a_server_of_its_own() {
    let key = Overrides {
        openai_api_key: Some("real".into()),
        ..Overrides::default()
    };
    let built_in = lines(&with(&key).of_service(Service::Classifier));
    assert!(!built_in.contains(&"OPENAI_API_KEY=real".to_owned()));

    let hosted = with(&Overrides {
        openai_base_url: Some("https://models.example/v1".into()),
        ..key
    });
    let hosted = lines(&hosted.of_service(Service::Classifier));
    assert!(
        hosted.contains(&"OPENAI_API_KEY=real".to_owned()),
        "{hosted:?}"
    );
    assert!(
        hosted.contains(&"OPENAI_BASE_URL=https://models.example/v1".to_owned()),
        "{hosted:?}"
    );
}

#[test]
fn telemetry_goes_where_and_when_the_user_said() {
    let overrides = Overrides {
        otlp_endpoint: Some("http://collector:4317".into()),
        otel_bsp_schedule_delay: Some(5000),
        ..Overrides::default()
    };
    let settings = lines(&with(&overrides).of_service(Service::Email));
    for expected in [
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317",
        "OTEL_BSP_SCHEDULE_DELAY=5000",
    ] {
        assert!(settings.contains(&expected.to_owned()), "{settings:?}");
    }
}

#[test]
fn a_stand_in_for_a_real_server_is_told_with_its_reason_in_one_line() {
    let mut addresses = addresses();
    let why = "it needs gcloud\n  or more".to_owned();
    addresses.servers.stand_ins = [("pubsub".to_owned(), why)].into();
    let shared = lines(&addresses.shared());
    let told = "ORDERFLOW_STAND_IN_PUBSUB='it needs gcloud'".to_owned();
    assert!(shared.contains(&told), "{shared:?}");
}

#[test]
fn values_that_a_shell_would_read_otherwise_are_quoted() {
    assert_eq!(
        Setting::new("A", "http://h/?a=1&b=2").to_string(),
        "A='http://h/?a=1&b=2'"
    );
    assert_eq!(Setting::new("A", "it's").to_string(), r"A='it'\''s'");
    assert_eq!(Setting::new("A", "").to_string(), "A=''");
}

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Service {
    #[command(flatten)]
    kafka: KafkaArgs,
}

fn parse(arguments: &[&str]) -> Result<KafkaArgs, String> {
    let arguments = ["service"].iter().chain(arguments);
    let service = Service::try_parse_from(arguments).map_err(|error| error.to_string())?;
    Ok(service.kafka)
}

fn config(arguments: &[&str]) -> ClientConfig {
    let mut config = ClientConfig::new();
    parse(arguments).unwrap().security.configure(&mut config);
    config
}

#[test]
fn without_a_word_there_is_neither_tls_nor_sasl() {
    let config = config(&[]);
    assert_eq!(config.get("security.protocol"), Some("plaintext"));
    assert_eq!(config.get("sasl.mechanism"), None);
}

#[test]
fn sasl_takes_a_mechanism_a_user_and_a_password_in_any_case() {
    let config = config(&[
        "--kafka-security-protocol=sasl_plaintext",
        "--kafka-sasl-mechanism=plain",
        "--kafka-sasl-username=orders",
        "--kafka-sasl-password=secret",
    ]);
    assert_eq!(config.get("security.protocol"), Some("sasl_plaintext"));
    assert_eq!(config.get("sasl.mechanism"), Some("PLAIN"));
    assert_eq!(config.get("sasl.username"), Some("orders"));
    assert_eq!(config.get("sasl.password"), Some("secret"));
}

#[test]
fn what_is_missing_is_named() {
    let sasl = "--kafka-security-protocol=SASL_PLAINTEXT";
    let plain = "--kafka-sasl-mechanism=PLAIN";
    for (arguments, missing) in [
        (vec![sasl], "--kafka-sasl-mechanism"),
        (vec![sasl, plain], "--kafka-sasl-username"),
        (
            vec![sasl, plain, "--kafka-sasl-username=a"],
            "--kafka-sasl-password",
        ),
        (
            vec!["--kafka-ssl-key-location=/dev/null"],
            "--kafka-ssl-certificate-location",
        ),
    ] {
        let refused = parse(&arguments).unwrap_err();
        assert!(refused.contains(missing), "{arguments:?}: {refused}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_refused_at_the_start() {
    let refused = parse(&["--kafka-ssl-ca-location=/no/such.pem"]).unwrap_err();
    assert!(refused.contains("/no/such.pem"), "{refused}");
}

#[test]
fn passwords_are_not_shown() {
    let args = parse(&["--kafka-sasl-username=a", "--kafka-sasl-password=hidden"]).unwrap();
    assert!(!format!("{args:?}").contains("hidden"));
}

#[cfg(not(feature = "kafka-tls"))]
#[test]
fn what_this_build_lacks_is_said_with_what_to_do() {
    for argument in [
        "--kafka-security-protocol=SSL",
        "--kafka-security-protocol=SASL_SSL",
        "--kafka-sasl-mechanism=SCRAM-SHA-512",
        "--kafka-compression-type=zstd",
    ] {
        let refused = parse(&[argument]).unwrap_err();
        assert!(refused.contains("--features kafka-tls"), "{refused}");
    }
}

#[cfg(feature = "kafka-tls")]
mod with_openssl {
    use super::*;

    #[test]
    fn every_mechanism_makes_a_client() {
        for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
            let mechanism = format!("--kafka-sasl-mechanism={mechanism}");
            let config = config(&[
                "--kafka-security-protocol=SASL_SSL",
                &mechanism,
                "--kafka-sasl-username=orders",
                "--kafka-sasl-password=secret",
            ]);
            config.create_native_config().unwrap();
        }
    }

    #[test]
    fn oauthbearer_asks_for_where_its_tokens_come_from() {
        let refused = parse(&[
            "--kafka-security-protocol=SASL_SSL",
            "--kafka-sasl-mechanism=OAUTHBEARER",
        ]);
        let refused = refused.unwrap_err();
        for missing in ["token-endpoint-url", "client-id", "client-secret"] {
            assert!(refused.contains(missing), "{refused}");
        }
    }

    #[test]
    fn the_system_says_whom_to_trust_unless_a_file_does() {
        let system = config(&["--kafka-security-protocol=SSL"]);
        assert_eq!(system.get("ssl.ca.location"), Some("probe"));
    }
}

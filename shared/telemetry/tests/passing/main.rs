//! Context passes from a request to the requests that are made for it, whatever of it is recorded.
//!
//! Settings are those of a process, so each case is one: this test, called again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use axum::routing::get;
use telemetry::Faults;
use telemetry::http::{client, server};
use tokio::net::TcpListener;
use tower::ServiceExt;

const TRACE: &str = "b2611246a58fd7ea623d2264c5a1e226";
const SPAN: &str = "b2c9b811f2f424af";
const STATE: &str = "rojo=1,congo=2";
const BAGGAGE: &str = "order.id=7,rate=100%2525;kind=vat";

/// What stands before the headers of each request that arrived, in the output of a case.
const ARRIVED: &str = "arrived ";

type Arrived = BTreeMap<String, String>;

/// What arrives behind a service that was sent the context above.
#[derive(Debug, Clone, Copy)]
struct Expected {
    /// The flags in a `traceparent` of the same trace, and whether it is the span that the service was sent.
    trace: Option<(&'static str, bool)>,
    baggage: bool,
}

const OWN_SPAN: Option<(&str, bool)> = Some(("01", false));
const UNCHANGED: Option<(&str, bool)> = Some(("01", true));
const NOT_SAMPLED: Option<(&str, bool)> = Some(("00", false));

const CASES: [(&[(&str, &str)], Expected); 11] = [
    (
        &[],
        Expected {
            trace: OWN_SPAN,
            baggage: true,
        },
    ),
    (
        &[("RUST_LOG", "off")],
        Expected {
            trace: OWN_SPAN,
            baggage: true,
        },
    ),
    (
        &[("OTEL_TRACES_EXPORTER", "none")],
        Expected {
            trace: OWN_SPAN,
            baggage: true,
        },
    ),
    (
        &[("OTEL_SDK_DISABLED", "true")],
        Expected {
            trace: UNCHANGED,
            baggage: true,
        },
    ),
    (
        &[("OTEL_TRACES_SAMPLER", "always_off")],
        Expected {
            trace: NOT_SAMPLED,
            baggage: true,
        },
    ),
    (
        &[
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0"),
        ],
        Expected {
            trace: NOT_SAMPLED,
            baggage: true,
        },
    ),
    (
        &[("OTEL_PROPAGATORS", "none")],
        Expected {
            trace: None,
            baggage: false,
        },
    ),
    (
        &[("OTEL_PROPAGATORS", "baggage")],
        Expected {
            trace: None,
            baggage: true,
        },
    ),
    (
        &[("OTEL_PROPAGATORS", "tracecontext")],
        Expected {
            trace: OWN_SPAN,
            baggage: false,
        },
    ),
    (
        &[
            ("OTEL_PROPAGATORS", "baggage"),
            ("OTEL_SDK_DISABLED", "true"),
        ],
        Expected {
            trace: None,
            baggage: true,
        },
    ),
    (
        &[
            ("OTEL_PROPAGATORS", "tracecontext"),
            ("OTEL_SDK_DISABLED", "TRUE"),
        ],
        Expected {
            trace: UNCHANGED,
            baggage: false,
        },
    ),
];

#[test]
fn context_passes_whatever_is_set() {
    for (settings, expected) in CASES {
        let arrived = arrived_with(settings);
        assert_eq!(arrived.len(), 3, "{settings:?}");
        for headers in &arrived {
            check(headers, expected);
        }
        // W3C's `test_multiple_requests_with_valid_traceparent`.
        let mut parents: Vec<_> = arrived
            .iter()
            .filter_map(|all| all.get("traceparent"))
            .collect();
        parents.sort_unstable();
        parents.dedup();
        let spans = match expected.trace {
            None => 0,
            Some((_, true)) => 1,
            Some((_, false)) => 3,
        };
        assert_eq!(parents.len(), spans, "{settings:?}: {arrived:?}");
    }
}

fn check(arrived: &Arrived, expected: Expected) {
    let value = |name: &str| arrived.get(name).map(String::as_str);
    let Some((flags, unchanged)) = expected.trace else {
        assert_eq!((value("traceparent"), value("tracestate")), (None, None));
        return assert_eq!(value("baggage"), expected.baggage.then_some(BAGGAGE));
    };
    let traceparent = value("traceparent").unwrap();
    assert_eq!(traceparent[..36], format!("00-{TRACE}-"), "{expected:?}");
    assert_eq!(&traceparent[36..52] == SPAN, unchanged, "{expected:?}");
    assert_eq!(&traceparent[53..], flags, "{expected:?}");
    assert_eq!(value("tracestate"), Some(STATE), "{expected:?}");
    assert_eq!(
        value("baggage"),
        expected.baggage.then_some(BAGGAGE),
        "{expected:?}"
    );
}

/// The headers of the requests that a service made, in a process of these settings.
fn arrived_with(settings: &[(&str, &str)]) -> Vec<Arrived> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_service_between_two",
            "--ignored",
            "--nocapture",
        ])
        .env_clear()
        .env("OTEL_LOGS_EXPORTER", "none")
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{settings:?}: {said}");
    let lines = said.lines().filter_map(|line| line.split_once(ARRIVED));
    let headers = lines.map(|(_, headers)| {
        let pairs = headers.split('\t').filter_map(|pair| pair.split_once(": "));
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    });
    headers.collect()
}

#[tokio::test]
#[ignore = "it is a part of the other, called with the settings of each case"]
async fn a_service_between_two() {
    let telemetry = telemetry::start("between").unwrap();
    let behind = behind().await;
    let client = client(Duration::from_secs(5), &Faults::default()).unwrap();
    let asks = move || async move {
        for _ in 0..3 {
            client.get(&behind).send().await.unwrap();
        }
    };
    let between = server(Router::new().route("/", get(asks)));
    let request = Request::get("/")
        .header("traceparent", format!("00-{TRACE}-{SPAN}-01"))
        .header("tracestate", "rojo=1")
        .header("tracestate", "congo=2")
        .header("baggage", BAGGAGE)
        .body(Body::empty());
    let response = between.oneshot(request.unwrap()).await.unwrap();
    assert!(response.status().is_success());
    drop(telemetry);
}

/// A server that prints the headers about context.
async fn behind() -> String {
    let print = |headers: HeaderMap| async move {
        let names = ["traceparent", "tracestate", "baggage"];
        let pairs = names.iter().flat_map(|name| {
            let values = headers.get_all(*name).iter();
            values.map(move |value| format!("{name}: {}", value.to_str().unwrap()))
        });
        #[expect(clippy::print_stdout, reason = "the other test reads it")]
        {
            println!("{ARRIVED}{}", pairs.collect::<Vec<_>>().join("\t"));
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(print));
    #[expect(
        clippy::disallowed_methods,
        reason = "the server lives as long as the test"
    )]
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

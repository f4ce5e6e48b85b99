//! Keeps web pages out. A stand-in asks nobody for a password, and a browser on the same machine reaches it like any program does.
//!
//! Two things betray a page. A page that reaches us by its own domain name (DNS rebinding) sends that name as `Host`.
//! Any other page is told apart by what browsers add to requests and pages cannot take away: `Origin` (Fetch standard) and `Sec-Fetch-Site` (Fetch Metadata).
//! Programs, such as SDKs and curl, send neither. No CORS header is ever sent, so a preflight, which has an `Origin`, is refused as any other.

use std::net::IpAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode};

/// Ends of names that no public domain has: this machine, Kubernetes, and the host as containers call it.
const PRIVATE_SUFFIXES: [&str; 4] = [".localhost", ".svc", ".cluster.local", ".internal"];

const FOREIGN_HOST: &str = "Refused: the Host header has a name that anybody could own, so a web page may be behind this request (DNS rebinding).\n\
    Use localhost, an IP address or a name without a dot, such as http://127.0.0.1.\n";

const FOREIGN_PAGE: &str = "Refused: this request comes from a web page of another origin, as its Origin or Sec-Fetch-Site header says, and this server is for programs.\n\
    Call it from a program, which sends neither header, or through a server of your own.\n";

/// Who may come in besides programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visitors {
    /// Nobody.
    Programs,
    /// People: the server has pages, and a link to one, wherever it stands, may be followed.
    ///
    /// For servers alone whose `GET` changes nothing, because that is what a followed link sends.
    People,
}

/// The router behind the guard.
pub(crate) fn around(router: Router, visitors: Visitors) -> Router {
    router.layer(from_fn_with_state(visitors, check))
}

async fn check(State(visitors): State<Visitors>, request: Request, next: Next) -> Response {
    let Some(reason) = refusal(&request, visitors) else {
        return next.run(request).await;
    };
    tracing::debug!(method = %request.method(), "refused a request of a web page");
    let headers = [(X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (StatusCode::FORBIDDEN, headers, reason).into_response()
}

fn refusal(request: &Request, visitors: Visitors) -> Option<&'static str> {
    let headers = request.headers();
    let hosts = hosts(request);
    if !hosts.iter().all(|host| is_private(host)) {
        return Some(FOREIGN_HOST);
    }
    let origins = headers.get_all(ORIGIN);
    let is_own = |origin: &[u8]| hosts.iter().any(|host| is_origin_of(origin, host));
    if !origins.iter().all(|origin| is_own(origin.as_bytes())) {
        return Some(FOREIGN_PAGE);
    }
    let site = fetch_metadata(headers, "sec-fetch-site");
    let is_foreign = ["cross-site", "same-site"].contains(&site);
    let may_come = visitors == Visitors::People && is_followed_link(request);
    (is_foreign && !may_come).then_some(FOREIGN_PAGE)
}

/// The names under which the client knows the server: `Host`, and in HTTP/2 `:authority`.
fn hosts(request: &Request) -> Vec<&[u8]> {
    let headers = request.headers().get_all(HOST).into_iter();
    let authority = request.uri().authority();
    headers
        .map(http::HeaderValue::as_bytes)
        .chain(authority.map(|authority| authority.as_str().as_bytes()))
        .collect()
}

/// Whether the host is none that a stranger's DNS server could let point here.
fn is_private(host: &[u8]) -> bool {
    let Ok(authority) = Authority::try_from(host) else {
        return false;
    };
    let name = authority.host().to_ascii_lowercase();
    let literal = name.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = literal.parse::<IpAddr>() {
        // Browsers send no `Sec-Fetch-Site` to these two forms of the loopback.
        return !address.is_unspecified() && !is_mapped(address);
    }
    let name = name.strip_suffix('.').unwrap_or(&name);
    !name.contains('.') || PRIVATE_SUFFIXES.iter().any(|end| name.ends_with(end))
}

fn is_mapped(address: IpAddr) -> bool {
    address != address.to_canonical()
}

fn is_origin_of(origin: &[u8], host: &[u8]) -> bool {
    let authority = origin
        .strip_prefix(b"http://")
        .or_else(|| origin.strip_prefix(b"https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// Whether a person followed a link, which shows the answer to that person, and to no page.
fn is_followed_link(request: &Request) -> bool {
    let headers = request.headers();
    [Method::GET, Method::HEAD].contains(request.method())
        && !headers.contains_key(ORIGIN)
        && fetch_metadata(headers, "sec-fetch-mode") == "navigate"
        && fetch_metadata(headers, "sec-fetch-dest") == "document"
}

fn fetch_metadata<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
    use tower::ServiceExt as _;

    use super::*;

    async fn answer(visitors: Visitors, method: &str, headers: &[(&str, &str)]) -> Response {
        let router = Router::new().route("/", get(async || "Ok").post(async || "Ok"));
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        around(router, visitors).oneshot(request).await.unwrap()
    }

    async fn status(visitors: Visitors, method: &str, headers: &[(&str, &str)]) -> u16 {
        answer(visitors, method, headers).await.status().as_u16()
    }

    #[tokio::test]
    async fn lets_programs_in_by_every_name_that_is_used_here() {
        for host in [
            "127.0.0.1:9324",
            "192.168.1.7",
            "[::1]:9324",
            "localhost:9324",
            "LOCALHOST",
            "localhost.",
            "sqs.localhost",
            "sqs:9324",
            "sqs.orderflow.svc:9324",
            "sqs.orderflow.svc.cluster.local",
            "host.docker.internal:9324",
        ] {
            let status = status(Visitors::Programs, "POST", &[("host", host)]).await;
            assert_eq!(status, 200, "{host}");
        }
        assert_eq!(status(Visitors::Programs, "GET", &[]).await, 200);
    }

    #[tokio::test]
    async fn refuses_names_that_a_stranger_can_let_point_here() {
        for host in [
            "evil.example",
            "localhost.evil.example:9324",
            "127.0.0.1.nip.io",
            "evil.local",
            "evillocalhost.example",
            "0.0.0.0:9324",
            "[::]:9324",
            "[::ffff:127.0.0.1]:9324",
            "a b",
            "",
        ] {
            let status = status(Visitors::People, "GET", &[("host", host)]).await;
            assert_eq!(status, 403, "{host:?}");
        }
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(status(Visitors::People, "GET", &two).await, 403);
    }

    #[tokio::test]
    async fn refuses_other_origins_and_knows_its_own() {
        let host = ("host", "localhost:8025");
        for (origin, expected) in [
            ("http://localhost:8025", 200),
            ("https://localhost:8025", 200),
            ("http://localhost:3000", 403),
            ("http://localhost", 403),
            ("http://127.0.0.1:8025", 403),
            ("https://evil.example", 403),
            ("chrome-extension://localhost:8025", 403),
            ("null", 403),
            ("", 403),
        ] {
            let headers = [host, ("origin", origin)];
            let status = status(Visitors::People, "POST", &headers).await;
            assert_eq!(status, expected, "{origin:?}");
        }
    }

    #[tokio::test]
    async fn refuses_what_a_page_embeds_although_it_has_no_origin() {
        for (site, expected) in [
            ("cross-site", 403),
            ("same-site", 403),
            ("same-origin", 200),
            ("none", 200),
        ] {
            let headers = [("host", "localhost"), ("sec-fetch-site", site)];
            assert_eq!(status(Visitors::People, "GET", &headers).await, expected);
        }
    }

    #[tokio::test]
    async fn a_link_from_elsewhere_may_be_followed_where_there_are_pages() {
        let link = |dest| {
            [
                ("host", "localhost"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", dest),
            ]
        };
        let document = link("document");
        assert_eq!(status(Visitors::People, "GET", &document).await, 200);
        assert_eq!(status(Visitors::People, "POST", &document).await, 403);
        assert_eq!(status(Visitors::People, "GET", &link("iframe")).await, 403);
        assert_eq!(status(Visitors::Programs, "GET", &document).await, 403);
    }

    #[tokio::test]
    async fn refuses_a_preflight_and_offers_no_cors() {
        let preflight = [
            ("host", "localhost"),
            ("origin", "https://evil.example"),
            ("access-control-request-method", "POST"),
        ];
        let answer = answer(Visitors::Programs, "OPTIONS", &preflight).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert!(!answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }
}

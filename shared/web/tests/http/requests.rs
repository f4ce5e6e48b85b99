use axum::body::Body;
use http::{Request, StatusCode};

use crate::helpers::{answer, of, problem};

#[tokio::test]
async fn describes_paths_queries_methods_and_places_that_are_wrong() {
    for (request, status) in [
        (of("/items/x"), 400),
        (of("/items/%ff"), 400),
        (of("/items/999999"), 400),
        (of("/items"), 400),
        (of("/items?limit=many"), 400),
        (of("/nowhere"), 404),
        (of("/baskets"), 405),
        (Request::delete("/items").body(Body::empty()).unwrap(), 405),
    ] {
        let uri = request.uri().clone();
        let (answered, document) = problem(request).await;
        assert_eq!(answered, status, "{uri}");
        assert!(document["detail"].is_string(), "{uri}");
    }
    assert_eq!(answer(of("/items/7")).await.status(), StatusCode::OK);
    assert_eq!(answer(of("/items?limit=7")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn says_nothing_about_what_is_our_own_fault() {
    for uri in ["/panic", "/unexpected"] {
        let (status, document) = problem(of(uri)).await;
        assert_eq!(status, 500);
        let text = document.to_string();
        assert!(
            !text.contains("purpose") && !text.contains("secret"),
            "{text}"
        );
    }
}

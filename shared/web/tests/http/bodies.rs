use http::{Request, StatusCode};

use crate::helpers::{answer, json, problem};

#[tokio::test]
async fn takes_a_body_that_parses() {
    let response = answer(json(r#"{"items":[{"a/b":1}]}"#)).await;
    assert_eq!(response.status(), StatusCode::CREATED);
}

/// The body is refused with one error: where in it, as a JSON pointer in a URI fragment, and what.
async fn assert_refused(body: &'static str, pointer: &str, detail: &str) {
    let (status, document) = problem(json(body)).await;
    assert_eq!(status, 422, "{body}");
    assert_eq!(document["errors"][0]["pointer"], pointer, "{body}");
    assert_eq!(document["errors"][0]["detail"], detail, "{body}");
    assert_eq!(document["detail"], detail, "{body}");
}

#[tokio::test]
async fn names_the_field_whose_value_is_wrong() {
    for (body, pointer, detail) in [
        (
            r#"{"items":[{"a/b":1},{"a/b":"x"}]}"#,
            "#/items/1/a~1b",
            "invalid type: string \"x\", expected u8",
        ),
        (
            r#"{"items":[{"a/b":256}]}"#,
            "#/items/0/a~1b",
            "invalid value: integer `256`, expected u8",
        ),
        (
            r#"{"items":{}}"#,
            "#/items",
            "invalid type: map, expected a sequence",
        ),
    ] {
        assert_refused(body, pointer, detail).await;
    }
}

#[tokio::test]
async fn names_the_field_that_is_missing_unknown_or_there_twice() {
    for (body, pointer, detail) in [
        (r#"{"items":[{}]}"#, "#/items/0/a~1b", "missing field `a/b`"),
        ("{}", "#/items", "missing field `items`"),
        (
            r#"{"items":[],"ünknown":1}"#,
            "#/%C3%BCnknown",
            "unknown field `ünknown`, expected `items`",
        ),
        (
            r#"{"items":[{"size":1}]}"#,
            "#/items/0/size",
            "unknown field `size`, expected `a/b` or `name`",
        ),
        (
            r#"{"items":[],"items":[]}"#,
            "#/items",
            "duplicate field `items`",
        ),
    ] {
        assert_refused(body, pointer, detail).await;
    }
}

#[tokio::test]
async fn says_that_the_body_itself_is_no_object() {
    let array = "the body must be an object, not an array";
    for (body, detail) in [
        ("[]", array),
        (r#" [[{"a/b":1}]]"#, array),
        ("1", "invalid type: integer `1`, expected struct Basket"),
    ] {
        assert_refused(body, "#", detail).await;
    }
}

#[tokio::test]
async fn says_where_a_body_stops_being_json() {
    for (body, place) in [
        ("{\n\"items\": x}", "line 2 column 10"),
        ("", "line 1 column 0"),
        ("{} {}", "line 1 column 4"),
        (r#"{"items":[]} x"#, "line 1 column 14"),
        ("{\"items\":[", "line 1 column 10"),
    ] {
        let (status, document) = problem(json(body)).await;
        if body == "{} {}" {
            // The first value is already no basket.
            assert_eq!(status, 422);
            continue;
        }
        assert_eq!(status, 400, "{body}");
        let detail = document["detail"].as_str().unwrap();
        assert!(detail.ends_with(place), "{detail}");
    }
    assert_eq!(problem(json(vec![b'"', 0xff, b'"'])).await.0, 400);
    assert_eq!(problem(json("[".repeat(100_000))).await.0, 422);
}

#[tokio::test]
async fn tells_back_only_the_start_of_what_was_sent() {
    let body = format!(r#"{{"{}":1}}"#, "x".repeat(200_000));
    let (status, document) = problem(json(body)).await;
    assert_eq!(status, 422);
    assert!(document.to_string().len() < 2000);
}

#[tokio::test]
async fn wants_json_as_content_type() {
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "json",
        "",
    ] {
        let request = Request::post("/baskets").header("content-type", content_type);
        let (status, document) = problem(request.body("{}".into()).unwrap()).await;
        assert_eq!(status, 415, "{content_type}");
        assert!(
            document["detail"]
                .as_str()
                .unwrap()
                .contains("application/json")
        );
    }
    let request = Request::post("/baskets")
        .body(r#"{"items":[]}"#.into())
        .unwrap();
    assert_eq!(problem(request).await.0, 415);
    for content_type in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.basket+json",
    ] {
        let request = Request::post("/baskets").header("content-type", content_type);
        let response = answer(request.body(r#"{"items":[]}"#.into()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::CREATED, "{content_type}");
    }
}

#[tokio::test]
async fn refuses_a_body_of_more_than_256_kib() {
    let just_right = format!(r#"{{"items":[]{}}}"#, " ".repeat(256 * 1024 - 12));
    assert_eq!(just_right.len(), 256 * 1024);
    assert_eq!(
        answer(json(just_right.clone())).await.status(),
        StatusCode::CREATED
    );
    let (status, document) = problem(json(just_right + " ")).await;
    assert_eq!(status, 413);
    assert!(
        document["detail"]
            .as_str()
            .unwrap()
            .contains("262144 bytes")
    );
}

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use embeddings::model;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::helpers::{Server, refusal};

fn floats(embedding: &Value) -> Vec<f32> {
    serde_json::from_value(embedding.clone()).expect("a list of numbers")
}

#[tokio::test]
async fn embeds_one_text() {
    let server = Server::start().await;
    let answer = server
        .embed(json!({ "input": "Two crystal glasses" }))
        .await;
    assert_eq!(answer["model"], model::NAME);
    assert_eq!(
        answer["usage"],
        json!({ "prompt_tokens": 3, "total_tokens": 3 })
    );
    let expected = model::Text::new("Two crystal glasses").embed(model::DIMENSIONS);
    assert_eq!(floats(&answer["data"][0]["embedding"]), expected);
}

#[tokio::test]
async fn embeds_a_list_in_its_order() {
    let server = Server::start().await;
    let answer = server
        .embed(json!({ "input": ["milk", "glass", "milk"] }))
        .await;
    let data = answer["data"].as_array().unwrap();
    assert_eq!(
        data.iter()
            .map(|d| d["index"].as_u64().unwrap())
            .collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert_eq!(data[0]["embedding"], data[2]["embedding"]);
    assert_ne!(data[0]["embedding"], data[1]["embedding"]);
}

#[tokio::test]
async fn base64_decodes_to_the_same_floats() {
    let server = Server::start().await;
    let floating = server.embed(json!({ "input": "glass" })).await;
    let encoded = server
        .embed(json!({ "input": "glass", "encoding_format": "base64" }))
        .await;
    let bytes = BASE64_STANDARD
        .decode(encoded["data"][0]["embedding"].as_str().unwrap())
        .unwrap();
    let (numbers, rest) = bytes.as_chunks::<4>();
    assert!(rest.is_empty());
    let decoded: Vec<f32> = numbers
        .iter()
        .map(|four| f32::from_le_bytes(*four))
        .collect();
    assert_eq!(decoded, floats(&floating["data"][0]["embedding"]));
}

#[tokio::test]
async fn shortens_the_vector_when_asked() {
    let server = Server::start().await;
    let answer = server
        .embed(json!({ "input": "glass", "dimensions": 64 }))
        .await;
    let vector = floats(&answer["data"][0]["embedding"]);
    assert_eq!(vector.len(), 64);
    assert!((vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
}

#[tokio::test]
async fn names_the_model_that_exists_when_another_is_asked_for() {
    let server = Server::start().await;
    let (status, error) = server
        .refusal(json!({ "input": "x", "model": "text-embedding-3-small" }))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(error["code"], "model_not_found");
    assert!(error["message"].as_str().unwrap().contains(model::NAME));
}

#[tokio::test]
async fn refuses_input_it_cannot_embed_and_names_the_field() {
    let server = Server::start().await;
    let long = "word ".repeat(8193);
    let refused = [
        json!({}),
        json!({ "input": null }),
        json!({ "input": "" }),
        json!({ "input": [] }),
        json!({ "input": ["x", ""] }),
        json!({ "input": [1, 2, 3] }),
        json!({ "input": [[1, 2], [3]] }),
        json!({ "input": ["x", { "text": "y" }] }),
        json!({ "input": 7 }),
        json!({ "input": long }),
        json!({ "input": vec!["x"; 2049] }),
    ];
    for fields in refused {
        let (status, error) = server.refusal(fields.clone()).await;
        assert_eq!(
            (status, &error["param"]),
            (StatusCode::BAD_REQUEST, &json!("input")),
            "{fields}"
        );
    }
}

#[tokio::test]
async fn says_that_token_arrays_are_not_supported() {
    let server = Server::start().await;
    let (_, error) = server.refusal(json!({ "input": [1, 2, 3] })).await;
    assert!(error["message"].as_str().unwrap().contains("Token arrays"));
}

#[tokio::test]
async fn accepts_as_many_inputs_as_openai_does() {
    let server = Server::start().await;
    let answer = server.embed(json!({ "input": vec!["x"; 2048] })).await;
    assert_eq!(answer["data"].as_array().unwrap().len(), 2048);
}

#[tokio::test]
async fn refuses_impossible_dimensions_and_unknown_formats() {
    let server = Server::start().await;
    for dimensions in [0, 257] {
        let (status, error) = server
            .refusal(json!({ "input": "x", "dimensions": dimensions }))
            .await;
        assert_eq!(
            (status, &error["param"]),
            (StatusCode::BAD_REQUEST, &json!("dimensions"))
        );
    }
    let (status, error) = server
        .refusal(json!({ "input": "x", "encoding_format": "hex" }))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(error["message"].as_str().unwrap().contains("hex"));
}

#[tokio::test]
async fn refuses_bodies_that_are_broken_or_too_large() {
    let server = Server::start().await;
    assert_eq!(
        refusal(server.post("{").await).await.0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        refusal(server.post(vec![0xff; 16]).await).await.0,
        StatusCode::BAD_REQUEST
    );
    let huge = vec![b' '; 5 * 1024 * 1024];
    assert_eq!(
        refusal(server.post(huge).await).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn lists_its_one_model() {
    let server = Server::start().await;
    let list: Value = server.get("/v1/models").await.json().await.unwrap();
    assert_eq!(list["data"][0]["id"], model::NAME);
    let one: Value = server
        .get(&format!("/v1/models/{}", model::NAME))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(one, list["data"][0]);
    let (status, _) = refusal(server.get("/v1/models/gpt-5").await).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn answers_unknown_paths_and_methods_in_the_same_shape() {
    let server = Server::start().await;
    let (status, _) = refusal(server.get("/v1/chat/completions").await).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = refusal(server.get("/v1/embeddings").await).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn is_healthy_until_it_is_told_to_stop() {
    let mut server = Server::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get(path).await.status(), StatusCode::OK);
    }
    server.shutdown.cancel();
    server
        .task
        .join_next()
        .await
        .unwrap()
        .unwrap()
        .expect("a clean stop");
}

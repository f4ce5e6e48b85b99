//! Which labelled example a text is nearest to.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use domain::Category;

use crate::clients::EmbeddingsClient;

/// The labelled examples, as they stand in the data file.
#[derive(Debug)]
struct Examples {
    labels: Vec<Category>,
    texts: Vec<String>,
}

/// The labelled examples as vectors.
#[derive(Debug)]
pub(crate) struct Model {
    examples: Vec<(Category, Vec<f32>)>,
}

impl Examples {
    /// The examples that the service comes with.
    fn built_in() -> anyhow::Result<Self> {
        let by_category: BTreeMap<Category, Vec<String>> =
            serde_json::from_str(include_str!("../examples.json"))
                .context("reading examples.json")?;
        let pairs = by_category
            .into_iter()
            .flat_map(|(category, texts)| texts.into_iter().map(move |text| (category, text)));
        let (labels, texts) = pairs.unzip();
        Ok(Self { labels, texts })
    }
}

impl Model {
    /// Embeds the examples that the service comes with.
    pub(crate) async fn learn(embeddings: &EmbeddingsClient) -> anyhow::Result<Self> {
        let examples = Examples::built_in()?;
        let vectors = embeddings.embed(&examples.texts).await?;
        Self::new(&examples, vectors)
    }

    /// `vectors` belong to the examples one by one.
    fn new(examples: &Examples, vectors: Vec<Vec<f32>>) -> anyhow::Result<Self> {
        ensure!(!vectors.is_empty(), "there are no examples");
        ensure!(
            vectors.len() == examples.labels.len(),
            "{} examples, but {} embeddings",
            examples.labels.len(),
            vectors.len()
        );
        let examples = examples.labels.iter().copied().zip(vectors).collect();
        Ok(Self { examples })
    }

    /// The category of the example whose direction is nearest.
    pub(crate) fn nearest(&self, vector: &[f32]) -> Category {
        let (category, _) = self
            .examples
            .iter()
            .map(|(category, example)| (*category, cosine(vector, example)))
            .max_by(|(_, one), (_, other)| one.total_cmp(other))
            .expect("there is at least one example");
        category
    }
}

/// The cosine of the angle between two vectors; 0 if one has no direction.
fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let dot: f32 = one.iter().zip(other).map(|(a, b)| a * b).sum();
    let length = length(one) * length(other);
    if length > 0.0 { dot / length } else { 0.0 }
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|a| a * a).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        let examples = Examples {
            labels: vec![Category::Standard, Category::Fragile],
            texts: vec!["mouse".to_owned(), "vase".to_owned()],
        };
        Model::new(&examples, vec![vec![1.0, 0.0], vec![0.0, 3.0]]).unwrap()
    }

    #[test]
    fn the_direction_decides_and_not_the_length() {
        assert_eq!(model().nearest(&[100.0, 1.0]), Category::Standard);
        assert_eq!(model().nearest(&[0.1, 0.2]), Category::Fragile);
    }

    #[test]
    fn every_category_has_examples() {
        let examples = Examples::built_in().unwrap();
        for category in Category::ALL {
            assert!(examples.labels.contains(&category), "{category} has none");
        }
    }

    #[test]
    fn refuses_vectors_that_do_not_match_the_examples() {
        let examples = Examples::built_in().unwrap();
        assert!(Model::new(&examples, vec![vec![1.0]]).is_err());
    }
}

//! Which labelled example a text is nearest to.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use domain::Category;

use crate::clients::EmbeddingsClient;

/// The least cosine at which a text says something: below it the nearest example is nearest by chance.
const RESEMBLES: f32 = 0.35;

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
    /// How long each vector is.
    dimensions: usize,
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
        let dimensions = vectors.iter().map(Vec::len).max().unwrap_or_default();
        ensure!(
            dimensions > 0 && vectors.iter().all(|vector| vector.len() == dimensions),
            "the embeddings are not all of one length"
        );
        let examples = examples.labels.iter().copied().zip(vectors).collect();
        Ok(Self {
            examples,
            dimensions,
        })
    }

    /// The category of an order whose texts have these vectors: that of the example which one of them is nearest to.
    ///
    /// One text that looks suspicious is enough, however ordinary the others are.
    pub(crate) fn category(&self, vectors: &[Vec<f32>]) -> anyhow::Result<Category> {
        let mut resembled = Vec::new();
        for vector in vectors {
            let (category, similarity) = self.nearest(vector)?;
            if similarity >= RESEMBLES {
                resembled.push((category, similarity));
            }
        }
        if resembled
            .iter()
            .any(|(category, _)| *category == Category::Suspicious)
        {
            return Ok(Category::Suspicious);
        }
        let nearest = resembled
            .into_iter()
            .max_by(|(_, one), (_, other)| one.total_cmp(other));
        Ok(nearest.map_or(Category::Standard, |(category, _)| category))
    }

    /// The category of the example whose direction is nearest, and how near it is.
    fn nearest(&self, vector: &[f32]) -> anyhow::Result<(Category, f32)> {
        // A vector of another length comes from another model, and says nothing here.
        let dimensions = self.dimensions;
        ensure!(
            vector.len() == dimensions,
            "an embedding of {} numbers, but the examples have {dimensions}",
            vector.len()
        );
        let nearest = self
            .examples
            .iter()
            .map(|(category, example)| (*category, cosine(vector, example)))
            .max_by(|(_, one), (_, other)| one.total_cmp(other))
            .expect("there is at least one example");
        Ok(nearest)
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
mod tests;

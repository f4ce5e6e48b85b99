//! The model: feature hashing of words, word pairs and character trigrams.
//!
//! Every feature of a text is hashed with 64-bit FNV-1a; the hash picks one dimension and a sign, and the feature's weight is added there.
//! The sign makes collisions cancel on average instead of piling up (Weinberger et al., *Feature Hashing for Large Scale Multitask Learning*, 2009).
//! Two texts are near when they share words; trigrams let `glass` and `glasses` share something too.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hasher as _;

use fnv::FnvHasher;

/// The only model there is, and what it does.
pub const NAME: &str = "orderflow-hash-256";

/// Length of a vector unless the request asks for a shorter one.
pub const DIMENSIONS: usize = 256;

/// Words that appear in every kind of order text and would make all of them look alike.
const STOP_WORDS: [&str; 42] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "has", "have", "i",
    "if", "in", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or", "our", "please",
    "so", "that", "the", "their", "them", "this", "to", "was", "we", "were", "will", "with", "you",
    "your",
];

/// A text as words, ready to be counted and embedded.
#[derive(Debug)]
pub struct Text<'a> {
    raw: &'a str,
    words: Vec<String>,
}

impl<'a> Text<'a> {
    /// Splits at everything that is neither a letter nor a digit, in any script.
    pub fn new(raw: &'a str) -> Self {
        let words = raw
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        Self { raw, words }
    }

    /// How many words the text has, stop words included: this model's measure of length.
    pub fn word_count(&self) -> usize {
        self.words.len()
    }

    /// The text as a vector of `dimensions` numbers and length 1.
    ///
    /// The same text gives the same vector, on every machine and in every version.
    pub fn embed(&self, dimensions: usize) -> Vec<f32> {
        let mut vector = vec![0.0; dimensions];
        // Floating-point sums depend on their order, so the features come out of an ordered map.
        for (feature, count) in self.features() {
            // Sublinear term frequency: the tenth mention adds less than the first.
            let weight = feature.weight() * (1.0 + count.ln());
            add(&mut vector, &feature.to_string(), weight);
        }
        // A text without a word, such as "!!!", has no features, and signs could cancel all of a tiny text.
        if norm(&vector) == 0.0 {
            add(&mut vector, self.raw, 1.0);
        }
        let length = norm(&vector);
        vector.into_iter().map(|x| x / length).collect()
    }

    /// Every feature with the number of times it occurs.
    fn features(&self) -> BTreeMap<Feature<'_>, f32> {
        let words = self.significant_words();
        let pairs = words.windows(2).map(|pair| Feature::Pair(pair[0], pair[1]));
        let parts = words.iter().flat_map(|word| trigrams(word));
        let words = words.iter().map(|word| Feature::Word(word));
        let mut counts = BTreeMap::new();
        for feature in words.chain(pairs).chain(parts) {
            *counts.entry(feature).or_default() += 1.0;
        }
        counts
    }

    /// The words without the stop words, or with them when there is nothing else.
    fn significant_words(&self) -> Vec<&str> {
        let words = || self.words.iter().map(String::as_str);
        let significant: Vec<_> = words().filter(|word| !STOP_WORDS.contains(word)).collect();
        if significant.is_empty() {
            words().collect()
        } else {
            significant
        }
    }
}

/// What is counted in a text. Its `Display` form is what gets hashed.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Feature<'a> {
    Word(&'a str),
    Pair(&'a str, &'a str),
    Part([char; 3]),
}

impl Feature<'_> {
    /// A word says more than a piece of one, and there are many more pieces.
    fn weight(&self) -> f32 {
        match self {
            Self::Word(_) => 1.0,
            Self::Pair(..) => 0.5,
            Self::Part(_) => 0.25,
        }
    }
}

impl fmt::Display for Feature<'_> {
    /// The prefixes keep the word `ear` and the piece `ear` of `pearl` apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "word:{word}"),
            Self::Pair(first, second) => write!(f, "pair:{first} {second}"),
            Self::Part([a, b, c]) => write!(f, "part:{a}{b}{c}"),
        }
    }
}

/// The character trigrams of a word, with its ends marked, so that `^gl` is not the `gl` within another word.
fn trigrams(word: &str) -> Vec<Feature<'static>> {
    let marked: Vec<char> = format!("^{word}$").chars().collect();
    marked
        .array_windows()
        .map(|&part| Feature::Part(part))
        .collect()
}

/// Adds a weight at the dimension, and with the sign, that the feature's hash picks.
fn add(vector: &mut [f32], feature: &str, weight: f32) {
    let mut hasher = FnvHasher::default();
    hasher.write(feature.as_bytes());
    let hash = hasher.finish();
    // FNV's low bits are its weakest, so the halves are folded; the top bit gives the sign.
    let folded = (hash >> 32) ^ (hash & 0xFFFF_FFFF);
    let dimension = usize::try_from(folded % vector.len() as u64).expect("smaller than the vector");
    vector[dimension] += if hash >> 63 == 0 { weight } else { -weight };
}

fn norm(vector: &[f32]) -> f32 {
    vector.iter().map(|x| x * x).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embed(text: &str) -> Vec<f32> {
        Text::new(text).embed(DIMENSIONS)
    }

    fn cosine(a: &str, b: &str) -> f32 {
        embed(a).iter().zip(embed(b)).map(|(x, y)| x * y).sum()
    }

    fn assert_unit(vector: &[f32]) {
        assert!((norm(vector) - 1.0).abs() < 1e-5, "length {}", norm(vector));
    }

    #[test]
    fn the_same_text_gives_the_same_vector() {
        let text = "Crystal wine glasses, six of them, very fragile";
        assert_eq!(embed(text), embed(text));
        assert_eq!(embed(text), embed(&text.to_uppercase()));
    }

    /// Guards the promise that vectors stay comparable over versions: changing the hash or a weight fails here.
    /// The numbers were computed apart, from FNV-1a's definition.
    #[test]
    fn a_known_text_gives_the_known_vector() {
        let known = [
            (16, -0.25),
            (40, 0.25),
            (43, 0.25),
            (89, -1.0),
            (126, -0.25),
            (177, -0.25),
        ];
        let mut expected = vec![0.0_f32; DIMENSIONS];
        for (dimension, weight) in known {
            expected[dimension] = weight / (1.0_f32 + 5.0 / 16.0).sqrt();
        }
        for (dimension, (ours, known)) in embed("glass").iter().zip(expected).enumerate() {
            assert!(
                (ours - known).abs() < 1e-6,
                "dimension {dimension}: {ours}, not {known}"
            );
        }
    }

    #[test]
    fn every_vector_has_length_one() {
        for text in [
            "glass",
            "the",
            "!!!",
            " ",
            "日本の茶碗",
            "a b c d e f g",
            "🎁",
        ] {
            for dimensions in [1, 7, 64, DIMENSIONS] {
                assert_unit(&Text::new(text).embed(dimensions));
            }
        }
    }

    #[test]
    fn near_texts_are_nearer_than_far_ones() {
        let text = "handle the crystal glass with care, it breaks easily";
        let near = cosine(text, "fragile glasses that break, careful handling");
        let far = cosine(text, "fresh milk and cheese, keep refrigerated");
        assert!(near > far + 0.1, "near {near}, far {far}");
    }

    #[test]
    fn stop_words_do_not_bring_texts_together() {
        let with = cosine("this is for the garden", "this is for the kitchen");
        let without = cosine("garden", "kitchen");
        assert!((with - without).abs() < 1e-5, "{with} and {without}");
    }

    #[test]
    fn the_order_of_words_matters_a_little() {
        let similarity = cosine("gift card wrapped box", "box wrapped card gift");
        assert!(similarity > 0.5 && similarity < 0.999, "{similarity}");
    }

    #[test]
    fn repeating_a_word_helps_less_each_time() {
        let once = cosine("gift", "gift glass");
        let ten_times = cosine("gift", &format!("{}glass", "gift ".repeat(10)));
        assert!(
            ten_times > once && ten_times < 0.99,
            "{once} then {ten_times}"
        );
    }

    #[test]
    fn counts_words_in_any_script() {
        assert_eq!(Text::new("two, words!").word_count(), 2);
        assert_eq!(Text::new("zwölf Gläser").word_count(), 2);
        assert_eq!(Text::new("...").word_count(), 0);
    }
}

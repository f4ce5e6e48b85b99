use embeddings::model::{DIMENSIONS, Text};

use super::*;

/// What the shop sells, as the inventory calls it.
const ITEMS: [&str; 10] = [
    "wireless mouse",
    "hand blown glass vase",
    "fresh strawberries",
    "birthday gift box",
    "laptop stand",
    "porcelain tea set",
    "fresh salmon fillet",
    "paperback novel",
    "stainless steel water bottle",
    "desk lamp, the last five",
];

fn examples() -> Examples {
    Examples {
        labels: vec![Category::Standard, Category::Fragile, Category::Suspicious],
        texts: ["mouse", "vase", "stolen card"].map(str::to_owned).to_vec(),
    }
}

fn small_model() -> Model {
    let vectors = vec![
        vec![1.0, 0.0, 0.0],
        vec![0.0, 3.0, 0.0],
        vec![0.0, 0.0, 1.0],
    ];
    Model::new(&examples(), vectors).unwrap()
}

fn embed(text: &str) -> Vec<f32> {
    Text::new(text).embed(DIMENSIONS)
}

/// The model that the service runs with, beside the embeddings of the embedded mode.
fn real_model() -> Model {
    let examples = Examples::built_in().unwrap();
    let vectors = examples.texts.iter().map(|text| embed(text)).collect();
    Model::new(&examples, vectors).unwrap()
}

/// Every list of one or two items.
fn lists() -> impl Iterator<Item = String> {
    let pairs = |first: usize| ITEMS[first + 1..].iter().map(move |second| (first, second));
    let pairs = (0..ITEMS.len()).flat_map(pairs);
    let pairs = pairs.map(|(first, second)| format!("{}, {second}", ITEMS[first]));
    ITEMS.iter().map(ToString::to_string).chain(pairs)
}

#[test]
fn the_direction_decides_and_not_the_length() {
    let category = |vector: [f32; 3]| small_model().category(&[vector.to_vec()]).unwrap();
    assert_eq!(category([100.0, 1.0, 0.0]), Category::Standard);
    assert_eq!(category([0.1, 0.2, 0.0]), Category::Fragile);
}

#[test]
fn one_suspicious_text_is_enough_and_otherwise_the_nearest_decides() {
    let category = |vectors: [[f32; 3]; 2]| {
        let vectors = vectors.map(|vector| vector.to_vec());
        small_model().category(&vectors).unwrap()
    };
    let (mouse, vase) = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]);
    assert_eq!(category([vase, [0.3, 0.0, 0.4]]), Category::Suspicious);
    assert_eq!(category([mouse, [0.4, 0.5, 0.0]]), Category::Standard);
    assert_eq!(category([[0.4, 0.5, 0.0], vase]), Category::Fragile);
}

#[test]
fn a_text_that_resembles_nothing_says_nothing() {
    for vectors in [vec![], vec![vec![0.0; 3]], vec![vec![-1.0, -1.0, 0.2]]] {
        let category = small_model().category(&vectors).unwrap();
        assert_eq!(category, Category::Standard, "{vectors:?}");
    }
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
    for vectors in [
        vec![],
        vec![vec![1.0]],
        vec![vec![1.0], vec![1.0], vec![1.0, 2.0]],
        vec![vec![]; 3],
    ] {
        assert!(Model::new(&examples(), vectors).is_err());
    }
}

#[test]
fn refuses_a_vector_of_another_length() {
    for vector in [vec![], vec![1.0], vec![1.0; 4]] {
        assert!(small_model().category(&[vector]).is_err());
    }
}

#[test]
fn knows_the_items_of_the_shop() {
    let model = real_model();
    for (items, category) in [
        ("wireless mouse", Category::Standard),
        ("laptop stand", Category::Standard),
        ("hand blown glass vase", Category::Fragile),
        ("porcelain tea set", Category::Fragile),
        ("fresh strawberries", Category::Perishable),
        ("fresh salmon fillet", Category::Perishable),
        ("birthday gift box", Category::Gift),
        ("ITEM-999", Category::Standard),
    ] {
        assert_eq!(
            model.category(&[embed(items)]).unwrap(),
            category,
            "{items}"
        );
    }
}

#[test]
fn finds_a_suspicious_note_whatever_is_ordered() {
    let model = real_model();
    let notes = include_str!("notes/suspicious.txt").lines();
    for (note, items) in notes.flat_map(|note| lists().map(move |items| (note, items))) {
        let category = model.category(&[embed(&items), embed(note)]).unwrap();
        assert_eq!(category, Category::Suspicious, "{items}: {note}");
    }
}

#[test]
fn does_not_suspect_an_ordinary_note_whatever_is_ordered() {
    let model = real_model();
    let notes = include_str!("notes/ordinary.txt").lines();
    for (note, items) in notes.flat_map(|note| lists().map(move |items| (note, items))) {
        let category = model.category(&[embed(&items), embed(note)]).unwrap();
        assert_ne!(category, Category::Suspicious, "{items}: {note}");
    }
}

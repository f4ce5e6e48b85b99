//! Three brokers, one shape: the modules have the same public items, but for those that the README's table tells of.

use std::collections::BTreeSet;

const KAFKA: &str = include_str!("../src/kafka/mod.rs");
const SQS: &str = include_str!("../src/sqs/mod.rs");
const PUBSUB: &str = include_str!("../src/pubsub/mod.rs");

/// What a client is made from, what a consumer's and a producer's own half is called, and a codec for what stands in
/// front of SQS.
const OWN: [(&str, &[&str]); 3] = [
    (KAFKA, &["Group", "Token", "Topic", "with_tokens"]),
    (SQS, &["Receivers", "Queue", "Unwrapped", "from_config"]),
    (
        PUBSUB,
        &["Subscription", "Topic", "connect", "connect_emulator"],
    ),
];

fn public_items(module: &str) -> BTreeSet<&str> {
    let public = module
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub "));
    public.filter_map(name).collect()
}

/// The name in `type Producer<C = …>`, `async fn producer(&self` or `use consumer::Group;`.
fn name(declaration: &str) -> Option<&str> {
    let declared = declaration.trim_start_matches("async ");
    let (kind, rest) = declared.split_once(' ')?;
    let rest = match kind {
        "use" => rest.rsplit("::").next()?,
        _ => rest,
    };
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .next()
}

#[test]
fn the_modules_have_the_same_public_items() {
    for (module, own) in OWN {
        let mut items = public_items(module);
        for name in own {
            assert!(items.remove(name), "{name} is not there any more");
        }
        let shared = [
            "Client", "Consumer", "Producer", "consumer", "new", "producer",
        ];
        assert_eq!(items, BTreeSet::from(shared));
    }
}

#[test]
fn producers_and_consumers_are_the_same_types() {
    for (module, _) in OWN {
        assert!(module.contains("pub type Producer<C = crate::Json> = crate::Producer<"));
        assert!(module.contains("pub type Consumer = crate::Consumer<"));
    }
}

//! `docs/telemetry.md`, held against what the services really send.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use contract::scenarios::{HAPPY, NO_STOCK, SUSPICIOUS};
use libtest_mimic::Completion;
use story::Span;

use crate::customer::Customer;
use crate::positive::{confirmed, suspicious, whole, without_stock};

const PAGE: &str = include_str!("../../../../docs/telemetry.md");
/// The group of attributes that any span may have.
const EVERY: &str = "every";

/// One row of the table of spans.
struct SpanRow {
    name: String,
    services: BTreeSet<String>,
    kind: String,
    groups: BTreeSet<String>,
}

/// One row of the table of attributes.
struct AttributeRow {
    name: String,
    groups: BTreeSet<String>,
    sometimes: bool,
}

impl SpanRow {
    fn describes(&self, span: &Span) -> bool {
        let named = match self.name.split_once('<') {
            Some((start, _)) => span.name.starts_with(start),
            None => span.name == self.name,
        };
        named && self.services.contains(&span.service) && span.kind.as_str() == self.kind
    }
}

impl AttributeRow {
    fn may_be_on(&self, row: &SpanRow) -> bool {
        self.groups.contains(EVERY) || !self.groups.is_disjoint(&row.groups)
    }
}

/// Neither a span nor an attribute is missing on the page, and none is there that no span has.
pub(crate) async fn the_page(customer: Customer) -> anyhow::Result<Completion> {
    let (spans, attributes) = (span_rows(), attribute_rows());
    let mut seen = BTreeSet::new();
    for span in stories(&customer).await? {
        let row = spans.iter().find(|row| row.describes(&span));
        let row = row.with_context(|| {
            format!(
                "docs/telemetry.md has no `{}` of {}",
                span.name, span.service
            )
        })?;
        compare(&span, row, &attributes)?;
        seen.insert(row.name.clone());
    }
    let unseen = spans.iter().find(|row| !seen.contains(&row.name));
    ensure!(
        unseen.is_none(),
        "docs/telemetry.md has `{}`, but no order does",
        unseen.map_or("", |row| &row.name)
    );
    Ok(Completion::Completed)
}

async fn stories(customer: &Customer) -> anyhow::Result<Vec<Span>> {
    let mut spans = Vec::new();
    let placed = confirmed(customer).await?;
    spans.extend_from_slice(whole(customer, &placed, "confirmed", &HAPPY).await?.spans());
    let placed = without_stock(customer).await?;
    spans.extend_from_slice(
        whole(customer, &placed, "rejected", &NO_STOCK)
            .await?
            .spans(),
    );
    let placed = suspicious(customer).await?;
    spans.extend_from_slice(
        whole(customer, &placed, "in_review", &SUSPICIOUS)
            .await?
            .spans(),
    );
    Ok(spans)
}

fn compare(span: &Span, row: &SpanRow, attributes: &[AttributeRow]) -> anyhow::Result<()> {
    let (name, service) = (&span.name, &span.service);
    for attribute in span.attributes.keys() {
        let described = attributes
            .iter()
            .any(|known| known.name == *attribute && known.may_be_on(row));
        ensure!(
            described,
            "docs/telemetry.md does not give `{name}` of {service} a `{attribute}`"
        );
    }
    for known in attributes
        .iter()
        .filter(|known| known.may_be_on(row) && !known.sometimes)
    {
        let there = span.attributes.contains_key(&known.name);
        ensure!(
            there,
            "docs/telemetry.md gives `{name}` of {service} a `{}`",
            known.name
        );
    }
    Ok(())
}

fn span_rows() -> Vec<SpanRow> {
    let rows = table("| span | service | kind | attributes |").into_iter();
    rows.map(|cells| SpanRow {
        name: cells[0].replace('`', ""),
        services: list(&cells[1]),
        kind: cells[2].clone(),
        groups: list(&cells[3]),
    })
    .collect()
}

fn attribute_rows() -> Vec<AttributeRow> {
    let rows = table("| attribute | groups | meaning |").into_iter();
    rows.map(|cells| AttributeRow {
        name: cells[0].replace('`', ""),
        groups: list(&cells[1]),
        sometimes: cells[2].starts_with("*sometimes*"),
    })
    .collect()
}

/// The cells of the table that begins with `head`.
fn table(head: &str) -> Vec<Vec<String>> {
    let rows = PAGE.lines().skip_while(|line| *line != head).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = |line: &str| {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    rows.map(cells).collect()
}

fn list(cell: &str) -> BTreeSet<String> {
    cell.split(',').map(|item| item.trim().to_owned()).collect()
}

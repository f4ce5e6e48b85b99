//! The result.

use crate::measure::Measured;

pub(crate) struct Row {
    broker: &'static str,
    messages: usize,
    per_second: [f64; 3],
    cpu_micros: [f64; 3],
}

impl Row {
    /// The medians of the runs of each mode.
    pub(crate) fn new(broker: &'static str, messages: usize, runs: &[Vec<Measured>; 3]) -> Self {
        let of = |value: fn(&Measured, usize) -> f64| {
            runs.each_ref()
                .map(|runs| median(runs.iter().map(|run| value(run, messages)).collect()))
        };
        Self {
            broker,
            messages,
            per_second: of(Measured::per_second),
            cpu_micros: of(Measured::cpu_micros),
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn print(rows: &[Row]) {
    println!();
    println!(
        "broker   messages   bare msg/s   ours msg/s  ratio  traced msg/s  µs for spans   CPU µs bare   ours  traced"
    );
    for row in rows {
        let [bare, ours, traced] = row.per_second;
        let [cpu_bare, cpu_ours, cpu_traced] = row.cpu_micros;
        let (ratio, spans) = (ours / bare, 1e6 / traced - 1e6 / ours);
        println!(
            "{:8} {:8} {bare:12.0} {ours:12.0} {ratio:6.2} {traced:13.0} {spans:13.1} {cpu_bare:13.1} {cpu_ours:6.1} {cpu_traced:7.1}",
            row.broker, row.messages
        );
    }
}

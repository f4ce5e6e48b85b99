//! Which propagators carry context over a boundary, and how they do so over HTTP.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{
    Extractor, Injector, TextMapCompositePropagator, TextMapPropagator,
};
use opentelemetry::{Context, global};
use otel_carriers::w3c::{BaggagePropagator, TraceContextPropagator};

use crate::environment;

/// Installs the propagators of `OTEL_PROPAGATORS`; also when the SDK is disabled, so that context still passes through.
pub(crate) fn install() {
    let propagators = environment::propagators()
        .iter()
        .map(|name| propagator(name))
        .collect();
    global::set_text_map_propagator(TextMapCompositePropagator::new(propagators));
}

fn propagator(name: &str) -> Box<dyn TextMapPropagator + Send + Sync> {
    match name {
        "baggage" => Box::new(BaggagePropagator::new()),
        _ => Box::new(TraceContextPropagator::new()),
    }
}

/// The context in `headers`, and nothing of the current one.
pub(crate) fn extract(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), &Headers(headers))
    })
}

/// Writes the current context into `headers`: that of the innermost span, or what passes through where nothing makes one.
pub(crate) fn inject(headers: &mut HeaderMap) {
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&Context::current(), &mut HeadersMut(headers));
    });
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(text)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values: Vec<_> = self.0.get_all(key).iter().map(text).collect();
        (!values.is_empty()).then_some(values)
    }
}

/// What is no text is empty, and not absent: two `traceparent` are two, whatever the second one says.
///
/// `HeaderValue::to_str` takes ASCII alone, so one name that was not escaped would cost all of a caller's baggage.
fn text(value: &HeaderValue) -> &str {
    std::str::from_utf8(value.as_bytes()).unwrap_or_default()
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    /// An empty value says that there is none, and takes out what is there.
    fn set(&mut self, key: &str, value: String) {
        let Ok(name) = HeaderName::from_bytes(key.as_bytes()) else {
            return;
        };
        self.0.remove(&name);
        match HeaderValue::try_from(value) {
            Ok(value) if !value.is_empty() => {
                self.0.insert(name, value);
            }
            Ok(_) | Err(_) => {}
        }
    }
}

//! W3C's own cases, over HTTP headers and over each carrier; and what is ours beyond them.
//!
//! They are those of `test/test.py` of the Trace Context repository and of `test/test_baggage.py` of the Baggage one, in a
//! table of our form. What is left out of them:
//!
//! | case | why |
//! |---|---|
//! | `test_multiple_requests_*` (3) | about the spans that a service makes: `shared/telemetry/tests/settings` |
//! | `DuplicateKeysTest` (3) | OpenTelemetry's baggage holds one value for a key; the last counts, as the rules on mutation allow |
//! | the exact spelling in `test_parse_percent_encoded` | what need not be escaped may be, so both say the same |
//! | `test_parse_percent_encoded_property`, `test_invalid_utf8_in_property_value` | properties are opaque to OpenTelemetry; they pass on as they are written, so whoever reads them decodes the same |
//! | more than 64 members in `test_serialize_many_entries` | OpenTelemetry's baggage holds 64, as many as must be |
//! | a system of 14 characters in `test_tracestate_key_length_limit` | OpenTelemetry's `TraceState` refuses it; the case asks for the other member, which is kept |
//! | cases about the classes of W3C's own harness | they say nothing about headers |

mod baggage;
mod carriers;
mod order;
mod trace_context;

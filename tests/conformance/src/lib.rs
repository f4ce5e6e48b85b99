//! What every broker must do, the stand-in and the real one alike: see `tests/conformance`.

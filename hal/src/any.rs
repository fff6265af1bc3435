//! The type-erased engine.

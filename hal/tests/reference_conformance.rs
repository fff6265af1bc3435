//! The reference engine passes the suite that every other engine is held to.
#![cfg(feature = "conformance")]

use arras_hal::Reference;

arras_hal::backend_conformance!(reference, Reference::new);

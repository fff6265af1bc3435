//! The server's side takes every engine.

use arras_ckks::{Context, Evaluator, Parameters};
use arras_hal::{AnyBackend, Reference};

fn main() {
    let params = Parameters::builder().log_n(13).levels(1).build().unwrap();
    let context = Context::new(&params, AnyBackend::new(Reference::new())).unwrap();
    let _evaluator = Evaluator::without_keys(&context);
}

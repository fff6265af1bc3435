//! Single calls of the evaluator, for programs that look at what one of them costs a device and its host.

use arras::{
    ckks::{Ciphertext, Evaluator, Result},
    hal::Backend,
};

use crate::party::ROTATIONS;

/// A call with two operands; its result is dropped.
pub type Call<B> = fn(&Evaluator<B>, &Ciphertext<B>, &Ciphertext<B>) -> Result<()>;

/// The calls, by name. [`crate::Server`] has their keys.
pub fn calls<B: Backend>() -> [(&'static str, Call<B>); 5] {
    [
        ("multiply, relinearize, rescale", |e, x, y| {
            e.relinearize_and_rescale(&e.multiply(x, y)?).map(drop)
        }),
        ("rotate", |e, x, _| e.rotate(x, 1).map(drop)),
        ("8 rotations, hoisted", |e, x, _| {
            e.hoisted_rotations(x, &ROTATIONS).map(drop)
        }),
        ("sum of 8 rotations", |e, x, _| {
            e.rotation_sum(x, &ROTATIONS).map(drop)
        }),
        ("rescale", |e, x, y| {
            let product = e.add(x, y)?;
            e.level_down(&product, product.level() - 1).map(drop)
        }),
    ]
}

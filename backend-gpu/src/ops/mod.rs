//! Operations as launches of kernels.

mod convert;
mod key_switch;
mod rescale;
mod rows;
mod transform;
mod windows;

pub(crate) use key_switch::{Digits, Product};
pub(crate) use rows::View;
pub(crate) use windows::Operand;

//! Operations as launches of kernels.

mod backend;
mod convert;
mod key_switch;
mod keys;
mod pointwise;
mod product;
mod rescale;
mod rotations;
mod rows;
mod transform;
mod windows;

use product::{Digits, Product};
use rows::View;
use windows::Operand;

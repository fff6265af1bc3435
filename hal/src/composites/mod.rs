//! Default bodies of the composites. A body is the composite's definition, to the bit; engines get fast by
//! overriding.

mod arithmetic;
mod key_switch;
mod rescale;
mod rows;

pub use arithmetic::{
    add_assign, add_constants, add_leading, mul_assign, neg, restrict_and_scale, scale_assign,
    sub_assign, sum_of_products, tensor, weighted_sum,
};
pub use key_switch::{
    hoisted_rotations, key_inner_product_of_rows, key_switch, mod_up, relinearize, rotate,
    rotation_sum,
};
pub use rescale::{mod_down_and_rescale, rescale};
pub use rows::{copy_all, rows};

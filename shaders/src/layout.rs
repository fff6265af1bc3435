//! What the host writes and a kernel reads: one definition for both sides.

macro_rules! shared_struct {
    ($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident,)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, bytemuck::Pod, bytemuck::Zeroable)]
        pub struct $name { $($(#[$fmeta])* pub $field: u32,)* }

        impl $name {
            /// The same structure in WGSL.
            pub const WGSL: &str = concat!("struct ", stringify!($name), " { ", $(stringify!($field), ": u32, ",)* "}\n");
            /// Its size in words.
            pub const WORDS: usize = size_of::<Self>() / 4;
        }
    };
}

shared_struct! {
    /// What all rows of a dispatch share. Strides and counts are in rows: batch item b of an input whose entry says row r is
    /// row `r + (b mod count) * stride`.
    Header {
        /// N.
        n,
        /// log2 N.
        log_n,
        /// First batch item of this dispatch.
        first,
        /// Number of batch items of the whole operation.
        batch,
        /// Rows between batch items of the output.
        dst_stride,
        /// Rows between batch items of the first input.
        a_stride,
        /// Batch items of the first input.
        a_count,
        /// Rows between batch items of the second input.
        b_stride,
        /// Batch items of the second input.
        b_count,
        /// Rows between batch items of the third input.
        c_stride,
        /// Rows between components (or digits) of the first input.
        a_part,
        /// Rows between components of the second input.
        b_part,
        /// Rows between components of the third input.
        c_part,
        /// Rows between components of the output.
        dst_part,
        /// Galois element, odd; 1 is the identity. Of the first rotation, where there are several.
        galois_0,
        /// Of the second rotation.
        galois_1,
        /// Of the third rotation.
        galois_2,
        /// Number of entries that are rows of the output.
        entries,
        /// Number of key-switching digits.
        digits,
        /// Bits of [`flags`].
        flags,
        /// Batch items of the weight (polynomials, both components).
        w_count,
        /// Rows between polynomials of the weight.
        w_stride,
        /// Batch items of a component, as the weight counts them.
        w_batch,
        /// The weight's number of this operation's first batch item.
        w_first,
        /// Batch items that something is added to: the first ones.
        leading,
    }
}

shared_struct! {
    /// One row of every polynomial of the output: where it is, where its inputs are, and its modulus.
    Entry {
        /// Row of the output.
        dst,
        /// Row of the first input, or [`NONE`].
        a,
        /// Row of the second input, or [`NONE`].
        b,
        /// Row of the third input, or [`NONE`].
        c,
        /// The prime q.
        q,
        /// q^-1 modulo 2^32.
        inverse,
        /// 2^64 mod q.
        r2,
        /// floor(2^32 / q).
        mu,
        /// First constant, canonical.
        k0,
        /// Its Shoup companion.
        k0_shoup,
        /// Second constant, canonical.
        k1,
        /// Its Shoup companion.
        k1_shoup,
        /// Row of the twiddle table; a conversion's target in units of four words of a matrix row; row of the key.
        table,
        /// A conversion's place in the table, in units of four words; digit whose rows are those of the source.
        list,
        /// Row of the weight.
        w,
        /// Keeps the size a multiple of 16 bytes.
        reserved,
    }
}

shared_struct! {
    /// One row to copy.
    RowPair {
        /// Row of the output.
        dst,
        /// Row of the input.
        src,
    }
}

shared_struct! {
    /// One source of a base conversion, in a conversion table.
    Source {
        /// Row of the input.
        row,
        /// Its prime.
        q,
        /// (q - 1) / 2.
        half,
        /// round(2^40 / q).
        reciprocal,
    }
}

impl Entry {
    /// An entry without rows that has the modulus `q`, an odd number above 2 and below 2^30, and what kernels derive from it.
    pub fn of_modulus(q: u32) -> Self {
        // Newton: each step doubles the correct low bits, and an odd number is its own inverse modulo 8.
        let inverse = (0..4).fold(q, |x, _| {
            x.wrapping_mul(2u32.wrapping_sub(q.wrapping_mul(x)))
        });
        let r = (1u64 << 32) % u64::from(q);
        Self {
            a: NONE,
            b: NONE,
            c: NONE,
            list: NONE,
            q,
            inverse,
            r2: (r * r % u64::from(q)) as u32,
            mu: ((1u64 << 32) / u64::from(q)) as u32,
            ..Self::default()
        }
    }
}

/// Marks an absent row.
pub const NONE: u32 = u32::MAX;

/// Mode word of a conversion table: centred representatives.
pub const MODE_CENTRED: u32 = 0;
/// Mode word of a conversion table: unsigned representatives, with the quotient.
pub const MODE_QUOTIENT: u32 = 1;

/// Bits of [`Header::flags`].
pub mod flags {
    /// The output is added to, not replaced.
    pub const ACCUMULATE: u32 = 1;
    /// Component 0 of the addend is present.
    pub const ADDEND_0: u32 = 2;
    /// Component 1 of the addend is present.
    pub const ADDEND_1: u32 = 4;
    /// The result is multiplied by a weight.
    pub const WEIGHT: u32 = 8;
    /// Both components of the addend are added unmoved too: the identity among rotations.
    pub const UNMOVED: u32 = 16;
}

/// Bytes of the window of parameters that a dispatch sees.
pub const PARAMS_WINDOW_BYTES: u64 = 32 << 10;

/// Largest number of entries of a dispatch.
pub const MAX_ENTRIES: usize = (PARAMS_WINDOW_BYTES as usize / 4 - Header::WORDS) / Entry::WORDS;

/// Largest number of row pairs of a dispatch.
pub const MAX_ROW_PAIRS: usize =
    (PARAMS_WINDOW_BYTES as usize / 4 - Header::WORDS) / RowPair::WORDS;

pub(crate) fn declarations() -> String {
    format!(
        "{}{}const NONE = 0xffffffffu;\n\
         struct Params {{ header: Header, entries: array<Entry> }}\n\
         @group(0) @binding(0) var<storage, read> params: Params;\n",
        Header::WGSL,
        Entry::WGSL
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_suit_storage_arrays() {
        assert_eq!(Header::WORDS, 25);
        assert_eq!(Entry::WORDS, 16);
        const { assert!(MAX_ENTRIES >= 500) };
        assert!(Entry::WGSL.starts_with("struct Entry { dst: u32, a: u32, "));
    }

    #[test]
    fn a_modulus_comes_with_what_kernels_derive_from_it() {
        for q in [3, 97, 0x1fff_0001, 0x3fff_ffff] {
            let e = Entry::of_modulus(q);
            assert_eq!(q.wrapping_mul(e.inverse), 1);
            let wide = (1u128 << 64) % u128::from(q);
            assert_eq!(u128::from(e.r2), wide);
            assert_eq!(u64::from(e.mu), (1 << 32) / u64::from(q));
            assert_eq!([e.a, e.b, e.c, e.list], [NONE; 4]);
        }
    }
}

//! Modular arithmetic in WGSL: the prelude of every kernel.
//!
//! | function | operands | result |
//! |---|---|---|
//! | `mulhi(a, b)` | any | high word of `a * b` |
//! | `mont_mul(a, b, m)` | a, b canonical | `a b 2^-32 mod q`, canonical |
//! | `mont_mul_wide(a, b, m)` | `a < 2^32`, b canonical | the same |
//! | `shoup_lazy(a, w, q)` | any a, `w = (w, floor(w 2^32 / q))` canonical | `a w mod q` in `[0, 2q)` |
//! | `shoup(a, w, q)` | any a | `a w mod q`, canonical |
//! | `acc_mac(acc, a, b, m)` | `a < 2^30`, b canonical | adds a product; 15 fit an empty sum |
//! | `acc_fold(acc, m)` | | the same value, room for 11 more |
//! | `acc_reduce(acc, m)` | | `sum 2^-32 mod q`, canonical |
//!
//! All hold for every odd q below 2^30. Lazy values of the transforms stay below 4q, so they fit a word.

/// Which arithmetic a kernel is composed with. The three give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prelude {
    /// 64-bit integers in the shader; needs the device feature `SHADER_INT64`.
    Int64,
    /// 32-bit words only: the high word of a product from four 16-bit products.
    Portable,
    /// 32-bit words only, and two 16-bit Montgomery rounds for products of two canonical residues. For rings whose
    /// primes are all 1 modulo 2^16 and below 2^30 - 2^15.
    PortableFermat,
}

impl Prelude {
    /// Every prelude, for tests.
    pub const ALL: [Self; 3] = [Self::Int64, Self::Portable, Self::PortableFermat];

    /// The best prelude without 64-bit integers for these primes.
    pub fn portable_for(moduli: impl IntoIterator<Item = u32>) -> Self {
        let fermat = |q: u32| q & 0xffff == 1 && q < (1 << 30) - (1 << 15);
        if moduli.into_iter().all(fermat) {
            Self::PortableFermat
        } else {
            Self::Portable
        }
    }

    /// WGSL of the functions of the table above, with `struct Modulus { q, inverse, r2, mu }` and `alias Acc`, whose empty sum is
    /// `acc_zero()`. It needs nothing else, so that other kernels can be made of it.
    pub fn source(self) -> String {
        let (multiplication, montgomery, accumulator) = match self {
            Self::Int64 => (INT64_MULHI, MONTGOMERY, INT64_ACC),
            Self::Portable => (PORTABLE_MULHI, MONTGOMERY, PORTABLE_ACC),
            Self::PortableFermat => (PORTABLE_MULHI, FERMAT_MONTGOMERY, PORTABLE_ACC),
        };
        [MODULUS, multiplication, montgomery, accumulator, COMMON].concat()
    }
}

/// `q`, its inverse modulo 2^32, `2^64 mod q`, `floor(2^32 / q)`.
const MODULUS: &str = "
struct Modulus { q: u32, inverse: u32, r2: u32, mu: u32 }
";

/// Exact, so the lazy Shoup product needs one estimate: r = a w - floor(a w' / 2^32) q lies in [0, 2q).
const INT64_MULHI: &str = "
fn mulhi(a: u32, b: u32) -> u32 { return u32((u64(a) * u64(b)) >> 32u); }
fn shoup_lazy(a: u32, w: vec2<u32>, q: u32) -> u32 { return a * w.x - mulhi(a, w.y) * q; }
";

/// The Shoup estimate leaves out the lowest partial product and two carries: it is at most 2 too small beside the
/// exact one, so r lies in [0, 4q), below 2^32; one conditional subtraction gives [0, 2q).
const PORTABLE_MULHI: &str = "
fn mulhi(a: u32, b: u32) -> u32 {
    let al = a & 0xffffu; let ah = a >> 16u;
    let bl = b & 0xffffu; let bh = b >> 16u;
    let low = al * bl;
    let mid = ah * bl + (low >> 16u);
    let cross = al * bh + (mid & 0xffffu);
    return ah * bh + (mid >> 16u) + (cross >> 16u);
}
fn shoup_lazy(a: u32, w: vec2<u32>, q: u32) -> u32 {
    let al = a & 0xffffu; let ah = a >> 16u;
    let wl = w.y & 0xffffu; let wh = w.y >> 16u;
    let t = ah * wh + ((ah * wl) >> 16u) + ((al * wh) >> 16u);
    let r = a * w.x - t * q;
    return min(r, r - 2u * q);
}
";

/// REDC with the positive inverse: hi - floor(m q / 2^32) lies in (-q, q).
const MONTGOMERY: &str = "
fn mont_mul_wide(a: u32, b: u32, m: Modulus) -> u32 {
    let hi = mulhi(a, b);
    let k = mulhi(a * b * m.inverse, m.q);
    return select(hi - k, hi - k + m.q, hi < k);
}
fn mont_mul(a: u32, b: u32, m: Modulus) -> u32 { return mont_mul_wide(a, b, m); }
";

/// Two 16-bit rounds; q = 1 mod 2^16 makes the round's factor the low half itself. The intermediate values fit a signed
/// word for canonical operands and q < 2^30 - 2^15.
const FERMAT_MONTGOMERY: &str = "
fn mont_mul_wide(a: u32, b: u32, m: Modulus) -> u32 {
    let hi = mulhi(a, b);
    let k = mulhi(a * b * m.inverse, m.q);
    return select(hi - k, hi - k + m.q, hi < k);
}
fn mont_mul(a: u32, b: u32, m: Modulus) -> u32 {
    let a0 = a & 0xffffu; let a1 = a >> 16u;
    let b0 = b & 0xffffu; let b1 = b >> 16u;
    let qh = m.q >> 16u;
    let p = a0 * b0;
    let s = (p >> 16u) + a1 * b0 - (p & 0xffffu) * qh + a0 * b1;
    let r = bitcast<u32>(bitcast<i32>(s) >> 16u) + a1 * b1 - (s & 0xffffu) * qh;
    return min(r, r + m.q);
}
";

/// Terms below 2^60: 15 fit, with room for a small one. A fold reduces the high word below q, so the sum is below 2^62, and 11 terms and a small
/// one fit.
const INT64_ACC: &str = "
alias Acc = u64;
fn acc_zero() -> Acc { return u64(0u); }
fn acc_mac(acc: Acc, a: u32, b: u32, m: Modulus) -> Acc { return acc + u64(a) * u64(b); }
fn acc_high(acc: Acc, m: Modulus) -> u32 {
    let hi = u32(acc >> 32u);
    let r = hi - mulhi(hi, m.mu) * m.q;
    return min(r, r - m.q);
}
fn acc_fold(acc: Acc, m: Modulus) -> Acc {
    return (u64(acc_high(acc, m)) << 32u) | u64(u32(acc & u64(0xffffffffu)));
}
fn acc_reduce(acc: Acc, m: Modulus) -> u32 {
    let hi = acc_high(acc, m);
    let k = mulhi(u32(acc & u64(0xffffffffu)) * m.inverse, m.q);
    return select(hi - k, hi - k + m.q, hi < k);
}
";

/// Reduced at once: without 64-bit integers a double-word sum costs more than the reduction.
const PORTABLE_ACC: &str = "
alias Acc = u32;
fn acc_zero() -> Acc { return 0u; }
fn acc_mac(acc: Acc, a: u32, b: u32, m: Modulus) -> Acc { return add_mod(acc, mont_mul_wide(a, b, m), m.q); }
fn acc_fold(acc: Acc, m: Modulus) -> Acc { return acc; }
fn acc_reduce(acc: Acc, m: Modulus) -> u32 { return acc; }
";

/// `min(x, x - q)` subtracts q where x >= q: otherwise the difference wraps to a larger value.
const COMMON: &str = "
fn add_mod(a: u32, b: u32, q: u32) -> u32 { let s = a + b; return min(s, s - q); }
fn sub_mod(a: u32, b: u32, q: u32) -> u32 { let d = a - b; return min(d, d + q); }
fn neg_mod(a: u32, q: u32) -> u32 { return select(q - a, 0u, a == 0u); }
fn mul_mod(a: u32, b: u32, m: Modulus) -> u32 { return mont_mul(mont_mul(a, b, m), m.r2, m); }
fn shoup(a: u32, w: vec2<u32>, q: u32) -> u32 { let r = shoup_lazy(a, w, q); return min(r, r - q); }
fn add_mod4(a: vec4<u32>, b: vec4<u32>, q: u32) -> vec4<u32> { let s = a + b; return min(s, s - vec4<u32>(q)); }
fn shoup4(a: vec4<u32>, w: vec2<u32>, q: u32) -> vec4<u32> {
    return vec4<u32>(shoup(a.x, w, q), shoup(a.y, w, q), shoup(a.z, w, q), shoup(a.w, w, q));
}
fn mul_mod4(a: vec4<u32>, b: vec4<u32>, m: Modulus) -> vec4<u32> {
    return vec4<u32>(mul_mod(a.x, b.x, m), mul_mod(a.y, b.y, m), mul_mod(a.z, b.z, m), mul_mod(a.w, b.w, m));
}
";

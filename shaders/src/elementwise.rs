//! Kernels without communication between positions: copies, sums, products with one factor, automorphism.

use crate::LANES;

macro_rules! elementwise {
    ($( $(#[$doc:meta])* $op:ident($inputs:literal, $updates:literal) = $expression:literal; )*) => {
        /// Operations on rows, position by position.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Elementwise {
            $( $(#[$doc])* $op, )*
        }

        impl Elementwise {
            /// Every operation, for tests.
            pub const ALL: [Self; [$( Self::$op ),*].len()] = [$( Self::$op ),*];

            /// Number of inputs beside the output.
            pub fn inputs(self) -> usize {
                match self { $( Self::$op => $inputs, )* }
            }

            /// Whether the result depends on the old output.
            pub fn updates(self) -> bool {
                match self { $( Self::$op => $updates, )* }
            }

            /// The result from d, the old output, x and y, the inputs; m and k as in the entry; whether the batch item is a leading one.
            fn expression(self) -> &'static str {
                match self { $( Self::$op => $expression, )* }
            }
        }
    };
}

// Number of inputs, whether the old output is read, and the result.
elementwise! {
    /// `dst = 0`.
    Zero(0, false) = "0u";
    /// `dst = a`.
    Copy(1, false) = "x";
    /// `dst = a + b`.
    Add(2, false) = "add_mod(x, y, m.q)";
    /// `dst = a - b`.
    Sub(2, false) = "sub_mod(x, y, m.q)";
    /// `dst = a * b`.
    Mul(2, false) = "mul_mod(x, y, m)";
    /// `dst += a * b`.
    MulAcc(2, true) = "add_mod(d, mul_mod(x, y, m), m.q)";
    /// `dst = a * k0`.
    Scale(1, false) = "shoup(x, k, m.q)";
    /// `dst = -a`.
    Neg(1, false) = "neg_mod(x, m.q)";
    /// `dst += a`.
    AddAssign(1, true) = "add_mod(d, x, m.q)";
    /// `dst -= a`.
    SubAssign(1, true) = "sub_mod(d, x, m.q)";
    /// `dst *= a`.
    MulAssign(1, true) = "mul_mod(d, x, m)";
    /// `dst *= k0`.
    ScaleAssign(0, true) = "shoup(d, k, m.q)";
    /// `dst = a`, plus b for the first `leading` batch items.
    AddLeading(2, false) = "add_mod(x, select(0u, y, leading), m.q)";
    /// `dst = a`, plus k0 for the first `leading` batch items.
    AddConstants(1, false) = "add_mod(x, select(0u, k.x, leading), m.q)";
}

impl Elementwise {
    /// Grid: x over groups of 4 positions, y entries, z batch items. N is a multiple of 4.
    pub(crate) fn source(self) -> String {
        let mut inputs = String::new();
        let mut loads = String::new();
        for (k, name) in ["a", "b"].iter().enumerate().take(self.inputs()) {
            let binding = k + 2;
            inputs += &format!(
                "@group(0) @binding({binding}) var<storage, read> {name}: array<vec4<u32>>;\n"
            );
            let value = ["xs", "ys"][k];
            loads += &format!(
                "    let {value} = {name}[(e.{name} + (p % h.{name}_count) * h.{name}_stride) * quads + i];\n"
            );
        }
        let lanes: Vec<String> = LANES
            .iter()
            .map(|lane| {
                let arguments = match self.inputs() {
                    0 => format!("old.{lane}, 0u, 0u"),
                    1 => format!("old.{lane}, xs.{lane}, 0u"),
                    _ => format!("old.{lane}, xs.{lane}, ys.{lane}"),
                };
                format!("lane({arguments}, m, k, leading)")
            })
            .collect();
        format!(
            "{inputs}@group(0) @binding(1) var<storage, read_write> dst: array<vec4<u32>>;
fn lane(d: u32, x: u32, y: u32, m: Modulus, k: vec2<u32>, leading: bool) -> u32 {{ return {expression}; }}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {{
    let h = params.header;
    let quads = h.n / 4u;
    let i = group.x * 256u + local;
    if (i >= quads) {{ return; }}
    let e = params.entries[group.y];
    let p = h.first + group.z;
    let m = entry_modulus(e);
    let k = vec2<u32>(e.k0, e.k0_shoup);
    let leading = p < h.leading;
    let at = (e.dst + p * h.dst_stride) * quads + i;
    let old = dst[at];
{loads}    dst[at] = vec4<u32>({lanes});
}}
",
            expression = self.expression(),
            lanes = lanes.join(", "),
        )
    }
}

/// Copies rows named by pairs. Grid: x over groups of 4 positions, y pairs.
pub(crate) fn copy_rows_source() -> &'static str {
    "@group(0) @binding(1) var<storage, read_write> dst: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> a: array<vec4<u32>>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let quads = params.header.n / 4u;
    let i = group.x * 256u + local;
    if (i >= quads) { return; }
    let pair = params.rows[group.y];
    dst[pair.dst * quads + i] = a[pair.src * quads + i];
}
"
}

/// Where position i of the image under X -> X^g comes from: position i holds the value at psi^(2 bitrev(i) + 1).
pub(crate) const GATHER: &str = "
fn gather_index(i: u32, galois: u32, log_n: u32) -> u32 {
    let shift = 32u - log_n;
    let exponent = (2u * (reverseBits(i) >> shift) + 1u) * galois;
    return reverseBits((exponent >> 1u) & ((1u << log_n) - 1u)) >> shift;
}
";

/// `dst[i] = a[gather(i)]`. Grid: x positions, y entries, z batch items.
pub(crate) fn automorphism_source() -> String {
    format!(
        "@group(0) @binding(1) var<storage, read_write> dst: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<u32>;
{GATHER}@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {{
    let h = params.header;
    let i = group.x * 256u + local;
    if (i >= h.n) {{ return; }}
    let e = params.entries[group.y];
    let p = h.first + group.z;
    let row = (e.a + (p % h.a_count) * h.a_stride) * h.n;
    dst[(e.dst + p * h.dst_stride) * h.n + i] = a[row + gather_index(i, h.galois_0, h.log_n)];
}}
"
    )
}

//! Sums of products of several pairs of operands in one dispatch.

/// Pairs of operands of one dispatch: with parameters and output that makes the 8 storage buffers that every device has.
pub const PAIRS_PER_DISPATCH: usize = 3;

fn bindings(pairs: usize, element: &str) -> String {
    (0..pairs)
        .map(|k| {
            format!(
                "@group(0) @binding({}) var<storage, read> a{k}: array<{element}>;\n\
                 @group(0) @binding({}) var<storage, read> b{k}: array<{element}>;\n",
                2 * k + 2,
                2 * k + 3
            )
        })
        .collect()
}

/// `(d0, d1, d2) (+)= sum of (a0 b0, a0 b1 + a1 b0, a1 b1)`. Operands are components `a_part` (`b_part`) rows apart, the output's
/// `dst_part`. The middle sum has at most 6 terms. Grid: x positions, y entries, z ciphertexts.
pub(crate) fn tensor_source(pairs: usize) -> String {
    let bindings = bindings(pairs, "u32");
    let terms: String = (0..pairs)
        .map(|k| {
            format!(
                "    let x0_{k} = a{k}[at0]; let x1_{k} = a{k}[at1]; let y0_{k} = b{k}[at0]; let y1_{k} = b{k}[at1];
    d0 = acc_mac(d0, x0_{k}, y0_{k}, m);
    d1 = acc_mac(acc_mac(d1, x0_{k}, y1_{k}, m), x1_{k}, y0_{k}, m);
    d2 = acc_mac(d2, x1_{k}, y1_{k}, m);
"
            )
        })
        .collect();
    format!(
        "@group(0) @binding(1) var<storage, read_write> dst: array<u32>;
{bindings}
fn put(at: u32, sum: Acc, m: Modulus, accumulate: bool) {{
    let value = mont_mul(acc_reduce(sum, m), m.r2, m);
    if (accumulate) {{ dst[at] = add_mod(dst[at], value, m.q); }} else {{ dst[at] = value; }}
}}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {{
    let h = params.header;
    let i = group.x * 256u + local;
    if (i >= h.n) {{ return; }}
    let e = params.entries[group.y];
    let p = h.first + group.z;
    let m = entry_modulus(e);
    let at0 = (e.a + p * h.a_stride) * h.n + i;
    let at1 = at0 + h.a_part * h.n;
    var d0 = acc_zero(); var d1 = acc_zero(); var d2 = acc_zero();
{terms}
    let accumulate = (h.flags & 1u) != 0u;
    let at = (e.dst + p * h.dst_stride) * h.n + i;
    put(at, d0, m, accumulate);
    put(at + h.dst_part * h.n, d1, m, accumulate);
    put(at + 2u * h.dst_part * h.n, d2, m, accumulate);
}}
"
    )
}

/// `dst (+)= sum of a_k b_k`; b_k has `counts[k]` polynomials, passed as the second input's count for k = 0, then in
/// `c_stride` and `w_count`. Grid: x positions, y entries, z polynomials.
pub(crate) fn weighted_sum_source(pairs: usize) -> String {
    let bindings = bindings(pairs, "u32");
    let counts = ["b_count", "c_stride", "w_count"];
    let terms: String = (0..pairs)
        .map(|k| {
            let count = counts[k];
            format!(
                "    sum = acc_mac(sum, a{k}[at], b{k}[(e.a + (p % h.{count}) * h.a_stride) * h.n + i], m);\n"
            )
        })
        .collect();
    format!(
        "@group(0) @binding(1) var<storage, read_write> dst: array<u32>;
{bindings}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {{
    let h = params.header;
    let i = group.x * 256u + local;
    if (i >= h.n) {{ return; }}
    let e = params.entries[group.y];
    let p = h.first + group.z;
    let m = entry_modulus(e);
    let at = (e.a + p * h.a_stride) * h.n + i;
    var sum = acc_zero();
{terms}    let value = mont_mul(acc_reduce(sum, m), m.r2, m);
    if ((h.flags & 1u) != 0u) {{ dst[at] = add_mod(dst[at], value, m.q); }} else {{ dst[at] = value; }}
}}
"
    )
}

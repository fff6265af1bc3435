//! The inner product of extended digits with a switching key, and what is added to it before the division by P.

use crate::elementwise::GATHER;

/// For every entry (a limb of the extended list), position i and ciphertext p of the batch:
///
/// ```text
///   s_c = sum over j of sigma_g(digit_j)[i] * key[limb][key_digit_j][c][i]        c = 0, 1
///       + k0 * sigma_g(addend_c)[i]                  where the entry has a row of the addend
///   s_c = s_c * weight[i]                            with WEIGHT
///   dst_c (+)= s_c                                   `+` with ACCUMULATE
/// ```
/// Row of digit j: in `digits`, `a + j * a_part`, or, where the limb is one of the digit's own (`list == j`), row `b` of
/// `source`: those residues need no conversion. The key's rows start at `table`, `[key digit][component]`, in Montgomery form.
/// The key digits are in the entries after the last limb. A thread handles `width` ciphertexts, so that a word of the key is
/// read once for all of them. Grid: x positions, y entries, z over groups of `width` batch items.
pub(crate) fn source(width: usize) -> String {
    let each = |f: &dyn Fn(usize) -> String| (0..width).map(f).collect::<String>();
    let declare = each(&|t| {
        format!(
            "    let p{t} = min(p + {t}u, h.batch - 1u); var s0_{t} = acc_zero(); var s1_{t} = acc_zero();\n"
        )
    });
    let mac = each(&|t| {
        format!(
            "        var x{t}: u32;
        if (own) {{ x{t} = source[(e.b + p{t} * h.b_stride) * h.n + image]; }}
        else {{ x{t} = digits[(e.a + j * h.a_part + p{t} * h.a_stride) * h.n + image]; }}
        s0_{t} = acc_mac(s0_{t}, x{t}, k0, m); s1_{t} = acc_mac(s1_{t}, x{t}, k1, m);
"
        )
    });
    let fold = each(&|t| format!("s0_{t} = acc_fold(s0_{t}, m); s1_{t} = acc_fold(s1_{t}, m); "));
    let store = each(&|t| {
        format!(
            "    if (p + {t}u < h.batch) {{
        finish(0u, p{t}, i, image, acc_reduce(s0_{t}, m), e, m);
        finish(1u, p{t}, i, image, acc_reduce(s1_{t}, m), e, m);
    }}
"
        )
    });
    format!(
        "@group(0) @binding(1) var<storage, read_write> dst: array<u32>;
@group(0) @binding(2) var<storage, read> digits: array<u32>;
@group(0) @binding(3) var<storage, read> source: array<u32>;
@group(0) @binding(4) var<storage, read> key: array<u32>;
@group(0) @binding(5) var<storage, read> addend: array<u32>;
@group(0) @binding(6) var<storage, read> weight: array<u32>;
{GATHER}
fn finish(part: u32, p: u32, i: u32, image: u32, sum: u32, e: Entry, m: Modulus) {{
    let h = params.header;
    var value = sum;
    if ((h.flags & (2u << part)) != 0u && e.c != NONE) {{
        let x = addend[(e.c + part * h.c_part + p * h.c_stride) * h.n + image];
        value = add_mod(value, shoup(x, vec2<u32>(e.k0, e.k0_shoup), m.q), m.q);
    }}
    if ((h.flags & 8u) != 0u) {{
        let row = e.w + ((part * h.w_batch + h.w_first + p) % h.w_count) * h.w_stride;
        value = mul_mod(value, weight[row * h.n + i], m);
    }}
    let at = (e.dst + part * h.dst_part + p * h.dst_stride) * h.n + i;
    if ((h.flags & 1u) != 0u) {{ value = add_mod(value, dst[at], m.q); }}
    dst[at] = value;
}}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {{
    let h = params.header;
    let i = group.x * 256u + local;
    if (i >= h.n) {{ return; }}
    let e = params.entries[group.y];
    let m = entry_modulus(e);
    let p = h.first + group.z * {width}u;
    let image = gather_index(i, h.galois, h.log_n);
{declare}    for (var j = 0u; j < h.digits; j++) {{
        let key_row = e.table + params.entries[h.entries + j].dst * 2u;
        let k0 = key[key_row * h.n + i];
        let k1 = key[(key_row + 1u) * h.n + i];
        let own = e.list == j;
{mac}        if ((j & 7u) == 7u) {{ {fold}}}
    }}
{store}}}
"
    )
}

//! Inner products of extended digits with switching keys, and what is added to them before the division by P.

use crate::{LANES, elementwise::GATHER};

/// Rotations of one dispatch at most: their keys fill what bindings every device has.
pub const ROTATIONS_PER_DISPATCH: usize = 3;

/// For every entry (a limb of the extended list), position i and ciphertext p of the batch, summed over the rotations g of the dispatch:
///
/// ```text
///   s_c = sum over j of sigma_g(digit_j)[i] * key_g[limb][key_digit_j][c][i]        c = 0, 1
///       + k0 * sigma_g(addend_c)[i]                  where the entry has a row of the addend
///   s_c = s_c + k0 * addend_c[i]                     with UNMOVED, likewise
///   s_c = s_c * weight[i]                            with WEIGHT, for up to one rotation
///   dst_c (+)= s_c                                   `+` with ACCUMULATE
/// ```
/// Row of digit j: in `digits`, `a + j * a_part`, or, where the limb is one of the digit's own (`list == j`), row `b` of
/// `source`: those residues need no conversion. The keys' rows start at `table`, `[key digit][component]`, in Montgomery form.
/// The key digits are in the entries after the last limb. A thread handles 4 adjacent positions of `width` ciphertexts, so that a
/// word of the key is read once for all of them. Without rotations g is the identity, and rows are read in units of four words; with
/// them the four words come from anywhere in an aligned block of a row, as the blocks of a bit-reversed order do. Grid: x over groups of 256
/// positions, y entries, z over groups of `width` batch items.
pub(crate) fn source(width: usize, rotations: usize) -> String {
    let gather = rotations > 0;
    // Terms of the sum: one too where nothing moves.
    let terms = rotations.max(1);
    let items = |f: &dyn Fn(usize) -> String| (0..width).map(f).collect::<String>();
    let each = |f: &dyn Fn(usize) -> String| (0..terms).map(f).collect::<String>();
    let lanes = |f: &dyn Fn(usize, &str) -> String| {
        LANES
            .iter()
            .enumerate()
            .map(|(c, lane)| f(c, lane))
            .collect::<String>()
    };
    let declare = items(&|t| {
        format!("    let p{t} = min(p + {t}u, h.batch - 1u);\n")
            + &lanes(&|c, _| {
                format!("    var s0_{t}_{c} = acc_zero(); var s1_{t}_{c} = acc_zero();\n")
            })
    });
    let mac = each(&|g| {
        let head = format!(
            "        let k0_{g} = key_{g}[key_row * quads + i];
        let k1_{g} = key_{g}[(key_row + 1u) * quads + i];
"
        );
        head + &items(&|t| {
            format!(
                "        var x{g}_{t}: vec4<u32>;
        if (own) {{ x{g}_{t} = load_source(e.b + p{t} * h.b_stride, image_{g}); }}
        else {{ x{g}_{t} = load_digits(e.a + j * h.a_part + p{t} * h.a_stride, image_{g}); }}
"
            ) + &lanes(&|c, lane| {
                format!(
                    "        s0_{t}_{c} = acc_mac(s0_{t}_{c}, x{g}_{t}.{lane}, k0_{g}.{lane}, m); \
                     s1_{t}_{c} = acc_mac(s1_{t}_{c}, x{g}_{t}.{lane}, k1_{g}.{lane}, m);\n"
                )
            })
        })
    });
    let fold = items(&|t| {
        lanes(&|c, _| {
            format!(
                "            s0_{t}_{c} = acc_fold(s0_{t}_{c}, m); s1_{t}_{c} = acc_fold(s1_{t}_{c}, m);\n"
            )
        })
    });
    let images = (0..terms)
        .map(|g| format!("image_{g}, "))
        .collect::<String>();
    let store = items(&|t| {
        let value = |half: usize| {
            let parts: Vec<String> = (0..LANES.len())
                .map(|c| format!("acc_reduce(s{half}_{t}_{c}, m)"))
                .collect();
            parts.join(", ")
        };
        format!(
            "    if (p + {t}u < h.batch) {{
        finish(0u, p{t}, i, {images}vec4<u32>({}), e, m);
        finish(1u, p{t}, i, {images}vec4<u32>({}), e, m);
    }}
",
            value(0),
            value(1)
        )
    });
    let element = if gather { "u32" } else { "vec4<u32>" };
    let load: String = ["digits", "source", "addend"]
        .iter()
        .map(|name| {
            let value = if gather {
                format!(
                    "let at = row * params.header.n;
    return vec4<u32>({name}[at + image.x], {name}[at + image.y], {name}[at + image.z], {name}[at + image.w]);"
                )
            } else {
                format!("return {name}[row * (params.header.n / 4u) + image.x];")
            };
            format!("fn load_{name}(row: u32, image: vec4<u32>) -> vec4<u32> {{\n    {value}\n}}\n")
        })
        .collect();
    let image = each(&|g| {
        let value = if gather {
            lanes(&|c, _| {
                let comma = if c == 0 { "" } else { ", " };
                format!("{comma}gather_index(4u * i + {c}u, h.galois_{g}, h.log_n)")
            })
        } else {
            "i, 0u, 0u, 0u".to_owned()
        };
        format!("    let image_{g} = vec4<u32>({value});\n")
    });
    let unmoved = if gather {
        "4u * i, 4u * i + 1u, 4u * i + 2u, 4u * i + 3u"
    } else {
        "i, 0u, 0u, 0u"
    };
    let functions = if gather { GATHER } else { "" };
    let keys = each(&|g| {
        let binding = [4, 6, 7][g];
        format!("@group(0) @binding({binding}) var<storage, read> key_{g}: array<vec4<u32>>;\n")
    });
    let (weight, weigh) = if terms == 1 {
        (
            "@group(0) @binding(6) var<storage, read> weight: array<vec4<u32>>;\n",
            "    if ((h.flags & 8u) != 0u) {
        let row = e.w + ((part * h.w_batch + h.w_first + p) % h.w_count) * h.w_stride;
        value = mul_mod4(value, weight[row * quads + i], m);
    }
",
        )
    } else {
        ("", "")
    };
    let parameters = each(&|g| format!("image_{g}: vec4<u32>, "));
    let moved = (1..terms).fold("load_addend(row, image_0)".to_owned(), |sum, g| {
        format!("add_mod4({sum}, load_addend(row, image_{g}), m.q)")
    });
    let fold_at = 11 / terms;
    format!(
        "@group(0) @binding(1) var<storage, read_write> dst: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> digits: array<{element}>;
@group(0) @binding(3) var<storage, read> source: array<{element}>;
@group(0) @binding(5) var<storage, read> addend: array<{element}>;
{keys}{weight}{functions}{load}
fn finish(part: u32, p: u32, i: u32, {parameters}sum: vec4<u32>, e: Entry, m: Modulus) {{
    let h = params.header;
    let quads = h.n / 4u;
    var value = sum;
    if (e.c != NONE) {{
        let row = e.c + part * h.c_part + p * h.c_stride;
        let k = vec2<u32>(e.k0, e.k0_shoup);
        if ((h.flags & (2u << part)) != 0u) {{ value = add_mod4(value, shoup4({moved}, k, m.q), m.q); }}
        if ((h.flags & 16u) != 0u) {{
            value = add_mod4(value, shoup4(load_addend(row, vec4<u32>({unmoved})), k, m.q), m.q);
        }}
    }}
{weigh}    let at = (e.dst + part * h.dst_part + p * h.dst_stride) * quads + i;
    if ((h.flags & 1u) != 0u) {{ value = add_mod4(value, dst[at], m.q); }}
    dst[at] = value;
}}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {{
    let h = params.header;
    let quads = h.n / 4u;
    let i = group.x * 64u + local;
    if (i >= quads) {{ return; }}
    let e = params.entries[group.y];
    let m = entry_modulus(e);
    let p = h.first + group.z * {width}u;
{image}{declare}    for (var j = 0u; j < h.digits; j++) {{
        let key_row = e.table + params.entries[h.entries + j].dst * 2u;
        let own = e.list == j;
{mac}        if (j % {fold_at}u == {fold_at}u - 1u) {{
{fold}        }}
    }}
{store}}}
"
    )
}

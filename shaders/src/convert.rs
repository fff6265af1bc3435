//! Base conversion as an integer matrix product.
//!
//! A thread takes 4 adjacent coefficients of one polynomial and 8 target primes: the 32 sums stay in registers, a source's 4 residues
//! are one load, and the matrix entries of the workgroup's targets lie in workgroup memory.
//!
//! ```text
//!   conversion table, in units of four words:
//!     (sources, mode, units of a matrix row, 0) | Source x sources | matrix row of source 0 | of source 1 | ..
//! ```
//! A matrix row has the entries of all targets of a conversion, in Montgomery form, so that a reduced sum is in plain form. Several
//! conversions with different sources run in one dispatch: entries come in groups of 8 targets of one conversion, padded with
//! entries without an output row.

use std::ops::Range;

use crate::LANES;

/// Coefficients of one workgroup.
pub const COEFFICIENTS_PER_GROUP: u32 = 256;
/// Target primes of one workgroup.
pub const TARGETS_PER_GROUP: usize = 8;

/// Text for every target.
fn targets(f: impl Fn(usize) -> String) -> String {
    (0..TARGETS_PER_GROUP).map(f).collect()
}

/// Text for every sum: target t, coefficient c.
fn sums(f: impl Fn(usize, usize) -> String) -> String {
    let coefficients: Range<usize> = 0..LANES.len();
    targets(|t| coefficients.clone().map(|c| f(t, c)).collect())
}

/// `dst = convert(a)`. Centred mode starts from k0; quotient mode adds v times k0, which is in Montgomery form. 15 products of a
/// sum and the quotient's fit its 64 bits, and 11 more after every fold. Grid: x over groups of 256 coefficients, y over groups of
/// 8 entries, z batch items.
pub(crate) fn source() -> String {
    let declare = targets(|t| {
        format!("    let e{t} = params.entries[first + {t}u]; let m{t} = entry_modulus(e{t});\n")
    }) + &sums(|t, c| format!("    var s{t}_{c} = acc_zero();\n"));
    let mac = sums(|t, c| {
        format!(
            "        s{t}_{c} = acc_mac(s{t}_{c}, x.{}, k{}.{}, m{t});\n",
            LANES[c],
            t / 4,
            LANES[t % 4]
        )
    });
    let fold = sums(|t, c| format!("            s{t}_{c} = acc_fold(s{t}_{c}, m{t});\n"));
    let quotient = sums(|t, c| {
        format!(
            "        s{t}_{c} = acc_mac(s{t}_{c}, v.{}, e{t}.k0, m{t});\n",
            LANES[c]
        )
    });
    let store = targets(|t| {
        let values: Vec<String> = (0..LANES.len())
            .map(|c| format!("acc_reduce(s{t}_{c}, m{t})"))
            .collect();
        format!(
            "    if (e{t}.dst != NONE) {{
        dst[(e{t}.dst + p * h.dst_stride) * quads + i] =
            add_mod4(vec4<u32>({}), vec4<u32>(select(e{t}.k0, 0u, quotient)), m{t}.q);
    }}\n",
            values.join(", ")
        )
    });
    format!(
        "@group(0) @binding(1) var<storage, read_write> dst: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> a: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> table: array<vec4<u32>>;
var<workgroup> sources: array<vec4<u32>, 60>;
var<workgroup> rows: array<vec4<u32>, 120>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {{
    let h = params.header;
    let quads = h.n / 4u;
    let i = group.x * 64u + local;
    let first = group.y * {TARGETS_PER_GROUP}u;
    let list = params.entries[first].list;
    let head = table[list];
    let count = min(head.x, 60u);
    let quotient = head.y == 1u;
    let matrix = list + 1u + count + params.entries[first].table;
    for (var s = local; s < count; s += 64u) {{
        sources[s] = table[list + 1u + s];
        rows[2u * s] = table[matrix + s * head.z];
        rows[2u * s + 1u] = table[matrix + s * head.z + 1u];
    }}
    workgroupBarrier();
    if (i >= quads) {{ return; }}
    let p = h.first + group.z;
    let item = (p % h.a_count) * h.a_stride;
    var fold_at = 14u;
    var estimate = vec4<u32>(1u << 25u);
{declare}    var next = a[(sources[0].x + item) * quads + i];
    for (var s = 0u; s < count; s++) {{
        var x = next;
        // A source ahead: the products hide its way from memory.
        next = a[(sources[min(s + 1u, count - 1u)].x + item) * quads + i];
        let origin = sources[s];
        if (quotient) {{
            estimate += (x >> vec4<u32>(14u)) * origin.w;
        }} else {{
            x = add_mod4(x, vec4<u32>(origin.z), origin.y);
        }}
        let k0 = rows[2u * s];
        let k1 = rows[2u * s + 1u];
{mac}        if (s == fold_at) {{
            fold_at += 11u;
{fold}        }}
    }}
    if (quotient) {{
        let v = estimate >> vec4<u32>(26u);
{quotient}    }}
{store}}}
"
    )
}

//! Base conversion as an integer matrix product.
//!
//! A workgroup takes 64 coefficients of one polynomial and up to 16 target primes. The sources' residues go into workgroup
//! memory once (60 sources x 64 coefficients x 4 bytes = 15 KiB); every thread owns one coefficient and 4 targets.
//!
//! ```text
//!   conversion table, words:  sources, mode, 0, 0, Source x sources | matrix row of target 0 | of target 1 | ..
//! ```
//! Matrix rows are in Montgomery form, so a reduced sum is in plain form. Several conversions with different sources run in one
//! dispatch: entries come in groups of 16 targets of one conversion, padded with entries without an output row.

/// Coefficients of one workgroup.
pub const COEFFICIENTS_PER_GROUP: u32 = 64;
/// Target primes of one workgroup.
pub const TARGETS_PER_GROUP: usize = 16;

/// `dst = convert(a)`. Centred mode starts from k0; quotient mode adds v times k0, which is in Montgomery form. Grid: x over groups
/// of 64 coefficients, y over groups of 16 entries, z batch items.
pub(crate) fn source() -> String {
    let lanes = 0..4;
    let each = |f: &dyn Fn(usize) -> String| lanes.clone().map(f).collect::<String>();
    let declare = each(&|k| {
        format!(
            "    let e{k} = params.entries[first + {k}u]; let m{k} = entry_modulus(e{k}); var s{k} = acc_zero();\n"
        )
    });
    let mac =
        each(&|k| format!("            s{k} = acc_mac(s{k}, x, table[e{k}.table + s], m{k});\n"));
    let fold = each(&|k| format!("        s{k} = acc_fold(s{k}, m{k});\n"));
    let quotient = each(&|k| format!("        s{k} = acc_mac(s{k}, v, e{k}.k0, m{k});\n"));
    let store = each(&|k| {
        format!(
            "    if (e{k}.dst != NONE) {{ dst[(e{k}.dst + p * h.dst_stride) * h.n + i] = \
             add_mod(acc_reduce(s{k}, m{k}), select(e{k}.k0, 0u, quotient), m{k}.q); }}\n"
        )
    });
    format!(
        "@group(0) @binding(1) var<storage, read_write> dst: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<u32>;
@group(0) @binding(3) var<storage, read> table: array<u32>;
var<workgroup> tile: array<u32, 3840>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {{
    let h = params.header;
    let column = local & 63u;
    let lane = local >> 6u;
    let i = group.x * 64u + column;
    let p = h.first + group.z;
    let list = params.entries[group.y * 16u].list;
    let count = min(table[list], 60u);
    let quotient = table[list + 1u] == 1u;
    if (i < h.n) {{
        for (var s = lane; s < count; s += 4u) {{
            let at = list + 4u + 4u * s;
            var x = a[(table[at] + (p % h.a_count) * h.a_stride) * h.n + i];
            if (!quotient) {{ x = add_mod(x, table[at + 2u], table[at + 1u]); }}
            tile[s * 64u + column] = x;
        }}
    }}
    workgroupBarrier();
    if (i >= h.n) {{ return; }}
    let first = group.y * 16u + lane * 4u;
{declare}    for (var base = 0u; base < count; base += 8u) {{
        let end = min(base + 8u, count);
        for (var s = base; s < end; s++) {{
            let x = tile[s * 64u + column];
{mac}        }}
{fold}    }}
    if (quotient) {{
        var sum = 1u << 25u;
        for (var s = 0u; s < count; s++) {{
            sum += (tile[s * 64u + column] >> 14u) * table[list + 7u + 4u * s];
        }}
        let v = sum >> 26u;
{quotient}    }}
{store}}}
"
    )
}

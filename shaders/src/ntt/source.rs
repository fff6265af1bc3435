//! The text of a kernel around its passes.

use super::{
    Direction, NttKernel, NttLoad, NttPart, NttStore, Twiddles,
    swizzle::{SWIZZLE, swizzled},
};

impl NttKernel {
    pub(crate) fn source(self) -> String {
        let threads = 1u32 << (self.tile_log() - self.thread_log());
        let mut body = String::new();
        let mut passes = self.passes();
        if self.direction == Direction::Inverse {
            passes.reverse();
        }
        let stage_in = self.staged() && self.direction == Direction::Inverse;
        let stage_out = self.staged() && self.direction == Direction::Forward;
        if stage_in {
            body += &self.linear(threads, |at, k| format!("{at} = load({k});"));
            body += "    workgroupBarrier();\n";
        }
        let count = passes.len();
        for (index, &pass) in passes.iter().enumerate() {
            if index > 0 {
                body += "    workgroupBarrier();\n";
            }
            let from_rows = index == 0 && !stage_in;
            let to_rows = index + 1 == count && !stage_out;
            self.pass(&mut body, threads, pass, from_rows, to_rows);
        }
        if stage_out {
            body += "    workgroupBarrier();\n";
            body += &self.linear(threads, |at, k| format!("store({k}, {at});"));
        }
        format!(
            "{bindings}
const N = {n}u;
var<workgroup> tile: array<u32, {tile}>;
var<private> q: u32;
var<private> q2: u32;
var<private> k0: vec2<u32>;
var<private> k1: vec2<u32>;
var<private> src_at: u32;
var<private> dst_at: u32;
var<private> kept: u32;
{SWIZZLE}{load}
{store}
@compute @workgroup_size({threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {{
    let h = params.header;
    let e = params.entries[group.y];
    let p = h.first + group.z;
    q = e.q; q2 = 2u * e.q;
    k0 = vec2<u32>(e.k0, e.k0_shoup);
    k1 = vec2<u32>(e.k1, e.k1_shoup);
    let origin = group.x * {step}u;
    dst_at = (e.dst + p * h.dst_stride) * N + origin;
    src_at = {from};
    kept = {kept};
    let twiddle_row = e.table * {twiddle_row}u;
{body}}}
",
            bindings = self.bindings(),
            n = 1u32 << self.log_n,
            twiddle_row = Twiddles::section(self.log_n, self.log_n),
            tile = 1u32 << self.tile_log(),
            load = self.load_function(),
            store = self.store_function(),
            step = match self.part {
                NttPart::Columns => 1 << (self.tile_log() - self.length_log()),
                _ => 1u32 << self.tile_log(),
            },
            from = match self.load {
                NttLoad::InPlace => "dst_at",
                NttLoad::Input => "(e.a + (p % h.a_count) * h.a_stride) * N + origin",
            },
            kept = match self.store {
                NttStore::Plain => "0u",
                NttStore::Rescale =>
                    "select((e.b + p * h.b_stride) * N + origin, NONE, e.b == NONE)",
            },
        )
    }

    fn bindings(self) -> String {
        let mut text = String::from(
            "@group(0) @binding(1) var<storage, read_write> dst: array<u32>;
@group(0) @binding(2) var<storage, read> twiddles: array<vec4<u32>>;
",
        );
        if self.load == NttLoad::Input {
            text += "@group(0) @binding(3) var<storage, read> a: array<u32>;\n";
        }
        if self.store == NttStore::Rescale {
            text += "@group(0) @binding(4) var<storage, read> b: array<u32>;\n";
        }
        text
    }

    /// `load(k)`: the element at offset k from the tile's first.
    fn load_function(self) -> &'static str {
        match self.load {
            NttLoad::InPlace => "fn load(k: u32) -> u32 { return dst[src_at + k]; }",
            NttLoad::Input => "fn load(k: u32) -> u32 { return a[src_at + k]; }",
        }
    }

    /// `store(k, v)`: the counterpart, with what the last kernel does to a value.
    fn store_function(self) -> &'static str {
        match (self.direction, self.last(), self.store) {
            (Direction::Forward, true, NttStore::Plain) => {
                "fn store(k: u32, v: u32) { let x = min(v, v - q2); dst[dst_at + k] = min(x, x - q); }"
            }
            (Direction::Forward, true, NttStore::Rescale) => {
                "fn store(k: u32, v: u32) {
    let x = min(v, v - q2);
    let y = min(x, x - q);
    var lifted = 0u;
    if (kept != NONE) { lifted = shoup_lazy(b[kept + k], k0, q); }
    dst[dst_at + k] = shoup(lifted + q - y, k1, q);
}"
            }
            (Direction::Inverse, true, _) => {
                "fn store(k: u32, v: u32) { dst[dst_at + k] = shoup(v, k0, q); }"
            }
            (_, false, _) => "fn store(k: u32, v: u32) { dst[dst_at + k] = v; }",
        }
    }

    /// All elements of a tile of adjacent words, in order.
    fn linear(self, threads: u32, statement: impl Fn(String, String) -> String) -> String {
        let mut text = String::from("    let linear_at = swizzled(local);\n");
        for k in (0..1u32 << self.tile_log()).step_by(threads as usize) {
            let at = format!("tile[linear_at ^ {}u]", swizzled(k));
            text += &format!("    {}\n", statement(at, format!("local + {k}u")));
        }
        text
    }
}

//! The negacyclic number-theoretic transform in one or two kernels of straight-line radix-16 passes.
//!
//! Forward: decimation in time with psi folded into the twiddles, natural order in, bit-reversed order out; inverse its
//! mirror (Longa and Naehrig, ePrint 2016/504). A row of N = 2^log_n words is split as N1 x N2:
//!
//! ```text
//!   Columns   the first log2 N1 stages: transforms of length N1 over elements N2 apart; a tile is N1 x 4096/N1
//!   Chunks    the last log2 N2 stages: transforms of length N2 over adjacent elements; a tile is 4096/N2 of them
//!   Single    both in one, N up to 4096
//! ```
//! A tile of 4096 words lies in 16 KiB of workgroup memory; each of 256 threads takes 16 elements through a pass of up to 4
//! stages in registers, then passes meet at a barrier. The stage t of a transform of length L whose place in the whole is
//! `root` (1 for columns, N1 + chunk for chunks) uses twiddle `(root << t) + block`: all of them come from one table of
//! pairs (w, Shoup companion). A pass of S stages whose `base = (root << first) + hi` has B values keeps them as 2^(S-1) lists of B
//! units of two pairs, factor `2^t + block` in unit `(2^t + block) / 2` ([`Twiddles`]): adjacent threads read adjacent units.
//!
//! Words of the tile are swizzled ([`swizzled`]), so that the 32 words that adjacent threads access at a time lie in 32 banks
//! in every pass of every degree from 2^13.
//!
//! Ranges: forward values stay in [0, 4q), inverse values in [0, 2q), also between the two kernels; the last
//! kernel stores canonical residues.

use std::fmt::{self, Write as _};

/// log2 of the words of a tile.
pub const TILE_LOG: u32 = 12;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Coefficients to evaluations.
    Forward,
    /// Evaluations to coefficients, times the constant k0 (N^-1 and what is folded into it).
    Inverse,
}

/// Which stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NttPart {
    /// The stages of large stride.
    Columns,
    /// The stages of small stride.
    Chunks,
    /// All stages.
    Single,
}

/// Where a kernel reads its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NttLoad {
    /// From the output, in place.
    InPlace,
    /// From the first input.
    Input,
}

/// What a kernel writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NttStore {
    /// The transformed value.
    Plain,
    /// The end of a rescale: `(b * k0 - value) * k1`, `b` the second input's row, 0 where the entry has none. Only for the last
    /// kernel of a forward transform, which then reads from the first input.
    Rescale,
}

/// One kernel of a transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NttKernel {
    /// log2 N.
    pub log_n: u32,
    /// Which way.
    pub direction: Direction,
    /// Which stages.
    pub part: NttPart,
    /// Where it reads.
    pub load: NttLoad,
    /// What it writes.
    pub store: NttStore,
}

impl fmt::Display for NttKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.direction {
            Direction::Forward => "ntt",
            Direction::Inverse => "intt",
        };
        let part = match self.part {
            NttPart::Columns => ", columns",
            NttPart::Chunks => ", chunks",
            NttPart::Single => "",
        };
        let end = match self.store {
            NttStore::Plain => "",
            NttStore::Rescale => ", end of rescale",
        };
        write!(f, "{verb}{part}{end}")
    }
}

/// How a row of the table of twiddles is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twiddles {
    /// Where factor i, `psi^bitrev(i)`, is: the number of its pair. Index 0 is unused.
    pub places: Vec<usize>,
    /// Pairs of a row, some of them unused.
    pub row: usize,
}

impl Twiddles {
    /// The layout for degree `2^log_n`, the same for both directions.
    pub fn new(log_n: u32) -> Self {
        let mut places = vec![0; 1 << log_n];
        let mut row = 0;
        for pass in whole_transform(log_n) {
            let bases = 1usize << pass.first;
            for base in 0..bases {
                for step in 0..pass.stages {
                    for block in 0..1usize << step {
                        let factor = (1 << step) + block;
                        let unit = factor / 2 * bases + base;
                        places[((bases + base) << step) + block] = row + 2 * unit + factor % 2;
                    }
                }
            }
            row += bases << pass.stages;
        }
        Self { places, row }
    }

    /// The first unit of two pairs of the pass that starts at a stage of the whole transform.
    fn section(log_n: u32, stage: u32) -> usize {
        whole_transform(log_n)
            .iter()
            .take_while(|pass| pass.first < stage)
            .map(|pass| (1usize << pass.first << pass.stages) / 2)
            .sum()
    }
}

/// The passes of all parts of a forward transform, their stages counted from its beginning.
fn whole_transform(log_n: u32) -> Vec<Pass> {
    let mut passes = Vec::new();
    let mut before = 0;
    for &part in NttKernel::parts(log_n, Direction::Forward) {
        let kernel = NttKernel {
            log_n,
            direction: Direction::Forward,
            part,
            load: NttLoad::InPlace,
            store: NttStore::Plain,
        };
        passes.extend(kernel.passes().into_iter().map(|pass| Pass {
            first: before + pass.first,
            ..pass
        }));
        before += kernel.length_log();
    }
    passes
}

/// A run of stages that a thread does in registers.
#[derive(Clone, Copy)]
struct Pass {
    first: u32,
    stages: u32,
}

impl NttKernel {
    /// The parts of a transform of degree `2^log_n`, in order.
    pub fn parts(log_n: u32, direction: Direction) -> &'static [NttPart] {
        match direction {
            _ if log_n <= TILE_LOG => &[NttPart::Single],
            Direction::Forward => &[NttPart::Columns, NttPart::Chunks],
            Direction::Inverse => &[NttPart::Chunks, NttPart::Columns],
        }
    }

    /// Every kernel of a degree, for tests.
    pub fn all(log_n: u32) -> Vec<Self> {
        let mut all = Vec::new();
        for direction in [Direction::Forward, Direction::Inverse] {
            let parts = Self::parts(log_n, direction);
            for (index, &part) in parts.iter().enumerate() {
                let mut add = |load, store| {
                    all.push(Self {
                        log_n,
                        direction,
                        part,
                        load,
                        store,
                    });
                };
                add(NttLoad::InPlace, NttStore::Plain);
                if index == 0 {
                    add(NttLoad::Input, NttStore::Plain);
                }
                if index + 1 == parts.len() && direction == Direction::Forward {
                    add(NttLoad::Input, NttStore::Rescale);
                }
            }
        }
        all
    }

    /// Workgroups per row.
    pub fn tiles(self) -> u32 {
        1 << (self.log_n - self.tile_log())
    }

    pub(crate) fn inputs(self) -> usize {
        1 + usize::from(self.load == NttLoad::Input) + usize::from(self.store == NttStore::Rescale)
    }

    fn tile_log(self) -> u32 {
        self.log_n.min(TILE_LOG)
    }

    /// log2 of the elements of a thread.
    fn thread_log(self) -> u32 {
        self.tile_log().min(4)
    }

    /// log2 of the length of the transforms of this part.
    fn length_log(self) -> u32 {
        match self.part {
            NttPart::Single => self.log_n,
            NttPart::Columns => self.log_n / 2,
            NttPart::Chunks => self.log_n - self.log_n / 2,
        }
    }

    /// Passes in the order of the forward transform, as equal as possible.
    fn passes(self) -> Vec<Pass> {
        let length = self.length_log();
        let count = length.div_ceil(self.thread_log());
        let mut first = 0;
        (0..count)
            .map(|k| {
                let stages = length / count + u32::from(k < length % count);
                let pass = Pass { first, stages };
                first += stages;
                pass
            })
            .collect()
    }

    fn last(self) -> bool {
        Self::parts(self.log_n, self.direction).last() == Some(&self.part)
    }

    /// Whether the stages of stride 1 are in this part: their accesses go through workgroup memory, so that rows are read
    /// and written in order.
    fn staged(self) -> bool {
        self.part != NttPart::Columns
    }

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

    fn pass(self, body: &mut String, threads: u32, pass: Pass, from_rows: bool, to_rows: bool) {
        let Pass { first, stages } = pass;
        let length = self.length_log();
        let radix = 1u32 << stages;
        let rounds = 1u32 << (self.thread_log() - stages);
        let low = length - first - stages;
        let tile_step;
        let row_step;
        let place = match self.part {
            NttPart::Columns => {
                let columns = self.tile_log() - length;
                let apart = self.log_n - length;
                tile_step = 1u32 << (columns + low);
                row_step = 1u32 << (apart + low);
                format!(
                    "        let column = id & {mask}u;
        let g = id >> {columns}u;
        let hi = g >> {low}u;
        let element = (hi << {top}u) | (g & {low_mask}u);
        let at = (element << {columns}u) | column;
        let row_at = (element << {apart}u) | column;
        let root = 1u;
",
                    mask = (1u32 << columns) - 1,
                    top = length - first,
                    low_mask = (1u32 << low) - 1,
                )
            }
            NttPart::Chunks | NttPart::Single => {
                tile_step = 1u32 << low;
                row_step = tile_step;
                let chunks = self.tile_log() - length;
                format!(
                    "        let chunk = id >> {groups}u;
        let g = id & {mask}u;
        let hi = g >> {low}u;
        let at = (chunk << {length}u) | (hi << {top}u) | (g & {low_mask}u);
        let row_at = at;
        let root = {whole}u + (group.x << {chunks}u) + chunk;
",
                    groups = length - stages,
                    mask = (1u32 << (length - stages)) - 1,
                    top = length - first,
                    low_mask = (1u32 << low) - 1,
                    whole = 1u32 << (self.log_n - length),
                )
            }
        };
        // Stages before this part's: chunks come after the columns.
        let before = match self.part {
            NttPart::Chunks => self.log_n - length,
            NttPart::Columns | NttPart::Single => 0,
        };
        let bases = 1u32 << (before + first);
        let open = if rounds == 1 {
            "    {
        let id = local;
"
            .to_owned()
        } else {
            format!(
                "    for (var round = 0u; round < {rounds}u; round++) {{
        let id = local + round * {threads}u;
"
            )
        };
        let section = Twiddles::section(self.log_n, before + first);
        // Writing to a String does not fail.
        let _ = write!(
            body,
            "{open}{place}        let base = twiddle_row + (root << {first}u) + hi - {bases}u + {section}u;
        let tile_at = swizzled(at);
"
        );
        for k in 0..radix {
            let value = if from_rows {
                format!("load(row_at + {}u)", k * row_step)
            } else {
                format!("tile[tile_at ^ {}u]", swizzled(k * tile_step))
            };
            let _ = writeln!(body, "        var v{k} = {value};");
        }
        let forward = self.direction == Direction::Forward;
        for unit in 0..radix / 2 {
            let _ = writeln!(
                body,
                "        let f{unit} = twiddles[base + {}u];",
                unit * bases
            );
        }
        for step in 0..stages {
            let stage = if forward { step } else { stages - 1 - step };
            butterflies(body, stages, stage, forward);
        }
        for k in 0..radix {
            let _ = if to_rows {
                writeln!(body, "        store(row_at + {}u, v{k});", k * row_step)
            } else {
                writeln!(
                    body,
                    "        tile[tile_at ^ {}u] = v{k};",
                    swizzled(k * tile_step)
                )
            };
        }
        *body += "    }\n";
    }
}

/// Where word i of a tile is: a linear map over bits, so the place of `a | b` with no bit in common is `swizzled(a) ^ swizzled(b)`.
/// Bits 5 to 8 of the index are added into the bank so that every five bits that the threads of a pass differ in (those of
/// [`NttKernel::pass`], for every degree) select 32 banks.
fn swizzled(i: u32) -> u32 {
    let bit = |k: u32| i >> k & 1;
    i ^ (bit(5) * 4) ^ (bit(6) * 9) ^ (bit(7) * 18) ^ (bit(8) * 24)
}

/// The same in WGSL.
const SWIZZLE: &str = "fn swizzled(i: u32) -> u32 {
    return i ^ ((i >> 3u) & 4u) ^ (((i >> 6u) & 1u) * 9u) ^ (((i >> 7u) & 1u) * 18u) ^ (((i >> 8u) & 1u) * 24u);
}
";

/// One stage over the 2^stages registers of a pass.
fn butterflies(body: &mut String, stages: u32, stage: u32, forward: bool) {
    let half = 1u32 << (stages - stage - 1);
    for block in 0..1u32 << stage {
        let factor = (1 << stage) + block;
        let pair = if factor.is_multiple_of(2u32) {
            "xy"
        } else {
            "zw"
        };
        let _ = writeln!(
            body,
            "        let w{stage}_{block} = f{}.{pair};",
            factor / 2
        );
        for offset in 0..half {
            let x = 2 * half * block + offset;
            let y = x + half;
            let _ = if forward {
                writeln!(
                    body,
                    "        {{ let t = shoup_lazy(v{y}, w{stage}_{block}, q); let s = min(v{x}, v{x} - q2); \
                     v{x} = s + t; v{y} = s + q2 - t; }}"
                )
            } else {
                writeln!(
                    body,
                    "        {{ let d = v{x} + q2 - v{y}; let s = v{x} + v{y}; \
                     v{x} = min(s, s - q2); v{y} = shoup_lazy(d, w{stage}_{block}, q); }}"
                )
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_covered_once_and_barriers_are_few() {
        for log_n in 3..=17 {
            for kernel in NttKernel::all(log_n) {
                let mut next = 0;
                for pass in kernel.passes() {
                    assert_eq!(pass.first, next);
                    assert!(pass.stages >= 1 && pass.stages <= kernel.thread_log());
                    next += pass.stages;
                }
                assert_eq!(next, kernel.length_log());
                let barriers = kernel.source().matches("workgroupBarrier").count();
                assert!(barriers <= 3, "{kernel:?}: {barriers} barriers");
            }
        }
    }

    #[test]
    fn every_twiddle_has_a_place_of_its_own() {
        for log_n in 3..=17 {
            let Twiddles { places, row } = Twiddles::new(log_n);
            let mut used = vec![false; row];
            for &place in &places[1..] {
                assert!(!std::mem::replace(&mut used[place], true));
            }
            assert!(row <= 2 << log_n && row.is_multiple_of(2));
        }
    }

    /// Number of distinct banks that the threads of a warp access at a time.
    fn banks(kernel: NttKernel, pass: Pass) -> usize {
        let (tile, length) = (kernel.tile_log(), kernel.length_log());
        let low = length - pass.first - pass.stages;
        let columns = match kernel.part {
            NttPart::Columns => tile - length,
            _ => 0,
        };
        // Bits of the tile's index that a thread's number fills, the lowest first: all but the pass's own.
        let own = columns + low..columns + low + pass.stages;
        let bits: Vec<u32> = (0..tile).filter(|b| !own.contains(b)).take(5).collect();
        let places: std::collections::HashSet<u32> = (0..32u32)
            .map(|thread| {
                let index = bits
                    .iter()
                    .enumerate()
                    .map(|(k, &b)| (thread >> k & 1) << b);
                swizzled(index.sum()) % 32
            })
            .collect();
        places.len()
    }

    #[test]
    fn tiles_have_no_bank_conflicts() {
        for i in 0..1 << TILE_LOG {
            assert!(swizzled(i) < 1 << TILE_LOG);
            assert_eq!(swizzled(i & 0xf0f) ^ swizzled(i & 0x0f0), swizzled(i));
        }
        let distinct: std::collections::HashSet<u32> = (0..1 << TILE_LOG).map(swizzled).collect();
        assert_eq!(distinct.len(), 1 << TILE_LOG);
        for log_n in 13..=17 {
            for kernel in NttKernel::all(log_n) {
                for pass in kernel.passes() {
                    assert_eq!(banks(kernel, pass), 32, "{kernel:?}");
                }
            }
        }
    }

    #[test]
    fn both_parts_together_have_all_stages() {
        for log_n in [13, 14, 15, 16, 17] {
            let all = NttKernel::all(log_n);
            let length = |part| {
                let kernel = all.iter().find(|k| k.part == part);
                kernel.map_or(0, |k| k.length_log())
            };
            assert_eq!(length(NttPart::Columns) + length(NttPart::Chunks), log_n);
        }
    }
}

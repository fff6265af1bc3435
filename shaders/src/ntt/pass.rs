//! Stages in registers.

use std::fmt::Write as _;

use super::{Direction, NttKernel, NttPart, Pass, Twiddles, swizzle::swizzled};

impl NttKernel {
    /// Appends a pass: every thread reads its elements, takes them through the stages and writes them, each from and to the tile or the rows.
    pub(super) fn pass(
        self,
        body: &mut String,
        threads: u32,
        pass: Pass,
        from_rows: bool,
        to_rows: bool,
    ) {
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
            butterflies(body, stages, stage, self.direction);
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

/// One stage over the 2^stages registers of a pass.
fn butterflies(body: &mut String, stages: u32, stage: u32, direction: Direction) {
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
            *body += "        ";
            *body += &butterfly(direction, x, y, &format!("w{stage}_{block}"));
        }
    }
}

/// A line of WGSL: the butterfly of the registers `v{x}` and `v{y}` with a factor for [`Prelude::source`](crate::Prelude::source)'s
/// `shoup_lazy`, of the prime `q` with `q2 = 2 q`. Forward, values below 4q stay below 4q; backward, values below 2q stay below 2q.
pub fn butterfly(direction: Direction, x: u32, y: u32, factor: &str) -> String {
    match direction {
        Direction::Forward => format!(
            "{{ let t = shoup_lazy(v{y}, {factor}, q); let s = min(v{x}, v{x} - q2); v{x} = s + t; v{y} = s + q2 - t; }}\n"
        ),
        Direction::Inverse => format!(
            "{{ let d = v{x} + q2 - v{y}; let s = v{x} + v{y}; v{x} = min(s, s - q2); v{y} = shoup_lazy(d, {factor}, q); }}\n"
        ),
    }
}

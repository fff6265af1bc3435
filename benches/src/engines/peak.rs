//! What a device can do: small kernels that do nothing else.
//!
//! Multiplications run in registers, eight independent chains a thread; the formulas are those of the engine's kernels, for both
//! arithmetics. The copy is the engine's own, of rows too many for any cache.

use std::time::Instant;

use arras::{CpuEngine, ckks::Context, hal::Backend};
use arras_backend_gpu::{AdapterReport, GpuEngine};

use super::{
    cases,
    measure::{median, warm_up},
};
use crate::{Result, floor::Peak, sets};

const GROUP: usize = 256;
const CHAINS: usize = 8;

/// The prelude of a kernel: `w` a twiddle with its quotient, `q` a prime.
const INT64: &str = "
fn lazy(a: u32, w: vec2<u32>, q: u32) -> u32 { return a * w.x - u32((u64(a) * u64(w.y)) >> 32u) * q; }
alias Sum = u64;
fn start(x: u32) -> Sum { return u64(x); }
fn add(s: Sum, a: u32, b: u32) -> Sum { return s + u64(a) * u64(b); }
fn low(s: Sum) -> u32 { return u32(s & u64(0xffffffffu)); }
";
const PORTABLE: &str = "
fn mulhi(a: u32, b: u32) -> u32 {
    let al = a & 0xffffu; let ah = a >> 16u;
    let bl = b & 0xffffu; let bh = b >> 16u;
    let low = al * bl;
    let mid = ah * bl + (low >> 16u);
    let cross = al * bh + (mid & 0xffffu);
    return ah * bh + (mid >> 16u) + (cross >> 16u);
}
fn lazy(a: u32, w: vec2<u32>, q: u32) -> u32 {
    let al = a & 0xffffu; let ah = a >> 16u;
    let wl = w.y & 0xffffu; let wh = w.y >> 16u;
    let r = a * w.x - (ah * wh + ((ah * wl) >> 16u) + ((al * wh) >> 16u)) * q;
    return min(r, r - 2u * q);
}
struct Sum { low: u32, high: u32 }
fn start(x: u32) -> Sum { return Sum(x, 0u); }
fn add(s: Sum, a: u32, b: u32) -> Sum {
    let low = s.low + a * b;
    return Sum(low, s.high + mulhi(a, b) + select(0u, 1u, low < s.low));
}
fn low(s: Sum) -> u32 { return s.low ^ s.high; }
";

/// `x_i, x_j = x_i + w x_j, x_i - w x_j` on four pairs, and a product added to each of eight sums.
fn body(butterflies: bool) -> String {
    let mut text = String::new();
    for i in 0..CHAINS {
        text += &if butterflies {
            format!("var x{i} = seed + {i}u;\n")
        } else {
            format!("var x{i} = start(seed + {i}u);\n")
        };
    }
    text += "for (var k = 0u; k < rounds; k++) {\n";
    if butterflies {
        // Three stages of a transform of eight, so that no chain is apart from the others.
        for span in [4, 2, 1] {
            for i in (0..CHAINS).filter(|i| i & span == 0) {
                let j = i + span;
                text += &format!(
                    "{{ let t = lazy(x{j}, w, q); let a = min(x{i}, x{i} - 2u * q); x{i} = a + t; x{j} = a + 2u * q - t; }}\n"
                );
            }
        }
    } else {
        for i in 0..CHAINS {
            text += &format!("x{i} = add(x{i}, low(x{i}), w.x);\n");
        }
    }
    text += "}\nvar sum = 0u;\n";
    for i in 0..CHAINS {
        text += &if butterflies {
            format!("sum += x{i};\n")
        } else {
            format!("sum += low(x{i});\n")
        };
    }
    text
}

fn source(int64: bool, butterflies: bool) -> String {
    let prelude = if int64 { INT64 } else { PORTABLE };
    format!(
        "{prelude}
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size({GROUP}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    let q = out[0]; let rounds = out[1]; let w = vec2<u32>(out[2], out[3]);
    let seed = id.x & 0xffffu;
    {}
    // Never true, and the compiler does not know.
    if (sum == 0xfffffff1u && q == 1u) {{ out[4] = sum; }}
}}",
        body(butterflies)
    )
}

/// A device of its own on the adapter that the engine uses, for kernels of its own.
struct Bare {
    device: wgpu::Device,
    queue: wgpu::Queue,
    int64: bool,
    software: bool,
}

impl Bare {
    fn open(report: &AdapterReport, int64: bool) -> Result<Self> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
        let instance = wgpu::Instance::new(descriptor);
        let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
        let adapter = adapters
            .into_iter()
            .find(|adapter| {
                let info = adapter.get_info();
                info.name == report.name && format!("{:?}", info.backend) == report.backend
            })
            .ok_or("the adapter went away")?;
        let (device, queue) =
            pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
                required_features: if int64 {
                    wgpu::Features::SHADER_INT64
                } else {
                    wgpu::Features::empty()
                },
                ..wgpu::DeviceDescriptor::default()
            }))?;
        Ok(Self {
            device,
            queue,
            int64,
            software: report.kind == "software",
        })
    }

    /// Operations a second of a kernel that does `per_round` of them in a thread's round.
    fn rate(&self, butterflies: bool, seconds: f64) -> Result<f64> {
        let per_round = if butterflies { 12 } else { CHAINS };
        let (groups, rounds): (u32, u32) = if self.software {
            (64, 256)
        } else {
            (1 << 14, 1 << 10)
        };
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: None,
                source: wgpu::ShaderSource::Wgsl(source(self.int64, butterflies).into()),
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: None,
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            });
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 256,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let q: u32 = (1 << 29) + (3 << 17) + 1;
        let w = q / 3;
        let quotient = ((u64::from(w) << 32) / u64::from(q)) as u32;
        let words = [q, rounds, w, quotient];
        self.queue
            .write_buffer(&buffer, 0, bytemuck::cast_slice(&words));
        let bind_group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: buffer.as_entire_binding(),
            }],
        });
        let run = || -> Result<f64> {
            let start = Instant::now();
            let mut encoder = self
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
            {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                pass.set_pipeline(&pipeline);
                pass.set_bind_group(0, &bind_group, &[]);
                pass.dispatch_workgroups(groups, 1, 1);
            }
            self.queue.submit([encoder.finish()]);
            self.device.poll(wgpu::PollType::wait_indefinitely())?;
            Ok(start.elapsed().as_secs_f64())
        };
        warm_up(seconds, run)?;
        let work = f64::from(groups) * GROUP as f64 * f64::from(rounds) * per_round as f64;
        Ok(work / median(seconds, run)?)
    }
}

/// Bytes a second that an engine's copy reads and writes, by copies of rows that exceed caches.
///
/// # Errors
/// The engine's.
pub fn copy_rate<B: Backend>(engine: B, quick: bool, seconds: f64) -> Result<f64> {
    let params = sets::standard(if quick { 13 } else { 15 })?;
    let context = Context::new(&params, engine)?;
    let polys = if quick { 8 } else { 128 };
    let poly = cases::large(&context, polys)?;
    let bytes = 2.0 * 4.0 * poly.shape().words(params.n()) as f64;
    drop(poly.try_clone()?);
    context.ring().sync()?;
    // Several at once: a submission takes as long as a copy on a fast device.
    const COPIES: usize = 8;
    let mut copies = || {
        let start = Instant::now();
        for _ in 0..COPIES {
            drop(poly.try_clone()?);
        }
        context.ring().sync()?;
        Ok(start.elapsed().as_secs_f64() / COPIES as f64)
    };
    warm_up(seconds, &mut copies)?;
    Ok(bytes / median(seconds, copies)?)
}

/// The peaks of the engine's device.
///
/// # Errors
/// If the device cannot be opened a second time, or fails.
pub fn peak(engine: &GpuEngine, int64: bool, quick: bool, seconds: f64) -> Result<Peak> {
    let bare = Bare::open(engine.adapter(), int64)?;
    Ok(Peak {
        bytes: copy_rate(engine.clone(), quick, seconds)?,
        butterflies: bare.rate(true, seconds)?,
        accumulations: bare.rate(false, seconds)?,
    })
}

/// What all cores copy: for the line about the host.
///
/// # Errors
/// None but those of threads.
pub fn host_copy_rate(quick: bool, seconds: f64) -> Result<f64> {
    copy_rate(CpuEngine::new(), quick, seconds)
}

//! What a device can do: small kernels that do nothing else.
//!
//! Multiplications run in registers, eight independent chains a thread; the formulas are those of the engine's kernels, from the
//! crate of the shaders. The copy is the engine's own, of rows too many for any cache.

use arras::{
    ckks::Context,
    hal::{Backend, Eval, Limbs, Poly, Shape},
};
use arras_backend_gpu::{AdapterReport, GpuEngine};
use arras_shaders::{Direction, Prelude, butterfly};

use crate::{
    Result,
    floor::Peak,
    parameter_sets,
    timing::{Repeat, clock},
};

const GROUP: usize = 256;
const CHAINS: u32 = 8;

/// Three stages of a transform of eight, so that no chain is apart from the others; or a product added to each of eight sums.
fn source(prelude: Prelude, butterflies: bool) -> String {
    let (mut start, mut round, mut end) = (String::new(), String::new(), String::new());
    for i in 0..CHAINS {
        let (first, step, last) = if butterflies {
            (format!("seed + {i}u"), String::new(), format!("v{i}"))
        } else {
            (
                "acc_zero()".to_owned(),
                format!("v{i} = acc_mac(v{i}, low(v{i}) + seed, w.x, m);\n"),
                format!("low(v{i})"),
            )
        };
        start += &format!("var v{i} = {first};\n");
        round += &step;
        end += &format!("sum += {last};\n");
    }
    if butterflies {
        for span in [4, 2, 1] {
            for i in (0..CHAINS).filter(|i| i & span == 0) {
                round += &butterfly(Direction::Forward, i, i + span, "w");
            }
        }
    }
    let low = match prelude {
        Prelude::Int64 => "u32(s & u64(0xffffffffu))",
        Prelude::Portable | Prelude::PortableFermat => "s",
    };
    format!(
        "{}
fn low(s: Acc) -> u32 {{ return {low}; }}
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size({GROUP}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    let q = out[0]; let q2 = 2u * q; let rounds = out[1]; let w = vec2<u32>(out[2], out[3]);
    let m = Modulus(q, out[4], out[5], out[3]);
    let seed = id.x & 0xffffu;
    {start}for (var k = 0u; k < rounds; k++) {{
    {round}}}
    var sum = 0u;
    {end}// Never true, and the compiler does not know.
    if (sum == 0xfffffff1u && q == 1u) {{ out[6] = sum; }}
}}",
        prelude.source()
    )
}

/// A device of its own on the adapter that the engine uses, for kernels of its own.
fn open(report: &AdapterReport, prelude: Prelude) -> Result<(wgpu::Device, wgpu::Queue)> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    let instance = wgpu::Instance::new(descriptor);
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let same = |adapter: &wgpu::Adapter| {
        let info = adapter.get_info();
        info.name == report.name && format!("{:?}", info.backend) == report.backend
    };
    let adapter = adapters.into_iter().find(same);
    let descriptor = wgpu::DeviceDescriptor {
        required_features: match prelude {
            Prelude::Int64 => wgpu::Features::SHADER_INT64,
            _ => wgpu::Features::empty(),
        },
        ..wgpu::DeviceDescriptor::default()
    };
    let adapter = adapter.ok_or("the adapter went away")?;
    Ok(pollster::block_on(adapter.request_device(&descriptor))?)
}

/// Operations a second of a kernel that does `per_round` of them in a thread's round.
fn rate(
    (device, queue): &(wgpu::Device, wgpu::Queue),
    prelude: Prelude,
    software: bool,
    butterflies: bool,
    seconds: f64,
) -> Result<f64> {
    let per_round = if butterflies { 12 } else { CHAINS };
    let (groups, rounds): (u32, u32) = if software {
        (64, 256)
    } else {
        (1 << 14, 1 << 10)
    };
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(source(prelude, butterflies).into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 256,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let q: u32 = (1 << 29) + (3 << 17) + 1;
    let w = q / 3;
    let quotient = ((u64::from(w) << 32) / u64::from(q)) as u32;
    // The inverse of q modulo 2^32, by Newton's method from q itself, which is its own inverse modulo 8.
    let inverse = (0..4).fold(q, |x, _| {
        x.wrapping_mul(2u32.wrapping_sub(q.wrapping_mul(x)))
    });
    let words = [q, rounds, w, quotient, inverse, w];
    queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&words));
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry {
            binding: 0,
            resource: buffer.as_entire_binding(),
        }],
    });
    let run = || {
        let mut encoder =
            device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(groups, 1, 1);
        }
        queue.submit([encoder.finish()]);
        Ok(device.poll(wgpu::PollType::wait_indefinitely())?)
    };
    let work = f64::from(groups) * GROUP as f64 * f64::from(rounds) * f64::from(per_round);
    let time = Repeat::lasting(seconds).warmed_up(seconds);
    Ok(work / time.time(|| clock(run))?.median)
}

/// Bytes a second that an engine's copy reads and writes, by copies of rows that exceed caches.
pub(super) fn copy_rate<B: Backend>(engine: B, quick: bool, seconds: f64) -> Result<f64> {
    let params = parameter_sets::standard(if quick { 13 } else { 15 })?;
    let context = Context::new(&params, engine)?;
    let polys = if quick { 8 } else { 128 };
    let shape = Shape::new(polys, Limbs::new(0..params.basis_len()));
    let poly = Poly::<B, Eval>::zeros(context.ring(), &shape)?;
    let bytes = 2.0 * 4.0 * shape.words(params.n()) as f64;
    let copy = || {
        drop(poly.try_clone()?);
        Ok(())
    };
    let time = Repeat::lasting(seconds).warmed_up(seconds);
    // Several at once: a submission takes as long as a copy on a fast device.
    let [each, ..] = time.queued(8, copy, || Ok(context.ring().sync()?))?;
    Ok(bytes / each.median)
}

/// The peaks of the engine's device, with shaders that have 64-bit integers if the device has and they are not asked to be portable.
pub(super) fn peak(engine: &GpuEngine, portable: bool, quick: bool, seconds: f64) -> Result<Peak> {
    let prelude = if engine.adapter().int64 && !portable {
        Prelude::Int64
    } else {
        Prelude::Portable
    };
    let device = open(engine.adapter(), prelude)?;
    let software = engine.adapter().kind == "software";
    let rate = |butterflies| rate(&device, prelude, software, butterflies, seconds);
    Ok(Peak {
        bytes: copy_rate(engine.clone(), quick, seconds)?,
        butterflies: rate(true)?,
        accumulations: rate(false)?,
    })
}

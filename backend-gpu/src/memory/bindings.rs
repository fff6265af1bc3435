//! Bind groups, found again by the blocks that they bind.

use std::{collections::HashMap, sync::Mutex};

use super::Block;
use crate::device::{Gpu, lock};

/// Bind groups kept.
const KEPT: usize = 4096;

/// By id, offset and length of the blocks.
///
/// A bind group keeps its buffers alive: when those of the pool go back to the driver, all of them are dropped.
#[derive(Default)]
pub(super) struct BindGroups(Mutex<HashMap<Vec<[u64; 3]>, wgpu::BindGroup>>);

impl BindGroups {
    /// The bind group of a kernel's parameters, output and inputs. Parameters are the same at every call.
    pub(super) fn get(
        &self,
        gpu: &Gpu,
        params: wgpu::BufferBinding<'_>,
        dst: &Block,
        inputs: &[&Block],
    ) -> wgpu::BindGroup {
        let blocks = || [dst].into_iter().chain(inputs.iter().copied());
        let windows: Vec<[u64; 3]> = blocks().map(|b| [b.id, b.offset, b.bytes]).collect();
        let mut kept = lock(&self.0);
        if kept.len() >= KEPT {
            kept.clear();
        }
        let make = || {
            let buffers = [params].into_iter().chain(blocks().map(Block::binding));
            let entries: Vec<_> = buffers
                .zip(0..)
                .map(|(buffer, binding)| wgpu::BindGroupEntry {
                    binding,
                    resource: wgpu::BindingResource::Buffer(buffer),
                })
                .collect();
            gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: gpu.bind_group_layout(inputs.len()),
                entries: &entries,
            })
        };
        kept.entry(windows).or_insert_with(make).clone()
    }

    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }
}

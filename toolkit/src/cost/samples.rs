//! Interpolation of measured costs by modelled work.

/// Work, and seconds per ciphertext alone and in the larger batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) work: f64,
    pub(super) single: f64,
    pub(super) batched: f64,
}

impl Sample {
    /// Between two samples: by work, or where they do not differ in work by `otherwise`.
    pub(super) fn towards(&self, other: &Self, work: f64, otherwise: f64) -> Self {
        let t = if self.work == other.work {
            otherwise
        } else {
            ((work - self.work) / (other.work - self.work)).clamp(0.0, 1.0)
        };
        let mix = |a: f64, b: f64| a + t * (b - a);
        Self {
            work,
            single: mix(self.single, other.single),
            batched: mix(self.batched, other.batched),
        }
    }

    fn proportional(&self, work: f64) -> Self {
        let ratio = if self.work > 0.0 {
            work / self.work
        } else {
            1.0
        };
        Self {
            work,
            single: ratio * self.single,
            batched: ratio * self.batched,
        }
    }
}

/// Piecewise linear in the work, in proportion beyond both ends. There is at least one sample.
pub(super) fn at_work(samples: &[Sample], work: f64) -> Sample {
    let mut samples = samples.to_vec();
    samples.sort_by(|a, b| a.work.total_cmp(&b.work));
    let after = samples.partition_point(|sample| sample.work < work);
    match (
        after.checked_sub(1).and_then(|i| samples.get(i)),
        samples.get(after),
    ) {
        (Some(low), Some(high)) => low.towards(high, work, 1.0),
        (Some(only), None) | (None, Some(only)) => only.proportional(work),
        (None, None) => Sample {
            work,
            single: 0.0,
            batched: 0.0,
        },
    }
}

//! A judge that knows the truth and says the contrary with a probability.

use std::sync::Arc;

use async_trait::async_trait;
use toolcrib_agent::critic::{Judge, JudgeError, Opinion, Review, ReviewContext};

use crate::faults::Knowledge;

pub(crate) struct Liar {
    pub(crate) knows: Arc<Knowledge>,
    /// How often it is wrong, in per cent.
    pub(crate) wrong: u32,
    pub(crate) seed: u64,
}

#[async_trait]
impl Judge for Liar {
    fn name(&self) -> &str {
        "liar"
    }

    async fn review(&self, context: &ReviewContext) -> Result<Review, JudgeError> {
        let record = context.state.record(context.node).expect("a step that is reviewed was made");
        let lies = dice(self.seed, u64::from(context.node.0) << 32 | record.over_by) % 100 < u64::from(self.wrong);
        let sound = self.knows.is_bad(context.node) == lies;
        self.knows.reviewed();
        let why = if sound { "as it should be" } else { "it looks odd" }.to_owned();
        let opinion = Opinion { sound, why, cites: vec![record.over_by] };
        Ok(Review { opinion, usage: toolcrib_model::Usage { input: 400, output: 40, cached: 0 } })
    }
}

/// The same number for the same two, and no pattern in them (SplitMix64).
fn dice(seed: u64, what: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(what).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

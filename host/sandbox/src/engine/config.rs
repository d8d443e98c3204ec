//! How the engines are configured, and why.

use wasmtime::{Collector, Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use super::slots::total;
use super::{Profile, host_memory};

/// How instances get their memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pooling {
    /// Pools with kept-resident memory, and `PAGEMAP_SCAN` where the machine has no swap.
    #[default]
    Tuned,
    /// Pools as the engine sets them by default. For comparison in benches.
    EngineDefault,
    /// Memory mapped at each call. For comparison in benches.
    OnDemand,
}

/// The largest linear memory that an engine can give at all. A call's own limit is checked by its limiter.
const SMALL_MEMORY_BYTES: usize = 256 << 20;
const LARGE_MEMORY_BYTES: usize = 2 << 30;
/// Core instances and tables in one component. The counts of the pools are such that memories, which `slots` hands out, are
/// the first to be all taken.
const CORE_INSTANCES: u32 = 64;
const TABLES: u32 = 16;
/// Memories in one component.
pub(crate) const MEMORIES_MAX: u32 = 4;
/// The wasm stack of a guest. Recursion deeper than this traps as `stack-overflow`.
const WASM_STACK_BYTES: usize = 1 << 20;
/// The native stack of a call: the guest's part, and room for host functions above it.
const ASYNC_STACK_BYTES: usize = WASM_STACK_BYTES + (512 << 10);
/// Pages reset by `memset` after a call instead of being given back and faulted in again.
const SMALL_RESIDENT_BYTES: usize = 2 << 20;
const LARGE_RESIDENT_BYTES: usize = 16 << 20;

/// The configuration of a profile's engine.
pub(crate) fn engine_config(profile: Profile, pooling: Pooling) -> Config {
    let mut config = Config::new();
    proposals(&mut config);
    metering(&mut config);
    config.cranelift_opt_level(OptLevel::Speed);
    config.memory_init_cow(true);
    config.allocation_strategy(match pooling {
        Pooling::Tuned => InstanceAllocationStrategy::Pooling(pools(profile)),
        Pooling::EngineDefault => InstanceAllocationStrategy::Pooling(Default::default()),
        Pooling::OnDemand => InstanceAllocationStrategy::OnDemand,
    });
    config
}

/// What guests may be written in: WebAssembly 2.0 and components, nothing that is still moving or that shares memory.
fn proposals(config: &mut Config) {
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .wasm_threads(false)
        .shared_memory(false)
        .wasm_memory64(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_relaxed_simd(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false)
        .wasm_multi_memory(true)
        .wasm_tail_call(true)
        .wasm_simd(true)
        .collector(Collector::Null);
}

/// One meter: fuel. It bounds the work, is the same on every machine, and its yields are where the deadline and the
/// other calls get their turn. `docs/architecture.md` has the measurement against epochs.
fn metering(config: &mut Config) {
    config
        .consume_fuel(true)
        .epoch_interruption(false)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(ASYNC_STACK_BYTES)
        // A native stack holds what host functions spilled; the next call must not find it.
        .async_stack_zeroing(true)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16))
        .generate_address_map(false)
        .native_unwind_info(true);
}

fn pools(profile: Profile) -> PoolingAllocationConfig {
    let (calls, memory, resident) = match profile {
        Profile::Small => (total(profile), SMALL_MEMORY_BYTES, SMALL_RESIDENT_BYTES),
        Profile::Large => (total(profile), LARGE_MEMORY_BYTES, LARGE_RESIDENT_BYTES),
    };
    let mut pools = PoolingAllocationConfig::new();
    pools
        .total_component_instances(calls)
        .max_component_instance_size(1 << 20)
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_core_instances(calls * CORE_INSTANCES)
        .max_core_instance_size(1 << 20)
        .max_memories_per_component(MEMORIES_MAX)
        .max_memories_per_module(2)
        .total_memories(calls)
        .max_memory_size(memory)
        .max_tables_per_component(TABLES)
        .max_tables_per_module(8)
        .total_tables(calls * TABLES)
        .table_elements(20_000)
        .total_stacks(calls)
        .total_gc_heaps(1)
        .linear_memory_keep_resident(resident)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10)
        .max_unused_warm_slots(calls / 8)
        .decommit_batch_size(1)
        .pagemap_scan(if host_memory::has_swap() { Enabled::No } else { Enabled::Auto });
    pools
}

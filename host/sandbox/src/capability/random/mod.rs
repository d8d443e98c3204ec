//! `wasi:random`: random bytes from the operating system; where a call may have to be made again, such as follow from its
//! seed. Needs no grant; the bytes count as host-call bytes.

use std::sync::Arc;

use toolcrib_policy::{Authority, LimitName};
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use super::{Capability, Setup};
use crate::call::{CallState, Record, Stop};
use crate::steady::Steady;

/// Bytes that one call may ask for.
const MAX_RANDOM_BYTES: u64 = 1 << 20;

pub(crate) struct Random;

impl HasData for Random {
    type Data<'a> = RandomView<'a>;
}

impl Capability for Random {
    const NAME: &'static str = "random";
    const INTERFACES: &'static [&'static str] =
        &["wasi:random/random", "wasi:random/insecure", "wasi:random/insecure-seed"];
    const REACH: Option<&'static str> = None;
    type State = Option<Arc<Steady>>;

    fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        random::add_to_linker::<CallState, Random>(linker, view)?;
        insecure::add_to_linker::<CallState, Random>(linker, view)?;
        insecure_seed::add_to_linker::<CallState, Random>(linker, view)
    }

    fn prepare(setup: &Setup<'_>) -> Self::State {
        setup.steady.clone()
    }
}

fn view(state: &mut CallState) -> RandomView<'_> {
    RandomView { authority: &state.authority, record: &state.record, steady: &state.capabilities.random }
}

pub(crate) struct RandomView<'a> {
    authority: &'a Arc<Authority>,
    record: &'a Arc<Record>,
    steady: &'a Option<Arc<Steady>>,
}

impl RandomView<'_> {
    /// The size is checked before anything is allocated.
    fn bytes(&self, len: u64) -> wasmtime::Result<Vec<u8>> {
        let limits = &self.authority.limits;
        if len > MAX_RANDOM_BYTES {
            return Err(self.record.stop(Stop::limit(LimitName::HostCallBytes, limits)));
        }
        let len = usize::try_from(len)?;
        self.record.charge(len, limits)?;
        let mut bytes = vec![0; len];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn number(&self) -> wasmtime::Result<u64> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn fill(&self, bytes: &mut [u8]) -> wasmtime::Result<()> {
        match self.steady {
            Some(steady) => {
                steady.fill(bytes);
                Ok(())
            }
            None => fill(bytes),
        }
    }
}

fn fill(mut bytes: &mut [u8]) -> wasmtime::Result<()> {
    while !bytes.is_empty() {
        let filled = rustix::rand::getrandom(&mut *bytes, rustix::rand::GetRandomFlags::empty())?;
        bytes = &mut bytes[filled..];
    }
    Ok(())
}

impl random::Host for RandomView<'_> {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.number()
    }
}

/// The "insecure" interfaces get the same source: it is fast enough, and there is nothing to confuse.
impl insecure::Host for RandomView<'_> {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.number()
    }
}

impl insecure_seed::Host for RandomView<'_> {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.number()?, self.number()?))
    }
}

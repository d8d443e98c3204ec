//! Asks for a gibibyte of random bytes at once, through the import itself.
#[link(wasm_import_module = "wasi:random/random@0.2.0")]
unsafe extern "C" {
    #[link_name = "get-random-bytes"]
    fn get_random_bytes(len: u64, out: *mut [usize; 2]);
}
fn main() {
    let mut out = [0usize; 2];
    // SAFETY: the canonical ABI writes a pointer and a length to `out`.
    unsafe { get_random_bytes(1 << 30, &mut out) };
    println!("{}", out[1]);
}

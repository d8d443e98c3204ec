//! Documentation inside the bytes of a component, which is read before anybody looked at it: no panic, whatever the bytes are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use toolcrib_sandbox::fuzzing::docs;

fuzz_target!(|data: &[u8]| {
    // As they are, and as the section of a component.
    docs(data);
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    let name = b"package-docs";
    let size = 1 + name.len() + data.len();
    component.push(0);
    let mut left = size;
    loop {
        let byte = (left & 0x7f) as u8;
        left >>= 7;
        component.push(if left == 0 { byte } else { byte | 0x80 });
        if left == 0 {
            break;
        }
    }
    component.push(name.len() as u8);
    component.extend_from_slice(name);
    component.extend_from_slice(data);
    docs(&component);
});

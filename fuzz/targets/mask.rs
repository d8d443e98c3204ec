//! Secrets in text that comes in pieces: wherever it is cut, as much comes out as went in, the same as in one piece, and no form of
//! the secret.
#![no_main]

use libfuzzer_sys::fuzz_target;
use toolcrib_sandbox::fuzzing::masked;
use toolcrib_secrets::forms;

fuzz_target!(|data: &[u8]| {
    // The length of the secret, the secret, then text in which each 0xff is a cut, and each 0xfe a form of the secret.
    let Some((length, rest)) = data.split_first() else { return };
    let length = 4 + usize::from(*length) % 40;
    if rest.len() < length {
        return;
    }
    let (secret, text) = rest.split_at(length);
    let Ok(secret) = std::str::from_utf8(secret) else { return };
    let forms = forms(secret);
    let mut pieces: Vec<Vec<u8>> = vec![Vec::new()];
    for (at, byte) in text.iter().enumerate() {
        let last = pieces.last_mut().expect("there is one");
        match byte {
            0xff => pieces.push(Vec::new()),
            0xfe => last.extend_from_slice(forms[at % forms.len()].as_bytes()),
            other => last.push(*other),
        }
    }
    let whole = pieces.concat();
    let cut: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
    let out = masked(&[secret], &cut).expect("there is a secret");
    assert_eq!(out.len(), whole.len());
    assert_eq!(out, masked(&[secret], &[&whole]).expect("there is a secret"), "cuts make a difference");
    // Stars may be a part of a secret; then what is left of one is told from the text around it only by eye.
    if !secret.contains('*') {
        for form in &forms {
            let found = out.windows(form.len()).any(|window| window.eq_ignore_ascii_case(form.as_bytes()));
            assert!(!found, "{form:?} is in {:?}", String::from_utf8_lossy(&out));
        }
    }
    // What is not masked is as it was.
    assert!(out.iter().zip(&whole).all(|(out, was)| out == was || *out == b'*'));
});

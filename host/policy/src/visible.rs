//! Characters that nobody can see.

/// Whether the character takes no place on a screen, or changes how others are shown: the format characters of Unicode
/// (category `Cf`, Annex 9), fillers, variation selectors, tags, and the separators of lines. Control characters are
/// not among them: [`char::is_control`] knows those.
pub fn is_hidden(c: char) -> bool {
    matches!(c as u32,
        0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
        | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
        | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

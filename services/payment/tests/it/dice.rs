//! Chance that can be replayed, and texts that are changed by it.

/// How many odd texts are tried: `PROPTEST_CASES` if that is more than the 10,000 of every run.
pub fn cases() -> u32 {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    wanted.unwrap_or(0).max(10_000)
}

/// A small generator (SplitMix64): the same seed rolls the same.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `below`.
    pub fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(below.max(1)).expect("small")).expect("small")
    }
}

/// Changes something of a text, if only a bit.
pub fn mutate(dice: &mut Dice, text: &mut Vec<u8>) {
    let at = dice.roll(text.len());
    match dice.roll(6) {
        0 if !text.is_empty() => text[at] ^= 1 << dice.roll(8),
        1 => text.insert(at, b" \n\"{}0a\xff"[dice.roll(8)]),
        2 if !text.is_empty() => drop(text.remove(at)),
        3 => text.truncate(at),
        4 => text.extend_from_within(at..),
        _ => {
            let other = dice.roll(text.len());
            if !text.is_empty() && text[at] != text[other] {
                text.swap(at, other);
            } else {
                text.push(b'x');
            }
        }
    }
}

//! What clients decide, drawn before anything runs.

/// SplitMix64 (Steele, Lea, Flood 2014): the same on every machine and in every version of the code.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Those of one client in the run of a seed.
    pub fn of(seed: u64, client: u64) -> Self {
        let mut dice = Self(seed);
        Self(dice.next() ^ client.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// One step of a client: which operation, and the numbers that it goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decision {
    /// What: an index into [`super::ops::OPS`].
    pub op: usize,
    /// Which of the things at hand.
    pub which: u64,
    /// When.
    pub when: u64,
    /// With what: item, therapist, room.
    pub whom: u64,
    /// How.
    pub how: u64,
}

impl Decision {
    /// Draws one; operations come as often as their weights say.
    pub fn draw(dice: &mut Dice, weights: &[u64]) -> Self {
        let mut at = dice.next() % weights.iter().sum::<u64>();
        let mut op = 0;
        while at >= weights[op] {
            at -= weights[op];
            op += 1;
        }
        Self { op, which: dice.next(), when: dice.next(), whom: dice.next(), how: dice.next() }
    }

    /// One of `things`; `None` if there are none.
    pub fn pick<'a, T>(&self, number: u64, things: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(things.len()).ok().filter(|count| *count > 0)?;
        things.get(usize::try_from(number % count).ok()?)
    }

    /// Whether this comes true, as it does in so many of a hundred.
    pub fn chance(&self, percent: u64) -> bool {
        self.how % 100 < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_decisions_for_ever() {
        let draw = |seed, client| {
            let mut dice = Dice::of(seed, client);
            [(); 3].map(|()| Decision::draw(&mut dice, &[3, 1, 2]))
        };
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
        assert_eq!(Dice::of(7, 1).next(), 0x2EFB_B8A3_1B5A_457F);
    }
}

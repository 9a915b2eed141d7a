//! A seeded source of chance and the little arithmetic that it needs, the same to the last bit on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough to shape a path.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// One that goes its own way from here, so that one part's use of chance does not shift another's.
    pub(super) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 up to, and without, 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From `low` up to, and without, `high`; `low` where there is nothing between.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        if high <= low { low } else { low + self.next() % (high - low) }
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() < probability
    }

    /// Mean 0, variance 1, never beyond ±6: the sum of twelve.
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Mean 1; `sigma` is that of the logarithm.
    pub(super) fn lognormal(&mut self, sigma: f64) -> f64 {
        exp(sigma * self.normal() - sigma * sigma / 2.0)
    }
}

/// e to the power of `x`, for |x| up to 4, by addition and multiplication alone: the platforms' own differ in the last bit.
pub(super) fn exp(x: f64) -> f64 {
    let x = x.clamp(-4.0, 4.0) / 16.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..12 {
        term *= x / f64::from(n);
        sum += term;
    }
    let two = sum * sum;
    let four = two * two;
    let eight = four * four;
    eight * eight
}

/// The cube root of `x` ≥ 0.
pub(super) fn cbrt(x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let mut root = if x > 1.0 { x / 3.0 + 0.6 } else { 1.0 };
    for _ in 0..40 {
        root = (2.0 * root + x / (root * root)) / 3.0;
    }
    root
}

#[test]
fn chance_is_the_same_on_every_machine_and_has_the_mean_that_it_says() {
    let mut random = Random::new(1);
    assert_eq!((random.next(), random.next()), (2_208_346_188_470_886_325, 12_895_639_517_224_068_341));
    let mean = (0..100_000).map(|_| random.lognormal(0.25)).sum::<f64>() / 100_000.0;
    assert!((mean - 1.0).abs() < 0.01, "{mean}");
    assert!((exp(1.0) - std::f64::consts::E).abs() < 1e-9 && (cbrt(27.0) - 3.0).abs() < 1e-9);
}

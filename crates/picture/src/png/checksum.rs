//! Adler-32 of bytes that were summed up in pieces.

/// The largest prime below 2^16, Adler-32's modulus.
const ADLER_MODULUS: u64 = 65_521;
/// Adler-32 of no bytes.
const ADLER_EMPTY: u32 = 1;

/// The Adler-32 of some bytes, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum {
    /// Their Adler-32.
    pub adler32: u32,
    /// Their number.
    pub len: u64,
}

impl Checksum {
    /// Makes this the checksum of these bytes and those of `next` behind them.
    pub fn append(&mut self, next: Self) {
        self.adler32 = adler32_combine(self.adler32, next.adler32, next.len);
        self.len += next.len;
    }
}

impl Default for Checksum {
    /// Of no bytes.
    fn default() -> Self {
        Self {
            adler32: ADLER_EMPTY,
            len: 0,
        }
    }
}

/// Adler-32 of two byte strings in a row, from the Adler-32 of each and the length of the second.
///
/// The low half is 1 + the sum of all bytes, the high half the sum of all the low halves on the way. Behind the first
/// string, every one of the second's `len` low halves is larger by the first's low half less the 1 it starts from.
fn adler32_combine(first: u32, second: u32, len: u64) -> u32 {
    let halves = |adler: u32| (u64::from(adler & 0xffff), u64::from(adler >> 16));
    let ((low1, high1), (low2, high2)) = (halves(first), halves(second));
    let carried = low1 + ADLER_MODULUS - 1;
    let low = (carried + low2) % ADLER_MODULUS;
    let high = (high1 + high2 + (len % ADLER_MODULUS) * (carried % ADLER_MODULUS)) % ADLER_MODULUS;
    (high as u32) << 16 | low as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combined_adler32_is_that_of_the_whole() {
        let bytes: Vec<u8> = (0..200_000u32)
            .map(|i| (i ^ (i >> 5)) as u8 | 0xc0)
            .collect();
        let adler = |bytes: &[u8]| simd_adler32::adler32(&bytes);
        for cut in [0, 1, 2, 65_520, 65_521, 65_522, 150_000, bytes.len()] {
            let (head, tail) = bytes.split_at(cut);
            let mut whole = Checksum::default();
            for part in [head, tail] {
                whole.append(Checksum {
                    adler32: adler(part),
                    len: part.len() as u64,
                });
            }
            assert_eq!(whole.adler32, adler(&bytes), "cut at {cut}");
            assert_eq!(whole.len, bytes.len() as u64);
        }
    }
}

//! How many writes a client may make: a bucket for each, which fills up steadily.

use faafo_model::Uuid;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most buckets; clients beyond share one.
const MOST: usize = 16_384;

/// Whose bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// That of whoever has this token.
    Token(Uuid),
    /// That of whoever is at this address.
    Address(IpAddr),
    /// That of all for whom there is none.
    Others,
}

impl Key {
    /// A client's; whoever has one IPv6 address usually has 2⁶⁴.
    pub(super) fn of(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            address => address,
        })
    }
}

/// The buckets.
pub(super) struct Rates {
    per_second: Option<f64>,
    buckets: Mutex<HashMap<Key, Bucket>>,
}

struct Bucket {
    /// How many writes are in it.
    level: f64,
    since: Instant,
}

impl Rates {
    /// So many writes a second, and twice as many at once.
    pub(super) fn new(per_second: Option<u32>) -> Self {
        Self {
            per_second: per_second.map(f64::from).filter(|limit| *limit > 0.0),
            buckets: Mutex::default(),
        }
    }

    /// Takes a write out of a bucket, or says how long to wait until there is one.
    pub(super) fn take(&self, key: Key, now: Instant) -> Result<(), Duration> {
        let Some(per_second) = self.per_second else {
            return Ok(());
        };
        let size = per_second * 2.0;
        let level = |bucket: &Bucket| {
            let since = now.saturating_duration_since(bucket.since);
            size.min(bucket.level + since.as_secs_f64() * per_second)
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(&key) {
            // A full bucket is as good as a new one.
            buckets.retain(|_, bucket| level(bucket) < size);
        }
        let key = if buckets.len() >= MOST && !buckets.contains_key(&key) {
            Key::Others
        } else {
            key
        };
        let bucket = buckets.entry(key).or_insert(Bucket {
            level: size,
            since: now,
        });
        (bucket.level, bucket.since) = (level(bucket), now);
        if bucket.level < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.level) / per_second));
        }
        bucket.level -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> Key {
        Key::of(IpAddr::V4(number.into()))
    }

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let rates = Rates::new(Some(10));
        let start = Instant::now();
        for _ in 0..20 {
            rates.take(address(1), start).unwrap();
        }
        let wait = rates.take(address(1), start).unwrap_err();
        assert!(wait <= Duration::from_millis(100), "{wait:?}");
        rates.take(address(2), start).unwrap();
        rates.take(address(1), start + wait).unwrap();
        rates.take(address(1), start + wait).unwrap_err();
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        for rates in [Rates::new(None), Rates::new(Some(0))] {
            for _ in 0..1000 {
                rates.take(Key::Others, Instant::now()).unwrap();
            }
        }
    }

    #[test]
    fn a_crowd_takes_bounded_memory_and_shares_what_is_left() {
        let rates = Rates::new(Some(1));
        let start = Instant::now();
        for number in 0..MOST as u32 + 2 {
            rates.take(address(number), start).unwrap();
        }
        rates.take(address(1 << 20), start).unwrap_err();
        assert!(rates.buckets.lock().unwrap().len() <= MOST + 1);
        // Once the buckets are full again there is room.
        let later = start + Duration::from_secs(10);
        rates.take(address(1 << 20), later).unwrap();
        assert_eq!(rates.buckets.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_network_s_addresses_are_one_client() {
        let key = |text: &str| Key::of(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
    }
}

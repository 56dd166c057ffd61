/// The hash by which Kafka's own producers choose a partition: MurmurHash2 of 32 bits.
///
/// Source: Apache Kafka, `org.apache.kafka.common.utils.Utils.murmur2`; the algorithm is Austin Appleby's,
/// "MurmurHash2" in SMHasher, and in the public domain.
pub fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    // The length is a Java int there: its lower 32 bits.
    let mut hash = SEED ^ bytes.len() as u32;
    let (words, tail) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !tail.is_empty() {
        let last = tail.iter().rev().fold(0, |last, byte| last << 8 | u32::from(*byte));
        hash = (hash ^ last).wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 15
}

/// The partition that Kafka's own producers choose for a key. With less than one partition: 0.
pub fn partition(key: &[u8], partitions: i32) -> i32 {
    let positive = (murmur2(key) & 0x7fff_ffff) as i32;
    if partitions > 0 { positive % partitions } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: Apache Kafka, `UtilsTest.testMurmur2`.
    #[test]
    fn it_is_kafkas() {
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
        assert_eq!(partition(b"21", 7), ((-973_932_308i32) & 0x7fff_ffff) % 7);
        assert_eq!(partition(b"abc", 0), 0);
    }
}

use std::collections::VecDeque;

/// How many bytes are on their way, told from how many messages are: the first that went are the first to be taken,
/// near enough.
#[derive(Debug, Default)]
pub(crate) struct Transit {
    /// (messages, bytes) of each call, the oldest that may be on its way first.
    calls: VecDeque<(usize, usize)>,
    messages: usize,
    bytes: usize,
}

impl Transit {
    /// A call has handed over so much.
    pub fn add(&mut self, messages: usize, bytes: usize) {
        self.calls.push_back((messages, bytes));
        self.messages += messages;
        self.bytes += bytes;
    }

    /// Bytes of the calls that the last `waiting` messages are of.
    pub fn bytes(&mut self, waiting: usize) -> usize {
        while let Some((messages, bytes)) = self.calls.front().copied()
            && self.messages - messages >= waiting
        {
            self.calls.pop_front();
            self.messages -= messages;
            self.bytes -= bytes;
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Transit;

    #[test]
    fn whole_calls_count_until_all_of_them_is_taken() {
        let mut transit = Transit::default();
        transit.add(10, 1000);
        transit.add(1, 5_000_000);
        transit.add(10, 2000);
        assert_eq!(transit.bytes(21), 5_003_000);
        assert_eq!(transit.bytes(12), 5_003_000);
        assert_eq!(transit.bytes(11), 5_002_000);
        assert_eq!(transit.bytes(10), 2000);
        assert_eq!(transit.bytes(1), 2000);
        assert_eq!(transit.bytes(0), 0);
        transit.add(1, 7);
        assert_eq!(transit.bytes(1), 7);
    }
}

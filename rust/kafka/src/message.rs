/// A message, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Number that [`crate::Producer::topic`] gave the topic.
    pub topic: u32,
    /// Partition of it, from 0.
    pub partition: i32,
    /// None: no key, which is not the same as an empty one.
    pub key: Option<&'a [u8]>,
    /// None: a tombstone.
    pub value: Option<&'a [u8]>,
}

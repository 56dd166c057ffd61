use opendrs_columns::TableSpec;
use serde::{Deserialize, Serialize};

/// How rows are written; each format has a module that says where it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// Huawei DRS, "JSON".
    #[serde(rename = "json")]
    Json,
    /// Huawei DRS, "JSON-C".
    #[serde(rename = "json_c")]
    JsonC,
    /// Our own record in Avro's binary form ([`crate::RECORD_SCHEMA`]).
    #[serde(rename = "avro")]
    Avro,
    /// Alibaba canal's FlatMessage.
    #[serde(rename = "canal-json")]
    CanalJson,
    /// Debezium's envelope in JSON without schema.
    #[serde(rename = "debezium-json")]
    DebeziumJson,
}

/// What the messages' keys are, and what chooses their partitions. The numbers are those of the API
/// (`partition_policy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum PartitionPolicy {
    /// 0: the key is `database.table`.
    Table,
    /// 1: no key, all in partition 0.
    Single,
    /// 2: the key is the row's primary key; [`Self::Table`] if the table has none.
    PrimaryKey,
    /// 3: the key is `database`.
    Database,
}

const POLICIES: [PartitionPolicy; 4] =
    [PartitionPolicy::Table, PartitionPolicy::Single, PartitionPolicy::PrimaryKey, PartitionPolicy::Database];

impl TryFrom<u8> for PartitionPolicy {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        POLICIES.get(usize::from(number)).copied().ok_or_else(|| format!("there is no partition policy {number}"))
    }
}

impl From<PartitionPolicy> for u8 {
    fn from(policy: PartitionPolicy) -> Self {
        policy as Self
    }
}

/// The source as `debezium-json` names it in every message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Logical name of the server; in Debezium the prefix of all topics.
    pub name: String,
    /// Version of what makes the messages.
    pub version: String,
    /// Kind of the source: "mysql".
    pub connector: String,
    /// `server_id` of the source.
    pub server_id: u64,
}

/// What holds for all messages of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// How rows are written.
    pub format: Format,
    /// What the keys are.
    pub partition_policy: PartitionPolicy,
    /// Needed by `debezium-json`, read by no other format.
    #[serde(default)]
    pub source: Option<Source>,
}

/// A table, and where its messages go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableFormat {
    /// The table as its batches have it. Columns of the key are read even if they are not written.
    pub table: TableSpec,
    /// Names of the columns that are written, in order.
    pub columns: Vec<String>,
    /// The caller's number of the topic.
    pub topic: u32,
    /// How many partitions the topic has.
    pub partitions: i32,
}

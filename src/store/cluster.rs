//! The tables of a cluster: each twice, where its rows are and where they are asked for.
//!
//! On a cluster the rows of a table lie in `NAME_local`, on the servers of the shard that its rule (`{shard by: …}`
//! in `schema.sql`) chooses; `NAME` is a Distributed table over all of them. The rule follows the key: rows that are
//! alike meet on one shard, so that replacing them needs no other; and so do the rows of a visit, so that whatever
//! goes by visits is done where they are.
//!
//! What ClickHouse itself would spread (`ON CLUSTER`) is done here server by server: the collector has to know anyway
//! whether all of them have done it, and needs no queue in a keeper for it.

/// What is added to the name of a table where its rows are.
pub(super) const LOCAL: &str = "_local";

/// A cluster of ClickHouse servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its name in the servers' `remote_servers`.
    pub name: String,
    /// The HTTP address of each server of each shard.
    pub nodes: Vec<String>,
    /// Whether shards have replicas, which a keeper holds together.
    pub is_replicated: bool,
}

impl Cluster {
    /// The statements that make a table on it, from the one that makes it on one machine: that of the rows, and that
    /// of the Distributed table.
    pub(super) fn tables(&self, sql: &str, name: &str) -> Option<[String; 2]> {
        let (head, rest) = sql.split_once("\n)\nENGINE = ")?;
        let (_, comment) = rest.rsplit_once("\nCOMMENT ")?;
        let (_, rule) = rest.split_once("\n{shard by: ")?;
        let (rule, _) = rule.split_once("}\n")?;
        let local = sql
            .replacen(&format!("EXISTS {name}\n"), &format!("EXISTS {name}{LOCAL}\n"), 1)
            .replace(&format!("\n{{shard by: {rule}}}"), "");
        let distributed = format!(
            "{head}\n)\nENGINE = Distributed('{}', currentDatabase(), '{name}{LOCAL}', {rule})\nCOMMENT {comment}",
            self.name
        );
        Some([self.replacing(&local), distributed])
    }

    /// Replicas of a shard find each other by a path in the keeper, and tell each other apart by a name; both are made
    /// of the macros `shard` and `replica` of each server.
    fn replacing(&self, sql: &str) -> String {
        if !self.is_replicated {
            return sql.replace("{replacing}", "ReplacingMergeTree");
        }
        const REPLICATED: &str = "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}'";
        sql.replace("{replacing}()", &format!("{REPLICATED})"))
            .replace("{replacing}(", &format!("{REPLICATED}, "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITES: &str = "CREATE TABLE IF NOT EXISTS sites\n(\n    site_id UInt32 COMMENT 'x'\n)\nENGINE = {replacing}(version)\nORDER BY site_id\n{shard by: cityHash64(site_id)}\nCOMMENT 'Sites'";

    fn cluster(is_replicated: bool) -> Cluster {
        Cluster { name: "c".into(), nodes: Vec::new(), is_replicated }
    }

    #[test]
    fn rows_lie_in_one_table_and_are_asked_for_in_another() {
        let [local, distributed] = cluster(false).tables(SITES, "sites").unwrap();
        assert_eq!(
            local,
            "CREATE TABLE IF NOT EXISTS sites_local\n(\n    site_id UInt32 COMMENT 'x'\n)\nENGINE = ReplacingMergeTree(version)\nORDER BY site_id\nCOMMENT 'Sites'"
        );
        assert_eq!(
            distributed,
            "CREATE TABLE IF NOT EXISTS sites\n(\n    site_id UInt32 COMMENT 'x'\n)\nENGINE = Distributed('c', currentDatabase(), 'sites_local', cityHash64(site_id))\nCOMMENT 'Sites'"
        );
    }

    #[test]
    fn the_replicas_of_a_shard_share_a_path_and_keep_the_version() {
        let [local, _] = cluster(true).tables(SITES, "sites").unwrap();
        let engine = "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)\n";
        assert!(local.contains(engine), "{local}");
        let [local, _] = cluster(true).tables(&SITES.replace("(version)", "()"), "sites").unwrap();
        assert!(local.contains("'{replica}')\n"), "{local}");
    }
}

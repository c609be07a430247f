//! What can be wrong with a configuration, and the checks that several sections make.

/// The configuration can not be used; the message is one sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there, or may not be read.
    #[error("the configuration {path} can not be read ({reason}): check the path after --config")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The file is not TOML, or a key or value is not one that there is.
    #[error("the configuration{source_name} is wrong: {reason}")]
    Wrong {
        /// ` FILE`, or nothing when it came from variables alone.
        source_name: String,
        /// Which key, and what it must be.
        reason: String,
    },
    /// The file of a secret is not there, or may not be read.
    #[error("sign_in.oidc.client_secret_file {path} can not be read ({reason})")]
    Secret {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A value is of the right type, but outside of its bounds.
    #[error("{key} is {value}, but must be {rule}")]
    OutOfBounds {
        /// The key.
        key: &'static str,
        /// What was given.
        value: String,
        /// What it must be.
        rule: &'static str,
    },
}

impl ConfigError {
    /// A value of the right type, outside of its bounds. `rule` goes on from "but must be".
    pub(super) fn out_of_bounds(
        key: &'static str,
        value: impl Into<String>,
        rule: &'static str,
    ) -> Self {
        Self::OutOfBounds { key, value: value.into(), rule }
    }

    /// A key that has to be set, because something else is.
    pub(super) fn unset(key: &'static str, rule: &'static str) -> Self {
        Self::out_of_bounds(key, "not set", rule)
    }
}

/// Checks that a number is not less.
pub(super) fn at_least(
    key: &'static str,
    value: u64,
    least: u64,
    rule: &'static str,
) -> Result<(), ConfigError> {
    if value >= least {
        Ok(())
    } else {
        Err(ConfigError::out_of_bounds(key, value.to_string(), rule))
    }
}

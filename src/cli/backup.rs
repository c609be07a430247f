//! `passerby backup` and `passerby restore`.

use anyhow::Context as _;
use axum::http::Method;
use clap::Parser;
use serde_json::json;

use super::remote::{DATABASE_PATIENCE, with};
use super::{Context, output};
use crate::app::{App, InUse};
use crate::store::backup::BackupName;

/// Which backup.
#[derive(Parser)]
pub(super) struct Args {
    /// Its name, in ClickHouse's folder for backups: of the embedded engine, engine/backups in data_dir
    name: String,
}

pub(super) async fn backup(context: Context, args: Args) -> anyhow::Result<()> {
    let name = BackupName::new(&args.name)?;
    with(&context, async |remote| {
        let body = json!({ "name": name.as_str() });
        remote.call(Method::POST, "/api/v1/backups", Some(body)).await?;
        output::tell(
            "ClickHouse has written the backup. Events that still wait in the spool are not in it.",
        );
        Ok(output::made(name.as_str())?)
    })
    .await
}

pub(super) async fn restore(context: Context, args: Args) -> anyhow::Result<()> {
    let name = BackupName::new(&args.name)?;
    let app =
        App::open(context.config, &context.environment, context.clock).await.map_err(|error| {
            match error.is::<InUse>() {
                true => error.context("a backup can only be restored while no collector runs"),
                false => error,
            }
        })?;
    let outcome = async {
        // A collector that knows its sites and finds none is one of those who need a backup.
        app.wait_for_tables(DATABASE_PATIENCE).await?;
        let services = app.services();
        services.store.restore(&name).await.context("the backup could not be restored")?;
        services.catalog.refresh(&services.store).await?;
        output::tell(format!("{} sites are back.", services.catalog.sites().len()));
        Ok(())
    };
    let outcome = outcome.await;
    app.close().await;
    outcome
}

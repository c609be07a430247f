//! `passerby tag`: the line that a page pastes, also with the script's hash and integrity.

use anyhow::bail;

use super::{Context, output};
use crate::script::{Name, Script, Word};
use crate::site::domain::bare_domain;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The site's domain
    domain: String,
    /// What the script shall report by itself, in the words of its name: outbound-links,404
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    with: Vec<String>,
    /// Name this very script: browsers run no other, and keep it for ever; to be renewed with the collector
    #[arg(long)]
    pinned: bool,
    /// The address at which browsers reach the collector; public_url by default
    #[arg(long)]
    url: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let Some(origin) = args.url.as_ref().or(context.config.public_url.as_ref()) else {
        bail!("the address of the collector is not known: give it with --url, or set public_url");
    };
    output::made(tag(context, args, origin.trim_end_matches('/'))?)?;
    Ok(())
}

fn tag(context: &Context, args: &Args, origin: &str) -> anyhow::Result<String> {
    for word in &args.with {
        if Word::parse(word).is_none() {
            let words: Vec<&str> = Word::ALL.iter().map(|&(written, _)| written).collect();
            bail!("{word} is no word of the script: {}", words.join(", "));
        }
    }
    let stem = [&["script".to_owned()], args.with.as_slice()].concat().join(".");
    let domain = bare_domain(&args.domain);
    let Some(name) = Name::parse(&format!("{stem}.js")) else { bail!("{stem}.js is no script") };
    if !args.pinned {
        return Ok(format!(
            "<script defer data-domain=\"{domain}\" src=\"{origin}/js/{stem}.js\"></script>"
        ));
    }
    let policy = context.config.privacy.policies().of(&domain);
    let script = Script::of(&name, &context.config.script, policy.consent);
    Ok(format!(
        "<script defer data-domain=\"{domain}\" src=\"{origin}/js/{stem}.{}.js\" integrity=\"{}\" crossorigin></script>",
        script.hash(),
        script.integrity(),
    ))
}

use super::*;
use crate::privacy::PersonHeader;
use crate::site::policy::Profile;

fn config(text: &str, variables: &[(&str, &str)]) -> Config {
    Config::parse(text, &Environment::of(variables)).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn refused(text: &str, variables: &[(&str, &str)], part: &str) {
    let error =
        Config::parse(text, &Environment::of(variables)).expect_err("it was taken").to_string();
    assert!(error.contains(part), "{error}");
    assert!(!error.contains('\n'), "more than one line: {error}");
}

#[test]
fn nothing_has_to_be_configured() {
    let config = config("", &[]);
    assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(config.data_dir, Path::new("./passerby-data"));
    assert!(config.trusted_proxies.is_empty());
}

#[test]
fn paths_can_be_put_behind_the_public_url_however_it_was_written() {
    for written in ["https://stats.test", "https://stats.test/", "https://stats.test//"] {
        let config = config(&format!("public_url = '{written}'"), &[]);
        assert_eq!(config.public_url.as_deref(), Some("https://stats.test"));
    }
}

#[test]
fn a_variable_wins_over_the_file() {
    let config = config(
        "listen = '127.0.0.1:1'\n[clickhouse]\nuser = 'file'",
        &[
            ("PASSERBY_LISTEN", "127.0.0.1:2"),
            ("PASSERBY_CLICKHOUSE_URL", "http://127.0.0.1:8123"),
            ("PASSERBY_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1/32"),
            ("PASSERBY_SPOOL_BYTES_MAX", "2097152"),
        ],
    );
    assert_eq!(config.listen.to_string(), "127.0.0.1:2");
    assert_eq!(config.clickhouse.user, "file");
    assert_eq!(config.clickhouse.url.as_deref(), Some("http://127.0.0.1:8123"));
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.spool.bytes_max, 2_097_152);
}

#[test]
fn what_is_wrong_is_said_in_one_line_that_names_the_key() {
    refused("lisen = 'x'", &[], "unknown field `lisen`");
    refused(
        "public_url = 'stats.example.com'",
        &[],
        "public_url is stats.example.com, but must be",
    );
    refused("access_log.days = 9999999", &[], "36500 or less");
    refused("engine.memory_bytes_max = 1536", &[], "256 MiB");
    refused("engine.port = 0", &[], "for a free one");
    refused("", &[("PASSERBY_ENGINE_ANALYST_PASSWORD", "")], "engine.analyst_password is empty");
    refused("[spool]\nbytes = 7", &[], "unknown field `bytes`");
    refused("\nlisten = 'nowhere'", &[], "line 2 (listen): invalid socket address");
    refused("", &[("PASSERBY_LISTEN", "nowhere")], "PASSERBY_LISTEN: invalid socket address");
    refused("[clickhouse]\npassword = 7", &[], "line 2 (password): invalid type");
    refused("listen = ", &[], "listen");
    refused(
        "[privacy]\nipv4_prefix = 33",
        &[],
        "privacy.ipv4_prefix is 33, but must be from 8 to 32 bits",
    );
    refused(
        "[clickhouse]\nurl = 'localhost:8123'",
        &[],
        "clickhouse.url is localhost:8123, but must be",
    );
    refused(
        "[clickhouse]\nreplicated = true",
        &[],
        "clickhouse.replicated is true, but must be false without clickhouse.cluster",
    );
    refused(
        "",
        &[("PASSERBY_SPOOL_BYTES_MAX", "much")],
        "PASSERBY_SPOOL_BYTES_MAX must be a whole number",
    );
    refused("[tls]\ncertificate = 'x'", &[], "tls.key is not set, but must be");
    refused("[tls]\nkey = 'x'", &[], "tls.certificate is not set, but must be");
    let tls = "[tls]\ncertificate = 'x'\nkey = 'y'";
    refused(tls, &[], "public_url is not set, but must be the https:// address");
    refused("[engine]\nanalyst_sites = [\"a'b\"]", &[], "engine.analyst_sites is a'b, but must be");
    for source in ["example.com", "https://a.test/", "https://a.test; x", "'self'", "https://"] {
        let text = format!("[dashboard]\nembed_in = [\"{source}\"]");
        refused(&text, &[], &format!("dashboard.embed_in is {source}, but must be"));
    }
    let origins = "https://a.test, http://*.b.test:8080, *";
    config("", &[("PASSERBY_DASHBOARD_EMBED_IN", origins)]);
    refused("trusted_proxies = ['10.0.0.0']", &[], "trusted_proxies");
    refused("forwarding_headers = ['x-real-ip']", &[], "x-real-ip must be one of");
    for (key, value) in [("ipv4_prefix", "28"), ("ipv6_prefix", "56"), ("on_objection", "'ignore'")]
    {
        let rest = format!("{key} = {value}\n");
        let rule = format!("privacy.{key} is {}, but must be", value.trim_matches('\''));
        refused(&format!("[privacy]\nprofile = 'cnil'\n{rest}"), &[], &rule);
        let of_a_site = format!("[privacy]\n{rest}[privacy.sites.'a.test']\nprofile = 'cnil'");
        refused(&of_a_site, &[], "because privacy.profile is cnil");
        config(&format!("[privacy]\n{rest}"), &[]);
    }
    refused("[privacy]\nprofile = 'french'", &[], "unknown variant `french`");
}

#[test]
fn what_is_chosen_for_a_site_holds_however_its_domain_is_written() {
    let text = "[privacy.sites.'www.Example.com']\nprofile = 'cnil'\n\
                [script.sites.' WWW.example.com']\nexclude = ['/x']";
    let read = config(text, &[]);
    assert_eq!(read.privacy.policies().of("example.com").profile, Profile::Cnil);
    assert!(read.script.sites.contains_key("example.com"), "{:?}", read.script);
    for table in ["privacy", "script"] {
        let site = |domain: &str| format!("[{table}.sites.'{domain}']\n");
        let address = format!("{table}.sites is https://a.test, but must be the domain");
        refused(&site("https://a.test"), &[], &address);
        refused(&site(""), &[], "but must be the domain of a site");
        let twice = format!("{}{}", site("a.test"), site("www.a.test"));
        refused(&twice, &[], &format!("{table}.sites is www.a.test, but must be named once"));
    }
    let nobody = |sites: &[&str]| {
        let left = read.chosen_for_nobody(|domain| sites.contains(&domain));
        left.iter().map(|(table, domain)| format!("{table} {domain}")).collect::<Vec<_>>()
    };
    assert_eq!(nobody(&["example.com"]), [""; 0]);
    assert_eq!(nobody(&[]), ["privacy.sites example.com", "script.sites example.com"]);
}

#[test]
fn a_missing_file_says_where_it_was_looked_for() {
    let error = Config::load(Some(Path::new("/nowhere/passerby.toml")), &Environment::default());
    let error = error.expect_err("it was read").to_string();
    assert!(error.contains("/nowhere/passerby.toml") && error.contains("--config"), "{error}");
}

#[test]
fn a_header_that_names_people_is_believed_of_proxies_that_are_named() {
    let header = "x-forwarded-email";
    let whole = format!("trusted_proxies = ['10.0.0.0/8']\n[sign_in]\nheader = '{header}'");
    let expected = PersonHeader::try_from(header.to_owned()).unwrap();
    assert_eq!(config(&whole, &[]).sign_in.header, Some(expected));
    refused("[sign_in]\nheader = 'x-forwarded-email'", &[], "trusted_proxies is empty");
    refused("[sign_in]\nheader = 'cookie'", &[], "a header of its own");
    refused("[sign_in]\nsign_out_url = 'javascript:x'", &[], "sign_in.sign_out_url");
}

#[test]
fn a_provider_is_named_whole_and_asked_over_tls() {
    let whole = "public_url = 'https://stats.test'\n[sign_in.oidc]\nissuer = 'https://id.test'\n";
    let with = |more: &str| format!("{whole}{more}");
    let oidc = config(&with("client_id = 'us'\nclient_secret = 'x'"), &[]).sign_in.oidc;
    assert_eq!((oidc.claim.as_str(), oidc.scopes.join(" ").as_str()), ("email", "openid email"));
    assert_eq!(oidc.secret().unwrap().unwrap().expose(), "x");
    assert!(!format!("{oidc:?}").contains("\"x\""));
    refused(whole, &[], "sign_in.oidc.client_id is not set");
    refused(&with("client_id = 'us'\nscopes = ['email']"), &[], "sign_in.oidc.scopes is email");
    refused("[sign_in.oidc]\nclient_id = 'us'", &[], "sign_in.oidc.issuer is not set");
    let issuer = |url: &str| format!("[sign_in.oidc]\nclient_id = 'us'\nissuer = '{url}'");
    refused(&issuer("https://id.test"), &[], "public_url is not set");
    refused(&issuer("http://id.test"), &[], "sign_in.oidc.issuer is http://id.test");
    refused(&issuer("http://127.0.0.1:7"), &[], "public_url is not set");
    let away = with("client_id = 'us'\nclient_secret_file = '/nowhere/secret'");
    let error = config(&away, &[]).sign_in.oidc.secret().err().unwrap().to_string();
    assert!(error.contains("client_secret_file /nowhere/secret can not be read"), "{error}");
}

#[test]
fn a_misspelt_variable_is_found() {
    let environment =
        Environment::of(&[("PASSERBY_LISTN", "x"), ("PASSERBY_LISTEN", "x"), ("PATH", "x")]);
    assert_eq!(environment.misspelt().collect::<Vec<_>>(), ["PASSERBY_LISTN"]);
}

#[test]
fn a_password_is_not_shown() {
    let config = config("[clickhouse]\npassword = 'hunter2'", &[]);
    assert_eq!(config.clickhouse.password.expose(), "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn the_sample_configuration_is_the_default_configuration_with_every_key_explained() {
    let sample = include_str!("../../deploy/passerby.toml");
    let uncommented: String = sample
        .lines()
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n");
    Config::parse(sample, &Environment::default())
        .unwrap_or_else(|error| panic!("as it is: {error}"));
    Config::parse(&uncommented, &Environment::default())
        .unwrap_or_else(|error| panic!("uncommented: {error}"));
    for (_, path, _) in OVERRIDES {
        let key = path.last().expect("no path is empty");
        assert!(
            uncommented.contains(&format!("\n{key} = ")),
            "{path:?} is not explained in deploy/passerby.toml"
        );
    }
}

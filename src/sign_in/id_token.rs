//! The provider's word for who signed in: a token that it signed, for us, now, and for this flow (OpenID
//! Connect Core 1.0, 3.1.3.7). What signs it is ring's, which TLS is made of, too.

use jiff::Timestamp;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::of_base64url;

/// How far the provider's clock may be from ours, in seconds.
const CLOCKS_APART: i64 = 60;

/// The provider's keys, as it publishes them.
#[derive(Deserialize)]
pub(super) struct Keys {
    keys: Vec<Key>,
}

/// A public key. What of it is not there is not of its kind.
#[derive(Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood; none is.
    crit: Option<Value>,
}

/// What a token must say.
pub(super) struct Expected<'text> {
    pub(super) issuer: &'text str,
    pub(super) client_id: &'text str,
    pub(super) nonce: &'text str,
    pub(super) now: Timestamp,
}

/// A token is not believed. The text says which rule it broke, and nothing that is in it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("its ID token {0}")]
pub(crate) struct Unbelievable(&'static str);

/// What a token says, if it is to be believed.
pub(super) fn claims(
    token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, Unbelievable> {
    let form = Unbelievable("is none");
    let (signed, signature) = token.rsplit_once('.').ok_or(Unbelievable("is none"))?;
    let (header, payload) = signed.split_once('.').ok_or(Unbelievable("is none"))?;
    let decoded = |part: &str| of_base64url(part).ok_or(Unbelievable("is none"));
    let signature = decoded(signature)?;
    let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| form)?;
    if header.crit.is_some() {
        return Err(Unbelievable("has extensions that are not known"));
    }
    let mut fitting = keys.keys.iter().filter(|key| key.may_have_signed(&header));
    let is_signed = |key: &Key| key.signed(&header.alg, signed.as_bytes(), &signature);
    if !fitting.any(|key| is_signed(key).is_some()) {
        return Err(Unbelievable("is not signed by one of its keys"));
    }
    let claims = serde_json::from_slice(&decoded(payload)?);
    let claims: Map<String, Value> = claims.map_err(|_| Unbelievable("is none"))?;
    check(&claims, expected)?;
    Ok(claims)
}

fn check(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Unbelievable> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let second = |name: &str| claims.get(name).and_then(Value::as_f64);
    let now = expected.now.as_second();
    let (earliest, latest) = ((now - CLOCKS_APART) as f64, (now + CLOCKS_APART) as f64);
    let is_for_us = match claims.get("aud") {
        Some(Value::String(one)) => one == expected.client_id,
        // Of several, `azp` says which of them asked.
        Some(Value::Array(several)) => {
            several.iter().any(|one| one == expected.client_id)
                && (several.len() == 1 || claims.contains_key("azp"))
        }
        _ => false,
    };
    let rules = [
        (text("iss") == Some(expected.issuer), "is another issuer's"),
        (is_for_us, "is for somebody else"),
        (
            !claims.contains_key("azp") || text("azp") == Some(expected.client_id),
            "was asked for by somebody else",
        ),
        (second("exp").is_some_and(|end| end > earliest), "has ended"),
        (second("iat").is_some_and(|made| made < latest), "is from the future"),
        (
            !claims.contains_key("nbf") || second("nbf").is_some_and(|start| start < latest),
            "does not hold yet",
        ),
        (text("nonce") == Some(expected.nonce), "is of another sign-in"),
        (text("sub").is_some_and(|subject| !subject.is_empty()), "names nobody"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, broken)) => Err(Unbelievable(broken)),
        None => Ok(()),
    }
}

impl Key {
    fn may_have_signed(&self, header: &Header) -> bool {
        let is_named = header.kid.is_none() || self.kid == header.kid;
        let is_of_alg = self.alg.as_ref().is_none_or(|alg| *alg == header.alg);
        is_named && is_of_alg && self.r#use.as_deref() != Some("enc")
    }

    /// Whether the key made the signature: the algorithm must be one of public keys, and of this kind of key.
    fn signed(&self, alg: &str, message: &[u8], signature: &[u8]) -> Option<()> {
        let rsa = |parameters| self.signed_by_rsa(parameters, message, signature);
        let curve = |crv, point: Option<Vec<u8>>, algorithm: &'static dyn VerificationAlgorithm| {
            let key = point.filter(|_| self.crv.as_deref() == Some(crv))?;
            UnparsedPublicKey::new(algorithm, key).verify(message, signature).ok()
        };
        match (self.kty.as_str(), alg) {
            ("RSA", "RS256") => rsa(&RSA_PKCS1_2048_8192_SHA256),
            ("RSA", "RS384") => rsa(&RSA_PKCS1_2048_8192_SHA384),
            ("RSA", "RS512") => rsa(&RSA_PKCS1_2048_8192_SHA512),
            ("RSA", "PS256") => rsa(&RSA_PSS_2048_8192_SHA256),
            ("RSA", "PS384") => rsa(&RSA_PSS_2048_8192_SHA384),
            ("RSA", "PS512") => rsa(&RSA_PSS_2048_8192_SHA512),
            ("EC", "ES256") => curve("P-256", self.point(), &ECDSA_P256_SHA256_FIXED),
            ("EC", "ES384") => curve("P-384", self.point(), &ECDSA_P384_SHA384_FIXED),
            ("OKP", "EdDSA" | "Ed25519") => {
                curve("Ed25519", self.x.as_deref().and_then(of_base64url), &ED25519)
            }
            _ => None,
        }
    }

    fn signed_by_rsa(
        &self,
        parameters: &'static RsaParameters,
        message: &[u8],
        signature: &[u8],
    ) -> Option<()> {
        let n = of_base64url(self.n.as_deref()?)?;
        let e = of_base64url(self.e.as_deref()?)?;
        // Some write the number with a zero in front.
        let n = n.strip_prefix(&[0]).unwrap_or(&n);
        RsaPublicKeyComponents { n, e: e.as_slice() }.verify(parameters, message, signature).ok()
    }

    /// A point of a curve, as it is written without compression.
    fn point(&self) -> Option<Vec<u8>> {
        let mut point = vec![4];
        point.extend(of_base64url(self.x.as_deref()?)?);
        point.extend(of_base64url(self.y.as_deref()?)?);
        Some(point)
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    };
    use serde_json::json;

    use super::*;
    use crate::sign_in::base64url;

    const NOW: i64 = 1_800_000_000;

    fn expected() -> Expected<'static> {
        let now = Timestamp::from_second(NOW).unwrap();
        Expected { issuer: "https://id.test", client_id: "passerby", nonce: "n1", now }
    }

    fn good() -> Value {
        json!({
            "iss": "https://id.test", "aud": "passerby", "exp": NOW + 60, "iat": NOW, "nonce": "n1", "sub": "7",
            "email": "anna@a.test",
        })
    }

    fn part(value: &Value) -> String {
        base64url(value.to_string().as_bytes())
    }

    /// A provider with a key of P-256.
    struct Issuer {
        pair: EcdsaKeyPair,
        keys: Keys,
    }

    impl Issuer {
        fn new() -> Self {
            let random = SystemRandom::new();
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
            let point = pair.public_key().as_ref();
            let keys = json!({ "keys": [
                { "kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig",
                  "x": base64url(&point[1..33]), "y": base64url(&point[33..]) },
            ] });
            Self { pair, keys: serde_json::from_value(keys).unwrap() }
        }

        fn token(&self, header: &Value, claims: &Value) -> String {
            let signed = format!("{}.{}", part(header), part(claims));
            let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            format!("{signed}.{}", base64url(signature.as_ref()))
        }
    }

    fn es256() -> Value {
        json!({ "alg": "ES256", "kid": "k1" })
    }

    #[test]
    fn a_token_that_the_provider_signed_for_us_and_this_flow_is_believed() {
        let issuer = Issuer::new();
        let token = issuer.token(&es256(), &good());
        let claims = claims(&token, &issuer.keys, &expected()).unwrap();
        assert_eq!(claims["email"], "anna@a.test");
        // Without a name, every key of the kind is tried.
        let unnamed = issuer.token(&json!({ "alg": "ES256" }), &good());
        assert!(super::claims(&unnamed, &issuer.keys, &expected()).is_ok());
    }

    #[test]
    fn a_token_that_breaks_any_rule_is_not() {
        let issuer = Issuer::new();
        for (name, value, rule) in [
            ("iss", json!("https://evil.test"), "is another issuer's"),
            ("iss", Value::Null, "is another issuer's"),
            ("aud", json!("other"), "is for somebody else"),
            ("aud", json!(["other"]), "is for somebody else"),
            ("aud", json!(["passerby", "other"]), "is for somebody else"),
            ("aud", Value::Null, "is for somebody else"),
            ("azp", json!("other"), "was asked for by somebody else"),
            ("exp", json!(NOW - 60), "has ended"),
            ("exp", json!("9999999999"), "has ended"),
            ("exp", Value::Null, "has ended"),
            ("iat", json!(NOW + 61), "is from the future"),
            ("nbf", json!(NOW + 61), "does not hold yet"),
            ("nbf", json!("soon"), "does not hold yet"),
            ("nonce", json!("n2"), "is of another sign-in"),
            ("nonce", Value::Null, "is of another sign-in"),
            ("sub", json!(""), "names nobody"),
        ] {
            let mut claims = good();
            claims[name] = value.clone();
            let token = issuer.token(&es256(), &claims);
            let refused = super::claims(&token, &issuer.keys, &expected());
            assert_eq!(refused, Err(Unbelievable(rule)), "{name} {value}");
        }
        let mut several = good();
        several["aud"] = json!(["passerby", "other"]);
        several["azp"] = json!("passerby");
        let token = issuer.token(&es256(), &several);
        assert!(claims(&token, &issuer.keys, &expected()).is_ok());
    }

    #[test]
    fn a_token_that_nobody_or_somebody_else_signed_is_not_believed() {
        let (issuer, other) = (Issuer::new(), Issuer::new());
        let refused = |token: &str| claims(token, &issuer.keys, &expected()).unwrap_err().0;
        let unsigned = "is not signed by one of its keys";
        assert_eq!(refused(&other.token(&es256(), &good())), unsigned);
        let odd = [
            json!({ "alg": "none" }),
            json!({ "alg": "HS256", "kid": "k1" }),
            json!({ "alg": "RS256", "kid": "k1" }),
            json!({ "alg": "ES384", "kid": "k1" }),
            json!({ "alg": "ES256", "kid": "k2" }),
        ];
        for header in odd {
            assert_eq!(refused(&issuer.token(&header, &good())), unsigned, "{header}");
        }
        let none = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&good()));
        assert_eq!(refused(&none), unsigned);
        // A part that was exchanged, or cut.
        let token = issuer.token(&es256(), &good());
        let (header, rest) = token.split_once('.').unwrap();
        let (payload, signature) = rest.split_once('.').unwrap();
        let mut forged = good();
        forged["email"] = json!("boss@a.test");
        assert_eq!(refused(&format!("{header}.{}.{signature}", part(&forged))), unsigned);
        assert_eq!(refused(&format!("{header}.{payload}.{}", &signature[..40])), unsigned);
        let critical = json!({ "alg": "ES256", "kid": "k1", "crit": ["exp"] });
        assert_eq!(refused(&issuer.token(&critical, &good())), "has extensions that are not known");
        for text in ["", ".", "..", "a.b.c", "a.b", &format!("{header}.{payload}")] {
            assert!(claims(text, &issuer.keys, &expected()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_of_an_edwards_curve_signs_too_and_one_for_encryption_does_not() {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let keys = |r#use: &str| -> Keys {
            let x = base64url(pair.public_key().as_ref());
            let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "use": r#use });
            serde_json::from_value(json!({ "keys": [key] })).unwrap()
        };
        let signed = format!("{}.{}", part(&json!({ "alg": "EdDSA" })), part(&good()));
        let token = format!("{signed}.{}", base64url(pair.sign(signed.as_bytes()).as_ref()));
        assert!(claims(&token, &keys("sig"), &expected()).is_ok());
        assert!(claims(&token, &keys("enc"), &expected()).is_err());
    }
}

//! Multi-region access points: their URLs are signed for all regions at once (SigV4A), which is checked here as S3 does it, with
//! the key pair that AWS publishes for tests.

use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::s3::User;

/// aws-c-auth, `tests/key_derivation_tests.c`: "Values derived in synchronicity with Golang and IAM implementations".
const ACCESS: &str = "AKISORANDOMAASORANDOM";
const SECRET: &str = "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom";
const PRIVATE: &str = "7fd3bd010c0d9c292141c2b77bfbde1042c92e6836fff749d1269ec890fca1bd";
const PUBLIC_X: &str = "15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb";
const PUBLIC_Y: &str = "0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0";

const ALGORITHM: &str = "AWS4-ECDSA-P256-SHA256";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// The key of an access key: a counter-mode key derivation, plus one. (The first counter does for these credentials.)
fn key() -> SigningKey {
    let mut mac = Hmac::<Sha256>::new_from_slice(format!("AWS4A{SECRET}").as_bytes()).expect("a key");
    mac.update(&1_u32.to_be_bytes());
    mac.update(ALGORITHM.as_bytes());
    mac.update(&[0]);
    mac.update(ACCESS.as_bytes());
    mac.update(&[1]);
    mac.update(&256_u32.to_be_bytes());
    let mut scalar = mac.finalize().into_bytes().to_vec();
    for byte in scalar.iter_mut().rev() {
        let (sum, carries) = byte.overflowing_add(1);
        *byte = sum;
        if !carries {
            break;
        }
    }
    SigningKey::from_slice(&scalar).expect("a key")
}

#[test]
fn the_key_is_the_published_one() {
    let key = key();
    assert_eq!(hex(&key.to_bytes()), PRIVATE);
    let point = VerifyingKey::from(&key).to_sec1_point(false);
    let public = [&[4], &of_hex(PUBLIC_X)[..], &of_hex(PUBLIC_Y)].concat();
    assert_eq!(point.as_bytes(), public);
}

/// Checks a presigned URL as S3 does.
fn verifies(url: &str) -> bool {
    let url = url::Url::parse(url).expect("a URL");
    let field = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let mut query: Vec<&str> = url.query().unwrap_or_default().split('&').collect();
    query.retain(|pair| !pair.starts_with("X-Amz-Signature="));
    query.sort_unstable();
    assert_eq!(field("X-Amz-Algorithm").as_deref(), Some(ALGORITHM));
    assert_eq!(field("X-Amz-SignedHeaders").as_deref(), Some("host"));
    let request = format!(
        "GET\n{}\n{}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD",
        url.path(),
        query.join("&"),
        url.host_str().expect("a host")
    );
    let date = field("X-Amz-Date").expect("a date");
    let scope = format!("{}/s3/aws4_request", &date[..8]);
    assert_eq!(field("X-Amz-Credential"), Some(format!("{ACCESS}/{scope}")));
    let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{}", hex(&Sha256::digest(request.as_bytes())));
    let signature = Signature::from_der(&of_hex(&field("X-Amz-Signature").expect("a signature"))).expect("DER");
    VerifyingKey::from(&key()).verify(to_sign.as_bytes(), &signature).is_ok()
}

#[test]
fn a_url_behind_a_multi_region_access_point_is_signed_for_all_regions() {
    let user = User::new().with("AWS_ACCESS_KEY_ID", ACCESS).with("AWS_SECRET_ACCESS_KEY", SECRET);
    let arn = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap/object/2026/a drive+1.bag";
    let url = user.signs(&["url", arn, "--expires", "10min", "--style", "presigned"]);
    assert!(
        url.starts_with("https://mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com/2026/a%20drive%2B1.bag?"),
        "{url}"
    );
    assert!(url.contains("X-Amz-Region-Set=%2A") && url.contains("X-Amz-Expires=600"), "{url}");
    assert!(verifies(&url), "{url}");
    assert!(!verifies(&url.replace("X-Amz-Expires=600", "X-Amz-Expires=6000")));
    assert!(!verifies(&url.replace("drive%2B1", "drive%2B2")));
}

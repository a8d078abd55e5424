use super::*;
use reqwest::Method;

/// As in the examples of S3's documentation.
fn s3() -> Signer {
    Signer {
        service: "s3".to_owned(),
        region: "us-east-1".to_owned(),
        credentials: Credentials {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
        },
    }
}

/// As in AWS's test suite for this signature.
fn suite(service: &str, region: &str, session_token: Option<&str>) -> Signer {
    Signer {
        service: service.to_owned(),
        region: region.to_owned(),
        credentials: Credentials {
            id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: session_token.map(str::to_owned),
        },
    }
}

fn call(method: Method, url: &str) -> Call {
    Call::new(method, Url::parse(url).unwrap())
}

fn form(url: &str, content_type: &str, body: &'static str) -> Call {
    call(Method::POST, url)
        .header("content-type", content_type)
        .body(body.into())
}

/// The names of the signed headers and the signature, as [`Signer::sign`] says them.
fn signed(signer: &Signer, call: Call, time: &str) -> (String, String) {
    let payload = payload_hash(&call.body);
    let now = humantime::parse_rfc3339(time).unwrap();
    let call = signer.sign(call, &payload, now);
    let header = call.headers["authorization"].to_str().unwrap();
    let (_, header) = header.split_once("SignedHeaders=").unwrap();
    let (names, signature) = header.split_once(", Signature=").unwrap();
    (names.to_owned(), signature.to_owned())
}

#[test]
fn requests_to_s3_are_signed_as_its_documentation_shows() {
    let get = call(
        Method::GET,
        "https://examplebucket.s3.amazonaws.com/test.txt",
    )
    .header("range", "bytes=0-9");
    let list = call(
        Method::GET,
        "https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2",
    );
    for (call, names, signature) in [
        (
            get,
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            list,
            "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        assert_eq!(
            signed(&s3(), call, "2013-05-24T00:00:00Z"),
            (names.to_owned(), signature.to_owned())
        );
    }
}

#[test]
fn a_url_is_signed_as_the_documentation_of_s3_shows() {
    let mut url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt").unwrap();
    let day = humantime::parse_rfc3339("2013-05-24T00:00:00Z").unwrap();
    s3().presign(&mut url, Duration::from_secs(86400), day);
    assert!(
        url.as_str().ends_with(
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        ),
        "{url}"
    );
}

// The first four and the one with the long token are in AWS's test suite too; all come from botocore 1.44.8.
#[test]
fn requests_to_any_service_are_signed_as_botocore_signs_them() {
    let service = || suite("service", "us-east-1", None);
    let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflf\
                 KD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd\
                 8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3i\
                 SIlTJabIQwj2ICCR/oLxBA==";
    let form_type = "application/x-www-form-urlencoded";
    let trimmed = call(Method::GET, "https://example.amazonaws.com/")
        .header("my-header1", "value1")
        .header("my-header2", "\"a   b   c\"");
    for (signer, call, names, signature) in [
        (
            service(),
            call(Method::GET, "https://example.amazonaws.com/"),
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            service(),
            call(
                Method::GET,
                "https://example.amazonaws.com/?Param2=value2&Param1=value1",
            ),
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            service(),
            call(Method::POST, "https://example.amazonaws.com/"),
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            service(),
            form("https://example.amazonaws.com/", form_type, "Param1=value1"),
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            service(),
            trimmed,
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            suite("service", "us-east-1", Some(token)),
            call(Method::POST, "https://example.amazonaws.com/"),
            "host;x-amz-date;x-amz-security-token",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
        // One name is another's beginning; one has no value.
        (
            service(),
            call(Method::GET, "https://example.amazonaws.com/?a-b=1&a=2&c"),
            "host;x-amz-date",
            "5cd21027461eb20d14eecd30c8c36a34124f50dd07ac79c3e208fbe20221a9b2",
        ),
        (
            service(),
            call(Method::GET, "https://example.amazonaws.com/ሴ"),
            "host;x-amz-date",
            "697b34846207a3f72246f99d74ae1ee4fe54f44bb06730c58a0d339eb079596d",
        ),
        (
            service(),
            call(Method::GET, "https://example.amazonaws.com//example//"),
            "host;x-amz-date",
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        ),
        (
            suite("ec2", "eu-central-1", Some("a token")),
            form(
                "https://ec2.eu-central-1.amazonaws.com/",
                "application/x-www-form-urlencoded; charset=utf-8",
                "Action=DescribeInstances&Version=2016-11-15",
            ),
            "content-type;host;x-amz-date;x-amz-security-token",
            "5f87ff987d9681ddd694da7b034084fab64a0b4e4d8ca8e4b9c7449333a40842",
        ),
        (
            suite("elasticloadbalancing", "us-gov-west-1", None),
            call(
                Method::GET,
                "https://elb.example:8443/services/LoadBalancing/?Action=DescribeLoadBalancers&Version=2012-06-01",
            ),
            "host;x-amz-date",
            "98d1050a1d6a2f4cb45452994f8e6944eee811177f92355eface1929346ae6c4",
        ),
    ] {
        let what = format!("{} {}", call.method, call.url);
        assert_eq!(
            signed(&signer, call, "2015-08-30T12:36:00Z"),
            (names.to_owned(), signature.to_owned()),
            "{what}"
        );
    }
}

#[test]
fn a_url_of_any_service_is_signed_as_botocore_signs_it() {
    let mut url = Url::parse("https://example.amazonaws.com/?a=b").unwrap();
    let day = humantime::parse_rfc3339("2015-08-30T12:36:00Z").unwrap();
    suite("ec2", "us-east-1", None).presign(&mut url, Duration::from_secs(3600), day);
    assert!(
        url.as_str()
            .ends_with("629759a13f0dc955620c2e2c7d6bf2ea8296c9305ea35174f04b47cc400dc188"),
        "{url}"
    );
}

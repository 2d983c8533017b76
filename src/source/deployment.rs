//! What a fleet's tool chain says of itself: AWS's `cdk.json` (with comments), the metadata that its successor's modules print,
//! or a file of one's own with the same names.
//!
//! Invariant: reading it asks nobody.

use std::io::Read;

use serde::Deserialize;

use super::SceneTable;

/// Bucket, region, Lambda and scene table, as far as they are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Deployment {
    pub region: Option<String>,
    #[serde(alias = "TargetBucketName")]
    pub bucket_name: Option<String>,
    #[serde(alias = "GenerateUrlLambdaName")]
    pub generate_url_function_name: Option<String>,
    /// Of the Webviz that links lead to.
    #[serde(alias = "WebvizUrl")]
    pub webviz_url: Option<String>,
    #[serde(rename = "scenarioDB")]
    pub scenes: Option<SceneTable>,
}

/// Reads JSON in which people may have written comments, and commas after the last of a list. An error is one sentence.
pub fn from_json_with_comments<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut plain = String::new();
    json_comments::StripComments::new(text.as_bytes())
        .read_to_string(&mut plain)
        .map_err(|error| format!("this is no JSON: {error}"))?;
    serde_json::from_str(&without_trailing_commas(&plain)).map_err(|error| error.to_string())
}

/// In their place are spaces, so that errors tell the right column.
fn without_trailing_commas(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut is_escaped) = (false, false);
    for (at, c) in json.char_indices() {
        let ends = || json.get(at + 1..).unwrap_or_default().trim_start().starts_with(['}', ']']);
        let is_after_value = || !out.trim_end().ends_with(['{', '[', ',', ':']);
        let is_trailing = c == ',' && !in_string && ends() && is_after_value();
        out.push(if is_trailing { ' ' } else { c });
        in_string ^= c == '"' && !is_escaped;
        is_escaped = in_string && c == '\\' && !is_escaped;
    }
    out
}

impl Deployment {
    /// Comments and trailing commas are allowed; what stands under `context` counts, where there is one.
    pub fn parse(text: &str) -> Result<Deployment, String> {
        let mut value: serde_json::Value = from_json_with_comments(text)?;
        if let Some(context) = value.get_mut("context").filter(|c| c.is_object()) {
            value = context.take();
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    /// This one's values, and another's where it has none.
    pub fn or(self, other: Deployment) -> Deployment {
        Deployment {
            region: self.region.or(other.region),
            bucket_name: self.bucket_name.or(other.bucket_name),
            generate_url_function_name: self.generate_url_function_name.or(other.generate_url_function_name),
            webviz_url: self.webviz_url.or(other.webviz_url),
            scenes: self.scenes.or(other.scenes),
        }
    }
}

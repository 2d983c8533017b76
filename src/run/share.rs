//! Links to recordings in S3: signed here, scenes found by id; and the answers of AWS's `generate_ros_streaming_url`, for
//! whoever calls that.
//!
//! Invariant: nothing but GET URLs is ever signed.

use std::time::Duration;

use base64::Engine;
use serde_json::Value;

use super::Io;
use crate::source::{Link, LinkStyle, Location, Net, Reader, S3Address, Scene, SceneTable, SourceError};

/// What is asked: an object, or a scene.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareEvent {
    pub record_id: Option<String>,
    pub scene_id: Option<String>,
    /// As it was given.
    pub seek_to: Option<String>,
    pub bucket: Option<String>,
    pub key: Option<String>,
    /// In which the URL is signed.
    pub region: Option<String>,
}

/// What is answered: as the function returns it to its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareAnswer {
    pub status: u16,
    /// A JSON object.
    pub body: String,
}

/// Where scenes are looked up, and what links look like.
#[derive(Clone)]
pub struct Sharing {
    pub io: Io,
    pub scenes: SceneTable,
    /// Of the Webviz that links lead to.
    pub webviz_url: String,
    /// How long the URLs work.
    pub life: Duration,
}

impl ShareEvent {
    /// The function's event; one that comes through an API gateway has the same inside.
    pub fn of_json(event: &Value) -> ShareEvent {
        let nested = event.get("queryStringParameters").filter(|inner| inner.is_object()).cloned();
        let body = || {
            let text = event.get("body")?.as_str()?;
            let is_encoded = event.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false);
            let text = match is_encoded {
                true => base64::engine::general_purpose::STANDARD.decode(text).ok()?,
                false => text.as_bytes().to_vec(),
            };
            serde_json::from_slice::<Value>(&text).ok().filter(Value::is_object)
        };
        let inner = nested.or_else(body);
        let event = inner.as_ref().unwrap_or(event);
        let text = |name: &str| match event.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        ShareEvent {
            record_id: text("record_id"),
            scene_id: text("scene_id"),
            seek_to: text("seek_to"),
            bucket: text("bucket"),
            key: text("key"),
            region: text("region"),
        }
    }

    /// `record_id=…&scene_id=…` or `bucket=…&key=…`.
    pub fn of_query(query: &str) -> ShareEvent {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        ShareEvent::of_json(&Value::Object(
            pairs.map(|(k, v)| (k.into_owned(), v.into_owned().into())).collect(),
        ))
    }
}

impl ShareAnswer {
    fn new(status: u16, name: &str, value: &str) -> ShareAnswer {
        ShareAnswer {
            status,
            body: format!("{{{}: {}}}", python_string(name), python_string(value)),
        }
    }

    /// What the function returned to its caller.
    pub fn parse(text: &str) -> Option<ShareAnswer> {
        let answer: Value = serde_json::from_str(text).ok()?;
        let body = answer.get("body")?;
        Some(ShareAnswer {
            status: u16::try_from(answer.get("statusCode")?.as_u64()?).ok()?,
            body: body.as_str().map_or_else(|| body.to_string(), str::to_owned),
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        Some(body.get(name)?.as_str()?.to_owned())
    }

    pub fn link(&self) -> Option<String> {
        self.text("url")
    }

    /// Why there is no link.
    pub fn error(&self) -> String {
        self.text("error").unwrap_or_default()
    }

    /// As the function returns it.
    pub fn to_json(&self) -> String {
        format!("{{\"statusCode\": {}, \"body\": {}}}", self.status, python_string(&self.body))
    }
}

/// A string in JSON as Python writes it: ASCII only.
fn python_string(text: &str) -> String {
    let json = Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c.is_ascii() {
            true => out.push(c),
            false => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out
}

impl Sharing {
    /// What the function answers to this event.
    pub async fn answer(&self, event: &ShareEvent) -> ShareAnswer {
        match self.link(event).await {
            Ok(url) => ShareAnswer::new(200, "url", &url),
            Err((status, error)) => ShareAnswer::new(status, "error", &error),
        }
    }

    /// Waits: for commands.
    pub fn answer_now(&self, event: &ShareEvent) -> ShareAnswer {
        self.io.block_on(self.answer(event))
    }

    async fn link(&self, event: &ShareEvent) -> Result<String, (u16, String)> {
        // what is empty is as good as not there
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (mut bucket, mut key) = (given(&event.bucket), given(&event.key));
        let mut keys: Vec<String> = key.clone().into_iter().collect();
        let mut seek_to = event.seek_to.clone();
        if let (Some(record), Some(scene)) = (&event.record_id, &event.scene_id) {
            let failed = |error: SourceError| (500, error.to_string());
            let found = self.io.net().scene(&self.scenes, record, scene).await.map_err(failed)?;
            let missing = |field: &str| {
                (
                    500,
                    format!("Could not find record field for {record}:{scene} in dynamo: '{field}'"),
                )
            };
            let found = found.ok_or_else(|| missing("Item"))?;
            if let Some(field) = found.missing.first() {
                return Err(missing(field));
            }
            keys = found.keys();
            (bucket, key, seek_to) = (found.bucket, found.prefix, found.start_text);
        }
        let bucket = bucket.ok_or_else(|| (400, "No bucket specified".to_owned()))?;
        let key = key.ok_or_else(|| (400, "No key specified".to_owned()))?;
        let net = match given(&event.region) {
            Some(region) => self.io.net().in_region(&region),
            None => self.io.net().clone(),
        };
        let address = match find_object(&net, &bucket, &keys).await {
            Err(SceneError::Source(error)) if !is_told_by_the_store(&error) => return Err((500, error.to_string())),
            found => found.map_err(|error| {
                tracing::debug!(%error, "the function only says that there is none");
                (500, format!("Could not find bag file s3://{bucket}/{key}"))
            })?,
        };
        let signed = net.presign(&address, self.life).await;
        let url = signed.map_err(|error| (500, error.to_string()))?;
        let link = Link::write(LinkStyle::Webviz, &self.webviz_url, &[url.to_string()], None, None);
        Ok(match seek_to {
            Some(seek_to) => format!("{link}&seek-to={seek_to}"),
            None => link,
        })
    }
}

/// Whether a store has answered, whatever that was: the function makes no difference.
fn is_told_by_the_store(error: &SourceError) -> bool {
    use SourceError::*;
    matches!(
        error,
        NoSuchObject { .. }
            | NoSuchBucket { .. }
            | NotAllowed { .. }
            | Denied { .. }
            | WrongRegion { .. }
            | Encrypted { .. }
            | RequesterPays { .. }
            | SecretKey { .. }
            | UnknownCredentials { .. }
            | CredentialsEnded { .. }
            | ClockSkew { .. }
            | Status { .. }
            | Busy { .. }
    )
}

/// A scene, and the recording that it is of.
#[derive(Clone, Debug)]
pub struct FoundScene {
    pub scene: Scene,
    pub location: Location,
}

/// Why a scene's recording was not found.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SceneError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("there is no scene “{scene}” of “{record}”: check both ids and the table's name (--scene-table): table {table}")]
    NoScene { record: String, scene: String, table: String },
    #[error("the scene names no recording ({field} is missing): table {table}")]
    NoField { field: &'static str, table: String },
    #[error("the recording of the scene is not there: s3://{bucket}/{key}")]
    NoRecording { bucket: String, key: String },
}

impl Io {
    /// Looks a scene up, and which of the places that the table may mean holds its recording. Waits: for commands.
    pub fn find_scene(&self, table: &SceneTable, record: &str, scene: &str) -> Result<FoundScene, SceneError> {
        self.block_on(find_scene(self.net(), table, record, scene))
    }

    /// The same, handed to `then` on another thread. Never waits.
    pub fn look_up_scene(
        &self,
        table: SceneTable,
        (record, scene): (String, String),
        then: impl FnOnce(Result<FoundScene, SceneError>) + Send + 'static,
    ) {
        let net = self.net().clone();
        self.spawn(async move { then(find_scene(&net, &table, &record, &scene).await) });
    }

    /// What a Lambda returns to an event. Waits: for commands.
    pub fn invoke(&self, function: &str, event: &str) -> Result<String, SourceError> {
        self.block_on(self.net().invoke(function, event))
    }

    /// All scenes of a recording. Waits: for commands.
    pub fn scenes(&self, table: &SceneTable, record: &str) -> Result<Vec<Scene>, SourceError> {
        self.block_on(self.net().scenes(table, record))
    }

    /// Hands the scenes of a recording to `then`, on another thread. Never waits.
    pub fn list_scenes(&self, table: SceneTable, record: String, then: impl FnOnce(Result<Vec<Scene>, SourceError>) + Send + 'static) {
        let net = self.net().clone();
        self.spawn(async move { then(net.scenes(&table, &record).await) });
    }

    /// A URL that works for `life`. Waits: for commands.
    pub fn presign(&self, address: &S3Address, life: Duration) -> Result<url::Url, SourceError> {
        self.block_on(async {
            // the store tells the bucket's region to whoever asks in the wrong one; an access point's is known, or all are meant
            if !address.is_access_point() {
                Reader::open(Location::S3(address.clone()), self.net()).await?;
            }
            self.net().presign(address, life).await
        })
    }
}

async fn find_scene(net: &Net, table: &SceneTable, record: &str, scene: &str) -> Result<FoundScene, SceneError> {
    let found = net.scene(table, record, scene).await?;
    let scene = found.ok_or_else(|| SceneError::NoScene {
        record: record.to_owned(),
        scene: scene.to_owned(),
        table: table.table_name.clone(),
    })?;
    let missing = |field| SceneError::NoField {
        field,
        table: table.table_name.clone(),
    };
    let bucket = scene.bucket.as_deref().ok_or_else(|| missing("bag_file_bucket"))?;
    if scene.prefix.is_none() {
        return Err(missing("bag_file_prefix"));
    }
    let location = Location::S3(find_object(net, bucket, &scene.keys()).await?);
    Ok(FoundScene { scene, location })
}

/// The first of these objects that is there. Whoever may not list a bucket is denied what is not there: that counts only
/// where none is found.
async fn find_object(net: &Net, bucket: &str, keys: &[String]) -> Result<S3Address, SceneError> {
    let mut denied = None;
    for key in keys {
        let address = S3Address {
            bucket: bucket.to_owned(),
            key: key.clone(),
        };
        match Reader::open(Location::S3(address.clone()), net).await {
            // whoever opens it is told
            Ok(_) | Err(SourceError::Empty { .. } | SourceError::Archived { .. }) => return Ok(address),
            Err(SourceError::NoSuchObject { .. }) => {}
            Err(error @ (SourceError::NotAllowed { .. } | SourceError::Denied { .. })) => denied = denied.or(Some(error)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(denied.map_or_else(
        || SceneError::NoRecording {
            bucket: bucket.to_owned(),
            key: keys.first().cloned().unwrap_or_default(),
        },
        SceneError::Source,
    ))
}

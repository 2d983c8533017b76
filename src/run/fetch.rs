//! Reads files that messages name (meshes of markers), and tiles of maps.
//!
//! Invariants: a file is read whole and never written; one that is too large is refused before it is read.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::Io;
use crate::decode::Resource;
use crate::source::{Location, Net, Reader, small};

const LARGEST_BYTES: u64 = 256 << 20;

// Whoever made the link named the text's place: the user's headers are not for it.
impl Io {
    /// Hands the text at a location, or a sentence, to `then` on another thread. Never waits.
    pub fn fetch_text(&self, location: Location, largest_bytes: u64, then: impl FnOnce(Result<String, String>) + Send + 'static) {
        let net = self.net().without_headers();
        self.spawn(async move { then(text(location, largest_bytes, &net).await) });
    }

    /// Waits: for commands.
    pub fn fetch_text_now(&self, location: Location, largest_bytes: u64) -> Result<String, String> {
        let net = self.net().without_headers();
        self.block_on(text(location, largest_bytes, &net))
    }
}

pub(super) async fn text(location: Location, largest_bytes: u64, net: &Net) -> Result<String, String> {
    let bytes = whole(location, largest_bytes, net).await?;
    String::from_utf8(bytes.into()).map_err(|_| "this is no text".to_owned())
}

/// What lies behind an address, or a sentence. `near` is the recording: packages are also looked for beside it.
pub(super) async fn fetch(address: Arc<str>, near: Option<&Location>, net: &Net) -> Result<Resource, String> {
    let location = match address.strip_prefix("package://") {
        Some(rest) => Location::Path(find_package_file(rest, near).ok_or_else(|| {
            let package = rest.split('/').next().unwrap_or_default();
            format!("the package “{package}” is neither beside the recording nor in ROS_PACKAGE_PATH")
        })?),
        None => match Location::parse(&address).map_err(|error| error.to_string())? {
            // a recording must not have anything signed with the user's keys
            Location::S3(_) => return Err("a file that a message names is read from a path, http(s) or a package only".to_owned()),
            location => location,
        },
    };
    // The user's headers may hold a token: they are for where the recording is, not for whom a message or a map names.
    let bytes = match (near, location) {
        (Some(near), location) if near.is_beside(&location) => whole(location, LARGEST_BYTES, net).await?,
        // a map asks: for tiles
        (None, Location::Url(url)) => small(&url, LARGEST_BYTES, &net.without_headers())
            .await
            .map_err(|error| error.to_string())?,
        (_, location) => whole(location, LARGEST_BYTES, &net.without_headers()).await?,
    };
    // A large mesh takes a while.
    let read = tokio::task::spawn_blocking(move || Resource::read(&address, bytes));
    read.await.unwrap_or_else(|_| Err("the file could not be read".to_owned()))
}

async fn whole(location: Location, largest_bytes: u64, net: &Net) -> Result<Bytes, String> {
    let reader = Reader::open(location, net).await.map_err(|error| error.to_string())?;
    if reader.len() > largest_bytes {
        return Err(format!(
            "the file has {} MiB; up to {} MiB are read",
            reader.len() >> 20,
            largest_bytes >> 20
        ));
    }
    reader.read(0..reader.len()).await.map_err(|error| error.to_string())
}

/// `package/dir/file`, under the folders that ROS names and those that hold the recording.
fn find_package_file(path: &str, near: Option<&Location>) -> Option<PathBuf> {
    if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let mut roots: Vec<PathBuf> = Vec::new();
    if let Some(Location::Path(recording)) = near {
        roots.extend(recording.ancestors().skip(1).take(4).map(|folder| folder.to_path_buf()));
    }
    let listed = |name: &str| {
        std::env::var_os(name)
            .map(|list| std::env::split_paths(&list).collect::<Vec<_>>())
            .unwrap_or_default()
    };
    roots.extend(listed("ROS_PACKAGE_PATH"));
    roots.extend(listed("AMENT_PREFIX_PATH").into_iter().map(|prefix| prefix.join("share")));
    let within = |root: PathBuf| [root.join(path), root.join("src").join(path)];
    roots.into_iter().flat_map(within).find(|file| file.is_file())
}

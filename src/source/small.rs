//! Small objects that are read whole: tiles of maps.
//!
//! Invariants: what a server forbids to keep is not kept; what is kept is shown again where nobody can be asked, however old it is.

use bytes::{Bytes, BytesMut};

use super::http::Freshness;
use super::reader::blocking;
use super::remote::Remote;
use super::{Location, Net, SourceError};
use crate::text::format_bytes;

/// All bytes behind a URL of http or https: from the cache as long as the server allows, or where it does not answer.
pub async fn small(url: &url::Url, largest_bytes: u64, net: &Net) -> Result<Bytes, SourceError> {
    let at = Location::Url(url.clone());
    let Some(cache) = net.cache().cloned() else {
        return Ok(fetched(&at, largest_bytes, net).await?.0);
    };
    let (recalling, place) = (cache.clone(), url.clone());
    let kept = blocking(&at, move || Ok(recalling.small(&place))).await?;
    let shown = |bytes: Bytes| {
        net.traffic().cached(bytes.len());
        Ok(bytes)
    };
    let (kept, fetched) = match kept {
        Some(kept) if kept.is_fresh => return shown(kept.bytes),
        // there is another way
        Some(kept) => (Some(kept.bytes), fetched(&at, largest_bytes, &net.hasty()).await),
        None => (None, fetched(&at, largest_bytes, net).await),
    };
    match (fetched, kept) {
        (Err(error), Some(kept)) if error.is_about_the_way() || error.is_transient() => {
            tracing::debug!(%at, %error, "shown as it was last seen");
            shown(kept)
        }
        (Ok((bytes, Freshness::For(fresh_for))), _) => {
            let (keeping, place, copy) = (cache, url.clone(), bytes.clone());
            blocking(&at, move || {
                keeping.keep_small(&place, &copy, fresh_for);
                Ok(())
            })
            .await?;
            Ok(bytes)
        }
        (fetched, _) => fetched.map(|(bytes, _)| bytes),
    }
}

async fn fetched(at: &Location, largest_bytes: u64, net: &Net) -> Result<(Bytes, Freshness), SourceError> {
    let (remote, opened) = Remote::open(at, net, None).await?;
    if opened.len > largest_bytes {
        let [bytes, most] = [opened.len, largest_bytes].map(format_bytes);
        return Err(SourceError::Io {
            cause: format!("it has {bytes}; up to {most} are read").into(),
            at: at.clone(),
        });
    }
    let mut bytes = BytesMut::from(opened.head);
    let from = bytes.len() as u64;
    remote.read(from..opened.len, &mut |_, part| bytes.extend_from_slice(part)).await?;
    Ok((bytes.freeze(), opened.freshness))
}

//! MCAP files of ROS 1 messages: a channel a connection, chunks compressed with zstd.

use std::collections::{BTreeMap, HashMap};
use std::io::{Seek, Write};

use mcap::records::MessageHeader;
use mcap::{Compression, WriteOptions};

use super::{ExportError, Merged, Selection, Written, each_message};
use crate::decode::definitions;
use crate::format::ConnectionId;
use crate::run::Recording;

impl From<mcap::McapError> for ExportError {
    fn from(error: mcap::McapError) -> ExportError {
        match error {
            mcap::McapError::Io(error) => ExportError::Io(error),
            other => ExportError::Mcap(other.to_string()),
        }
    }
}

/// Writes one file, in time order.
pub fn write_mcap<W: Write + Seek>(
    recordings: &[Recording],
    selection: &Selection,
    out: W,
    progress: &mut dyn FnMut(f64),
) -> Result<Written, ExportError> {
    let options = WriteOptions::new()
        .profile("ros1")
        .library("roadreel")
        .compression(Some(Compression::Zstd));
    let mut writer = options.create(out)?;
    let mut channels: BTreeMap<(usize, ConnectionId), u16> = BTreeMap::new();
    for (at, recording) in recordings.iter().enumerate() {
        let catalog = recording.container.catalog();
        let wanted = selection.connections(catalog);
        for (connection, id) in catalog.connections.iter().zip(0..).filter(|(_, id)| wanted.contains(*id)) {
            let known = match connection.definition.trim().is_empty() {
                true => definitions()
                    .complete_of(&connection.type_name, &connection.md5)
                    .unwrap_or_default(),
                false => connection.definition.to_string(),
            };
            let schema = writer.add_schema(&connection.type_name, "ros1msg", known.as_bytes())?;
            let mut metadata = BTreeMap::from([
                ("md5sum".to_owned(), connection.md5.to_string()),
                ("topic".to_owned(), connection.topic.to_string()),
            ]);
            if connection.latching {
                metadata.insert("latching".to_owned(), "1".to_owned());
            }
            if let Some(callerid) = &connection.callerid {
                metadata.insert("callerid".to_owned(), callerid.to_string());
            }
            channels.insert((at, id), writer.add_channel(schema, &connection.topic, "ros1", &metadata)?);
        }
    }
    let mut written = Written::default();
    let (mut sequences, mut count) = (HashMap::<u16, u32>::new(), 0);
    each_message(
        recordings,
        selection,
        &mut written,
        progress,
        |Merged {
             recording,
             connection,
             message,
         }| {
            let Some(channel_id) = channels.get(&(recording, connection)).copied() else {
                return Ok(());
            };
            let sequence = sequences.entry(channel_id).or_default();
            let time = u64::try_from(message.time.nanos()).unwrap_or(0);
            let header = MessageHeader {
                channel_id,
                sequence: *sequence,
                log_time: time,
                publish_time: time,
            };
            *sequence = sequence.wrapping_add(1);
            count += 1;
            Ok(writer.write_to_known_channel(&header, &message.payload)?)
        },
    )?;
    writer.finish()?;
    written.messages = count;
    Ok(written)
}

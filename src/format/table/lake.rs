//! Folders that a lake's log governs: which of the files there are the table, now or at an earlier moment.
//!
//! Pure: says which files of the log it needs, and is handed them. Invariant: a file that the log does not name as live is never
//! among the result; what cannot be told for sure is refused with the reason.

mod avro;
mod delta;
mod hudi;

use arrow::datatypes::SchemaRef;

use super::super::FormatError;
pub use delta::plain_type;

/// A file below the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// From the folder on, with `/`.
    pub path: String,
    pub len: Option<u64>,
}

/// A file of a table, and what the log or its folders say that all its rows have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    pub path: String,
    /// Column and value; None is null.
    pub partitions: Vec<(String, Option<String>)>,
}

/// The files of a table.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub files: Vec<Live>,
    /// Types of partition columns where the log gives them, as it spells them.
    pub partition_types: Vec<(String, String)>,
    /// The columns, where the log names them: those of a table without files are found nowhere else.
    pub schema: Option<SchemaRef>,
    /// `hudi`, `delta`, or none where nothing but the folder says what the table is.
    pub log: Option<&'static str>,
}

/// What a folder's log is asked.
pub struct Log<'a> {
    listed: &'a [Listed],
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Hudi,
    Delta,
    None,
}

/// What lies below each folder that has a log, by that folder (`lake/trips/`, empty: the whole), its paths from there on; then the rest.
pub fn governed(listed: Vec<Listed>) -> Vec<(String, Vec<Listed>)> {
    let root_of = |file: &Listed| {
        let hudi = file.path.strip_suffix(hudi::PROPERTIES);
        let delta = || file.path.split_once(delta::FOLDER).map(|(root, _)| root);
        hudi.or_else(delta)
            .filter(|root| root.is_empty() || root.ends_with('/'))
            .map(str::to_owned)
    };
    let mut roots: Vec<String> = listed.iter().filter_map(root_of).collect();
    roots.sort();
    // Hudi keeps a table of its own below its log
    roots.dedup_by(|inner, outer| inner.starts_with(&**outer));
    let mut groups: Vec<(String, Vec<Listed>)> = roots.into_iter().map(|root| (root, Vec::new())).collect();
    let mut rest = Vec::new();
    for file in listed {
        match groups.iter_mut().find(|(root, _)| file.path.starts_with(&**root)) {
            Some((root, own)) => own.push(Listed {
                path: file.path.get(root.len()..).unwrap_or_default().to_owned(),
                ..file
            }),
            None => rest.push(file),
        }
    }
    if !rest.is_empty() || groups.is_empty() {
        groups.push((String::new(), rest));
    }
    groups
}

/// A file of the log, read.
pub type Read = (String, bytes::Bytes);

impl<'a> Log<'a> {
    pub fn of(listed: &'a [Listed]) -> Log<'a> {
        let kind = match () {
            () if listed.iter().any(|file| file.path == hudi::PROPERTIES) => Kind::Hudi,
            () if listed.iter().any(|file| file.path.starts_with(delta::FOLDER)) => Kind::Delta,
            () => Kind::None,
        };
        Log { listed, kind }
    }

    /// Whether there is a log.
    pub fn is_some(&self) -> bool {
        self.kind != Kind::None
    }

    /// Files of the log that [`Log::snapshot`] needs.
    pub fn needs(&self) -> Vec<&'a str> {
        match self.kind {
            Kind::Hudi => hudi::needs(self.listed),
            Kind::Delta => delta::needs(self.listed),
            Kind::None => Vec::new(),
        }
    }

    /// The table's files, `as_of` a moment or version where that is named.
    pub fn snapshot(&self, read: &[Read], as_of: Option<&str>) -> Result<Snapshot, FormatError> {
        match (self.kind, as_of) {
            (Kind::Hudi, as_of) => hudi::snapshot(self.listed, read, as_of),
            (Kind::Delta, as_of) => delta::snapshot(read, as_of),
            (Kind::None, None) => Ok(folders(self.listed)),
            (Kind::None, Some(_)) => Err(refused("only Hudi and Delta tables keep earlier states: leave the moment out")),
        }
    }
}

/// All files but hidden ones; folders called `key=value` are columns.
fn folders(listed: &[Listed]) -> Snapshot {
    let is_hidden = |path: &str| path.split('/').any(|part| part.starts_with(['.', '_']));
    let files = listed.iter().filter(|file| !is_hidden(&file.path) && file.len != Some(0));
    Snapshot {
        files: files
            .map(|file| Live {
                path: file.path.clone(),
                partitions: hive_partitions(&file.path),
            })
            .collect(),
        ..Snapshot::default()
    }
}

/// Of `bag_file=drive_a/data.parq`: bag_file is drive_a.
pub fn hive_partitions(path: &str) -> Vec<(String, Option<String>)> {
    const NULL: &str = "__HIVE_DEFAULT_PARTITION__";
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders).split('/');
    folders
        .filter_map(|folder| folder.split_once('='))
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (decoded(name), (value != NULL).then(|| decoded(value))))
        .collect()
}

/// A folder that says what the rows below it have in a column: `bag_file=drive_a`, read by [`hive_partitions`].
pub fn hive_folder(name: &str, value: &str) -> String {
    const ODD: &str = "\"#%'*/:=?\\{}[]^<>|";
    let mut folder = format!("{name}=");
    for c in value.chars() {
        match c.is_ascii_control() || ODD.contains(c) {
            true => folder.push_str(&format!("%{:02X}", u32::from(c))),
            false => folder.push(c),
        }
    }
    folder
}

/// `%20` and the like.
pub(super) fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
        out.push(hex.unwrap_or(first));
        rest = if hex.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn refused(what: impl Into<String>) -> FormatError {
    FormatError(what.into())
}

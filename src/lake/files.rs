//! Files as a table of DataFusion: their schemas become one, what their folders say become columns.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::read_footer_length;
use arrow::ipc::root_as_footer;
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::functions::core::expr_fn::nullif;
use datafusion::logical_expr::{cast, ident, lit};
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::PathPart;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _};

use super::quiet::caught_within;
use super::{Lake, LakeError, STORE, mixed};
use crate::format::table::lake::plain_type;
use crate::format::table::{ENCRYPTED_COLUMNS, TRAILER_BYTES, footer_range, has_encrypted_columns, merged};
use crate::format::{Part, recognise};
use crate::run::{Table, TableFile, TableKind, open_files};
use crate::source::{Location, Reader};

/// Files whose schemas are read at a time.
const PARALLEL: usize = 8;
/// Footer length and magic.
const ARROW_TRAILER_BYTES: u64 = 10;
const ARROW_MAGIC: &[u8] = b"ARROW1";
/// Stands for null in a path.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";
/// Rows of a CSV file that its types are taken from.
const SAMPLED_ROWS: usize = usize::MAX;

/// The kind of table that a file is; None where it is none.
pub(super) fn kind_of(name: &str, head: &[u8], len: u64) -> Option<TableKind> {
    match recognise(name, head, len).ok()?.name() {
        "parquet" => Some(TableKind::Parquet),
        "csv" => Some(TableKind::Csv),
        "jsonlines" => Some(TableKind::JsonLines),
        "arrow" => Some(TableKind::Arrow),
        _ => None,
    }
}

fn ending(kind: TableKind) -> &'static str {
    match kind {
        TableKind::Parquet | TableKind::Unknown => "parquet",
        TableKind::Csv => "csv",
        TableKind::JsonLines => "json",
        TableKind::Arrow => "arrow",
    }
}

/// A file under the name that plans see.
pub(super) struct Named {
    pub meta: ObjectMeta,
    pub at: Location,
}

impl Lake {
    /// A file that is open already.
    pub(super) async fn single(&self, reader: Reader, part: Part, kind: TableKind) -> Result<Arc<dyn TableProvider>, LakeError> {
        let file = TableFile {
            path: part.path,
            location: reader.location().clone(),
            len: Some(reader.len()),
            partitions: part.partitions,
            held: None,
        };
        let table = Table {
            name: String::new(),
            kind,
            files: vec![file],
            partition_types: Vec::new(),
        };
        self.provider(&table, Some(vec![reader])).await
    }

    /// Files that were found.
    pub(super) async fn listing(&self, table: &Table, at: &Location) -> Result<Arc<dyn TableProvider>, LakeError> {
        let is_known = table.kind != TableKind::Unknown && table.files.iter().all(|file| file.len.is_some());
        if is_known {
            return self.provider(table, None).await;
        }
        let readers = open_files(&table.files, at, self.io.net()).await?;
        let mut table = table.clone();
        if let (TableKind::Unknown, Some(first)) = (table.kind, readers.first()) {
            let kind = kind_of(&first.location().name(), first.head(), first.len());
            table.kind = kind.ok_or_else(|| LakeError::File {
                what: "these files are no tables that can be read (Parquet, CSV, JSON Lines or Arrow)".into(),
                at: at.clone(),
            })?;
        }
        self.provider(&table, Some(readers)).await
    }

    pub(super) async fn provider(&self, table: &Table, readers: Option<Vec<Reader>>) -> Result<Arc<dyn TableProvider>, LakeError> {
        let folder = self.free_name();
        let format = self.format(table, readers.as_deref().unwrap_or_default()).await?;
        let mut readers = readers.map(Vec::into_iter);
        let mut named = Vec::with_capacity(table.files.len());
        for (number, file) in table.files.iter().enumerate() {
            let path = format!("{folder}/plain/{number:06}.{}", ending(table.kind));
            let path = match readers.as_mut().and_then(Iterator::next) {
                Some(reader) => self.objects.add_open(&path, reader),
                None => self.objects.add(&path, file.location.clone(), file.len),
            };
            let mut one = Named {
                meta: self.objects.head_of(&path).await?,
                at: file.location.clone(),
            };
            if table.kind == TableKind::JsonLines {
                self.leave_cut_line_out(&mut one).await;
            }
            named.push(one);
        }
        let (schemas, is_mixed): (Vec<SchemaRef>, Vec<bool>) = self.schemas(table.kind, &format, &named).await?.into_iter().unzip();
        let schema = nullable(&merged(&schemas));
        let is_lines = table.kind == TableKind::JsonLines;
        if is_lines && (is_mixed.contains(&true) || schemas.iter().any(|file| mixed::differs(file, &schema))) {
            return self.mixed_lines(table, &named, schema);
        }
        self.listed(table, &named, format, schema, &folder)
    }

    /// Lines that the library's reader refuses.
    fn mixed_lines(&self, table: &Table, named: &[Named], own: SchemaRef) -> Result<Arc<dyn TableProvider>, LakeError> {
        let names = folder_columns(table, &own);
        let of_folders = names
            .iter()
            .map(|name| Arc::new(Field::new(*name, partition_type(table, name), true)));
        let schema = Arc::new(Schema::new(own.fields().iter().cloned().chain(of_folders).collect::<Vec<_>>()));
        let files = table.files.iter().zip(named).map(|(file, one)| mixed::File {
            objects: self.objects.clone(),
            path: one.meta.location.clone(),
            own: own.clone(),
            schema: schema.clone(),
            folders: names.iter().map(|name| folder_value(file, name).map(str::to_owned)).collect(),
        });
        Ok(Arc::new(mixed::table(schema.clone(), files.collect())?))
    }

    async fn format(&self, table: &Table, readers: &[Reader]) -> Result<Arc<dyn FileFormat>, LakeError> {
        Ok(match table.kind {
            TableKind::Parquet | TableKind::Unknown => Arc::new(ParquetFormat::default()),
            TableKind::JsonLines => Arc::new(JsonFormat::default()),
            TableKind::Arrow => Arc::new(ArrowFormat),
            TableKind::Csv => {
                let head = match (readers.first(), table.files.first()) {
                    (Some(reader), _) => reader.head().clone(),
                    (None, Some(file)) => Reader::open(file.location.clone(), self.io.net()).await?.head().clone(),
                    (None, None) => Default::default(),
                };
                let format = CsvFormat::default()
                    .with_has_header(true)
                    .with_delimiter(delimiter(&head))
                    .with_truncated_rows(true)
                    .with_schema_infer_max_rec(SAMPLED_ROWS);
                Arc::new(format.with_newlines_in_values(has_quotes(&head)))
            }
        })
    }

    /// The schema of each file, and whether it holds texts and other values in one field.
    async fn schemas(&self, kind: TableKind, format: &Arc<dyn FileFormat>, files: &[Named]) -> Result<Vec<(SchemaRef, bool)>, LakeError> {
        let (state, objects) = (self.context.state(), self.objects.clone() as Arc<dyn ObjectStore>);
        let (state, objects) = (&state, &objects);
        let schemas = stream::iter(files).map(|file| async move {
            if kind == TableKind::Arrow && is_arrow_file(objects, file).await {
                return Ok((arrow_schema(objects, file).await?, false));
            }
            let schema = async {
                if kind == TableKind::JsonLines {
                    return mixed::schema(objects, &file.meta.location).await;
                }
                let schema = format.infer_schema(state, objects, std::slice::from_ref(&file.meta)).await?;
                Ok((schema, false))
            };
            match caught_within(schema).await {
                Ok(Ok(schema)) => Ok(schema),
                Ok(Err(error)) => Err(self.unreadable(kind, &file.at, error.into()).await),
                Err(crash) => Err(self.unreadable(kind, &file.at, crash).await),
            }
        });
        schemas.buffered(PARALLEL).try_collect().await
    }

    /// Files of a known schema; what their folders say becomes columns.
    fn listed(
        &self,
        table: &Table,
        named: &[Named],
        format: Arc<dyn FileFormat>,
        schema: SchemaRef,
        folder: &str,
    ) -> Result<Arc<dyn TableProvider>, LakeError> {
        let partitions = || table.files.iter().flat_map(|file| &file.partitions);
        let names = folder_columns(table, &schema);
        let has_null = partitions().any(|(_, value)| value.is_none());
        let types = names.iter().map(|name| partition_type(table, name));
        // paths hold texts only, and conditions find others in them where these are spelled in one way
        let are_texts = has_null
            || types
                .clone()
                .any(|of| !(of == DataType::Utf8 || of == DataType::Boolean || of.is_integer()));
        let types = types.map(|of| if are_texts { DataType::Utf8 } else { of });
        let columns = names.iter().map(|name| (*name).to_owned()).zip(types);
        let columns: Vec<(String, DataType)> = columns.collect();
        let place = match columns.is_empty() {
            true => format!("{STORE}/{folder}/plain/"),
            false => {
                for (number, (file, one)) in table.files.iter().zip(named).enumerate() {
                    let folders = names.iter().map(|name| folder_of(name, folder_value(file, name).unwrap_or(NULL)));
                    let folders: Vec<String> = folders.collect();
                    let path = format!("{folder}/by/{}/{number:06}.{}", folders.join("/"), ending(table.kind));
                    self.objects.alias(&path, &one.meta.location);
                }
                format!("{STORE}/{folder}/by/")
            }
        };
        let all: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let options = ListingOptions::new(format)
            .with_file_extension(format!(".{}", ending(table.kind)))
            .with_table_partition_cols(columns);
        let config = ListingTableConfig::new(ListingTableUrl::parse(&place)?)
            .with_listing_options(options)
            .with_schema(schema);
        let listing = Arc::new(ListingTable::try_new(config)?);
        if !are_texts {
            return Ok(listing);
        }
        let own = all.iter().map(ident);
        let typed = names
            .iter()
            .map(|name| cast(nullif(ident(*name), lit(NULL)), partition_type(table, name)).alias(*name));
        Ok(self
            .context
            .read_table(listing)?
            .select(own.chain(typed).collect::<Vec<_>>())?
            .into_view())
    }

    /// What is wrong with a file, where its bytes tell.
    async fn unreadable(&self, kind: TableKind, at: &Location, error: LakeError) -> LakeError {
        if let Some(failure) = self.objects.failure() {
            return LakeError::Source(failure);
        }
        let told = match kind {
            TableKind::Parquet => self.about_parquet(at).await,
            TableKind::JsonLines => self.about_lines(at).await,
            _ => None,
        };
        let what = told.unwrap_or_else(|| error.to_string());
        LakeError::File { what, at: at.clone() }
    }

    async fn about_parquet(&self, at: &Location) -> Option<String> {
        let reader = Reader::open(at.clone(), self.io.net()).await.ok()?;
        if let Err(error) = recognise(&at.name(), reader.head(), reader.len()) {
            return Some(error.0);
        }
        let len = reader.len();
        let trailer = reader.read(len.saturating_sub(TRAILER_BYTES)..len).await.ok()?;
        let footer = match footer_range(&(0..len), &trailer) {
            Ok(place) => reader.read(place).await.ok()?,
            Err(what) => return Some(what.into()),
        };
        has_encrypted_columns(&footer).then(|| ENCRYPTED_COLUMNS.into())
    }
}

/// Whether it is of the file format, not a stream.
async fn is_arrow_file(objects: &Arc<dyn ObjectStore>, file: &Named) -> bool {
    let length = ARROW_MAGIC.len() as u64;
    let head = objects.get_range(&file.meta.location, 0..length.min(file.meta.size)).await;
    head.is_ok_and(|head| &*head == ARROW_MAGIC)
}

/// As the footer has it: the library takes the magic for shorter than writers make it.
async fn arrow_schema(objects: &Arc<dyn ObjectStore>, file: &Named) -> Result<SchemaRef, LakeError> {
    let wrong = |what: &str| LakeError::File {
        what: format!("an Arrow file {what}"),
        at: file.at.clone(),
    };
    let read = async |range| {
        objects
            .get_range(&file.meta.location, range)
            .await
            .map_err(|error| wrong(&error.to_string()))
    };
    let size = file.meta.size;
    let trailer = size.checked_sub(ARROW_TRAILER_BYTES).ok_or_else(|| wrong("that is cut off"))?;
    let tail = read(trailer..size).await?;
    let length = tail.first_chunk().and_then(|tail| read_footer_length(*tail).ok());
    let start = length.and_then(|length| trailer.checked_sub(length as u64));
    let start = start.ok_or_else(|| wrong("that is cut off or damaged: it does not end with its footer; fetch it again"))?;
    let footer = read(start..trailer).await?;
    let footer = root_as_footer(&footer).map_err(|error| wrong(&format!("whose footer cannot be read: {error}")))?;
    let schema = footer.schema().ok_or_else(|| wrong("without a schema"))?;
    Ok(Arc::new(fb_to_schema(schema)))
}

/// Columns that only the folders of files name.
fn folder_columns<'a>(table: &'a Table, schema: &Schema) -> Vec<&'a str> {
    let first = table.files.first().into_iter().flat_map(|file| &file.partitions);
    let names = first.map(|(name, _)| &**name);
    names.filter(|name| schema.field_with_name(name).is_err()).collect()
}

fn folder_value<'a>(file: &'a TableFile, name: &str) -> Option<&'a str> {
    let (_, value) = file.partitions.iter().find(|(other, _)| other == name)?;
    value.as_deref()
}

/// As conditions on the column look for it: the library spells values in paths so, and does not look for those that hold other bytes.
fn folder_of(name: &str, value: &str) -> String {
    let is_sought = |b: u8| b.is_ascii_graphic() && !matches!(b, b'%' | b'/' | b'?' | b'#');
    match value.bytes().all(is_sought) {
        true => PathPart::from(format!("{name}={value}")).as_ref().to_owned(),
        false => format!("{name}={}", encoded(value)),
    }
}

/// What is not plain is `%xx`.
fn encoded(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let mut out = String::new();
    for byte in text.bytes() {
        match is_plain(byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Files may leave a column out.
fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// As a log spells it; folders alone say nothing of types.
fn partition_type(table: &Table, name: &str) -> DataType {
    let told = table.partition_types.iter().find(|(of, _)| of == name).map_or("", |(_, told)| told);
    plain_type(told).filter(|of| *of != DataType::Binary).unwrap_or(DataType::Utf8)
}

/// What separates the names in the first line.
fn delimiter(head: &[u8]) -> u8 {
    let first = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| first.iter().filter(|b| **b == delimiter).count();
    [b'\t', b';', b'|']
        .into_iter()
        .filter(|d| count(*d) > count(b','))
        .max_by_key(|d| count(*d))
        .unwrap_or(b',')
}

/// Whether values may hold line ends: then a file cannot be cut at any of them.
fn has_quotes(head: &[u8]) -> bool {
    let mut is_quoted = false;
    head.iter().any(|byte| {
        is_quoted ^= *byte == b'"';
        is_quoted && *byte == b'\n'
    })
}

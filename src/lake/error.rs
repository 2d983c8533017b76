//! Why a query or a table failed: one sentence.

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;

use crate::decode::DecodeError;
use crate::run::OpenError;
use crate::source::{Location, LocationError, SourceError};

/// Why a table cannot be opened, or a query not be run.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LakeError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Location(#[from] LocationError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("{what}: {at}")]
    File { what: String, at: Location },
    /// The query itself.
    #[error("{0}")]
    Sql(String),
    /// What a table holds.
    #[error("{0}")]
    Table(String),
    #[error("the result cannot be written ({0})")]
    Write(String),
    /// Nobody reads the result any more.
    #[error("nobody reads the result any more")]
    ClosedPipe,
}

/// How the library says that it cannot run a subquery once for all rows.
const CORRELATED: &str = "Physical plan does not support logical expression ScalarSubquery";

impl LakeError {
    pub(super) fn from_io(error: std::io::Error) -> LakeError {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => LakeError::ClosedPipe,
            _ => LakeError::Write(error.to_string()),
        }
    }
}

impl From<DataFusionError> for LakeError {
    fn from(error: DataFusionError) -> LakeError {
        let root = error.find_root();
        let text = root.strip_backtrace();
        let text = text.trim_end_matches(['.', '\n']);
        match root {
            DataFusionError::ArrowError(inner, _) if is_of_values(inner) => {
                LakeError::Sql(format!("the query cannot be computed: {}", plain(text)))
            }
            DataFusionError::SQL(..) => LakeError::Sql(format!("the query cannot be understood: {}", plain(text))),
            DataFusionError::ArrowError(..) | DataFusionError::ParquetError(_) | DataFusionError::ObjectStore(_) => {
                LakeError::Table(format!("the table cannot be read: {}", plain(text)))
            }
            DataFusionError::SchemaError(inner, _) => LakeError::Sql(match &**inner {
                SchemaError::FieldNotFound { field, valid_fields } => no_field(field, valid_fields),
                _ => plain(text),
            }),
            DataFusionError::External(inner) => LakeError::Table(plain(&inner.to_string())),
            DataFusionError::ResourcesExhausted(_) => {
                LakeError::Sql(format!("the query takes more memory than --memory gives it: {}", plain(text)))
            }
            _ if text.contains(CORRELATED) => LakeError::Sql(
                "a subquery in a value or a condition may compare columns of the query around it with = alone: write a join instead".into(),
            ),
            _ => LakeError::Sql(plain(text)),
        }
    }
}

/// Columns by their names alone: a table that is named by its location has no other.
fn no_field(field: &Column, valid: &[Column]) -> String {
    let bare = |column: &Column| Column::new_unqualified(column.name.clone());
    let mut columns: Vec<Column> = Vec::new();
    for column in valid.iter().map(bare) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let told = SchemaError::FieldNotFound {
        field: Box::new(bare(field)),
        valid_fields: columns,
    };
    let told = told.to_string();
    told.trim_end_matches('.').split_whitespace().collect::<Vec<_>>().join(" ")
}

impl From<arrow::error::ArrowError> for LakeError {
    fn from(error: arrow::error::ArrowError) -> LakeError {
        match error {
            arrow::error::ArrowError::IoError(_, cause) => LakeError::from_io(cause),
            other => LakeError::Write(other.to_string()),
        }
    }
}

/// Whether it is what the query computes, not what a table holds.
fn is_of_values(error: &arrow::error::ArrowError) -> bool {
    use arrow::error::ArrowError as Of;
    matches!(
        error,
        Of::DivideByZero | Of::ArithmeticOverflow(_) | Of::CastError(_) | Of::ComputeError(_)
    )
}

/// Without the libraries' own prefixes, and in one line.
pub(super) fn plain(text: &str) -> String {
    const PREFIXES: &[&str] = &[
        "Error during planning: ",
        "Schema error: ",
        "SQL error: ",
        "ParserError(",
        "TokenizerError(",
        "Arrow error: ",
        "Parquet error: ",
        "Parquet argument error: ",
        "External error: ",
        "External: ",
        "Execution error: ",
        "Object Store error: ",
        "Generic roadreel error: ",
        "This feature is not implemented: ",
        "Optimizer rule ",
    ];
    let told = spoken(text);
    let mut text = told.as_deref().unwrap_or(text).trim();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest.trim();
    }
    let text = text.trim_matches('"').trim_end_matches([')', '"']);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// In words what the library says in its own terms: it tells its structures, and lists of the parts of a name.
fn spoken(text: &str) -> Option<String> {
    // where it asks for a report of a bug, it was asked for what it has not
    if let Some((what, _)) = text.split_once("This issue was likely caused by a bug") {
        let what = what.trim_start_matches("Internal error: ").trim().trim_end_matches('.');
        let fitting = text.find("No function matches").and_then(|at| text.get(at..));
        return Some(fitting.map_or_else(|| format!("the query cannot be computed: {what}"), str::to_owned));
    }
    if text.contains("Dot access not supported") {
        return Some("behind a dot stands the name of a field: objects[1].id".into());
    }
    if let Some((_, parts)) = text.split_once("compound identifier: [") {
        let parts: Vec<&str> = parts.trim_end_matches(['.', ']']).split("\", \"").collect();
        return Some(format!("there is no column {}", parts.join(".").trim_matches('"')));
    }
    let is_structure = |word: &str| text.contains(word);
    let (what, _) = text
        .split_once(" { ")
        .filter(|_| ["span: ", "Span(", "quote_style: "].into_iter().any(is_structure))?;
    let (what, _) = what.rsplit_once(' ').unwrap_or((what, ""));
    Some(format!("a part of the query is not known here: {}", plain(what)))
}

//! The columns of a table as the fields of a message: what each becomes, and the message definition that says so.
//!
//! A null number is NaN, so that whole numbers with nulls become floats; JSON in texts becomes what it holds.

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use indexmap::IndexMap;

use super::json::Json;

/// What a column, or a part of one, becomes in a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// The spelling of message definitions, and bytes: `float64`, 8.
    Number(&'static str, usize),
    /// `time`.
    Time,
    Text,
    Bytes,
    List(Box<Node>),
    Struct(Vec<(String, Node)>),
}

/// A column of the table as a field of the message.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// As paths write it: letters of any script, digits and underscores.
    pub name: String,
    /// Its number in the table.
    pub at: usize,
    /// What its values are cast to before they are written; None where they are texts that hold JSON.
    pub cast: Option<DataType>,
    pub node: Node,
}

pub(super) const FLOAT: Node = Node::Number("float64", 8);

/// The message that a row becomes. `json` says what the texts of a column hold, `has_nulls` whether a column, by its path of names, has
/// nulls.
pub(super) fn columns(schema: &Schema, json: impl Fn(usize) -> Option<Json>, has_nulls: &dyn Fn(&[&str]) -> bool) -> Vec<Column> {
    let mut names = Names::default();
    let fields = schema.fields().iter().enumerate();
    let columns = fields.filter_map(|(at, field)| {
        let (cast, node) = match json(at) {
            Some(json) => (None, json.node()?),
            None => {
                let cast = canonical(field, &mut vec![field.name()], has_nulls);
                let node = node(&cast)?;
                (Some(cast), node)
            }
        };
        Some((at, field.name().clone(), cast, node))
    });
    let columns: Vec<_> = columns.collect();
    columns
        .into_iter()
        .map(|(at, name, cast, node)| Column {
            name: names.free(&name),
            at,
            cast,
            node,
        })
        .collect()
}

/// Names of fields, each once.
#[derive(Default)]
pub(super) struct Names(std::collections::BTreeSet<String>);

impl Names {
    pub fn free(&mut self, name: &str) -> String {
        let legal = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '_' };
        let base: String = match name.is_empty() {
            true => "_".into(),
            false => name.chars().map(legal).collect(),
        };
        let numbered = (2..).map(|number| format!("{base}_{number}"));
        let free = std::iter::once(base.clone())
            .chain(numbered)
            .find(|name| !self.0.contains(name))
            .unwrap_or(base);
        self.0.insert(free.clone());
        free
    }
}

/// The type that holds the same values and that [`super::rows`] writes.
fn canonical<'a>(field: &'a Field, path: &mut Vec<&'a str>, has_nulls: &dyn Fn(&[&str]) -> bool) -> DataType {
    canonical_type(field.data_type(), field.is_nullable(), path, has_nulls)
}

fn canonical_type<'a>(of: &'a DataType, nullable: bool, path: &mut Vec<&'a str>, has_nulls: &dyn Fn(&[&str]) -> bool) -> DataType {
    use DataType::*;
    let element = |field: &'a Field, path: &mut Vec<&'a str>| {
        path.push(field.name());
        let inner = canonical(field, path, has_nulls);
        path.pop();
        std::sync::Arc::new(Field::new(field.name(), inner, true))
    };
    match of {
        Boolean | Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 => match nullable && has_nulls(path) {
            true => Float64,
            false => of.clone(),
        },
        Float16 | Float32 => Float32,
        Float64 | Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => Float64,
        Timestamp(..) | Date32 | Date64 => Timestamp(TimeUnit::Nanosecond, None),
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => Binary,
        Dictionary(_, values) => canonical_type(values, nullable, path, has_nulls),
        List(field) | LargeList(field) | FixedSizeList(field, _) | ListView(field) | LargeListView(field) => List(element(field, path)),
        // entries, one after the other
        Map(entries, _) => List(element(entries, path)),
        Struct(fields) => Struct(fields.iter().map(|field| element(field, path)).collect::<Fields>()),
        _ => Utf8,
    }
}

/// None for structures without fields.
fn node(of: &DataType) -> Option<Node> {
    Some(match of {
        DataType::Boolean => Node::Number("bool", 1),
        DataType::Int8 => Node::Number("int8", 1),
        DataType::Int16 => Node::Number("int16", 2),
        DataType::Int32 => Node::Number("int32", 4),
        DataType::Int64 => Node::Number("int64", 8),
        DataType::UInt8 => Node::Number("uint8", 1),
        DataType::UInt16 => Node::Number("uint16", 2),
        DataType::UInt32 => Node::Number("uint32", 4),
        DataType::UInt64 => Node::Number("uint64", 8),
        DataType::Float32 => Node::Number("float32", 4),
        DataType::Float64 => FLOAT,
        DataType::Timestamp(..) => Node::Time,
        DataType::Binary => Node::Bytes,
        DataType::List(field) => Node::List(Box::new(node(field.data_type())?)),
        DataType::Struct(fields) => {
            let mut names = Names::default();
            let parts = fields.iter().map(|field| (names.free(field.name()), node(field.data_type())));
            let parts: Vec<_> = parts.filter_map(|(name, node)| Some((name, node?))).collect();
            // what is left out of a structure could not be told from what stands behind it
            (!parts.is_empty() && parts.len() == fields.len()).then_some(Node::Struct(parts))?
        }
        _ => Node::Text,
    })
}

/// The definition of the message that these columns make, with the structures that it uses.
pub(super) fn definition(root: &str, columns: &[Column]) -> String {
    let mut text = String::new();
    let mut structures: IndexMap<String, &Node> = IndexMap::new();
    for column in columns {
        let type_name = spell(&column.node, &format!("{root}_{}", column.name), &mut structures);
        text.push_str(&format!("{type_name} {}\n", column.name));
    }
    let mut done = 0;
    while let Some((name, node)) = structures.get_index(done).map(|(name, node)| (name.clone(), *node)) {
        text.push_str(&format!("{}\nMSG: {name}\n", "=".repeat(80)));
        let parts: Vec<(&str, &Node)> = match node {
            Node::Struct(parts) => parts.iter().map(|(name, node)| (&**name, node)).collect(),
            inner => vec![("values", inner)],
        };
        for (part, node) in parts {
            let type_name = spell(node, &format!("{name}_{part}"), &mut structures);
            text.push_str(&format!("{type_name} {part}\n"));
        }
        done += 1;
    }
    text
}

/// The type of a field; structures are noted under the name that they get.
fn spell<'a>(node: &'a Node, name: &str, structures: &mut IndexMap<String, &'a Node>) -> String {
    match node {
        Node::Number(spelled, _) => (*spelled).into(),
        Node::Time => "time".into(),
        Node::Text => "string".into(),
        Node::Bytes => "uint8[]".into(),
        Node::List(element) => match &**element {
            // lists of lists do not exist: a structure stands between
            inner @ (Node::List(_) | Node::Bytes) => {
                structures.insert(name.to_owned(), inner);
                format!("{name}[]")
            }
            inner => format!("{}[]", spell(inner, name, structures)),
        },
        Node::Struct(_) => {
            structures.insert(name.to_owned(), node);
            name.to_owned()
        }
    }
}

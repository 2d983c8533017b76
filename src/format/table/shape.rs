//! The columns of a table as the fields of a message: what each becomes, and the message definition that says so.
//!
//! A null float is NaN; a whole number that may be null is an array of one or none, as message definitions have nothing else for it;
//! within lists it is a float. JSON in texts becomes what it holds.

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use indexmap::IndexMap;

use super::json::Json;

/// What a column, or a part of one, becomes in a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// The spelling of message definitions, and bytes: `float64`, 8.
    Number(&'static str, usize),
    /// The same where null is told from all numbers.
    Maybe(&'static str, usize),
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
/// The remark that tells a field which may be null from an array.
pub const ONE_OR_NONE: &str = "# one, or none for null";

/// The message that a row becomes. `json` says what the texts of a column hold, `has_nulls` whether a column, by its path of names, has
/// nulls.
pub(super) fn columns(schema: &Schema, json: impl Fn(usize) -> Option<Json>, has_nulls: &dyn Fn(&[&str]) -> bool) -> Vec<Column> {
    let mut names = Names::default();
    let fields = schema.fields().iter().enumerate();
    let columns = fields.filter_map(|(at, field)| {
        let (cast, node) = match json(at) {
            Some(json) => (None, json.node()?),
            None => {
                let (cast, node) = canonical(field, &mut vec![field.name()], has_nulls, Place::Field);
                (Some(cast), node?)
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Field,
    Element,
}

/// The type that holds the same values and that [`super::rows`] writes, and what it becomes; None for structures without fields.
fn canonical<'a>(field: &'a Field, path: &mut Vec<&'a str>, has_nulls: &dyn Fn(&[&str]) -> bool, place: Place) -> (DataType, Option<Node>) {
    canonical_type(field.data_type(), field.is_nullable(), path, has_nulls, place)
}

fn canonical_type<'a>(
    of: &'a DataType,
    nullable: bool,
    path: &mut Vec<&'a str>,
    has_nulls: &dyn Fn(&[&str]) -> bool,
    place: Place,
) -> (DataType, Option<Node>) {
    use DataType::*;
    let part = |field: &'a Field, path: &mut Vec<&'a str>, place: Place| {
        path.push(field.name());
        let (inner, node) = canonical(field, path, has_nulls, place);
        path.pop();
        (std::sync::Arc::new(Field::new(field.name(), inner, true)), node)
    };
    let list = |field: &'a Field, path: &mut Vec<&'a str>| {
        let (element, node) = part(field, path, Place::Element);
        (List(element), node.map(|node| Node::List(Box::new(node))))
    };
    match of {
        Dictionary(_, values) => canonical_type(values, nullable, path, has_nulls, place),
        List(field) | LargeList(field) | FixedSizeList(field, _) | ListView(field) | LargeListView(field) => list(field, path),
        // entries, one after the other
        Map(entries, _) => list(entries, path),
        Struct(fields) => {
            let parts: Vec<_> = fields.iter().map(|field| part(field, path, Place::Field)).collect();
            let mut names = Names::default();
            let nodes = parts.iter().map(|(field, node)| Some((names.free(field.name()), node.clone()?)));
            // what is left out of a structure could not be told from what stands behind it
            let nodes: Option<Vec<(String, Node)>> = nodes.collect();
            let node = nodes.filter(|nodes| !nodes.is_empty()).map(Node::Struct);
            (Struct(parts.into_iter().map(|(field, _)| field).collect::<Fields>()), node)
        }
        of => {
            let (of, node) = plain(of);
            match node {
                Node::Number(spelled, size) if !of.is_floating() && nullable && has_nulls(path) => match place {
                    Place::Field => (of, Some(Node::Maybe(spelled, size))),
                    Place::Element => (Float64, Some(FLOAT)),
                },
                node => (of, Some(node)),
            }
        }
    }
}

/// Of what is not nested.
fn plain(of: &DataType) -> (DataType, Node) {
    use DataType::*;
    match of {
        Boolean => (Boolean, Node::Number("bool", 1)),
        Int8 => (Int8, Node::Number("int8", 1)),
        Int16 => (Int16, Node::Number("int16", 2)),
        Int32 => (Int32, Node::Number("int32", 4)),
        Int64 => (Int64, Node::Number("int64", 8)),
        UInt8 => (UInt8, Node::Number("uint8", 1)),
        UInt16 => (UInt16, Node::Number("uint16", 2)),
        UInt32 => (UInt32, Node::Number("uint32", 4)),
        UInt64 => (UInt64, Node::Number("uint64", 8)),
        Float16 | Float32 => (Float32, Node::Number("float32", 4)),
        Float64 | Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => (Float64, FLOAT),
        Timestamp(..) | Date32 | Date64 => (Timestamp(TimeUnit::Nanosecond, None), Node::Time),
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => (Binary, Node::Bytes),
        _ => (Utf8, Node::Text),
    }
}

/// The definition of the message that these columns make, with the structures that it uses.
pub(super) fn definition(root: &str, columns: &[Column]) -> String {
    let mut text = String::new();
    let mut structures: IndexMap<String, &Node> = IndexMap::new();
    for column in columns {
        let type_name = spell(&column.node, &format!("{root}_{}", column.name), &mut structures);
        text.push_str(&format!("{type_name} {}{}\n", column.name, remark(&column.node)));
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
            text.push_str(&format!("{type_name} {part}{}\n", remark(node)));
        }
        done += 1;
    }
    text
}

fn remark(node: &Node) -> String {
    match node {
        Node::Maybe(..) => format!(" {ONE_OR_NONE}"),
        _ => String::new(),
    }
}

/// The type of a field; structures are noted under the name that they get.
fn spell<'a>(node: &'a Node, name: &str, structures: &mut IndexMap<String, &'a Node>) -> String {
    match node {
        Node::Number(spelled, _) => (*spelled).into(),
        Node::Maybe(spelled, _) => format!("{spelled}[]"),
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

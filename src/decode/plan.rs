//! Definitions → a plan: types by index, sizes and runs of fixed-size fields computed once.
//!
//! Invariants: types nest at most [`MAX_DEPTH`] deep and never contain themselves; a type's minimum size bounds how much
//! of a value tree any message can make of it.

use std::collections::HashMap;
use std::sync::Arc;

use super::parse::{Array, ConstantText, Definition, FieldText, parse};
use super::reader::Reader;
use super::{DecodeError, Scalar, Value};

/// Deeper nesting is refused: walks over a plan recurse.
const MAX_DEPTH: usize = 64;

#[derive(Debug)]
pub(crate) struct Plan {
    pub types: Vec<Type>,
    /// Index of the message's own type.
    pub root: usize,
}

#[derive(Debug)]
pub(crate) struct Type {
    pub name: Arc<str>,
    pub names: Arc<[Arc<str>]>,
    pub fields: Vec<Field>,
    /// Bytes, where every message has the same number.
    pub fixed_size: Option<usize>,
    pub min_size: usize,
    /// How to get past it where `fixed_size` is None.
    skips: Vec<Skip>,
    pub constants: Vec<Constant>,
}

/// A named value of a message definition.
#[derive(Debug)]
pub(crate) struct Constant {
    pub name: Arc<str>,
    pub kind: Kind,
    pub value: Value,
    /// How many fields stand before it.
    pub place: usize,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub name: Arc<str>,
    pub kind: Kind,
    pub array: Array,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    /// A count of 1 before it, or of 0 where it is null.
    Maybe(Scalar),
    Time,
    Duration,
    String,
    /// Index into [`Plan::types`].
    Struct(usize),
}

/// One step past bytes nobody asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Skip {
    Fixed(usize),
    /// A count, then so many elements of this size.
    Counted(usize),
    /// Elements of varying size: one by one.
    Elements {
        kind: Kind,
        array: Array,
    },
}

impl Plan {
    pub fn ros1(type_name: &str, text: &str) -> Result<Plan, DecodeError> {
        let definitions = parse(type_name, text)?;
        let mut compiler = Compiler {
            by_name: HashMap::new(),
            by_base: HashMap::new(),
            done: HashMap::new(),
            types: Vec::new(),
            weights: Vec::new(),
        };
        for definition in &definitions {
            compiler.by_name.entry(&definition.name).or_insert(definition);
            compiler.by_base.entry(base(&definition.name)).or_insert(definition);
        }
        let root = definitions
            .first()
            .ok_or_else(|| DecodeError::NotDecodable("the message definition is empty".into()))?;
        let root = compiler.compile(root, &mut Vec::new())?;
        Ok(Plan {
            types: compiler.types,
            root,
        })
    }

    pub fn get(&self, id: usize) -> Result<&Type, DecodeError> {
        self.types
            .get(id)
            .ok_or_else(|| DecodeError::NotDecodable("the plan lacks a type".into()))
    }

    /// Size of one element, where it is the same in every message.
    pub fn fixed_size(&self, kind: Kind) -> Option<usize> {
        kind_sizes(&self.types, kind).0
    }

    pub fn min_size(&self, kind: Kind) -> usize {
        kind_sizes(&self.types, kind).1
    }

    /// How many elements a field has, its count read where it has one.
    #[inline]
    pub fn count(&self, kind: Kind, array: Array, reader: &mut Reader) -> Result<usize, DecodeError> {
        match array {
            Array::One => Ok(1),
            Array::Fixed(n) => Ok(n as usize),
            Array::Dynamic => reader.count(self.min_size(kind)),
        }
    }

    /// The bytes of a value that may be null.
    #[inline]
    pub fn maybe<'a>(&self, scalar: Scalar, reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, DecodeError> {
        match reader.u32()? {
            0 => Ok(None),
            1 => reader.take(scalar.size()).map(Some),
            count => Err(DecodeError::NotDecodable(format!("there are {count} values where one may be"))),
        }
    }

    pub fn skip_kind(&self, kind: Kind, reader: &mut Reader) -> Result<(), DecodeError> {
        match kind {
            Kind::String => reader.counted(1).map(|_| ()),
            Kind::Maybe(scalar) => reader.counted(scalar.size()).map(|_| ()),
            Kind::Struct(id) => self.skip_struct(id, reader),
            scalar => reader.skip(self.min_size(scalar)),
        }
    }

    pub fn skip_struct(&self, id: usize, reader: &mut Reader) -> Result<(), DecodeError> {
        let of = self.get(id)?;
        match of.fixed_size {
            Some(size) => reader.skip(size),
            None => of.skips.iter().try_for_each(|skip| self.skip(*skip, reader)),
        }
    }

    pub fn skip_for(&self, kind: Kind, array: Array) -> Skip {
        skip_of(&self.types, kind, array)
    }

    pub fn skip(&self, skip: Skip, reader: &mut Reader) -> Result<(), DecodeError> {
        match skip {
            Skip::Fixed(size) => reader.skip(size),
            Skip::Counted(size) => reader.counted(size).map(|_| ()),
            Skip::Elements { kind, array } => {
                let count = self.count(kind, array, reader)?;
                (0..count).try_for_each(|_| self.skip_kind(kind, reader))
            }
        }
    }
}

impl Scalar {
    /// As message definitions write it.
    pub fn ros_name(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::I8 => "int8",
            Scalar::U8 => "uint8",
            Scalar::I16 => "int16",
            Scalar::U16 => "uint16",
            Scalar::I32 => "int32",
            Scalar::U32 => "uint32",
            Scalar::I64 => "int64",
            Scalar::U64 => "uint64",
            Scalar::F32 => "float32",
            Scalar::F64 => "float64",
        }
    }

    /// Bytes of one.
    pub fn size(self) -> usize {
        match self {
            Scalar::Bool | Scalar::I8 | Scalar::U8 => 1,
            Scalar::I16 | Scalar::U16 => 2,
            Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
            Scalar::I64 | Scalar::U64 | Scalar::F64 => 8,
        }
    }

    /// As Rust spells it: `f32`.
    pub fn name(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::I8 => "i8",
            Scalar::U8 => "u8",
            Scalar::I16 => "i16",
            Scalar::U16 => "u16",
            Scalar::I32 => "i32",
            Scalar::U32 => "u32",
            Scalar::I64 => "i64",
            Scalar::U64 => "u64",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
        }
    }
}

fn skip_of(types: &[Type], kind: Kind, array: Array) -> Skip {
    let (fixed, _) = kind_sizes(types, kind);
    match (fixed, array) {
        (Some(size), Array::One) => Skip::Fixed(size),
        (Some(size), Array::Fixed(n)) => Skip::Fixed(size.saturating_mul(n as usize)),
        (Some(size), Array::Dynamic) if size > 0 => Skip::Counted(size),
        (None, Array::One) if kind == Kind::String => Skip::Counted(1),
        (None, Array::One) if let Kind::Maybe(scalar) = kind => Skip::Counted(scalar.size()),
        _ => Skip::Elements { kind, array },
    }
}

/// (fixed size, minimum size) of one element.
fn kind_sizes(types: &[Type], kind: Kind) -> (Option<usize>, usize) {
    match kind {
        Kind::Scalar(scalar) => (Some(scalar.size()), scalar.size()),
        Kind::Time | Kind::Duration => (Some(8), 8),
        Kind::String | Kind::Maybe(_) => (None, 4),
        Kind::Struct(id) => types.get(id).map_or((None, 0), |t| (t.fixed_size, t.min_size)),
    }
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn package(name: &str) -> &str {
    name.split('/').next().unwrap_or("")
}

fn builtin(name: &str) -> Option<Kind> {
    Some(match name {
        "bool" => Kind::Scalar(Scalar::Bool),
        "int8" | "byte" => Kind::Scalar(Scalar::I8),
        "uint8" | "char" => Kind::Scalar(Scalar::U8),
        "int16" => Kind::Scalar(Scalar::I16),
        "uint16" => Kind::Scalar(Scalar::U16),
        "int32" => Kind::Scalar(Scalar::I32),
        "uint32" => Kind::Scalar(Scalar::U32),
        "int64" => Kind::Scalar(Scalar::I64),
        "uint64" => Kind::Scalar(Scalar::U64),
        "float32" => Kind::Scalar(Scalar::F32),
        "float64" => Kind::Scalar(Scalar::F64),
        "time" => Kind::Time,
        "duration" => Kind::Duration,
        "string" => Kind::String,
        _ => return None,
    })
}

/// None where the text is no value of the type: such a constant has no meaning for a path.
fn constant(text: &ConstantText) -> Option<Constant> {
    let kind = builtin(&text.type_name)?;
    let value = match kind {
        Kind::String => Value::String(text.value.as_str().into()),
        Kind::Scalar(Scalar::Bool) => Value::Bool(matches!(text.value.as_str(), "1" | "True" | "true")),
        Kind::Scalar(Scalar::F32 | Scalar::F64) => Value::F64(text.value.parse().ok()?),
        Kind::Scalar(Scalar::U64) => Value::Uint(text.value.parse().ok()?),
        Kind::Scalar(_) => Value::Int(text.value.parse().ok()?),
        Kind::Maybe(_) | Kind::Time | Kind::Duration | Kind::Struct(_) => return None,
    };
    Some(Constant {
        name: text.name.as_str().into(),
        kind,
        value,
        place: text.place,
    })
}

struct Compiler<'a> {
    by_name: HashMap<&'a str, &'a Definition>,
    /// By the name without its package; the first of the text.
    by_base: HashMap<&'a str, &'a Definition>,
    done: HashMap<&'a str, usize>,
    types: Vec<Type>,
    /// Nodes of the smallest value tree, per type.
    weights: Vec<usize>,
}

impl<'a> Compiler<'a> {
    fn compile(&mut self, definition: &'a Definition, inside: &mut Vec<&'a str>) -> Result<usize, DecodeError> {
        if let Some(id) = self.done.get(definition.name.as_str()) {
            return Ok(*id);
        }
        if inside.contains(&definition.name.as_str()) {
            return Err(DecodeError::NotDecodable(format!("the type {} contains itself", definition.name)));
        }
        if inside.len() >= MAX_DEPTH {
            return Err(DecodeError::NotDecodable(format!(
                "the type {} nests more than {MAX_DEPTH} levels deep",
                definition.name
            )));
        }
        inside.push(&definition.name);
        let mut fields: Vec<Field> = Vec::with_capacity(definition.fields.len());
        let mut seen = std::collections::HashSet::new();
        for text in &definition.fields {
            if !seen.insert(text.name.as_str()) {
                return Err(DecodeError::NotDecodable(format!(
                    "the type {} has two fields “{}”",
                    definition.name, text.name
                )));
            }
            let (kind, array) = match (self.resolve(text, definition, inside)?, text.array) {
                (Kind::Scalar(scalar), _) if text.may_lack => (Kind::Maybe(scalar), Array::One),
                other => other,
            };
            fields.push(Field {
                name: text.name.as_str().into(),
                kind,
                array,
            });
        }
        inside.pop();
        let id = self.add(&definition.name, fields)?;
        if let Some(made) = self.types.get_mut(id) {
            made.constants = definition.constants.iter().filter_map(constant).collect();
        }
        self.done.insert(&definition.name, id);
        Ok(id)
    }

    fn resolve(&mut self, text: &'a FieldText, of: &'a Definition, inside: &mut Vec<&'a str>) -> Result<Kind, DecodeError> {
        let name = text.type_name.as_str();
        if let Some(kind) = builtin(name) {
            return Ok(kind);
        }
        let found = if name == "Header" {
            self.by_name.get("std_msgs/Header").copied().or_else(|| self.relative(name, of))
        } else if name.contains('/') {
            self.by_name.get(name).copied()
        } else {
            self.relative(name, of)
        };
        match found {
            Some(definition) => Ok(Kind::Struct(self.compile(definition, inside)?)),
            None if name == "Header" || name == "std_msgs/Header" => self.header().map(Kind::Struct),
            None => Err(DecodeError::NotDecodable(format!(
                "the definition of {} lacks the type {name} of its field “{}”",
                of.name, text.name
            ))),
        }
    }

    /// The same package first, then any.
    fn relative(&self, name: &str, of: &Definition) -> Option<&'a Definition> {
        let beside = format!("{}/{name}", package(&of.name));
        self.by_name.get(beside.as_str()).or_else(|| self.by_base.get(name)).copied()
    }

    /// `std_msgs/Header`, where a definition leaves it out.
    fn header(&mut self) -> Result<usize, DecodeError> {
        if let Some(id) = self.done.get("std_msgs/Header") {
            return Ok(*id);
        }
        let field = |name: &str, kind| Field {
            name: name.into(),
            kind,
            array: Array::One,
        };
        let fields = vec![
            field("seq", Kind::Scalar(Scalar::U32)),
            field("stamp", Kind::Time),
            field("frame_id", Kind::String),
        ];
        let id = self.add("std_msgs/Header", fields)?;
        self.done.insert("std_msgs/Header", id);
        Ok(id)
    }

    fn add(&mut self, name: &str, fields: Vec<Field>) -> Result<usize, DecodeError> {
        let (mut fixed, mut min, mut weight) = (Some(0usize), 0usize, 1usize);
        let mut skips: Vec<Skip> = Vec::new();
        for field in &fields {
            let (element_fixed, element_min) = kind_sizes(&self.types, field.kind);
            let element_weight = match field.kind {
                Kind::Struct(id) => self.weights.get(id).copied().unwrap_or(1),
                _ => 1,
            };
            let (field_fixed, field_min, field_weight) = match field.array {
                Array::One => (element_fixed, element_min, element_weight),
                Array::Fixed(n) => {
                    let n = n as usize;
                    let nodes = if matches!(field.kind, Kind::Scalar(_)) {
                        1
                    } else {
                        element_weight.saturating_mul(n)
                    };
                    (
                        element_fixed.map(|size| size.saturating_mul(n)),
                        element_min.saturating_mul(n),
                        nodes.saturating_add(1),
                    )
                }
                Array::Dynamic => (None, 4, 1),
            };
            fixed = fixed.zip(field_fixed).map(|(a, b)| a.saturating_add(b));
            min = min.saturating_add(field_min);
            weight = weight.saturating_add(field_weight);
            match (skip_of(&self.types, field.kind, field.array), skips.last_mut()) {
                (Skip::Fixed(more), Some(Skip::Fixed(size))) => *size = size.saturating_add(more),
                (skip, _) => skips.push(skip),
            }
        }
        if min > u32::MAX as usize {
            return Err(DecodeError::NotDecodable(format!("one {name} would be larger than 4 GiB")));
        }
        // Empty types in arrays could make a tree of any size out of no bytes.
        if weight > 64 + min.saturating_mul(16) {
            return Err(DecodeError::NotDecodable(format!(
                "the type {name} consists of too many empty fields"
            )));
        }
        let names = fields.iter().map(|f| f.name.clone()).collect();
        self.types.push(Type {
            name: name.into(),
            names,
            fields,
            fixed_size: fixed,
            min_size: min,
            skips,
            constants: Vec::new(),
        });
        self.weights.push(weight);
        Ok(self.types.len() - 1)
    }
}

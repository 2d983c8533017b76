//! ROS 1 `.msg` text → definitions, unresolved. The grammar is that of ROS's own `genmsg`.
//!
//! Invariant: every refusal is a sentence that names the line; nothing is allocated beyond the text's own length.

use super::DecodeError;
use crate::format::table::ONE_OR_NONE;

/// One message type as written: its full name `pkg/Name`, its fields and its constants.
#[derive(Debug)]
pub(super) struct Definition {
    pub name: String,
    pub fields: Vec<FieldText>,
    pub constants: Vec<ConstantText>,
}

#[derive(Debug)]
pub(super) struct ConstantText {
    pub type_name: String,
    pub name: String,
    /// As written; of strings all to the line's end.
    pub value: String,
    /// How many fields stand before it.
    pub place: usize,
}

#[derive(Debug)]
pub(super) struct FieldText {
    pub type_name: String,
    pub array: Array,
    pub name: String,
    /// A value of a table that may be null: an array of one or none.
    pub may_lack: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Array {
    /// Not an array.
    One,
    Fixed(u32),
    /// A u32 count comes first.
    Dynamic,
}

/// `pkg/msg/Name` and `pkg/Name` → `pkg/Name`.
pub(super) fn canonical(type_name: &str) -> String {
    let name = type_name.trim();
    match name.split_once("/msg/") {
        Some((package, rest)) => format!("{package}/{rest}"),
        None => name.to_owned(),
    }
}

/// The type itself first, then its dependencies in the order of the text.
pub(super) fn parse(type_name: &str, text: &str) -> Result<Vec<Definition>, DecodeError> {
    let root = canonical(type_name);
    if text.trim().is_empty() && root != "std_msgs/Empty" {
        return Err(DecodeError::NotDecodable(format!("{root} comes without a definition")));
    }
    let mut definitions = vec![Definition {
        name: root,
        fields: Vec::new(),
        constants: Vec::new(),
    }];
    let mut awaits_name = false;
    for (index, raw) in text.lines().enumerate() {
        let number = index + 1;
        let line = strip_comment(raw);
        if is_separator(line) {
            awaits_name = true;
        } else if awaits_name {
            if let Some(name) = line.strip_prefix("MSG:") {
                definitions.push(Definition {
                    name: canonical(name),
                    fields: Vec::new(),
                    constants: Vec::new(),
                });
                awaits_name = false;
            } else if !line.is_empty() {
                return Err(fault(number, "after a line of === there must stand “MSG: package/Type”", line));
            }
        } else if !line.is_empty()
            && let Some(definition) = definitions.last_mut()
            && let Some(mut field) = field(number, line)?
        {
            field.may_lack = field.array == Array::Dynamic && raw.ends_with(ONE_OR_NONE);
            definition.fields.push(field);
        } else if let Some(definition) = definitions.last_mut()
            && let Some(constant) = constant(raw, line, definition.fields.len())
        {
            definition.constants.push(constant);
        }
    }
    Ok(definitions)
}

fn strip_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or("").trim()
}

fn is_separator(line: &str) -> bool {
    line.len() >= 3 && line.bytes().all(|b| b == b'=')
}

/// One line without its comment; None for a constant. A string constant may hold '#': what stands before the first '#'
/// still tells that it is one.
fn field(number: usize, line: &str) -> Result<Option<FieldText>, DecodeError> {
    let Some((type_text, rest)) = line.split_once(char::is_whitespace) else {
        return Err(fault(number, "a field needs a type and a name", line));
    };
    let rest = rest.trim();
    let (type_name, array) = array_of(type_text).ok_or_else(|| fault(number, "this is not a type", type_text))?;
    let (name, constant) = match rest.split_once('=') {
        Some((name, _)) => (name.trim(), true),
        None => (rest, false),
    };
    // columns of tables have names in any script
    let is_name = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_name(name) {
        return Err(fault(number, "this is not a field name", name));
    }
    if type_name.is_empty() || !type_name.split('/').all(is_name) || type_name.split('/').count() > 3 {
        return Err(fault(number, "this is not a type", type_text));
    }
    Ok((!constant).then(|| FieldText {
        type_name: canonical(type_name),
        array,
        name: name.to_owned(),
        may_lack: false,
    }))
}

/// What a line that is no field says. A string's value reaches to the line's end, `#` and all.
fn constant(raw: &str, line: &str, place: usize) -> Option<ConstantText> {
    let (type_name, rest) = line.split_once(char::is_whitespace)?;
    let whole = if type_name == "string" { raw.trim_start() } else { line };
    let (_, value) = whole.split_once('=')?;
    let (name, _) = rest.split_once('=')?;
    Some(ConstantText {
        type_name: type_name.to_owned(),
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
        place,
    })
}

fn array_of(text: &str) -> Option<(&str, Array)> {
    let Some((element, bound)) = text.split_once('[') else {
        return Some((text, Array::One));
    };
    let bound = bound.strip_suffix(']')?;
    if bound.is_empty() {
        return Some((element, Array::Dynamic));
    }
    Some((element, Array::Fixed(bound.parse().ok()?)))
}

fn fault(number: usize, what: &str, found: &str) -> DecodeError {
    let found: String = found.chars().take(60).collect();
    DecodeError::NotDecodable(format!("the message definition cannot be read: line {number}: {what}: “{found}”"))
}

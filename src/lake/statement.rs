//! The tables that a query names, opened before it is planned: `bag('LOC', '/topic')`, `lake('LOC')`, names given by `--table`, and
//! locations in quotes.
//!
//! Invariant: a plan names tables by names of ours, never by a location.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, Query, Statement as Sql, TableAlias, TableFactor, TableVersion,
    Value, ValueWithSpan, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::{GenericDialect, SnowflakeDialect};

use super::names::Columns;
use super::session::OPEN;
use super::{Lake, LakeError, Opened, SCHEMA};
use crate::source::Location;

/// A table as a query names it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reference {
    what: What,
    as_of: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// `bag('LOC', '/topic')`.
    Topic { place: String, topic: String },
    /// `lake('LOC')`.
    Place(String),
    /// As it is written, and whether it stands in quotes.
    Name(Vec<(String, bool)>),
    /// A table function of the library, or a name that a query gives itself.
    Other,
}

/// Where a table is registered: schema and name.
type Registered = (String, String);

impl Lake {
    /// The query with its tables opened and its names made those of the tables.
    pub(super) async fn resolved(&self, sql: &str) -> Result<Statement, LakeError> {
        let mut statement = parsed(sql)?;
        let ast = query_of(&mut statement)?;
        if matches!(ast, Sql::ShowTables { .. } | Sql::ShowColumns { .. }) {
            self.open_later(None).await?;
        }
        let mut collector = Collector::default();
        let _ = VisitMut::visit(ast, &mut collector);
        // once more: now all names are known that the query gives itself
        collector.found.clear();
        let _ = VisitMut::visit(ast, &mut collector);
        let mut places = Vec::with_capacity(collector.found.len());
        for reference in &collector.found {
            places.push(self.find(reference).await?);
        }
        let mut columns = Columns::default();
        {
            let state = self.state();
            for place in places.iter().flatten() {
                if let Some(schema) = state.tables.get(place) {
                    columns.add(place, schema);
                }
            }
        }
        let mut replacer = Replacer {
            places: places.into_iter(),
            ctes: collector.ctes,
        };
        let _ = VisitMut::visit(ast, &mut replacer);
        columns.name(ast);
        Ok(statement)
    }

    async fn find(&self, reference: &Reference) -> Result<Option<Registered>, LakeError> {
        let as_of = reference.as_of.as_deref();
        match &reference.what {
            What::Other => Ok(None),
            What::Place(place) => Ok(Some(self.place(place, as_of).await?)),
            What::Topic { place, topic } => {
                let schema = self.recording(place).await?;
                let is_known = || self.state().tables.contains_key(&(schema.clone(), topic.clone()));
                match is_known() || (self.open_later(Some(&schema)).await? && is_known()) {
                    true => Ok(Some((schema, topic.clone()))),
                    false => Err(LakeError::Sql(format!(
                        "there is no topic {topic} that can be read; there are {}",
                        self.names_in(&schema).join(", ")
                    ))),
                }
            }
            What::Name(parts) => {
                let mut found = self.named(parts);
                if let (None, Some(schema)) = (&found, later_in(parts))
                    && self.open_later(schema).await?
                {
                    found = self.named(parts);
                }
                match (found, as_of) {
                    (Some(found), None) => Ok(Some(found)),
                    (Some((_, name)), Some(_)) => match self.location_of(&name) {
                        Some(location) => Ok(Some(self.place_at(&location, as_of).await?)),
                        None => Err(LakeError::Sql(format!("{name} has no earlier states"))),
                    },
                    (None, _) => self.unnamed(parts, as_of).await,
                }
            }
        }
    }

    /// A name that nothing is registered under: a location, or a mistake.
    async fn unnamed(&self, parts: &[(String, bool)], as_of: Option<&str>) -> Result<Option<Registered>, LakeError> {
        match parts {
            [(schema, _), ..] if schema.eq_ignore_ascii_case("information_schema") => {
                self.open_later(None).await?;
                Ok(None)
            }
            [(text, true)] if looks_like_location(text) => Ok(Some(self.place(text, as_of).await?)),
            _ => {
                let name: Vec<&str> = parts.iter().map(|(text, _)| &**text).collect();
                if let Some(why) = name.last().and_then(|last| self.refusal(last)) {
                    return Err(LakeError::Sql(format!("the table {} is not read: {why}", name.join("."))));
                }
                let known = self.names();
                Err(LakeError::Sql(match known.is_empty() {
                    true => format!(
                        "there is no table {}: name one with --table {}=LOC, or write bag('LOC', '/topic') or lake('LOC')",
                        name.join("."),
                        name.last().copied().unwrap_or("NAME")
                    ),
                    false => format!("there is no table {}; there are {}", name.join("."), known.join(", ")),
                }))
            }
        }
    }

    /// Opens a table that a query names by its location, once.
    async fn place(&self, place: &str, as_of: Option<&str>) -> Result<Registered, LakeError> {
        self.place_at(&Location::parse(place)?, as_of).await
    }

    async fn place_at(&self, location: &Location, as_of: Option<&str>) -> Result<Registered, LakeError> {
        let key = format!("{location:?}{:?}{as_of:?}", private(location));
        if let Some(name) = self.state().by_location.get(&key) {
            return Ok((SCHEMA.to_owned(), name.clone()));
        }
        match self.open(location, as_of).await? {
            Opened::Table(table) => {
                let name = self.free_name();
                self.register(SCHEMA, &name, table)?;
                self.state().by_location.insert(key, name.clone());
                Ok((SCHEMA.to_owned(), name))
            }
            Opened::Several(several, later) => match <[_; 1]>::try_from(several) {
                Ok([(name, only)]) if !name.starts_with('/') => {
                    let own = self.free_name();
                    self.register(SCHEMA, &own, only)?;
                    self.state().by_location.insert(key, own.clone());
                    Ok((SCHEMA.to_owned(), own))
                }
                several => {
                    let several = several.map_or_else(|several| several, Vec::from);
                    let names = several.into_iter().map(|(name, _)| name);
                    let names: Vec<String> = names.chain(later.recordings.into_iter().map(|found| found.path)).collect();
                    let what = match names.iter().any(|name| name.starts_with('/')) {
                        true => "a recording: name one of its topics with bag('LOC', '/topic')",
                        false => "several tables or recordings: name one of them, or all with --table NAME=LOC",
                    };
                    Err(LakeError::Sql(format!("this is {what} ({}): {location}", names.join(", "))))
                }
            },
        }
    }

    /// Opens a recording that a query names by its location, once; its topics are the tables of the schema that is returned.
    async fn recording(&self, place: &str) -> Result<String, LakeError> {
        // a name that was given to a recording will do
        let is_name = {
            let state = self.state();
            state.later.contains_key(place) || state.tables.keys().any(|(schema, _)| schema == place)
        };
        if is_name {
            return Ok(place.to_owned());
        }
        let location = Location::parse(place)?;
        let key = format!("topics {location:?}{:?}", private(&location));
        if let Some(schema) = self.state().by_location.get(&key) {
            return Ok(schema.clone());
        }
        let schema = self.free_name().replace("table", "bag");
        match self.open(&location, None).await? {
            Opened::Table(_) => {
                return Err(LakeError::Sql(format!(
                    "this is a table, not a recording: name it with lake('LOC'): {location}"
                )));
            }
            Opened::Several(tables, later) => {
                let tables = tables.into_iter().chain(self.all_of(&later).await?);
                tables
                    .into_iter()
                    .try_for_each(|(name, table)| self.register(&schema, &self.free_in(&schema, &name), table))?;
            }
        }
        self.state().by_location.insert(key, schema.clone());
        Ok(schema)
    }

    /// What a name stands for: exactly, or but for case; a topic also by its name as AWS's tables have it (`imu_raw`).
    fn named(&self, parts: &[(String, bool)]) -> Option<Registered> {
        let state = self.state();
        let fits =
            |(written, is_quoted): &(String, bool), name: &str| written == name || (!is_quoted && written.eq_ignore_ascii_case(name));
        let as_table = |name: &str| name.trim_start_matches('/').replace('/', "_");
        let unique = |test: &dyn Fn(&Registered) -> bool| {
            let mut fitting = state.tables.keys().filter(|key| test(key));
            let first = fitting.next().cloned();
            first.filter(|_| fitting.next().is_none())
        };
        match parts {
            [table] => unique(&|(schema, name)| schema == SCHEMA && *name == table.0)
                .or_else(|| unique(&|(schema, name)| schema == SCHEMA && fits(table, name)))
                .or_else(|| unique(&|(schema, name)| schema == OPEN && *name == table.0))
                .or_else(|| unique(&|(schema, name)| schema == OPEN && (fits(table, name) || (!table.1 && fits(table, &as_table(name))))))
                .or_else(|| unique(&|(schema, name)| schema != SCHEMA && fits(table, name)))
                .or_else(|| unique(&|(schema, name)| schema != SCHEMA && !table.1 && fits(table, &as_table(name)))),
            [schema, table] => unique(&|(of, name)| fits(schema, of) && *name == table.0)
                .or_else(|| unique(&|(of, name)| fits(schema, of) && fits(table, name)))
                .or_else(|| unique(&|(of, name)| fits(schema, of) && fits(table, &as_table(name)))),
            _ => None,
        }
    }

    /// Why a table that lies where others were opened is not read.
    fn refusal(&self, written: &str) -> Option<String> {
        let plain = |name: &str| name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let state = self.state();
        let found = state.refused.iter().find(|(name, _)| plain(name) == plain(written));
        found.map(|(_, why)| why.clone())
    }

    fn names_in(&self, schema: &str) -> Vec<String> {
        self.state()
            .tables
            .keys()
            .filter(|(of, _)| of == schema)
            .map(|(_, name)| name.clone())
            .collect()
    }

    fn names(&self) -> Vec<String> {
        let state = self.state();
        let given = state
            .tables
            .keys()
            .filter(|(schema, name)| !schema.starts_with("bag_") && !name.starts_with("table_"));
        let shown = |(schema, name): &Registered| match schema.as_str() {
            SCHEMA => name.clone(),
            OPEN => format!("\"{name}\""),
            _ => format!("{schema}.\"{name}\""),
        };
        given.map(shown).collect()
    }

    fn location_of(&self, name: &str) -> Option<Location> {
        self.state().locations.get(name).cloned()
    }
}

/// Beside which name's tables, or all, a name may be found that is none of them; None where it is a location.
fn later_in(parts: &[(String, bool)]) -> Option<Option<&str>> {
    match parts {
        [(schema, _), _] => Some(Some(schema)),
        [(text, true)] => {
            let last = text.rsplit('/').next().unwrap_or(text);
            let is_topic = text.starts_with('/') && !last.contains('.');
            (is_topic || !looks_like_location(text)).then_some(None)
        }
        _ => Some(None),
    }
}

/// What tells two links apart that print alike.
fn private(location: &Location) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    location.hash(&mut hasher);
    hasher.finish()
}

fn looks_like_location(text: &str) -> bool {
    text.contains("://") || text.contains(['/', '\\']) || text.rsplit_once('.').is_some_and(|(_, ending)| (2..8).contains(&ending.len()))
}

/// One statement. Where the usual dialect fails, one that knows `FOR SYSTEM_TIME AS OF` is asked.
fn parsed(sql: &str) -> Result<Statement, LakeError> {
    let sql = sql.trim().trim_end_matches(';');
    let usual = DFParser::parse_sql_with_dialect(sql, &GenericDialect {});
    let mut statements = match usual {
        Ok(statements) => statements,
        Err(error) => DFParser::parse_sql_with_dialect(sql, &SnowflakeDialect {}).map_err(|_| LakeError::from(error))?,
    };
    match (statements.pop_front(), statements.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(LakeError::Sql("the query is empty: write SELECT … FROM …".into())),
        (Some(_), false) => Err(LakeError::Sql("there are several queries: run one at a time".into())),
    }
}

fn query_of(statement: &mut Statement) -> Result<&mut Sql, LakeError> {
    let only_reads = || LakeError::Sql("only SELECT, EXPLAIN and SHOW run here: tables are read, not written; -o writes a result".into());
    match statement {
        Statement::Statement(ast) => match &**ast {
            Sql::Query(_) | Sql::Explain { .. } | Sql::ExplainTable { .. } | Sql::ShowTables { .. } | Sql::ShowColumns { .. } => Ok(ast),
            _ => Err(only_reads()),
        },
        Statement::Explain(explain) => query_of(&mut explain.statement),
        _ => Err(only_reads()),
    }
}

/// Finds the tables of a query, in the order in which [`Replacer`] meets them.
#[derive(Default)]
struct Collector {
    found: Vec<Reference>,
    ctes: BTreeSet<String>,
}

impl VisitorMut for Collector {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.ctes.insert(cte.alias.name.value.to_lowercase());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let Some(reference) = reference(factor, &self.ctes) {
            self.found.push(reference);
        }
        ControlFlow::Continue(())
    }
}

struct Replacer {
    places: std::vec::IntoIter<Option<Registered>>,
    ctes: BTreeSet<String>,
}

impl VisitorMut for Replacer {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if reference(factor, &self.ctes).is_none() {
            return ControlFlow::Continue(());
        }
        let place = self.places.next().flatten();
        if let (
            Some((schema, table)),
            TableFactor::Table {
                name,
                alias,
                args,
                version,
                ..
            },
        ) = (place, factor)
        {
            let written = match name.0.last() {
                Some(ObjectNamePart::Identifier(ident)) if args.is_none() => Some(ident.clone()),
                _ => None,
            };
            if let (None, Some(written)) = (&alias, written.filter(|ident| ident.value != table)) {
                *alias = Some(TableAlias {
                    explicit: true,
                    name: written,
                    columns: Vec::new(),
                    at: None,
                });
            }
            let part = |text: String| ObjectNamePart::Identifier(Ident::with_quote('"', text));
            *name = ObjectName(vec![part(schema), part(table)]);
            (*args, *version) = (None, None);
        }
        ControlFlow::Continue(())
    }
}

/// None where a factor is no table of ours to find.
fn reference(factor: &TableFactor, ctes: &BTreeSet<String>) -> Option<Reference> {
    let TableFactor::Table { name, args, version, .. } = factor else {
        return None;
    };
    let parts = name.0.iter().map(|part| match part {
        ObjectNamePart::Identifier(ident) => Some((ident.value.clone(), ident.quote_style.is_some())),
        ObjectNamePart::Function(_) => None,
    });
    let parts: Vec<(String, bool)> = parts.collect::<Option<_>>()?;
    let as_of = version.as_ref().and_then(|version| match version {
        TableVersion::ForSystemTimeAsOf(expr) | TableVersion::TimestampAsOf(expr) | TableVersion::VersionAsOf(expr) => literal(expr),
        _ => None,
    });
    let what = match (args, parts.as_slice()) {
        (Some(args), [(function, _)]) => {
            let texts: Vec<String> = args.args.iter().filter_map(argument).collect();
            match (function.to_ascii_lowercase().as_str(), texts.as_slice()) {
                ("bag", [place, topic]) => What::Topic {
                    place: place.clone(),
                    topic: topic.clone(),
                },
                ("lake" | "read_parquet" | "read_csv" | "read_json", [place]) => What::Place(place.clone()),
                ("lake", [place, as_of]) => {
                    return Some(Reference {
                        what: What::Place(place.clone()),
                        as_of: Some(as_of.clone()),
                    });
                }
                _ => What::Other,
            }
        }
        (Some(_), _) => What::Other,
        (None, [(only, _)]) if ctes.contains(&only.to_lowercase()) => What::Other,
        (None, parts) => What::Name(parts.to_vec()),
    };
    Some(Reference { what, as_of })
}

fn argument(arg: &FunctionArg) -> Option<String> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => literal(expr),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(ValueWithSpan { value, .. }) => match value {
            Value::Number(text, _) => Some(text.to_string()),
            other => other.clone().into_string(),
        },
        Expr::TypedString(typed) => typed.value.value.clone().into_string(),
        Expr::Cast { expr, .. } => literal(expr),
        _ => None,
    }
}

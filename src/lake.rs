//! SQL over tables (Parquet, CSV, JSON Lines, Arrow, Hudi, Delta) and over the topics of recordings.
//!
//! DataFusion stays behind this module. Invariants: only SELECT and EXPLAIN run; tables are read through the program's own readers
//! and cache; no location shows in a plan; a query's memory is bounded, and what is beyond it spills to disk.

mod correlated;
mod damage;
mod documents;
mod error;
mod fields;
mod files;
mod fit;
mod found;
mod instant;
mod json;
mod known;
mod later;
mod lengths;
mod lexis;
mod lines;
mod mixed;
mod names;
mod question;
mod quiet;
mod scope;
mod session;
mod span;
mod statement;
mod titles;
mod topic;
mod write;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::stream::{RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter};
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use futures_util::{StreamExt, TryStreamExt, stream};
use url::Url;

use later::Later;
use quiet::caught;

use crate::run::{Io, Place, Recording, TableKind, gather};
use crate::source::{Location, Objects};
pub use documents::document;
pub use error::LakeError;
pub use found::{Cell, Found};
pub use lexis::{KEYWORDS, Part, functions, parts};
pub use question::{Question, Stage, Wrong};
pub use session::OpenSource;
pub use write::{Rows, Style};

/// Where the objects of tables lie, as plans see it.
const STORE: &str = "lake://tables";
const CATALOG: &str = "datafusion";
const SCHEMA: &str = "public";
const BATCH_ROWS: usize = 8192;
/// The part of a query's memory that each sort keeps for merging what it spilled, where that is little.
const MERGING_SHARE: u64 = 32;
/// With less, rows are sorted in one place: merging parts that were sorted side by side takes memory that cannot be spilled.
const SORTED_SIDE_BY_SIDE_BYTES: u64 = 256 << 20;

/// Tables under names, and queries over them.
pub struct Lake {
    io: Io,
    objects: Arc<Objects>,
    context: SessionContext,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Every table: schema, name, columns.
    tables: BTreeMap<(String, String), SchemaRef>,
    /// Tables that queries name by their location, as they name them.
    by_location: BTreeMap<String, String>,
    /// What `--table` named.
    locations: BTreeMap<String, Location>,
    /// What of tables could not be read, in sentences.
    losses: Vec<String>,
    /// Tables that lie where others were opened and are not read: their names, and why.
    refused: Vec<(String, String)>,
    /// What lies beside the tables of a name.
    later: BTreeMap<String, Later>,
    opened: usize,
}

/// What a name stands for.
enum Opened {
    Table(Arc<dyn TableProvider>),
    /// Topics of a recording, or tables of a folder.
    Several(Vec<(String, Arc<dyn TableProvider>)>, Later),
}

impl Lake {
    /// `memory_bytes` are for the queries alone.
    pub fn new(io: &Io, memory_bytes: u64) -> Result<Lake, LakeError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let pool = FairSpillPool::new(usize::try_from(memory_bytes).unwrap_or(usize::MAX));
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool)).build_arc()?;
        let mut config = SessionConfig::new()
            .with_target_partitions(cores)
            .with_batch_size(BATCH_ROWS)
            .with_information_schema(true)
            .with_default_catalog_and_schema(CATALOG, SCHEMA);
        config.options_mut().execution.listing_table_ignore_subdirectory = false;
        config.options_mut().optimizer.repartition_sorts = memory_bytes >= SORTED_SIDE_BY_SIDE_BYTES;
        let for_merging = usize::try_from(memory_bytes / MERGING_SHARE).unwrap_or(usize::MAX);
        let options = &mut config.options_mut().execution;
        options.sort_spill_reservation_bytes = options.sort_spill_reservation_bytes.min(for_merging);
        // rows keep the order of their table
        config.options_mut().optimizer.enable_round_robin_repartition = false;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_expr_planners(vec![instant::planner()])
            .with_default_features()
            .with_analyzer_rule(correlated::rule());
        let context = SessionContext::new_with_state(state.build());
        lengths::functions().into_iter().for_each(|function| context.register_udf(function));
        let objects = Objects::new(io.net().clone());
        let store = Url::parse(STORE).map_err(|error| LakeError::Sql(error.to_string()))?;
        context.register_object_store(&store, objects.clone());
        Ok(Lake {
            io: io.clone(),
            objects,
            context,
            state: Mutex::default(),
        })
    }

    /// Opens a location under a name: a table, or the topics of a recording (and the tables of a folder) as `name."/topic"`; recordings
    /// and JSON beside tables are opened when a query names something that is none of these.
    /// `as_of` names an earlier state of a Hudi or Delta table. Waits: for commands.
    pub fn add(&self, name: &str, location: &Location, as_of: Option<&str>) -> Result<(), LakeError> {
        self.state().locations.insert(name.to_owned(), location.clone());
        self.add_opened(name, async { self.open(location, as_of).await })
    }

    /// The same of what a location was found to hold.
    pub fn add_place(&self, name: &str, place: Place, location: &Location) -> Result<(), LakeError> {
        self.add_opened(name, self.open_place(place, location))
    }

    fn add_opened(&self, name: &str, opened: impl Future<Output = Result<Opened, LakeError>>) -> Result<(), LakeError> {
        let opening = async {
            match opened.await? {
                Opened::Table(table) => self.register(SCHEMA, name, table),
                Opened::Several(tables, later) => {
                    // the only one is also known by the name alone
                    if let [(_, only)] = tables.as_slice() {
                        self.register(SCHEMA, name, only.clone())?;
                    }
                    if !later.is_empty() {
                        self.state().later.insert(name.to_owned(), later);
                    }
                    tables.into_iter().try_for_each(|(inner, table)| self.register(name, &inner, table))
                }
            }
        };
        caught(|| self.io.block_on(opening))
    }

    /// Runs a query; its rows come as they are there. Waits for what it takes to plan it: for commands.
    pub fn query(&self, sql: &str) -> Result<Answer, LakeError> {
        let planned = caught(|| self.io.block_on(self.plan(sql)));
        let (schema, stream) = planned.map_err(|error| self.explained(error))?;
        Ok(Answer {
            schema,
            stream,
            io: self.io.clone(),
            objects: self.objects.clone(),
        })
    }

    /// Schema and name of every table that was added.
    pub fn tables(&self) -> Vec<(String, String)> {
        self.state().tables.keys().cloned().collect()
    }

    /// What of the tables that were opened cannot be read.
    pub fn losses(&self) -> Vec<String> {
        self.state().losses.clone()
    }

    async fn plan(&self, sql: &str) -> Result<(SchemaRef, SendableRecordBatchStream), LakeError> {
        let statement = self.resolved(sql).await?;
        let plan = titles::told_apart(self.context.state().statement_to_plan(statement).await?)?;
        let only_reads = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        only_reads.verify_plan(&plan)?;
        let schema = Arc::new(plan.schema().as_arrow().clone());
        let (physical, task) = self.physical(&plan).await?;
        let rows = in_order(execute_stream_partitioned(physical.clone(), task.clone())?);
        let rows = match holds::<HashJoinExec>(&physical) {
            true => {
                let merged = stream::once(or_merged(rows, self.context.state(), plan)).try_flatten();
                Box::pin(RecordBatchStreamAdapter::new(schema.clone(), merged))
            }
            false => rows,
        };
        Ok((schema, damage::told(rows, physical, task, self.objects.clone())))
    }

    /// How a query is run. Fields are read where their table is; of some joins the library makes no plan then, but it does without.
    async fn physical(&self, plan: &LogicalPlan) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>), LakeError> {
        let early = self.context.state();
        // an explanation does not fail, but tells that what it explains does
        let explained = match plan {
            LogicalPlan::Explain(explain) => &*explain.plan,
            LogicalPlan::Analyze(analyze) => &*analyze.input,
            itself => itself,
        };
        let state = match early.create_physical_plan(explained).await {
            Ok(physical) if std::ptr::eq(explained, plan) => return Ok((physical, early.task_ctx())),
            Ok(_) => early,
            Err(_) => {
                let mut late = early;
                late.config_mut().options_mut().optimizer.enable_leaf_expression_pushdown = false;
                late
            }
        };
        Ok((state.create_physical_plan(plan).await?, state.task_ctx()))
    }

    async fn open(&self, location: &Location, as_of: Option<&str>) -> Result<Opened, LakeError> {
        self.open_place(gather(location, as_of, self.io.net()).await?, location).await
    }

    async fn open_place(&self, place: Place, location: &Location) -> Result<Opened, LakeError> {
        match place {
            Place::Many(held) => {
                let (mut opened, mut first) = (Vec::new(), None);
                self.refuse(held.refused);
                for table in &held.tables {
                    match self.listing(table, location).await.map_err(|error| self.explained(error)) {
                        Ok(provider) => opened.push((table.name.clone(), provider)),
                        // the others can be read
                        Err(error) => {
                            self.refuse(vec![(table.name.clone(), error.to_string())]);
                            first.get_or_insert(error);
                        }
                    }
                }
                let later = Later {
                    recordings: held.recordings,
                    json: held.json,
                };
                match (first, later.recordings.as_slice()) {
                    _ if !opened.is_empty() => Ok(Opened::several(opened, later)),
                    (None, [only]) if later.json.is_empty() => {
                        let recording = Recording::of_one(&self.io, only.location.clone()).await?;
                        Ok(Opened::Several(topic::topics(&recording)?, Later::default()))
                    }
                    (None, []) => self.only_json(&later, location).await,
                    (None, _) => Ok(Opened::Several(opened, later)),
                    (Some(error), _) => Err(error),
                }
            }
            Place::One(reader, part) => {
                if let Some(lines) = self.lines_of(&reader).await? {
                    let table = self.single(lines, part, TableKind::JsonLines).await;
                    return Ok(Opened::Table(table.map_err(|error| self.explained(error))?));
                }
                if let Some(kind) = files::kind_of(&location.name(), reader.head(), reader.len()) {
                    let table = self.single(reader, part, kind).await.map_err(|error| self.explained(error))?;
                    return Ok(Opened::Table(table));
                }
                let recording = Recording::of(&self.io, crate::run::Opened::one(reader, part)).await?;
                Ok(Opened::Several(topic::topics(&recording)?, Later::default()))
            }
        }
    }

    fn register(&self, schema: &str, name: &str, table: Arc<dyn TableProvider>) -> Result<(), LakeError> {
        let catalog = self
            .context
            .catalog(CATALOG)
            .ok_or_else(|| LakeError::Sql("there is no catalog".into()))?;
        let provider = match catalog.schema(schema) {
            Some(provider) => provider,
            None => {
                let new: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
                catalog.register_schema(schema, new.clone())?;
                new
            }
        };
        if provider.table_exist(name) {
            return Err(LakeError::Sql(format!(
                "there are two tables called {name}: give each its own name"
            )));
        }
        self.state().tables.insert((schema.to_owned(), name.to_owned()), table.schema());
        provider.register_table(name.to_owned(), table)?;
        Ok(())
    }

    /// Keeps why tables are not read, for whoever asks for one.
    fn refuse(&self, tables: Vec<(String, String)>) {
        let mut state = self.state();
        for table in tables {
            if !state.refused.contains(&table) {
                state.refused.push(table);
            }
        }
    }

    /// A name for a table that has none.
    fn free_name(&self) -> String {
        let mut state = self.state();
        state.opened += 1;
        format!("table_{}", state.opened)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a file could not be read, in the reader's own words where it knows.
    fn explained(&self, error: LakeError) -> LakeError {
        match (error, self.objects.failure()) {
            (LakeError::Sql(_) | LakeError::Table(_), Some(failure)) => LakeError::Source(failure),
            (error, _) => error,
        }
    }
}

/// The same rows, where a join takes more memory than there is, by sorting both of its sides, which spills: a hash table does not.
async fn or_merged(
    mut rows: SendableRecordBatchStream,
    mut state: SessionState,
    plan: LogicalPlan,
) -> Result<SendableRecordBatchStream, DataFusionError> {
    let first = match rows.next().await {
        Some(Err(error)) if matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) => {
            drop(rows);
            state.config_mut().options_mut().optimizer.prefer_hash_join = false;
            let physical = state.create_physical_plan(&plan).await?;
            match holds::<HashJoinExec>(&physical) {
                true => return Err(error),
                false => return Ok(in_order(execute_stream_partitioned(physical, state.task_ctx())?)),
            }
        }
        first => first,
    };
    let schema = rows.schema();
    let all = stream::iter(first).chain(rows);
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, all)))
}

/// Whether a part of a plan is one of these.
fn holds<T: ExecutionPlan>(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.downcast_ref::<T>().is_some() || plan.children().into_iter().any(holds::<T>)
}

/// The rows of a query, as they come.
pub struct Answer {
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    io: Io,
    objects: Arc<Objects>,
}

impl Answer {
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

impl Iterator for Answer {
    type Item = Result<RecordBatch, LakeError>;

    /// Waits for the next rows.
    fn next(&mut self) -> Option<Self::Item> {
        let next = caught(|| Ok(self.io.block_on(self.stream.next()).transpose()?)).transpose()?;
        Some(next.map_err(|error| match self.objects.failure() {
            Some(failure) => LakeError::Source(failure),
            None => error,
        }))
    }
}

/// Batches that a part of a result is ahead of those before it.
const AHEAD: usize = 4;

/// The parts of a result one after the other, worked out side by side.
fn in_order(mut parts: Vec<SendableRecordBatchStream>) -> SendableRecordBatchStream {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let schema = parts.first().map_or_else(|| Arc::new(Schema::empty()), |first| first.schema());
    let ahead = |mut part: SendableRecordBatchStream| {
        let mut builder = RecordBatchReceiverStreamBuilder::new(schema.clone(), AHEAD);
        let sender = builder.tx();
        builder.spawn(async move {
            while let Some(batch) = part.next().await {
                if sender.send(batch).await.is_err() {
                    break;
                }
            }
            Ok(())
        });
        builder.build()
    };
    let running: Vec<SendableRecordBatchStream> = parts.into_iter().map(ahead).collect();
    let batches = stream::iter(running).flatten();
    Box::pin(RecordBatchStreamAdapter::new(schema.clone(), batches))
}

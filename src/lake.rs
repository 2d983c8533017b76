//! SQL over tables (Parquet, CSV, JSON Lines, Arrow, Hudi, Delta) and over the topics of recordings.
//!
//! DataFusion stays behind this module. Invariants: only SELECT and EXPLAIN run; tables are read through the program's own readers
//! and cache; no location shows in a plan; a query's memory is bounded, and what is beyond it spills to disk.

mod damage;
mod error;
mod fields;
mod files;
mod fit;
mod found;
mod instant;
mod json;
mod known;
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
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::{RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter};
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use futures_util::{StreamExt, stream};
use url::Url;

use quiet::caught;

use crate::run::{Io, Place, Recording, gather, nothing_to_open};
use crate::source::{Location, Objects};
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
    opened: usize,
}

/// What a name stands for.
enum Opened {
    Table(Arc<dyn TableProvider>),
    /// Topics of a recording, or tables of a folder.
    Several(Vec<(String, Arc<dyn TableProvider>)>),
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
        // rows keep the order of their table
        config.options_mut().optimizer.enable_round_robin_repartition = false;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_expr_planners(vec![instant::planner()])
            .with_default_features();
        let context = SessionContext::new_with_state(state.build());
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

    /// Opens a location under a name: a table, or the topics of a recording (and the tables of a folder) as `name."/topic"`.
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
                Opened::Several(tables) => {
                    // the only one is also known by the name alone
                    if let [(_, only)] = tables.as_slice() {
                        self.register(SCHEMA, name, only.clone())?;
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
            Place::Many(held) if held.tables.is_empty() && held.recordings.is_empty() => Err(nothing_to_open(location).into()),
            Place::Many(held) if held.tables.is_empty() => {
                let [only] = held.recordings.as_slice() else {
                    return Err(LakeError::File {
                        what: format!("{} recordings and no table lie there: name one of them", held.recordings.len()),
                        at: location.clone(),
                    });
                };
                let recording = Recording::of_one(&self.io, only.location.clone()).await?;
                Ok(Opened::Several(topic::topics(&recording)?))
            }
            Place::Many(held) => {
                let mut opened = Vec::new();
                for table in &held.tables {
                    let provider = self.listing(table, location).await.map_err(|error| self.explained(error))?;
                    opened.push((table.name.clone(), provider));
                }
                match (opened.pop(), opened.is_empty()) {
                    (Some((_, only)), true) => Ok(Opened::Table(only)),
                    (last, _) => Ok(Opened::Several(opened.into_iter().chain(last).collect())),
                }
            }
            Place::One(reader, part) => {
                if let Some(kind) = files::kind_of(&location.name(), reader.head(), reader.len()) {
                    let table = self.single(reader, part, kind).await.map_err(|error| self.explained(error))?;
                    return Ok(Opened::Table(table));
                }
                let recording = Recording::of(&self.io, crate::run::Opened::one(reader, part)).await?;
                Ok(Opened::Several(topic::topics(&recording)?))
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

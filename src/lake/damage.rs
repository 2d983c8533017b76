//! Which file of a table a query failed in: the library does not tell.

use std::sync::Arc;

use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures_util::StreamExt;
use object_store::path::Path;

use super::LakeError;
use crate::source::Objects;

/// The same rows; an error of a table names its file.
pub(super) fn told(
    rows: SendableRecordBatchStream,
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    objects: Arc<Objects>,
) -> SendableRecordBatchStream {
    let schema = rows.schema();
    let rows = rows.then(move |batch| {
        let (plan, task, objects) = (plan.clone(), task.clone(), objects.clone());
        async move {
            let error = match batch {
                // a file that could not be fetched is named already
                Err(error) if is_of_table(&error) && objects.failure().is_none() => error,
                other => return other,
            };
            match damaged(&plan, &task).await.and_then(|path| objects.location_of(&path)) {
                Some(at) => Err(DataFusionError::External(Box::new(LakeError::File {
                    what: LakeError::from(error).to_string(),
                    at,
                }))),
                None => Err(error),
            }
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

fn is_of_table(error: &DataFusionError) -> bool {
    let root = error.find_root();
    matches!(root, DataFusionError::ArrowError(..) | DataFusionError::ParquetError(_))
}

/// The first file that cannot be read alone.
async fn damaged(plan: &Arc<dyn ExecutionPlan>, task: &Arc<TaskContext>) -> Option<Path> {
    let mut scans = Vec::new();
    add_scans(plan, &mut scans);
    for scan in scans {
        for file in scan.file_groups.iter().flat_map(FileGroup::iter) {
            let only = FileGroup::new(vec![file.clone()]);
            let alone = FileScanConfigBuilder::from(scan.clone()).with_file_groups(vec![only]).build();
            if fails(alone, task).await {
                return Some(file.object_meta.location.clone());
            }
        }
    }
    None
}

fn add_scans(plan: &Arc<dyn ExecutionPlan>, out: &mut Vec<FileScanConfig>) {
    let scan = plan.downcast_ref::<DataSourceExec>();
    out.extend(scan.and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>()).cloned());
    plan.children().into_iter().for_each(|child| add_scans(child, out));
}

async fn fails(scan: FileScanConfig, task: &Arc<TaskContext>) -> bool {
    let Ok(mut rows) = DataSourceExec::from_data_source(scan).execute(0, task.clone()) else {
        return true;
    };
    while let Some(batch) = rows.next().await {
        if batch.is_err() {
            return true;
        }
    }
    false
}

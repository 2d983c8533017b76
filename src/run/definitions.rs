//! Reads the user's own message definitions: folders of `.msg` files.
//!
//! Invariant: what cannot be read is told, and costs only itself.

use std::path::{Path, PathBuf};

use crate::decode::Definitions;

const MAX_DEPTH: usize = 8;
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Adds every `<package>/msg/<Name>.msg` and `<package>/<Name>.msg` below the folders. Returns how many, and what went wrong.
pub fn add_message_folders(definitions: &mut Definitions, folders: &[PathBuf]) -> (usize, Vec<String>) {
    let (mut count, mut problems) = (0, Vec::new());
    for folder in folders {
        let before = count;
        add_folder(definitions, folder, 0, &mut count, &mut problems);
        if count == before {
            problems.push(format!("no .msg files: {}", folder.display()));
        }
    }
    (count, problems)
}

fn add_folder(definitions: &mut Definitions, folder: &Path, depth: usize, count: &mut usize, problems: &mut Vec<String>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return problems.push(format!("the folder cannot be read: {error}: {}", folder.display())),
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if depth < MAX_DEPTH && !path.is_symlink() {
                add_folder(definitions, &path, depth + 1, count, problems);
            }
            continue;
        }
        if path.extension().is_none_or(|e| e != "msg") {
            continue;
        }
        let (Some(type_name), true) = (type_name(&path), std::fs::metadata(&path).is_ok_and(|m| m.len() <= MAX_FILE_BYTES)) else {
            problems.push(format!("not a message definition: {}", path.display()));
            continue;
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                definitions.add(&type_name, &text);
                *count += 1;
            }
            Err(error) => problems.push(format!("the definition cannot be read: {error}: {}", path.display())),
        }
    }
}

/// `…/radar_msgs/msg/RadarScan.msg` is radar_msgs/RadarScan.
fn type_name(path: &Path) -> Option<String> {
    let name = path.file_stem()?.to_str()?;
    let mut folder = path.parent()?;
    if folder.file_name()? == "msg" {
        folder = folder.parent()?;
    }
    Some(format!("{}/{name}", folder.file_name()?.to_str()?))
}

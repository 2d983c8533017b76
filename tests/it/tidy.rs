//! The code keeps the shape that `src/lib.rs` describes: layers, heads, sizes.

use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 650;

struct Source {
    path: PathBuf,
    /// Relative to `src`.
    name: String,
    text: String,
}

fn files_under(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_under(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files_under(&root, &mut paths);
    paths.sort();
    assert!(paths.len() > 100, "{}", paths.len());
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        Source {
            name,
            text: std::fs::read_to_string(&path).expect("a source"),
            path,
        }
    };
    paths.into_iter().map(read).collect()
}

/// The modules, in the order in which `lib.rs` declares them: each uses only those above it.
fn layers() -> Vec<String> {
    let lib = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("the library");
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn none(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn each_module_uses_only_those_above_it() {
    let layers = layers();
    let place = |module: &str| layers.iter().position(|layer| layer == module);
    assert!(place("time") < place("format") && place("format") < place("store"), "{layers:?}");
    let mut wrong = Vec::new();
    for source in sources() {
        let module = source.name.split(['/', '.']).next().unwrap_or_default();
        let Some(own) = place(module) else { continue };
        for (number, line) in source.text.lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") {
                continue;
            }
            for used in code.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                // the command line opens the window: the one exception to the order
                let allowed = place(&used).is_none_or(|place| place <= own) || (module == "cli" && used == "app");
                if !allowed {
                    wrong.push(format!("{}:{}: {module} uses {used}", source.path.display(), number + 1));
                }
            }
        }
    }
    none("modules that use one below them", wrong);
}

#[test]
fn each_file_says_what_it_is_for() {
    let silent = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.name);
    none("files without a head", silent.collect());
}

#[test]
fn files_stay_short() {
    let long = sources().into_iter().map(|source| (source.text.lines().count(), source.name));
    none(
        "files that are too long",
        long.filter(|(lines, _)| *lines > LONGEST_FILE)
            .map(|(lines, name)| format!("{name}: {lines} lines"))
            .collect(),
    );
}

#[test]
fn nothing_is_left_to_do_in_comments() {
    let words = ["TODO", "FIXME", "XXX", "todo!(", "unimplemented!(", "dbg!("];
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", source.name, number + 1, line.trim()));
            }
        }
    }
    none("unfinished business", found);
}

#[test]
fn no_module_is_called_mod() {
    none(
        "mod.rs",
        sources()
            .into_iter()
            .filter(|source| source.name.ends_with("mod.rs"))
            .map(|source| source.name)
            .collect(),
    );
}

#[test]
fn only_the_edges_touch_the_outside() {
    // `app` measures its own frames
    let outside = ["std::fs", "std::net", "Instant::now", "thread::spawn", "SystemTime::now"];
    let mut found = Vec::new();
    for source in sources() {
        let module = source.name.split(['/', '.']).next().unwrap_or_default();
        if matches!(module, "source" | "run" | "cli" | "main" | "app" | "workspace") {
            continue;
        }
        let code = source.text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            if !line.trim_start().starts_with("//") && outside.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", source.name, number + 1, line.trim()));
            }
        }
    }
    none("files, sockets, clocks or threads outside of source, run, cli and app", found);
}

#[test]
fn no_window_asks_a_disk_what_a_path_is() {
    let asked = [".is_dir()", ".exists()"];
    let mut found = Vec::new();
    for source in sources() {
        let module = source.name.split(['/', '.']).next().unwrap_or_default();
        if !matches!(module, "theme" | "render" | "panel" | "workspace" | "app") {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            if asked.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", source.name, number + 1, line.trim()));
            }
        }
    }
    none("paths that the window's thread waits for", found);
}

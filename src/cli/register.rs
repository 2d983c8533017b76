//! `roadreel register`: makes this program the handler of `roadreel://` links and of .bag and .mcap files.
//!
//! Linux: a .desktop file, a MIME package and two lines in mimeapps.list, all in the user's own folders.
//! Elsewhere: says what to do.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use super::{RegisterArgs, output};

const DESKTOP: &str = "roadreel.desktop";
const LINKS: &str = "x-scheme-handler/roadreel";
const TYPES: [(&str, &str, &str); 2] = [
    ("application/x-rosbag", "*.bag", "ROS 1 bag"),
    ("application/x-mcap", "*.mcap", "MCAP recording"),
];

pub fn run(args: &RegisterArgs) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("this program's own path is not known")?;
    let mut out = output::results();
    if !cfg!(target_os = "linux") {
        writeln!(out, "{}", elsewhere(&program))?;
        return Ok(out.flush()?);
    }
    let dirs = directories::BaseDirs::new().context("this user has no home folder")?;
    let places = Places {
        desktop: dirs.data_dir().join("applications").join(DESKTOP),
        package: dirs.data_dir().join("mime/packages/roadreel.xml"),
        defaults: dirs.config_dir().join("mimeapps.list"),
    };
    match args.remove {
        true => places.remove()?,
        false => places.write(&program)?,
    }
    // caches of the desktop; where the tools are absent it reads the files themselves
    tell("update-desktop-database", &dirs.data_dir().join("applications"));
    tell("update-mime-database", &dirs.data_dir().join("mime"));
    let done = if args.remove { "no longer opens" } else { "now opens" };
    writeln!(
        out,
        "{} {done} roadreel:// links, .bag and .mcap files: {}",
        program.display(),
        places.desktop.display()
    )?;
    Ok(out.flush()?)
}

struct Places {
    desktop: PathBuf,
    package: PathBuf,
    defaults: PathBuf,
}

impl Places {
    fn write(&self, program: &Path) -> anyhow::Result<()> {
        put(&self.desktop, &desktop_entry(program))?;
        put(&self.package, &mime_package())?;
        put(&self.defaults, &with_defaults(&read(&self.defaults)?, true))
    }

    fn remove(&self) -> anyhow::Result<()> {
        for path in [&self.desktop, &self.package] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("this file cannot be deleted: {}", path.display()));
                }
                _ => {}
            }
        }
        let defaults = read(&self.defaults)?;
        if !defaults.is_empty() {
            put(&self.defaults, &with_defaults(&defaults, false))?;
        }
        Ok(())
    }
}

fn desktop_entry(program: &Path) -> String {
    // quoted as the Desktop Entry Specification wants it
    let program = program.display().to_string();
    let quoted: String = program
        .chars()
        .flat_map(|c| {
            let escape = matches!(c, '"' | '`' | '$' | '\\').then_some('\\');
            // `%` stands before a field code
            escape.into_iter().chain((c == '%').then_some('%')).chain([c])
        })
        .collect();
    let types = TYPES.map(|(name, ..)| name).join(";");
    format!(
        "[Desktop Entry]\nType=Application\nName=Roadreel\nGenericName=Drive recording viewer\n\
         Comment=Opens drive recordings wherever they lie, and plays them\nExec=\"{quoted}\" %U\nTerminal=false\n\
         Categories=Science;Robotics;Development;\nMimeType={LINKS};{types};\nStartupWMClass=roadreel\n"
    )
}

fn mime_package() -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<mime-info xmlns=\"http://www.freedesktop.org/standards/shared-mime-info\">\n",
    );
    for (name, glob, comment) in TYPES {
        text.push_str(&format!(
            "  <mime-type type=\"{name}\">\n    <comment>{comment}</comment>\n    <glob pattern=\"{glob}\"/>\n  </mime-type>\n"
        ));
    }
    text + "</mime-info>\n"
}

/// `mimeapps.list` with (or without) this program's lines; all other lines stay as they are.
fn with_defaults(text: &str, wanted: bool) -> String {
    const GROUP: &str = "[Default Applications]";
    let names = || TYPES.map(|(name, ..)| name).into_iter().chain([LINKS]);
    let is_ours = |line: &str| {
        line.split_once('=')
            .is_some_and(|(key, value)| names().any(|n| n == key.trim()) && (wanted || value.trim().trim_end_matches(';') == DESKTOP))
    };
    let mut lines: Vec<String> = Vec::new();
    let mut in_group = false;
    for line in text.lines() {
        if line.starts_with('[') {
            in_group = line.trim() == GROUP;
        }
        if !(in_group && is_ours(line)) {
            lines.push(line.to_owned());
        }
    }
    if wanted {
        let at = lines.iter().position(|line| line.trim() == GROUP).unwrap_or_else(|| {
            lines.push(GROUP.to_owned());
            lines.len() - 1
        });
        for name in names() {
            lines.insert(at + 1, format!("{name}={DESKTOP}"));
        }
    }
    lines.join("\n") + "\n"
}

fn read(path: &Path) -> anyhow::Result<String> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("this file cannot be read: {}", path.display())),
    }
}

fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || {
        std::fs::create_dir_all(path.parent().unwrap_or(path))?;
        let beside = path.with_extension(format!("{}.tmp", std::process::id()));
        std::fs::write(&beside, text)?;
        std::fs::rename(&beside, path)
    };
    write().with_context(|| format!("this file cannot be written: {}", path.display()))
}

fn tell(tool: &str, folder: &Path) {
    let _ = Command::new(tool)
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

fn elsewhere(program: &Path) -> String {
    let program = program.display();
    if cfg!(target_os = "macos") {
        return "macOS registers links from an application bundle: put CFBundleURLTypes with the scheme “roadreel” into its \
                Info.plist, and CFBundleDocumentTypes with the extensions bag and mcap"
            .to_owned();
    }
    format!(
        "Windows registers links in the registry; run:\n\
         reg add HKCU\\Software\\Classes\\roadreel /ve /d \"URL:Roadreel\" /f\n\
         reg add HKCU\\Software\\Classes\\roadreel /v \"URL Protocol\" /d \"\" /f\n\
         reg add HKCU\\Software\\Classes\\roadreel\\shell\\open\\command /ve /d \"\\\"{program}\\\" \\\"%1\\\"\" /f\n\
         reg add HKCU\\Software\\Classes\\.bag /ve /d roadreel.recording /f\n\
         reg add HKCU\\Software\\Classes\\.mcap /ve /d roadreel.recording /f\n\
         reg add HKCU\\Software\\Classes\\roadreel.recording\\shell\\open\\command /ve /d \"\\\"{program}\\\" \\\"%1\\\"\" /f"
    )
}

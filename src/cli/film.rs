//! `roadreel screenshot` of a span: its pictures one after the other, into files with numbers or to an encoder.
//!
//! Invariants: one window draws them all, and each waits until what it shows is there, so that a picture depends on its moment alone; a
//! file is found under its name only when it is whole.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context, anyhow, bail};

use super::screenshot::Opened;
use super::{ScreenshotArgs, output};
use crate::app::offscreen::Frame;
use crate::time::{Span, rfc3339};

/// The program that encodes films.
const ENCODER: &str = "ffmpeg";
/// Digits of a number where nothing says how many.
const DIGITS: usize = 5;

/// Pictures for each second of a sequence.
const FPS: f64 = 10.0;
const MOST_PICTURES: usize = 1_000_000;

/// A span of time, or a film of all.
pub fn is_wanted(args: &ScreenshotArgs) -> bool {
    let is_film = args.output.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("mp4"));
    is_film || args.start.is_some() || args.end.is_some() || args.fps.is_some()
}

/// Whether the name says something that is written.
pub fn fits(args: &ScreenshotArgs) -> anyhow::Result<()> {
    const OTHERS: [&str; 9] = ["webm", "mkv", "mov", "avi", "m4v", "gif", "jpg", "jpeg", "webp"];
    let path = &args.output;
    let is_other = |ending: &OsStr| OTHERS.iter().any(|other| ending.eq_ignore_ascii_case(other));
    if is_wanted(args) && path.extension().is_some_and(is_other) && !path.is_dir() {
        bail!("films are written as .mp4, pictures as .png: {}", path.display());
    }
    Ok(())
}

/// Draws a span picture by picture, all by one window: each waits until what it shows is there.
pub fn draw(args: &ScreenshotArgs, pixels: (u32, u32), open: impl FnOnce() -> Opened) -> Opened {
    let fps = args.fps.unwrap_or(FPS);
    let mut film = Film::new(&args.output, pixels, fps)?;
    let mut screen = open()?;
    let all = screen.span();
    let start = args.start.map_or(all.start, |when| when.unclamped(all));
    let end = args.end.map_or(all.end, |when| when.unclamped(all));
    anyhow::ensure!(start <= end, "--start is after --end");
    anyhow::ensure!(
        Span::new(start, end).overlaps(all),
        "nothing is recorded in this span: the recording is from {} to {}",
        rfc3339(all.start),
        rfc3339(all.end)
    );
    let (start, end) = (all.clamp(start), all.clamp(end));
    let count = pictures(end.since(start), fps);
    anyhow::ensure!(
        count <= MOST_PICTURES,
        "these are {count} pictures: at most {MOST_PICTURES} are drawn"
    );
    let mut progress = output::Progress::new();
    for number in 0..count {
        progress.at("drawing", number as f64 / count as f64);
        screen.seek(start.plus_nanos((number as f64 * 1e9 / fps).round() as i64));
        let mut added = Ok(());
        let drawn = screen.draw(|frame| {
            added = film.add(number + 1, frame);
            Ok(())
        });
        added?;
        drawn.map_err(anyhow::Error::msg)?;
    }
    progress.at("writing", 0.0);
    film.finish()?;
    Ok(screen)
}

/// Those that begin before the end, and at least one.
fn pictures(nanos: i64, fps: f64) -> usize {
    // a step of a nanosecond less is no further picture
    ((nanos as f64 * 1e-9 * fps - 1e-6).ceil() as usize).max(1)
}

enum Film {
    Pictures(Pattern),
    Encoded(Encoder),
}

/// The name of each picture.
struct Pattern {
    folder: PathBuf,
    before: String,
    digits: usize,
    after: String,
}

struct Encoder {
    child: Child,
    pixels: Option<ChildStdin>,
    /// What it says is read while it works.
    said: Option<JoinHandle<String>>,
    partial: PathBuf,
    whole: PathBuf,
}

impl Film {
    /// By the name: `.mp4` is a film, `%04d` or an ending like `.png` a pattern, else it is a folder.
    fn new(path: &Path, (width, height): (u32, u32), fps: f64) -> anyhow::Result<Film> {
        let is = |of: &str| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(of));
        match is("mp4") {
            true => Encoder::start(path, (width, height), fps).map(Film::Encoded),
            false => Pattern::of(path).map(Film::Pictures),
        }
    }

    /// Numbers count from 1.
    fn add(&mut self, number: usize, frame: &Frame) -> anyhow::Result<()> {
        match self {
            Film::Pictures(pattern) => {
                if number == 1 {
                    pattern.make_folder()?;
                }
                let path = pattern.path(number);
                let written = output::whole_file(&path, |file| frame.write_png(file).map_err(anyhow::Error::msg));
                written.with_context(|| format!("the picture cannot be written: {}", path.display()))
            }
            Film::Encoded(encoder) => encoder.add(frame),
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Film::Pictures(_) => Ok(()),
            Film::Encoded(encoder) => encoder.finish(),
        }
    }
}

impl Pattern {
    fn of(path: &Path) -> anyhow::Result<Pattern> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let beside = || path.parent().map(Path::to_owned).unwrap_or_default();
        let pattern = match (name.split_once('%'), name.rsplit_once('.')) {
            (Some((before, rest)), _) => {
                let (digits, after) = rest
                    .split_once('d')
                    .and_then(|(digits, after)| Some((if digits.is_empty() { 1 } else { digits.parse().ok()? }, after)))
                    .filter(|(digits, after)| *digits <= 12 && !after.contains('%'))
                    .with_context(|| format!("a pattern has one place for the number, like frame_%05d.png: {}", path.display()))?;
                Pattern {
                    folder: beside(),
                    before: before.to_owned(),
                    digits,
                    after: after.to_owned(),
                }
            }
            (None, Some((stem, ending))) if ending.eq_ignore_ascii_case("png") => Pattern {
                folder: beside(),
                before: format!("{stem}_"),
                digits: DIGITS,
                after: format!(".{ending}"),
            },
            (None, _) => Pattern {
                folder: path.to_owned(),
                before: "frame_".to_owned(),
                digits: DIGITS,
                after: ".png".to_owned(),
            },
        };
        Ok(pattern)
    }

    fn make_folder(&self) -> anyhow::Result<()> {
        if !self.folder.as_os_str().is_empty() {
            let made = std::fs::create_dir_all(&self.folder);
            made.with_context(|| format!("the folder of the pictures cannot be made: {}", self.folder.display()))?;
        }
        Ok(())
    }

    fn path(&self, number: usize) -> PathBuf {
        let (before, digits, after) = (&self.before, self.digits, &self.after);
        self.folder.join(format!("{before}{number:0digits$}{after}"))
    }
}

impl Encoder {
    fn start(whole: &Path, (width, height): (u32, u32), fps: f64) -> anyhow::Result<Encoder> {
        let mut name: OsString = whole.as_os_str().to_owned();
        name.push(".part");
        let partial = PathBuf::from(name);
        let started = Command::new(ENCODER)
            .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
            .args(["-f", "rawvideo", "-pix_fmt", "rgba"])
            .args(["-s", &format!("{width}x{height}"), "-r", &fps.to_string(), "-i", "pipe:0"])
            // what players take: sides that are even, and one sample of colour for four pixels
            .args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"])
            .args(["-movflags", "+faststart", "-f", "mp4"])
            .arg(&partial)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = started.map_err(|error| match error.kind() {
            ErrorKind::NotFound => anyhow!(
                "a film takes the program {ENCODER}, which is not installed: install the package {ENCODER}, or give a folder for pictures \
                 instead: {}",
                whole.display()
            ),
            _ => anyhow!("the program {ENCODER} cannot be started: {error}"),
        })?;
        let said = child.stderr.take().map(|mut stderr| {
            std::thread::spawn(move || {
                let mut said = Vec::new();
                // what was read until then is told
                let _ = stderr.read_to_end(&mut said);
                String::from_utf8_lossy(&said).into_owned()
            })
        });
        Ok(Encoder {
            pixels: child.stdin.take(),
            child,
            said,
            partial,
            whole: whole.to_owned(),
        })
    }

    fn add(&mut self, frame: &Frame) -> anyhow::Result<()> {
        let written = self.pixels.as_mut().map_or(Ok(()), |pixels| pixels.write_all(&frame.rgba));
        match written {
            Ok(()) => Ok(()),
            // it has ended before its time: why, it says
            Err(error) => Err(self.ended().err().unwrap_or_else(|| error.into())),
        }
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.ended()?;
        let placed = std::fs::rename(&self.partial, &self.whole);
        placed.with_context(|| format!("the film cannot be put in its place: {}", self.whole.display()))
    }

    /// Waits until it has written the film.
    fn ended(&mut self) -> anyhow::Result<()> {
        self.pixels = None;
        let status = self.child.wait()?;
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        if !status.success() {
            let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            let said = said.join("; ");
            bail!(
                "{ENCODER} wrote no film ({status}): {}: {}",
                said.replace("pipe:0", "the pictures"),
                self.whole.display()
            );
        }
        Ok(())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // after an error, or where drawing failed: what there is of the film is of no use
        if self.pixels.take().is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if self.partial.exists() {
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

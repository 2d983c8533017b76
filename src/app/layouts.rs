//! The layout on screen and the file that it belongs to: opened from anywhere, saved, exported.
//!
//! Invariants: this thread asks for files to be read and written and waits for none; a file is written only as it was when it
//! was last read or written here, otherwise the two are shown side by side.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use egui::Context;
use serde_json::Value;

use super::background::Done;
use super::dialog::Dialog;
use super::drafts::Drafts;
use super::history::{History, Snapshot};
use super::library::Library;
use super::place::Place;
use super::{AppState, settings};
use crate::layout::{self, Dialect, Layout, NameOf, Opened, Report};
use crate::run::{Expected, Wrote};
use crate::source::Location;

/// What the left sidebar shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    #[default]
    Topics,
    Scenes,
    Layouts,
    History,
}

#[derive(Default)]
pub struct Layouts {
    pub history: History,
    /// The file that the layout on screen belongs to; None: it is kept for recordings with these topics.
    pub place: Option<Place>,
    /// Files as they were when they were last read or written here.
    known: HashMap<Place, Known>,
    pub page: Page,
    pub library: Library,
    pub(super) drafts: Drafts,
    /// Something was done to the layout in this pass, or since the pointer was pressed.
    pub(super) touched: bool,
    /// The same, which is no step of its own.
    pub(super) amended: bool,
    /// How the step is called that is being made.
    pub(super) step_name: Option<String>,
    /// What the files hold, as it was on screen; None is what is kept for recordings with these topics.
    pub(super) saved: HashMap<Option<Place>, Arc<Snapshot>>,
    /// The layout on screen came from elsewhere: whether it fits is looked at when all topics are known.
    pub(super) fit_due: bool,
    /// How the layout that waits for its topics came.
    pub(super) pending: Option<Pending>,
    pub(super) report: Option<(String, Report)>,
    /// The text of a new checkpoint's name, and whether it wants the keyboard.
    pub(super) checkpoint: (String, bool),
}

/// Where a layout that waits for its topics comes from.
#[derive(Clone, Default)]
pub struct Pending {
    pub name: String,
    pub place: Option<Place>,
    /// A person opened it here and now.
    pub by_hand: bool,
}

pub struct Known {
    pub text: Arc<str>,
    pub layout: Arc<Layout>,
    /// In our own format, so that it may be written over.
    is_own: bool,
}

/// A layout that was read, wherever it lay.
pub struct Read {
    pub from: From,
    /// The text, and what it holds.
    pub result: Result<(String, Box<Opened>), String>,
}

/// Who asked for a layout.
#[derive(Clone)]
pub enum From {
    Place(Place),
    /// The pasted text, by this name.
    Pasted(String),
    /// A link's layout: its address is put into links that are shared.
    Link,
    /// The default for recordings with this fingerprint.
    Default(Place, u64),
}

impl From {
    fn place(&self) -> Option<&Place> {
        match self {
            From::Place(place) | From::Default(place, _) => Some(place),
            From::Pasted(_) | From::Link => None,
        }
    }

    fn name(&self) -> String {
        match self {
            From::Place(place) | From::Default(place, _) => place.name(),
            From::Pasted(name) => name.clone(),
            From::Link => "the link's layout".to_owned(),
        }
    }
}

/// Takes a text apart: for a thread of its own.
pub fn opened(from: From, text: Result<String, String>) -> Read {
    let result = text.and_then(|text| match layout::open(&text) {
        Ok(opened) => Ok((text, Box::new(opened))),
        Err(error) => Err(error.to_string()),
    });
    Read { from, result }
}

impl Layouts {
    /// Another recording takes the place: the library stays.
    pub fn clear(&mut self) {
        *self = Layouts {
            page: self.page,
            library: std::mem::take(&mut self.library),
            drafts: std::mem::take(&mut self.drafts),
            ..Layouts::default()
        };
    }

    pub fn know(&mut self, place: Place, text: &str, layout: &Layout, is_own: bool) {
        let known = Known {
            text: text.into(),
            layout: Arc::new(layout.clone()),
            is_own,
        };
        self.known.insert(place, known);
    }

    pub fn known(&self, place: &Place) -> Option<&Known> {
        self.known.get(place)
    }

    /// A file has another name.
    pub fn moved(&mut self, from: &Place, to: &Place) {
        if let Some(known) = self.known.remove(from) {
            self.known.insert(to.clone(), known);
        }
        if let Some(saved) = self.saved.remove(&Some(from.clone())) {
            self.saved.insert(Some(to.clone()), saved);
        }
        if self.place.as_ref() == Some(from) {
            self.place = Some(to.clone());
        }
        self.history.moved(from, to);
    }

    /// What a file may hold where it is written over.
    pub fn expected(&self, place: &Place) -> Expected {
        self.known
            .get(place)
            .map_or(Expected::Anything, |known| Expected::Text(known.text.clone()))
    }
}

impl AppState {
    /// Reads a layout and shows it.
    pub fn open_layout(&mut self, place: Place) {
        self.read_layout_from(From::Place(place));
    }

    pub(super) fn read_layout_from(&mut self, from: From) {
        let Some(place) = from.place().cloned() else { return };
        match place {
            Place::Bundled(id) => {
                let text = settings::built_in(id).map(|layout| layout.text.to_owned());
                self.jobs
                    .open_text(from, text.ok_or_else(|| format!("there is no layout of that name: {id}")));
            }
            Place::At(location) => {
                let then = self.jobs.sender();
                let done = move |text| then(Done::LayoutRead(opened(from, text)));
                self.executor.io().fetch_text(location, crate::run::LARGEST_TEXT, done);
            }
        }
    }

    /// Shows a layout that was pasted.
    pub fn open_layout_text(&mut self, name: &str, text: String) {
        self.jobs.open_text(From::Pasted(name.to_owned()), Ok(text));
    }

    pub(super) fn take_read_layout(&mut self, read: Read) {
        let name = read.from.name();
        if let From::Default(_, of) = read.from
            && !self.awaits_kept_layout(of)
        {
            return;
        }
        let (text, opened) = match read.result {
            Ok((text, opened)) => (text, *opened),
            Err(error) => {
                self.tell_error(match read.from {
                    From::Link => format!("The link's layout could not be opened: {error}"),
                    _ => format!("The layout could not be opened: {error}: {name}"),
                });
                if let From::Default(..) = read.from {
                    self.reads_layout = false;
                    self.arrange();
                }
                return;
            }
        };
        let Opened { mut layout, report } = opened;
        if layout.is_newer() {
            self.tell("The layout is of a newer version: what this one does not know is kept as it is".to_owned());
        }
        if report.dialect != Dialect::Roadreel && layout.name.is_none() {
            layout.name = Some(name.clone());
        }
        let place = read.from.place().cloned();
        if let Some(place) = &place {
            self.layouts
                .know(place.clone(), &text, &layout, report.dialect == Dialect::Roadreel);
        }
        if let From::Default(..) = read.from {
            self.layouts.place = place;
            return self.use_layout(&layout, &format!("Opened {name}"));
        }
        if !report.is_silent() {
            self.layouts.report = Some((name.clone(), report));
        }
        let is_links = matches!(read.from, From::Link);
        if !is_links {
            self.layout_link = None;
        }
        let pending = Pending {
            name,
            place,
            by_hand: true,
        };
        match self.topics_seen > 0 {
            true => {
                self.show_opened(&layout, pending);
                self.workspace.edited &= !is_links;
            }
            // topics come later
            false => {
                self.tell(format!("“{}” waits for a recording", pending.name));
                self.layouts.pending = Some(pending);
                self.pending_layout = Some(layout);
                self.show_report();
            }
        }
    }

    /// As a step that can be undone.
    fn show_opened(&mut self, layout: &Layout, pending: Pending) {
        self.note_changes_now();
        self.reads_layout = false;
        self.layouts.place = pending.place;
        self.show_layout(layout);
        self.take_around(layout);
        (self.workspace.edited, self.workspace.is_automatic) = (false, false);
        self.layouts.fit_due = true;
        self.step(&format!("Opened {}", pending.name));
        self.note_changes_now();
        if self.layouts.place.is_some() {
            self.mark_saved();
        }
        // another program's file holds it, but not as it is here
        let is_own = |place| self.layouts.known(place).is_some_and(|known| known.is_own);
        self.workspace.edited = !self.layouts.place.as_ref().is_some_and(is_own);
        self.kept_around = self.around();
        self.show_report();
    }

    /// What became of a foreign layout, once it is on screen or waits.
    pub(super) fn show_report(&mut self) {
        if let Some((name, report)) = self.layouts.report.take() {
            self.dialog = Some(Dialog::report(&name, report));
        }
    }

    /// How many panels show nothing because a topic is called otherwise here: offered to be fitted, once all topics are known.
    pub(super) fn offer_fit(&mut self) {
        if !self.layouts.fit_due || self.dialog.is_some() || !self.is_indexed() || self.topics_seen == 0 || self.reads_layout {
            return;
        }
        self.layouts.fit_due = false;
        let fit = layout::fit(&self.layout(), &self.catalogue());
        let proposed = fit.misfits.iter().filter(|misfit| misfit.take.is_some()).count();
        if proposed > 0 {
            self.dialog = Some(Dialog::fit(fit, true));
        }
    }

    /// What a layout can be fitted to.
    pub(super) fn catalogue(&self) -> layout::Catalogue {
        let topics = self.store.topics().iter().map(|topic| layout::CatalogueTopic {
            name: topic.name.to_string(),
            type_name: topic.type_name.to_string(),
            schema: topic.schema.clone(),
        });
        // of half of them nothing can be said
        let frames = match self.store.transforms_pending() {
            true => Vec::new(),
            false => self.store.transforms().frames(),
        };
        layout::Catalogue {
            topics: topics.collect(),
            frames: frames.iter().map(ToString::to_string).collect(),
        }
    }

    /// A changed layout in place of the one on screen, as one step.
    pub(super) fn change_layout(&mut self, layout: &Layout, step: &str) {
        self.note_changes_now();
        self.show_layout(layout);
        (self.workspace.edited, self.workspace.is_automatic) = (true, false);
        self.step(step);
        self.note_changes_now();
    }

    /// Whether saving may write there.
    pub(super) fn may_write(&self, place: &Place) -> bool {
        let is_own = self.layouts.known(place).is_none_or(|known| known.is_own);
        is_own
            && match place {
                Place::Bundled(_) | Place::At(Location::Url(_)) => false,
                Place::At(location) => {
                    let shared = self.settings.layout_folders.iter().find(|folder| folder.holds(location));
                    shared.map_or(matches!(location, Location::Path(_)), |folder| folder.writable)
                }
            }
    }

    /// The file that the layout belongs to, or where recordings with these topics find it again.
    pub(super) fn saved_place(&self) -> Option<Place> {
        let kept = || self.kept_path().map(|path| Place::At(Location::Path(path)));
        self.layouts.place.clone().or_else(kept)
    }

    /// What the menu and the top bar call it.
    pub(super) fn layout_name(&self) -> String {
        match &self.layouts.place {
            Some(place) => place.name(),
            None if self.workspace.is_automatic => "Automatic".to_owned(),
            None => self
                .layouts
                .history
                .present()
                .and_then(|step| step.state.name())
                .unwrap_or("For these topics".to_owned()),
        }
    }

    /// Writes the layout where it came from, or where recordings with these topics find it again.
    pub fn save_layout(&mut self) {
        match self.saved_place() {
            None => self.tell_error("There is no folder to save the layout in.".to_owned()),
            Some(place) if self.layouts.place.is_some() && !self.may_write(&place) => self.ask_copy(),
            Some(place) => {
                let expected = self.layouts.expected(&place);
                self.write_layout(place, expected, self.layout(), Saving::Asked);
            }
        }
    }

    pub(super) fn write_layout(&mut self, place: Place, expected: Expected, mut layout: Layout, saving: Saving) {
        self.workspace.edited = false;
        self.kept_around = self.around();
        self.note_topic_types(&mut layout);
        self.note_changes_now();
        let shown = self.layouts.history.present().map(|step| step.state.clone());
        let is_private = self.kept_path().is_some_and(|kept| place.path() == Some(&kept));
        let text = if is_private { private_json(&layout) } else { layout.to_json() };
        if text.len() as u64 > layout::LARGEST_BYTES {
            self.workspace.edited = true;
            return self.tell_error(format!("Not saved: {}", layout::LayoutError::TooLarge(text.len() as u64)));
        }
        match &place {
            Place::Bundled(_) | Place::At(Location::Url(_)) => {}
            Place::At(Location::Path(_)) => {
                let draft = self.draft();
                let written = Written::asked(place, layout, text, shown, saving);
                self.jobs.write_layout(written, expected, draft);
            }
            Place::At(Location::S3(address)) => {
                let (then, address) = (self.jobs.sender(), address.clone());
                let mut written = Written::asked(place, layout, text.clone(), shown, saving);
                self.executor.io().put_text(address, text, expected, move |result| {
                    written.result = result;
                    then(Done::LayoutWritten(Box::new(written)));
                });
            }
        }
    }

    /// The types of the topics that panels name: they tell what would fit where the topics are called otherwise.
    fn note_topic_types(&self, layout: &mut Layout) {
        let named: Vec<String> = layout::uses(layout)
            .into_iter()
            .filter(|used| used.what == NameOf::Topic)
            .map(|used| used.name)
            .collect();
        layout.topics.retain(|name, _| named.contains(name));
        for name in named {
            if let Some(topic) = self.store.topic_by_name(&name) {
                layout.topics.insert(name, topic.type_name.to_string());
            }
        }
    }

    pub(super) fn take_written(&mut self, written: Written) {
        let place = written.place;
        match (written.result, &written.saving) {
            // something else is on screen
            (Ok(_), Saving::Leaving { .. }) => self.tell("Layout saved".to_owned()),
            (Ok(Wrote::Whole), saving) => {
                self.layouts.know(place.clone(), &written.text, &written.layout, true);
                let of = match saving {
                    Saving::Copy => {
                        self.layouts.place = Some(place.clone());
                        self.workspace.set_name(written.layout.name);
                        self.layouts.amended = true;
                        Some(place)
                    }
                    _ => self.layouts.place.clone().filter(|own| *own == place),
                };
                if let Some(shown) = written.shown {
                    self.layouts.saved.insert(of, shown);
                }
                if !self.workspace.edited {
                    self.note_changes_now();
                    self.mark_saved();
                    self.drop_draft();
                }
                self.list_library();
                self.tell("Layout saved".to_owned());
            }
            (Ok(Wrote::Differs(_)), Saving::Copy) => {
                self.workspace.edited = true;
                self.tell_error(format!("There is a layout of that name already: {}", place.name()));
                self.dialog = Some(Dialog::save_copy(self, &place.name()));
            }
            (Ok(Wrote::Differs(theirs)), _) => {
                self.workspace.edited = true;
                self.offer_merge(place, written.layout, &theirs);
            }
            (Err(message), _) => {
                self.workspace.edited = true;
                self.tell_error(message);
            }
        }
    }

    /// Someone else has written the file since it was read.
    fn offer_merge(&mut self, place: Place, mine: Layout, text: &str) {
        let theirs = match layout::open(text) {
            Ok(opened) => opened.layout,
            Err(error) => {
                let what = format!(
                    "The file was changed by someone else into what is no layout ({error}); save a copy: {}",
                    place.name()
                );
                return self.tell_error(what);
            }
        };
        let base = self.layouts.known(&place).map(|known| (*known.layout).clone());
        if base.as_ref() == Some(&theirs) {
            // written anew without another content
            let expected = Expected::Text(text.into());
            return self.write_layout(place, expected, mine, Saving::Asked);
        }
        let name = match &self.layouts.place {
            Some(place) => place.name(),
            None => "The layout of these topics".to_owned(),
        };
        self.dialog = Some(Dialog::merge(
            &name,
            place,
            [base.as_ref().unwrap_or(&theirs), &mine, &theirs],
            text,
        ));
    }

    /// The merged layout, on screen and in the file.
    pub(super) fn take_merged(&mut self, place: Place, merged: &Layout, theirs: &Layout, text: &str) {
        self.layouts.know(place.clone(), text, theirs, true);
        self.change_layout(merged, "Merged with the changed file");
        self.write_layout(place, Expected::Text(text.into()), self.layout(), Saving::Asked);
    }

    pub(super) fn ask_copy(&mut self) {
        let name = match &self.layouts.place {
            Some(place) => place.name(),
            None => self.workspace_name().unwrap_or_else(|| "My layout".to_owned()),
        };
        self.dialog = Some(Dialog::save_copy(self, &name));
    }

    fn workspace_name(&self) -> Option<String> {
        self.layouts.history.present().and_then(|step| step.state.name())
    }

    /// Asks where to save the layout in another program's format.
    pub(super) fn export_layout(&mut self, to: Dialect) {
        match layout::export(&self.layout(), to) {
            Ok(exported) => {
                let name = format!("{}.json", super::place::stem(&self.layout_name()));
                if !exported.report.is_silent() {
                    self.dialog = Some(Dialog::exported(to, exported.report));
                }
                self.jobs.save_file(name, move |out| out.write_all(exported.text.as_bytes()));
            }
            Err(error) => self.tell_error(error.to_string()),
        }
    }

    pub(super) fn copy_layout(&mut self, to: Dialect, ctx: &Context) {
        match layout::export(&self.layout(), to) {
            Ok(exported) => {
                ctx.copy_text(exported.text);
                self.tell(format!("Layout copied as {} JSON", to.name()));
            }
            Err(error) => self.tell_error(error.to_string()),
        }
    }
}

/// As a layout's file holds it, but for paths of map files: what is kept for topics stays on this machine.
pub(super) fn private_json(layout: &Layout) -> String {
    const KEY: &str = "tile_file";
    let text = layout.to_json();
    let file = |config: &Value| {
        config
            .get(KEY)
            .and_then(Value::as_str)
            .filter(|file| Path::new(file).is_absolute())
            .map(str::to_owned)
    };
    if !layout.panels.values().any(|panel| file(&panel.config).is_some()) {
        return text;
    }
    let Ok(mut written) = Layout::parse(&text) else { return text };
    for (id, panel) in &layout.panels {
        if let (Some(file), Some(Value::Object(config))) = (file(&panel.config), written.panels.get_mut(id).map(|p| &mut p.config)) {
            config.insert(KEY.to_owned(), file.into());
        }
    }
    serde_json::to_string_pretty(&written).unwrap_or(text)
}

/// Why a file is written.
#[derive(Clone)]
pub enum Saving {
    Asked,
    /// As a new file, to which the layout belongs from then on.
    Copy,
    /// Nobody can be asked any more: where someone else has written the file, this layout goes aside, or, where there is no place for
    /// that, is merged with it.
    Leaving {
        base: Option<Arc<Layout>>,
        aside: Option<std::path::PathBuf>,
    },
}

/// How a file was written.
pub struct Written {
    pub place: Place,
    pub layout: Layout,
    /// What was to be written.
    pub text: String,
    pub result: Result<Wrote, String>,
    saving: Saving,
    /// What was on screen.
    shown: Option<Arc<Snapshot>>,
}

impl Written {
    fn asked(place: Place, layout: Layout, text: String, shown: Option<Arc<Snapshot>>, saving: Saving) -> Written {
        Written {
            place,
            layout,
            text,
            result: Err("it was not written".to_owned()),
            saving,
            shown,
        }
    }

    /// Where someone else has written the file and nobody can be asked: what the file held at first, and where this layout goes.
    pub fn leaving(&self) -> Option<(Option<&Layout>, Option<&Path>)> {
        match &self.saving {
            Saving::Leaving { base, aside } => Some((base.as_deref(), aside.as_deref())),
            Saving::Asked | Saving::Copy => None,
        }
    }
}

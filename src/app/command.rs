//! Everything that the user can do by key, menu or palette, in one table: the list of keys, tooltips and menus are made from it.

use egui::{Context, Key, KeyboardShortcut, Modifiers};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    OpenFile,
    OpenUrl,
    BrowseS3,
    AddFile,
    OpenDemo,
    Share,
    KeepOffline,
    Undo,
    Redo,
    History,
    Checkpoint,
    OpenLayout,
    SaveLayout,
    SaveLayoutCopy,
    RevertLayout,
    FitLayout,
    ExportLayout,
    Layouts,
    LayoutFolders,
    AutomaticLayout,
    PlayPause,
    StepForward,
    StepBack,
    LongStepForward,
    LongStepBack,
    ShortStepForward,
    ShortStepBack,
    NextMessage,
    PreviousMessage,
    ToStart,
    ToEnd,
    Faster,
    Slower,
    ToggleLoop,
    FitTimeline,
    NextScene,
    PreviousScene,
    LoopScene,
    ZoomToScene,
    Mark,
    DeleteMark,
    OpenScenes,
    SaveScenes,
    Scenes,
    ToggleLeft,
    ToggleRight,
    Unmaximise,
    ToggleTheme,
    Settings,
    Keys,
    Palette,
    Quit,
}

pub struct Entry {
    pub command: Command,
    /// In sentence case; `…` where a dialog follows.
    pub name: &'static str,
    pub group: &'static str,
    pub shortcut: Option<KeyboardShortcut>,
}

const fn entry(command: Command, group: &'static str, name: &'static str, modifiers: Modifiers, key: Key) -> Entry {
    Entry {
        command,
        name,
        group,
        shortcut: Some(KeyboardShortcut::new(modifiers, key)),
    }
}

const fn keyless(command: Command, group: &'static str, name: &'static str) -> Entry {
    Entry {
        command,
        name,
        group,
        shortcut: None,
    }
}

const COMMAND_SHIFT: Modifiers = Modifiers {
    shift: true,
    ..Modifiers::COMMAND
};

pub static COMMANDS: &[Entry] = &[
    entry(Command::OpenFile, "File", "Open file…", Modifiers::COMMAND, Key::O),
    entry(Command::OpenUrl, "File", "Open URL…", COMMAND_SHIFT, Key::O),
    keyless(Command::BrowseS3, "File", "Browse S3…"),
    keyless(Command::AddFile, "File", "Add a recording…"),
    keyless(Command::OpenDemo, "File", "Open the demo drive"),
    entry(Command::Share, "File", "Copy a link to this moment", Modifiers::COMMAND, Key::L),
    keyless(Command::KeepOffline, "File", "Keep what the timeline shows offline"),
    entry(Command::Undo, "Edit", "Undo", Modifiers::COMMAND, Key::Z),
    entry(Command::Redo, "Edit", "Redo", COMMAND_SHIFT, Key::Z),
    keyless(Command::History, "Edit", "History of the layout"),
    keyless(Command::Checkpoint, "Edit", "Add a checkpoint"),
    entry(Command::Layouts, "Layout", "Layouts", COMMAND_SHIFT, Key::L),
    keyless(Command::OpenLayout, "Layout", "Open a layout…"),
    entry(Command::SaveLayout, "Layout", "Save layout", Modifiers::COMMAND, Key::S),
    entry(
        Command::SaveLayoutCopy,
        "Layout",
        "Save a copy of the layout…",
        COMMAND_SHIFT,
        Key::S,
    ),
    keyless(Command::RevertLayout, "Layout", "Revert to the saved layout"),
    keyless(Command::FitLayout, "Layout", "Fit the layout to the recording…"),
    keyless(Command::ExportLayout, "Layout", "Export the layout…"),
    keyless(Command::LayoutFolders, "Layout", "Folders of layouts…"),
    keyless(Command::AutomaticLayout, "Layout", "Arrange panels automatically"),
    entry(Command::PlayPause, "Playback", "Play or pause", Modifiers::NONE, Key::Space),
    entry(
        Command::LongStepForward,
        "Playback",
        "500 ms forward",
        Modifiers::ALT,
        Key::ArrowRight,
    ),
    entry(Command::LongStepBack, "Playback", "500 ms back", Modifiers::ALT, Key::ArrowLeft),
    entry(
        Command::ShortStepForward,
        "Playback",
        "10 ms forward",
        Modifiers::SHIFT,
        Key::ArrowRight,
    ),
    entry(Command::ShortStepBack, "Playback", "10 ms back", Modifiers::SHIFT, Key::ArrowLeft),
    entry(Command::StepForward, "Playback", "100 ms forward", Modifiers::NONE, Key::ArrowRight),
    entry(Command::StepBack, "Playback", "100 ms back", Modifiers::NONE, Key::ArrowLeft),
    entry(
        Command::NextMessage,
        "Playback",
        "Next message of the selected topic",
        Modifiers::NONE,
        Key::Period,
    ),
    entry(
        Command::PreviousMessage,
        "Playback",
        "Previous message of the selected topic",
        Modifiers::NONE,
        Key::Comma,
    ),
    entry(Command::ToStart, "Playback", "To the start", Modifiers::NONE, Key::Home),
    entry(Command::ToEnd, "Playback", "To the end", Modifiers::NONE, Key::End),
    entry(Command::Faster, "Playback", "Faster", Modifiers::NONE, Key::ArrowUp),
    entry(Command::Slower, "Playback", "Slower", Modifiers::NONE, Key::ArrowDown),
    entry(
        Command::ToggleLoop,
        "Playback",
        "Loop what the timeline shows",
        Modifiers::NONE,
        Key::L,
    ),
    entry(
        Command::FitTimeline,
        "Playback",
        "Show the whole recording in the timeline",
        Modifiers::NONE,
        Key::F,
    ),
    entry(Command::NextScene, "Scenes", "Next scene", Modifiers::NONE, Key::N),
    entry(Command::PreviousScene, "Scenes", "Previous scene", Modifiers::NONE, Key::P),
    entry(Command::LoopScene, "Scenes", "Loop the scene", Modifiers::SHIFT, Key::L),
    entry(
        Command::ZoomToScene,
        "Scenes",
        "Zoom the timeline to the scene",
        Modifiers::SHIFT,
        Key::F,
    ),
    entry(Command::Mark, "Scenes", "Begin or end a mark", Modifiers::NONE, Key::M),
    keyless(Command::DeleteMark, "Scenes", "Delete the selected mark"),
    keyless(Command::OpenScenes, "Scenes", "Open scenes…"),
    keyless(Command::SaveScenes, "Scenes", "Save marks"),
    keyless(Command::Scenes, "Scenes", "List of scenes"),
    entry(Command::ToggleLeft, "View", "Sources and topics", Modifiers::NONE, Key::OpenBracket),
    entry(
        Command::ToggleRight,
        "View",
        "Settings of the selected panel",
        Modifiers::NONE,
        Key::CloseBracket,
    ),
    entry(
        Command::Unmaximise,
        "View",
        "Back from a maximised panel",
        Modifiers::NONE,
        Key::Escape,
    ),
    keyless(Command::ToggleTheme, "View", "Light or dark"),
    entry(Command::Settings, "View", "Settings…", Modifiers::COMMAND, Key::Comma),
    entry(Command::Palette, "Help", "Search or run a command…", Modifiers::COMMAND, Key::K),
    entry(Command::Keys, "Help", "Keys", Modifiers::NONE, Key::Questionmark),
    entry(Command::Quit, "File", "Quit", Modifiers::COMMAND, Key::Q),
];

/// Further keys of commands.
pub static ALSO: &[(Command, KeyboardShortcut)] = &[(Command::Redo, KeyboardShortcut::new(Modifiers::COMMAND, Key::Y))];

impl Command {
    pub fn entry(self) -> &'static Entry {
        // the table holds every command: a test holds this true
        COMMANDS.iter().find(|e| e.command == self).unwrap_or(&COMMANDS[0])
    }

    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// As shown beside the name; empty without a key.
    pub fn key(self, ctx: &Context) -> String {
        self.entry().shortcut.map(|s| key_text(ctx, &s)).unwrap_or_default()
    }
}

/// `Ctrl+Shift+O`, `[`, `→`.
pub fn key_text(ctx: &Context, shortcut: &KeyboardShortcut) -> String {
    let mac = ctx.os().is_mac();
    let modifiers = egui::ModifierNames::NAMES.format(&shortcut.modifiers, mac);
    let key = match shortcut.logical_key {
        Key::ArrowLeft => "←",
        Key::ArrowRight => "→",
        Key::ArrowUp => "↑",
        Key::ArrowDown => "↓",
        Key::Comma => ",",
        Key::Period => ".",
        Key::Escape => "Esc",
        key => key.symbol_or_name(),
    };
    if modifiers.is_empty() {
        key.to_owned()
    } else {
        format!("{modifiers}+{key}")
    }
}

/// Keys that panels under the pointer take for their own commands.
const LEFT_TO_PANELS: [Key; 3] = [Key::N, Key::P, Key::M];

/// The commands whose keys were pressed and that no panel has taken: after the panels.
pub fn left_over(ctx: &Context, modal: bool) -> Vec<Command> {
    if ctx.text_edit_focused() || modal {
        return Vec::new();
    }
    let left = COMMANDS.iter().filter_map(|entry| Some((entry.command, entry.shortcut?)));
    let left = left.filter(|(_, shortcut)| is_left(shortcut));
    ctx.input_mut(|input| {
        left.filter(|(_, shortcut)| input.consume_shortcut(shortcut))
            .map(|(command, _)| command)
            .collect()
    })
}

fn is_left(shortcut: &KeyboardShortcut) -> bool {
    shortcut.modifiers == Modifiers::NONE && LEFT_TO_PANELS.contains(&shortcut.logical_key)
}

/// The commands whose keys were pressed in this pass, but for Escape, which is first offered to all that closes on it, and for those of
/// [`left_over`]. While text
/// is being typed or a dialog is open (`modal`) only those with Ctrl count; while a widget has the keyboard's focus, Space and the arrows are its.
pub fn pressed(ctx: &Context, modal: bool) -> Vec<Command> {
    let typing = ctx.text_edit_focused() || modal;
    let focused = ctx.memory(|m| m.focused().is_some());
    let mut found = Vec::new();
    ctx.input_mut(|input| {
        // those with more modifiers first: a shortcut without Shift also fits when Shift is held
        let held = |m: &Modifiers| u8::from(m.shift) + u8::from(m.alt) + u8::from(m.command);
        let own = COMMANDS.iter().filter_map(|entry| Some((entry.command, entry.shortcut?)));
        let mut entries: Vec<(Command, KeyboardShortcut)> = own.chain(ALSO.iter().copied()).collect();
        entries.sort_by_key(|(_, shortcut)| std::cmp::Reverse(held(&shortcut.modifiers)));
        for (command, shortcut) in entries {
            let key = shortcut.logical_key;
            // a text field undoes what was typed in it
            let is_fields = typing && matches!(command, Command::Undo | Command::Redo);
            if key == Key::Escape || is_left(&shortcut) || typing && !shortcut.modifiers.command || is_fields {
                continue;
            }
            let is_widgets = matches!(key, Key::Space | Key::ArrowLeft | Key::ArrowRight | Key::ArrowUp | Key::ArrowDown);
            if focused && is_widgets && !shortcut.modifiers.command {
                continue;
            }
            let hit = match key {
                // it needs Shift on most keyboards
                Key::Questionmark => input.key_pressed(key),
                _ => input.consume_shortcut(&shortcut),
            };
            if hit {
                found.push(command);
            }
        }
    });
    found
}

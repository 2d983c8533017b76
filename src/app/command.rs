//! Everything that the user can do by key, menu or palette, in one table: the list of keys, tooltips and menus are made from it.

use egui::{Context, Key, KeyboardShortcut, Modifiers};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    OpenFile,
    OpenUrl,
    AddFile,
    OpenDemo,
    SaveLayout,
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
    entry(Command::OpenUrl, "File", "Open URL…", COMMAND_SHIFT, Key::O),
    entry(Command::OpenFile, "File", "Open file…", Modifiers::COMMAND, Key::O),
    keyless(Command::AddFile, "File", "Add a recording…"),
    keyless(Command::OpenDemo, "File", "Open the demo drive"),
    entry(Command::SaveLayout, "Layout", "Save layout", Modifiers::COMMAND, Key::S),
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
        self.entry().shortcut.map(|s| ctx.format_shortcut(&s)).unwrap_or_default()
    }
}

/// The commands whose keys were pressed in this pass. While text is being typed only those with Ctrl count.
pub fn pressed(ctx: &Context) -> Vec<Command> {
    let typing = ctx.text_edit_focused();
    let mut found = Vec::new();
    ctx.input_mut(|input| {
        for entry in COMMANDS {
            let Some(shortcut) = entry.shortcut else { continue };
            if typing && !shortcut.modifiers.command {
                continue;
            }
            // the questionmark needs Shift on most keyboards
            let hit = match shortcut.logical_key {
                Key::Questionmark => input.key_pressed(Key::Questionmark),
                _ => input.consume_shortcut(&shortcut),
            };
            if hit {
                found.push(entry.command);
            }
        }
    });
    found
}

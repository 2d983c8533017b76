//! Links in and out: what a link asks for, a link pasted into the window, the link of the current moment.

use egui::{Context, Event};

use super::background::Done;
use super::dialog::Dialog;
use super::place::Place;
use super::scenes::Then;
use super::{AppState, layouts};
use crate::layout::Dialect;
use crate::source::{Link, LinkStyle, Location};

impl AppState {
    /// Opens what a link names, at its moment and in its layout.
    pub fn open_link(&mut self, link: Link, add: bool) {
        if link.locations.is_empty()
            && let Some(scene) = link.scene.clone()
        {
            return self.look_up_scene(link, scene, add);
        }
        let then = Then {
            seek: link.seek_to,
            layout: link.layout,
        };
        self.offer_and(link.locations, add, then);
    }

    /// Reads a layout from afar; it is taken when it is there.
    pub(super) fn fetch_layout(&mut self, location: Location) {
        let then = self.jobs.sender();
        self.layout_link = Some(location.clone());
        let done = move |text| then(Done::LayoutRead(layouts::opened(layouts::From::Link, text)));
        self.executor.io().fetch_text(location, crate::run::LARGEST_TEXT, done);
    }

    /// A link or URL that is pasted while nobody types is offered to be opened; a layout is opened.
    pub(super) fn take_pasted_link(&mut self, ctx: &Context) {
        if ctx.text_edit_focused() || self.dialog.is_some() || self.palette.is_open() {
            return;
        }
        let pasted = ctx.input(|i| {
            i.events.iter().find_map(|event| match event {
                Event::Paste(text) => Some(text.clone()),
                _ => None,
            })
        });
        match pasted {
            Some(text) if looks_like_link(&text) => self.dialog = Some(Dialog::url_with(text.trim())),
            Some(text) if looks_like_layout(&text) => self.open_layout_text("Pasted layout", text),
            _ => return,
        }
        ctx.request_repaint();
    }

    /// Copies a link that opens what is open at the playhead's moment.
    pub(super) fn share(&mut self, ctx: &Context) {
        let mut urls = Vec::new();
        for source in self.store.sources() {
            match shared(&source.location) {
                Some(url) => urls.push(url),
                None => return self.tell_error(format!("This location cannot be put into a link: {}", source.location)),
            }
        }
        if urls.is_empty() {
            return self.tell("Nothing is open that a link could lead to".to_owned());
        }
        let moment = self.store.span().map(|_| self.playback.now);
        let layout = match &self.layouts.place {
            Some(place @ Place::At(at)) if at.is_remote() => place.spelled(),
            Some(_) => None,
            None => self.layout_link.as_ref().and_then(shared),
        };
        ctx.copy_text(Link::write(LinkStyle::Roadreel, "", &urls, moment, layout.as_deref()));
        let only_here = self.store.sources().iter().any(|s| !s.location.is_remote());
        let now = super::settings::now();
        let expires = self.store.sources().iter().filter_map(|s| s.location.expires()).min();
        self.tell(match (only_here, expires) {
            (true, _) => "Link copied; it opens on this machine only".to_owned(),
            (false, Some(at)) if at <= now => "Link copied; the recording's own URL has expired".to_owned(),
            (false, Some(at)) => format!("Link copied; it works for {}", minutes(at.since(now) / 1_000_000_000)),
            (false, None) => "Link to this moment copied".to_owned(),
        });
    }
}

/// A pasted address without what mail programs and editors break it with: a key in S3 may hold spaces, a URL holds none.
pub(super) fn unbroken(text: &str) -> String {
    let text = text.trim();
    let is_url = ["http", "roadreel:", "foxglove:", "lichtblick:"].iter().any(|scheme| {
        let start = text.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    text.chars()
        .filter(|c| match is_url {
            true => !c.is_whitespace(),
            false => !matches!(c, '\n' | '\r' | '\t'),
        })
        .collect()
}

fn minutes(secs: i64) -> String {
    match secs {
        ..7200 => format!("{} min", secs / 60),
        _ => format!("{} h", secs / 3600),
    }
}

/// Large texts are taken apart by another thread, which tells what they are.
fn looks_like_layout(text: &str) -> bool {
    const SMALL: usize = 256 << 10;
    match text.len() {
        ..SMALL => Dialect::of(text).is_some(),
        _ => text.trim_start().starts_with(['{', '<']),
    }
}

fn looks_like_link(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    let schemes = ["http://", "https://", "s3://", "roadreel:", "foxglove://", "lichtblick://"];
    schemes.iter().any(|scheme| text.starts_with(scheme))
}

/// A location as a link holds it, with its signature: the user asked for it.
fn shared(location: &Location) -> Option<String> {
    match location {
        Location::Url(url) => Some(url.to_string()),
        // whoever opens it signs for himself
        Location::S3(address) => Some(address.to_string()),
        Location::Path(path) => {
            let path = std::path::absolute(path).ok()?;
            url::Url::from_file_path(path).ok().map(|url| url.to_string())
        }
    }
}

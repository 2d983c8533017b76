//! PlotJuggler's XML: tabs of split plots.
//!
//! A curve is named by topic and fields in one, `/car/actuators/accel`: which part is the topic only a recording tells. Here the last
//! name is a field and all before it the topic; [`super::fit`] moves the border where a recording's topics say so.

use std::cell::RefCell;
use std::collections::HashSet;

use roxmltree::{Document, Node as Element, ParsingOptions};
use serde_json::{Map, Value, json};

use super::arrangement::canonical;
use super::color;
use super::own::{Child, Direction, Layout, Node, Origin, PanelEntry, Tab};
use super::report::{PanelReport, Report};
use super::rule::{Marks, Reader};
use super::value::{self, ancestors, as_number};
use super::{Dialect, LayoutError, Opened};
use crate::path::topic_text;

pub fn looks_so(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<') && text.contains("tabbed_widget")
}

const DEEPEST: usize = 64;
const MOST_NODES: u32 = 200_000;
const MOST_ATTRIBUTES: usize = 100;

pub fn import(text: &str) -> Result<Opened, LayoutError> {
    let options = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    // the parser compares each attribute of an element with all others
    if most_attributes(text) > MOST_ATTRIBUTES {
        return Err(LayoutError::Syntax(format!(
            "one of its elements has more than {MOST_ATTRIBUTES} attributes"
        )));
    }
    let parsed = Document::parse_with_options(text, options).map_err(|error| LayoutError::Syntax(error.to_string()))?;
    let root = parsed.root_element();
    let document = value_of(root, 0)?;
    super::spellable(&document)?;
    let marks = RefCell::new(Marks::default());
    let reader = Reader::new(&document, &marks);

    let mut juggler = Juggler {
        reader: &reader,
        layout: Layout::empty(),
        places: Vec::new(),
    };
    let mut tabs = Vec::new();
    let mut active = 0;
    for (window, at) in children(root, "", "tabbed_widget") {
        let mut kept = 0;
        for (tab, at) in children(window, &at, "Tab") {
            if let Some(node) = juggler.tab(tab, &at) {
                tabs.push(Tab::Node(Box::new(node)));
                kept += 1;
            }
        }
        let index = children(window, &at, "currentTabIndex").into_iter().next();
        let chosen = index.and_then(|(index, at)| Some((index.attribute("index")?.parse::<usize>().ok()?, at)));
        if let Some((chosen, at)) = chosen.filter(|(chosen, _)| *chosen < kept && kept > 1) {
            active = tabs.len() - kept + chosen;
            reader.mark(&format!("{at}/@index"), "/root");
        }
    }
    let Juggler { mut layout, places, .. } = juggler;
    let tabs = Node::Tabs {
        tabs,
        active,
        extra: Map::new(),
    };
    layout.root = canonical(&tabs);
    let mut layout = layout.checked()?;

    let mut report = Report::new(Dialect::PlotJuggler, Dialect::Roadreel);
    let marks = marks.borrow();
    for (id, place) in &places {
        let mut told = PanelReport::new(id, "plot", Some("plot"));
        marks.tell(&document, place, &mut told, &|_| true);
        report.panels.push(told);
    }
    report.around.theirs = Dialect::PlotJuggler.name().to_owned();
    let plots: HashSet<&str> = places.iter().map(|(_, place)| place.as_str()).collect();
    let is_around = |pointer: &str| !ancestors(pointer).any(|at| plots.contains(at));
    marks.tell(&document, "", &mut report.around, &is_around);
    drop(marks);
    layout.origin = Some(Origin {
        dialect: Dialect::PlotJuggler,
        document,
        extra: Map::new(),
    });
    Ok(Opened { layout, report })
}

/// How many attributes the element has that has most of them; of text that is no XML any number.
fn most_attributes(text: &str) -> usize {
    const OTHERS: [(&str, &str); 3] = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
    let mut most = 0;
    let mut rest = text;
    while let Some((_, tag)) = rest.split_once('<') {
        let bare = |start: &str| tag.strip_prefix(start.get(1..)?);
        if let Some((inside, end)) = OTHERS.iter().find_map(|(start, end)| Some((bare(start)?, end))) {
            rest = inside.split_once(end).map_or("", |(_, rest)| rest);
            continue;
        }
        let (mut quote, mut count) = (None, 0);
        let end = tag.find(|c| {
            match quote {
                None if matches!(c, '"' | '\'') => quote = Some(c),
                Some(begun) if c == begun => (quote, count) = (None, count + 1),
                _ => {}
            }
            quote.is_none() && c == '>'
        });
        most = most.max(count);
        rest = end.and_then(|end| tag.get(end..)).unwrap_or_default();
    }
    most
}

/// An element: its attributes as `@name`, its elements as lists by their names.
fn value_of(element: Element<'_, '_>, depth: usize) -> Result<Value, LayoutError> {
    if depth > DEEPEST {
        return Err(LayoutError::Syntax(format!("its elements are nested more than {DEEPEST} deep")));
    }
    let mut map = Map::new();
    for attribute in element.attributes() {
        map.insert(format!("@{}", attribute.name()), attribute.value().into());
    }
    for child in element.children().filter(Element::is_element) {
        let list = map.entry(child.tag_name().name()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(value_of(child, depth + 1)?);
        }
    }
    if let Some(text) = element.text().map(str::trim).filter(|text| !text.is_empty()) {
        map.insert("#text".to_owned(), text.into());
    }
    Ok(Value::Object(map))
}

/// Elements of one name, and where each stands in the value.
fn children<'a, 'input>(element: Element<'a, 'input>, at: &str, name: &str) -> Vec<(Element<'a, 'input>, String)> {
    let named = element.children().filter(|child| child.has_tag_name(name));
    named
        .enumerate()
        .map(|(index, child)| (child, format!("{at}/{name}/{index}")))
        .collect()
}

struct Juggler<'a> {
    reader: &'a Reader<'a>,
    layout: Layout,
    /// Ids of the panels, and where their plots stand.
    places: Vec<(String, String)>,
}

impl Juggler<'_> {
    fn tab(&mut self, tab: Element<'_, '_>, at: &str) -> Option<Node> {
        let mut parts = Vec::new();
        for (container, at) in children(tab, at, "Container") {
            for (element, at) in parts_of(container, &at) {
                parts.extend(self.part(element, &at, 0));
            }
        }
        let children = parts.into_iter().map(|node| Child { share: 1.0, node });
        let column = Node::Split {
            split: Direction::Column,
            children: children.collect(),
            extra: Map::new(),
        };
        let mut node = canonical(&column)?;
        if let (Node::Split { extra, .. }, Some(name)) = (&mut node, tab.attribute("tab_name")) {
            extra.insert("title".to_owned(), name.into());
            self.reader.mark(&format!("{at}/@tab_name"), "/root");
        }
        Some(node)
    }

    fn part(&mut self, element: Element<'_, '_>, at: &str, depth: usize) -> Option<Node> {
        if element.has_tag_name("DockArea") {
            let (plot, at) = children(element, at, "plot").into_iter().next()?;
            return Some(self.plot(plot, &at));
        }
        if depth > DEEPEST {
            return None;
        }
        let split = match element.attribute("orientation") {
            Some("|") => Direction::Row,
            _ => Direction::Column,
        };
        let sizes: Vec<Option<f32>> = element
            .attribute("sizes")
            .unwrap_or_default()
            .split(';')
            .map(|s| s.parse().ok())
            .collect();
        let mut children = Vec::new();
        for (index, (inside, at)) in parts_of(element, at).into_iter().enumerate() {
            let share = sizes.get(index).copied().flatten().filter(|size| size.is_finite() && *size > 0.0);
            if let Some(node) = self.part(inside, &at, depth + 1) {
                children.push(Child {
                    share: share.unwrap_or(1.0 / sizes.len().max(1) as f32),
                    node,
                });
            }
        }
        if children.len() > 1 {
            self.reader.mark(&format!("{at}/@orientation"), "/root");
            if sizes.iter().all(Option::is_some) {
                self.reader.mark(&format!("{at}/@sizes"), "/root");
            }
        }
        canonical(&Node::Split {
            split,
            children,
            extra: Map::new(),
        })
    }

    fn plot(&mut self, plot: Element<'_, '_>, at: &str) -> Node {
        let id = format!("plot-{}", self.places.len() + 1);
        let look = Plot {
            reader: self.reader.inside(at, ""),
            plot,
        };
        let entry = PanelEntry {
            kind: "plot".to_owned(),
            config: look.config(),
            extra: Map::new(),
        };
        self.layout.panels.insert(id.clone(), entry);
        self.places.push((id.clone(), at.to_owned()));
        Tab::alone(&id)
    }
}

/// Splits and plots in their order.
fn parts_of<'a, 'input>(element: Element<'a, 'input>, at: &str) -> Vec<(Element<'a, 'input>, String)> {
    let (mut splits, mut areas) = (0, 0);
    let mut out = Vec::new();
    for child in element.children() {
        let (name, count) = match child.tag_name().name() {
            "DockSplitter" => ("DockSplitter", &mut splits),
            "DockArea" => ("DockArea", &mut areas),
            _ => continue,
        };
        out.push((child, format!("{at}/{name}/{count}")));
        *count += 1;
    }
    out
}

struct Plot<'a, 'input> {
    reader: Reader<'a>,
    plot: Element<'a, 'input>,
}

const STYLES: [(&str, &str); 6] = [
    ("Lines", "line"),
    ("Dots", "dots"),
    ("LinesAndDots", "line_dots"),
    ("Sticks", "sticks"),
    ("Steps", "steps"),
    ("StepsInv", "steps_before"),
];

impl Plot<'_, '_> {
    fn config(&self) -> Value {
        let is_xy = self.plot.attribute("mode") == Some("XYPlot");
        let style = self.plot.attribute("style").and_then(|style| STYLES.iter().find(|s| s.0 == style));
        let curves = children(self.plot, "", "curve");
        if let (Some((_, _)), false) = (style, curves.is_empty()) {
            self.reader.mark("/@style", "/series/0/style");
        }
        let width = self.plot.attribute("line_width").and_then(|width| as_number(&width.into()));
        if width.is_some() && !curves.is_empty() {
            self.reader.mark("/@line_width", "/series/0/line_width");
        }
        let mut config = json!({"x_axis": if is_xy { "path" } else { "from_start" }});
        for flip in ["flip_x", "flip_y"] {
            if let Some(flipped) = self.plot.attribute(flip) {
                self.reader.mark(&format!("/@{flip}"), &format!("/{flip}"));
                config[flip] = (flipped == "true").into();
            }
        }
        if let Some(data) = self.plot.attribute("background_data").filter(|data| !data.is_empty()) {
            self.reader.mark("/@background_data", "/background/path");
            self.reader.odd("/@background_colormap", "each value gets a colour of its own here");
            config["background"] = json!({ "path": path_of(data) });
        }
        let mut series = Vec::new();
        for (index, (curve, at)) in curves.into_iter().enumerate() {
            let to = format!("/series/{index}");
            let (name, y) = match curve.attribute("curve_y") {
                Some(y) if is_xy => ("curve_y", y),
                _ => ("name", curve.attribute("name").unwrap_or_default()),
            };
            self.reader.mark(&format!("{at}/@{name}"), &format!("{to}/path"));
            let path = path_of(y) + &self.transform(curve, &at, &to);
            let mut made = json!({ "path": path });
            if let Some(color) = curve.attribute("color").and_then(|color| color::parse(&color.into())) {
                self.reader.mark(&format!("{at}/@color"), &format!("{to}/color"));
                made["color"] = color.hex().into();
            }
            if let Some((_, style)) = style {
                made["style"] = (*style).into();
            }
            if let Some(width) = width {
                made["line_width"] = value::of_number(width);
            }
            if let Some(x) = curve.attribute("curve_x").filter(|_| is_xy) {
                let path: Value = path_of(x).into();
                let own = format!("{to}/x_path");
                self.reader.mark("/@mode", "/x_axis");
                self.reader
                    .mark(&format!("{at}/@curve_x"), if index == 0 { "/x_path" } else { &own });
                if index == 0 {
                    config["x_path"] = path;
                } else if config["x_path"] != path {
                    made["x_path"] = path;
                }
            }
            series.push(made);
        }
        config["series"] = Value::Array(series);
        if self.plot.attribute("mode") == Some("TimeSeries") {
            self.reader.mark("/@mode", "/x_axis");
        }
        if let Some((min, max)) = self
            .limits("limitY", ["min", "max"])
            .or_else(|| self.limits("range", ["bottom", "top"]))
        {
            config["y"] = json!({"mode": "manual", "min": min, "max": max});
        }
        config
    }

    fn limits(&self, name: &str, [low, high]: [&str; 2]) -> Option<(Value, Value)> {
        let (element, at) = children(self.plot, "", name).into_iter().next()?;
        let number = |key| as_number(&element.attribute(key)?.into());
        let (min, max) = (number(low)?, number(high)?);
        if min >= max {
            return None;
        }
        for key in [low, high] {
            self.reader.mark(&format!("{at}/@{key}"), "/y");
        }
        Some((value::of_number(min), value::of_number(max)))
    }

    /// What is worked out of a curve, as a modifier of its path.
    fn transform(&self, curve: Element<'_, '_>, at: &str, to: &str) -> String {
        let Some((transform, at)) = children(curve, at, "transform").into_iter().next() else {
            return String::new();
        };
        let options = children(transform, &at, "options").into_iter().next();
        let option = |names: &[&str]| {
            let (options, at) = options.as_ref()?;
            let (name, value) = names
                .iter()
                .find_map(|name| Some((name, as_number(&options.attribute(*name)?.into())?)))?;
            self.reader.mark(&format!("{at}/@{name}"), &format!("{to}/path"));
            Some(value)
        };
        let count = |names: &[&str]| option(names).map_or(String::new(), |n| format!("({n})"));
        let name = transform.attribute("name").unwrap_or_default();
        let said = match name {
            "Absolute" => "abs".to_owned(),
            "Derivative" => "derivative".to_owned(),
            "Integral" => "integral".to_owned(),
            "Moving Average" => format!("moving_average{}", count(&["value", "window"])),
            "Moving RMS" => format!("moving_rms{}", count(&["value", "window"])),
            "Moving Variance / Stdev" | "Moving Variance/Stdev" => format!("moving_variance{}", count(&["value", "window"])),
            "Outlier Removal" => format!("outlier_removal{}", count(&["value", "factor"])),
            "Samples Counter" => "samples_counter".to_owned(),
            "Time Since Previous Point" => "time_since_previous".to_owned(),
            "Scale/Offset" => {
                let scale = option(&["value_scale"]).unwrap_or(1.0);
                let offset = option(&["value_offset"]).unwrap_or(0.0);
                format!("scale({scale}, {offset})")
            }
            _ => {
                self.reader.odd(&at, format!("there is no transform “{name}” here"));
                return String::new();
            }
        };
        self.reader.mark(&format!("{at}/@name"), &format!("{to}/path"));
        format!(".@{said}")
    }
}

/// `/imu/acceleration/x` → `/imu/acceleration.x`, `/plan/speeds/0` and `/plan/speeds[0]` → `/plan.speeds[0]`.
fn path_of(name: &str) -> String {
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_field = |part: &str| {
        let bare = part.split('[').next().unwrap_or_default();
        !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let parts: Vec<&str> = name.split('/').collect();
    let Some(field) = parts.iter().rposition(|part| !is_index(part)) else {
        return topic_text(name);
    };
    let (topic, rest) = parts.split_at(field);
    let topic = topic.join("/");
    let Some((field, indices)) = rest.split_first().filter(|(field, _)| is_field(field)) else {
        return topic_text(name);
    };
    if topic.is_empty() {
        return topic_text(name);
    }
    let indices: String = indices.iter().map(|index| format!("[{index}]")).collect();
    format!("{}.{field}{indices}", topic_text(&topic))
}

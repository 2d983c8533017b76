//! Files that want to break something get a sentence, quickly.

use std::time::{Duration, Instant};

use roadreel::layout::{Dialect, LARGEST_BYTES, Opened, open};
use serde_json::json;

/// However slow the machine: an honest reader needs a small part of it.
const QUICK: Duration = Duration::from_secs(10);

/// Time that this thread has worked, where the system tells: others may keep the processors busy.
struct Working(Instant, Option<Duration>);

impl Working {
    fn start() -> Working {
        Working(Instant::now(), Working::told())
    }

    fn told() -> Option<Duration> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
    }

    #[track_caller]
    fn assert_quick(&self) {
        let spent = match (self.1, Working::told()) {
            (Some(before), Some(now)) => now - before,
            _ => self.0.elapsed(),
        };
        assert!(spent < QUICK, "{spent:?}");
    }
}

#[track_caller]
fn quickly(text: &str) -> Result<Opened, String> {
    let start = Working::start();
    let opened = open(text).map_err(|error| error.to_string());
    start.assert_quick();
    opened
}

#[track_caller]
fn sentence(text: &str) -> String {
    let sentence = quickly(text).map(|_| ()).expect_err("a sentence");
    assert!(
        !sentence.is_empty() && sentence.len() < 400 && !sentence.contains('\n'),
        "{sentence}"
    );
    sentence
}

#[test]
fn what_is_no_layout_is_told_so() {
    for text in [
        "",
        " \n",
        "null",
        "[]",
        "{}",
        "42",
        "\"x\"",
        "hello",
        "<svg/>",
        "{\"a\":1}",
        "\u{0}\u{1}",
        "---\na: b\n",
    ] {
        sentence(text);
        assert_eq!(Dialect::of(text), None, "{text:?}");
    }
    assert!(sentence("{\"savedProps\":{},\"layout\":").contains("EOF"));
}

#[test]
fn deep_nesting_ends() {
    for open in ["[", "{\"first\":", "{\"configById\":{\"a\":"] {
        sentence(&open.repeat(200_000));
    }
    let deep = format!(
        "{}\"Plot!a\"{}",
        "{\"direction\":\"row\",\"second\":\"Plot!b\",\"first\":".repeat(5000),
        "}".repeat(5000)
    );
    sentence(&format!("{{\"savedProps\":{{}},\"layout\":{deep}}}"));
    let xml = format!(
        "<root><tabbed_widget>{}{}</tabbed_widget></root>",
        "<DockSplitter>".repeat(3000),
        "</DockSplitter>".repeat(3000)
    );
    sentence(&xml);
    sentence(&format!(
        "Visualization Manager:\n  Displays: {}{}",
        "[".repeat(50_000),
        "]".repeat(50_000)
    ));
}

#[test]
fn bombs_do_not_go_off() {
    let mut yaml = String::from("a: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        yaml.push_str(&format!("b{level}: &a{level} [{aliases}]\n"));
    }
    sentence(&(yaml + "Visualization Manager:\n  Displays: *a11\n"));
    let mut xml = String::from("<!DOCTYPE root [<!ENTITY a0 \"xxxxxxxxxx\">");
    for level in 1..12 {
        xml.push_str(&format!("<!ENTITY a{level} \"{}\">", format!("&a{};", level - 1).repeat(10)));
    }
    sentence(&(xml + "]><root><tabbed_widget name=\"&a11;\"/></root>"));
}

/// A balanced tree of so many panels.
fn tree(ids: std::ops::Range<usize>) -> String {
    match ids.len() {
        1 => format!("\"Note!{}\"", ids.start),
        len => {
            let middle = ids.start + len / 2;
            let (first, second) = (tree(ids.start..middle), tree(middle..ids.end));
            format!("{{\"direction\":\"row\",\"first\":{first},\"second\":{second}}}")
        }
    }
}

#[test]
fn more_panels_than_anyone_has_are_counted() {
    const MANY: usize = 50_000;
    for configs in ["savedProps", "configById"] {
        let told = sentence(&format!("{{\"{configs}\":{{}},\"layout\":{}}}", tree(0..MANY)));
        assert!(told.contains("50000 panels"), "{told}");
    }
    let tabs: Vec<String> = (0..MANY).map(|n| format!("{{\"layout\":\"Note!{n}\"}}")).collect();
    let tab = format!(
        "{{\"savedProps\":{{\"Tab!a\":{{\"tabs\":[{}]}}}},\"layout\":\"Tab!a\"}}",
        tabs.join(",")
    );
    assert!(sentence(&tab).contains("50000 panels"));
    let images = "    - {Class: Image, Name: I, Topic: /a}\n".repeat(MANY);
    sentence(&format!("Visualization Manager:\n  Displays:\n{images}"));
    let plots = "<DockArea><plot/></DockArea>".repeat(MANY);
    let plots =
        format!("<root><tabbed_widget><Tab><Container><DockSplitter>{plots}</DockSplitter></Container></Tab></tabbed_widget></root>");
    assert!(sentence(&plots).contains("50000 panels"));
}

#[test]
fn as_many_panels_as_there_may_be_are_told_quickly() {
    let images: String = (0..999)
        .map(|n| format!("    - {{Class: Image, Name: I, Topic: /a{n}}}\n"))
        .collect();
    let rest = "    - {Class: Odd, A: 1, B: 2, C: 3, D: 4}\n".repeat(20_000);
    let text = format!("Visualization Manager:\n  Displays:\n{images}{rest}");
    let opened = quickly(&text).unwrap();
    assert_eq!(opened.layout.panels.len(), 1000);
    let start = Working::start();
    assert!(opened.report.text().contains("I 999 → image"));
    start.assert_quick();
    let plots = "<DockArea><plot a=\"1\"/></DockArea>".repeat(1000) + &"<DockArea/>".repeat(50_000);
    let text =
        format!("<root><tabbed_widget><Tab><Container><DockSplitter>{plots}</DockSplitter></Container></Tab></tabbed_widget></root>");
    assert_eq!(quickly(&text).unwrap().layout.panels.len(), 1000);
}

#[test]
fn names_that_are_far_too_long_are_refused() {
    let long = "k".repeat(1 << 20);
    let many = vec!["{\"a\":1}"; 100_000].join(",");
    for dialect in ["\"layout\":\"Plot!a\",\"savedProps\"", "\"configById\"", "\"panels\""] {
        let told = sentence(&format!("{{{dialect}:{{\"Plot!a\":{{\"{long}\":[{many}]}}}}}}"));
        assert!(told.contains("keys are far too long"), "{told}");
    }
    let many = "- 1\n  ".repeat(100_000);
    sentence(&format!("Visualization Manager:\n  \"{long}\":\n  {many}"));
    let many = "<c a=\"1\"/>".repeat(30_000);
    sentence(&format!("<root><tabbed_widget><{long}>{many}</{long}></tabbed_widget></root>"));
}

#[test]
fn an_element_of_very_many_attributes_is_refused() {
    let attributes: String = (0..300_000).map(|n| format!(" a{n}=\"\"")).collect();
    sentence(&format!("<root><tabbed_widget{attributes}/></root>"));
    let namespaces: String = (0..100_000).map(|n| format!(" xmlns:a{n}=\"b{n}\"")).collect();
    sentence(&format!("<root><tabbed_widget{namespaces}/></root>"));
    let fewer: String = (0..100).map(|n| format!(" a{n}='\"'")).collect();
    let many = format!("<x{fewer}/>").repeat(1000);
    assert!(quickly(&format!("<!-- don't --><root><tabbed_widget/>{many}</root>")).is_ok());
}

#[test]
fn reasons_without_end_are_told_and_compared_quickly() {
    let displays = |class: &str| -> String {
        let displays = (0..20_000).map(|n| format!("    - {{Class: {class}{n}, A: 1}}\n"));
        format!("Visualization Manager:\n  Displays:\n{}", displays.collect::<String>())
    };
    let (a, b) = (quickly(&displays("A")).unwrap(), quickly(&displays("B")).unwrap());
    let start = Working::start();
    assert!(a.report.text().contains("A19999 is nothing that a 3D panel shows here"));
    let base = quickly("{\"panels\":{}}").unwrap().layout;
    assert!(!roadreel::layout::merge(&base, &a.layout, &b.layout).parts.is_empty());
    start.assert_quick();
    let odd = |base: usize| {
        let list: Vec<String> = (0..20_000).map(|n| format!("{{\"value\":{}}}", base + n)).collect();
        format!(
            "{{\"configById\":{{\"Plot!a\":{{\"odd\":[{}]}}}},\"layout\":\"Plot!a\"}}",
            list.join(",")
        )
    };
    let (a, b) = (quickly(&odd(0)).unwrap(), quickly(&odd(7)).unwrap());
    let start = Working::start();
    assert!(!roadreel::layout::diff(&a.layout, &b.layout).is_empty());
    start.assert_quick();
}

#[test]
fn a_panel_that_lists_without_end_is_refused() {
    let series = vec!["{\"value\":\"/a.x\"}"; 100_000].join(",");
    let lists = [
        ("Plot!a", format!("{{\"paths\":[{series}]}}")),
        ("StateTransitions!a", format!("{{\"paths\":[{series}]}}")),
    ];
    for (id, config) in lists {
        let told = sentence(&format!("{{\"configById\":{{\"{id}\":{config}}},\"layout\":\"{id}\"}}"));
        assert!(told.contains("100000 series") && told.ends_with(id), "{told}");
    }
    let own = vec!["{\"path\":\"/a.x\"}"; 100_000].join(",");
    sentence(&format!(
        "{{\"panels\":{{\"a\":{{\"kind\":\"plot\",\"config\":{{\"series\":[{own}]}}}}}}}}"
    ));
    let curves = "<curve name='/a/x'/>".repeat(100_000);
    sentence(&format!(
        "<root><tabbed_widget><Tab><Container><DockSplitter><DockArea><plot>{curves}</plot></DockArea></DockSplitter></Container></Tab></tabbed_widget></root>"
    ));
    let displays: String = (0..60_000).map(|n| format!("    - {{Class: Pose, Topic: /p{n}}}\n")).collect();
    sentence(&format!("Visualization Manager:\n  Displays:\n{displays}"));
}

#[test]
fn names_without_end_are_fitted_quickly() {
    let panels: Vec<String> = (0..20)
        .map(|panel| {
            let series: Vec<String> = (0..2000).map(|n| format!("{{\"path\":\"/topic_{panel}_{n}/a.b\"}}")).collect();
            format!(
                "\"p{panel}\":{{\"kind\":\"plot\",\"config\":{{\"series\":[{}]}}}}",
                series.join(",")
            )
        })
        .collect();
    let layout = quickly(&format!("{{\"panels\":{{{}}}}}", panels.join(","))).unwrap().layout;
    let topic = |n: usize| roadreel::layout::CatalogueTopic {
        name: format!("/vehicle/part_{n}/status"),
        type_name: "std_msgs/Header".to_owned(),
        schema: None,
    };
    let catalogue = roadreel::layout::Catalogue {
        topics: (0..100).map(topic).collect(),
        frames: Vec::new(),
    };
    let start = Working::start();
    assert_eq!(roadreel::layout::fit(&layout, &catalogue).misfits.len(), 40_000);
    start.assert_quick();
}

#[test]
fn numbers_of_any_size_do_no_harm() {
    sentence(r#"{"savedProps":{"Plot!a":{"minYValue":NaN}},"layout":"Plot!a"}"#);
    sentence(r#"{"savedProps":{"Plot!a":{"minYValue":1e999}},"layout":"Plot!a"}"#);
    let camera =
        json!({"distance": 1e308, "phi": -1e300, "thetaOffset": 1e17, "fovy": -3, "targetOffset": [1e300, 0, 0], "perspective": true});
    let document = json!({
        "configById": {"3D!a": {"cameraState": camera, "topics": {"/a": {"visible": true, "pointSize": -1e9, "decayTime": 1e300}}}},
        "layout": {"direction": "row", "first": "3D!a", "second": "Plot!b", "splitPercentage": 1e300},
    });
    let opened = quickly(&document.to_string()).unwrap();
    assert_eq!(opened.layout.panels.len(), 2);
    assert!(opened.report.text().contains("not between 0 and 100"));
    let rviz = "Visualization Manager:\n  Displays:\n    - {Class: rviz/PointCloud2, Topic: /p, Alpha: .nan, Size (Pixels): .inf, Style: Points}\n  \
                Views: {Current: {Class: rviz/Orbit, Distance: .inf, Pitch: .nan}}\n";
    let opened = quickly(rviz).unwrap();
    assert_eq!(opened.layout.panels.len(), 1);
}

#[test]
fn the_same_panel_twice_and_tabs_in_themselves_end() {
    let document = json!({
        "savedProps": {
            "Tab!a": {"activeTabIdx": 0, "tabs": [{"title": "x", "layout": {"direction": "row", "first": "Tab!a", "second": "Tab!b"}}]},
            "Tab!b": {"activeTabIdx": 0, "tabs": [{"title": "y", "layout": {"direction": "row", "first": "Tab!a", "second": "Plot!p"}}]},
        },
        "layout": {"direction": "row", "first": "Tab!a", "second": {"direction": "row", "first": "Plot!p", "second": "Plot!q"}},
    });
    let opened = quickly(&document.to_string()).unwrap();
    assert_eq!(opened.layout.panels.len(), 2);
    assert!(
        opened.report.warnings.iter().any(|w| w.contains("Tab!a")),
        "{:?}",
        opened.report.warnings
    );
    assert!(
        opened.report.warnings.iter().any(|w| w.contains("Plot!p")),
        "{:?}",
        opened.report.warnings
    );
}

#[test]
fn keys_that_stand_twice_are_told() {
    let opened = quickly(r#"{"savedProps":{"Plot!a":{"showLegend":true,"showLegend":false},"Plot!a":{}},"layout":"Plot!a"}"#).unwrap();
    let lost: Vec<&str> = opened.report.around.lost.iter().map(|noted| noted.key.as_str()).collect();
    assert_eq!(lost, ["showLegend", "Plot!a"]);
}

#[test]
fn large_files_are_refused_by_size_and_by_panels() {
    let text = format!("{{\"savedProps\":{{\"a\":\"{}\"}},\"layout\":null}}", "x".repeat(5 << 20));
    assert!(text.len() as u64 > LARGEST_BYTES);
    assert!(sentence(&text).contains("5.00 MiB"), "{}", sentence(&text));
    assert_eq!(Dialect::of(&text), None);
    let panels: Vec<String> = (0..60_000).map(|n| format!("\"p{n}\":{{\"kind\":\"plot\"}}")).collect();
    let text = format!("{{\"version\":2,\"panels\":{{{}}}}}", panels.join(","));
    assert!(sentence(&text).contains("60000 panels"), "{}", sentence(&text));
    let just_large = format!(
        "{{\"configById\":{{\"Note!a\":{{\"noteText\":\"{}\"}}}},\"layout\":\"Note!a\"}}",
        "y".repeat(3 << 20)
    );
    assert_eq!(quickly(&just_large).unwrap().layout.panels.len(), 1);
}

#[test]
fn keys_of_the_wrong_kind_are_kept_and_told() {
    let config = json!({"paths": [7, {"value": 3, "enabled": "yes"}], "showLegend": "no", "xAxisVal": "sideways", "minYValue": {}, "followingViewWidth": []});
    let document = json!({"configById": {"Plot!a": config, "3D!b": [], "map!c": 3}, "layout": {"first": "Plot!a", "second": {"first": "3D!b", "second": "map!c", "direction": "diagonal"}}});
    let opened = quickly(&document.to_string()).unwrap();
    let plot = &opened.report.panels[0];
    assert!(plot.mapped.is_empty(), "{:?}", plot.mapped);
    assert!(plot.kept.iter().any(|noted| noted.why.contains("sideways")), "{:?}", plot.kept);
    assert_eq!(super::exported(&opened.layout, Dialect::Foxglove), document);
}

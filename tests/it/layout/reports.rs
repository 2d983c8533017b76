//! What is told of each layout that people brought.

use roadreel::layout::Fate;

use super::{SAMPLES, opened, sample};

#[test]
fn reports_of_all_samples() {
    for name in SAMPLES {
        let Some(text) = sample(name) else { return };
        let report = opened(&text).report;
        insta::assert_snapshot!(name.replace('.', "_"), report.text());
    }
}

#[test]
fn every_key_has_one_fate() {
    for name in SAMPLES.iter().filter(|name| name.ends_with("json")) {
        let Some(text) = sample(name) else { return };
        let document = super::json(&text);
        let report = opened(&text).report;
        for panel in report.panels.iter().filter(|panel| panel.theirs != "Tab") {
            let config = ["savedProps", "configById"]
                .iter()
                .find_map(|key| document.get(key)?.get(&panel.id));
            let mut told: Vec<&str> = panel.mapped.iter().map(|m| m.key.as_str()).collect();
            told.extend(panel.kept.iter().chain(&panel.lost).map(|n| n.key.as_str()));
            let mut once = told.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), told.len(), "{name} {}", panel.id);
            for key in &told {
                assert!(config.unwrap().pointer(key).is_some(), "{name} {}: {key}", panel.id);
            }
            assert_eq!(panel.count(Fate::Lost), 0, "{name} {}", panel.id);
        }
    }
}

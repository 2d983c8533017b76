//! Which known name a wrong one was meant to be.

/// The known name that takes the fewest edits, if these are few for its length.
pub fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = wrong.to_lowercase();
    let scored = known.filter_map(|name| {
        let name_lower = name.to_lowercase();
        let edits = distance(&lower, &name_lower);
        let holds = lower.len() >= 2 && name_lower.contains(&lower);
        let limit = (name.chars().count().max(lower.chars().count())).div_ceil(3);
        (edits <= limit || holds).then_some((edits, name))
    });
    scored.min().map(|(_, name)| name.to_owned())
}

/// Edits (insert, delete, replace) from one to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

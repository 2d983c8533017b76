//! Takes secrets out of texts that others wrote, such as the log lines of libraries.

/// What stands before a secret, in lower case. The name goes with it.
const BEFORE: [&str; 17] = [
    "authorization",
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "x-goog-signature",
    "x-goog-credential",
    "access_key",
    "accesskey",
    "api_key",
    "apikey",
    "secret",
    "token",
    "signature",
    "credential",
    "cookie",
    "password",
    "passwd",
];

/// Whether what bears this name is a secret, such as a key of a configuration.
pub fn is_secret_name(name: &str) -> bool {
    let bare = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase()
    };
    let name = bare(name);
    let one = name.strip_suffix('s').unwrap_or(&name);
    BEFORE.iter().any(|word| one.ends_with(&bare(word)) || name.ends_with(&bare(word)))
}

/// `text` with query strings, and whatever follows a word that announces a secret, replaced by `…`.
pub fn without_secrets(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(rest) = lower.get(at..).filter(|rest| !rest.is_empty()) {
        let query = rest.find('?').map(|start| (start, start + 1));
        let named = BEFORE
            .iter()
            .filter_map(|word| rest.find(word).map(|start| (start, start + word.len())));
        let Some((start, end)) = query.into_iter().chain(named).min_by_key(|(start, end)| (*start, usize::MAX - end)) else {
            break;
        };
        out.push_str(text.get(at..at + start).unwrap_or_default());
        let is_query = rest.get(start..end) == Some("?");
        let value = rest.get(end..).unwrap_or_default();
        let len = match is_query {
            true => value
                .find(|c: char| c.is_whitespace() || "\"'<>`".contains(c))
                .unwrap_or(value.len()),
            false => secret_len(value, rest.get(start..end) == Some("authorization")),
        };
        // a list of signed headers holds the names alone: they say that there is something to hide
        let is_plain = len == 0 && !rest.get(start..end).is_some_and(|word| word.starts_with("x-"));
        out.push_str(match (is_query, is_plain) {
            (true, false) => "?…",
            (false, false) => "…",
            (_, true) => text.get(at + start..at + end).unwrap_or_default(),
        });
        at += end + len;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Bytes from a name's end to its value's end; 0 where no value follows.
fn secret_len(after: &str, to_line_end: bool) -> usize {
    // the rest of a longer name, as in `access_key_id`
    let name = after
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .unwrap_or(after.len());
    let tail = after.get(name..).unwrap_or_default();
    let closed = tail.trim_start_matches(['"', '\'']);
    let Some(value) = closed.trim_start().strip_prefix([':', '=', '(']) else {
        return 0;
    };
    let value = value.trim_start_matches(' ').trim_start_matches("some(").trim_start();
    let from = after.len() - value.len();
    let quoted = value.strip_prefix(['"', '\'']);
    let end = match (quoted, to_line_end) {
        (Some(inner), _) => inner.find(['"', '\'']).map_or(value.len(), |at| at + 1),
        (None, true) => value.find('\n').unwrap_or(value.len()),
        (None, false) => value
            .find(|c: char| c.is_whitespace() || "&,;)}]\"'".contains(c))
            .unwrap_or(value.len()),
    };
    from + end
}

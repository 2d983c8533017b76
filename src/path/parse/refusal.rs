//! Why a text goes on as no path does, with what other languages write and what is meant by it.

use super::Parser;
use crate::path::PathError;

impl<'a> Parser<'a> {
    pub(super) fn unexpected(&self) -> PathError {
        if let Some(error) = self.other_spelling() {
            return error;
        }
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        match self.peek() {
            None => self.error(self.at..self.at, "something is missing at the end"),
            Some(c) if "+-*/^%".contains(c) => self.error(self.at..end, format!("“{c}” between values needs a space on both sides")),
            Some(c) => self.error(self.at..end, format!("“{c}” does not fit here")),
        }
    }

    /// What other languages write between values.
    pub(super) fn other_spelling(&self) -> Option<PathError> {
        let word = self.rest().get(..self.run(char::is_alphanumeric))?;
        let (written, meant) = match self.peek()? {
            '&' => ("&", "and"),
            '|' => ("|", "or"),
            '=' => {
                let error = self.error(self.at..self.at + 1, "values are compared with “==”");
                return Some(error.with_nearest(Some(self.apart("=", "=="))));
            }
            _ if word == "in" => return Some(self.error(self.at..self.at + 2, "“in” needs a list behind it, such as in [1, 2]")),
            _ => {
                let is_it = |meant: &&str| word.eq_ignore_ascii_case(meant) && word != *meant;
                (word, ["and", "or", "in"].into_iter().find(is_it)?)
            }
        };
        Some(self.written(written, meant))
    }

    pub(super) fn written(&self, written: &str, meant: &str) -> PathError {
        let error = self.error(self.at..self.at + written.len(), format!("“{written}” is written “{meant}” here"));
        error.with_nearest(Some(self.apart(written, meant)))
    }

    /// With blanks around, where there are none around what stands here.
    fn apart(&self, written: &str, meant: &str) -> String {
        let blank = |is_there: bool| if is_there { "" } else { " " };
        let before = self.text.get(..self.at).unwrap_or_default();
        let after = self.rest().get(written.len()..).unwrap_or_default();
        let is_behind = before.is_empty() || before.ends_with(|c: char| c.is_whitespace() || "({".contains(c));
        let is_ahead = after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || c == '(');
        format!("{}{meant}{}", blank(is_behind), blank(is_ahead))
    }

    /// `NOT` where a value follows it: alone it is a name.
    pub(super) fn capital_not(&self) -> Option<&'a str> {
        let (word, after) = self.rest().split_at_checked(3)?;
        let value = after.trim_start();
        let is_separate = value.len() < after.len() && value.starts_with(|c: char| c.is_alphanumeric() || "/$@'\"".contains(c));
        let is_operator = || ["and", "or", "in"].iter().any(|word| value.split(' ').next() == Some(word));
        let fits = word.eq_ignore_ascii_case("not") && (value.starts_with('(') || is_separate && !is_operator());
        fits.then_some(word)
    }
}

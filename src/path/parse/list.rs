//! `x in [1, 2]`: another spelling of `x == 1 or x == 2`, and the same tree.

use super::Parser;
use crate::path::PathError;
use crate::path::ast::{Expr, Op, Spot, Step, StepKind};

impl Parser<'_> {
    /// ` in [`
    pub(super) fn is_list_ahead(&mut self) -> bool {
        let start = self.at;
        let is_ahead = self.space() && self.word("in") && {
            self.space();
            self.eat("[")
        };
        if !is_ahead {
            self.at = start;
        }
        is_ahead
    }

    /// `1, 2]`: whether the value is one of these, as `left == 1 or left == 2`.
    pub(super) fn one_of(&mut self, left: Expr, from: usize) -> Result<Expr, PathError> {
        let size = size(&left);
        let mut found: Option<Expr> = None;
        loop {
            self.space();
            if self.eat("]") {
                let start = self.at - 1;
                return found.ok_or_else(|| self.error(start..self.at, "values are missing, such as in [1, 2]"));
            }
            if found.is_some() {
                let separator = if self.peek().is_some() { "," } else { "]" };
                self.expect(separator, "a value")?;
                self.space();
            }
            // each gets a copy of what stands left
            self.links += size;
            self.link()?;
            let right = Box::new(self.compared()?);
            let at = Spot(from..self.at);
            let equal = Expr::Binary {
                op: Op::Equal,
                left: Box::new(left.clone()),
                right,
                at: at.clone(),
            };
            found = Some(match found {
                None => equal,
                Some(before) => Expr::Binary {
                    op: Op::Or,
                    left: Box::new(before),
                    right: Box::new(equal),
                    at,
                },
            });
        }
    }
}

/// How much a copy of it takes.
fn size(expr: &Expr) -> usize {
    let of_step = |step: &Step| match &step.kind {
        StepKind::Filter(condition) => size(condition),
        _ => 0,
    };
    1 + match expr {
        Expr::Literal(_) | Expr::Variable(..) => 0,
        Expr::Path(path) => path.steps.iter().map(of_step).sum(),
        Expr::Negated(inner) | Expr::Not(inner) => size(inner),
        Expr::Binary { left, right, .. } => size(left) + size(right),
        Expr::Call { args, .. } => args.iter().map(size).sum(),
    }
}

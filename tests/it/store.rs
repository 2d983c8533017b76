//! The store against a sorted list: whatever the chunks, the order of arrival, failures and the budget, it answers what the list does.

#[path = "store/fake.rs"]
mod fake;
#[path = "store/plan.rs"]
mod plan;
#[path = "store/simulation.rs"]
mod simulation;
#[path = "store/state.rs"]
mod state;

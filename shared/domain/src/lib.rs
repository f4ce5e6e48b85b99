//! The words of the business, and the events that tell about it.
//!
//! Every type here can only hold a legal value: it is checked once, where it is parsed, and trusted from there on.
//! What is wrong with a value is said in a sentence for the person who sent it.
//!
//! ```
//! use domain::Quantity;
//! assert_eq!(Quantity::new(0).unwrap_err().to_string(), "quantity must be an integer between 1 and 1000000, not 0");
//! ```

mod amount;
mod category;
pub mod events;
mod id;
mod integer;
mod note;
mod object;
mod order;
mod status;
mod stock;

pub use amount::{AmountError, Price, Quantity};
pub use category::{Category, UnknownCategory};
pub use events::{ClassificationJob, Finding, OrderClassified, OrderCreated, OrderEnded};
pub use id::{CustomerId, IdError, ItemId, OrderId, Tier};
pub use note::{Note, NoteError};
pub use order::{NewOrder, OrderLine, OrderLines, OrderLinesError};
pub use status::{Decider, OrderStatus, Outcome, UnknownStatus};
pub use stock::{Hold, HoldLine, HoldStatus, Holding, StockItem, refusals};

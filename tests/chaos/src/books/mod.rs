//! The books: what the databases, the brokers and the mailbox say, and whether it balances.

mod entries;
mod read;
mod rules;
#[cfg(test)]
mod tests;

use uuid::Uuid;

use crate::load::Asked;

pub(crate) use self::entries::{
    Books, Ended, Holding, Imbalance, Mail, Order, OutboxRow, Reservation, Stock, Waiting, Written,
};
pub(crate) use self::read::Databases;

impl Books {
    /// Everything that does not balance, orders first.
    pub(crate) fn imbalances(&self) -> Vec<Imbalance> {
        rules::check(self)
    }

    /// How many customers know that their order was accepted.
    pub(crate) fn accepted(&self) -> usize {
        let accepted = |asked: &&Asked| asked.accepted().next().is_some();
        self.asked.iter().filter(accepted).count()
    }

    /// How many mails came again.
    pub(crate) fn doubled_mails(&self) -> usize {
        let mut ids: Vec<_> = self.mails.iter().map(|mail| &mail.message_id).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        all - ids.len()
    }

    /// How many orders had their event sent again, because they stayed pending.
    pub(crate) fn resent(&self) -> usize {
        self.orders.iter().filter(|order| order.resent > 0).count()
    }

    /// What each book says about one order, a line per entry.
    pub(crate) fn about(&self, id: Uuid) -> Vec<String> {
        let mut lines = Vec::new();
        let order = self.orders.iter().find(|order| order.id == id);
        let customer = order.map_or("", |order| &order.customer_id);
        let asked = self.asked.iter();
        lines.extend(
            asked
                .filter(|asked| asked.customer == customer || asked.accepted().any(|it| it == id))
                .map(|asked| format!("customer      {asked:?}")),
        );
        let title = |title: &str, entry: String| format!("{title:13} {entry}");
        lines.push(title("orders", format!("{order:?}")));
        let key = id.to_string();
        let rows = self.outbox.iter().filter(|row| row.key == key);
        lines.extend(rows.map(|row| title("outbox", format!("{row:?}"))));
        let ended = self.ended.iter().filter(|ended| ended.order_id == id);
        lines.extend(ended.map(|ended| title("order.ended", format!("{ended:?}"))));
        let holdings = self.holdings.iter().filter(|it| it.order_id == id);
        lines.extend(holdings.map(|it| title("holdings", format!("{it:?}"))));
        let held = self.reservations.iter().filter(|it| it.order_id == id);
        lines.extend(held.map(|it| title("reservations", format!("{it:?}"))));
        let written = self.written.iter().filter(|it| it.order_id == id);
        lines.extend(written.map(|it| title("emails", format!("{it:?}"))));
        let mails = self.mails.iter().filter(|mail| mail.order_id == id);
        lines.extend(mails.map(|mail| title("mailbox", format!("{mail:?}"))));
        lines
    }
}

use domain::{NewOrder, OrderId};
use telemetry::http::Client;
use url::Url;
use web::below;

use super::{Answer, CallError, call};

const SERVICE: &str = "orders";

/// The orders service.
#[derive(Debug, Clone)]
pub(crate) struct OrdersClient {
    client: Client,
    base: Url,
}

impl OrdersClient {
    pub(crate) fn new(client: Client, base: Url) -> Self {
        Self { client, base }
    }

    pub(crate) async fn place(&self, order: &NewOrder) -> Result<Answer, CallError> {
        let url = below(&self.base, ["orders"]);
        call(SERVICE, self.client.post(url).json(order)).await
    }

    pub(crate) async fn get(&self, id: OrderId) -> Result<Answer, CallError> {
        let url = below(&self.base, ["orders", &id.to_string()]);
        call(SERVICE, self.client.get(url)).await
    }

    /// The newest orders; the orders service alone knows what its `query` may hold.
    pub(crate) async fn list(&self, query: Option<&str>) -> Result<Answer, CallError> {
        self.list_from("orders", query).await
    }

    /// The same with a query per order.
    pub(crate) async fn list_one_by_one(&self, query: Option<&str>) -> Result<Answer, CallError> {
        self.list_from("orders-nplus1", query).await
    }

    async fn list_from(&self, place: &str, query: Option<&str>) -> Result<Answer, CallError> {
        let mut url = below(&self.base, [place]);
        url.set_query(query);
        call(SERVICE, self.client.get(url)).await
    }
}

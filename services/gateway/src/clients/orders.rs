use axum::http::{HeaderName, HeaderValue};
use domain::{NewOrder, OrderId};
use telemetry::http::Client;
use url::Url;
use web::below;

use super::{Answer, CallError, call};

const SERVICE: &str = "orders";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

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

    /// Places an order; `keys` are the values of `Idempotency-Key` as they came, which the orders service checks.
    pub(crate) async fn place(
        &self,
        order: &NewOrder,
        keys: impl IntoIterator<Item = &HeaderValue>,
    ) -> Result<Answer, CallError> {
        let url = below(&self.base, ["orders"]);
        let request = self.client.post(url).json(order);
        let request = keys
            .into_iter()
            .fold(request, |request, key| request.header(IDEMPOTENCY_KEY, key));
        call(SERVICE, request).await
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

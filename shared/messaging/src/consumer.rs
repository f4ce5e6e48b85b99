//! Receiving: the same for every broker, but for where deliveries come from.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, ServiceBuilder};

use crate::codec::Decode;
use crate::dead_letter::DeadLetters;
use crate::driver::Driver;
use crate::error::{ConnectError, ReceiveError};
use crate::handler::{BatchHandler, Handler};
use crate::settings::Settings;
use crate::stack::{
    BeforeDeadLetter, CatchPanicLayer, DeadLetterLayer, Deliveries, Handle, HandleBatch, Process,
    TraceLayer, manual,
};

/// The broker's part.
pub(crate) trait Receive: Send + 'static {
    /// Receives until `stop`, and has the driver work on what comes.
    fn receive<P: Process>(
        self,
        driver: Arc<Driver<P>>,
        stop: CancellationToken,
    ) -> impl Future<Output = Result<(), ReceiveError>> + Send;
}

/// Receives the messages of topics, a queue or a subscription.
///
/// `kafka::Consumer`, `sqs::Consumer` and `pubsub::Consumer` are this type; each module's `Client` makes them.
pub struct Consumer<R> {
    receive: R,
    settings: Settings,
    dead_letters: Option<Arc<dyn DeadLetters>>,
    probe: Probe,
}

impl<R> Consumer<R> {
    pub(crate) fn new(receive: R, settings: &Settings, probe: Probe) -> Self {
        Self {
            receive,
            settings: settings.clone(),
            dead_letters: None,
            probe,
        }
    }

    /// Where messages go that are given up: a producer, or a place of your own.
    ///
    /// Without it, a message that is rejected is settled and logged as an error, and one that fails with `Retry` is
    /// tried until it works, or until the broker's own policy takes it away.
    pub fn with_dead_letters(self, dead_letters: impl DeadLetters) -> Self {
        Self {
            dead_letters: Some(Arc::new(dead_letters)),
            ..self
        }
    }

    /// Tells whether it can receive now, also while it runs.
    pub fn probe(&self) -> Probe {
        self.probe.clone()
    }
}

#[expect(
    private_bounds,
    reason = "the ways to receive are those of this crate's modules"
)]
impl<R: Receive> Consumer<R> {
    /// Gives each message to a handler until `shutdown`, then finishes what is in hand.
    ///
    /// `handler` comes from [`handle`](crate::stack::handle), which also takes a codec.
    pub async fn run<H, C>(
        self,
        handler: Handle<H, C>,
        shutdown: CancellationToken,
    ) -> Result<(), ReceiveError>
    where
        H: Handler,
        C: Decode<H::Event>,
    {
        let before: Arc<dyn BeforeDeadLetter> = Arc::new(handler.clone());
        self.run_stack(handler, Some(before), shutdown, false).await
    }

    /// Gives messages to a handler together, up to [`Settings::batch_size`]: what has arrived, without waiting for more.
    ///
    /// One batch after the other for each partition, receiver or stream.
    pub async fn run_batch<H, C>(
        self,
        handler: HandleBatch<H, C>,
        shutdown: CancellationToken,
    ) -> Result<(), ReceiveError>
    where
        H: BatchHandler,
        C: Decode<H::Event>,
    {
        self.run_stack(handler, None, shutdown, true).await
    }

    /// Messages to be settled by hand, and what has to run meanwhile: join the two, or spawn one.
    ///
    /// ```no_run
    /// # async fn example(consumer: otel_messaging::kafka::Consumer) -> anyhow::Result<()> {
    /// use tokio_util::sync::CancellationToken;
    ///
    /// let shutdown = CancellationToken::new();
    /// let (mut deliveries, receiving) = consumer.deliveries(shutdown.clone());
    /// let work = async {
    ///     while let Some(delivery) = deliveries.next().await {
    ///         println!("{:?}", delivery.payload());
    ///         delivery.ack();
    ///     }
    /// };
    /// let (received, ()) = tokio::join!(receiving, work);
    /// # Ok(received?) }
    /// ```
    pub fn deliveries(
        self,
        shutdown: CancellationToken,
    ) -> (Deliveries, impl Future<Output = Result<(), ReceiveError>>) {
        let (service, deliveries) = manual();
        (deliveries, self.run_stack(service, None, shutdown, false))
    }

    /// Gives each message to a stack of your own: see [`stack`](crate::stack).
    ///
    /// What it fails with is decided by the consumer, which knows no dead letters then but those of the stack.
    pub async fn run_service<P: Process>(
        self,
        service: P,
        shutdown: CancellationToken,
    ) -> Result<(), ReceiveError> {
        self.drive(service, shutdown, false).await
    }

    async fn run_stack<P: Process>(
        self,
        inner: P,
        before: Option<Arc<dyn BeforeDeadLetter>>,
        shutdown: CancellationToken,
        batches: bool,
    ) -> Result<(), ReceiveError> {
        let settings = &self.settings;
        let dead_letters = self.dead_letters.clone().map(|letters| {
            let layer = DeadLetterLayer::new(letters, settings.max_attempts);
            match before {
                Some(before) => layer.before(before),
                None => layer,
            }
        });
        let timeout = settings.handler_timeout;
        let stack = ServiceBuilder::new()
            .layer(TraceLayer::new(settings.relation))
            .option_layer(dead_letters)
            .layer(CatchPanicLayer)
            .option_layer(timeout.map(tower::timeout::TimeoutLayer::new))
            .map_err(Into::<BoxError>::into)
            .service(inner);
        self.drive(stack, shutdown, batches).await
    }

    /// Boxed, because the compiler cannot see any more that it is `Send` when somebody spawns what holds it.
    fn drive<P: Process>(
        self,
        process: P,
        shutdown: CancellationToken,
        batches: bool,
    ) -> BoxFuture<'static, Result<(), ReceiveError>> {
        let driver = Driver::new(process, &self.settings, batches);
        Box::pin(self.receive.receive(driver, shutdown))
    }
}

impl<R> fmt::Debug for Consumer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Tells whether a consumer can receive. Cheap to clone.
#[derive(Clone)]
pub struct Probe(Arc<dyn Fn() -> BoxFuture<'static, Result<(), ConnectError>> + Send + Sync>);

impl Probe {
    pub(crate) fn new<F>(check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), ConnectError>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(check())))
    }

    /// Whether the broker answers now and has what is received from; on Kafka also whether the group was joined.
    pub async fn check(&self) -> Result<(), ConnectError> {
        (self.0)().await
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

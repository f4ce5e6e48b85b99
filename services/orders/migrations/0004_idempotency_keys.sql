-- What a request was named by its sender: the same name again is the same request.
create table idempotency_keys (
    key text primary key,
    -- What came of it. The order says what was asked: the same key with another order is refused.
    order_id uuid not null references orders (id),
    created_at timestamptz not null
);

-- Old keys are forgotten.
create index idempotency_keys_by_age on idempotency_keys (created_at);

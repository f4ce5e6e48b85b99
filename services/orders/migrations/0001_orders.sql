-- An order and its lines are written once; only status and category change later.
create table orders (
    id uuid primary key,
    customer_id text not null,
    note text not null,
    -- Minor units. The sum of the lines, kept so that listing orders does not need them.
    total bigint not null check (total >= 0),
    status text not null check (status in ('pending', 'confirmed', 'rejected', 'in_review', 'failed')),
    category text,
    -- The trace the order began in, as 32 hex digits; null when tracing was off.
    trace_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- The newest orders are listed first.
create index orders_by_age on orders (created_at desc, id desc);

create table order_items (
    order_id uuid not null references orders (id),
    -- The place of the line in the order, from 0.
    line integer not null,
    item_id text not null,
    quantity bigint not null check (quantity > 0),
    price bigint not null check (price >= 0),
    primary key (order_id, line)
);

-- One decision per order and item, made once and kept: that is what makes both requests safe to repeat.
create table reservations (
    order_id uuid not null,
    item_id text not null references stock (item_id),
    -- Null in a release that came before its reservation: that reservation is refused when it comes.
    quantity bigint check (quantity > 0),
    status text not null check (status in ('reserved', 'refused', 'released')),
    created_at timestamptz not null default now(),
    primary key (order_id, item_id),
    check (quantity is not null or status = 'released')
);

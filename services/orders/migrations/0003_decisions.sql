-- Orders decides what becomes of an order, and says so with an event of its own, `order.ended`.

alter table orders
    -- The number of the last decision about the order; 0 while there is none. It goes out with the event.
    add decision bigint not null default 0,
    -- Why the order has its status, in words for the customer; null if there is nothing to explain.
    add reason text,
    -- The trace context and baggage of the request that placed the order: what happens to it later belongs to that
    -- trace. Null for orders that are older than this column.
    add context jsonb,
    -- How often `order.created` was sent again, because the order stayed pending.
    add resent integer not null default 0,
    -- When it is sent again if the order is still pending. Those that are under way now get some time for their end.
    add resend_at timestamptz not null default now() + interval '2 minutes';

alter table orders alter resend_at drop default;

update orders set decision = 1 where status <> 'pending';

create index orders_to_resend on orders (resend_at) where status = 'pending';

-- A notification in a transaction makes all commits of the cluster wait for each other. The relay is in the process
-- that writes, and is told there; what other processes write it finds when it looks.
drop trigger outbox_notify on outbox;
drop function notify_outbox();

-- All that was told so far is that an order was accepted.
alter table outbox
    add topic text not null default 'order.created',
    -- A relay has taken the row, or nobody is to try it again, until then: no transaction waits for the broker.
    add claimed_until timestamptz;

alter table outbox alter topic drop default;

-- For the rows of a key that are sent one after the other.
create index outbox_by_key on outbox (key, id);

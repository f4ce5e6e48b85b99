-- Events that are still to be sent. A row is written in the transaction of the change it tells about, and deleted
-- when the broker has it, so a change and its event happen both or not at all.
create table outbox (
    id bigint generated always as identity primary key,
    -- Events with the same key go to the same partition.
    key text not null,
    payload jsonb not null,
    -- The trace context and baggage of the request that made the change: the relay that sends the row has no request.
    context jsonb not null,
    created_at timestamptz not null default now()
);

create function notify_outbox() returns trigger language plpgsql as $$
begin
    -- Delivered when the transaction commits, which is when the row can be seen.
    notify outbox;
    return null;
end;
$$;

create trigger outbox_notify after insert on outbox
    for each statement execute function notify_outbox();

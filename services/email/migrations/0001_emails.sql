-- One row per order that was written to: the row is the promise that there is no second mail.
create table emails (
    order_id uuid primary key,
    recipient text not null,
    subject text not null,
    -- What the mail's own Message-ID header says.
    message_id text not null,
    sent_at timestamptz not null default now()
);

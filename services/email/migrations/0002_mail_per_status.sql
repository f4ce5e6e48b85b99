-- One row per order and status that is written about: an order may reach several, and its customer hears of each.
alter table emails add column status text;

-- What was told before follows from its subject, which had one of four endings.
update emails set status = case
    when subject like '% is confirmed' then 'confirmed'
    when subject like '% was rejected' then 'rejected'
    when subject like '% is in review' then 'in_review'
    else 'failed'
end;

alter table emails
    alter column status set not null,
    drop constraint emails_pkey,
    add primary key (order_id, status),
    -- Who writes the mail does so alone until then; null when nobody does. Whoever dies meanwhile gives it back by that.
    add column claimed_until timestamptz,
    -- Null until the mail server has taken the mail. All that was there before was sent.
    alter column sent_at drop not null,
    alter column sent_at drop default;

-- Pieces are held for an order until it is decided what becomes of it; then they are kept for it, or go back.
alter table stock rename reserved to held;
alter table stock rename constraint stock_reserved_check to stock_held_check;
alter table stock add kept bigint not null default 0 check (kept >= 0);

-- What became of each order: the one row that whoever works on an order has to change, and waits for.
-- A statement that has waited for a row sees it as it is then, and rows of other tables as they were when the statement
-- began. So what it must know then stands here.
create table holdings (
    order_id uuid primary key,
    -- Null while the order holds nothing and may still do so. `kept` and `released` are the end.
    status text check (status in ('held', 'kept', 'released')),
    -- The number of the last decision that was followed; 0 while there was none.
    decision bigint not null default 0,
    -- The version before took one item after the other: what an order has from then may be a part of what it wants.
    whole boolean not null default true
);

alter table reservations
    drop constraint reservations_check,
    drop constraint reservations_status_check;

-- They hold nothing. Whether their order has ended is for the orders service to say, which tells it of each order that
-- has ended under the version before.
delete from reservations where status <> 'reserved';

update reservations set status = 'held';

alter table reservations
    alter quantity set not null,
    add constraint reservations_status_check check (status in ('held', 'kept', 'released'));

insert into holdings (order_id, status, whole)
select distinct order_id, 'held', false from reservations;

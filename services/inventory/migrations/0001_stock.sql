-- What is sold, and how much of it there is.
create table stock (
    item_id text primary key,
    name text not null,
    -- Minor units per piece.
    price bigint not null check (price >= 0),
    -- The check is the last word: whatever the service does wrong, no piece is promised twice.
    available bigint not null check (available >= 0),
    reserved bigint not null default 0 check (reserved >= 0)
);

-- The catalogue of the demo: every category that the classifier knows has its items.
-- Load tests order much, so there is plenty of everything but the last one.
insert into stock (item_id, name, price, available) values
    ('ITEM-001', 'wireless mouse', 2999, 1000000),
    ('ITEM-002', 'hand blown glass vase', 4500, 1000000),
    ('ITEM-003', 'fresh strawberries', 599, 1000000),
    ('ITEM-004', 'birthday gift box', 3500, 1000000),
    ('ITEM-005', 'laptop stand', 4999, 1000000),
    ('ITEM-006', 'porcelain tea set', 8900, 1000000),
    ('ITEM-007', 'fresh salmon fillet', 1899, 1000000),
    ('ITEM-008', 'paperback novel', 1299, 1000000),
    ('ITEM-009', 'stainless steel water bottle', 1999, 1000000),
    ('ITEM-010', 'desk lamp, the last five', 7900, 5);

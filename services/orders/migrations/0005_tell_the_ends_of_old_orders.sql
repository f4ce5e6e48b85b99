-- The version before told nobody what it had decided: mail and stock each acted on what was found out. Each order that
-- has ended is told about once, so that they agree with its status. Both can be told what they know.

-- Orders in review had no stock held for them. Their event is sent again, so that the classifier holds it; its finding
-- leaves them in review, unless something that they want is not to be had any more.
insert into outbox (topic, key, payload, context)
select
    'order.created',
    orders.id::text,
    jsonb_build_object(
        'order_id', orders.id,
        'customer_id', orders.customer_id,
        'items', (
            select jsonb_agg(
                jsonb_build_object('item_id', item_id, 'quantity', quantity, 'price', price) order by line
            )
            from order_items where order_id = orders.id
        ),
        'note', orders.note,
        'created_at', orders.created_at
    ),
    '{}'
from orders
where status = 'in_review'
order by created_at;

insert into outbox (topic, key, payload, context)
select
    'order.ended',
    id::text,
    jsonb_build_object(
        'order_id', id,
        'customer_id', customer_id,
        'status', status,
        'category', category,
        'reason', reason,
        'sequence', decision
    ),
    '{}'
from orders
where status <> 'pending'
order by created_at;

"""Publishes one order by way of SNS or EventBridge to a queue, in a trace of its own; prints the span.

publisher.py <endpoint> sns|sns-raw|eventbridge <queue>
"""

import json
import sys

import boto3
from opentelemetry import baggage
from opentelemetry.propagate import inject  # W3C trace context and baggage
from opentelemetry.sdk.trace import TracerProvider

endpoint, way, queue = sys.argv[1:]
client = {
    name: boto3.client(
        name,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    for name in ("sqs", "sns", "events")
}
url = client["sqs"].get_queue_url(QueueName=queue)["QueueUrl"]
attributes = client["sqs"].get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
arn = attributes["Attributes"]["QueueArn"]


def by_sns(order, context, raw):
    sns = client["sns"]
    topic = sns.create_topic(Name=queue)["TopicArn"]
    delivery = {"RawMessageDelivery": "true" if raw else "false"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=delivery)
    carrier = {}
    inject(carrier, context)
    carried = {k: {"DataType": "String", "StringValue": v} for k, v in carrier.items()}
    sns.publish(TopicArn=topic, Message=json.dumps(order), MessageAttributes=carried)


def by_eventbridge(order, context):
    events = client["events"]
    events.put_rule(Name=queue, EventPattern=json.dumps({"source": [queue]}))
    events.put_targets(Rule=queue, Targets=[{"Id": "queue", "Arn": arn}])
    inject(order, context)
    entry = {"Source": queue, "DetailType": "order.created", "Detail": json.dumps(order)}
    events.put_events(Entries=[entry])


tracer = TracerProvider().get_tracer("interop")
with tracer.start_as_current_span("publish") as span:
    context = baggage.set_baggage("order.id", "order-7")
    order = {"id": "order-7"}
    if way == "eventbridge":
        by_eventbridge(order, context)
    else:
        by_sns(order, context, raw=way == "sns-raw")
    ids = span.get_span_context()
    print(f"{ids.trace_id:032x} {ids.span_id:016x}")

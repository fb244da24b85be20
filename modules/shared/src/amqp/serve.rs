//! The side that is called.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt};
use lapin::{
    BasicProperties, Channel, Connection,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use serde_json::value::RawValue;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Broker,
    call::{Answer, is_fault},
};
use crate::{
    Error, Result, jobs,
    rpc::{Service, deadline},
    telemetry::{self, TraceParent},
};

/// Calls that may wait for a service; further ones are refused at once.
const WAITING: i32 = 10_000;

/// How long a queue that nobody serves is kept after a restart of the broker.
const UNSERVED_MS: i32 = 60_000;

/// Answers the calls of one service until `stop`; what is at work then is finished.
pub(super) async fn session(
    broker: Broker,
    connection: &Connection,
    service: Arc<dyn Service>,
    stop: CancellationToken,
) -> lapin::Result<()> {
    let channel = connection.create_channel().await?;
    channel.basic_qos(broker.0.options.workers, BasicQosOptions::default()).await?;
    let queue = broker.name(&format!("rpc.{}", service.name()));
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(WAITING));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    // It is gone with its last consumer: then callers are told at once that nobody is there. One that nobody has
    // subscribed to since the broker was restarted goes too.
    arguments.insert("x-expires".into(), AMQPValue::LongInt(UNSERVED_MS));
    let passing = QueueDeclareOptions { durable: true, auto_delete: true, ..Default::default() };
    channel.queue_declare(queue.as_str().into(), passing, arguments).await?;
    let mut calls = channel
        .basic_consume(
            queue.as_str().into(),
            broker.0.options.instance.as_str().into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let tasks = TaskTracker::new();
    loop {
        tokio::select! {
            call = calls.next() => match call {
                Some(Ok(call)) => {
                    let (broker, channel, service) = (broker.clone(), channel.clone(), service.clone());
                    tasks.spawn(async move { answer(&broker, &channel, &*service, call).await });
                }
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            () = stop.cancelled() => break,
        }
    }
    channel.basic_cancel(calls.tag(), BasicCancelOptions::default()).await?;
    // What was delivered before that is ours.
    while let Some(Some(Ok(call))) = calls.next().now_or_never() {
        let (broker, channel, service) = (broker.clone(), channel.clone(), service.clone());
        tasks.spawn(async move { answer(&broker, &channel, &*service, call).await });
    }
    tasks.close();
    tasks.wait().await;
    Ok(())
}

async fn answer(broker: &Broker, channel: &Channel, service: &dyn Service, call: Delivery) {
    let started = Instant::now();
    let headers = call.properties.headers().as_ref();
    let header = |name: &str| headers.and_then(|headers| headers.inner().get(name));
    let text = |name| match header(name) {
        Some(AMQPValue::LongString(text)) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        _ => None,
    };
    let left = match header("timeout_ms") {
        Some(AMQPValue::LongLongInt(ms)) => Duration::from_millis(u64::try_from(*ms).unwrap_or(0)),
        _ => broker.0.options.call_timeout,
    };
    let method = text("method").unwrap_or_default();
    let trace = text("traceparent").as_deref().and_then(TraceParent::parse).unwrap_or_else(TraceParent::new);
    let followed = broker.0.trail.follow(trace);
    let result = if call.redelivered && !service.repeatable(&method) {
        // The process that had it before may have done it.
        let detail = format!("{} was asked and its process was lost", service.name());
        Err(Error::unavailable(detail))
    } else {
        let until = started + left.min(Duration::from_secs(3_600));
        let work = AssertUnwindSafe(async { service.serve(&method, &call.data).await }).catch_unwind();
        match telemetry::scope(trace, deadline::scope(until, work)).await {
            Ok(result) => result,
            Err(panic) => Err(Error::internal(format!("panicked: {}", jobs::panic_message(&*panic)))),
        }
    };
    if let Err(error) = &result
        && is_fault(error)
    {
        let (service, trace_id) = (service.name(), trace.trace_id());
        tracing::error!(service, method, trace_id, error = error.chain(), "a call failed");
    }
    let took = started.elapsed();
    let (trace_id, code) = (trace.trace_id(), result.as_ref().err().map_or("ok", |error| &*error.code));
    let us = took.as_micros() as u64;
    tracing::debug!(target: "bodega::calls", trace_id, service = service.name(), method, code, us, "served");
    broker.0.meter.record(service.name(), took, result.as_ref().is_err_and(is_fault));
    if let Err(error) = reply(channel, &call, &result, followed.take()).await {
        tracing::warn!(service = service.name(), method, %error, "the answer was not sent");
    }
    acknowledge(&call).await;
}

async fn reply(
    channel: &Channel,
    call: &Delivery,
    result: &Result<Vec<u8>>,
    events: Vec<crate::events::Envelope>,
) -> Result<()> {
    let Some(to) = call.properties.reply_to().clone() else { return Ok(()) };
    let answer = match result {
        Ok(bytes) => {
            let ok: &RawValue = serde_json::from_slice(bytes)?;
            serde_json::to_vec(&Answer { ok: Some(ok), error: None, events })?
        }
        Err(error) => serde_json::to_vec(&Answer { ok: None, error: Some(error.clone()), events })?,
    };
    let id = call.properties.correlation_id().clone().unwrap_or_default();
    let properties = BasicProperties::default().with_correlation_id(id);
    channel
        .basic_publish("".into(), to, BasicPublishOptions::default(), &answer, properties)
        .await
        .map_err(|error| Error::unavailable(error.to_string()))?;
    Ok(())
}

/// If it fails the connection is gone, and the broker delivers the call to somebody else.
async fn acknowledge(call: &Delivery) {
    call.acker.ack(BasicAckOptions::default()).await.ok();
}

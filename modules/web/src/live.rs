//! What has just happened, for pages that are open: server-sent events.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::web::Bytes;
use contracts::product::ProductId;
use futures::{Stream, StreamExt, stream};
use shared::{Error, Result};
use tokio::{
    sync::{
        Semaphore,
        broadcast::{self, Receiver, Sender, error::RecvError},
    },
    time::timeout,
};

/// Streams at once; who comes later does without.
const STREAMS: usize = 1_000;
/// News that a slow reader may fall behind. Who misses some is told once.
const BACKLOG: usize = 64;
/// A comment this often keeps the way open and finds out who has gone.
const BEAT: Duration = Duration::from_secs(20);

/// Tells open pages of products that have a new review.
pub struct Live {
    /// Absent once the shop closes, which ends every stream.
    news: Mutex<Option<Sender<ProductId>>>,
    places: Arc<Semaphore>,
}

impl Default for Live {
    fn default() -> Self {
        let news = Mutex::new(Some(broadcast::channel(BACKLOG).0));
        Self { news, places: Arc::new(Semaphore::new(STREAMS)) }
    }
}

impl Live {
    /// A review of the product has become public.
    pub fn tell(&self, product: ProductId) {
        if let Some(news) = &*self.news.lock().unwrap_or_else(PoisonError::into_inner) {
            // Nobody may be listening.
            let _ = news.send(product);
        }
    }

    /// Ends all streams, so that nobody waits for them.
    pub fn close(&self) {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The product's events until the shop closes. `Unavailable` while too many listen.
    pub fn listen(
        &self,
        product: ProductId,
    ) -> Result<impl Stream<Item = Result<Bytes, Infallible>> + use<>> {
        let busy = || Error::unavailable("too many pages are listening");
        let place = self.places.clone().try_acquire_owned().map_err(|_| busy())?;
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Sender::subscribe);
        let news = news.ok_or_else(busy)?;
        let events = stream::unfold((news, place), move |(mut news, place)| async move {
            let text = match timeout(BEAT, next(&mut news, product)).await {
                Err(_) => ":\n\n",
                Ok(true) => "event: review\ndata:\n\n",
                Ok(false) => return None,
            };
            Some((text, (news, place)))
        });
        Ok(stream::iter([":\n\n"]).chain(events).map(|text| Ok(Bytes::from_static(text.as_bytes()))))
    }
}

/// Waits for news of the product, or for some that were missed; false once there will be none.
async fn next(news: &mut Receiver<ProductId>, product: ProductId) -> bool {
    loop {
        match news.recv().await {
            Ok(other) if other != product => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return true,
            Err(RecvError::Closed) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_hears_of_its_own_product_until_the_shop_closes() {
        let live = Live::default();
        let (own, other) = (ProductId::new(), ProductId::new());
        let stream = live.listen(own).unwrap();
        live.tell(other);
        live.tell(own);
        live.close();
        let heard: Vec<_> = stream.map(|text| text.unwrap()).collect().await;
        assert_eq!(heard, [":\n\n", "event: review\ndata:\n\n"]);
        assert!(live.listen(own).is_err());
    }

    #[tokio::test]
    async fn there_are_only_so_many_places_and_who_leaves_makes_room() {
        let live = Live { places: Arc::new(Semaphore::new(1)), ..Live::default() };
        let first = live.listen(ProductId::new()).unwrap();
        assert!(live.listen(ProductId::new()).is_err());
        drop(first);
        assert!(live.listen(ProductId::new()).is_ok());
    }
}

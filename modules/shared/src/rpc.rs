//! Calls between modules: `port!` declares a trait once and yields the trait, its remote `Client` and its `Server`.

pub mod deadline;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Error, Result};

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// The port's name: `order`, or `product.stock` where a module has two.
    pub service: &'static str,
    /// The method's name.
    pub name: &'static str,
    /// Whether running it twice does no harm: it reads, or what it does has an id of its own.
    pub repeatable: bool,
}

/// Carries a call to another process.
#[async_trait]
pub trait Transport: Send + Sync {
    /// `args` and the answer are JSON. Errors of the called method come back as they are; trouble on the way is
    /// `Unavailable`.
    async fn call(&self, method: Method, args: Vec<u8>) -> Result<Vec<u8>>;
}

/// Answers calls that arrived from another process.
#[async_trait]
pub trait Service: Send + Sync {
    /// The port's name.
    fn name(&self) -> &'static str;
    /// Whether a method may be run again when nobody knows how far it came: see [`Method::repeatable`].
    fn repeatable(&self, method: &str) -> bool;
    /// Runs one method. `args` is a JSON array of its arguments.
    async fn serve(&self, method: &str, args: &[u8]) -> Result<Vec<u8>>;
}

/// A transport without a wire: every call and every answer, errors too, is serialised as if there were one.
pub struct Loopback(pub Arc<dyn Service>);

#[async_trait]
impl Transport for Loopback {
    async fn call(&self, method: Method, args: Vec<u8>) -> Result<Vec<u8>> {
        assert_eq!(method.service, self.0.name(), "a loopback leads to one service");
        let reply = self.0.serve(method.name, &args).await;
        let wire = serde_json::to_vec(&reply)?;
        let reply: Result<Box<serde_json::value::RawValue>> = serde_json::from_slice(&match reply {
            Ok(bytes) => [b"{\"Ok\":".as_slice(), &bytes, b"}"].concat(),
            Err(_) => wire,
        })?;
        reply.map(|raw| raw.get().as_bytes().to_vec())
    }
}

/// Declares a port.
///
/// ```ignore
/// port! {
///     /// What others may ask of the catalogue.
///     pub trait Catalogue as "product" repeats [find] {
///         /// Returns a product.
///         async fn find(&self, id: ProductId) -> Product;
///     }
/// }
/// ```
/// expands to `trait Catalogue { async fn find(&self, id: ProductId) -> shared::Result<Product>; }`,
/// `struct Client(Arc<dyn Transport>)` that implements it by sending `[id]` as JSON to `product` / `find`,
/// and `struct Server(Arc<dyn Catalogue>)`, a [`Service`] that does the reverse. `repeats` names the methods that do no
/// harm when they run twice.
#[macro_export]
macro_rules! port {
    (
        $(#[$meta:meta])*
        $vis:vis trait $Port:ident as $name:literal repeats [$($again:ident),* $(,)?] {
            $(
                $(#[$mmeta:meta])*
                async fn $method:ident(&self $(, $arg:ident : $ty:ty)* $(,)?) -> $ret:ty;
            )*
        }
    ) => {
        $(#[$meta])*
        #[async_trait::async_trait]
        $vis trait $Port: Send + Sync {
            $( $(#[$mmeta])* async fn $method(&self $(, $arg: $ty)*) -> $crate::Result<$ret>; )*
        }

        const REPEATABLE: &[&str] = &[$(stringify!($again)),*];

        // Each of them exists.
        const _: () = {
            #[expect(dead_code, reason = "it is only compiled")]
            fn exist<P: $Port>() {
                $( let _ = P::$again; )*
            }
        };

        #[doc = concat!("Calls [`", stringify!($Port), "`] in another process.")]
        $vis struct Client(pub std::sync::Arc<dyn $crate::rpc::Transport>);

        #[async_trait::async_trait]
        impl $Port for Client {
            $(
                async fn $method(&self $(, $arg: $ty)*) -> $crate::Result<$ret> {
                    let args = serde_json::to_vec(&($($arg,)*))?;
                    let name = stringify!($method);
                    let repeatable = REPEATABLE.contains(&name);
                    let method = $crate::rpc::Method { service: $name, name, repeatable };
                    let reply = self.0.call(method, args).await?;
                    Ok(serde_json::from_slice(&reply)?)
                }
            )*
        }

        #[doc = concat!("Serves [`", stringify!($Port), "`] to other processes.")]
        $vis struct Server(pub std::sync::Arc<dyn $Port>);

        #[async_trait::async_trait]
        impl $crate::rpc::Service for Server {
            fn name(&self) -> &'static str {
                $name
            }

            fn repeatable(&self, method: &str) -> bool {
                REPEATABLE.contains(&method)
            }

            async fn serve(&self, method: &str, args: &[u8]) -> $crate::Result<Vec<u8>> {
                match method {
                    $(
                        stringify!($method) => {
                            let ($($arg,)*): ($($ty,)*) = $crate::rpc::arguments(args)?;
                            Ok(serde_json::to_vec(&self.0.$method($($arg),*).await?)?)
                        }
                    )*
                    _ => Err($crate::rpc::no_such_method($name, method)),
                }
            }
        }
    };
}
pub use port;

/// Parses the arguments of a call. A method without arguments is sent as `[]` or `null`.
pub fn arguments<T: serde::de::DeserializeOwned>(args: &[u8]) -> Result<T> {
    Ok(serde_json::from_slice(args)?)
}

/// The caller is newer than the module it calls.
pub fn no_such_method(service: &str, method: &str) -> Error {
    Error::unavailable(format!("{service} has no method {method} in this version"))
}

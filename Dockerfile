# syntax=docker/dockerfile:1
# The shop as an image: one binary with everything that can be added to it, on Debian.
#
#   docker build -t bodega .
#   docker run -p 8080:8080 -v bodega:/data bodega                      the embedded shop, with its demo
#   docker run … bodega serve --host order,payment                     some modules: docs/CLUSTER.md
#   docker run … bodega migrate                                        any other command

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# All that the binary is made of; what is embedded (migrations, settings, pages, the demo's pictures) is among it.
COPY Cargo.toml Cargo.lock ./
COPY config config
COPY migrations migrations
COPY modules modules
COPY src src
ARG FEATURES=full
# Crates and what has been compiled of them stay with the builder, in caches that are not part of the image: after a change
# only our own crates are compiled again. A builder without caches compiles everything, and makes the same image.
RUN --mount=type=cache,id=bodega-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=bodega-target,target=/src/target,sharing=locked \
    cargo build --profile dist --locked --features "$FEATURES" --bin bodega \
    && strip --strip-debug -o /usr/local/bin/bodega target/dist/bodega \
    && mkdir /data

FROM debian:bookworm-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Bodega" \
    org.opencontainers.image.description="A complete online shop in one binary that grows into services" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION"
# Whom TLS connections to Redis are checked against; the others bring their own list.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY LICENSE /usr/share/doc/bodega/
COPY --from=build /usr/local/bin/bodega /usr/local/bin/
# Databases that are embedded, the search index, pictures and the secret. A number, so that Kubernetes can see that it is
# not root.
COPY --from=build --chown=10001:10001 /data /data
USER 10001:10001
WORKDIR /data
VOLUME /data
ENV BODEGA__DATA_DIR=/data \
    BODEGA__SERVER__LISTEN=0.0.0.0:8080 \
    BODEGA__LOG__FORMAT=json
EXPOSE 8080
# It leaves Consul, answers what it has begun (25 s at most) and ends: give it 30 s.
STOPSIGNAL SIGTERM
# No HEALTHCHECK: nothing in the image can ask, and opening the databases again every few seconds (`bodega doctor`) is not a
# question about this process. Ask GET /healthz (it lives) and GET /readyz (it can serve) on port 8080 from outside.
ENTRYPOINT ["bodega"]
CMD ["serve"]

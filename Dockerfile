# Three images from one build: docker build --target postern | postern-issuer | trading-demo .
# Each holds one program with the Swift runtime inside, the few libraries it links with, and a user without rights.

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libssl-dev libhiredis-dev libsqlite3-dev libpq-dev zlib1g-dev \
        pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build

# The dependencies change less often than the code: fetched in a layer of their own.
COPY Package.swift ./
RUN swift package resolve

COPY Tests Tests
COPY Sources Sources
RUN swift build -c release --static-swift-stdlib \
    && mkdir /dist \
    && for program in postern postern-issuer trading-demo; do \
        strip -o "/dist/$program" ".build/release/$program" || exit 1; \
    done

FROM debian:bookworm-slim AS runtime
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 libhiredis0.14 libsqlite3-0 libpq5 libstdc++6 \
        zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin postern

FROM runtime AS trading-demo
LABEL org.opencontainers.image.title="trading-demo" \
      org.opencontainers.image.description="An ordinary service without any authentication, to stand behind Postern"
COPY --from=build /dist/trading-demo /usr/local/bin/trading-demo
USER 10001:10001
EXPOSE 8001
ENTRYPOINT ["/usr/local/bin/trading-demo"]
CMD ["mt5", "--host", "0.0.0.0", "--port", "8001"]

FROM runtime AS postern-issuer
LABEL org.opencontainers.image.title="postern-issuer" \
      org.opencontainers.image.description="A small OAuth 2.0 authorization server, companion of Postern"
COPY --from=build /dist/postern-issuer /usr/local/bin/postern-issuer
# The embedded store and the key that protects it.
RUN install -d -m 0700 -o postern -g postern /var/lib/postern-issuer
VOLUME /var/lib/postern-issuer
USER 10001:10001
ENV POSTERN_ISSUER_LISTEN=0.0.0.0:8000 \
    POSTERN_ISSUER_STORE=sqlite:/var/lib/postern-issuer/store.sqlite
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /health HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r -u 3 version status rest && [ \"$status\" = 200 ]"]
ENTRYPOINT ["/usr/local/bin/postern-issuer"]
CMD ["run"]

# The last stage: what `docker build .` makes. The configuration is mounted at /etc/postern/proxy.yaml.
FROM runtime AS postern
LABEL org.opencontainers.image.title="postern" \
      org.opencontainers.image.description="Sidecar authentication reverse proxy"
COPY --from=build /dist/postern /usr/local/bin/postern
WORKDIR /etc/postern
USER 10001:10001
EXPOSE 8080 9901
# SIGTERM drains: give `docker stop` longer than timeouts.drain.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/postern", "health", "--config", "/etc/postern/proxy.yaml"]
ENTRYPOINT ["/usr/local/bin/postern"]
CMD ["run", "--config", "/etc/postern/proxy.yaml"]

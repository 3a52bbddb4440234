# Three images from one build: docker build --target postern | postern-issuer | trading-demo .
# Each holds one program with the Swift runtime inside, the few libraries it links with, and a user without rights; all run with a
# read-only root filesystem. Debian's package database stays in, because a scanner makes its SBOM from it.
# The bases are pinned to a day's build; who mirrors them pins a digest: --build-arg RUNTIME_BASE=registry/debian@sha256:…
ARG BUILD_BASE=swift:6.3.1-bookworm
ARG RUNTIME_BASE=debian:bookworm-20250929-slim

FROM ${BUILD_BASE} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libssl-dev libhiredis-dev libyaml-dev libsqlite3-dev libpq-dev zlib1g-dev \
        pkg-config python3 binutils \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build

# The dependencies change less often than the code: fetched in a layer of their own.
COPY Package.swift ./
RUN swift package resolve

COPY Tests Tests
COPY Sources Sources
COPY deploy/local deploy/local
RUN bash -c 'source deploy/local/lib.sh && build_release' \
    && mkdir /dist \
    && for program in postern postern-issuer trading-demo; do \
        strip -o "/dist/$program" ".build/release/$program" || exit 1; \
    done

FROM ${RUNTIME_BASE} AS runtime
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 libhiredis0.14 libyaml-0-2 libsqlite3-0 libpq5 libstdc++6 \
        zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin postern
COPY --chmod=0555 deploy/compose/http-healthy.sh /usr/local/bin/http-healthy
# What does not come from the code: `docker build --build-arg VERSION=… --build-arg REVISION="$(git rev-parse HEAD)"`.
ARG RUNTIME_BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/${RUNTIME_BASE}"

FROM runtime AS trading-demo
LABEL org.opencontainers.image.title="trading-demo" \
      org.opencontainers.image.description="An ordinary service without any authentication, to stand behind Postern"
COPY --from=build /dist/trading-demo /usr/local/bin/trading-demo
USER 10001:10001
EXPOSE 8001
# For the MT5 API, which the command below starts; compose.yaml has the ports of the others.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/usr/local/bin/http-healthy", "8001"]
ENTRYPOINT ["/usr/local/bin/trading-demo"]
CMD ["mt5", "--host", "0.0.0.0", "--port", "8001"]

FROM runtime AS postern-issuer
LABEL org.opencontainers.image.title="postern-issuer" \
      org.opencontainers.image.description="A small OAuth 2.0 authorization server, companion of Postern"
COPY --from=build /dist/postern-issuer /usr/local/bin/postern-issuer
# The embedded store and the key that protects it; what setting up a deployment printed (deploy/compose/issuer.sh).
RUN install -d -m 0700 -o postern -g postern /var/lib/postern-issuer /var/lib/postern-clients
VOLUME /var/lib/postern-issuer
USER 10001:10001
ENV POSTERN_ISSUER_LISTEN=0.0.0.0:8000 \
    POSTERN_ISSUER_STORE=sqlite:/var/lib/postern-issuer/store.sqlite
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/http-healthy", "8000"]
ENTRYPOINT ["/usr/local/bin/postern-issuer"]
CMD ["run"]

# The last stage: what `docker build .` makes. The folder of the configuration is mounted at /etc/postern (a file that is mounted
# by itself is not seen to change); POSTERN_CONFIG names another file there.
FROM runtime AS postern
LABEL org.opencontainers.image.title="postern" \
      org.opencontainers.image.description="Sidecar authentication reverse proxy"
COPY --from=build /dist/postern /usr/local/bin/postern
WORKDIR /etc/postern
USER 10001:10001
ENV POSTERN_CONFIG=/etc/postern/proxy.yaml
EXPOSE 8080 9901 9902
# SIGTERM drains: give `docker stop` longer than timeouts.drain.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/postern", "health"]
ENTRYPOINT ["/usr/local/bin/postern"]
CMD ["run"]

# The bank's one image: the bundles of all functions, of which the Service names one, the migrations, and the smoke test.
#
#   docker build -t dev.local/microbank .
#   docker run --rm --read-only dev.local/microbank transfer
#   bash knative/image/try.sh
#
# To pin the base put its digest behind the tag: node:24-bookworm-slim@sha256:...
ARG NODE=node:24-bookworm-slim

# Bundles are the same for every platform, so they are made on the one that builds.
FROM --platform=$BUILDPLATFORM ${NODE} AS bundles
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && rm -r dist/local dist/declarations.cjs

# What a bundle can't hold: argon2, which npm has compiled for the platform of the image. Fetching it needs no emulation.
FROM --platform=$BUILDPLATFORM ${NODE} AS native
ARG TARGETARCH=amd64
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --os=linux --libc=glibc --cpu="$(echo "$TARGETARCH" | sed s/amd64/x64/)"

FROM ${NODE}
# Whoever releases it adds source, version and revision, which the tree itself doesn't know.
LABEL org.opencontainers.image.title="microbank" \
      org.opencontainers.image.description="A serverless bank: every operation a function, every fact an event, every cent in a double-entry ledger." \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production NODE_COMPILE_CACHE=/microbank/compile-cache
WORKDIR /microbank
COPY --from=native /build/node_modules/@node-rs node_modules/@node-rs
COPY --from=bundles /build/dist dist
COPY --from=bundles /build/knative/build/compile-cache.mjs compile-cache.mjs
RUN mkdir compile-cache && chown 1000:1000 compile-cache
# By number, which is what Kubernetes can see not to be root.
USER 1000:1000
# Node takes from the cache only what it wrote itself, as the same user and under the same path.
RUN ["node", "compile-cache.mjs", "dist/functions", "compile-cache"]
EXPOSE 8080
ENTRYPOINT ["node", "dist/function.cjs"]

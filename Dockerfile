# The bank's one image: the bundles of all functions (a Service names the one that it runs), the migrations
# and the smoke test.
#
#   docker build -t dev.local/microbank .
#   docker run --rm --read-only dev.local/microbank transfer
#   bash knative/image/try.sh
#
# To pin the base, put its digest after the tag: node:24-bookworm-slim@sha256:...
ARG NODE=node:24-bookworm-slim

# Bundles are the same for every platform, so they are made on the platform that builds.
FROM --platform=$BUILDPLATFORM ${NODE} AS bundles
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && rm -r dist/local dist/declarations.cjs

# What a bundle can't hold: argon2 and sharp, compiled for the image's platform. Fetching them needs no emulation.
# sharp asks three more packages for their help.
FROM --platform=$BUILDPLATFORM ${NODE} AS native
ARG TARGETARCH=amd64
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --os=linux --libc=glibc --cpu="$(echo "$TARGETARCH" | sed s/amd64/x64/)"

FROM ${NODE}
# The release adds source, version and revision, which the tree itself doesn't know.
LABEL org.opencontainers.image.title="microbank" \
      org.opencontainers.image.description="A serverless bank: every operation a function, every fact an event, every cent in a double-entry ledger." \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production NODE_COMPILE_CACHE=/microbank/compile-cache
WORKDIR /microbank
COPY --from=native /build/node_modules/@node-rs node_modules/@node-rs
COPY --from=native /build/node_modules/@img node_modules/@img
COPY --from=native /build/node_modules/sharp node_modules/sharp
COPY --from=native /build/node_modules/detect-libc node_modules/detect-libc
COPY --from=bundles /build/dist dist
COPY --from=bundles /build/knative/build/compile-cache.mjs compile-cache.mjs
RUN mkdir compile-cache && chown 1000:1000 compile-cache
# The user is given by number: only so can Kubernetes see that it is not root.
USER 1000:1000
# Node reads from the cache only what it wrote itself, as the same user and under the same path.
RUN ["node", "compile-cache.mjs", "dist/functions", "compile-cache"]
EXPOSE 8080
ENTRYPOINT ["node", "dist/function.cjs"]

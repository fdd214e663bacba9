# latchkey as an image: built in one stage, run in another that holds production dependencies and nothing to build with.
#
#   docker build -t latchkey .
#   docker run --read-only --tmpfs /tmp --ulimit core=0 --cap-drop ALL --security-opt no-new-privileges -p 8080:8080 -v latchkey-data:/data -v ./latchkey.yaml:/etc/latchkey/latchkey.yaml:ro latchkey
#
# (a core dump would hold the keys, so there is to be none)
#
# In the configuration: listeners on 0.0.0.0:8080, `data_dir: /data`, operations on 127.0.0.1:9180 (or OPERATIONS below).
# test/package/image-steps.test.ts goes through the same steps without a container engine, `npm run image` really builds and runs it.

# Node.js 26 with npm and an account `node`. Where no registry is reachable, `npm run image` makes a base of its own and names it here.
ARG BASE=node:26-slim

FROM ${BASE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY gateway gateway
RUN node gateway/build.mjs

FROM ${BASE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
# The image has its own Node.js, so the optional packages that carry one stay out.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${BASE}
ENV NODE_ENV=production \
    OPERATIONS=http://127.0.0.1:9180
WORKDIR /opt/latchkey
COPY --from=dependencies /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json CHANGELOG.md LICENSE ./
COPY gateway/latchkey.mjs gateway/runtime.mjs gateway/
COPY config config
# Only the data folder belongs to the account that runs; a volume on it takes over owner and mode.
RUN ln -s /opt/latchkey/gateway/latchkey.mjs /usr/local/bin/latchkey && install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(process.env.OPERATIONS + '/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["latchkey"]
CMD ["serve", "--config", "/etc/latchkey/latchkey.yaml"]

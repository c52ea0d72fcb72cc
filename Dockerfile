# The service in an image: the core is compiled in one stage, and what runs carries no compiler.
#   docker build -t nigh . && docker run --rm -p 8080:8080 -e NIGH_TOKEN=… -v "$PWD/indexes:/data" nigh serve shop --host 0.0.0.0
FROM node:22-bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 make g++ \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /nigh
COPY package.json package-lock.json binding.gyp tsconfig.json ./
COPY native native
COPY src src
COPY indexes indexes
# The headers of Node that it was built with lie in the image; NIGH_SETUP keeps npm from compiling what the next line compiles.
RUN export npm_config_nodedir=/usr/local && NIGH_SETUP=1 ONNXRUNTIME_NODE_INSTALL=skip npm ci && npm run build
# What is optional for others is here: databases, pictures, ONNX models, hnswlib-node, at the releases that the tests run with.
RUN npm pkg set $(node -p "const { peerDependencies, devDependencies } = require('./package.json'); Object.keys(peerDependencies).map((name) => 'dependencies.' + name + '=' + devDependencies[name]).join(' ')") \
 && npm pkg delete devDependencies peerDependencies peerDependenciesMeta \
 && npm prune --ignore-scripts \
 && rm -rf node_modules/onnxruntime-node/bin/*/darwin node_modules/onnxruntime-node/bin/*/win32

FROM node:22-bookworm-slim
LABEL org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production NIGH_INDEXES=/data
WORKDIR /nigh
COPY --from=build /nigh/package.json ./
COPY --from=build /nigh/node_modules node_modules
COPY --from=build /nigh/build/Release/nigh.node build/Release/nigh.node
COPY --from=build /nigh/dist dist
COPY --from=build /nigh/indexes indexes
# Nothing of the image has to be written to; collections are a volume that user 1000 can read, and write where it builds. A new volume gets its owner from
# this folder.
RUN install -d -o 1000 -g 1000 /data
USER 1000:1000
VOLUME /data
EXPOSE 8080
# /readyz would take a service out that is only catching up; a container is unhealthy when its process no longer answers.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/nigh/dist/cli/main.js"]
CMD ["--help"]

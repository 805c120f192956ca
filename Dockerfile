# The server and nothing else; Postgres is outside (compose.yaml, docs/deploy/docker.md).
# tests/system/image.system.ts runs the same npm commands.

FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# the embedded Postgres is an optional dependency
RUN npm ci --omit=dev --omit=optional

FROM node:26-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json ./
# the migrations, which the server applies when it starts
COPY drizzle ./drizzle
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/build ./build
USER node
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s \
	CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "build"]

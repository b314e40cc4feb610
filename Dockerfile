FROM node:22-slim AS console
WORKDIR /source/console
COPY console/package.json console/package-lock.json ./
RUN npm ci --no-fund --no-audit
COPY console ./
RUN npm run build

FROM python:3.13-slim AS build
WORKDIR /source
RUN python -m venv /opt/geckos3
COPY pyproject.toml README.md LICENSE ./
COPY gecko_tw gecko_tw
COPY --from=console /source/gecko_tw/admin/static gecko_tw/admin/static
COPY twisted twisted
RUN /opt/geckos3/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="geckos3" \
      org.opencontainers.image.description="A self-hosted, S3-compatible object store on Twisted" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --system --gid 10001 geckos3 \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin geckos3 \
    && install --directory --owner=geckos3 --group=geckos3 --mode=0750 /data
COPY --from=build /opt/geckos3 /opt/geckos3
ENV PATH=/opt/geckos3/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    GECKOS3_DATA_DIR=/data \
    GECKOS3_LISTEN=:9000 \
    GECKOS3_ADMIN_LISTEN=:9001
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 9000 9001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["geckos3", "healthcheck"]
ENTRYPOINT ["geckos3"]
CMD ["serve"]

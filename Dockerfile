# syntax=docker/dockerfile:1
# Build:  docker build -t hushwire .
# Run:    docker run --rm -p 8080:8080 -e HUSHWIRE_UPSTREAM=ws://host.docker.internal:9000 \
#             --add-host=host.docker.internal:host-gateway hushwire
# Every option of `hushwire run` is an environment variable too: --max-message is HUSHWIRE_MAX_MESSAGE.

FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/hushwire
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
COPY proxy proxy
COPY rules rules
# The tested versions; the cache keeps a change of code from downloading them again.
RUN --mount=type=cache,target=/root/.cache/pip /opt/hushwire/bin/pip install -c constraints.txt .

FROM python:3.11-slim
# The root file system may be read-only (docker run --read-only). What outlives a container is kept in the volume: the
# key of the installation, without which nobody can undo what it encrypted, and the versions of the rules.
RUN useradd --system --no-create-home --shell /usr/sbin/nologin hushwire && install -d -o hushwire -m 0700 /var/lib/hushwire
COPY --from=build /opt/hushwire /opt/hushwire
ENV PATH=/opt/hushwire/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HUSHWIRE_LISTEN=0.0.0.0:8080 \
    HUSHWIRE_ADMIN=127.0.0.1:8081 \
    XDG_STATE_HOME=/var/lib
VOLUME /var/lib/hushwire
USER hushwire
WORKDIR /
EXPOSE 8080
# The admin port stays inside: to scrape it from outside, set HUSHWIRE_ADMIN=0.0.0.0:8081 and a token.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --start-interval=1s CMD ["hushwire", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["hushwire"]
CMD ["run"]

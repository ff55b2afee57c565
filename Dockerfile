# The image of every process of pangate: serve, worker, beat and the command line. It is built from the lock, and runs as nobody special.
#   docker build -t pangate .
FROM python:3.11-slim-bookworm AS built
WORKDIR /opt/pangate
RUN python -m venv /opt/environment
COPY requirements.lock ./
RUN /opt/environment/bin/python -m pip install --no-cache-dir --no-input --require-hashes -r requirements.lock

FROM python:3.11-slim-bookworm
# The folder takes everybody: Docker gives a tmpfs over it to root, with the mode that stands here (runc 1.1).
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends libcurl4 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 pangate \
    && useradd --uid 10001 --gid pangate --home-dir /var/lib/pangate --create-home --shell /usr/sbin/nologin pangate \
    && chmod 1777 /var/lib/pangate
COPY --from=built /opt/environment /opt/environment
WORKDIR /opt/pangate
COPY schema ./schema
COPY catalogue ./catalogue
COPY harvesters ./harvesters
COPY triggers ./triggers
COPY gateway ./gateway
COPY pangate ./pangate
ENV PATH=/opt/environment/bin:$PATH \
    PYTHONPATH=/opt/pangate \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PANGATE_HOST=0.0.0.0 \
    PANGATE_DATA=/var/lib/pangate \
    PANGATE_FEDERATION=/etc/pangate/federation.yaml
USER 10001:10001
VOLUME /var/lib/pangate
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "pangate"]
CMD ["serve"]

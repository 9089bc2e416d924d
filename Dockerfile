# docker build -t tollkey . && docker run -p 127.0.0.1:8420:8420 -v tollkey:/data tollkey
FROM python:3.13-slim AS build
WORKDIR /source
RUN python -m venv /opt/tollkey
COPY requirements requirements
RUN /opt/tollkey/bin/pip install --no-cache-dir --require-hashes -r requirements/server.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
RUN /opt/tollkey/bin/pip install --no-cache-dir --no-deps --no-build-isolation '.[server,metrics]'

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home tollkey \
    && install --directory --owner tollkey --mode 700 /data
COPY --from=build /opt/tollkey /opt/tollkey
ENV PATH=/opt/tollkey/bin:$PATH PYTHONUNBUFFERED=1 TOLLKEY_HOST=0.0.0.0 TOLLKEY_PORT=8420 TOLLKEY_DATA=/data
USER 10001
VOLUME /data
EXPOSE 8420
HEALTHCHECK --start-period=20s --interval=30s --timeout=3s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['TOLLKEY_PORT'] + '/healthz', timeout=2)"]
CMD ["tollkey", "serve"]

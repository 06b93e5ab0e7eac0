# One image, three commands: serve, worker, watch (and migrate). Nothing is downloaded when it runs.
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements-tools.lock requirements.lock ./
RUN python -m venv /opt/fieldvisit \
 && /opt/fieldvisit/bin/pip install --no-cache-dir --require-hashes -r requirements-tools.lock \
 && /opt/fieldvisit/bin/uv pip install --no-cache --compile-bytecode --python /opt/fieldvisit/bin/python \
      --require-hashes -r requirements.lock
COPY . .
RUN /opt/fieldvisit/bin/uv pip install --no-cache --compile-bytecode --python /opt/fieldvisit/bin/python --no-deps . \
 && /opt/fieldvisit/bin/uv pip uninstall --python /opt/fieldvisit/bin/python uv

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 fieldvisit \
 && install -d -o fieldvisit -g fieldvisit /data
COPY --from=build /opt/fieldvisit /opt/fieldvisit
ENV PATH=/opt/fieldvisit/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    DATA_FOLDER=/data \
    NUMBA_CACHE_DIR=/data/kernels \
    HOST=0.0.0.0 \
    PORT=8000
USER fieldvisit
WORKDIR /data
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["fieldvisit"]
CMD ["serve"]

# The application and its worker, from the same lock as `make run`. The model server has its own image.
#   docker build -t lineside .
# Where pip should look for CPU builds of PyTorch (without it, a larger build with CUDA is taken):
#   docker build -t lineside --build-arg TORCH_INDEX=URL .
FROM python:3.11-slim-bookworm

RUN useradd --create-home --uid 10001 lineside \
 && install -d -o lineside -g lineside /data
WORKDIR /app

ARG TORCH_INDEX=""
COPY requirements/app.txt requirements/app.txt
RUN python -m pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements/app.txt

COPY pyproject.toml README.md LICENSE NOTICE ./
COPY assistant assistant
COPY ingest ingest
COPY finetune finetune
COPY eval eval
COPY demo demo
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation -e .

USER lineside
ENV LINESIDE_HOME=/data \
    PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
ENTRYPOINT ["lineside"]
CMD ["serve", "--host", "0.0.0.0"]

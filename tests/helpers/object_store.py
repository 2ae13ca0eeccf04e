"""An object store on this machine, as Amazon's S3: moto's server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

_BUCKET = "arena"


@contextmanager
def serving() -> Iterator[str]:
    """The URL of an empty bucket; who asks for it is skipped where moto is not installed.

    Its address and keys are in the environment meanwhile, where child processes find them, too.
    """
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    told = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with patch.dict(os.environ, told):
        import fsspec

        fsspec.filesystem("s3").mkdir(_BUCKET)
        try:
            yield f"s3://{_BUCKET}"
        finally:
            fsspec.filesystem("s3").clear_instance_cache()
            server.stop()

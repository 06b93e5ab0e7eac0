"""A bucket on a server of its own: moto's, a process that speaks S3 over HTTP and judges every signature."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3

from tests.processes import wait_until

BUCKET, REGION = "evidence", "eu-north-1"
MAY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
UNJUDGED = "3"
"""So many calls are taken on trust: those that make the first account, its rights and its key."""


@dataclass
class Bucket:
    """Where it is and what opens it. Stopped and started again it is empty, and its keys are new ones."""

    port: int
    keys: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"s3://{BUCKET}/files"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def options(self) -> dict[str, str]:
        """As an operator writes them into FILE_STORE_OPTIONS."""
        return {"endpoint": self.endpoint, "region": REGION, **self.keys}

    def start(self, *, unjudged: str = UNJUDGED) -> None:
        program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(
            program,
            env={"PATH": os.environ["PATH"], "INITIAL_NO_AUTH_ACTION_COUNT": unjudged},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers)
        if unjudged == UNJUDGED:
            self._make_keys()
        self.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def start_forgetting(self) -> None:
        """Again, for whoever has the keys of before: it lost them, and takes any."""
        self.start(unjudged="inf")

    def _make_keys(self) -> None:
        self.keys = {}
        iam = self.client("iam")
        iam.create_user(UserName="product")
        iam.put_user_policy(UserName="product", PolicyName="files", PolicyDocument=MAY)
        key = iam.create_access_key(UserName="product")["AccessKey"]
        self.keys = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}

    def stop(self) -> None:
        """As a server dies: at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self, service: str) -> Any:
        """Amazon's own client, as the operator; before there are keys, with some that are made up."""
        given = self.keys or {"access_key_id": "nobody", "secret_access_key": "nothing"}
        keys = {f"aws_{name}": value for name, value in given.items()}
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, **keys)

    def objects(self) -> list[str]:
        listed = self.client("s3").list_objects_v2(Bucket=BUCKET)
        return sorted(each["Key"] for each in listed.get("Contents", ()))

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def running_bucket() -> Iterator[Bucket]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        bucket = Bucket(int(free.getsockname()[1]))
    try:
        bucket.start()
        yield bucket
    finally:
        bucket.stop()

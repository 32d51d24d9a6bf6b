"""Ours through a live client. It begins with the snapshot and its server is away, which reading does not depend on."""

from dezky import connect
from engines.dezky import document, every, one, resolve, subject, walk

__all__ = ["close", "document", "every", "load", "one", "resolve", "subject", "walk"]


def load(document):
    return connect("http://127.0.0.1:9", key="dzk_nobody", snapshot=document)


def close(client):
    client.close()

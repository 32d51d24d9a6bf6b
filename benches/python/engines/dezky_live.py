"""Dezky through a live client that starts with the snapshot. Its server does not exist."""

from dezky import connect
from engines.dezky import document, every, one, resolve, subject, walk

__all__ = ["close", "document", "every", "load", "one", "resolve", "subject", "walk"]


def load(document):
    return connect("http://127.0.0.1:9", key="dzk_nobody", snapshot=document)


def close(client):
    client.close()

"""Locking files into one AES-256 encrypted ZIP archive."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyzipper

from inboxbot.errors import UsageError
from inboxbot.replies.compose import OutAttachment

MIN_PASSPHRASE = 12
NAME = "svar.zip"


def locked_archive(files: Sequence[OutAttachment], passphrase: str) -> OutAttachment:
    """Return one archive of the files that only the passphrase opens. Raises UsageError for a short passphrase."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise UsageError(
            f"the passphrase needs at least {MIN_PASSPHRASE} characters", cure="send it another way than the letter"
        )
    out = io.BytesIO()
    with pyzipper.AESZipFile(out, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(passphrase.encode())
        archive.setencryption(pyzipper.WZ_AES, nbits=256)
        for file in files:
            archive.writestr(file.name, file.data)
    return OutAttachment(NAME, "application/zip", out.getvalue())

"""The limits of reading (promises.md A5). They hold whatever a message says about itself."""

from __future__ import annotations

from typing import Final

HEADER_BLOCK_BYTES: Final = 256 * 1024
HEADER_KEPT_BYTES: Final = 32 * 1024
HEADER_PARSED_BYTES: Final = 4 * 1024
HEADERS: Final = 2_000
ADDRESSES: Final = 200
COMMENT_DEPTH: Final = 16
MIME_DEPTH: Final = 50
PARTS: Final = 1_000
PART_HEADER_BYTES: Final = 64 * 1024
PARAMETERS: Final = 50
BOUNDARY_BYTES: Final = 512
TEXT_CHARACTERS: Final = 1024 * 1024
TEXT_BYTES: Final = 1024 * 1024
HTML_BYTES: Final = 1024 * 1024
HTML_TAGS: Final = 15_000
HTML_DEPTH: Final = 256
HTML_ANGLES: Final = 50_000
HTML_ATTRIBUTES: Final = 2_000
SUBJECT_CHARACTERS: Final = 1_000
NAME_CHARACTERS: Final = 200
ATTACHMENT_NAME_BYTES: Final = 255
MESSAGE_ID_BYTES: Final = 998
REFERENCES: Final = 100
ENCODED_WORDS: Final = 500

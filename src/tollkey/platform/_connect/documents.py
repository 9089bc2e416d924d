"""Documents about an account, which nobody shows again: their files exist, and the people who sign them are its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.platform._connect.loading import LoadedAccount
from tollkey.wire.errors import missing_object

#: The names of test files begin with this.
_TEST = "file_identity_document"


def check_documents(loaded: LoadedAccount, documents: Mapping[str, Any]) -> None:
    """Check the parameter ``documents`` of an account. Raises ApiError 400 for an unknown file or person.

    The files are those of the account itself, or of its platform.
    """
    people = {person["id"] for person in loaded.people()}
    for name, document in documents.items():
        for place, file in enumerate((document or {}).get("files") or []):
            if file and not file.startswith(_TEST) and loaded.own.objects.find("file", file) is None:
                loaded.home.objects.get("file", file, f"documents[{name}][files][{place}]")
        person = ((document or {}).get("signer") or {}).get("person")
        if person and person not in people:
            raise missing_object("person", person, f"documents[{name}][signer][person]", in_path=False)

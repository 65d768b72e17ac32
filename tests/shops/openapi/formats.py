"""Hooks of schemathesis: URLs as shops have them, for the document's format `uri`."""

import schemathesis
from hypothesis import strategies as st

hosts = st.from_regex(r"[a-z][a-z0-9]{0,20}\.example", fullmatch=True)
paths = st.from_regex(r"(/[A-Za-z0-9._~%-]{0,20}){0,3}(\?[a-z]{1,9}=[A-Za-z0-9]{0,9})?", fullmatch=True)
urls = st.builds(lambda scheme, host, path: f"{scheme}://{host}{path}",
                 st.sampled_from(["http", "https"]), hosts, paths)
schemathesis.openapi.format("uri", urls)

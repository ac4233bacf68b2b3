"""Image registries, asked by their own interface: what they have is told without pulling it."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from base64 import b64encode
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repro.catalog.repository import DIGEST, DOCKER_HUB
from repro.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TIMEOUT = (8, 30)  # seconds to connect, and between two pieces of an answer
LARGEST = 4 * 2**20  # bytes of a manifest or a configuration, as registries themselves allow

_HUB_INTERFACE = "registry-1.docker.io"
_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')

# What reading an answer raises that is no JSON, another, or nested without end.
_NONSENSE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a registry says an image consists of; the digest is that of `content`."""

    digest: str
    content: bytes

    def blobs(self) -> list[str]:
        """List the digests of its configuration and its layers; none of a list of images."""
        return [str(one["digest"]) for one in self._parts() if not one.get("urls")]

    @property
    def configuration(self) -> str:
        """The digest of its configuration; empty of a list of images."""
        return next((str(one["digest"]) for one in self._parts()), "")

    def listed(self) -> list[str]:
        """List the digests of the images in a list of images, but for what is about an image."""
        with suppress(*_NONSENSE):
            images = [
                str(one["digest"])
                for one in json.loads(self.content)["manifests"]
                if (one.get("platform") or {}).get("architecture") != "unknown"
            ]
            return [digest for digest in images if DIGEST.fullmatch(digest)]
        return []

    def _parts(self) -> list[dict[str, Any]]:
        with suppress(*_NONSENSE):
            about = json.loads(self.content)
            parts = [about["config"], *about["layers"]]
            if all(DIGEST.fullmatch(one["digest"]) for one in parts):
                return parts
        return []


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


class Registry:
    """One registry, with the login that the user's docker configuration has for it.

    Parameters
    ----------
    host : str
        Its host, and its port if that is not the usual one. A registry on this machine itself is
        talked to without encryption, as the engine does.
    """

    def __init__(self, host: str) -> None:
        import requests

        self.host = host
        self._plain = _on_this_machine(host)
        where = _HUB_INTERFACE if host == DOCKER_HUB else host
        self._base = f"{'http' if self._plain else 'https'}://{where}/v2"
        # No proxy knows this machine; one that redirects elsewhere may need it there.
        self._proxies = {"no_proxy": _hostname(host)} if self._plain else {}
        self._session = requests.Session()
        self._authorization: dict[str, str] = {}  # of a repository's path
        self._login: dict[str, str] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def digest(self, path: str, reference: str) -> str | None:
        """Tell the digest of a version; None if the registry has no such version.

        This asks for no more than the head of the answer, which Docker Hub does not count as a
        pull.

        Raises
        ------
        RegistryError
            If that cannot be told: no answer, no login, an answer that makes no sense.
        """
        answer = self._ask("HEAD", path, f"manifests/{reference}")
        if answer.status == 404:
            return None
        told = str(answer.headers.get("Docker-Content-Digest", ""))
        if not told:
            manifest = self.manifest(path, reference)
            return None if manifest is None else manifest.digest
        if not DIGEST.fullmatch(told):
            raise RegistryError(self.host, f"{told!r}, it says, is the digest of {path}", "")
        return told

    def manifest(self, path: str, reference: str) -> Manifest | None:
        """Read the manifest of a version, or of a digest; None if there is none.

        Raises
        ------
        RegistryError
            As above, and if what it sends is none, or has another digest than it says, or than was
            asked for.
        """
        answer = self._ask("GET", path, f"manifests/{reference}")
        if answer.status == 404:
            return None
        content = answer.content
        digest = _digest(content)
        told = answer.headers.get("Docker-Content-Digest", digest)
        asked = reference if DIGEST.fullmatch(reference) else digest
        for expected, who in ((told, "it says itself"), (asked, "was asked for")):
            if digest != expected:
                problem = f"the manifest of {path}:{reference} that it sends has the digest"
                problem += f" {digest}, where {expected} {who}"
                raise RegistryError(self.host, problem, "do not trust it")
        if not _is_manifest(content):
            problem = f"what it sends as the manifest of {path}:{reference} is none"
            raise RegistryError(self.host, problem, "is that a registry?")
        return Manifest(digest=digest, content=content)

    def labels(self, path: str, manifest: Manifest) -> Mapping[str, str]:
        """Read the labels of an image; of a list of images, those of the first one.

        Raises
        ------
        RegistryError
            As above.
        """
        if not manifest.configuration:
            first = next(iter(manifest.listed()), None)
            image = self.manifest(path, first) if first else None
            return self.labels(path, image) if image is not None and image.configuration else {}
        content = self._blob(path, manifest.configuration)
        with suppress(*_NONSENSE):
            labels = (json.loads(content).get("config") or {}).get("Labels") or {}
            return {str(key): str(value) for key, value in labels.items()}
        return {}

    def lacks(self, path: str, manifest: Manifest) -> list[str]:
        """List the parts of an image, or of the images in a list, that the registry lacks."""
        wanted, missing = manifest.blobs(), []
        for digest in manifest.listed():
            image = self.manifest(path, digest)
            if image is None:
                missing.append(digest)
            else:
                wanted += image.blobs()
        absent = (b for b in wanted if self._ask("HEAD", path, f"blobs/{b}").status == 404)
        return [*missing, *absent]

    def _blob(self, path: str, digest: str) -> bytes:
        answer = self._ask("GET", path, f"blobs/{digest}")
        if answer.status == 404 or _digest(answer.content) != digest:
            problem = f"it has not, or not whole, the part {digest} of {path}"
            raise RegistryError(self.host, problem, "publish a new version")
        return answer.content

    def _ask(self, method: str, path: str, rest: str) -> _Answer:
        """Ask once, and again with the login that the first answer demands."""
        url = f"{self._base}/{path}/{rest}"
        answer = self._send(method, url, path)
        if answer.status == 401:
            challenge = str(answer.headers.get("WWW-Authenticate", ""))
            # Of a repository that is not there, many tell only those who may make it.
            for actions in ("pull", "pull,push"):
                self._authorization[path] = self._authorize(challenge, path, actions)
                answer = self._send(method, url, path)
                if answer.status not in {401, 403} or not self._login:
                    break
        if answer.status in {401, 403}:
            raise self._refused(path)
        if answer.status == 429:
            raise RegistryError(self.host, "it has been asked too often", "wait, or log in")
        if answer.status != 404 and not 200 <= answer.status < 300:
            problem = f"it answers {answer.status} about {path}"
            raise RegistryError(self.host, problem, "try again later")
        return answer

    def _send(self, method: str, url: str, path: str) -> _Answer:
        with (
            self._translated(),
            self._session.request(
                method,
                url,
                headers={"Accept": ", ".join(_MANIFESTS)} if "/manifests/" in url else {},
                auth=_with_header(self._authorization.get(path, "")),
                proxies=self._proxies,
                timeout=TIMEOUT,
                allow_redirects=True,
                stream=True,
            ) as answer,
        ):
            content = self._content(answer, path)
            return _Answer(status=answer.status_code, headers=answer.headers, content=content)

    def _content(self, answer: Any, about: str) -> bytes:
        content = b""
        for piece in answer.iter_content(2**16):
            content += piece
            if len(content) > LARGEST:
                raise RegistryError(self.host, f"it sends too much about {about}", "")
        return content

    def _authorize(self, challenge: str, path: str, actions: str) -> str:
        """Get what the registry wants to see; empty if we have nothing that would do."""
        scheme, _, rest = challenge.partition(" ")
        login = self._credentials()
        if scheme.lower() == "basic":
            return _basic(login) if "password" in login else ""
        values = dict(_CHALLENGE.findall(rest))
        realm = values.get("realm", "")
        safe = realm.startswith("https://") or (self._plain and realm.startswith("http://"))
        if scheme.lower() != "bearer" or not safe:
            raise RegistryError(self.host, "it asks for a login of a kind that is not known", "")
        wanted = {"scope": f"repository:{path}:{actions}"}
        if "service" in values:
            wanted["service"] = values["service"]
        return self._token(realm, wanted, login)

    def _token(self, realm: str, wanted: dict[str, str], login: Mapping[str, str]) -> str:
        """Get a token of the registry's service; empty if it refuses."""
        asked: dict[str, Any] = {"timeout": TIMEOUT, "proxies": self._proxies, "stream": True}
        with self._translated():
            if "identity" in login:
                wanted |= {"grant_type": "refresh_token", "client_id": "repro"}
                wanted |= {"refresh_token": login["identity"]}
                asked["allow_redirects"] = False  # which would hand the login on to another host
                given = self._session.post(realm, data=wanted, auth=_none, **asked)
            else:
                auth = _with_header(_basic(login)) if login else _none
                given = self._session.get(realm, params=wanted, auth=auth, **asked)
            with given:
                content = self._content(given, "a login")
        if 400 <= given.status_code < 500:
            return ""
        with suppress(*_NONSENSE):
            about = json.loads(content)
            token = about.get("token") or about["access_token"]
            if token.isascii() and token.isprintable():
                return f"Bearer {token}"
        raise RegistryError(self.host, "its login service sends no token", "try again later")

    def _refused(self, path: str) -> RegistryError:
        remedy = f"`docker login {'' if self.host == DOCKER_HUB else self.host}".rstrip() + "`"
        if self._login:
            problem = f"it does not let {self._login.get('username') or 'this login'} see {path}"
            return RegistryError(self.host, problem, f"{remedy} changes the login")
        problem = f"it does not tell of {path} without a login"
        return RegistryError(self.host, problem, f"{remedy} makes one")

    def _credentials(self) -> dict[str, str]:
        """Look up the login, in the user's docker configuration or the helper that it names."""
        if self._login is None:
            from docker import auth
            from docker.errors import DockerException

            try:
                found = auth.load_config().resolve_authconfig(self.host) or {}
            except (DockerException, OSError, ValueError) as error:
                problem = f"the login cannot be read from docker's configuration: {error}"
                raise RegistryError(self.host, problem, "") from error
            found = {str(key).lower(): str(value) for key, value in found.items() if value}
            names = {"identitytoken": "identity", "username": "username", "password": "password"}
            self._login = {names[key]: found[key] for key in names if key in found}
        return self._login

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what goes wrong on the way into a sentence; the foreign one may name a token."""
        import requests

        try:
            yield
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                problem = "it does not speak TLS, which only one on this machine need not"
                raise RegistryError(self.host, problem, "is that its port?") from error
            remedy = "REQUESTS_CA_BUNDLE names the certificates to trust"
            raise RegistryError(self.host, "its certificate is not trusted", remedy) from error
        except requests.exceptions.Timeout as error:
            raise RegistryError(self.host, "it does not answer", "try again later") from error
        except requests.exceptions.RequestException as error:
            remedy = "is the name right, and the network there?"
            raise RegistryError(self.host, "it cannot be reached", remedy) from error
        except ValueError as error:  # of an address that is none, which `requests` lets through
            remedy = "is that a registry?"
            raise RegistryError(self.host, "it names an address that is none", remedy) from error


def _with_header(value: str) -> Callable[[Any], Any]:
    """Make what `requests` asks for a login; given none it would look into ~/.netrc."""

    def authorize(request: Any) -> Any:
        if value:
            request.headers["Authorization"] = value
        return request

    return authorize


_none = _with_header("")


def _basic(login: Mapping[str, str]) -> str:
    words = f"{login.get('username', '')}:{login.get('password', '')}"
    return "Basic " + b64encode(words.encode()).decode()


def _is_manifest(content: bytes) -> bool:
    with suppress(*_NONSENSE):
        about = json.loads(content)
        return isinstance(about, dict) and "schemaVersion" in about
    return False


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _hostname(host: str) -> str:
    """Leave out the port."""
    return re.sub(r":\d+$", "", host).strip("[]")


def _on_this_machine(host: str) -> bool:
    name = _hostname(host)
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

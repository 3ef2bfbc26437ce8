"""A desk that answers what a test has put there."""

from tests.simulators.server import Answer, Request, Server

#: wechatpy's tests/test_crypto.py


class FakeDesk(Server):
    """Answers every path with what a test has put there; the last answer of a path stays."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, list[Answer]] = {}

    def put(self, path: str, *bodies: str, content_type: str = "text/xml", status: int = 200) -> None:
        self.answers.setdefault(path, []).extend(Answer(status, body.encode(), content_type) for body in bodies)

    def handle(self, request: Request) -> Answer:
        path = request.path + ("?" + "&".join(f"{k}={v}" for k, v in request.query.items()) if request.query else "")
        left = self.answers.get(path) or self.answers.get(request.path) or [Answer(404)]
        return left.pop(0) if len(left) > 1 else left[0]

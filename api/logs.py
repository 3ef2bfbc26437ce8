"""Logs: one JSON line an event, to standard output."""

import logging

import structlog


def configure_logging(level: int = logging.INFO) -> None:
    """Set up structlog; uvicorn's access log, which would hold query strings, is turned off."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    for noisy in ("uvicorn.access", "httpx", "httpcore", "sse_starlette"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True

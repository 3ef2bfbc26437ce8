"""What the turn engine counts, for /metrics."""

from prometheus_client import Counter, Gauge, Histogram

TURNS = Counter("mainsdesk_turns_total", "Finished turns of the bot by outcome.", ["outcome"])
RETRIES = Counter("mainsdesk_turn_retries_total", "Turns put back because Rasa could not be reached.")
TURN_SECONDS = Histogram(
    "mainsdesk_turn_seconds",
    "From a message's commit to its replies' commit.",
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 4, 6, 10, 30, 60, 300),
)
# Both are counted in the database when they are asked for, whichever process is asked.
QUEUED = Gauge("mainsdesk_turns_unfinished", "Turns that wait or run.", multiprocess_mode="mostrecent")
WAITING = Gauge(
    "mainsdesk_conversations_waiting", "Conversations that wait for an agent.", multiprocess_mode="mostrecent"
)

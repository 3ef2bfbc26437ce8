#!/bin/sh
# Rasa's own validation of domain and dialogue data; its noise goes to a log, what it found to the terminal.
set -eu
cd "$(dirname "$0")/.."
log="${MAINSDESK_HOME:-var}/logs/validate.log"
mkdir -p "$(dirname "$log")"
export RASA_TELEMETRY_ENABLED=false TQDM_DISABLE=1 SQLALCHEMY_SILENCE_UBER_WARNING=1
if .venv-bot/bin/rasa data validate --config config.yml --domain domain.yml --data bot/data >"$log" 2>&1; then
    # What actions say themselves is in no rule, and no cause for a warning.
    warnings=$(grep 'UserWarning' "$log" | grep -v "is not used in any story or rule" | sed 's/^.*UserWarning: /  /') || true
    echo "rasa data validate: ${warnings:-no warnings}"
else
    echo "rasa data validate failed; all of it: $log" >&2
    grep -E 'UserWarning|Error|ERROR|Exception' "$log" | tail -20 >&2 || tail -20 "$log" >&2
    exit 1
fi

/** Keeps the page in step with the server: catch up, then listen; streams first, long polls where streams do not pass. */

import { HttpError, getMessages, readStream } from "./api.js";

const SHORT_LIFE_MS = 5_000; // a stream that ends sooner has failed
const STREAM_TRIES = 2;
const POLLS_BEFORE_STREAM = 12; // about five minutes
const STATE_POLL_MS = 10_000; // only for a stream that sends no state

/** Milliseconds before try `n` (1, 2, …): doubling from 1 s up to 20 s, spread so that customers do not return all at once. */
export const backoff = (n) => Math.min(20_000, 1000 * 2 ** (n - 1)) * (0.75 + Math.random() / 2);

export class Live {
  #hooks;
  #run = null;
  #wakeUp = null;

  /** hooks: onMessages(messages, {restored}), onState(state), onStatus("idle"|"connecting"|"online"|"reconnecting"), onGone() */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  /** Follow a conversation from its first message; `restored`: its history is not news. */
  start(conversation, { restored = false } = {}) {
    this.stop();
    const stopped = new AbortController();
    this.#run = { conversation, stopped, cursor: 0, restored, stateSeen: false, attempt: null };
    this.#hooks.onStatus("connecting");
    this.#loop(this.#run);
  }

  stop() {
    this.#run?.stopped.abort();
    this.#run = null;
    this.#wake();
    this.#hooks.onStatus("idle");
  }

  /** Something changed (network, screen switched on): try at once instead of waiting. */
  reconnect() {
    this.#run?.attempt?.abort();
    this.#wake();
  }

  /** Ask for owner and busy, unless the stream tells them by itself. */
  async refresh() {
    const run = this.#run;
    if (!run || run.stateSeen) return;
    try {
      await this.#fetch(run, 0, run.stopped.signal);
    } catch {
      // The loop notices a lost connection by itself.
    }
  }

  async #loop(run) {
    let failures = 0;
    let shortStreams = 0;
    let polls = 0;
    while (run === this.#run) {
      run.attempt = new AbortController();
      const { signal } = run.attempt;
      const stop = () => run.attempt.abort();
      run.stopped.signal.addEventListener("abort", stop, { once: true });
      try {
        await this.#fetch(run, 0, signal);
        failures = 0;
        this.#hooks.onStatus("online");
        if (shortStreams < STREAM_TRIES) {
          shortStreams = (await this.#stream(run, signal)) ? 0 : shortStreams + 1;
          if (shortStreams) await this.#pause(backoff(shortStreams));
          polls = 0;
        } else {
          while (polls < POLLS_BEFORE_STREAM && run === this.#run) {
            await this.#fetch(run, 25, signal);
            polls += 1;
          }
          shortStreams = STREAM_TRIES - 1;
        }
      } catch (error) {
        if (run !== this.#run) return;
        if (error instanceof HttpError && error.gone) {
          this.stop();
          this.#hooks.onGone();
          return;
        }
        if (signal.aborted) continue;
        failures += 1;
        this.#hooks.onStatus("reconnecting");
        await this.#pause(error.retryAfter ? error.retryAfter * 1000 : backoff(failures));
      } finally {
        run.stopped.signal.removeEventListener("abort", stop);
      }
    }
  }

  /** One stream. False if it did not last or could not be read although the server answers otherwise. */
  async #stream(run, signal) {
    let firstByteAt = null;
    run.stateSeen = false;
    const ticker = setInterval(() => this.refresh(), STATE_POLL_MS);
    try {
      await readStream(run.conversation, {
        after: run.cursor,
        signal,
        onBytes: () => (firstByteAt ??= Date.now()),
        onMessage: (message) => {
          this.#take(run, [message]);
          this.refresh();
        },
        onState: (state) => {
          run.stateSeen = true;
          if (run === this.#run) this.#hooks.onState(state);
        },
      });
    } catch (error) {
      if (error instanceof HttpError && (error.gone || error.status === 429)) throw error;
    } finally {
      clearInterval(ticker);
      run.stateSeen = false;
    }
    return signal.aborted || (firstByteAt !== null && Date.now() - firstByteAt >= SHORT_LIFE_MS);
  }

  async #fetch(run, wait, signal) {
    const { messages, ...state } = await getMessages(run.conversation, { after: run.cursor, wait, signal });
    if (run !== this.#run) return;
    this.#take(run, messages);
    if (!run.stateSeen) this.#hooks.onState(state);
  }

  #take(run, messages) {
    if (run !== this.#run) return;
    const { restored } = run;
    run.restored = false;
    for (const { seq } of messages) run.cursor = Math.max(run.cursor, seq);
    if (messages.length) this.#hooks.onMessages(messages, { restored });
  }

  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #wake() {
    this.#wakeUp?.();
    this.#wakeUp = null;
  }
}

// One board's socket: pings, says how fresh it is, and comes back by itself when it breaks.

import { calibrate, now } from "./clock.js";

const PING_MS = 10_000;
const SILENT_MS = 25_000;
const DEAD_MS = 45_000;
const STALE_MS = 30_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

export class Feed {
  #url;
  #onFrame;
  #onState;
  #socket = null;
  #retry = null;
  #failures = 0;
  #heardAt = 0;
  #asOf = null;
  #calibrated = false;

  constructor(path, onFrame, onState) {
    this.#url = new URL(path, location.href);
    this.#url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.#onFrame = onFrame;
    this.#onState = onState;
  }

  start() {
    setInterval(() => this.#ping(), PING_MS);
    setInterval(() => this.#watch(), 1000);
    addEventListener("online", () => this.#wake());
    addEventListener("offline", () => this.#lose());
    // A page in the back-forward cache may hold no socket.
    addEventListener("pagehide", () => this.#lose());
    addEventListener("pageshow", (event) => event.persisted && this.#wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
    this.#connect();
  }

  send(frame) {
    if (this.#isOpen()) this.#socket.send(JSON.stringify(frame));
  }

  #isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #connect() {
    clearTimeout(this.#retry);
    this.#heardAt = performance.now();
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => this.#ping();
    socket.onmessage = (event) => this.#hear(JSON.parse(event.data));
    socket.onclose = () => this.#lose();
  }

  // Full jitter: a restarted server is not met by all its viewers in the same second.
  #lose() {
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    this.#failures += 1;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), longest * (0.5 + Math.random() / 2));
    this.#onState("offline");
  }

  #wake() {
    if (!this.#socket) this.#connect();
    else this.#ping();
  }

  #ping() {
    this.send({ type: "ping" });
  }

  #hear(frame) {
    this.#heardAt = performance.now();
    this.#failures = 0;
    if (frame.as_of) this.#asOf = frame.as_of;
    this.#doubt();
    this.#onFrame(frame);
    this.#watch();
  }

  // An age that cannot be right, or looks stale at first sight, may only be a wrong clock here.
  #doubt() {
    const age = this.#age();
    if (this.#calibrated || (age > -2000 && age < STALE_MS)) return;
    this.#calibrated = true;
    calibrate().then(() => this.#watch());
  }

  #age() {
    return this.#asOf ? now() - Date.parse(this.#asOf) : Infinity;
  }

  #watch() {
    const silent = performance.now() - this.#heardAt;
    if (this.#socket && silent > DEAD_MS) return this.#lose();
    if (!this.#isOpen()) return;
    const late = silent > SILENT_MS || this.#age() > STALE_MS;
    this.#onState(late ? "delayed" : "live");
  }
}

// The live board: frames in, rows and badge out.

import "./moments.js";
import { Feed } from "./feed.js";
import * as format from "./format.js";
import { applied, isLost, unseen } from "./frames.js";
import { keepHeadline } from "./headline.js";
import { Rows } from "./rows.js";

const RESYNC_PATIENCE_MS = 5_000;
const BADGES = {
  live: "Updates arrive as they are booked",
  delayed: "Connected, but the figures are older than 30 seconds or nothing is heard",
  offline: "Not connected; trying again",
};

const table = document.querySelector("[data-board]");
const badge = document.querySelector("[data-badge]");
const hold = document.querySelector("[data-hold]");
const pill = document.querySelector("[data-pill]");
const rows = new Rows(table);

let board = unseen;
let held = 0;
let askedAt = -Infinity;
let behind = null;
let pointed = false;

const isHeld = () => pointed || hold.contains(document.activeElement);

function render(mayMove) {
  const inOrder = rows.show(board.rows, mayMove);
  held = inOrder ? 0 : held + 1;
  pill.hidden = inOrder;
  pill.textContent = `${held} update${held === 1 ? "" : "s"} — show`;
  document.querySelector("[data-empty]").hidden = board.rows.length > 0;
  table.dataset.version = board.version;
}

function release() {
  if (held && !isHeld()) render(true);
}

// Asked once, and again if nobody answers.
function resync() {
  if (performance.now() - askedAt < RESYNC_PATIENCE_MS) return;
  askedAt = performance.now();
  feed.send({ type: "resync" });
}

// A pong may overtake the delta it knows of; two in a row that are ahead of us mean a lost one.
function compare(version) {
  if (version <= board.version) behind = null;
  else if (behind !== null && behind > board.version) resync();
  else behind = version;
}

function receive(frame) {
  tellAsOf(frame.as_of);
  if (frame.type === "pong") return compare(frame.version);
  if (isLost(board, frame)) return resync();
  const next = applied(board, frame);
  if (next === board) return;
  if (frame.type === "snapshot") askedAt = -Infinity;
  board = next;
  behind = null;
  render(!isHeld());
}

function tellAsOf(asOf) {
  if (asOf) document.querySelector("[data-as-of]").textContent = format.utc(asOf);
}

function tellState(state) {
  if (document.documentElement.dataset.live === state) return;
  document.documentElement.dataset.live = state;
  badge.textContent = state;
  badge.title = BADGES[state];
  badge.hidden = false;
}

// A finger is no pointer that rests: only a mouse over the table holds it still. The pill lies over
// the table and holds it too, or it would be gone before it could be pressed.
hold.addEventListener("pointerenter", (event) => (pointed = event.pointerType === "mouse"));
hold.addEventListener("pointerleave", () => {
  pointed = false;
  release();
});
hold.addEventListener("focusout", () => setTimeout(release));
pill.addEventListener("click", () => render(true));

const feed = new Feed(table.dataset.socket, receive, tellState);
feed.start();
keepHeadline(() => table.dataset.version);

// The rows of the table: one node a wallet, changed in place and moved only when asked.

import { now } from "./clock.js";
import * as format from "./format.js";

const CHANGE_MS = 1500;

const TEXTS = {
  rank: (row) => format.count(row.rank),
  wallet: (row) => row.short,
  label: (row) => row.label ?? "",
  realized: (row) => format.signedSol(row.realized_sol),
  gross: (row) => format.signedSol(row.gross_loss_sol),
  roi: (row) => format.signedPercent(row.roi_percent),
  trades: (row) => format.count(row.trades),
  closed: (row) => format.count(row.closed_positions),
  wins: (row) => format.percent(row.win_rate_percent),
  volume: (row) => format.sol(row.volume_sol),
  worst: (row) => format.signedSol(row.worst_sol),
  streak: (row) => format.count(row.losing_streak),
  last: (row) => format.ago(row.last_loss_at, now()),
};

const TITLES = {
  wallet: (row) => row.address,
  label: (row) => row.label ?? "",
  realized: (row) => format.exactSol(row.realized_sol),
  gross: (row) => format.exactSol(row.gross_loss_sol),
  wins: (row) =>
    `${format.count(row.wins)} of ${format.count(row.closed_positions)} closed positions ended in a gain`,
  volume: (row) => format.exactSol(row.volume_sol),
  worst: (row) => format.exactSol(row.worst_sol),
  last: (row) => format.utc(row.last_loss_at),
};

const field = (node, name) => node.querySelector(`[data-field="${name}"]`);

export class Rows {
  #body;
  #blank;
  #badges;

  constructor(table) {
    this.#body = table.tBodies[0];
    this.#blank = document.querySelector("template[data-row]").content;
    this.#badges = document.querySelector("template[data-flags]").content;
  }

  // Values are always shown at once. Rows enter, leave and change places only if `mayMove`; the
  // answer is whether the table is in the order of the board.
  show(rows, mayMove) {
    const nodes = new Map([...this.#body.rows].map((node) => [node.dataset.address, node]));
    const inOrder = rows.map((row) => {
      const node = nodes.get(row.address);
      if (node) this.#change(node, row);
      else if (mayMove) return this.#enter(row);
      return node;
    });
    if (mayMove) this.#place(inOrder);
    this.#draw(rows);
    return inOrder.length === this.#body.rows.length && inOrder.every((node, at) => node === this.#body.rows[at]);
  }

  #enter(row) {
    const node = this.#blank.querySelector("tr").cloneNode(true);
    node.dataset.address = row.address;
    const link = field(node, "wallet");
    link.href = link.getAttribute("href").replace("ADDRESS", row.address);
    const copy = node.querySelector("[data-copy]");
    copy.dataset.copy = row.address;
    copy.setAttribute("aria-label", `Copy address ${row.short}`);
    this.#fill(node, row);
    mark(node, "new");
    return node;
  }

  #change(node, row) {
    const before = BigInt(node.dataset.lamports);
    const after = BigInt(row.realized_lamports);
    this.#fill(node, row);
    if (after !== before) mark(node, after < before ? "worse" : "better");
  }

  #fill(node, row) {
    node.dataset.lamports = row.realized_lamports;
    for (const [name, text] of Object.entries(TEXTS)) write(field(node, name), text(row));
    for (const [name, title] of Object.entries(TITLES)) field(node, name).title = title(row);
    field(node, "realized").dataset.tone = format.tone(row.realized_sol);
    field(node, "label").hidden = !row.label;
    field(node, "last").dataset.moment = row.last_loss_at ?? "";
    this.#flag(field(node, "flags"), row.flags);
  }

  #flag(holder, flags) {
    const shown = [...holder.children].map((badge) => badge.dataset.flag);
    if (shown.join() === flags.join()) return;
    const badges = flags.map((flag) => this.#badges.querySelector(`[data-flag="${flag}"]`));
    holder.replaceChildren(...badges.filter(Boolean).map((badge) => badge.cloneNode(true)));
  }

  // Moves as few nodes as it can: a node that is already in its place keeps its state.
  #place(nodes) {
    const kept = new Set(nodes);
    for (const node of [...this.#body.rows]) if (!kept.has(node)) node.remove();
    nodes.forEach((node, at) => {
      const there = this.#body.rows[at] ?? null;
      if (there !== node) this.#body.insertBefore(node, there);
    });
  }

  #draw(rows) {
    const worst = rows[0]?.realized_lamports ?? "0";
    for (const node of this.#body.rows) {
      field(node, "bar").setAttribute("width", format.share(node.dataset.lamports, worst));
    }
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function mark(node, change) {
  node.dataset.change = change;
  setTimeout(() => delete node.dataset.change, CHANGE_MS);
}

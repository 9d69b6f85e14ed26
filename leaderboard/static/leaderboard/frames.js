// The law of the sockets: what a frame makes of the board a viewer holds. Pure.

const MOST_ROWS = 100;

export const unseen = { version: null, asOf: null, rows: [] };

// Addresses are ASCII, so comparing code units is comparing code points.
function byPlace(one, other) {
  return one.rank - other.rank || (one.address < other.address ? -1 : 1);
}

const ordered = (rows) => [...rows].sort(byPlace).slice(0, MOST_ROWS);

// A delta that was seen before changes nothing; one that does not follow means that a frame was lost.
export function isLost(board, frame) {
  if (frame.type === "resync") return true;
  if (frame.type !== "delta") return false;
  return board.version === null || frame.version > board.version + 1;
}

export function applied(board, frame) {
  const { version, as_of: asOf } = frame;
  if (frame.type === "snapshot") return { version, asOf, rows: ordered(frame.rows) };
  if (frame.type !== "delta" || version !== board.version + 1) return board;
  const rows = new Map(board.rows.map((row) => [row.address, row]));
  for (const address of frame.removed) rows.delete(address);
  for (const row of frame.upserts) rows.set(row.address, row);
  return { version, asOf, rows: ordered(rows.values()) };
}

// What a person reads of exact decimal strings and moments: the live half of templatetags/formatting.py. Pure.

const NOTHING = "—";
const MINUS = "\u2212";
const AGES = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");

function split(value) {
  const [whole, fraction = ""] = value.replace("-", "").split(".");
  return [whole, fraction.padEnd(9, "0")];
}

function sign(value) {
  if (!value || !/[1-9]/.test(value)) return "";
  return value.startsWith("-") ? MINUS : "+";
}

export function sol(value) {
  if (!value) return NOTHING;
  const [whole, fraction] = split(value);
  if (whole.length > 4) return grouped(whole);
  if (whole !== "0") return `${grouped(whole)}.${fraction.slice(0, 2)}`;
  const zeros = fraction.search(/[1-9]/);
  if (zeros < 0) return "0";
  return `0.${fraction.slice(0, Math.max(4, zeros + 2))}`;
}

export const signedSol = (value) => sign(value) + sol(value);

export const exactSol = (value) => (value ? `${value} SOL` : "");

export const tone = (value) => ({ [MINUS]: "loss", "+": "gain" })[sign(value)] ?? "even";

export function percent(value) {
  if (!value) return NOTHING;
  const [whole, fraction] = split(value);
  return whole.length > 3 ? `${grouped(whole)}%` : `${whole}.${fraction[0]}%`;
}

export const signedPercent = (value) => sign(value) + percent(value);

export const count = (value) => (value == null ? NOTHING : grouped(String(value)));

export function share(lamports, worst) {
  const [loss, most] = [-BigInt(lamports), -BigInt(worst)];
  if (most <= 0n || loss <= 0n) return 0;
  return Math.max(1, Number((loss * 100n) / most));
}

export function utc(value) {
  if (!value) return NOTHING;
  return `${new Date(value).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

export function ago(value, now) {
  if (!value) return NOTHING;
  const seconds = Math.floor((now - Date.parse(value)) / 1000);
  if (seconds < 5) return "just now";
  for (const [size, unit] of AGES) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return `${seconds} s ago`;
}

// Keeps the relative times of a page true while it stays open.

import { ago } from "./format.js";
import { now } from "./clock.js";

const EVERY_MS = 10_000;

function tell() {
  for (const element of document.querySelectorAll("[data-moment]")) {
    const text = ago(element.dataset.moment, now());
    if (element.textContent !== text) element.textContent = text;
  }
}

tell();
setInterval(tell, EVERY_MS);
document.addEventListener("visibilitychange", tell);

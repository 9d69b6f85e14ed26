// The totals above the board: no frame carries them, so they are fetched again now and then.

const EVERY_MS = 15_000;

export async function refreshHeadline() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-headline]");
  const shown = document.querySelector("[data-headline]");
  if (!fresh || shown.contains(document.activeElement)) return;
  shown.replaceWith(document.adoptNode(fresh));
}

// Only for someone who looks, and only when the board has moved on.
export function keepHeadline(currentVersion) {
  let seen = currentVersion();
  setInterval(() => {
    const version = currentVersion();
    if (document.hidden || version === seen) return;
    seen = version;
    refreshHeadline().catch(() => {});
  }, EVERY_MS * (0.75 + Math.random() / 2));
}

// What every page can do with a script: copy an address.
const root = document.documentElement;
const FEEDBACK_MS = 1500;

function announce(text) {
  document.querySelector("[data-announcer]").textContent = text;
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.dataset.copied = "";
  announce("Address copied");
  setTimeout(() => {
    delete button.dataset.copied;
    announce("");
  }, FEEDBACK_MS);
}

// The clipboard is only there on secure origins; without it the buttons stay hidden.
if (navigator.clipboard) {
  root.dataset.clipboard = "";
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button).catch(() => announce("The address could not be copied"));
  });
}

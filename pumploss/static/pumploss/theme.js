// Applies the chosen theme before anything is painted, which is why this one is no module, and lets it be switched.
{
  const root = document.documentElement;
  const KEY = "theme";

  // Storage may be forbidden; then the system's choice stands and the button still works for the page.
  const remembered = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  const remember = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Nothing to do: the theme holds until the page is left.
    }
  };
  const current = () =>
    root.dataset.theme ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");

  root.dataset.script = "";
  const theme = remembered();
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    root.dataset.theme = current() === "light" ? "dark" : "light";
    remember(root.dataset.theme);
  });
}

// Light or dark: the system's, until the button is pressed.
function watchTheme(onchange) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = byId("theme");
  let chosen = null;
  const current = () => chosen ?? (system.matches ? "dark" : "light");
  const apply = () => {
    document.documentElement.dataset.theme = current();
    const other = current() === "dark" ? "light" : "dark";
    button.textContent = other === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", `Use the ${other} look`);
    onchange(current());
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    chosen = current() === "dark" ? "light" : "dark";
    apply();
  });
  apply();
}

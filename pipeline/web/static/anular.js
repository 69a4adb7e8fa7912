// The page of anular: everything works without this file, and a little easier with it.

for (const one of document.querySelectorAll("[data-focus]")) one.focus();

// A choice that sends its form at once; its button is for who has no script.
for (const one of document.querySelectorAll("[data-submits]")) {
  one.form.querySelector("button").hidden = true;
  one.addEventListener("change", () => one.form.submit());
}

// A password that is shown on demand, never when it is sent.
for (const button of document.querySelectorAll("[data-shows]")) {
  const field = document.getElementById(button.dataset.shows);
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.textContent = shown ? button.dataset.hide : button.dataset.show;
    button.setAttribute("aria-pressed", String(shown));
  };
  button.hidden = false;
  button.addEventListener("click", () => show(field.type === "password"));
  field.form.addEventListener("submit", () => show(false));
}

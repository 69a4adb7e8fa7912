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

// The session: two minutes before it ends a person may stay; a page that is only open is no use.
const soon = document.querySelector("[data-soon]");
if (soon) {
  const idle = Number(soon.dataset.soon) * 1000;
  let timers = [];
  const wait = () => {
    timers.forEach(clearTimeout);
    soon.hidden = true;
    timers = [setTimeout(() => { soon.hidden = false; }, idle - 120000), setTimeout(() => {
      soon.querySelector("[data-ending]").hidden = true;
      soon.querySelector("[data-ended]").hidden = false;
      soon.querySelector("button").hidden = true;
    }, idle)];
  };
  wait();
  soon.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await fetch(soon.action, { method: "POST", body: new FormData(soon), redirect: "manual" });
    if (answer.ok) wait(); else location.reload();
  });
}

// Passkeys. The browser speaks bytes, the server base64url.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const told = (key) => {
  const found = { id: key.id, rawId: text(key.rawId), type: key.type, response: {}, clientExtensionResults: key.getClientExtensionResults() };
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (key.response[name]) found.response[name] = text(key.response[name]);
  }
  return found;
};
const post = async (address, form, more) => {
  const data = new FormData(form);
  for (const [name, value] of Object.entries(more || {})) data.set(name, value);
  const answer = await fetch(address, { method: "POST", body: data, headers: { Accept: "application/json" } });
  const found = await answer.json();
  if (found.next) { location.assign(found.next); return null; }
  if (!answer.ok) throw new Error(found.error);
  return found.publicKey;
};
for (const button of document.querySelectorAll("[data-key], [data-new-key]")) {
  if (!window.PublicKeyCredential) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const shown = button.form.querySelector("[data-key-error]");
    shown.hidden = true;
    try {
      const asked = await post(button.dataset.options, button.form);
      if (!asked) return;
      asked.challenge = bytes(asked.challenge);
      for (const one of [...(asked.allowCredentials || []), ...(asked.excludeCredentials || [])]) one.id = bytes(one.id);
      if (asked.user) asked.user.id = bytes(asked.user.id);
      const made = button.dataset.newKey;
      const key = made ? await navigator.credentials.create({ publicKey: asked }) : await navigator.credentials.get({ publicKey: asked });
      await post(made || button.dataset.key, button.form, { respuesta: JSON.stringify(told(key)) });
    } catch (error) {
      shown.textContent = (error.name === "Error" && error.message) || button.dataset.failed;
      shown.hidden = false;
    }
  });
}

// A file that is dropped on its field, and the form that says that it is on its way.
for (const zone of document.querySelectorAll("[data-drop]")) {
  const field = zone.querySelector("input[type=file]");
  const over = (on) => (event) => { event.preventDefault(); zone.classList.toggle("over", on); };
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, over(true));
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, over(false));
  zone.addEventListener("drop", (event) => { if (event.dataTransfer.files.length) field.files = event.dataTransfer.files; });
}
for (const form of document.querySelectorAll("[data-sending]")) {
  form.addEventListener("submit", () => { form.querySelector("[data-status]").textContent = form.dataset.sending; });
}

// Work that goes on: its words every second, and the page anew when it is over.
for (const one of document.querySelectorAll("[data-live]")) {
  const look = async () => {
    try {
      const answer = await fetch(one.dataset.live);
      const found = await answer.json();
      if (found.done) return location.reload();
      if (one.textContent !== found.words) one.textContent = found.words;
    } catch { /* asked again */ }
    setTimeout(look, 1000);
  };
  setTimeout(look, 500);
}

// What is on its way: a download until it comes down, an order until it is done.
if (document.querySelector("[data-again]")) setTimeout(() => location.reload(), 2000);

// A sending: its progress as it comes, said aloud every ten seconds, and the page anew at its end.
for (const card of document.querySelectorAll("[data-events]")) {
  const source = new EventSource(card.dataset.events);
  let said = 0, state = null;
  source.addEventListener("avance", (event) => {
    const found = JSON.parse(event.data);
    const bar = card.querySelector("progress");
    bar.max = found.all; bar.value = found.done;
    card.querySelector("[data-words]").textContent = found.words;
    card.querySelector("[data-left]").textContent = found.left;
    if (state !== null && state !== found.state) return location.reload(); // other buttons belong to it
    state = found.state;
    for (const one of document.querySelectorAll("[data-sentence]")) one.textContent = found.sentence;
    for (const cell of document.querySelectorAll("[data-count]")) {
      const count = found.counts[cell.dataset.count] || 0;
      cell.textContent = count.toLocaleString("en-US");
      cell.closest("tr").hidden = count === 0;
    }
    if (Date.now() - said > 10000) { said = Date.now(); card.querySelector("[data-said]").textContent = found.said; }
  });
  source.addEventListener("fin", () => { source.close(); location.reload(); });
}

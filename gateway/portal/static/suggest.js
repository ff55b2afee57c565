// Completions under the search box: an ARIA 1.2 combobox with a listbox. Without it the box is a plain form.
const KINDS = {
  technique: "technique", instrument: "instrument", sample: "sample", keyword: "keyword",
  person: "person", investigation: "experiment", parameter: "parameter",
};

for (const combo of document.querySelectorAll(".combo")) {
  const input = combo.querySelector("input");
  const list = document.createElement("ul");
  list.id = `${input.id}-list`;
  list.className = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.hidden = true;
  combo.append(list);
  Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" })
    .forEach(([name, value]) => input.setAttribute(name, value));

  let active = -1;
  let asked = 0;
  let timer = 0;
  let abort = null;

  const show = (open) => {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) choose(-1);
  };
  const choose = (at) => {
    active = at;
    [...list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === at)));
    if (at < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", list.children[at].id);
      list.children[at].scrollIntoView({ block: "nearest" });
    }
  };
  const fill = (found) => {
    list.replaceChildren(...found.map((each, n) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${n}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.dataset.address = each.address;
      const text = document.createElement("span");
      text.textContent = each.text;
      const kind = document.createElement("span");
      kind.className = "kind";
      kind.textContent = `${KINDS[each.kind] ?? each.kind} · ${each.count}`;
      item.append(text, kind);
      return item;
    }));
    choose(-1);
    show(found.length > 0);
  };
  const ask = async () => {
    const text = input.value.trim();
    const mine = ++asked;
    abort?.abort();
    if (text.length < 2) return show(false);
    abort = new AbortController();
    try {
      const answer = await fetch(`${combo.dataset.suggest}?q=${encodeURIComponent(text)}`, { signal: abort.signal });
      const found = answer.ok ? await answer.json() : [];
      if (mine === asked && document.activeElement === input) fill(found);
    } catch { /* a newer question, or no network: the form works as it is */ }
  };

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
  input.addEventListener("blur", () => setTimeout(() => show(false), 150));
  input.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (event.key === "Escape" && !list.hidden) { show(false); event.preventDefault(); }
    else if (list.hidden || !count) return;
    else if (event.key === "ArrowDown") { choose((active + 1) % count); event.preventDefault(); }
    else if (event.key === "ArrowUp") { choose((active - 1 + count) % count); event.preventDefault(); }
    else if (event.key === "Enter" && active >= 0) { location.assign(list.children[active].dataset.address); event.preventDefault(); }
  });
  list.addEventListener("mousedown", (event) => {
    const item = event.target.closest("li");
    if (item) { event.preventDefault(); location.assign(item.dataset.address); }
  });
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    document.getElementById("q")?.focus();
    event.preventDefault();
  }
});

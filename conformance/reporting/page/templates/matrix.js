// The matrix: what of it the filters show, and moving over it with the arrow keys.

const table = document.getElementById("cells");
const form = document.getElementById("filters");
const nothing = document.getElementById("nothing");
const counted = document.getElementById("shown");
const VERDICTS = [...form.querySelectorAll("[name=verdict]")].map((box) => box.value);

const rows = [...table.querySelectorAll("tbody tr[data-level]")].map((row) => {
  const cells = [...row.querySelectorAll(".cell")];
  return {
    row, cells,
    group: row.parentElement.dataset.group,
    level: row.dataset.level,
    verdicts: cells.map((cell) => [...cell.classList].find((name) => VERDICTS.includes(name)) ?? "none"),
    text: `${row.cells[0].textContent} ${cells.map((cell) => cell.title).join(" ")}`.toLowerCase(),
  };
});

function applyFilters(filters) {
  const words = filters.text.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const each of rows) {
    const fits =
      (!filters.group || each.group === filters.group) &&
      (!filters.level || each.level === filters.level) &&
      (!filters.verdict.length || each.verdicts.some((verdict) => filters.verdict.includes(verdict))) &&
      (!filters.differ || new Set(each.verdicts).size > 1) &&
      words.every((word) => each.text.includes(word));
    each.row.hidden = !fits;
    count += Number(fits);
    each.cells.forEach((cell, n) => cell.classList.toggle("other", filters.verdict.length > 0 && !filters.verdict.includes(each.verdicts[n])));
  }
  for (const body of table.tBodies) body.hidden = !body.querySelector("tr[data-level]:not([hidden])");
  const active = count < rows.length || Object.values(filters).some((value) => value.length);
  counted.textContent = active ? `${count} of ${several(rows.length, "requirement")} shown` : several(rows.length, "requirement");
  form.querySelector("[type=reset]").hidden = !active;
  nothing.hidden = count > 0;
  document.getElementById("box").hidden = count === 0;
  for (const box of form.querySelectorAll("[name=verdict]")) box.checked = filters.verdict.includes(box.value);
  for (const name of ["group", "level", "text"]) if (form.elements[name].value !== filters[name]) form.elements[name].value = filters[name];
  if (form.elements.differ) form.elements.differ.checked = Boolean(filters.differ);
  makeReachable(document.activeElement?.matches?.("#cells .cell") ? document.activeElement : null);
}

function filtersOfForm() {
  const value = (name) => form.elements[name]?.value ?? "";
  return {
    verdict: [...form.querySelectorAll("[name=verdict]:checked")].map((box) => box.value),
    group: value("group"), level: value("level"), text: value("text").trim(),
    differ: form.elements.differ?.checked ? "yes" : "",
  };
}

// --- arrow keys: one cell is reached by Tab, the others from there ----------------------------------------------------

let reachable = null;

function makeReachable(cell) {
  const links = table.querySelectorAll("a.cell");
  const wanted = cell ?? (reachable && reachable.offsetParent ? reachable : [...links].find((link) => link.offsetParent)) ?? null;
  if (reachable === null) for (const link of links) link.tabIndex = -1;
  if (reachable) reachable.tabIndex = -1;
  reachable = wanted;
  if (reachable) reachable.tabIndex = 0;
}

function neighbour(cell, key) {
  const row = cell.closest("tr");
  const cells = [...row.querySelectorAll(".cell")];
  const column = cells.indexOf(cell);
  const shown = rows.filter((each) => !each.row.hidden);
  const line = shown.findIndex((each) => each.row === row);
  const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 }[key];
  if (step) return shown[Math.max(0, Math.min(shown.length - 1, line + step))].cells[column];
  if (key === "Home") return cells[0];
  if (key === "End") return cells.at(-1);
  return cells[column + { ArrowLeft: -1, ArrowRight: 1 }[key]];
}

table.addEventListener("keydown", (event) => {
  if (!["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"].includes(event.key)) return;
  if (!event.target.matches(".cell") || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const next = neighbour(event.target, event.key);
  if (next?.matches("a")) {
    makeReachable(next);
    next.focus();
  }
});

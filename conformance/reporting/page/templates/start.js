// One state, which is the fragment of the address: what it says is shown, and what is done changes it.

let state = { filters: NO_FILTER, cell: null, case: "" };
let opener = null; // what is focused again when the panel is closed
const providers = [...document.querySelectorAll("#cells thead .name")].map((head) => head.textContent);

function cellOf({ provider, id }) {
  const place = providers.indexOf(provider);
  const row = rows.find((each) => each.row.querySelector(".id").textContent === id);
  return place < 0 ? null : row?.cells[place] ?? null;
}

/** Go to a state. `replace` where going back should not lead to the one that is left. */
function go(next, { replace = false } = {}) {
  const opened = Boolean(next.cell) && (replace ? history.state?.opened ?? false : true);
  history[replace ? "replaceState" : "pushState"]({ opened }, "", fragment(next));
  apply(next);
}

async function apply(next) {
  const before = state;
  state = next;
  applyFilters(state.filters);
  if (state.cell) await open(before);
  else if (before.cell) shut(before.cell);
}

async function open(before) {
  const { cell } = state;
  const first = !before.cell || panel.hidden;
  const place = providers.indexOf(cell.provider);
  document.querySelector(".cell.opened")?.classList.remove("opened");
  cellOf(cell)?.classList.add("opened");
  if (first) {
    scrim.hidden = panel.hidden = false;
    page.inert = true;
    document.documentElement.classList.add("locked", "reading");
  }
  const kept = panel.querySelector(".cases")?.scrollTop ?? 0;
  const other = first || before.cell.id !== cell.id || before.cell.provider !== cell.provider;
  if (place < 0) {
    shown(head(cell.provider, cell.id, null, back), el("p", { class: "reason" }, `This report has no provider that is called ${cell.provider}.`));
  } else {
    await showEvidence(cell.provider, cell.id, state.case, {
      place, close: back, go: (caseId) => go({ ...state, case: caseId }, { replace: true }),
    });
  }
  if (other) {
    panel.scrollTop = 0;
    panel.focus();
  } else {
    const list = panel.querySelector(".cases");
    if (list) list.scrollTop = kept;
    panel.querySelector(".cases [aria-current]")?.focus({ preventScroll: true });
  }
}

function shut(cell) {
  scrim.hidden = panel.hidden = true;
  panel.replaceChildren();
  page.inert = false;
  document.documentElement.classList.remove("locked", "reading");
  document.querySelector(".cell.opened")?.classList.remove("opened");
  const wanted = [opener, cellOf(cell), document.getElementById("matrix")].find((each) => each?.isConnected && each.offsetParent);
  if (wanted?.matches("a.cell")) makeReachable(wanted);
  wanted?.focus();
  opener = null;
}

/** Back to where the panel was opened from: by the history where that led here, or else forward. */
function back() {
  if (history.state?.opened) history.back();
  else go({ ...state, cell: null, case: "" }, { replace: true });
}

function follow() {
  const next = asked(location.hash);
  if (next && fragment(next) !== fragment(state)) apply(next);
}

page.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#cell=']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  opener = link;
  go({ ...asked(link.getAttribute("href")), filters: state.filters });
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.cell) back();
});
scrim.addEventListener("click", back);
form.addEventListener("input", (event) => go({ ...state, filters: filtersOfForm() }, { replace: event.target.name === "text" }));
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => {
  event.preventDefault();
  go({ ...state, filters: NO_FILTER });
});
nothing.querySelector("button").addEventListener("click", () => {
  go({ ...state, filters: NO_FILTER });
  form.elements.text.focus();
});
addEventListener("popstate", follow);
addEventListener("hashchange", follow);
const box = document.getElementById("box");
new ResizeObserver(() => box.classList.toggle("fits", table.offsetWidth <= box.clientWidth)).observe(box);
form.hidden = false;
apply(asked(location.hash) ?? state);

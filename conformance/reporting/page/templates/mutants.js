// The kill matrix: filters, which the fragment of the address keeps, and moving from mark to mark with the arrow keys.

const table = document.getElementById("cells");
const form = document.getElementById("filters");

if (table) {
  const heads = [...table.querySelectorAll("thead .name")];
  const groups = [...table.querySelectorAll("thead .subjects th")];
  const spans = groups.map((head) => head.colSpan);
  const rows = [...table.querySelectorAll("tbody tr[data-id]")];
  const wide = [...table.querySelectorAll("tbody .group th")];
  const said = (element) => [element.textContent, ...[...element.querySelectorAll("[title]")].map((each) => each.title)].join(" ").toLowerCase();
  const told = (entry) => [...entry.querySelectorAll("h3, .rule, .provider")].map(said).join(" ");
  const entries = heads.map((head) => document.getElementById(`m${head.dataset.mutant}`));
  const mutants = heads.map((head, n) => ({ head, entry: entries[n], fate: head.dataset.fate, text: told(entries[n]) }));
  const lines = rows.map((row) => ({ row, text: said(row.cells[0]) + " " + row.parentElement.rows[0].textContent.toLowerCase(),
                                     marks: [...row.cells].slice(1).map((cell) => cell.firstElementChild) }));
  const counted = document.getElementById("shown");
  const nothing = document.getElementById("nothing");
  const fits = (text, words) => words.toLowerCase().split(/\s+/).every((word) => text.includes(word));

  const asked = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");

  function show(filters) {
    const fates = filters.getAll("fate");
    const [mutant, requirement] = ["mutant", "requirement"].map((name) => filters.get(name) ?? "");
    const open = filters.get("open") === "yes";
    let columns = mutants.map((each) => (!fates.length || fates.includes(each.fate)) && fits(each.text, mutant));
    let shown = lines.map((each) => (!open || "open" in each.row.dataset) && fits(each.text, requirement));
    // Of the other side stays what has to do with what was asked for; all of it, where nothing has.
    const marked = columns.map((_, n) => lines.some((line, k) => shown[k] && line.marks[n]));
    const touched = shown.map((_, k) => lines[k].marks.some((mark, n) => mark && columns[n]));
    const both = (some, others) => {
      const all = some.map((one, n) => one && others[n]);
      return all.some(Boolean) ? all : some;
    };
    if (open || requirement) columns = both(columns, marked);
    if (fates.length || mutant) shown = both(shown, touched);

    const [across, down] = [columns, shown].map((all) => all.filter(Boolean).length);
    const active = across < mutants.length || down < lines.length;
    let at = 0;
    const edges = columns.map(() => false); // where a subject begins
    groups.forEach((group, n) => {
      const first = columns.indexOf(true, at);
      const left = columns.slice(at, (at += spans[n])).filter(Boolean).length;
      if (left) edges[first] = true;
      group.hidden = !left;
      group.colSpan = left || 1;
    });
    for (const head of wide) head.colSpan = 1 + across;
    mutants.forEach(({ head, entry }, n) => { head.hidden = entry.hidden = !columns[n]; head.classList.toggle("edge", edges[n]); });
    lines.forEach(({ row }, k) => {
      row.hidden = !shown[k];
      columns.forEach((column, n) => {
        row.cells[n + 1].hidden = !column;
        row.cells[n + 1].classList.toggle("edge", edges[n]);
      });
    });
    for (const body of table.tBodies) body.hidden = !body.querySelector("tr[data-id]:not([hidden])");
    const empty = !across || !down;
    nothing.hidden = !empty;
    document.getElementById("box").hidden = empty;
    counted.textContent = active ? `${across} of ${mutants.length} mutants, ${down} of ${lines.length} requirements shown`
                                 : `${mutants.length} mutants, ${lines.length} requirements`;
    form.querySelector("[type=reset]").hidden = !active && ![...filters].length;
    for (const box of form.querySelectorAll("[name=fate]")) box.checked = fates.includes(box.value);
    for (const [name, value] of Object.entries({ mutant, requirement })) {
      if (form.elements[name].value.trim() !== value) form.elements[name].value = value;
    }
    if (form.elements.open) form.elements.open.checked = open;
    makeReachable(reachable?.offsetParent ? reachable : null);
  }

  function go(filters, replace) {
    history[replace ? "replaceState" : "pushState"](null, "", `#${filters}`);
    show(filters);
  }
  form.addEventListener("input", (event) => {
    const filters = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
    go(filters, event.target.type === "search");
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    go(new URLSearchParams(), false);
  });
  nothing.querySelector("button").addEventListener("click", () => go(new URLSearchParams(), false));
  addEventListener("popstate", () => {
    if (!location.hash || location.hash.includes("=")) show(asked());
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#m']");
    if (link && document.getElementById(link.hash.slice(1))?.hidden) show(new URLSearchParams()); // or it led nowhere
  });

  // --- arrow keys: one mark is reached by Tab, the others from there ---------------------------------------------------

  let reachable = null;

  function makeReachable(link) {
    if (reachable === null) for (const each of table.querySelectorAll("a")) each.tabIndex = -1;
    else reachable.tabIndex = -1;
    reachable = link ?? [...table.querySelectorAll("a")].find((each) => each.offsetParent) ?? reachable;
    if (reachable) reachable.tabIndex = 0;
  }

  /** The next link in that direction: along the row, or along the column, over what is empty or hidden. */
  function neighbour(link, key) {
    const cell = link.closest("th, td");
    const along = key === "ArrowLeft" || key === "ArrowRight" || key === "Home" || key === "End";
    const links = (along ? [...cell.parentElement.cells] : [...table.rows].map((row) => row.cells[cell.cellIndex]))
      .map((each) => each?.querySelector("a")).filter((each) => each?.offsetParent);
    if (key === "Home" || key === "End") return links.at(key === "Home" ? 0 : -1);
    return links[links.indexOf(link) + (key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1)];
  }

  table.addEventListener("keydown", (event) => {
    if (!["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    if (!event.target.matches("a") || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const next = neighbour(event.target, event.key);
    if (next) {
      makeReachable(next);
      next.focus();
    }
  });

  // --- which mutant a mark is of ----------------------------------------------------------------------------------------

  const point = (event) => {
    table.querySelector(".name.here")?.classList.remove("here");
    const cell = event.target.closest?.("tbody td");
    if (cell) heads[cell.cellIndex - 1]?.classList.add("here");
  };
  for (const kind of ["mouseover", "mouseleave", "focusin"]) table.addEventListener(kind, point);

  const box = document.getElementById("box");
  new ResizeObserver(() => box.classList.toggle("fits", table.offsetWidth <= box.clientWidth)).observe(box);
  form.hidden = false;
  show(asked());
}
